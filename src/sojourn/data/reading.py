"""Raw tables into typed ones: every value read as the contract says, every value that cannot be flagged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import Column, Type
from sojourn.core.schema import Table as Contract
from sojourn.data.localtime import Clock
from sojourn.data.sources.files import PART
from sojourn.data.sources.mapping import EPOCHS

#: Number of a row in its file, or over all parts in their order, counted from 1 without the header.
ROW = "_row"

#: What each type is called in an error.
WORDS: dict[Type, str] = {
    "id": "an id",
    "instant": "a time",
    "category": "a text",
    "text": "a text",
    "integer": "a whole number",
    "decimal": "an amount",
    "bool": "yes or no",
}

#: How each type is to be written.
HOW: dict[Type, str] = {
    "id": "Write ids as text or whole numbers.",
    "instant": "Write times as ISO 8601, such as 2025-03-01T09:30:00Z.",
    "category": "Write plain text.",
    "text": "Write plain text.",
    "integer": "Write whole numbers without separators.",
    "decimal": "Write numbers such as 1234.50, with at most 14 digits before the point.",
    "bool": "Write true or false.",
}

_DAY, _TIME = r"\d{4}-\d{2}-\d{2}", r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_WITHOUT_OFFSET = rf"^{_DAY}({_TIME})?$"
_WITH_OFFSET = rf"^{_DAY}{_TIME} ?(Z|[+-]\d{{2}}(:?\d{{2}})?)$"
_WHOLE = r"^[+-]?\d+$"
#: What pandas adds to whole numbers of a column in which some are missing.
_POINT_NOUGHT = r"\.0+$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_WHOLE_ID = r"^\+?0*(\d+?)(?:\.0+)?$"
_EPOCH = r"^[+-]?\d{1,17}(\.\d{1,6})?$"
#: 1900 and 2200 in microseconds since 1970: what lies outside is of another unit.
_EPOCH_RANGE = (-2_208_988_800_000_000, 7_258_118_400_000_000)
#: Blanks that stand between digits: no-break, thin, narrow no-break.
_BLANKS = "[\u00a0\u2009\u202f]"
_YES, _NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def bad(column: str) -> str:
    """Return the name of the flag that says a value could not be read."""
    return f"_bad_{column}"


@dataclass(frozen=True, slots=True)
class Written:
    """How the values of a table are written.

    Attributes
    ----------
    decimal, thousands : str
        Marks in numbers; `thousands` is empty where there is none.
    times : mapping of str to str
        By column: one of `EPOCHS`, or a format of ``strptime``; all others are ISO 8601.
    made : frozenset of str
        Columns that a mapping made, whose numbers have a point whatever the table's have.
    whole_ids : bool
        Whether ids are whole numbers, however some program wrote them (7, 7.0, 007).
    leave_out_empty : tuple of str
        Columns; rows in which one of them is empty are left out.
    """

    decimal: str = "."
    thousands: str = ""
    times: Mapping[str, str] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    whole_ids: bool = False
    leave_out_empty: tuple[str, ...] = ()

    def of(self, column: str) -> Written:
        """Return how one column is written."""
        return replace(self, decimal=".", thousands="") if column in self.made else self


@dataclass(frozen=True, slots=True)
class _How:
    """How one column is read: by which clock, and how it is written."""

    clock: Clock
    written: Written
    time: str = ""


AS_CONTRACT = Written()


def naive(column: str) -> str:
    """Return the name of the flag that says a time came without an offset."""
    return f"_naive_{column}"


def typed(raw: Table, contract: Contract, clock: Clock, written: Written = AS_CONTRACT) -> Table:
    """Return the columns of the contract that a raw table has, each with its flag, and row numbers.

    Parameters
    ----------
    raw : ibis Table
        Columns named as in the contract; others are passed over.
    contract : Table
        What it should hold.
    clock : Clock
        What a time without offset means.
    written : Written
        How its values are written; as the contract says when not stated.

    Raises
    ------
    DataError
        When a required column is missing or a column has a type that cannot be read.
    """
    for name in contract.required:
        if name not in raw.columns:
            raise DataError.missing_column(contract.name, name, raw.columns)
    present = [column for column in contract.columns if column.name in raw.columns]
    selected: dict[str, Value] = {}
    for column in present:
        value = _read(raw, contract, column, clock, written)
        selected[column.name] = value
        selected[bad(column.name)] = _is_unread(raw[column.name], value, column, written)
        if column.type == "instant":
            selected[naive(column.name)] = _without_offset(
                raw[column.name], written.times.get(column.name, "")
            )
    if PART in raw.columns:
        selected[PART] = raw[PART]
    table = (
        raw.select(ibis.row_number().name("_index"), **selected)
        .mutate(_row=ibis._["_index"] + 1)
        .drop("_index")
    )
    whole = [table[name].notnull() | table[bad(name)] for name in written.leave_out_empty]
    return table.filter(*whole) if whole else table


def _is_unread(value: Value, read: Value, column: Column, written: Written) -> Value:
    """Return whether a value is there and could not be read; texts as texts and instants always can."""
    kind = value.type()
    as_it_is = column.type in ("category", "text") or (column.type == "id" and not written.whole_ids)
    instant = column.type == "instant" and kind.is_timestamp() and kind.timezone is not None
    if (as_it_is and kind.is_string()) or instant:
        return ibis.literal(False)
    return filled(value) & read.isnull()


def filled(value: Value) -> Value:
    """Return whether a raw value is there: an empty text and what is no number are not."""
    if value.type().is_string():
        return value.notnull() & (value != "")
    return value.notnull() & ~value.isnan() if value.type().is_floating() else value.notnull()


def _read(raw: Table, contract: Contract, column: Column, clock: Clock, written: Written) -> Value:
    value = raw[column.name]
    how = _How(clock, written.of(column.name), written.times.get(column.name, ""))
    read = _READERS[column.type](value, how)
    if read is None:
        rows = int(raw.count().execute())
        raise DataError.wrong_type(contract.name, column.name, str(value.type()), WORDS[column.type], rows)
    return read


def _as_id(value: Value, how: _How) -> Value | None:
    kind = value.type()
    if how.written.whole_ids:
        return _as_whole_id(value)
    return _as_text(value, how) if kind.is_string() or kind.is_integer() or kind.is_uuid() else None


def _as_whole_id(value: Value) -> Value | None:
    kind = value.type()
    if kind.is_string():
        text = value.strip()
        return ibis.cases((text.re_search(_WHOLE_ID), text.re_extract(_WHOLE_ID, 1)))
    if kind.is_floating():
        return ibis.cases(((value == value.floor()) & (value >= 0), value.try_cast("int64").cast("string")))
    return value.cast("string") if kind.is_integer() or kind.is_null() else None


def _as_text(value: Value, how: _How) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_string():
        return value.nullif("")
    readable = kind.is_integer() or kind.is_boolean() or kind.is_null() or kind.is_uuid()
    return value.cast("string") if readable else None


def _as_instant(value: Value, how: _How) -> Value | None:
    kind = value.type()
    if how.time in EPOCHS:
        return _instant_of_number(value, EPOCHS[how.time])
    if kind.is_string():
        text = value.strip()
        if how.time:
            return how.clock.instant(try_strptime(text, how.time))
        return _instant_of_text(text, how.clock)
    if kind.is_timestamp() and kind.timezone is not None:
        return value.cast("timestamp('UTC')")
    naive = kind.is_timestamp() or kind.is_date() or kind.is_null()
    return how.clock.instant(value.cast("timestamp")) if naive else None


def _without_offset(value: Value, layout: str) -> Value:
    """Return whether a time came without an offset, so that the case's clock decides on it."""
    kind = value.type()
    if layout in EPOCHS or not (kind.is_string() or kind.is_timestamp() or kind.is_date()):
        return ibis.literal(False)
    if kind.is_timestamp() and kind.timezone is not None:
        return ibis.literal(False)
    if kind.is_string() and not layout:
        return value.strip().re_search(_WITHOUT_OFFSET).fill_null(False)
    return filled(value)


