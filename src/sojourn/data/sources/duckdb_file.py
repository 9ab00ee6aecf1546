"""A table of a DuckDB file, attached read-only and read where it is."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import duckdb
from ibis.common.exceptions import TableNotFound

from sojourn.core.errors import DataError
from sojourn.data.sources.opened import Opened
from sojourn.data.sources.stated import DuckDBTable

_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_catalog = ? AND table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY ALL
"""


def open_duckdb(engine: Any, stated: DuckDBTable, path: Path, table: str, shown: str) -> Opened:
    """Open a table or view of a DuckDB file.

    Parameters
    ----------
    engine : ibis backend
        What reads it.
    stated : DuckDBTable
        The table in it.
    path : Path
        The file.
    table, shown : str
        Name in the contract, and of the file, for errors.

    Raises
    ------
    DataError
        When the file is no DuckDB file or is open elsewhere, or has no such table.
    """
    catalog = f"source_{table}"
    try:
        engine.con.execute(f"ATTACH {_quoted(path)} AS {catalog} (READ_ONLY)")
    except duckdb.Error as error:
        raise _not_attached(error, table, shown) from None
    found = engine.con.execute(_TABLES, [catalog]).fetchall()
    schema, name = place_of(stated.table, [(str(s), str(n)) for s, n in found], "main", table, shown)
    try:
        return Opened(engine.table(name, database=(catalog, schema)))
    except (duckdb.Error, TableNotFound):
        raise DataError(
            f"{table}: {shown}: '{stated.table}' cannot be read; what it is made of is not found. "
            "Where it is a view, name its tables with their schema, or store it as a table."
        ) from None


def _quoted(path: Path) -> str:
    """Return a path as a literal: the one place where a name is written into a statement by hand."""
    return "'" + str(path).replace("'", "''") + "'"


def _not_attached(error: duckdb.Error, table: str, shown: str) -> DataError:
    said = str(error)
    if "lock" in said:
        why, hint = "another program has it open for writing", "Close that program, or copy the file."
    elif "not a valid DuckDB" in said or "not a database" in said or "magic" in said:
        why, hint = "it is no DuckDB file", "Correct `duckdb`."
    elif "version" in said:
        why, hint = "a newer DuckDB has written it", "Export the table as Parquet."
    else:
        why, hint = "DuckDB finds it damaged", "Copy it again from where it comes from."
    return DataError.unreadable(table, shown, why, hint)


def place_of(
    stated: str, found: list[tuple[str, str]], default: str | None, table: str, shown: str
) -> tuple[str, str]:
    """Return schema and name of a table that is there.

    Parameters
    ----------
    stated : str
        ``name`` or ``schema.name``; either may hold points.
    found : list of (str, str)
        Schema and name of all there are.
    default : str or None
        Schema of a name that is stated alone; None: any, where only one has it.
    table, shown : str
        For errors.

    Raises
    ------
    DataError
        When there is none of this name, with the nearest there is.
    """
    named = {f"{schema}.{name}": (schema, name) for schema, name in found}
    if stated in named:
        return named[stated]
    alone = [place for place in found if place[1] == stated and default in (None, place[0])]
    if len(alone) == 1:
        return alone[0]
    near = difflib.get_close_matches(stated, [*named, *(name for _, name in found)], n=1)
    listed = ", ".join(sorted(named)[:20]) or "none"
    hint = f"Did you mean '{near[0]}'? " if near else ""
    raise DataError(f"{table}: {shown} has no table '{stated}'. {hint}There are: {listed}.")
