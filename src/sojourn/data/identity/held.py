"""Rows that Python knows, as a table of the engine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from ibis import Table


def held(engine: Any, name: str, rows: pa.Table) -> Table:
    """Return rows as a table of the engine that lasts as long as it does.

    Ibis 12 cannot do this with DuckDB 2: it would drop a view without a name.
    """
    engine.con.register(f"{name}_rows", rows)
    try:
        engine.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_rows")
    finally:
        engine.con.unregister(f"{name}_rows")
    table: Table = engine.table(name)
    return table
