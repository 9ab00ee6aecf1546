"""Through the door and out again: what a case's tables hold and what is odd of them, nothing kept."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd

from sojourn.core.params import read_params
from sojourn.core.text import count, plural
from sojourn.pipeline.private import only_mine
from sojourn.pipeline.stages import prepare


def check(case: str) -> int:
    """Read and check the tables of a case as `prepare` does, say what was found, and keep nothing.

    Returns
    -------
    int
        Exit code: 0, since what may not be is an error that was raised before.

    Raises
    ------
    ParameterError, DataError
        As `prepare` raises them.
    """
    params = read_params()
    private = params.is_private(case)
    beside = params.places(case).base / ".sojourn"
    with _gone_again(beside, beside.parent), only_mine(private):
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="check.", dir=beside) as scratch:
            tidy = prepare(case, into=Path(scratch) / "tidy")
            print("\n".join(_said(case, tidy)))
    return 0


@contextmanager
def _gone_again(*folders: Path) -> Iterator[None]:
    """See to it that folders that are not there are not there afterwards, unless others put something in."""
    new = [folder for folder in folders if not folder.exists()]
    try:
        yield
    finally:
        for folder in new:
            with suppress(OSError):
                folder.rmdir()


def _said(case: str, tidy: Path) -> Iterator[str]:
    described = json.loads((tidy / "tidy.json").read_text(encoding="utf-8"))
    findings = pd.read_parquet(tidy / "findings.parquet")
    warnings, notes = (findings[findings["level"] == level] for level in ("warning", "note"))
    yield f"{case}: no error, {plural(len(warnings), 'warning')}, {plural(len(notes), 'note')}."
    for table, read in described["read"].items():
        kept = described["rows"].get(table, 0)
        yield f"  {table}: {plural(read, 'row')} read, {count(kept)} kept"
    for found in (warnings, notes):
        for row in found.to_dict("records"):
            where = f"{row['table']}.{row['column']}" if row["column"] else row["table"]
            many = f"{count(row['concerned'])} of {count(row['rows'])} rows"
            yield f"  {row['level']}: {where}: {row['finding'].rstrip('.')} ({many}). {row['hint']}"
