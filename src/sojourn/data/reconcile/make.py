"""Cells from which a company's numbers are rebuilt under every definition; few passes over the events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import pandas as pd
from ibis import Table

from sojourn.core.cells import Cells
from sojourn.core.definitions import Offered
from sojourn.core.errors import DataError
from sojourn.core.results.reconcile import FOLLOWED, Kind, Kpi, Unit
from sojourn.data.localtime import Clock, clock, time_zone
from sojourn.data.reconcile import grid
from sojourn.data.reconcile.activity import active, daily
from sojourn.data.reconcile.followed import Ages, exits, first_silences, followed, in_cohorts, returned
from sojourn.data.reconcile.grid import DAY, LENGTH, day_number
from sojourn.data.reconcile.moved import moved
from sojourn.data.reconcile.people import bots_above, instant_of, known_events, on_clock, people
from sojourn.data.tidy import Tidy

STUDY = "reconcile"

#: Time zones that are tried beside the case's own: dashboards often count days in one of them.
ZONES = ("UTC", "America/New_York", "America/Los_Angeles", "Asia/Shanghai")
#: So many of the most common kinds of events are tried each by itself.
KINDS = 8


def reconcile_cells(
    tidy: Tidy,
    kpis: Sequence[Kpi],
    *,
    zones: Sequence[str] = ZONES,
    silence_days: int = 30,
    min_group: int = 20,
) -> Cells:
    """Return the counts from which each number is rebuilt under every definition.

    Parameters
    ----------
    tidy : Tidy
        Needs ``members``; without ``events`` only what is known of membership is rebuilt.
    kpis : sequence of Kpi
        From `read_kpis`; only what they ask about is counted.
    zones : sequence of str
        Time zones to try beside the case's own.
    silence_days : int
        Length of a silence that counts as leaving.
    min_group : int
        Kinds of events that fewer members did are not told apart.

    Raises
    ------
    DataError
        When a number is by a column that the case does not have.
    """
    ours = tidy.meta["time_zone"]
    bys = sorted({kpi.by for kpi in kpis})
    _check_groups(tidy, kpis)
    offered = _offered(tidy, [ours, *(z for z in dict.fromkeys(zones) if z != ours)], silence_days, min_group)
    with ExitStack() as kept:
        everybody = kept.enter_context(people(tidy, bys, _clock(tidy, ours)).cache())
        asked = _Asked(kpis, offered, bys, bots_above(everybody))
        everybody = kept.enter_context(_with_silences(tidy, everybody, kpis, silence_days).cache())
        made: dict[str, list[pd.DataFrame]] = {}
        for zone in offered.zones:
            for name, table in _in_zone(tidy, everybody, asked, zone):
                made.setdefault(name, []).append(table.mutate(zone=_text(zone)).to_pyarrow().to_pandas())
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in made.items()}
    return Cells(tidy.case, STUDY, tables, _meta(tidy, offered, asked.bots, min_group))


def _with_silences(tidy: Tidy, everybody: Table, kpis: Sequence[Kpi], silence_days: int) -> Table:
    """Return members with the start of their first long silence, where a number asks for days."""
    events = known_events(tidy)
    if events is None or not any(kpi.kind in FOLLOWED and kpi.unit == "day" for kpi in kpis):
        return everybody.mutate(gap_s=everybody.last_s)
    judged = int((instant_of(tidy.meta, "as_of") - timedelta(days=silence_days)).timestamp())
    return first_silences(events, everybody, silence_days, judged)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be counted: numbers, ways of counting, groupings, and above how many events bots are."""

    kpis: Sequence[Kpi]
    offered: Offered
    bys: Sequence[str]
    bots: Mapping[str, float]

    def changes(self, zone: str) -> int:
        return int(zone != self.offered.zones[0])

    def any_of(self, *kinds: Kind) -> bool:
        return any(kpi.kind in kinds for kpi in self.kpis)


def _in_zone(tidy: Tidy, everybody: Table, asked: _Asked, zone: str) -> Iterator[tuple[str, Table]]:
    """Yield the tables of one time zone; what was done by day is made once for all of them."""
    here, events = _clock(tidy, zone), known_events(tidy)
    as_of = instant_of(tidy.meta, "as_of")
    periods, changes = grid.periods(asked.kpis), asked.changes(zone)
    with ExitStack() as kept:
        members = kept.enter_context(on_clock(everybody, here, asked.bots).cache())
        done = None
        if events is not None:
            done = kept.enter_context(daily(events, everybody, here, asked.offered.kinds).cache())
        if periods is not None:
            yield "moved", moved(members, periods, asked.bys)
        if (
            periods is not None
            and done is not None
            and asked.any_of("active_members", "stickiness", "events")
        ):
            found = active(done, members, periods, asked.bys, zone_changes=changes)
            yield "active", found.mutate(repeats=_text("in"))
        if periods is not None and events is not None and asked.any_of("events"):
            once = daily(events.distinct(), everybody, here, asked.offered.kinds)
            found = active(once, members, periods, asked.bys, zone_changes=changes + 1)
            yield "active", found.mutate(repeats=_text("out"))
        for unit in sorted({kpi.unit for kpi in asked.kpis if kpi.kind in FOLLOWED}):
            cohorts = grid.cohorts(asked.kpis, unit)
            members.get_backend().to_pyarrow(cohorts)  # Spark must know of it before it keeps what reads it
            chosen = kept.enter_context(in_cohorts(members, cohorts, unit).cache())
            yield from _of_unit(as_of, done, chosen, asked, (unit, zone))


