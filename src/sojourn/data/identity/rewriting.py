"""Raw tables without some members: written beside their place first, and put into place all at once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sojourn.core.errors import DataError
from sojourn.data.identity.origins import Origin
from sojourn.data.identity.text_rows import Change, emptied, rewrite_text, value_of
from sojourn.data.parts import files_in
from sojourn.data.sources.stated import DuckDBTable, File
from sojourn.data.sources.text import Text, is_text, look


@dataclass(frozen=True, slots=True)
class Leavers:
    """Ids that are to be nowhere.

    Attributes
    ----------
    members, prospects : collection of str
        As the raw tables have them, as text.
    """

    members: Collection[str]
    prospects: Collection[str]

    def of(self, column: str) -> Collection[str]:
        """Return the ids that are looked for in a column of the contract."""
        return self.prospects if column == "prospect_id" else self.members


#: Part of the names of files that are not in their place yet.
BUILDING = ".forget."


def rewritten(
    origins: Collection[Origin], leavers: Leavers, *, memory_limit: str
) -> Iterator[tuple[Path, Path]]:
    """Write what tables will be, and give each file with the one that is to take its place.

    Rows of leavers go; `referred_by` of others becomes empty. Everything else stays as it is: in a text every
    other byte, in Parquet the other rows with types, notes, row groups and compression. A database is not
    touched.

    Parameters
    ----------
    origins : collection of Origin
        The tables.
    leavers : Leavers
        Who goes.
    memory_limit : str
        Of DuckDB, which spills beside the file beyond it.

    Raises
    ------
    DataError
        When a file cannot be rewritten.
    """
    for origin in origins:
        if isinstance(origin.source, File):
            for path in _files(origin):
                new = _beside(path)
                changed = False
                try:
                    write = _text if is_text(path) else _parquet
                    changed = write(origin, origin.source, path, new, leavers)
                finally:
                    if not changed:
                        shutil.rmtree(new.parent)
                if changed:
                    yield path, new
    inside = [origin for origin in origins if isinstance(origin.source, DuckDBTable)]
    for path in sorted({origin.path for origin in inside}):
        here = [origin for origin in inside if origin.path == path]
        yield path, _duckdb(path, here, leavers, memory_limit)


def put_into_place(path: Path, new: Path) -> None:
    """Rename a rewritten file over the one it replaces, with its mode."""
    shutil.copymode(path, new)
    new.replace(path)
    shutil.rmtree(new.parent)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)  # what DuckDB had not yet put into its file


def _files(origin: Origin) -> list[Path]:
    if not origin.path.is_dir():
        return [origin.path]
    return files_in(origin.table, origin.path, origin.shown)


def _beside(path: Path) -> Path:
    """Return a place for a new file beside one; what an earlier run left there is removed."""
    for left in path.parent.glob(f".{path.name}{BUILDING}*"):
        shutil.rmtree(left)
    return Path(tempfile.mkdtemp(prefix=f".{path.name}{BUILDING}", dir=path.parent)) / path.name


def _text(origin: Origin, stated: File, path: Path, new: Path, leavers: Leavers) -> bool:
    """Write a text without leavers and return whether anything changed."""
    text = look(path, stated, origin.table, origin.shown, origin.where)
    places = {name: text.names.index(raw) for name, raw in origin.columns.items() if raw in text.names}
    return bool(places) and rewrite_text(text, new, _change(text, places, leavers)) > 0


def _change(text: Text, places: dict[str, int], leavers: Leavers) -> Change:
    referrer = places.get("referred_by")
    goes = [(place, leavers.of(name)) for name, place in places.items() if name != "referred_by"]

    def change(fields: list[str]) -> list[str] | None:
        if any(place < len(fields) and value_of(fields[place], text.quote) in ids for place, ids in goes):
            return None
        if referrer is None or referrer >= len(fields):
            return fields
        if value_of(fields[referrer], text.quote) not in leavers.members:
            return fields
        return [*fields[:referrer], emptied(fields[referrer]), *fields[referrer + 1 :]]

    return change


def _parquet(origin: Origin, _: File, path: Path, new: Path, leavers: Leavers) -> bool:
    """Write a Parquet file without leavers and return whether anything changed."""
    file = pq.ParquetFile(path)
    present = {name: raw for name, raw in origin.columns.items() if raw in file.schema_arrow.names}
    changed = False
    how = {
        "compression": _compression(file),
        "use_dictionary": True,
        "store_schema": b"ARROW:schema" in (file.metadata.metadata or {}),
    }
    with pq.ParquetWriter(new, file.schema_arrow, **how) as writer:
        for group in range(file.num_row_groups):
            before = file.read_row_group(group)
            rows = _kept(before, present, leavers)
            changed = changed or _names_leavers(before, present, leavers)
            writer.write_table(rows, row_group_size=max(rows.num_rows, 1))
    return changed


def _compression(file: pq.ParquetFile) -> str:
    if not file.num_row_groups or not file.metadata.num_columns:
        return "snappy"
    return str(file.metadata.row_group(0).column(0).compression).lower().replace("uncompressed", "none")


def _kept(rows: pa.Table, present: dict[str, str], leavers: Leavers) -> pa.Table:
    for name, raw in present.items():
        hit = _is_among(rows[raw], leavers.of(name))
        if name == "referred_by":
            kind = rows.schema.field(raw)
            values = pc.if_else(hit, pa.scalar(None, kind.type), rows[raw])
            rows = rows.set_column(rows.schema.get_field_index(raw), kind, values)
        else:
            rows = rows.filter(pc.invert(hit))
        if pa.types.is_dictionary(rows.schema.field(raw).type):
            rows = _without_entries(rows, raw, leavers.of(name))
    return rows


def _is_among(column: pa.Array | pa.ChunkedArray, ids: Collection[str]) -> pa.Array | pa.ChunkedArray:
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    wanted = pa.array(sorted(ids), pa.string())
    return pc.fill_null(pc.is_in(plain.cast(pa.string()), value_set=wanted), False)


def _without_entries(rows: pa.Table, raw: str, ids: Collection[str]) -> pa.Table:
    """Take ids out of a column's dictionary, where they stand even when no row has them any more."""
    kind = rows.schema.field(raw)
    chunks = []
    for chunk in rows[raw].chunks:
        left = chunk.dictionary.filter(pc.invert(_is_among(chunk.dictionary, ids)))
        places = pc.index_in(chunk.cast(kind.type.value_type), value_set=left).cast(kind.type.index_type)
        chunks.append(pa.DictionaryArray.from_arrays(places, left, ordered=kind.type.ordered))
    column = pa.chunked_array(chunks, type=kind.type)
    return rows.set_column(rows.schema.get_field_index(raw), kind, column)


