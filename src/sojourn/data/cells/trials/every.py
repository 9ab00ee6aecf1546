"""Members of all trials of a case: who took part, what became of them and what they did around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.retention.days import days_down, number, seconds
from sojourn.data.cells.trials.decimals import AMOUNT, amount, count, decimal
from sojourn.data.cells.trials.doings import BEFORE, EARLY, has_amounts, net_value
from sojourn.data.cells.trials.people import BACK, STUDY, end, enrolled, matured
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy


def members_of_trials(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member and trial, made once.

    Returns
    -------
    ibis Table
        ``trial``, ``member``, ``scheme``, ``assigned_at``, ``churned_at``, ``aim``, ``there`` (1: kept, or
        back, at the horizon), ``age`` (whole days from joining to assignment), ``together`` (1: some others
        of the trial were in the same cluster), ``before`` and ``early`` (local days with an event in the
        `BEFORE` days before and the `EARLY` days after assignment), ``revenue``, ``spent`` (within the value
        days).
    """
    days, horizon = int(params["value_days"]), int(params["horizon_days"])
    named = f"{STUDY}: members of all trials, judged after {horizon} and {days}"
    return tidy.once(named, lambda: held(_members_of_trials(tidy, days, horizon)))


def _members_of_trials(tidy: Tidy, days: int, horizon: int) -> Table:
    rows = enrolled(tidy, {"horizons": [horizon], "value_days": days})
    rows = rows.filter(rows.takes_part == 1)
    known = ("trial", "member", "scheme", "assigned_at", "churned_at", "aim")
    age = days_down(
        ibis.greatest(seconds(rows.assigned_at) - seconds(rows.joined_at), ibis.literal(0, "int64"))
    )
    cluster = ibis.window(group_by=("trial", "cluster"))
    alike = number(rows.cluster.notnull()) * number(rows.member.count().over(cluster) > 1)
    rows = rows.select(*known, there=rows[f"there_{horizon}"], age=age, together=alike)
    return _with_costs(_with_events(rows, tidy, days), tidy, days)


def _with_events(rows: Table, tidy: Tidy, days: int) -> Table:
    """Add ``before``, ``early`` and ``revenue``."""
    none = ibis.literal(0, "int64")
    if "events" not in tidy.tables:
        return rows.mutate(before=none, early=none, revenue=decimal(0))
    events = tidy.table("events", STUDY)
    paid = events.amount if has_amounts(tidy) else ibis.null(AMOUNT)
    day = clock_of(tidy.meta).day(events.occurred_at)
    keys = ["member", "assigned_at"]  # trials that begin at one instant share what their members do
    events = events.select("member", "occurred_at", paid=paid, day=day)
    near = rows.select(keys).distinct().inner_join(events, "member")
    since = near.assigned_at - ibis.interval(days=BEFORE)
    near = near.filter(near.occurred_at >= since, near.occurred_at < end(near, max(days, EARLY)))
    before, after = near.occurred_at < near.assigned_at, near.occurred_at >= near.assigned_at
    early, within = (after & (near.occurred_at < end(near, until)) for until in (EARLY, days))
    done = near.group_by(*keys).aggregate(
        before=near.day.nunique(where=before),
        early=near.day.nunique(where=early),
        revenue=near.paid.sum(where=within).cast(AMOUNT),
    )
    rows = rows.left_join(done, keys).drop("member_right", "assigned_at_right")
    counted = {name: rows[name].fill_null(0).cast("int64") for name in ("before", "early")}
    return rows.mutate(**counted, revenue=amount(rows.revenue))


def _with_costs(rows: Table, tidy: Tidy, days: int) -> Table:
    """Add ``spent``: what was booked for the member's scheme within the value days."""
    if "costs" not in tidy.tables:
        return rows.mutate(spent=decimal(0))
    costs = tidy.table("costs", STUDY).select("member", "scheme", "at", cost="amount")
    near = rows.inner_join(costs, ["member", "scheme"])
    near = near.filter(near["at"] >= near.assigned_at, near["at"] < end(near, days))
    spent = near.group_by("trial", "member").aggregate(spent=near.cost.sum().cast(AMOUNT))
    rows = rows.left_join(spent, ["trial", "member"]).drop("trial_right", "member_right")
    return rows.mutate(spent=amount(rows.spent))


