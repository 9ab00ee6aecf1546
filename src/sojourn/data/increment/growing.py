"""A case that grows by day: what is new is read, days that it touches are opened, all others stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import ibis
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.data.activity import write_activity
from sojourn.data.checked import Checked, Raw
from sojourn.data.checks.tallies import COUNTED, counted
from sojourn.data.engine import as_named, stream
from sojourn.data.increment.days import write_days
from sojourn.data.increment.former import move_days
from sojourn.data.increment.ledger import ACTIVITY, EVENTS, TALLIES, Day, Ledger, Part, Tally
from sojourn.data.increment.meaning import members_known
from sojourn.data.increment.plan import Plan
from sojourn.data.increment.tallies import (
    added,
    by_part,
    merged,
    read_values,
    together,
    together_said,
    values_of,
    write_values,
)
from sojourn.data.localtime import Clock
from sojourn.data.parquet import write_parquet
from sojourn.data.pseudonyms import Key
from sojourn.data.settings import Settings
from sojourn.data.sources.files import PART
from sojourn.data.tidying import belongs, tidy_rows
from sojourn.data.writing import Firsts

#: Opens the raw tables of a case, of tables that are folders `only` the parts that are stated.
type Opener = Callable[[Mapping[str, Collection[str]] | None], dict[str, Raw]]


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a case that grows, as far as a run has read them.

    Attributes
    ----------
    columns : mapping of str to str
        Names and types as they came.
    checked : Checked
        The rows.
    numbers : ibis Table
        ``member_id``, ``joined_at`` and ``member`` of all members.
    """

    columns: Mapping[str, str]
    checked: Checked
    numbers: Table


@dataclass(frozen=True, slots=True)
class Grown:
    """The events of a case that grows, after they were written.

    Attributes
    ----------
    checked : Checked
        With the counts of all rows that any run has read.
    days : mapping of str to Day
        All days there are, in their order.
    opened : list of str
        Days that were written; all others are as they were.
    plan : Plan
        What was read.
    """

    checked: Checked
    days: Mapping[str, Day]
    opened: list[str]
    plan: Plan

    @property
    def said(self) -> str:
        """What was done, in one sentence."""
        return self.plan.said(len(self.opened))

    @property
    def rows(self) -> int:
        """Rows of all days."""
        return sum(day.rows for day in self.days.values())

    @property
    def copies(self) -> int:
        """Exact copies of rows in all days."""
        return sum(day.copies for day in self.days.values())

    @property
    def firsts(self) -> Firsts:
        """Earliest value of every column of instants that holds one."""
        found: Firsts = {}
        for name, instant in (item for day in self.days.values() for item in day.firsts.items()):
            found[name] = min(instant, found.get(name, instant))
        return found


def open_tables(plan: Plan | None, opener: Opener) -> tuple[Plan | None, dict[str, Raw]]:
    """Return the raw tables, of the events those parts that are to be read."""
    if plan is None:
        return None, opener(None)
    raws = opener(plan.only)
    if plan.ledger and "members" not in raws:
        plan = plan.anew("members are derived from events")
        raws = opener(plan.only)
    return plan, {**raws, EVENTS: raws[EVENTS] if EVENTS in raws else no_rows(plan)}


def open_again_if_other(
    engine: Any, plan: Plan | None, raws: Mapping[str, Raw], numbers: Table, *, key: Key, opener: Opener
) -> tuple[Plan | None, dict[str, Raw]]:
    """Return plan and tables as they are, or with all parts where what was written does not hold any more."""
    if plan is None or plan.ledger is None:
        return plan, dict(raws)
    former = plan.ledger
    if members_known(engine, numbers, key, former.as_of) != former.members:
        plan = plan.anew("members got other numbers")
    elif columns_of(raws[EVENTS]) != former.columns:
        plan = plan.anew("new parts have other columns")
    elif any(note.concerned for note in raws[EVENTS].notes) and len(plan.read) > len(plan.new):
        plan = plan.anew("rows are left out of parts that are read again")
    return plan, dict(raws) if plan.ledger else opener(plan.only)


def columns_of(raw: Raw) -> dict[str, str]:
    """Return names and types of the columns of raw events."""
    return {name: str(kind) for name, kind in raw.table.schema().items() if name != PART}


def no_rows(plan: Plan) -> Raw:
    """Return raw events without rows, for a run that has no part to read."""
    columns = plan.ledger.columns if plan.ledger else {}
    schema = ibis.schema({**columns, PART: "string"})
    return Raw(EVENTS, ibis.memtable(schema.to_pyarrow().empty_table(), schema=schema), EVENTS, "utc")


