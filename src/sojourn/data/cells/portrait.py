"""Cells of the study `portrait`: who is here, when they come and what they do, as counts.

Nothing later than ``as_of``, or known later, is read. A visit begins with an event after half an hour of
silence of its member; days, weeks and hours are those of the case's clock. Joiners and first steps are of
members who joined since observation began; tables and columns that a case lacks leave cells out, and
``missing`` names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.ranges import in_range
from sojourn.data.activity import micros
from sojourn.data.cells.portrait_truth import truth_beside
from sojourn.data.localtime import clock_of
from sojourn.data.stages import everybody, leaving_of, stages_at, with_state
from sojourn.data.tidy import Tidy

STUDY = "portrait"
#: Groupings of members, where the case has them; gender is graded sensitive and left out.
GROUPS: tuple[str, ...] = ("channel", "plan", "region", "age_band")
#: The kind of event that says a member has found what there is to find.
FIRST_VALUE = "activate"
#: Seconds of silence after which an event begins a visit.
PAUSE = 1_800
#: Days after which a row that was going to arrive has arrived.
SETTLED_DAYS = 30
NOT_STATED = "not stated"

_MONEY = "decimal(38, 9)"
_DAY = 86_400


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of counts that the case allows.

    Parameters
    ----------
    tidy : Tidy
        Needs ``members`` and ``events``; ``spells``, ``messages`` and ``costs`` add to it.
    params : mapping
        ``follow_days`` (of first steps), ``active_days`` (the last days in which coming is counted),
        ``growing_days``, ``silent_days`` (of the stages).

    Returns
    -------
    dict of str to ibis Table
        ``joined``: ``week`` (its Monday), ``channel``, ``members``. ``groups``: ``by``, ``group``,
        ``members``, ``joined`` (since observation began), ``with_us``. ``days``: ``day``, ``what``
        (joined, left, returned, events, active members), ``n``. ``visits``: ``weekday`` (0: Monday),
        ``hour``, ``visits``, ``members``. ``kinds``: ``event``, ``events``, ``members``. ``steps``: ``step``,
        ``day`` since joining, ``members``. ``active``: ``days``, ``members``. ``stages``: ``stage``,
        ``members``. And where there are such: ``purchases``: ``purchases``, ``members``; ``money``: one row;
        ``messages``, ``acquisition``: by ``channel``; ``late``: ``days``, ``rows``.

    Raises
    ------
    MissingTableError
        Without events.
    """
    for name in ("follow_days", "active_days"):
        in_range(params[name], name, ge=1)
    members, events = members_now(tidy), known_events(tidy)
    made = {
        "joined": _joined(tidy, members),
        "groups": ibis.union(*[_group(members, by) for by in _groups(tidy)]),
        "days": _days(tidy, members, events),
        "visits": _visits(tidy, events),
        "kinds": events.group_by("event").agg(events=events.count(), members=events.member.nunique()),
        "steps": _steps(tidy, members, events, params["follow_days"]),
        "active": _active(tidy, members, events, params["active_days"]),
        "stages": _stages(tidy, params),
    }
    if tidy.has("events", "amount"):
        made |= {"purchases": _purchases(members, events), "money": _money(events)}
    if "messages" in tidy.tables:
        made["messages"] = _messages(tidy)
    if tidy.has("costs", "channel") and tidy.has("members", "channel"):
        made["acquisition"] = _acquisition(tidy, members)
    if tidy.has("events", "recorded_at"):
        made["late"] = _late(tidy, events)
    return made


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Returns
    -------
    dict
        ``unit``, ``currency``, ``observed_from``, ``members`` (all), ``read`` (members before those without
        consent were left out; None where it is not known), ``joined_before`` (observation), ``followed``
        (members of the first steps), ``first_value`` (the kind of event, empty for any other kind than the
        first), ``without_events``, ``before_joining`` (events), ``missing`` and, for a simulated world,
        ``truth``.
    """
    members, events = members_now(tidy), known_events(tidy)
    both = events.inner_join(members.select("member", "joined_at"), "member")
    early = both.filter(both.occurred_at < both.joined_at).count()
    counted = members.aggregate(
        members=members.count(),
        joined_before=(members.seen_joining == 0).sum(),
        followed=_is_followed(tidy, members, params["follow_days"]).sum(),
    )
    numbers = {name: int(n or 0) for name, n in _first_row(counted).items()}
    seen = int(events.member.nunique().to_pyarrow().as_py())
    return {
        "unit": "day",
        "currency": tidy.meta.get("currency", ""),
        "observed_from": tidy.meta["observed_from"],
        **numbers,
        "read": tidy.meta.get("read", {}).get("members"),
        "first_value": _first_value(events),
        "without_events": numbers["members"] - seen,
        "before_joining": int(early.to_pyarrow().as_py()),
        "missing": _missing(tidy),
        **truth_beside(tidy.meta),
    }


def members_now(tidy: Tidy) -> Table:
    """Return members as they are at `as_of`: ``seen_joining``, ``left``, ``back``, ``with_us`` (1 or 0).

    Who has left and has a later spell that goes on is back.
    """
    members, as_of = tidy.table("members", STUDY), _instant(tidy.meta["as_of"])
    wanted = ["member", "joined_at", *[name for name in GROUPS if name in members.columns]]
    at_us = ibis.literal(micros(as_of), "int64")
    table = members.filter(members.joined_at <= ibis.literal(as_of))
    table = table.select(*wanted, ended_at=leaving_of(table), at_us=at_us)
    begun = (table.joined_at >= _instant(tidy.meta["observed_from"])).cast("int32").cast("int64")
    table = with_state(table.mutate(seen_joining=begun), tidy).drop("at_us")
    return table.mutate(with_us=1 - table.left + table.back)


def known_events(tidy: Tidy) -> Table:
    """Return the events that had happened since observation began and were known at `as_of`."""
    events, as_of = tidy.table("events", STUDY), _as_of(tidy)
    known = (events.occurred_at <= as_of) & (events.occurred_at >= _instant(tidy.meta["observed_from"]))
    if "recorded_at" in events.columns:
        known &= events.recorded_at.isnull() | (events.recorded_at <= as_of)
    return events.filter(known)


def _joined(tidy: Tidy, members: Table) -> Table:
    day = clock_of(tidy.meta).day(members.joined_at)
    channel = members.channel if "channel" in members.columns else ibis.literal(None, "string")
    table = members.filter(members.seen_joining == 1).select(
        week=day.truncate("W"), channel=channel.fill_null(NOT_STATED)
    )
    return table.group_by("week", "channel").agg(members=table.count())


def _groups(tidy: Tidy) -> list[str]:
    return ["all", *[name for name in GROUPS if tidy.has("members", name)]]


def _group(members: Table, by: str) -> Table:
    name = ibis.literal("all") if by == "all" else members[by].fill_null(NOT_STATED)
    table = members.mutate(by=ibis.literal(by), group=name)
    return table.group_by("by", "group").agg(
        members=table.count(), joined=table.seen_joining.sum(), with_us=table.with_us.sum()
    )


def _days(tidy: Tidy, members: Table, events: Table) -> Table:
    clock = clock_of(tidy.meta)
    happened = {
        "joined": members.filter(members.seen_joining == 1).select(at="joined_at"),
        "left": members.filter(members.left == 1).select(at="ended_at"),
        "returned": members.filter(members.back_at.notnull()).select(at="back_at"),
        "events": events.select(at="occurred_at"),
    }
    begin = _instant(tidy.meta["observed_from"])
    parts = []
    for what, rows in happened.items():
        days = rows.filter(rows["at"] >= begin).select(day=clock.day(rows["at"]), what=ibis.literal(what))
        parts.append(days.group_by("day", "what").agg(n=days.count()))
    seen = events.select("member", day=clock.day(events.occurred_at), what=ibis.literal("active"))
    return ibis.union(*parts, seen.group_by("day", "what").agg(n=seen.member.nunique()))


def visits(tidy: Tidy, events: Table) -> Table:
    """Return one row per visit: `member`, and `weekday` and `hour` of its begin."""
    clock = clock_of(tidy.meta)
    table = events.select("member", "occurred_at", at=_seconds(events.occurred_at))
    before = table["at"].lag().over(ibis.window(group_by="member", order_by="at"))
    table = table.mutate(since=table["at"] - before)
    begins = table.filter(table.since.isnull() | (table.since > PAUSE))
    return begins.select(
        "member",
        weekday=clock.time(begins.occurred_at).day_of_week.index().cast("int64"),
        hour=clock.hour(begins.occurred_at).cast("int64"),
    )


def _visits(tidy: Tidy, events: Table) -> Table:
    begins = visits(tidy, events)
    return begins.group_by("weekday", "hour").agg(visits=begins.count(), members=begins.member.nunique())


def _is_followed(tidy: Tidy, members: Table, days: int) -> Value:
    """Return whether joining was seen, and so many days after it."""
    until = _instant(tidy.meta["as_of"]) - timedelta(days=days)
    return (members.seen_joining == 1) & (members.joined_at <= ibis.literal(until))


def _first_value(events: Table) -> str:
    return FIRST_VALUE if events.filter(events.event == FIRST_VALUE).count().to_pyarrow().as_py() else ""


def _steps(tidy: Tidy, members: Table, events: Table, follow_days: int) -> Table:
    """Return members by the day since joining of their first value moment and of their first purchase."""
    followed = members.filter(_is_followed(tidy, members, follow_days)).select("member", "joined_at")
    kept = ["member", "event", "occurred_at", *(["amount"] if "amount" in events.columns else [])]
    both = events.select(*kept).inner_join(followed, "member")
    both = both.mutate(day=(_seconds(both.occurred_at) - _seconds(both.joined_at)) // _DAY)
    both = both.filter((both.occurred_at >= both.joined_at) & (both.day < follow_days))
    found = {"first value moment": both.filter(_is_value(both, _first_value(events)))}
    if tidy.has("events", "amount"):
        found["first purchase"] = both.filter(both.amount > 0)
    return ibis.union(*[_first_days(rows, step) for step, rows in found.items()])


def _is_value(events: Table, kind: str) -> Value:
    """Return whether an event is of a kind; where none is given, of another than the member's first."""
    if kind:
        return events.event == kind
    order = ibis.window(group_by="member", order_by=[events.occurred_at, events.event])
    return events.event != events.event.first().over(order)