def _names_leavers(rows: pa.Table, present: Mapping[str, str], leavers: Leavers) -> bool:
    """Return whether a row or the dictionary of a column holds a leaver."""
    for name, raw in present.items():
        column = rows[raw]
        held = (
            [chunk.dictionary for chunk in column.chunks] if pa.types.is_dictionary(column.type) else [column]
        )
        if any(pc.any(_is_among(values, leavers.of(name))).as_py() for values in held):
            return True
    return False


def _duckdb(path: Path, origins: Collection[Origin], leavers: Leavers, memory_limit: str) -> Path:
    """Copy the file without the rows, twice, for a deleted row stays in the blocks of its file."""
    new = _beside(path)
    between, spill = new.with_name("between.duckdb"), new.with_name("spill")
    try:
        with duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(spill)}) as engine:
            engine.execute(f"ATTACH {_literal(path)} AS former (READ_ONLY)")
            engine.execute(f"ATTACH {_literal(between)} AS between")
            engine.execute(f"ATTACH {_literal(new)} AS fresh")
            engine.execute("COPY FROM DATABASE former TO between")
            for origin in origins:
                _delete(engine, origin, leavers)
            engine.execute("COPY FROM DATABASE between TO fresh")
    except duckdb.Error:
        shutil.rmtree(new.parent, ignore_errors=True)
        names = ", ".join(origin.shown for origin in origins)
        raise DataError(
            f"{names} cannot be rewritten: a table is a view, or the file is open "
            "elsewhere. Close other programs, or delete the rows there; then run this again."
        ) from None
    between.unlink()
    shutil.rmtree(spill, ignore_errors=True)
    return new


def _delete(engine: duckdb.DuckDBPyConnection, origin: Origin, leavers: Leavers) -> None:
    schema, _, table = cast("DuckDBTable", origin.source).table.rpartition(".")
    place = f"between.{_name(schema or 'main')}.{_name(table)}"
    columns = [row[0] for row in engine.execute(f"DESCRIBE {place}").fetchall()]
    for name, raw in origin.columns.items():
        if raw not in columns:
            continue
        ids = sorted(leavers.of(name))
        hit = f"CAST({_name(raw)} AS VARCHAR) IN (SELECT unnest(?::VARCHAR[]))"
        if name == "referred_by":
            engine.execute(f"UPDATE {place} SET {_name(raw)} = NULL WHERE {hit}", [ids])
        else:
            engine.execute(f"DELETE FROM {place} WHERE {hit}", [ids])


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
