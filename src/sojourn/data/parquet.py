"""Parquet files whose bytes depend on their rows alone: fixed row groups, one thread, stated types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sojourn.core.schema import Type

#: Rows of a row group; also the most that is held in memory while writing.
ROW_GROUP = 131_072

#: How each type of the contract is stored behind the door.
ARROW: dict[Type, pa.DataType] = {
    "id": pa.int64(),
    "instant": pa.timestamp("us", tz="UTC"),
    "category": pa.string(),
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "bool": pa.bool_(),
}


def write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches of rows, however they are cut, and return the number of rows.

    Parameters
    ----------
    path : Path
        File to write.
    schema : pyarrow Schema
        Names and types to store; batches are cast to it.
    batches : iterable of RecordBatch
        Rows in their final order.
    """
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", **_encodings(schema)) as writer:
        for table in _groups(schema, batches):
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += table.num_rows
    return rows


def first_instants(path: Path) -> dict[str, datetime]:
    """Return the earliest value of every column of instants that holds one, from the file's statistics."""
    file = pq.ParquetFile(path)
    found: dict[str, datetime] = {}
    for group, column in product(range(file.num_row_groups), range(file.metadata.num_columns)):
        name, chunk = file.schema_arrow.names[column], file.metadata.row_group(group).column(column)
        if pa.types.is_timestamp(file.schema_arrow.field(name).type) and chunk.statistics.has_min_max:
            found[name] = min(chunk.statistics.min, found.get(name, chunk.statistics.min))
    return found


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Return how columns are stored: texts by a dictionary, whole numbers and times by their differences."""
    words = [field.name for field in schema if pa.types.is_string(field.type)]
    steps = [
        field.name
        for field in schema
        if pa.types.is_timestamp(field.type) or field.type in (pa.int64(), pa.int32())
    ]
    return {"use_dictionary": words, "column_encoding": dict.fromkeys(steps, "DELTA_BINARY_PACKED")}


def _groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut rows anew into tables of exactly `ROW_GROUP` rows, the last one shorter."""
    held = schema.empty_table()
    for batch in batches:
        fresh = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
        held = pa.concat_tables([held, fresh])
        while held.num_rows >= ROW_GROUP:
            yield held.slice(0, ROW_GROUP).combine_chunks()
            held = held.slice(ROW_GROUP)
    if held.num_rows:
        yield held.combine_chunks()
