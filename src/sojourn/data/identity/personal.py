"""Names and texts that come in with the data are looked through for what says who somebody is.

Distinct values are looked at, not rows: e-mail addresses, phone numbers, payment cards (with a check digit
that holds) and bank accounts, by the rules of `sojourn.core.patterns`. An item id of digits only is an item's
number, whatever it looks like: article numbers have as many digits as cards, and check digits of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.patterns import MAYBE_PERSONAL, Kind, found_in
from sojourn.core.schema import Column
from sojourn.core.schema import Table as Contract
from sojourn.data.engine import stream

#: What may stand in no name.
SOUGHT: tuple[Kind, ...] = ("e-mail address", "payment card", "bank account", "phone number")

_DIGITS = re.compile(r"\d+")


def stop_at_personal(engine: Any, names: Mapping[str, Table], contract: Contract) -> None:
    """Stop where a name or a text that passes the door holds something personal.

    Parameters
    ----------
    engine : ibis backend
        Where the table is kept.
    names : mapping of str to ibis Table
        By column, its different values in a column `value`.
    contract : Table
        What they hold.

    Raises
    ------
    DataError
        Naming table and column and how many values hold what; never a value.
    """
    for column in contract.columns:
        if column.name in names and _passes(column):
            found = _found(engine, names[column.name], column)
            if found:
                raise _personal(contract.name, column.name, found)


def _passes(column: Column) -> bool:
    """Whether a column is a name or a text that stands behind the door as it came."""
    return column.type in ("category", "text") and column.grade != "secret" and not column.one_of


def _found(engine: Any, values: Table, column: Column) -> Counter[str]:
    """Return how many distinct values hold something of each kind."""
    found: Counter[str] = Counter()
    for batch in stream(engine, values.filter(values["value"].notnull()).select("value")):
        for value in _suspects(batch["value"], column):
            found.update({hit.kind for hit in found_in(value, SOUGHT)})
    return found


def _suspects(values: pa.Array, column: Column) -> list[str]:
    """Return the few values that may hold something, by one quick pattern."""
    likely: list[str] = values.filter(pc.match_substring_regex(values, MAYBE_PERSONAL)).to_pylist()
    return [value for value in likely if not (column.type == "text" and _DIGITS.fullmatch(value))]


def _personal(table: str, column: str, found: Counter[str]) -> DataError:
    said = ", ".join(f"{count:,} with what looks like {_with_article(kind)}" for kind, count in found.items())
    return DataError(
        f"{table}.{column}: distinct values name persons: {said}. Names in data are printed on pages: write "
        f"codes in their place (`values` can map them), or leave the column out of the table."
    )


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