def _instant_of_number(value: Value, unit: int) -> Value | None:
    """Read a number since 1970 (UTC) of units of so many microseconds, between 1900 and 2200."""
    kind = value.type()
    if kind.is_string():
        text = value.strip()
        value = ibis.cases((text.re_search(_EPOCH), text.try_cast("decimal(24, 6)")))
    elif kind.is_numeric():
        value = value.try_cast("decimal(24, 6)")
    else:
        return value.cast("timestamp('UTC')") if kind.is_null() else None
    within = value.between(*(bound // unit for bound in _EPOCH_RANGE))
    micros = ibis.cases((within, (value * unit).round().cast("int64")))
    return make_timestamp(micros).cast("timestamp('UTC')")


def _instant_of_text(text: Value, clock: Clock) -> Value:
    """Read ISO 8601: with an offset as it stands, without one by the clock."""
    return ibis.cases(
        (text.re_search(_WITHOUT_OFFSET), clock.instant(text.try_cast("timestamp"))),
        (text.re_search(_WITH_OFFSET), text.try_cast("timestamp('UTC')")),
    )


def _as_integer(value: Value, how: _How) -> Value | None:
    kind = value.type()
    if kind.is_string():
        text = _with_point(value, how.written).re_replace(_POINT_NOUGHT, "")
        return ibis.cases((text.re_search(_WHOLE), text.try_cast("int64")))
    if kind.is_floating():
        return ibis.cases((value == value.floor(), value.try_cast("int64")))
    return value.try_cast("int64") if kind.is_integer() or kind.is_null() else None


def _as_decimal(value: Value, how: _How) -> Value | None:
    return as_amount(value, how.written)


def as_amount(value: Value, written: Written) -> Value | None:
    """Return a value as DECIMAL(18,4), null where it is none; None for a column of another kind."""
    kind = value.type()
    if kind.is_string():
        text = _with_point(value, written)
        return ibis.cases((text.re_search(_NUMBER), text.try_cast("decimal(18, 4)")))
    return value.try_cast("decimal(18, 4)") if kind.is_numeric() or kind.is_null() else None


def _with_point(value: Value, written: Written) -> Value:
    """Return numbers with a point and no other mark; null where the marks stand in wrong places."""
    text = value.strip()
    decimal, thousands = written.decimal, written.thousands
    if (decimal, thousands) == (".", ""):
        return text
    if thousands == " ":
        text = text.re_replace(_BLANKS, " ")
    mark, groups = re.escape(decimal), rf"\d{{1,3}}({re.escape(thousands)}\d{{3}})+|" if thousands else ""
    fits = text.re_search(rf"^[+-]?(({groups}\d+)({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?$")
    bare = text.replace(thousands, "") if thousands else text
    return ibis.cases((fits, bare.replace(decimal, ".")))


def _as_bool(value: Value, how: _How) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_boolean() or kind.is_null():
        return value.cast("boolean")
    if not (kind.is_string() or kind.is_integer()):
        return None
    word = value.cast("string").strip().lower()
    return ibis.cases((word.isin(_YES), True), (word.isin(_NO), False))


@ibis.udf.scalar.builtin(signature=(("string", "string"), "timestamp"))
def try_strptime(text, layout):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Read a time by its format, null where it does not fit: a function of DuckDB."""


@ibis.udf.scalar.builtin(signature=(("int64",), "timestamp"))
def make_timestamp(micros):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the time so many microseconds after 1970 began: a function of DuckDB."""


_READERS: dict[Type, Callable[[Value, _How], Value | None]] = {
    "id": _as_id,
    "instant": _as_instant,
    "category": _as_text,
    "text": _as_text,
    "integer": _as_integer,
    "decimal": _as_decimal,
    "bool": _as_bool,
}