def _of_unit(
    as_of: datetime, done: Table | None, chosen: Table, asked: _Asked, where: tuple[Unit, str]
) -> Iterator[tuple[str, Table]]:
    """Yield the tables of members followed from joining, at the ages of one unit by one clock."""
    unit, zone = where
    numbers = grid.ages(asked.kpis, unit)
    ages = Ages(
        unit=unit,
        rules=grid.rules(numbers, unit, asked.offered),
        bys=asked.bys,
        last=_last_over(as_of, unit, zone),
        as_of_s=int(as_of.timestamp()),
        zone_changes=asked.changes(zone),
    )
    yield "followed", followed(chosen, ages).mutate(unit=_text(unit))
    if done is not None:
        yield "returned", returned(done, chosen, ages).mutate(unit=_text(unit))
    if not ages.zone_changes and (asked.offered.ends or asked.offered.events):
        horizon = max(numbers) * LENGTH[unit] * DAY // 60
        yield "exits", exits(chosen, ages, asked.offered, horizon).mutate(unit=_text(unit))


def _text(value: str) -> Any:
    return ibis.literal(value)


def _last_over(as_of: datetime, unit: Unit, zone: str) -> int:
    """Return the number of the last day, week or month that was over by ``as_of``."""
    today = as_of.astimezone(time_zone(zone)).date()
    number = day_number(today)
    return {"day": number, "week": (number + 3) // 7, "month": today.year * 12 + today.month - 1}[unit] - 1


def _clock(tidy: Tidy, zone: str) -> Clock:
    first, last = (datetime.fromisoformat(tidy.meta[name]) for name in ("first_instant", "as_of"))
    return clock(zone, first=first, last=last)


def _offered(tidy: Tidy, zones: Sequence[str], silence_days: int, min_group: int) -> Offered:
    """Return what the case can be counted by, from what its columns hold."""
    members, events = tidy.tables["members"], known_events(tidy)
    ends = _filled(members, "churned_at")
    old = False
    if tidy.meta.get("observed_from"):
        began = instant_of(tidy.meta, "observed_from")
        old = bool(members.filter(members.joined_at < began).count().to_pyarrow().as_py())
    if events is None:
        return Offered(zones, events=False, old=old, ends=ends, silence_days=silence_days)
    amount = events.amount if "amount" in events.columns else ibis.null("decimal(18, 4)")
    spent = events.mutate(spent=(amount > 0).fill_null(False))
    counted = spent.group_by("event").agg(
        n=spent.count(), members=spent.member.nunique(), paid=spent.spent.sum()
    )
    kinds = sorted(counted.to_pyarrow().to_pylist(), key=lambda row: (-row["n"], row["event"]))
    paid = sum(row["paid"] or 0 for row in kinds)
    # a kind that is every purchase, and nothing else, is called purchases
    shown = [row["event"] for row in kinds if row["members"] >= min_group and row["n"] != (row["paid"] or 0)]
    several = shown if len(kinds) > 1 else []
    recorded = _filled(events, "recorded_at")
    return Offered(
        zones,
        several[:KINDS],
        True,
        0 < paid < sum(row["n"] for row in kinds),
        recorded,
        old,
        ends,
        silence_days,
    )


def _filled(table: Table, column: str) -> bool:
    return column in table.columns and bool(table[column].count().to_pyarrow().as_py())


def _check_groups(tidy: Tidy, kpis: Sequence[Kpi]) -> None:
    members = tidy.tables["members"]
    for kpi in kpis:
        if kpi.by != "all" and kpi.by not in members.columns:
            raise DataError(
                f"Row {kpi.row}, column group: the case '{tidy.case}' has no column '{kpi.by}' of members."
            )


def _meta(tidy: Tidy, offered: Offered, bots: Mapping[str, float], min_group: int) -> dict[str, Any]:
    read, rows = tidy.meta.get("read", {}), tidy.meta.get("rows", {})
    left_out = {name: read[name] - rows.get(name, 0) for name in ("members", "events") if name in read}
    return {
        "as_of": tidy.meta["as_of"],
        "time_zone": tidy.meta["time_zone"],
        "observed_from": tidy.meta.get("observed_from"),
        "zones": list(offered.zones),
        "kinds": list(offered.kinds),
        "events": offered.events,
        "paid": offered.paid,
        "recorded": offered.recorded,
        "old": offered.old,
        "ends": offered.ends,
        "silence_days": offered.silence_days,
        "bots_above": dict(bots),
        "min_group": min_group,
        "left_out": left_out,
    }
