"""The truth of a simulated case, as `sojourn.world.write_world` left it beside its tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from sojourn.core.errors import DataError
from sojourn.core.params import read_params
from sojourn.world.truth import Truth
from sojourn.world.write import read_truth


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