def amounts_of_trials(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return one row per member with the largest ``amount`` without its sign, by outcome that is money."""
    if not has_amounts(tidy):
        return {}
    rows = followed(members_of_trials(tidy, params), tidy, params)
    return {
        name: rows.group_by("member").aggregate(amount=value.abs().max())
        for name, value in money_of(rows, params).items()
    }


def judged(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members of whom it is known whether they are kept, or back, at the horizon."""
    rows = _of_known_state(rows, tidy).filter(matured(rows, tidy, max(int(params["horizon_days"]), EARLY)))
    # where nobody's leaving is recorded, all would be kept
    return rows if tidy.has("members", "churned_at") else rows.filter(rows.aim == BACK)


def followed(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members who were followed for all value days."""
    return _of_known_state(rows, tidy).filter(matured(rows, tidy, max(int(params["value_days"]), EARLY)))


def _of_known_state(rows: Table, tidy: Tidy) -> Table:
    """Return rows without trials of members who had left, where it is not known who is back."""
    return rows if "spells" in tidy.tables else rows.filter(rows.aim != BACK)


def money_of(rows: Table, params: Mapping[str, Any]) -> dict[str, Value]:
    """Return amounts of followed members by outcome."""
    return {"revenue": rows.revenue, "net_value": net_value(rows, params)}


def divisions_of_trials(rows: Table, tidy: Tidy) -> Table:
    """Return members assigned (``assigned``) by ``trial``, ``scheme`` and ``period``, the month."""
    rows = rows.mutate(period=period_of(rows, tidy))
    return rows.group_by("trial", "scheme", "period").aggregate(assigned=rows.count())


def before_of_trials(rows: Table, tidy: Tidy) -> Table:
    """Return by ``trial``, ``scheme`` and ``period``, the month, what members did before assignment.

    Returns
    -------
    ibis Table
        ``assigned`` (members), ``before``, ``before_sq``: see `arms_of_trials`.
    """
    rows = rows.mutate(period=period_of(rows, tidy))
    return rows.group_by("trial", "scheme", "period").aggregate(assigned=rows.count(), **_sums_before(rows))


def _sums_before(rows: Table) -> dict[str, Value]:
    return {"before": count(rows.before), "before_sq": count(rows.before * rows.before)}


def period_of(rows: Table, tidy: Tidy) -> Value:
    """Return the month of assignment, such as 2025-03, by the clock of the case."""
    return clock_of(tidy.meta).day(rows.assigned_at).cast("string").substr(0, 7)


def arms_of_trials(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per trial and scheme.

    Returns
    -------
    ibis Table
        ``trial``, ``scheme``, ``aim``, ``assigned``, ``matured`` (followed to the end), ``month`` (mean of
        assignments), ``together`` (members assigned in a cluster with others of the trial), ``age_low`` and
        ``age_high`` (whole days since joining at assignment, of all schemes of the trial together: a
        twentieth of members was no older, a twentieth no younger) and, where there are events,
        ``before`` and ``before_sq``: sums of the days on which members came in the `BEFORE` days before
        assignment, and of their squares.
    """
    days = max(int(params["value_days"]), int(params["horizon_days"]), EARLY)
    day = clock_of(tidy.meta).day(rows.assigned_at)
    rows = rows.mutate(
        since=day.year().cast("int64") * 12 + day.month().cast("int64") - 1,  # months
        is_matured=ibis.ifelse(matured(rows, tidy, days), 1, 0),
    )
    made = rows.group_by("trial", "scheme", "aim").aggregate(
        assigned=rows.count(),
        matured=count(rows.is_matured),
        months=count(rows.since),
        together=count(rows.together),
        **_sums_before(rows),
    )
    made = made.inner_join(nine_in_ten(rows, "age"), "trial")
    mean = (made.months // made.assigned).cast("int64")
    year, of_year = (mean // 12).cast("int64"), (mean % 12 + 1).cast("int64")
    made = made.mutate(month=year.cast("string") + "-" + of_year.cast("string").lpad(2, "0")).drop("months")
    return made if "events" in tidy.tables else made.drop("before", "before_sq")


def nine_in_ten(rows: Table, days: str) -> Table:
    """Return by trial between which days of a column (``…_low``, ``…_high``) nine of ten members lie."""
    counted = rows.group_by("trial", days).aggregate(n=rows.count())
    so_far = ibis.window(group_by="trial", order_by=days, preceding=None, following=0)
    sums = counted.mutate(
        until=counted.n.sum().over(so_far), of=counted.n.sum().over(ibis.window(group_by="trial"))
    )
    bounds = {"low": 20 * sums.until >= sums.of, "high": 20 * sums.until >= 19 * sums.of}
    found = {f"{days}_{end}": sums[days].min(where=reached) for end, reached in bounds.items()}
    return sums.group_by("trial").aggregate(**found)
