"""Names of the board's rows and columns, from the numbers and words of its cells."""

from __future__ import annotations

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.board import GONE, STAGES, TOO_NEW

_CODES = {-1: TOO_NEW, -2: GONE}


def names_of(cells: Cells) -> dict[int, str]:
    """Return names by the numbers of segments, with those who are too new for one and those who are gone."""
    return {i: str(name) for i, name in enumerate(cells.meta["segments"])} | _CODES


def rows_of(cells: Cells) -> tuple[str, ...]:
    """Return the rows of the board: segments in their order, last who is too new for one."""
    return (*(str(name) for name in cells.meta["segments"]), TOO_NEW)


def with_names(cells: Cells, table: str) -> pd.DataFrame:
    """Return a table of the cells with names of segments and stages, in the board's order."""
    rows = cells[table].copy()
    called = names_of(cells)
    rows["segment"] = rows["segment"].map(lambda code: called[int(code)])
    return rows[rows["stage"].isin(STAGES)]
