"""What a fault is, and the few moves that all of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from sojourn.core.errors import DataError
from sojourn.world.bad.sheet import Sheet

Expected = Literal["error", "warning", "note", "accepted"]
#: What a fault changes: names or order of columns, how the file is written, values of one column, which rows
#: there are, their order only, or the whole file.
Changes = Literal["columns", "layout", "values", "rows", "order", "file"]


@dataclass(frozen=True, slots=True)
class Given:
    """What a fault may look at beside its own table.

    Attributes
    ----------
    rng : Generator
        Where its chance comes from.
    members : Sheet
        The table of members.
    zone : ZoneInfo
        Local time of the platform.
    bot_events : int
        Number of events of a bot.
    """

    rng: np.random.Generator
    members: Sheet
    zone: ZoneInfo
    bot_events: int


@dataclass(frozen=True, slots=True)
class Change:
    """A table after a fault was planted.

    Attributes
    ----------
    sheet : Sheet
        The table.
    column : str
        Column concerned; empty where it is whole rows or the whole file.
    touched : sequence of int
        Places of the rows concerned, from 0, in the new table; in the old one where they are taken out.
    expected : str, optional
        What the door ought to do, where this table asks for more than the fault does elsewhere.
    """

    sheet: Sheet
    column: str
    touched: Sequence[int]
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that a real export has.

    Attributes
    ----------
    name, description : str
        Its name, and in a sentence what is wrong.
    plant : callable
        Plants it into a table.
    table : str
        Where it is planted when no other table is named.
    expected : str
        What the door ought to do: stop with an ``error``, go on with a ``warning`` or a ``note`` in the
        quality table, or take it as ``accepted``.
    changes : str
        What differs from the clean export: ``columns``, ``layout``, ``values``, ``rows``, ``order`` or
        ``file``.
    numbered : bool
        Whether members have whole numbers for ids, in the clean export too.
    """

    name: str
    description: str
    plant: Callable[[Sheet, Given], Change]
    table: str
    expected: Expected
    changes: Changes
    numbered: bool = False


def everywhere(sheet: Sheet) -> range:
    """Return the places of all rows."""
    return range(len(sheet.rows))


def filled(sheet: Sheet, column: str) -> list[int]:
    """Return the places of rows that have a value."""
    return [int(place) for place in np.flatnonzero(sheet.rows[column] != "")]


def some(given: Given, places: Sequence[int], n: int) -> list[int]:
    """Draw up to `n` places, in order.

    Raises
    ------
    DataError
        When there is none.
    """
    if not len(places):
        raise DataError("The world has no row to plant this fault in. Draw more members or another table.")
    drawn = given.rng.choice(np.asarray(places), size=min(n, len(places)), replace=False)
    return sorted(int(place) for place in drawn)


def one(given: Given, names: Sequence[str], table: str) -> str:
    """Draw one column.

    Raises
    ------
    DataError
        When there is none.
    """
    if not names:
        raise DataError(f"{table}: the world has no column to plant this fault in. Name another table.")
    return names[int(given.rng.integers(len(names)))]


def first(names: Sequence[str], table: str) -> str:
    """Return the first column there is; raises as `one` does."""
    if not names:
        raise DataError(f"{table}: the world has no column to plant this fault in. Name another table.")
    return names[0]


def written(sheet: Sheet, column: str, places: Sequence[int], values: Sequence[str]) -> Change:
    """Write values into one column, and say which rows have another value now."""
    rows = sheet.rows.copy()
    before = rows[column].to_numpy().copy()
    after = before.copy()
    after[list(places)] = list(values)
    rows[column] = after
    touched = [int(place) for place in np.flatnonzero(before != after)]
    return Change(replace(sheet, rows=rows), column, touched)


def rewritten(sheet: Sheet, column: str, rewrite: Callable[[str], str]) -> Change:
    """Write every value of one column in another way."""
    places = filled(sheet, column)
    return written(sheet, column, places, [rewrite(text) for text in sheet.texts(column, places)])


def dealt(given: Given, sheet: Sheet, column: str, texts: Sequence[str], n: int = 12) -> Change:
    """Write texts into some filled rows of a column, each at least once where rows suffice."""
    places = some(given, filled(sheet, column), n)
    return written(sheet, column, places, [texts[i % len(texts)] for i in range(len(places))])


def only(sheet: Sheet, kept: Sequence[int] | np.ndarray) -> pd.DataFrame:
    """Return some rows, numbered anew."""
    return sheet.rows.iloc[list(kept)].reset_index(drop=True)
