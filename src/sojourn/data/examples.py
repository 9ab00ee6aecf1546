"""Examples in an error: which rows, and as much of their content as may be shown.

A public case shows row and value. A private one shows the row, and of a value that could not be read its
shape only (letters as ``a``, digits as ``9``), so that no id and no date of a member shows up in a log.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import ibis
from ibis import Table

from sojourn.core.schema import Table as Contract
from sojourn.data.reading import ROW, bad
from sojourn.data.settings import Settings

_LONGEST = 40


def example_from(
    raw: Table, table: Table, contract: Contract, settings: Settings
) -> Callable[[str, int], str]:
    """Return the function that gives the example of a column in a row.

    Parameters
    ----------
    raw, table : ibis Table
        The rows as they came and as they were read.
    contract : Table
        What they should be.
    settings : Settings
        Of the case, which may be private.
    """

    def example(column: str, row: int) -> str:
        where = f"row {row:,}"
        value, unread = _at(table, column, row)
        if unread:
            value = raw.select(column, _index=ibis.row_number()).filter(ibis._["_index"] == row - 1)
            value = value.to_pyarrow()[column][0].as_py()
        if settings.private:
            hidden = contract.column(column).grade == "secret" or not unread
            return where if hidden else f"{where}, of the shape '{shape(str(value))}'"
        return where if value is None else f"{where} '{_written(value)}'"

    return example


def shape(text: str) -> str:
    """Return a text with every letter as ``a`` and every digit as ``9``."""
    return _short(re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text)))


def _at(table: Table, column: str, row: int) -> tuple[object, bool]:
    found = table.filter(table[ROW] == row).select(value=column, unread=bad(column)).limit(1).to_pyarrow()
    return found["value"][0].as_py(), bool(found["unread"][0].as_py())


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
