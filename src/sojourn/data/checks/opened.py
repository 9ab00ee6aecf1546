"""Tidy tables that have just been written, opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ibis import Table

from sojourn.data.engine import as_named


def open_table(engine: Any, folder: Path, name: str) -> Table:
    """Open a tidy table, be it one file or a folder of days."""
    parts = folder / name
    paths = sorted(parts.glob("*.parquet")) if parts.is_dir() else [folder / f"{name}.parquet"]
    return engine.read_parquet([as_named(path) for path in paths], table_name=f"tidy_{name}")
