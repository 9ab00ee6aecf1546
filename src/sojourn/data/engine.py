"""The engines that run every expression: DuckDB, in process, and Spark where data outgrow one machine."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from ibis import Table

from sojourn.core.params import Engine

# engines merge nested queries themselves; Ibis takes a third of the time of small cells for it
ibis.options.sql.fuse_selects = False

#: Rows of a batch: those of a row group, so that none is put together anew.
_BATCH = 131_072


def connect(*, memory_limit: str = "4GB", threads: int | None = None, scratch: Path | None = None) -> Any:
    """Return a fresh in-process DuckDB connection of Ibis, in UTC (Ibis sets that itself).

    Parameters
    ----------
    memory_limit : str
        Beyond it the engine spills to disk.
    threads : int, optional
        Number of threads; cells are equal for any.
    scratch : Path, optional
        Where it spills to; the system's folder for temporary files when not stated.
    """
    settings: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(scratch or Path(tempfile.gettempdir()) / "sojourn-spill"),
        "autoinstall_known_extensions": "false",  # nothing is fetched at run time
        "autoload_known_extensions": "false",
    }
    if threads is not None:
        settings["threads"] = threads
    engine = ibis.duckdb.connect(**settings)
    engine.raw_sql("SET enable_progress_bar = false")  # it would draw on what a notebook shows
    return engine


def engine_of(stated: Engine, *, scratch: Path | None = None) -> Any:
    """Return what makes cells, as params.yaml states it.

    Parameters
    ----------
    stated : Engine
        The section ``engine``.
    scratch : Path, optional
        Where DuckDB spills to.

    Raises
    ------
    ParameterError
        When it is Spark, and Spark is not installed or cannot be started or reached.
    """
    if stated.backend == "pyspark":
        from sojourn.data.spark import connect_spark

        return connect_spark(stated.address)
    return connect(memory_limit=stated.memory_limit, scratch=scratch)


def held(table: Table) -> Table:
    """Return an expression that is made once and read several times, where the engine is no server's.

    For DuckDB, Ibis's own `cache` cannot drop its tables with the SQL that this release reads.
    """
    engine = table.get_backend()
    if engine.name == "duckdb":
        return engine.create_table(ibis.util.gen_name("held"), table, temp=True)
    return table.cache().cast(table.schema()) if engine.name == "pyspark" else table


def as_named(path: Path | str) -> str:
    """Return a path as the engine reads it: the file of that very name, whatever marks are in it."""
    return glob.escape(str(path))


def stream(engine: Any, table: Table) -> Iterator[pa.RecordBatch]:
    """Give the rows of an expression batch by batch, in its order, so that memory does not grow with them.

    DuckDB 2 dropped the method by which Ibis 12 does this (`fetch_record_batch`), so its own reader is used.
    """
    yield from engine.con.sql(engine.compile(table)).to_arrow_reader(_BATCH)
