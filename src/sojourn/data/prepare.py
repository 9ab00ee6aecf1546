"""The door: raw tables in; checked, pseudonymised, tidy Parquet out. Inside it nobody checks again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.folder import whole_folder
from sojourn.core.params import Params
from sojourn.core.schema import CONTRACT
from sojourn.data.activity import write_activity
from sojourn.data.checked import Checked, Raw, check
from sojourn.data.engine import connect
from sojourn.data.identity.leaving import leave_out, without_prospects
from sojourn.data.localtime import clock_of
from sojourn.data.members import from_events, number
from sojourn.data.pseudonyms import find_key
from sojourn.data.quality import write_quality
from sojourn.data.settings import Settings, read_settings
from sojourn.data.sources.tables import raw_tables, truth_of
from sojourn.data.writing import described, write_ids, write_json, write_tidy


@dataclass(frozen=True, slots=True)
class Entered:
    """What came through the door and broke no rule.

    Attributes
    ----------
    tables : list of Checked
        Typed rows of every table, `members` first.
    numbers : ibis Table
        ``member_id``, ``joined_at`` and ``member`` of all members.
    """

    tables: list[Checked]
    numbers: Table


def prepare(
    params: Params,
    case: str,
    *,
    raw: Mapping[str, Path] | None = None,
    threads: int | None = None,
    into: Path | None = None,
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
    into : Path, optional
        Folder to make; the case's own when not stated.

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
    target = into or places.tidy
    with whole_folder(target, private=settings.private) as folder, _engine(folder, threads) as engine:
        entered = enter(engine, raw_tables(engine, settings, places.raw, raw), settings)
        written = {
            checked.contract.name: write_tidy(engine, checked, entered.numbers, settings, folder)
            for checked in entered.tables
        }
        write_ids(engine, entered.numbers, key, folder / "ids.parquet")
        rows = {name: number for name, (number, _) in written.items()}
        seen = {name: firsts for name, (_, firsts) in written.items()}
        said = described(settings, key, rows, seen) | _brought(entered.tables)
        write_activity(engine, folder, settings.as_of, clock_of(said))
        write_quality(engine, folder, entered.tables, said)
        write_json(folder / "tidy.json", said | truth_of(settings, places.raw, raw))
    return target


def enter(engine: Any, raws: Mapping[str, Raw], settings: Settings) -> Entered:
    """Read all raw tables, check them and join them to the members' numbers."""
    members, left_out = leave_out(engine, raws, _members(engine, raws, settings), settings)
    numbers = number(engine, members.table, settings, left_out)
    names = [name for name in CONTRACT if name in raws and name != "members"]
    others = [
        without_prospects(engine, check(engine, raws[name], settings, numbers), settings) for name in names
    ]
    return Entered([members, *others], numbers)


def _members(engine: Any, raws: Mapping[str, Raw], settings: Settings) -> Checked:
    if "members" in raws:
        return check(engine, raws["members"], settings)
    try:
        return check(engine, from_events(raws["events"], settings), settings)
    except DataError:
        check(engine, raws["events"], settings)  # the error is named where it is: in the events
        raise


def _brought(tables: list[Checked]) -> dict[str, Any]:
    """Return rows of each table before any was left out, and the columns that it brought."""
    return {
        "read": {checked.contract.name: checked.counts.rows for checked in tables},
        "present": {checked.contract.name: checked.present for checked in tables},
    }


@contextmanager
def _engine(folder: Path, threads: int | None) -> Iterator[Any]:
    """Give an engine that spills beside the folder that is being built."""
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.spill.", dir=folder.parent) as spill:
        engine = connect(threads=threads, scratch=Path(spill))
        try:
            yield engine
        finally:
            engine.disconnect()
