"""Beyond the one comparison: who was brought, who is affected how, and the other trials of the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.trials.assigning import traits_of
from sojourn.data.cells.trials.decimals import AMOUNT, amount, count, decimal, product, total
from sojourn.data.cells.trials.doings import EARLY, has_amounts, members_of, net_value
from sojourn.data.cells.trials.people import BACK, STUDY, aim_of, end, enrolled, kept, matured
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

#: So many blocks of members; folds are put together of them.
BLOCKS = 40
#: So many levels of a feature keep their name, the most common ones.
_LEVELS = 8
_TENURE = ((7, "less than a week"), (30, "less than 30 days"), (90, "less than 90 days"))
_DAYS = ((1, "none"), (4, "1 to 3"), (10, "4 to 9"))


def around_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``features``, ``trials``, and where it is known who brought whom ``neighbours``, ``brought``.

    Members who had left bring nobody, so their trials have none of the last two.
    """
    made = {"features": _features(tidy, params), "trials": _trials(tidy, params)}
    stays = aim_of(tidy, params) != BACK
    if stays and "referred_by" in tidy.meta.get("present", {}).get("members", ()):
        made |= {"neighbours": _neighbours(tidy, params), "brought": _brought(tidy, params)}
    return made


def _neighbours(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members brought by members of the trial after these were assigned, and who of them was kept.

    Their follow-up begins with their joining, whether they are in the trial or not.
    """
    days = max(int(days) for days in params["horizons"])
    rows = members_of(tidy, params)
    referrers = rows.select(referred_by="member", scheme="scheme", since="assigned_at")
    own = rows.select("member", own="scheme")
    brought = tidy.table("members", STUDY).select("member", "referred_by", "joined_at", "churned_at")
    brought = brought.inner_join(referrers, "referred_by").left_join(own, "member").drop("member_right")
    brought = brought.filter(brought.joined_at >= brought.since).mutate(assigned_at=brought.joined_at)
    judged = brought.filter(matured(brought, tidy, days))
    judged = judged.select("scheme", own=judged.own.fill_null("-"), k=kept(judged, days))
    return judged.group_by("scheme", "own").aggregate(n=judged.count(), k=count(judged.k))


def _brought(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members of the trial by the scheme of the member of it who brought them ("-": nobody did)."""
    days = max(int(days) for days in params["horizons"])
    rows = members_of(tidy, params)
    judged = rows.filter(matured(rows, tidy, days))
    judged = judged.select("referred_by", "scheme", k=kept(judged, days))
    referrers = rows.select(referred_by="member", referrer="scheme")
    both = judged.left_join(referrers, "referred_by")
    both = both.select("scheme", "k", referrer=both.referrer.fill_null("-"))
    return both.group_by("scheme", "referrer").aggregate(n=both.count(), k=count(both.k))


def _features(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return matured members by everything known before assignment, a block, and what became of them."""
    days = int(params["value_days"])
    rows = members_of(tidy, params)
    rows = rows.filter(rows.is_matured == 1)
    known = {name: _common(rows, name) for name in traits_of(tidy) if name != "gender"}
    known |= {"tenure": _banded(rows.tenure, _TENURE, "90 days or more")}
    if "events" in tidy.tables:
        known["active_before"] = _banded(rows.active_before, _DAYS, "10 or more")
    if has_amounts(tidy):
        known["paid_before"] = ibis.ifelse(rows.paid_before > 0, "something", "nothing")
    net = net_value(rows, params)
    done = {"kept": rows[f"there_{days}"], "net": net, "revenue": rows.revenue}
    rows = rows.select("scheme", block=rows.member % BLOCKS, **done, **known)
    return rows.group_by(*known, "scheme", "block").aggregate(
        n=rows.count(),
        kept=count(rows.kept),
        total=total(rows.net),
        total_sq=total(product(rows.net, rows.net)),
        revenue=total(rows.revenue),
    )


def _banded(number_of: Value, bands: tuple[tuple[int, str], ...], rest: str) -> Value:
    return ibis.cases(*((number_of < below, name) for below, name in bands), else_=rest)


def _common(rows: Table, name: str) -> Value:
    """Return a feature whose rare levels have become one."""
    filled = rows[name].fill_null("unknown")
    counted = rows.select(level=filled).group_by("level").aggregate(n=ibis._.count()).to_pyarrow().to_pylist()
    order = sorted(counted, key=lambda row: (-row["n"], row["level"]))
    common = [row["level"] for row in order[:_LEVELS]]
    return filled if len(order) <= _LEVELS else ibis.ifelse(filled.isin(common), filled, "other")


def _trials(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return, for every trial of the case, outcomes beside an early sign of the same member.

    The early sign is on how many of the first days members came. Outcomes are being kept to the longest
    horizon (of those followed so long; being back in trials of members who had left), and revenue and net
    value within the value days.
    """
    days, horizon = int(params["value_days"]), max(int(days) for days in params["horizons"])
    there, rows = f"there_{horizon}", enrolled(tidy, params)
    rows = rows if "spells" in tidy.tables else rows.filter(rows.aim != BACK)  # nobody is known to be back
    rows = rows.filter(rows.takes_part == 1).select("trial", "member", "scheme", "assigned_at", "aim", there)
    rows = held(_with_doings(rows, tidy, days))
    judged = rows.filter(matured(rows, tidy, max(horizon, EARLY)))
    parts = [_beside_early(judged, judged.aim + f"_at_{horizon}", judged[there])]
    if has_amounts(tidy):
        followed = rows.filter(matured(rows, tidy, max(days, EARLY)))
        of = {"margin": params["margin"], "cost_per_member": {}}
        amounts = {"revenue": followed.revenue, "net_value": net_value(followed, of)}
        parts += [_beside_early(followed, ibis.literal(name), late) for name, late in amounts.items()]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by("trial", "scheme", "outcome").aggregate(
        n=every.count(),
        total=total(every.late),
        total_sq=total(product(every.late, every.late)),
        early=total(every.early),
        early_sq=total(product(every.early, every.early)),
        cross=total(product(every.late, every.early)),
    )


def _beside_early(rows: Table, outcome: Value, late: Value) -> Table:
    return rows.select(
        "trial",
        "scheme",
        outcome=outcome,
        late=late.cast(AMOUNT),
        early=rows.early.cast(AMOUNT),
    )


def _with_doings(rows: Table, tidy: Tidy, days: int) -> Table:
    """Return members of all trials with ``early``, ``revenue`` and ``spent``."""
    keys = ["trial", "member"]
    none = ibis.literal(0, "int64")
    if "events" in tidy.tables:
        events = tidy.table("events", STUDY)
        paid = events.amount if has_amounts(tidy) else ibis.null(AMOUNT)
        events = events.select(
            "member", "occurred_at", paid=paid, day=clock_of(tidy.meta).day(events.occurred_at)
        )
        near = rows.inner_join(events, "member")
        near = near.filter(
            near.occurred_at >= near.assigned_at, near.occurred_at < end(near, max(days, EARLY))
        )
        early, within = near.occurred_at < end(near, EARLY), near.occurred_at < end(near, days)
        done = near.group_by(*keys).aggregate(
            early=near.day.nunique(where=early), revenue=near.paid.sum(where=within).cast(AMOUNT)
        )
        rows = rows.left_join(done, keys).drop("trial_right", "member_right")
        rows = rows.mutate(early=rows.early.fill_null(0).cast("int64"), revenue=amount(rows.revenue))
    else:
        rows = rows.mutate(early=none, revenue=decimal(0))
    if "costs" not in tidy.tables:
        return rows.mutate(spent=decimal(0))
    costs = tidy.table("costs", STUDY).select("member", "scheme", "at", cost="amount")
    near = rows.inner_join(costs, ["member", "scheme"])
    near = near.filter(near["at"] >= near.assigned_at, near["at"] < end(near, days))
    spent = near.group_by(*keys).aggregate(spent=near.cost.sum().cast(AMOUNT))
    rows = rows.left_join(spent, keys).drop("trial_right", "member_right")
    return rows.mutate(spent=amount(rows.spent))
