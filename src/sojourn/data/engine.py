"""The engine that runs every expression: DuckDB, in process."""

from __future__ import annotations

from typing import Any

import ibis


def connect(*, memory_limit: str = "4GB", threads: int | None = None) -> Any:
    """Return a fresh in-process DuckDB connection of Ibis, in UTC.

    Parameters
    ----------
    memory_limit : str
        Beyond it the engine spills to disk.
    threads : int, optional
        Number of threads; cells are equal for any.
    """
    settings: dict[str, Any] = {"memory_limit": memory_limit, "TimeZone": "UTC"}
    if threads is not None:
        settings["threads"] = threads
    return ibis.duckdb.connect(**settings)