def _first_days(rows: Table, step: str) -> Table:
    first = rows.group_by("member").agg(day=rows.day.min())
    counted = first.group_by("day").agg(members=first.count())
    return counted.select(step=ibis.literal(step), day=counted.day, members=counted.members)


def _active(tidy: Tidy, members: Table, events: Table, active_days: int) -> Table:
    """Return members by the days on which they came in the last days; of those with us for so long."""
    begin = ibis.literal(_instant(tidy.meta["as_of"]) - timedelta(days=active_days))
    there = members.filter((members.with_us == 1) & (members.joined_at <= begin)).select("member")
    day = clock_of(tidy.meta).day(events.occurred_at)
    last = events.filter(events.occurred_at > begin).select("member", day=day)
    came = last.group_by("member").agg(days=last.day.nunique())
    both = there.left_join(came, "member").drop("member_right")
    both = both.mutate(days=both.days.fill_null(0))
    return both.group_by("days").agg(members=both.count())


def _stages(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    now = _instant(tidy.meta["as_of"])
    table = stages_at(tidy, everybody(tidy, now, STUDY), params, STUDY, at=now)
    return table.group_by("stage").agg(members=table.count())


def _purchases(members: Table, events: Table) -> Table:
    paid = events.filter(events.amount > 0)
    bought = paid.group_by("member").agg(purchases=paid.count())
    both = members.select("member").left_join(bought, "member").drop("member_right")
    both = both.mutate(purchases=both.purchases.fill_null(0))
    return both.group_by("purchases").agg(members=both.count())


def _money(events: Table) -> Table:
    """Return one row: number and sum of purchases and of refunds, members who paid, quartiles of amounts."""
    paid, back = events.filter(events.amount > 0), events.filter(events.amount < 0)
    spent = paid.aggregate(
        purchases=paid.count(),
        amount=_sum(paid.amount),
        payers=paid.member.nunique(),
        dearest=paid.amount.max(),
    )
    refunded = back.aggregate(refunds=back.count(), refunded=_sum(-back.amount))
    both = spent.cross_join(refunded)
    return both.mutate(dearest=both.dearest.fill_null(0).cast(_MONEY))


def sent_messages(tidy: Tidy) -> Table:
    """Return the messages that had been sent at `as_of`."""
    sent = tidy.tables["messages"]
    return sent.filter(sent.sent_at <= _as_of(tidy))


def _messages(tidy: Tidy) -> Table:
    sent, as_of = sent_messages(tidy), _as_of(tidy)
    known = {
        name: (sent[column] <= as_of).fill_null(False).sum().cast("int64")
        for name, column in (
            ("opened", "opened_at"),
            ("clicked", "clicked_at"),
            ("opted_out", "opted_out_at"),
        )
        if column in sent.columns
    }
    cost = sent.cost if "cost" in sent.columns else ibis.literal(0)
    return sent.group_by("channel").agg(
        sent=sent.count(), members=sent.member.nunique(), cost=_sum(cost.fill_null(0)), **known
    )


def _acquisition(tidy: Tidy, members: Table) -> Table:
    """Return money spent on channels since observation began, and members who joined through each."""
    begin, costs = _instant(tidy.meta["observed_from"]), tidy.tables["costs"]
    spent = costs.filter(costs.channel.notnull() & (costs["at"] >= begin) & (costs["at"] <= _as_of(tidy)))
    spent = spent.group_by("channel").agg(cost=_sum(spent.amount))
    came = members.filter((members.seen_joining == 1) & members.channel.notnull())
    came = came.group_by("channel").agg(members=came.count())
    return spent.inner_join(came, "channel").select("channel", "members", "cost")


def days_late(tidy: Tidy, events: Table) -> Table:
    """Return `member` and `days` (rounded up) until a row was known; of those old enough to have arrived."""
    until = _instant(tidy.meta["as_of"]) - timedelta(days=SETTLED_DAYS)
    settled = events.filter(events.occurred_at <= ibis.literal(until))
    behind = _seconds(settled.recorded_at) - _seconds(settled.occurred_at)
    return settled.select("member", days=ibis.greatest((behind + _DAY - 1) // _DAY, 0).fill_null(0))


def _late(tidy: Tidy, events: Table) -> Table:
    table = days_late(tidy, events)
    return table.group_by("days").agg(rows=table.count())


def _missing(tidy: Tidy) -> list[str]:
    """Return what the case lacks: tables, and columns as ``table.column``."""
    tables = [name for name in ("spells", "messages", "costs") if name not in tidy.tables]
    columns = [("members", name) for name in ("churned_at", *GROUPS)]
    columns += [("events", "amount"), ("events", "recorded_at"), ("costs", "channel")]
    lacking = [f"{t}.{c}" for t, c in columns if t not in tables and not tidy.has(t, c)]
    return [*tables, *lacking]


def _first_row(table: Table) -> dict[str, Any]:
    row: dict[str, Any] = table.to_pyarrow().to_pylist()[0]
    return row


def _as_of(tidy: Tidy) -> Value:
    return ibis.literal(_instant(tidy.meta["as_of"]))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _seconds(instant: Value) -> Value:
    return instant.cast("timestamp").truncate("s").epoch_seconds().cast("int64")


def _sum(amount: Value) -> Value:
    return amount.cast(_MONEY).sum().fill_null(0).cast(_MONEY)
