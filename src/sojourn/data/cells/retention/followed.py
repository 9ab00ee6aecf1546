"""One row per member: groups known at joining, and the days of entry, leaving and full follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range, one_of
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.cells.retention.days import (
    as_of,
    days_down,
    days_up,
    entry,
    first_seen_after,
    judged_to,
    month,
    month_name,
    number,
    seconds,
    some_late,
)
from sojourn.data.cells.retention.silence import STUDY, long_gaps
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

ENOUGH_SEEN = "followed"
SEEN_FROM_THE_START = "first seen when the data begin, who may have joined long before"
#: Columns of days and marks, beside the groups.
_DAYS = ("late", "entry", "exit", "churned", "follow_up", "came_back")
_THEN = ("exit_then", "churned_then", "follow_up_then", "followed_then")


def bys(params: Mapping[str, Any]) -> list[str]:
    """Return the groupings: everybody, months of joining, and those asked for."""
    return ["all", "cohort", *params["groups"]]


def everybody(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member of the case; under silence, where that is dear, made once.

    Returns
    -------
    ibis Table
        ``member``, ``began`` (second of joining), ``month`` (of joining, a number), the groups of `bys`
        (text), ``reason`` (text, of the first leaving), ``late``, ``entry``, ``exit``, ``churned``,
        ``follow_up``, ``came_back``, ``status``, and where ``exam_days`` is asked for ``exit_then``,
        ``churned_then``, ``follow_up_then``, ``followed_then``: the same as it was known so many days before
        `as_of`. Days since joining.
    """
    _check(params)
    if params["churn"] == "cancellation":
        return _everybody(tidy, params)  # read from the file as often as it is asked for: that is cheaper
    return tidy.once(named(params), lambda: held(_everybody(tidy, params)))


def named(params: Mapping[str, Any], what: str = "members") -> str:
    """Return the name of what is made of members once for the same parameters."""
    asked = ("churn", "lapse_days", "event", "first_seen_after_days", "exam_days")
    return f"{STUDY}: {what} by {[params.get(name) for name in asked]} {list(params['groups'])}"


def followed(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return the members of `everybody` who were followed."""
    members = everybody(tidy, params)
    left_out = [why for why, _ in _left_out(members, tidy, params)]
    return members.filter(*[~why for why in left_out]).drop("status")


def _check(params: Mapping[str, Any]) -> None:
    one_of(params["churn"], "churn", ("cancellation", "silence"))
    in_range(params["lapse_days"], "lapse_days", ge=1)
    in_range(params["first_seen_after_days"], "first_seen_after_days", ge=0)
    for name in ("landmark", "exam_days"):
        if name in params:
            in_range(params[name], name, ge=1)


def _everybody(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    members = tidy.table("members", STUDY)
    _check_groups(members, params["groups"])
    silence = params["churn"] == "silence"
    ended = _silences(tidy, members, params) if silence else _endings(tidy, members)
    rows = ended.mutate(
        began=seconds(ended.joined_at),
        entry=entry(tidy, ended.joined_at),
        month=month(ended.joined_at, clock_of(tidy.meta)),
        all=ibis.literal("all"),
    )
    rows = rows.mutate(
        cohort=month_name(rows.month),
        follow_up=days_down(judged_to(tidy, params) - rows.began),
        leaves=days_up(rows.ended - rows.began),
        late=number(rows.entry > 0),
    )
    rows = rows.mutate(churned=number(rows.leaves <= rows.follow_up))
    rows = rows.mutate(exit=ibis.ifelse(rows.churned == 1, rows.leaves, rows.follow_up))
    rows = _as_known_then(rows, params) if "exam_days" in params else rows
    rows = rows.mutate(status=ibis.cases(*_left_out(rows, tidy, params), else_=ENOUGH_SEEN))
    then = _THEN if "exam_days" in params else ()
    groups = {by: rows[by].fill_null("unknown") for by in bys(params)}
    return rows.select("member", "began", "month", "status", *_DAYS, *then, reason=_reason(rows), **groups)


def _reason(rows: Table) -> Value:
    known = rows.churn_reason if "churn_reason" in rows.columns else ibis.null("string")
    return known.fill_null("unknown")


def _as_known_then(rows: Table, params: Mapping[str, Any]) -> Table:
    """Add what was known ``exam_days`` before `as_of`; full follow-up was shorter by as many days."""
    rows = rows.mutate(
        follow_up_then=rows.follow_up - params["exam_days"], leaves_then=days_up(rows.ended_then - rows.began)
    )
    rows = rows.mutate(churned_then=number(rows.leaves_then <= rows.follow_up_then))
    rows = rows.mutate(exit_then=ibis.ifelse(rows.churned_then == 1, rows.leaves_then, rows.follow_up_then))
    seen = (rows.late == 0) | (rows.exit_then > rows.entry)
    return rows.mutate(followed_then=number((rows.follow_up_then >= 0) & seen))


def _left_out(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> list[tuple[Value, str]]:
    """Return who is not followed, and why, as far as there can be such; the first reason counts."""
    found: list[tuple[Value, str]] = []
    if params["first_seen_after_days"] > 0:
        found += [(rows.began < first_seen_after(tidy, params), SEEN_FROM_THE_START)]
    found += [(rows.follow_up < 0, "joined too recently to be judged")]
    if some_late(tidy) and params["churn"] == "silence":
        # whether their first long gap came before observation began cannot be known
        found += [(rows.late == 1, "joined before observation began")]
    elif some_late(tidy):
        found += [((rows.late == 1) & (rows.exit <= rows.entry), "not seen for one whole day")]
    return found


def _endings(tidy: Tidy, members: Table) -> Table:
    """Return members with `ended`, the second of cancellation where it is known by `as_of`."""
    if "churned_at" not in members.columns:
        raise DataError.missing_column("members", "churned_at", members.columns)
    known = members.churned_at <= as_of(tidy)
    members = members.mutate(
        ended=ibis.ifelse(known, seconds(members.churned_at), ibis.null("int64")),
        came_back=ibis.literal(0, "int64"),
    )
    return members.mutate(ended_then=members.ended)  # whether it was known then, its day says


def _silences(tidy: Tidy, members: Table, params: Mapping[str, Any]) -> Table:
    """Return members with `ended`, where the first gap longer than ``lapse_days`` starts, and `came_back`.

    A gap counts only when it begins within follow-up, which ends a whole gap before `as_of`: it was seen at
    full length, and an earlier `as_of` never changes a judgement.
    """
    found = long_gaps_once(tidy, params)
    first = found.group_by("member").aggregate(ended=found["at"].min(), last_sign=found["at"].max())
    joined = members.left_join(first, "member").drop("member_right")
    joined = joined.mutate(came_back=number(joined.last_sign > joined.ended))
    if "exam_days" not in params:
        return joined
    then = long_gaps(tidy, params, as_of(tidy) - timedelta(days=params["exam_days"]))
    first = then.group_by("member").aggregate(ended_then=then["at"].min())
    return joined.left_join(first, "member").drop("member_right")


def long_gaps_once(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return `long_gaps` as they are known now, made once for the same parameters."""
    key = f"{STUDY}: gaps longer than {params['lapse_days']} days between {params['event']}"
    return tidy.once(key, lambda: held(long_gaps(tidy, params)))


def _check_groups(members: Table, groups: Sequence[str]) -> None:
    for group in groups:
        known_at_joining(group, KNOWN_AT_JOINING)
        if group not in (*members.columns, "all", "cohort"):
            raise DataError.missing_column("members", group, members.columns)
