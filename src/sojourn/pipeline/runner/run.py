"""One pair through its notebook: parameters in, page, tables and headline out, renamed into place at the end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sojourn.core.cells import Cells, read_cells
from sojourn.core.errors import ParameterError
from sojourn.core.params import Params, read_params
from sojourn.core.project import root
from sojourn.pipeline.machine import lock_hash, steady_environment
from sojourn.pipeline.runner.notebook import declared_parameters, execute, matched, read_notebook, shown, source_hash


def run_study(case: str, study: str) -> Path:
    """Run the notebook of a pair and put its page, tables and headline into place.

    Everything is built in a temporary sibling folder and renamed at the end, so a failure leaves the last
    good result whole.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ParameterError
        When the pair is not listed or a parameter is unknown or missing.
    NotebookError
        When the notebook fails, warns, or shows what a page may not hold.
    """
    params = read_params()
    pair = listed_pair(params, case, study)
    places = params.places(case)
    cells = read_cells(places.cells(study), case, study)
    places.reports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.reports, prefix=f".{study}-") as scratch:
        built = Path(scratch)
        _build(params, pair, cells, built)
        _put_into_place(built, places.reports, study)
    return places.reports / f"{study}.html"


def listed_pair(params: Params, case: str, study: str) -> Mapping[str, str]:
    """Return the entry of a pair.

    Raises
    ------
    ParameterError
        When it is not listed.
    """
    params.case(case)
    pairs = params.pairs(private=params.is_private(case))
    name = f"{case}-{study}"
    if name not in pairs:
        where = "private_pairs" if params.is_private(case) else "pairs"
        raise ParameterError.unknown(name, where, pairs)
    return pairs[name]
