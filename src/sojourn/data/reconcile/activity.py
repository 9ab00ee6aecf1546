"""What members did by day of a clock, and how many did anything in a period or at an age."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis import Table, Value

from sojourn.core.definitions import MOST_CHANGES
from sojourn.data.localtime import Clock
from sojourn.data.reconcile.grid import DAY
from sojourn.data.reconcile.people import day_of, month_of, one, seconds


def daily(events: Table, everybody: Table, clock: Clock, kinds: Sequence[str]) -> Table:
    """Return what was done per member, day and selection, and on which day that was known.

    Returns
    -------
    Table
        ``member``, ``day``, ``month``, ``elapsed`` (whole 24 hours since joining), ``known_on``,
        ``selection`` (``any``, ``paid`` or ``kind:NAME``), ``n`` (rows).
    """
    joined = events.inner_join(everybody.select("member", "joined_s"), "member")
    day = day_of(clock, joined.occurred_at)
    recorded = _recorded(joined, clock, day)
    paid = (joined.amount > 0).fill_null(False) if "amount" in joined.columns else ibis.literal(False)
    rows = joined.select(
        "member",
        "event",
        day=day,
        month=month_of(clock, joined.occurred_at),
        elapsed=((seconds(joined.occurred_at) - joined.joined_s) // DAY).cast("int64"),
        known_on=recorded,
        paid=paid,
    )
    done = rows.group_by(*rows.columns).agg(n=rows.count())
    selected = [
        done.mutate(selection=ibis.literal("any")),
        done.filter(done.paid).mutate(selection=ibis.literal("paid")),
        done.filter(done.event.isin(list(kinds))).mutate(selection=ibis.literal("kind:") + done.event),
    ]
    by_selection = ibis.union(*(selected if kinds else selected[:2]))
    keys = ["member", "day", "month", "elapsed", "known_on", "selection"]
    return by_selection.group_by(*keys).agg(n=by_selection.n.sum())


def _recorded(rows: Table, clock: Clock, day: Value) -> Value:
    if "recorded_at" not in rows.columns:
        return day
    return ibis.greatest(day_of(clock, rows.recorded_at).fill_null(day), day)


def active(done: Table, people: Table, periods: Table, bys: Sequence[str], *, zone_changes: int) -> Table:
    """Return how many members did something in each period.

    Returns
    -------
    Table
        ``unit``, ``period``, ``window``, ``selection``, ``known``, ``by``, ``group``, ``bot``,
        ``old``, and ``members``, ``days`` (of members on which they did something), ``events``.
    """
    seen = done.inner_join(periods, [done.day >= periods["first"], done.day <= periods["last"]])
    now = seen.mutate(known=ibis.literal("now"))
    then = seen.filter(seen.known_on <= seen["last"]).mutate(known=ibis.literal("then"))
    both = ibis.union(now, then)
    both = both.filter(both.window_changes + changes_of(both) + zone_changes <= MOST_CHANGES)
    keys = ["unit", "period", "window", "selection", "known"]
    each = both.group_by(*keys, "member").agg(days=both.day.nunique(), events=both.n.sum())
    flagged = each.inner_join(people.select("member", "bot", "old", *bys), "member")
    return by_group(flagged, bys, [*keys, "bot", "old"], ["days", "events"])


def changes_of(rows: Table) -> Value:
    """Return in how many of selection and time of knowledge rows differ from our own definition."""
    return one(rows.selection != "any") + one(rows.known != "now")


def by_group(flagged: Table, bys: Sequence[str], keys: Sequence[str], sums: Sequence[str]) -> Table:
    """Return members, and sums over them, by keys, flags and every grouping."""
    parts = []
    for by in bys:
        counted = flagged.group_by(*keys, group=flagged[by]).agg(
            members=flagged.count(), **{name: flagged[name].sum().cast("int64") for name in sums}
        )
        parts.append(counted.mutate(by=ibis.literal(by)))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
