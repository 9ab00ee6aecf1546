"""What the values of a column look like, from a sample of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["empty", "instant", "integer", "decimal", "bool", "text"]

#: Ways in which instants are written beside ISO 8601, tried in this order; day before month before year.
FORMATS: tuple[str, ...] = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%d.%m.%y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%y %H:%M",
    "%d/%m/%y",
    "%m/%d/%y %H:%M",
    "%m/%d/%y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d",
)

#: Whole numbers within these are read as seconds (or milliseconds) since 1970: 1990 to 2100.
_EARLIEST, _LATEST = 631_152_000, 4_102_444_800
_BOOL = re.compile(r"true|false|yes|no|y|n|t|f", re.IGNORECASE)
_DIGITS = re.compile(r"[+-]?\d+")
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
_POINT_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
_COMMA_POINT = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Look:
    """What a sample of values looks like.

    Attributes
    ----------
    kind : str
        The narrowest kind that fits every value.
    written : str
        How instants are written: ``iso``, ``epoch_seconds``, ``epoch_milliseconds`` or a format of
        ``strptime``; of decimals ``comma`` where that is their mark, ``point and comma`` or ``comma and
        point`` where the first of these parts thousands; of whole numbers ``point`` where they have one
        (7.0); else empty.
    distinct : int
        Number of different values.
    latest : datetime or None
        The latest instant (UTC; one without offset counts as UTC).
    empty : int
        Number of values that are missing.
    naive : bool
        Whether some instant says no offset, so that it is of a clock that has to be stated.
    """

    kind: Kind
    written: str = ""
    distinct: int = 0
    latest: datetime | None = None
    empty: int = 0
    naive: bool = False


def look_at(values: Sequence[str]) -> Look:
    """Return what values look like; empty ones are passed over.

    Parameters
    ----------
    values : sequence of str
        A sample, as written.
    """
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return Look("empty", empty=len(values))
    distinct = len(set(filled))
    for written, read in _INSTANTS:
        found = _all(read, filled)
        if found is not None:
            empty = len(values) - len(filled)
            return Look("instant", written, distinct, max(found), empty, _is_naive(written, filled))
    return Look(*_plain(filled), distinct, empty=len(values) - len(filled))


def _is_naive(written: str, filled: Sequence[str]) -> bool:
    if written == "iso":
        return any(datetime.fromisoformat(value).tzinfo is None for value in filled)
    return written.startswith("%")


#: How values that are no instants are written: kind, mark, and what every value of it looks like.
_WRITTEN: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    ("bool", "", _BOOL),
    ("integer", "", _DIGITS),
    ("integer", "point", _WHOLE),
    ("decimal", "", _NUMBER),
    ("decimal", "comma", _COMMA),
    ("decimal", "point and comma", _POINT_COMMA),
    ("decimal", "comma and point", _COMMA_POINT),
)


def _plain(filled: Sequence[str]) -> tuple[Kind, str]:
    for kind, mark, pattern in _WRITTEN:
        if all(pattern.fullmatch(value) for value in filled):
            return kind, mark
    return "text", ""


def _all(read: Callable[[str], datetime | None], filled: Sequence[str]) -> list[datetime] | None:
    found = []
    for value in filled:
        instant = read(value)
        if instant is None:
            return None
        found.append(instant)
    return found


def _iso(value: str) -> datetime | None:
    if len(value) < len("2025-01-01") or value[4] != "-":
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # none, or beyond the years that there are
        return None


def _epoch(unit: int) -> Callable[[str], datetime | None]:
    def read(value: str) -> datetime | None:
        seconds = int(value) // unit if value.isdigit() else 0
        return datetime.fromtimestamp(seconds, UTC) if _EARLIEST <= seconds < _LATEST else None

    return read


def _by_format(layout: str) -> Callable[[str], datetime | None]:
    def read(value: str) -> datetime | None:
        try:
            return datetime.strptime(value, layout).replace(tzinfo=UTC)
        except ValueError:
            return None

    return read


#: Ways of writing instants, in the order in which they are tried.
_INSTANTS: tuple[tuple[str, Callable[[str], datetime | None]], ...] = (
    ("iso", _iso),
    ("epoch_seconds", _epoch(1)),
    ("epoch_milliseconds", _epoch(1000)),
    *((layout, _by_format(layout)) for layout in FORMATS),
)


def reader_of(written: str) -> Callable[[str], datetime | None]:
    """Return what reads an instant written in one of the ways of `Look.written` (None: it is none)."""
    return dict(_INSTANTS).get(written, _iso)
