"""A table of a database that Ibis reaches by URL, streamed into the engine batch by batch.

Only the columns that the contract or the mapping asks for are read. No password stands in a parameter, in an
error or in a log: it comes from an environment variable, or from where the driver itself looks (~/.pgpass).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import duckdb
import ibis
import pyarrow as pa
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.data.sources.duckdb_file import place_of
from sojourn.data.sources.notes import Note
from sojourn.data.sources.opened import Opened
from sojourn.data.sources.stated import DatabaseTable

#: Rows that travel at once.
BATCH = 50_000
#: Seconds after which a host that does not answer counts as out of reach.
PATIENCE = 10

_POSTGRES = ("postgres", "postgresql")

#: What drivers say, and what it means.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"password|authentication|access denied",
        "it refuses the user or the password",
        "Correct the user in the URL, or the password in ~/.pgpass or the variable `password_from` names.",
    ),
    (r"role .* does not exist", "it does not know the user", "Correct the user in the URL."),
    (
        r"database .* does not exist|unknown database",
        "the server has no database of this name",
        "Correct the end of the URL.",
    ),
    (
        r"refused|time.?out|timed out|translate host|resolve|unreachable|no such file|can.t connect|no route",
        "it cannot be reached",
        "Check host and port, and whether the server runs and lets this machine in.",
    ),
    (r"permission denied", "the user may not read the table", "Ask for the right to read it."),
    (
        r"closed|terminat|lost|broken pipe|reset by peer|consuming input",
        "the connection was lost",
        "Run it again; nothing was written.",
    ),
)


def open_database(
    engine: Any, stated: DatabaseTable, table: str, wanted: Collection[str], *, case: str
) -> Opened:
    """Read a table or view of a database into the engine.

    Parameters
    ----------
    engine : ibis backend
        Where it is kept.
    stated : DatabaseTable
        Where it is.
    table : str
        Name in the contract.
    wanted : collection of str
        Columns that are read; others are noted.
    case : str
        For errors.

    Raises
    ------
    DataError
        When it cannot be reached or refuses, has no such table, or breaks off.
    """
    shown = shown_url(stated.url)
    source = _connected(stated, table, shown, case)
    try:
        found = _table(source, stated, table, shown)
        read = [name for name in found.columns if name in wanted]
        kept = _copied(engine, source, found.select(*(read or found.columns)), table)
        unread = [name for name in found.columns if name not in read] if read else []
        notes = tuple(Note(name, "note", "not in the contract", "It is not read.") for name in unread)
        return Opened(kept, notes)
    except DataError:
        raise
    except Exception as error:  # every driver has errors of its own
        raise _failed(error, table, shown) from None
    finally:
        _closed(source)


def shown_url(url: str) -> str:
    """Return a URL as errors name it: without parameters."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _connected(stated: DatabaseTable, table: str, shown: str, case: str) -> Any:
    url = _with_password(stated, table, case)
    try:
        return ibis.connect(url)
    except (ImportError, AttributeError):
        raise DataError(
            f"{table}: the driver for {urlsplit(url).scheme} is not installed. "
            f"Install ibis-framework[{urlsplit(url).scheme}], or export the table as Parquet."
        ) from None
    except Exception as error:  # every driver has errors of its own
        raise _failed(error, table, shown) from None


def _with_password(stated: DatabaseTable, table: str, case: str) -> str:
    """Return the URL with the password from the environment, and with patience for PostgreSQL."""
    parts = urlsplit(stated.url)
    netloc, query = parts.netloc, parts.query
    if stated.password_from is not None:
        password = os.environ.get(stated.password_from)
        if not password:
            raise DataError(
                f"{table}: the environment variable {stated.password_from} is empty, which "
                f"cases.{case}.prepare.tables.{table}.password_from names. Set it to the password."
            )
        user, _, host = netloc.rpartition("@")
        netloc = f"{user}:{quote(password, safe='')}@{host}"
    if parts.scheme in _POSTGRES and "connect_timeout" not in dict(parse_qsl(query)):
        query = f"{query}&connect_timeout={PATIENCE}".removeprefix("&")
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _table(source: Any, stated: DatabaseTable, table: str, shown: str) -> Table:
    """Return a table by the name that the database itself lists, so no name is ever a statement."""
    if not hasattr(source, "list_databases") or source.name == "sqlite":
        places = [("main", name) for name in source.list_tables()]
        return source.table(place_of(stated.table, places, "main", table, shown)[1])
    hidden = ("information_schema", "pg_catalog", "pg_toast")
    schemas = [schema for schema in source.list_databases() if schema not in hidden]
    places = [(schema, name) for schema in schemas for name in source.list_tables(database=schema)]
    schema, name = place_of(stated.table, places, None, table, shown)
    return source.table(name, database=schema)


def _copied(engine: Any, source: Any, rows: Table, table: str) -> Table:
    """Stream rows into a table of the engine."""
    reader = source.to_pyarrow_batches(_readable(rows), chunk_size=BATCH)
    name = f"loaded_{table}"
    lost: list[Exception] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except Exception as error:
            lost.append(error)  # the engine would wrap it and quote what it holds
            raise

    stream = pa.RecordBatchReader.from_batches(reader.schema, batches())
    engine.con.register(f"{name}_batches", stream)
    try:
        engine.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_batches")
    except duckdb.Error:
        if lost:
            raise lost[0] from None
        raise
    finally:
        engine.con.unregister(f"{name}_batches")
    return engine.table(name)


def _readable(rows: Table) -> Table:
    """Cast what Arrow has no place for: ids of type uuid, and types that Ibis does not know."""
    kinds = rows.schema().items()
    return rows.cast({name: "string" for name, kind in kinds if kind.is_uuid() or kind.is_unknown()})


def _failed(error: Exception, table: str, shown: str) -> DataError:
    """Return our error for a driver's, of which nothing is repeated: it may hold the password."""
    said = str(error).lower()
    for pattern, what, hint in _MEANINGS:
        if re.search(pattern, said):
            return DataError(f"{table}: {shown}: {what}. {hint}")
    kind = type(error).__name__
    return DataError(
        f"{table}: {shown}: reading failed ({kind}). Try the table with the database's own client."
    )


def _closed(source: Any) -> None:
    try:
        source.disconnect()
    except Exception:
        return
