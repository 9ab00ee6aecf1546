"""Beyond the one comparison: who was brought, and who is affected how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.trials.assigning import traits_of
from sojourn.data.cells.trials.decimals import count, product, total
from sojourn.data.cells.trials.doings import has_amounts, members_of, net_value
from sojourn.data.cells.trials.people import BACK, STUDY, aim_of, kept, matured
from sojourn.data.tidy import Tidy

#: So many blocks of members; folds are put together of them.
BLOCKS = 40
#: So many levels of a feature keep their name, the most common ones.
_LEVELS = 8
_TENURE = ((7, "less than a week"), (30, "less than 30 days"), (90, "less than 90 days"))
_DAYS = ((1, "none"), (4, "1 to 3"), (10, "4 to 9"))


def around_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``features``, and where it is known who brought whom ``neighbours``, ``brought``.

    Members who had left bring nobody, so their trials have none of the last two.
    """
    made = {"features": _features(tidy, params)}
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
