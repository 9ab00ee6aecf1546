"""The truth of a simulated case, as `sojourn.world.write_world` left it beside its tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from sojourn.core.errors import DataError
from sojourn.core.params import read_params
from sojourn.world.truth.summary import Truth


def truth(case: str) -> Truth:
    """Return what is so in a simulated case: planted effects, hidden segments, members' hidden properties.

    Parameters
    ----------
    case : str
        As listed in params.yaml.

    Returns
    -------
    Truth
        ``summary``, ``members``, ``counterfactuals``, ``items``; ``summary["dictionary"]`` says what their
        columns mean. Rows carry the ids of the raw tables, which no page may show.

    Raises
    ------
    DataError
        When the case is not simulated, or has not been drawn yet.
    """
    params = read_params()
    source = params.case(case).get("prepare", {}).get("source")
    if source != "world":
        raise DataError(
            f"The truth of '{case}' is not known: it is not simulated. Cases with `source: world` have one."
        )
    folder = params.places(case).raw
    if not (folder / "truth.json").is_file():
        raise DataError(f"'{case}' has not been drawn yet. Run `sojourn prepare {case}`.")
    names = ("members", "counterfactuals", "items")
    return Truth(read_truth(folder), **{name: _rows(folder / "truth" / name) for name in names})


def _rows(folder: Path) -> pd.DataFrame:
    rows: pd.DataFrame = pq.read_table(folder).to_pandas()
    return rows


def read_truth(folder: Path) -> dict[str, Any]:
    """Read the summary of the truth of a world that `write_world` has written.

    Raises
    ------
    DataError
        When the folder holds none.
    """
    path = folder / "truth.json"
    if not path.is_file():
        raise DataError(f"No truth.json in {folder.name}: only simulated cases have a known truth.")
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return truth