def write_grown(
    engine: Any, plan: Plan, events: Events, settings: Settings, *, key: Key, folder: Path
) -> Grown:
    """Write the events by day, what was counted of them, and the ledger.

    Parameters
    ----------
    engine : ibis backend
        Where the events are.
    plan : Plan
        What was read.
    events : Events
        The rows that were read.
    settings : Settings
        Of the case.
    key : Key
        Of the fingerprints.
    folder : Path
        Where the tidy tables are built.

    Raises
    ------
    DataError
        When no event is left.
    """
    checked, former = events.checked, plan.ledger
    (folder / EVENTS).mkdir()
    written = _write(engine, plan, events, settings, folder / EVENTS)
    days = dict(sorted({**(former.days if former else {}), **written}.items()))
    if not days:
        raise DataError("events: no row is left: all are later than as_of, or of members left out.")
    values = together(read_values(plan.former) if former else {}, values_of(engine, checked, key))
    write_values(values, folder)
    before = former.settled if former else _nothing(checked)
    read = by_part(plan, checked, settings)
    notes = former.notes if former else None
    notes = together_said(notes, checked.notes) if plan.read or notes is None else notes
    Ledger(
        meaning=plan.meaning,
        members=members_known(engine, events.numbers, key, settings.as_of),
        as_of=settings.as_of,
        columns=events.columns,
        parts={name: _part(plan, name, read) for name in plan.parts},
        days=days,
        settled=added([before, *(tally for tally, is_open in read.values() if not is_open)]),
        notes=notes,
    ).write(folder)
    return Grown(merged(checked, before, values, notes), days, sorted(written), plan)


def _nothing(checked: Checked) -> Tally:
    return Tally(0, dict.fromkeys(checked.counts.missing, 0), (0,) * len(checked.rules))


def _part(plan: Plan, name: str, read: Mapping[str, tuple[Tally, bool]]) -> Part:
    """Return a part with what was found in it; one that was read and is not found has no rows."""
    if name not in plan.read:
        return plan.parts[name]
    rows, is_open = (read[name][0].rows, read[name][1]) if name in read else (0, False)
    return replace(plan.parts[name], rows=rows, is_open=is_open)


def _write(engine: Any, plan: Plan, events: Events, settings: Settings, folder: Path) -> dict[str, Day]:
    """Write the days that have rows which no run has written, keep all others, return those written."""
    contract, numbers = events.checked.contract, events.numbers
    drop = settings.exact_duplicates.get(EVENTS) == "drop"
    if plan.ledger is None:
        rows = tidy_rows(events.checked, numbers, settings)
        return write_days(engine, rows, contract, folder, {}, drop=drop)
    former, known = plan.former / EVENTS, plan.ledger.days
    fresh = tidy_rows(_fresh(events.checked, plan, plan.ledger, settings), numbers, settings)
    fresh = engine.create_table("fresh_events", fresh, temp=True)
    dates = fresh.select(day=fresh[contract.time].cast("timestamp").date()).distinct().to_pyarrow()["day"]
    touched = {str(day) for day in dates.to_pylist()}
    old = [as_named(former / f"{day}.parquet") for day in sorted(touched & set(known))]
    rows = fresh.union(engine.read_parquet(old, table_name="opened_events")) if old else fresh
    move_days(sorted(set(known) - touched), former, folder)
    return write_days(engine, rows, contract, folder, known, drop=drop) if touched else {}


def _fresh(checked: Checked, plan: Plan, ledger: Ledger, settings: Settings) -> Checked:
    """Return only rows that no run has written: of a part that is read again, what is let in by now."""
    table = checked.table
    paths = table.select(PART).distinct().to_pyarrow()[PART].to_pylist()
    again = [path for path in paths if plan.name_of(path) in ledger.parts]
    if not again:
        return checked
    before = replace(settings, as_of=ledger.as_of)
    was_known = (table["_joined_at"] <= ibis.literal(ledger.as_of)).fill_null(False)
    was_in = belongs(table, CONTRACT[EVENTS], before) & was_known
    return replace(checked, table=table.filter(~(table[PART].isin(again) & was_in)))


def write_by_day(engine: Any, grown: Grown, settings: Settings, *, clock: Clock, folder: Path) -> None:
    """Write what is made of each day that was opened, and keep that of all others.

    Activity counts by 24 hours up to the time of day of ``as_of``: when that is another one all days are
    written, from the tidy events.
    """
    plan = grown.plan
    same = plan.ledger is not None and not (settings.as_of - plan.ledger.as_of) % timedelta(days=1)
    for day in _opened(grown, grown.opened if same else list(grown.days), folder / ACTIVITY):
        events, to = f"{EVENTS}/{day}", f"{ACTIVITY}/{day}"
        write_activity(engine, folder, settings.as_of, clock, events=events, to=to)
    for day in _opened(grown, grown.opened, folder / TALLIES):
        rows = counted(grown.checked, engine.read_parquet(as_named(folder / EVENTS / f"{day}.parquet")))
        ordered = stream(engine, rows.order_by(COUNTED.names))
        write_parquet(folder / TALLIES / f"{day}.parquet", COUNTED, ordered)


def _opened(grown: Grown, days: list[str], folder: Path) -> list[str]:
    """Make a folder by day, in which only some days are written anew, and return these."""
    folder.mkdir()
    kept = set(grown.days) - set(days)
    move_days(sorted(kept), grown.plan.former / folder.name, folder)
    return days
