"""The door: raw tables in; checked, pseudonymised, tidy Parquet out. Inside it nobody checks again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.folder import whole_folder
from sojourn.core.params import Params
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Checked, Raw, check
from sojourn.data.engine import connect, stream
from sojourn.data.members import from_events, number
from sojourn.data.parquet import ARROW, first_instants, write_parquet
from sojourn.data.pseudonyms import Key, find_key
from sojourn.data.quality import write_quality
from sojourn.data.settings import Settings, read_settings
from sojourn.data.sources.tables import raw_tables, truth_of
from sojourn.data.tidying import tidy


def prepare(
    params: Params, case: str, *, raw: Mapping[str, Path] | None = None, threads: int | None = None
) -> Path:
    """Bring a case through the door and return the folder of its tidy tables.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case : str
        Name of the case.
    raw : mapping of str to Path, optional
        File of each table; the case's own source when not stated.
    threads : int, optional
        Threads of the engine; the files are the same bytes for any.

    Raises
    ------
    ParameterError
        When the case's `prepare` section is wrong, or its key is.
    DataError
        When a table breaks the contract. What an earlier run has made stays whole.
    """
    settings = read_settings(params, case)
    key = find_key(case, private=settings.private, key_id=settings.key_id)
    places = params.places(case)
    with (
        whole_folder(places.tidy, private=settings.private) as folder,
        tempfile.TemporaryDirectory(prefix=f".{case}.spill.", dir=places.tidy.parent) as spill,
    ):
        engine = connect(threads=threads, scratch=Path(spill))
        try:
            described = _through(engine, raw_tables(engine, settings, places.raw, raw), settings, key, folder)
        finally:
            engine.disconnect()
        described |= truth_of(settings, places.raw, raw)
        text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
        (folder / "tidy.json").write_text(text, encoding="utf-8")
    return places.tidy


def _through(
    engine: Any, raws: Mapping[str, Raw], settings: Settings, key: Key, folder: Path
) -> dict[str, Any]:
    members = _members(engine, raws, settings)
    numbers = number(engine, members.table, settings)
    others = [
        check(engine, raws[name], settings, numbers)
        for name in CONTRACT
        if name in raws and name != "members"
    ]
    tables = [members, *others]
    rows, seen = _write_tables(engine, tables, numbers, settings, folder)
    _write_ids(engine, numbers, key, folder / "ids.parquet")
    write_quality(folder / "quality.csv", tables)
    present = {checked.contract.name: checked.present for checked in tables}
    read = {checked.contract.name: checked.counts.rows for checked in tables}
    return _described(settings, key, rows, seen) | {"read": read, "present": present}


def _members(engine: Any, raws: Mapping[str, Raw], settings: Settings) -> Checked:
    if "members" in raws:
        return check(engine, raws["members"], settings)
    try:
        return check(engine, from_events(raws["events"], settings), settings)
    except DataError:
        check(engine, raws["events"], settings)  # the error is named where it is: in the events
        raise


def _write_tables(
    engine: Any, tables: Sequence[Checked], numbers: Table, settings: Settings, folder: Path
) -> tuple[dict[str, int], dict[str, dict[str, datetime]]]:
    """Write the tidy tables and return their rows and their first instants, by table."""
    rows, seen = {}, {}
    for checked in tables:
        name, path = checked.contract.name, folder / f"{checked.contract.name}.parquet"
        schema = pa.schema([(column, ARROW[kind]) for column, kind in checked.contract.tidy.items()])
        rows[name] = write_parquet(path, schema, stream(engine, tidy(checked, numbers, settings)))
        seen[name] = first_instants(path)
    return rows, seen


def _write_ids(engine: Any, numbers: Table, key: Key, path: Path) -> None:
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


def _described(
    settings: Settings, key: Key, rows: Mapping[str, int], seen: Mapping[str, Mapping[str, datetime]]
) -> dict[str, Any]:
    """Return what tidy tables say of themselves."""
    started = min(instants[CONTRACT[name].time] for name, instants in seen.items() if instants)
    return {
        "case": settings.case,
        "as_of": _utc(settings.as_of),
        "observed_from": _utc(settings.observed_from or started),
        "first_instant": _utc(min(instant for instants in seen.values() for instant in instants.values())),
        "time_zone": settings.time_zone,
        "currency": settings.currency,
        "key_id": key.key_id,
        "rows": dict(rows),
    }


def _utc(instant: datetime) -> str:
    return (
        instant.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{instant.microsecond:06d}" if instant.microsecond else "")
        + "Z"
    )
