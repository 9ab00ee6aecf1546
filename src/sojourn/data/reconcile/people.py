"""Members as definitions see them: flags that stay, and what depends on the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.checks.of_values import OF_EVENTS
from sojourn.data.checks.tails import limit
from sojourn.data.localtime import Clock
from sojourn.data.reconcile.grid import DAY
from sojourn.data.tidy import Tidy

#: Of which a bot has more than members ever have: events on its busiest day, and in all.
BUSY = ("busiest", "total")
FLAGS = ("bot", "old", "ever", "stayed")


def seconds(instant: Value) -> Value:
    """Return whole seconds since 1970 of an instant, or of what a clock shows."""
    return instant.cast("timestamp").truncate("s").epoch_seconds().cast("int64")


def one(flag: Value) -> Value:
    """Return 1 where a flag is set, else 0; PostgreSQL makes a flag a small integer only."""
    return flag.cast("int32").cast("int64")


def day_of(clock: Clock, instant: Value) -> Value:
    """Return the local day of an instant, in days since 1970."""
    return (seconds(clock.time(instant)) // DAY).cast("int64")


def month_of(clock: Clock, instant: Value) -> Value:
    """Return the local month of an instant, in months since the year 0."""
    shown = clock.time(instant)
    return (shown.year() * 12 + shown.month() - 1).cast("int64")


def instant_of(meta: Mapping[str, Any], name: str) -> datetime:
    """Return an instant of ``tidy.json`` in UTC."""
    return datetime.fromisoformat(meta[name]).astimezone(UTC)


def known_events(tidy: Tidy) -> Table | None:
    """Return the events known by ``as_of``, or None where there are none."""
    if "events" not in tidy.tables:
        return None
    events, as_of = tidy.tables["events"], instant_of(tidy.meta, "as_of")
    known = events.filter(events.occurred_at <= as_of)
    if "recorded_at" in events.columns:
        known = known.filter(known.recorded_at.isnull() | (known.recorded_at <= as_of))
    return known


def people(tidy: Tidy, bys: Sequence[str], clock: Clock) -> Table:
    """Return one row per member with what does not depend on the definition's clock.

    Returns
    -------
    Table
        ``member``, ``joined_at``, ``churned_at``, ``joined_s``, ``first_s``, ``last_s`` (of events),
        ``busiest`` (events on the busiest day), ``total`` (events), ``old`` (joined before observation
        began), ``ever`` (did anything), and the columns in `bys`.
    """
    members, as_of = tidy.tables["members"], instant_of(tidy.meta, "as_of")
    began = tidy.meta.get("observed_from")
    old = members.joined_at < instant_of(tidy.meta, "observed_from") if began else ibis.literal(False)
    selected = members.select(
        "member",
        "joined_at",
        churned_at=_known_end(members, as_of),
        joined_s=seconds(members.joined_at),
        old=one(old),
        all=ibis.literal("all"),
        **{by: members[by].fill_null("unknown") for by in bys if by != "all"},
    )
    events = known_events(tidy)
    if events is None:
        nobody = {name: ibis.null("int64") for name in ("first_s", "last_s", "first_at")}
        return selected.mutate(**nobody, **{name: ibis.literal(0, "int64") for name in (*BUSY, "ever")})
    seen = _seen(events, clock)
    joined = selected.left_join(seen, "member").drop("member_right")
    busy = {name: joined[name].fill_null(0) for name in BUSY}
    return joined.mutate(**busy, ever=one(joined.first_s.notnull()))


def _known_end(members: Table, as_of: datetime) -> Value:
    missing = ibis.null("timestamp('UTC')")
    if "churned_at" not in members.columns:
        return missing
    return ibis.ifelse(members.churned_at <= as_of, members.churned_at, missing)


def _seen(events: Table, clock: Clock) -> Table:
    """Return first and last event, and the number on the busiest day and in all, by member."""
    days = events.group_by("member", day=day_of(clock, events.occurred_at)).agg(
        n=events.count(), first_at=events.occurred_at.min(), last_at=events.occurred_at.max()
    )
    found = days.group_by("member").agg(
        busiest=days.n.max(), total=days.n.sum(), first_at=days.first_at.min(), last_at=days.last_at.max()
    )
    return found.mutate(first_s=seconds(found.first_at), last_s=seconds(found.last_at)).drop("last_at")


def bots_above(everybody: Table) -> dict[str, float]:
    """Return above how many events on one day, and in all, a member is a bot: the rule of the door."""
    seen = everybody.filter(everybody.total > 0)
    limits: dict[str, float] = {}
    for name in BUSY:
        rows = seen.group_by(size=seen[name]).agg(n=seen.count()).to_pyarrow().to_pylist()
        most = limit({float(row["size"]): int(row["n"]) for row in rows}, least=OF_EVENTS)
        if most is not None:
            limits[name] = most
    return limits


def on_clock(everybody: Table, clock: Clock, bots: Mapping[str, float]) -> Table:
    """Return members with the days and months of joining, of leaving and of the first event by a clock."""
    joined, churned = everybody.joined_at, everybody.churned_at
    days = {"joined_day": day_of(clock, joined), "churned_day": day_of(clock, churned)}
    months = {"joined_month": month_of(clock, joined), "churned_month": month_of(clock, churned)}
    first = everybody.first_at.cast("timestamp('UTC')")
    made = everybody.mutate(**days, **months, first_day=day_of(clock, first), bot=_bot(everybody, bots))
    stayed = made.churned_day.isnull() | (made.churned_day != made.joined_day)
    return made.mutate(stayed=one(stayed))


def _bot(everybody: Table, bots: Mapping[str, float]) -> Value:
    beyond = ibis.literal(False)
    for name, most in bots.items():
        beyond = beyond | (everybody[name] > most)
    return one(beyond)
