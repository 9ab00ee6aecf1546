"""Cells: one engine expression per study, and the one function that makes them.

Each study has a module here with ``expressions(tidy, params)``, which returns an Ibis expression per
table, and ``describe(tidy, params)``, which returns what the cells say of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells, read_cells
from sojourn.core.errors import ParameterError
from sojourn.core.params import Params, read_params
from sojourn.data.tidy import Tidy, open_tidy


def make_cells(tidy: Tidy, study: str, params: Mapping[str, Any]) -> Cells:
    """Make the cells of a study from tidy tables.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case.
    study : str
        Name of the study.
    params : mapping
        Resolved cells parameters (``studies.STUDY.cells`` with overrides).
    """
    maker = import_module(f"sojourn.data.cells.{study}")
    made = {name: _sorted(expression.to_pyarrow().to_pandas()) for name, expression in maker.expressions(tidy, params).items()}
    meta = {
        "case": tidy.case,
        "study": study,
        "as_of": tidy.meta["as_of"],
        "time_zone": tidy.meta["time_zone"],
        "params": dict(params),
        **maker.describe(tidy, params),
    }
    return Cells(tidy.case, study, made, meta)


def cells(case: str, study: str, **changes: Any) -> Cells:
    """Return the cells of a case for a study, as the pipeline made them or anew with `changes`.

    Parameters
    ----------
    case, study : str
        As listed in params.yaml.
    **changes
        Cells parameters to change for this call; the tidy tables are read again.

    Raises
    ------
    ParameterError
        When a change is not a cells parameter of the study.
    DataError
        When the pipeline has not made them yet.
    """
    params: Params = read_params()
    resolved = params.for_cells(case, study)
    unknown = [name for name in changes if name not in resolved]
    if unknown:
        raise ParameterError.unknown(unknown[0], f"studies.{study}.cells", resolved)
    if not changes:
        return read_cells(params.places(case).cells(study), case, study)
    return make_cells(open_tidy(params, case), study, {**resolved, **changes})


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """Order rows by all columns, so that no order of the engine shows."""
    return table.sort_values(list(table.columns), ignore_index=True)
