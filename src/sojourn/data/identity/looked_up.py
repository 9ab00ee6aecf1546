"""Ids of a case, looked up in its raw tables, the only place where they are."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.core.folder import PRIVATE_FOLDER
from sojourn.core.params import Params
from sojourn.core.project import root
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw, read
from sojourn.data.engine import connect, stream
from sojourn.data.identity.held import held
from sojourn.data.settings import Settings, read_settings
from sojourn.data.sources.tables import raw_tables


@contextmanager
def raw_of(params: Params, case: str) -> Iterator[tuple[Any, Mapping[str, Raw], Settings]]:
    """Give the engine and the raw tables of a case; what the engine spills is its owner's alone and goes."""
    settings = read_settings(params, case)
    above = root() / "private"
    above.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lookup.", dir=above) as spill:
        engine = connect(memory_limit=params.engine.memory_limit, scratch=Path(spill))
        try:
            yield engine, raw_tables(engine, settings, params.places(case).raw, None), settings
        finally:
            engine.disconnect()


def distinct_ids(engine: Any, raws: Mapping[str, Raw], settings: Settings) -> Iterator[str]:
    """Give every id of a member once, of `members` where there is such a table, else of `events`."""
    rows = read(raws.get("members", raws["events"]), settings)
    ids = rows.filter(rows.member_id.notnull()).select("member_id").distinct()
    for batch in stream(engine, ids):
        yield from batch["member_id"].to_pylist()


def columns_of_ids(raw: Raw) -> list[str]:
    """Return the columns of ids that a raw table has."""
    ids = [column.name for column in CONTRACT[raw.name].columns if column.type == "id"]
    return [name for name in ids if name in raw.table.columns]


def rows_of(engine: Any, raw: Raw, settings: Settings, column: str, wanted: Collection[str]) -> Table:
    """Return the rows of a raw table whose id in a column is one of those wanted."""
    ids = pa.table({column: pa.array(sorted(wanted), pa.string())})
    asked = held(engine, f"wanted_{raw.name}_{column}", ids)
    return read(raw, settings).semi_join(asked, column)


def texts(engine: Any, rows: Table, column: str) -> set[str]:
    """Return the distinct values of a column."""
    found = rows.filter(rows[column].notnull()).select(column).distinct()
    return {value for batch in stream(engine, found) for value in batch[column].to_pylist()}
