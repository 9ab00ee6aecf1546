"""Findings of the door as checks, each table's worst first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sojourn.core.results.check import Check
from sojourn.core.results.quality import Quality
from sojourn.core.text import count, percent, plural

#: At most so many checks about one table; the table of findings below has them all.
MOST = 4
#: Share of rows left out above which a check warns.
LEFT_OUT = 0.05


def check_quality(found: Quality) -> list[Check]:
    """Return one check per warning, one per table without any, and one of the rows left out.

    Parameters
    ----------
    found : Quality
        The result.
    """
    tables = list(dict.fromkeys(found.columns["table"]))
    return [_left_out(found), *(check for table in tables for check in _of(found, table))]


def _of(found: Quality, table: str) -> list[Check]:
    warned = found.warnings[found.warnings["table"] == table]
    rows = int(found.columns.loc[found.columns["table"] == table, "rows"].max())
    if warned.empty:
        finding = f"No warning in {plural(rows, 'row')}."
        return [Check(f"Table {table}", "pass", finding, "It was read as the contract says.")]
    return [_warning(table, row) for _, row in warned.head(MOST).iterrows()]


def _warning(table: str, row: pd.Series[Any]) -> Check:
    column = f", {row['column']}" if row["column"] else ""
    said = str(row["finding"]).strip(".")
    finding = f"{said[:1].upper()}{said[1:]} ({count(row['concerned'])} of {count(row['rows'])} rows)."
    return Check(f"Table {table}{column}", "warn", finding, str(row["hint"]))


def _left_out(found: Quality) -> Check:
    """Rule: warns when more than 5 in 100 rows were left out."""
    share = found.left_out / max(found.rows, 1)
    finding = f"{count(found.left_out)} of {plural(found.rows, 'row')} were left out ({percent(share)})."
    meaning = "They are of members without consent, later than as_of, or before observation began."
    return Check("Rows left out", "warn" if share > LEFT_OUT else "pass", finding, meaning)
