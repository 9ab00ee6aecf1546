"""Cells of the portfolio: every trial of a case, with outcomes beside what the same members did early.

Who is in a trial, and whether it asks who is kept or who is back, is told as for one trial alone
(`sojourn.data.cells.trials`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.ranges import in_range
from sojourn.data.cells.trials.costs import refuse_shared_costs
from sojourn.data.cells.trials.decimals import AMOUNT, amount, count, cut, decimal, product, total
from sojourn.data.cells.trials.doings import BEFORE, EARLY, has_amounts, net_value
from sojourn.data.cells.trials.people import BACK, KEPT, end, enrolled, matured
from sojourn.data.cells.trials.words import words_of
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

STUDY = "portfolio"


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``trials`` and ``arms``.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case; `members` and `assignments` are needed, `events`, `costs`, `spells` used where
        they are.
    params : mapping
        ``horizon_days`` (of being kept, or back), ``value_days``, ``margin`` (share of revenue),
        ``cost_per_member`` (by scheme).

    Returns
    -------
    dict of str to ibis Table
        ``trials``: sums over members by trial, scheme and outcome of the outcome (``total``), of the days on
        which they came in their first two weeks (``early``), their squares and products (``cross``).
        ``arms``: by trial and scheme ``assigned``, ``matured``, ``month`` (mean of assignments) and,
        where there are events, ``before`` and ``before_sq``: days on which members came in the four weeks
        before assignment.

    Raises
    ------
    MissingTableError
        When the case has no assignments.
    """
    in_range(params["horizon_days"], "horizon_days", ge=1)
    tidy.table("assignments", STUDY)
    rows = members_of_trials(tidy, params)
    return {"trials": _trials(rows, tidy, params), "arms": _arms(rows, tidy, params)}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Raises
    ------
    DataError
        When a scheme has costs that belong to no member.
    """
    refuse_shared_costs(tidy)
    horizon, days = int(params["horizon_days"]), int(params["value_days"])
    truth = tidy.meta.get("truth", {}).get("trials")
    return {
        "unit": "member",
        "horizon_days": days,
        "currency": tidy.meta.get("currency", ""),
        "margin": params["margin"],
        "cost_per_member": dict(params["cost_per_member"]),
        "before_days": BEFORE,
        "early_days": EARLY,
        "words": {**words_of(BACK, [horizon], days), **words_of(KEPT, [horizon], days)},
        **({"truth": truth} if truth is not None else {}),
    }


def amounts_of_trials(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return one row per member with the largest ``amount`` without its sign, by outcome that is money."""
    if not has_amounts(tidy):
        return {}
    rows = _followed(members_of_trials(tidy, params), tidy, params)
    return {
        name: rows.group_by("member").aggregate(amount=value.abs().max())
        for name, value in _amounts(rows, params).items()
    }


def members_of_trials(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member and trial, made once.

    Returns
    -------
    ibis Table
        ``trial``, ``member``, ``scheme``, ``assigned_at``, ``aim``, ``there`` (1: kept, or back, at the
        horizon), ``before`` and ``early`` (local days with an event in the `BEFORE` days before and the
        `EARLY` days after assignment), ``revenue``, ``spent`` (within the value days).
    """
    days, horizon = int(params["value_days"]), int(params["horizon_days"])
    named = f"{STUDY}: members of all trials, judged after {horizon} and {days}"
    return tidy.once(named, lambda: held(_members_of_trials(tidy, days, horizon)))


def _members_of_trials(tidy: Tidy, days: int, horizon: int) -> Table:
    rows = enrolled(tidy, {"horizons": [horizon], "value_days": days})
    rows = rows if "spells" in tidy.tables else rows.filter(rows.aim != BACK)  # nobody is known to be back
    rows = rows.filter(rows.takes_part == 1)
    rows = rows.select("trial", "member", "scheme", "assigned_at", "aim", there=rows[f"there_{horizon}"])
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


def _trials(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    horizon, caps = int(params["horizon_days"]), params.get("caps", {})
    judged = rows.filter(matured(rows, tidy, max(horizon, EARLY)))
    if "churned_at" not in tidy.meta.get("present", {}).get("members", ["churned_at"]):
        judged = judged.filter(judged.aim == BACK)  # where nobody's leaving is recorded, all would be kept
    parts = [_beside_early(judged, judged.aim + f"_at_{horizon}", judged.there)]
    if has_amounts(tidy):
        followed = _followed(rows, tidy, params)
        parts += [
            _beside_early(followed, ibis.literal(name), cut(late, caps.get(name)))
            for name, late in _amounts(followed, params).items()
        ]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by("trial", "scheme", "outcome").aggregate(
        n=every.count(),
        total=total(every.late),
        total_sq=total(product(every.late, every.late)),
        early=total(every.early),
        early_sq=total(product(every.early, every.early)),
        cross=total(product(every.late, every.early)),
    )


def _followed(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    return rows.filter(matured(rows, tidy, max(int(params["value_days"]), EARLY)))


def _amounts(rows: Table, params: Mapping[str, Any]) -> dict[str, Value]:
    return {"revenue": rows.revenue, "net_value": net_value(rows, params)}


def _beside_early(rows: Table, outcome: Value, late: Value) -> Table:
    return rows.select(
        "trial", "scheme", outcome=outcome, late=late.cast(AMOUNT), early=rows.early.cast(AMOUNT)
    )


def _arms(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    days = max(int(params["value_days"]), int(params["horizon_days"]), EARLY)
    day = clock_of(tidy.meta).day(rows.assigned_at)
    rows = rows.mutate(
        since=day.year().cast("int64") * 12 + day.month().cast("int64") - 1,  # months
        is_matured=ibis.ifelse(matured(rows, tidy, days), 1, 0),
    )
    made = rows.group_by("trial", "scheme").aggregate(
        assigned=rows.count(),
        matured=count(rows.is_matured),
        months=count(rows.since),
        before=count(rows.before),
        before_sq=count(rows.before * rows.before),
    )
    mean = (made.months // made.assigned).cast("int64")
    year, number = (mean // 12).cast("int64"), (mean % 12 + 1).cast("int64")
    made = made.mutate(month=year.cast("string") + "-" + number.cast("string").lpad(2, "0")).drop("months")
    return made if "events" in tidy.tables else made.drop("before", "before_sq")
