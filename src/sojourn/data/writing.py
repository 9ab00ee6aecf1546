"""What the door writes: tidy tables, pseudonyms, and what they say of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.core.schema import Table as Contract
from sojourn.data.checked import Checked
from sojourn.data.checks.copies import Copies
from sojourn.data.engine import stream
from sojourn.data.parquet import ARROW, first_instants, write_parquet
from sojourn.data.pseudonyms import Key
from sojourn.data.settings import Settings
from sojourn.data.tidying import tidy

#: Earliest value of every column of instants that holds one.
type Firsts = dict[str, datetime]


def stored(contract: Contract) -> pa.Schema:
    """Return names and types of a tidy table as it is stored."""
    return pa.schema([(column, ARROW[kind]) for column, kind in contract.tidy.items()])


def write_tidy(
    engine: Any, checked: Checked, numbers: Table, settings: Settings, folder: Path
) -> tuple[int, Firsts, int]:
    """Write one tidy table as one file and return its rows, its first instants and exact copies of rows."""
    path = folder / f"{checked.contract.name}.parquet"
    copies = Copies(drop=settings.exact_duplicates.get(checked.contract.name) == "drop")
    passing = copies.passing(stream(engine, tidy(checked, numbers, settings)))
    rows = write_parquet(path, stored(checked.contract), passing)
    return rows, first_instants(path), copies.found


def write_ids(engine: Any, numbers: Table, key: Key, path: Path) -> None:
    """Write the pseudonym of every member; the ids themselves end here."""
    schema = pa.schema([("member", pa.int64()), ("pseudonym", pa.string())])
    kept = numbers.filter(numbers.member.notnull()).select("member", "member_id").order_by("member")

    def hashed() -> Iterator[pa.RecordBatch]:
        for batch in stream(engine, kept):
            pseudonyms = [key.pseudonym(identifier) for identifier in batch["member_id"].to_pylist()]
            yield pa.record_batch(
                [batch["member"].cast(pa.int64()), pa.array(pseudonyms, pa.string())], schema=schema
            )

    write_parquet(path, schema, hashed())


def described(
    settings: Settings,
    key: Key,
    rows: Mapping[str, int],
    seen: Mapping[str, Firsts],
    started: datetime,
) -> dict[str, Any]:
    """Return what tidy tables say of themselves; `started` is the first instant that can be believed."""
    observed_from = settings.observed_from or started
    if settings.kept_since is not None:
        observed_from = max(observed_from, settings.kept_since)
    return {
        "case": settings.case,
        "as_of": in_utc(settings.as_of),
        "observed_from": in_utc(observed_from),
        "first_instant": in_utc(min(instant for instants in seen.values() for instant in instants.values())),
        "time_zone": settings.time_zone,
        "currency": settings.currency,
        "key_id": key.key_id,
        "rows": dict(rows),
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as a file that people can read."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def in_utc(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC."""
    return (
        instant.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{instant.microsecond:06d}" if instant.microsecond else "")
        + "Z"
    )
