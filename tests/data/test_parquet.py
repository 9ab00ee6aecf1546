"""The bytes of a Parquet file depend on its rows, not on how they arrived."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sojourn.data.parquet import ROW_GROUP, write_parquet

SCHEMA = pa.schema([("n", pa.int64()), ("word", pa.string())])
ROWS = 140_000  # more than one row group, and long enough words for a group to have several pages
WORDS = [f"{i * 7919 % 104729:020d}" if i % 11 else None for i in range(ROWS)]
TABLE = pa.table({"n": range(ROWS), "word": WORDS}, schema=SCHEMA)


def test_however_rows_are_cut_the_bytes_are_the_same(tmp_path: Path) -> None:
    for size in (ROWS, ROW_GROUP, 99_999, 1_000):
        rows = write_parquet(tmp_path / f"{size}.parquet", SCHEMA, TABLE.to_batches(max_chunksize=size))
        assert rows == ROWS
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    file = pq.ParquetFile(tmp_path / "1000.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [
        ROW_GROUP,
        ROWS - ROW_GROUP,
    ]
    assert file.read().equals(TABLE)


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    assert write_parquet(tmp_path / "empty.parquet", SCHEMA, []) == 0
    assert pq.read_table(tmp_path / "empty.parquet").schema.equals(SCHEMA)


def test_columns_are_stored_in_the_order_and_type_of_the_schema(tmp_path: Path) -> None:
    other = pa.table({"word": ["a"], "n": pa.array([1], pa.int32())})
    write_parquet(tmp_path / "one.parquet", SCHEMA, other.to_batches())
    assert pq.read_table(tmp_path / "one.parquet").schema.equals(SCHEMA)
