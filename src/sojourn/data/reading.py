"""Raw tables into typed ones: every value read as the contract says, every value that cannot be flagged."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import Column, Type
from sojourn.core.schema import Table as Contract
from sojourn.data.localtime import Clock
from sojourn.data.parts import parts_of

#: Number of a row in its file, or over all parts in their order, counted from 1 without the header.
ROW = "_row"

#: Path of the part that a row stands in, for tables of which only some parts are read.
PART = "_part"

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

#: Types of Parquet columns that Ibis 12 does not know: what pandas writes of times in a zone, counted in
#: nanoseconds, and of a column in which nothing is filled.
_CASTS = {"TIMESTAMPTZ_NS": "timestamp('UTC')", '"NULL"': "string"}

_DAY, _TIME = r"\d{4}-\d{2}-\d{2}", r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_WITHOUT_OFFSET = rf"^{_DAY}({_TIME})?$"
_WITH_OFFSET = rf"^{_DAY}{_TIME} ?(Z|[+-]\d{{2}}(:?\d{{2}})?)$"
_WHOLE = r"^[+-]?\d+$"
#: What pandas adds to whole numbers of a column in which some are missing.
_POINT_NOUGHT = r"\.0+$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_DELIMITERS = ",;\t|"
_YES, _NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def bad(column: str) -> str:
    """Return the name of the flag that says a value could not be read."""
    return f"_bad_{column}"


def open_raw(
    engine: Any, name: str, path: Path, shown: str, case: str, *, only: Collection[str] | None = None
) -> Table:
    """Open a CSV or Parquet file, or a folder of Parquet files, as a table; values of a CSV all as text.

    Parameters
    ----------
    engine : ibis backend
        What reads it.
    name, case : str
        Name of the table in the contract, and of the case, for errors.
    path : Path
        The file, or the folder of parts.
    shown : str
        The same as errors name it.
    only : collection of str, optional
        Names of the parts of a folder that are read, with the column `PART`; no other part is opened.

    Raises
    ------
    DataError
        When the file is missing, or neither CSV in UTF-8 nor Parquet, or when parts are not alike.
    """
    if not path.exists():
        raise DataError.no_file(name, shown, case)
    if path.is_dir():
        marked = {} if only is None else {"filename": PART}
        parts = parts_of(name, path, shown, only=only)
        return _known(engine.read_parquet(parts, table_name=f"raw_{name}", **marked))
    if path.suffix not in (".csv", ".parquet"):
        raise DataError.unreadable(name, shown, f"its name ends in '{path.suffix}', not in .csv or .parquet")
    try:
        if path.suffix == ".parquet":
            return _known(engine.read_parquet(path, table_name=f"raw_{name}"))
        return engine.read_csv(path, table_name=f"raw_{name}", **_layout(path))
    except (duckdb.Error, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(name, shown, error) from None


def _known(table: Table) -> Table:
    """Cast columns of the types that DuckDB has and Ibis has not."""
    unknown = {name: str(kind.raw_type) for name, kind in table.schema().items() if kind.is_unknown()}
    casts = {name: _CASTS[kind] for name, kind in unknown.items() if kind in _CASTS}
    return table.cast(casts) if casts else table


def _layout(path: Path) -> dict[str, Any]:
    """Return how a CSV is laid out, from its header alone.

    DuckDB would guess from the rows, and passes over a header when a later row has more fields.
    """
    with path.open("rb") as file:
        header = file.readline().decode("utf-8-sig")
    delim = max(_DELIMITERS, key=header.count)
    names = next(csv.reader([header], delimiter=delim), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise csv.Error(f"the header names {twice[0]} twice" if twice else "it has no header")
    text = dict.fromkeys(names, "VARCHAR")
    return {
        "columns": text,
        "auto_detect": False,
        "header": True,
        "delim": delim,
        "quote": '"',
        "escape": '"',
    }


def unreadable(name: str, shown: str, error: Exception) -> DataError:
    """Return an error for a file that cannot be read, without the rows that the engine's own text quotes."""
    if isinstance(error, csv.Error):
        return DataError.unreadable(name, shown, str(error))
    line = re.search(r"Line: (\d+)", str(error))
    where = f" at line {line[1]}" if line else ""
    return DataError.unreadable(name, shown, f"its rows are broken{where}, or it is not UTF-8")


