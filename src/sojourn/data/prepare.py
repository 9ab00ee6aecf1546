"""The door: raw tables in; checked, pseudonymised, tidy Parquet out. Inside it nobody checks again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
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
from sojourn.data.checked import Checked, Raw, check, stop_at_changed
from sojourn.data.checks.clocks import began
from sojourn.data.engine import connect
from sojourn.data.identity.leaving import leave_out, without_prospects
from sojourn.data.increment.former import hold
from sojourn.data.increment.growing import (
    Events,
    Grown,
    Opener,
    columns_of,
    open_again_if_other,
    open_tables,
    write_by_day,
    write_grown,
)
from sojourn.data.increment.ledger import EVENTS
from sojourn.data.increment.plan import Plan, events_folder, plan_of
from sojourn.data.localtime import clock_of
from sojourn.data.members import derived, number
from sojourn.data.pseudonyms import Key, find_key
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
    raws : mapping of str to Raw
        The tables as they came.
    plan : Plan or None
        Which parts of the events were read; None where the case does not grow.
    """

    tables: list[Checked]
    numbers: Table
    raws: Mapping[str, Raw]
    plan: Plan | None


def prepare(
    params: Params,
    case: str,
    *,
    raw: Mapping[str, Path] | None = None,
    threads: int | None = None,
    into: Path | None = None,
    anew: bool = False,
    tell: Callable[[str], None] = lambda _: None,
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
    anew : bool
        Whether a case that grows reads all parts of its events, those that earlier runs read too.
    tell : callable
        Is told in one sentence what was read of a case that grows.

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
    with (
        whole_folder(target, private=settings.private) as folder,
        _engine(folder, threads, params.engine.memory_limit) as (engine, scratch),
    ):
        incoming = events_folder(settings, places.raw, raw)
        plan = plan_of(settings, key, incoming, hold(target, scratch), anew=anew)
        entered = enter(engine, _opener(engine, settings, places.raw, raw), settings, key, plan)
        grown = _grown(engine, entered, settings, key, folder)
        tables = [grown.checked if grown and c.contract.name == EVENTS else c for c in entered.tables]
        written = {
            checked.contract.name: (grown.rows, grown.firsts, grown.copies)
            if grown and checked is grown.checked
            else write_tidy(engine, checked, entered.numbers, settings, folder)
            for checked in tables
        }
        stop_at_changed(entered.raws.values())
        write_ids(engine, entered.numbers, key, folder / "ids.parquet")
        rows = {name: number for name, (number, _, _) in written.items()}
        seen = {name: firsts for name, (_, firsts, _) in written.items()}
        started = began(engine, folder, seen)
        said = described(settings, key, rows, seen, started) | _brought(tables)
        if grown:
            write_by_day(engine, grown, settings, clock=clock_of(said), folder=folder)
            tell(grown.said)
        else:
            write_activity(engine, folder, settings.as_of, clock_of(said))
        copies = {name: found for name, (_, _, found) in written.items()}
        write_quality(
            engine,
            folder,
            tables,
            numbers=entered.numbers,
            settings=settings,
            said=said,
            copies=copies,
        )
        write_json(folder / "tidy.json", said | truth_of(settings, places.raw, raw))
    return target


def enter(engine: Any, opener: Opener, settings: Settings, key: Key, plan: Plan | None) -> Entered:
    """Read all raw tables, check them and join them to the members' numbers."""
    plan, raws = open_tables(plan, opener)
    members, left_out = leave_out(engine, raws, _members(engine, raws, settings), settings)
    numbers = number(engine, members.table, settings, left_out)
    plan, raws = open_again_if_other(engine, plan, raws, numbers, key=key, opener=opener)
    names = [name for name in CONTRACT if name in raws and name != "members"]
    grows = {EVENTS} if plan and plan.ledger else set()
    others = [
        without_prospects(
            engine, check(engine, raws[name], settings, numbers, may_be_empty=name in grows), settings
        )
        for name in names
    ]
    return Entered([members, *others], numbers, raws, plan)


def _opener(engine: Any, settings: Settings, folder: Path, raw: Mapping[str, Path] | None) -> Opener:
    def opened(only: Mapping[str, Collection[str]] | None) -> dict[str, Raw]:
        return raw_tables(engine, settings, folder, raw, only=only)

    return opened


def _grown(engine: Any, entered: Entered, settings: Settings, key: Key, folder: Path) -> Grown | None:
    if entered.plan is None:
        return None
    [checked] = [checked for checked in entered.tables if checked.contract.name == EVENTS]
    events = Events(columns_of(entered.raws[EVENTS]), checked, entered.numbers)
    return write_grown(engine, entered.plan, events, settings, key=key, folder=folder)


def _members(engine: Any, raws: Mapping[str, Raw], settings: Settings) -> Checked:
    if "members" in raws:
        return check(engine, raws["members"], settings)
    try:
        return check(engine, derived(raws, settings), settings)
    except DataError:
        for name in ("events", "assignments"):  # the error is named where it is
            if name in raws:
                check(engine, raws[name], settings)
        raise


def _brought(tables: list[Checked]) -> dict[str, Any]:
    """Return rows of each table before any was left out, and the columns that it brought."""
    return {
        "read": {checked.contract.name: checked.counts.rows for checked in tables},
        "present": {checked.contract.name: checked.present for checked in tables},
    }


@contextmanager
def _engine(folder: Path, threads: int | None, memory_limit: str) -> Iterator[tuple[Any, Path]]:
    """Give an engine and where it spills: in what is being built, where a killed run is swept up."""
    with tempfile.TemporaryDirectory(prefix=".spill.", dir=folder) as spill:
        engine = connect(threads=threads, memory_limit=memory_limit, scratch=Path(spill))
        try:
            yield engine, Path(spill)
        finally:
            engine.disconnect()
