"""What members of a trial did around their assignment: one row per member, from which sums are made."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.ranges import in_range
from sojourn.data.cells.retention.days import number
from sojourn.data.cells.trials.decimals import AMOUNT, WIDE, amount, decimal
from sojourn.data.cells.trials.people import BACK, STUDY, aim_of, end, matured, people
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

#: Days before assignment whose doings are a covariate, and days after it that are an early sign.
BEFORE, EARLY = 28, 14
_COUNTS = ("events", "active", "early", "active_before")


def has_amounts(tidy: Tidy) -> bool:
    """Whether events say what was paid."""
    there = tidy.meta.get("present", {}).get("events", ["amount"])
    return "events" in tidy.tables and "amount" in there


def asks_who_is_there(tidy: Tidy, params: Mapping[str, Any]) -> bool:
    """Whether being with us is an outcome: not where nobody's leaving is recorded and something else is."""
    brought = tidy.meta.get("present", {}).get("members", ["churned_at"])
    known = "churned_at" in brought or aim_of(tidy, params) == BACK
    return known or not (has_amounts(tidy) or "messages" in tidy.tables)


def members_of(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member of the trial, made once.

    Returns
    -------
    ibis Table
        Columns of `people`, and ``is_matured`` (1: followed for all value days), ``paid``, ``refunded``,
        ``revenue`` (within the value days; amounts), ``spent`` (on the member, for the scheme), ``events``,
        ``active`` (local days with an event), ``early`` (the same in the first `EARLY` days),
        ``active_before``, ``paid_before`` (in the `BEFORE` days before assignment), ``opted_out``,
        ``exposed`` (1: something of the scheme was booked), ``cost_before`` (1: booked before assignment).
    """
    asked = {name: params[name] for name in ("trial", "horizons", "value_days", "stratum")}
    return tidy.once(f"{STUDY}: members by {asked}", lambda: held(_members_of(tidy, params)))


def _members_of(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    rows, days = people(tidy, params), int(params["value_days"])
    found = {
        "done": _done(rows, tidy, days),
        "booked": _booked(rows, tidy, days),
        "refused": _refused(rows, tidy, days),
    }
    wide = reduce(_beside, [table for table in found.values() if table is not None], rows)
    zero = ibis.literal(0, "int64")
    counts = (*_COUNTS, "opted_out", "exposed", "cost_before")
    amounts = ("paid", "refunded", "revenue", "spent", "paid_before")
    return wide.mutate(
        is_matured=number(matured(wide, tidy, days)),
        **{name: wide[name].fill_null(0).cast("int64") if name in wide.columns else zero for name in counts},
        **{name: amount(wide[name]) if name in wide.columns else decimal(0) for name in amounts},
    )


def _beside(rows: Table, other: Table) -> Table:
    return rows.left_join(other, "member").drop("member_right")


def _done(rows: Table, tidy: Tidy, days: int) -> Table | None:
    """Return sums of events around assignment by member."""
    if "events" not in tidy.tables:
        return None
    events = tidy.table("events", STUDY)
    paid = events.amount if has_amounts(tidy) else ibis.null(AMOUNT)
    events = events.select(
        "member", "occurred_at", day=clock_of(tidy.meta).day(events.occurred_at), paid=paid
    )
    near = rows.select("member", "assigned_at").inner_join(events, "member")
    since = near.assigned_at - ibis.interval(days=BEFORE)
    near = near.filter(near.occurred_at >= since, near.occurred_at < end(near, max(days, EARLY)))
    before, after = near.occurred_at < near.assigned_at, near.occurred_at >= near.assigned_at
    after, early = after & (near.occurred_at < end(near, days)), after & (near.occurred_at < end(near, EARLY))
    return near.group_by("member").aggregate(
        events=after.sum(),
        active=near.day.nunique(where=after),
        early=near.day.nunique(where=early),
        active_before=near.day.nunique(where=before),
        revenue=near.paid.sum(where=after).cast(AMOUNT),
        paid=near.paid.sum(where=after & (near.paid > 0)).cast(AMOUNT),
        refunded=(-near.paid).sum(where=after & (near.paid < 0)).cast(AMOUNT),
        paid_before=near.paid.sum(where=before).cast(AMOUNT),
    )


def _booked(rows: Table, tidy: Tidy, days: int) -> Table | None:
    """Return by member what was spent for the scheme, and whether anything of it was booked."""
    marks = [mark for mark in (_costs(tidy), *_mentions(tidy)) if mark is not None]
    if not marks:
        return None
    booked = ibis.union(*marks)
    near = rows.select("member", "scheme", "assigned_at").inner_join(booked, ["member", "scheme"])
    within = (near["at"] >= near.assigned_at) & (near["at"] < end(near, days))
    return near.group_by("member").aggregate(
        spent=near.cost.sum(where=within).cast(AMOUNT),
        exposed=within.max().cast("int32"),
        cost_before=((near["at"] < near.assigned_at) & (near.what == "cost")).max().cast("int32"),
    )


def _mark(rows: Table, scheme: str, at: str, what: str, cost: Value) -> Table:
    rows = rows.filter(rows[scheme].notnull(), rows.member.notnull())
    return rows.select("member", scheme=rows[scheme], at=rows[at], what=ibis.literal(what), cost=cost)


def _costs(tidy: Tidy) -> Table | None:
    if "costs" not in tidy.tables:
        return None
    costs = tidy.table("costs", STUDY)
    return _mark(costs, "scheme", "at", "cost", costs.amount.cast("decimal(18, 4)"))


def _mentions(tidy: Tidy) -> list[Table]:
    """Return messages and movements of points that name a scheme."""
    found = []
    for name, column, at in (("messages", "campaign", "sent_at"), ("ledger", "reason", "at")):
        if name in tidy.tables and column in tidy.tables[name].columns:
            none = ibis.literal(Decimal(0), "decimal(18, 4)")
            found.append(_mark(tidy.table(name, STUDY), column, at, name, none))
    return found


def books_schemes(tidy: Tidy) -> bool:
    """Whether the case has tables in which something of a scheme can be booked."""
    return any(name in tidy.tables for name in ("costs", "messages", "ledger"))


def _refused(rows: Table, tidy: Tidy, days: int) -> Table | None:
    """Return who refused messages within so many days after assignment."""
    if "messages" not in tidy.tables:
        return None
    sent = tidy.table("messages", STUDY).select("member", "opted_out_at")
    near = rows.select("member", "assigned_at").inner_join(sent, "member")
    near = near.filter(near.opted_out_at >= near.assigned_at, near.opted_out_at < end(near, days))
    return near.select("member").distinct().mutate(opted_out=ibis.literal(1, "int64"))


def net_value(rows: Table, params: Mapping[str, Any]) -> Value:
    """Return what a member earned us: margin on revenue, less what was spent."""
    margin = in_range(params["margin"], "margin", ge=0, le=1)
    earned = (rows.revenue.cast(WIDE) * ibis.literal(Decimal(str(margin)), "decimal(6, 4)")).cast(AMOUNT)
    per_member = [(rows.scheme == s, decimal(cost)) for s, cost in sorted(params["cost_per_member"].items())]
    fixed = ibis.cases(*per_member, else_=decimal(0)) if per_member else decimal(0)
    return (earned - rows.spent - fixed).cast(AMOUNT)