def typed(raw: Table, contract: Contract, clock: Clock) -> Table:
    """Return the columns of the contract that a raw table has, each with its flag, and row numbers.

    Parameters
    ----------
    raw : ibis Table
        Columns named as in the contract; others are passed over.
    contract : Table
        What it should hold.
    clock : Clock
        What a time without offset means.

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
        value = _read(raw, contract, column, clock)
        selected[column.name] = value
        selected[bad(column.name)] = _filled(raw[column.name]) & value.isnull()
    if PART in raw.columns:
        selected[PART] = raw[PART]
    return (
        raw.select(ibis.row_number().name("_index"), **selected)
        .mutate(_row=ibis._["_index"] + 1)
        .drop("_index")
    )


def _filled(value: Value) -> Value:
    return (value.notnull() & (value != "")) if value.type().is_string() else value.notnull()


def _read(raw: Table, contract: Contract, column: Column, clock: Clock) -> Value:
    value = raw[column.name]
    read = _READERS[column.type](value, clock)
    if read is None:
        rows = int(raw.count().execute())
        raise DataError.wrong_type(contract.name, column.name, str(value.type()), WORDS[column.type], rows)
    return read


def _as_id(value: Value, clock: Clock) -> Value | None:
    return _as_text(value, clock) if value.type().is_string() or value.type().is_integer() else None


def _as_text(value: Value, clock: Clock) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_string():
        return value.nullif("")
    readable = kind.is_integer() or kind.is_boolean() or kind.is_null()
    return value.cast("string") if readable else None


def _as_instant(value: Value, clock: Clock) -> Value | None:
    kind = value.type()
    if kind.is_string():
        return _instant_of_text(value.strip(), clock)
    if kind.is_timestamp() and kind.timezone is not None:
        return value.cast("timestamp('UTC')")
    naive = kind.is_timestamp() or kind.is_date() or kind.is_null()
    return clock.instant(value.cast("timestamp")) if naive else None


def _instant_of_text(text: Value, clock: Clock) -> Value:
    """Read ISO 8601: with an offset as it stands, without one by the clock."""
    return ibis.cases(
        (text.re_search(_WITHOUT_OFFSET), clock.instant(text.try_cast("timestamp"))),
        (text.re_search(_WITH_OFFSET), text.try_cast("timestamp('UTC')")),
    )


def _as_integer(value: Value, clock: Clock) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_string():
        text = value.strip().re_replace(_POINT_NOUGHT, "")
        return ibis.cases((text.re_search(_WHOLE), text.try_cast("int64")))
    if kind.is_floating():
        return ibis.cases((value == value.floor(), value.try_cast("int64")))
    return value.try_cast("int64") if kind.is_integer() or kind.is_null() else None


def _as_decimal(value: Value, clock: Clock) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_string():
        text = value.strip()
        return ibis.cases((text.re_search(_NUMBER), text.try_cast("decimal(18, 4)")))
    return value.try_cast("decimal(18, 4)") if kind.is_numeric() or kind.is_null() else None


def _as_bool(value: Value, clock: Clock) -> Value | None:  # noqa: ARG001 (readers share one shape)
    kind = value.type()
    if kind.is_boolean() or kind.is_null():
        return value.cast("boolean")
    if not (kind.is_string() or kind.is_integer()):
        return None
    word = value.cast("string").strip().lower()
    return ibis.cases((word.isin(_YES), True), (word.isin(_NO), False))


_READERS: dict[Type, Callable[[Value, Clock], Value | None]] = {
    "id": _as_id,
    "instant": _as_instant,
    "category": _as_text,
    "text": _as_text,
    "integer": _as_integer,
    "decimal": _as_decimal,
    "bool": _as_bool,
}
