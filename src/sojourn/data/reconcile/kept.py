"""Tables that several expressions read, made once in the engine and dropped when they are done with."""

from __future__ import annotations

from itertools import count
from typing import Any

from ibis import Table

_NUMBERS = count()


class Kept:
    """A context in which tables are kept in the engine they are of.

    Ibis 12 has `Table.cache`, whose own clearing up fails on DuckDB with the sqlglot that is installed.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[Any, str]] = []

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        for engine, name in self._kept:
            engine.raw_sql(f'DROP TABLE IF EXISTS "{name}"')

    def __call__(self, table: Table) -> Table:
        """Return a table that holds the rows of an expression."""
        engine = table.get_backend()
        if engine.name != "duckdb":
            return table.cache()
        name = f"reconcile_{next(_NUMBERS)}"
        made = engine.create_table(name, table, temp=True)
        self._kept.append((engine, name))
        return made
