"""A table in a file or a folder of files: Parquet or text, by the end of the name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.data.engine import as_named
from sojourn.data.parts import files_in, partitions, parts_of
from sojourn.data.sources.opened import Opened, stop_at_doubled
from sojourn.data.sources.stated import File
from sojourn.data.sources.text import ENDS, Text, is_text, look, open_texts

#: Path of the part that a row stands in, for tables of which only some parts are read.
PART = "_part"

#: Types of Parquet columns that Ibis 12 does not know: what pandas writes of times in a zone, counted in
#: nanoseconds, and of a column in which nothing is filled.
_CASTS = {"TIMESTAMPTZ_NS": "timestamp('UTC')", '"NULL"': "string"}
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which table is to be opened.

    Attributes
    ----------
    table : str
        Name in the contract.
    path : Path
        The file or folder.
    shown, case : str
        The same as errors name it, and the case.
    only : collection of str or None
        Names of the parts of a folder that are read, with the column `PART`; no other part is opened.
    """

    table: str
    path: Path
    shown: str
    case: str
    only: Collection[str] | None = None

    @property
    def where(self) -> str:
        """The parameter that names it."""
        return f"cases.{self.case}.prepare.tables.{self.table}"

    @property
    def part(self) -> str | None:
        """Name of the column for the path of a row's part, where it is wanted."""
        return None if self.only is None else PART


def open_file(engine: Any, stated: File, asked: Asked) -> Opened:
    """Open a file or folder as a table; values of a text are all text.

    Parameters
    ----------
    engine : ibis backend
        What reads it.
    stated : File
        How it is written.
    asked : Asked
        Where it is.

    Raises
    ------
    DataError
        When the file is missing or is not what it says, or when parts are not alike.
    """
    path = asked.path
    if not path.exists():
        raise DataError.no_file(asked.table, asked.shown, asked.case)
    if path.is_dir():
        return _folder(engine, stated, asked)
    if path.suffix == ".parquet":
        return _parquet(engine, asked)
    if not is_text(path):
        ends = f"its name ends in '{path.suffix}', not in {', '.join(ENDS)} or .parquet"
        raise DataError.unreadable(asked.table, asked.shown, ends)
    return _texts(engine, stated, asked, [look(path, stated, asked.table, asked.shown, asked.where)])


def _folder(engine: Any, stated: File, asked: Asked) -> Opened:
    found = files_in(asked.table, asked.path, asked.shown)
    if found and all(is_text(part) and part.parent == asked.path for part in found):
        return _folder_of_texts(engine, stated, asked, found)
    parts = parts_of(asked.table, asked.path, asked.shown, only=asked.only)
    how: dict[str, Any] = {} if asked.part is None else {"filename": asked.part}
    if partitions(asked.table, asked.path, parts, asked.shown):
        how |= {"hive_partitioning": True, "hive_types_autocast": False}
    found = known(engine.read_parquet([*map(as_named, parts)], table_name=f"raw_{asked.table}", **how))
    return Opened(found, files=() if asked.part else tuple(parts))  # of some parts each is read several times


def _folder_of_texts(engine: Any, stated: File, asked: Asked, found: list[Path]) -> Opened:
    parts = [part for part in found if asked.only is None or part.name in asked.only]
    looks = [look(part, stated, asked.table, f"{asked.shown}/{part.name}", asked.where) for part in parts]
    for other in looks[1:]:
        _stop_at_other_header(asked, looks[0], other)
    return _texts(engine, stated, asked, looks)


def _stop_at_other_header(asked: Asked, first: Text, other: Text) -> None:
    if (first.names, first.delimiter) == (other.names, other.delimiter):
        return
    differing = sorted({*first.names} ^ {*other.names})
    one, two = first.path.name, other.path.name
    alike = f"the parts in {asked.shown} are not alike"
    if not differing:
        what = f"{asked.table}: {alike}: {one} and {two} have their columns in another order"
    else:
        here, there = (one, two) if differing[0] in first.names else (two, one)
        what = f"{asked.table}.{differing[0]}: {alike}: the column of {here} is missing in {there}"
    raise DataError(f"{what}. Write all parts with the same header.")


def _texts(engine: Any, stated: File, asked: Asked, texts: list[Text]) -> Opened:
    found = open_texts(engine, texts, part=asked.part)
    return replace(found, decimal=stated.decimal, thousands=stated.thousands)


def _parquet(engine: Any, asked: Asked) -> Opened:
    table, shown = asked.table, asked.shown
    _stop_at_no_parquet(asked.path, table, shown)
    damaged = DataError.unreadable(table, shown, "its inside is damaged", "Copy it again.")
    try:
        found = engine.read_parquet(as_named(asked.path), table_name=f"raw_{table}")
    except duckdb.Error:
        raise damaged from None
    return Opened(known(found), explain=lambda _: damaged, files=(asked.path,))


def _stop_at_no_parquet(path: Path, table: str, shown: str) -> None:
    """Stop at a file that is cut off or something else, by the marks at both of its ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        begin = file.read(len(_MAGIC))
        file.seek(-min(len(_MAGIC), path.stat().st_size), 2)
        end = file.read()
    if begin != _MAGIC:
        raise DataError.unreadable(table, shown, "it is no Parquet file")
    if end != _MAGIC:
        hint = "Copy it again from where it comes from."
        raise DataError.unreadable(table, shown, "it is cut off: a Parquet file ends as it begins", hint)
    try:
        names = pq.ParquetFile(path).schema_arrow.names
    except (pa.ArrowInvalid, OSError):
        raise DataError.unreadable(table, shown, "its inside is damaged") from None
    stop_at_doubled(table, names, shown)


def known(table: Table) -> Table:
    """Cast columns of the types that DuckDB has and Ibis has not."""
    unknown = {name: str(kind.raw_type) for name, kind in table.schema().items() if kind.is_unknown()}
    casts = {name: _CASTS[kind] for name, kind in unknown.items() if kind in _CASTS}
    return table.cast(casts) if casts else table
