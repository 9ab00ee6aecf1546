"""Cells from which a company's numbers are rebuilt under every definition; few passes over the events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis
import pandas as pd
from ibis import Table

from sojourn.core.cells import Cells
from sojourn.core.definitions import Offered
from sojourn.core.errors import DataError
from sojourn.core.results.reconcile import FOLLOWED, Kpi, Unit
from sojourn.data.localtime import Clock, clock, time_zone
from sojourn.data.reconcile import grid
from sojourn.data.reconcile.activity import active, daily
from sojourn.data.reconcile.followed import exits, first_silences, followed, in_cohorts, returned
from sojourn.data.reconcile.grid import DAY, LENGTH, day_number
from sojourn.data.reconcile.kept import Kept
from sojourn.data.reconcile.moved import moved
from sojourn.data.reconcile.people import bots_above, instant_of, known_events, on_clock, people
from sojourn.data.tidy import Tidy

STUDY = "reconcile"

#: Time zones that are tried beside the case's own: dashboards often count days in one of them.
ZONES = ("UTC", "America/New_York", "America/Los_Angeles", "Asia/Shanghai")
#: So many of the most common kinds of events are tried each by itself.
KINDS = 8

_ACTIVITY = ("active_members", "stickiness", "events")


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
    with Kept() as keep:
        everybody = keep(people(tidy, bys, _clock(tidy, ours)))
        bots = bots_above(everybody)
        everybody = keep(_with_silences(tidy, everybody, kpis, silence_days))
        made: dict[str, list[pd.DataFrame]] = {}
        for zone in offered.zones:
            for name, table in _in_zone(tidy, everybody, kpis, offered, bys, bots, zone):
                made.setdefault(name, []).append(table.mutate(zone=_text(zone)).to_pyarrow().to_pandas())
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in made.items()}
    return Cells(tidy.case, STUDY, tables, _meta(tidy, offered, bots, min_group))


def _with_silences(tidy: Tidy, everybody: Table, kpis: Sequence[Kpi], silence_days: int) -> Table:
    """Return members with the start of their first long silence, where a number asks for days."""
    events = known_events(tidy)
    if events is None or not any(kpi.kind in FOLLOWED and kpi.unit == "day" for kpi in kpis):
        return everybody.mutate(gap_s=everybody.last_s)
    judged = int((instant_of(tidy.meta, "as_of") - timedelta(days=silence_days)).timestamp())
    return first_silences(events, everybody, silence_days, judged)


def _in_zone(
    tidy: Tidy,
    everybody: Table,
    kpis: Sequence[Kpi],
    offered: Offered,
    bys: Sequence[str],
    bots: int,
    zone: str,
) -> Iterator[tuple[str, Table]]:
    """Yield the tables of one time zone; what was done by day is made once for all of them."""
    here, changes = _clock(tidy, zone), int(zone != offered.zones[0])
    events, asked = known_events(tidy), grid.periods(kpis)
    with Kept() as keep:
        members = keep(on_clock(everybody, here, bots))
        done = None if events is None else keep(daily(events, everybody, here, offered.kinds))
        if asked is not None:
            yield "moved", moved(members, asked, bys)
        if asked is not None and done is not None and any(kpi.kind in _ACTIVITY for kpi in kpis):
            found = active(done, members, asked, bys, zone_changes=changes)
            yield "active", found.mutate(repeats=_text("in"))
        if asked is not None and events is not None and any(kpi.kind == "events" for kpi in kpis):
            once = daily(events.distinct(), everybody, here, offered.kinds)
            found = active(once, members, asked, bys, zone_changes=changes + 1)
            yield "active", found.mutate(repeats=_text("out"))
        for unit in sorted({kpi.unit for kpi in kpis if kpi.kind in FOLLOWED}):
            chosen = keep(in_cohorts(members, grid.cohorts(kpis, unit), unit))
            yield from _of_unit(tidy, done, chosen, kpis, offered, bys, unit, zone)


def _of_unit(
    tidy: Tidy,
    done: Table | None,
    chosen: Table,
    kpis: Sequence[Kpi],
    offered: Offered,
    bys: Sequence[str],
    unit: Unit,
    zone: str,
) -> Iterator[tuple[str, Table]]:
    """Yield the tables of members followed from joining, at the ages of one unit."""
    changes, as_of = int(zone != offered.zones[0]), instant_of(tidy.meta, "as_of")
    as_of_s, last = int(as_of.timestamp()), _last_over(as_of, unit, zone)
    asked = grid.ages(kpis, unit)
    rules = grid.rules(asked, unit, offered)
    at = {"zone_changes": changes}
    yield "followed", followed(chosen, rules, bys, last, as_of_s, **at).mutate(unit=_text(unit))
    if done is not None:
        found = returned(done, chosen, rules, bys, unit, last, as_of_s, **at)
        yield "returned", found.mutate(unit=_text(unit))
    if not changes:
        horizon = max(asked) * LENGTH[unit] * DAY // 60
        yield "exits", exits(chosen, bys, as_of_s, offered, horizon).mutate(unit=_text(unit))


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
    amount = events.amount if "amount" in events.columns else ibis.literal(0)
    counted = events.group_by("event").agg(
        n=events.count(), members=events.member.nunique(), paid=(amount > 0).sum()
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


def _meta(tidy: Tidy, offered: Offered, bots: int, min_group: int) -> dict[str, Any]:
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
        "bots_above": bots,
        "min_group": min_group,
        "left_out": left_out,
    }
