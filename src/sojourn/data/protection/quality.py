"""Protected cells of quality: rows are counted coarsely, and what is there at all shows as one group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sojourn.core.privacy import coarse, to_multiples
from sojourn.data.protection.declared import Counted, protect_table

ARMS = (Counted(by=("trial", "scheme"), members=("members",)),)
LATENESS = (Counted(by=("table", "days_late"), things=("rows",)),)
#: Columns that count rows or values, of which one member may have many, by table.
_ROWS = {
    "findings": ("rows", "concerned"),
    "columns": ("rows", "missing", "distinct"),
    "coverage": ("rows",),
}


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Notes
    -----
    Counts of rows have about two digits. One that is not 0 is at least the base: a day with any row, or a
    finding on a single one, must not look like none, or the door would seem to have passed over it.
    """
    made = {name: _some(table, _ROWS[name], base) for name, table in tables.items() if name in _ROWS}
    if "coverage" in made:
        made["coverage"]["members"] = _each(made["coverage"]["members"], lambda n: int(to_multiples(n, base)))
    for name, rules in (("arms", ARMS), ("lateness", LATENESS)):
        if name in tables:
            made[name] = protect_table(tables[name], rules, base)
    counts = {name: {t: coarse(n, base) for t, n in meta[name].items()} for name in ("read", "kept")}
    members = {name: int(to_multiples(meta[name], base)) for name in ("members", "left")}
    return made, {**meta, **counts, **members}


def _some(table: pd.DataFrame, columns: tuple[str, ...], base: int) -> pd.DataFrame:
    rounded = {name: _each(table[name], lambda n: max(coarse(n, base), base if n else 0)) for name in columns}
    return table.assign(**rounded)


def _each(column: pd.Series[Any], rounded: Callable[[int], int]) -> pd.Series[Any]:
    """Return rounded counts; what is not known stays so."""
    values = [None if pd.isna(value) else rounded(int(value)) for value in column]
    return pd.Series(values, column.index, dtype="Int64" if column.isna().any() else column.dtype)
