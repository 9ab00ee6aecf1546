"""Stages of membership at any instant: who is new, growing, active or silent, who has left and who is back.

Of a member at an instant nothing is read that happened, or became known, later: leaving, spells and their
ends by the instant itself, signs of life by whole days of 24 hours, counted back from `as_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.ranges import in_range
from sojourn.data.activity import activity_of, in_micros, micros
from sojourn.data.features.anchors import Anchors, anchors_of
from sojourn.data.tidy import Tidy

#: In the order of a member's life.
STAGES = ("new", "growing", "active", "silent", "left", "returned")

_KEYS = ("member", "at_us")
_SECOND, _DAY = 1_000_000, 86_400


def everybody(tidy: Tidy, at: datetime, study: str) -> Table:
    """Return all who had joined by an instant: `member`, `at_us` (microseconds since 1970)."""
    members = tidy.table("members", study)
    joined = members.filter(members.joined_at <= ibis.literal(at))
    return joined.select("member", at_us=ibis.literal(micros(at), "int64"))


def stages_at(
    tidy: Tidy,
    anchors: Table,
    params: Mapping[str, Any],
    study: str,
    *,
    at: datetime | None = None,
    until_before: bool = False,
) -> Table:
    """Return in which stage members were at instants.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``; without ``spells`` nobody is known to be back.
    anchors : ibis Table
        ``member``, ``at_us``: microseconds since 1970, not after `as_of`; a pair occurs once.
    params : mapping
        ``active_days`` (new is who joined less than so many days ago), ``growing_days`` (growing is who
        joined less than so many days ago and is no longer new), ``silent_days`` (silent is who did nothing
        for so many days and is not new).
    study : str
        Who asks, for its errors.
    at : datetime, optional
        The instant of all anchors, where they share one: quicker.
    until_before : bool
        Whether what members did at the very instant is left out, as where it may follow from what began then.

    Returns
    -------
    ibis Table
        ``member``, ``at_us``, ``stage`` (of `STAGES`), of those who had joined by then; ``age`` and
        ``silent``: whole days since joining, and since the last sign of life (missing where none is known);
        ``gone_us``: when those who have left did so, for the last time (microseconds since 1970; missing of
        others).
    """
    days = {
        name: in_range(params[name], name, ge=1) for name in ("active_days", "growing_days", "silent_days")
    }
    facing = anchors_of(tidy, anchors, at)
    rows = with_state(_joined(tidy, anchors, study), tidy)
    rows = facing.with_columns(rows, _last_seen(tidy, facing, study, until_before))
    now = rows.at_us // _SECOND
    age, silent = ((now - rows[name] // _SECOND) // _DAY for name in ("joined_us", "last_us"))
    stage = ibis.cases(
        ((rows.left == 1) & (rows.back == 0), "left"),
        (rows.back == 1, "returned"),
        (age < days["active_days"], "new"),
        ((silent >= days["silent_days"]).fill_null(True), "silent"),
        (age < days["growing_days"], "growing"),
        else_="active",
    )
    gone_us = ibis.ifelse(stage == "left", rows.gone_us, None)
    return rows.select(*_KEYS, stage=stage, age=age, silent=silent, gone_us=gone_us)


def with_state(rows: Table, tidy: Tidy) -> Table:
    """Add to members at instants ``left``, ``back`` (1 or 0), ``back_at`` and ``gone_us``.

    Who has left and has a later spell that goes on is back; ``back_at`` is when the first spell after leaving
    began, also of who left again; ``gone_us`` (microseconds since 1970) is when who is not back left for the
    last time, of others it means nothing.

    Parameters
    ----------
    rows : ibis Table
        ``member``, ``at_us``, ``ended_at`` (when the member first left; missing: has not), and any others.
    tidy : Tidy
        Of which ``spells`` is used where it is.
    """
    rows = rows.mutate(left=_number(in_micros(rows.ended_at) <= rows.at_us))
    if "spells" not in tidy.tables:
        none = {"back": ibis.literal(0, "int64"), "back_at": ibis.null("timestamp('UTC')")}
        return rows.mutate(**none, gone_us=in_micros(rows.ended_at))
    later = after_leaving(tidy, rows.filter(rows.left == 1).select(*_KEYS, left_at="ended_at"))
    later = later.filter(in_micros(later.begun_at) <= later.at_us)
    goes_on = later.until.isnull() | (in_micros(later.until) > later.at_us)
    found = later.group_by(*_KEYS).agg(
        back_at=later.begun_at.min(), back=_number(goes_on).max(), again_us=in_micros(later.until).max()
    )
    both = rows.left_join(found, _KEYS).drop("member_right", "at_us_right")
    gone = both.again_us.fill_null(in_micros(both.ended_at))
    return both.mutate(back=both.back.fill_null(0), gone_us=gone).drop("again_us")


def after_leaving(tidy: Tidy, gone: Table) -> Table:
    """Return spells that make who had left be back: those begun after leaving, or in the very second of it.

    Where dates have no times, who leaves and comes back on one day does both in one second; a spell that ends
    in that second is none.

    Parameters
    ----------
    tidy : Tidy
        With ``spells``.
    gone : ibis Table
        ``member``, ``left_at`` (when the member first left), and any others.

    Returns
    -------
    ibis Table
        The rows of `gone`, each as often as there are such spells, with ``begun_at`` and ``until`` (missing
        while the spell lasts).
    """
    spells = tidy.tables["spells"].select("member", begun_at="started_at", until="ended_at")
    both = gone.inner_join(spells, "member")
    runs_on = both.until.isnull() | (both.until > both.left_at)
    return both.filter(both.begun_at >= both.left_at, runs_on)


def with_us(tidy: Tidy, at: datetime, study: str) -> Table:
    """Return who was with us at an instant, who came back as well, and when they left then.

    Parameters
    ----------
    tidy : Tidy
        With ``members``; without ``spells`` nobody is known to be back.
    at : datetime
        The instant.
    study : str
        Who asks, for its errors.

    Returns
    -------
    ibis Table
        ``member``, ``at_us`` (the instant), ``until_us``: when they left after it (microseconds since 1970;
        missing of who has not).
    """
    rows = with_state(_joined(tidy, everybody(tidy, at, study), study), tidy)
    there = rows.filter((rows.left == 0) | (rows.back == 1))
    first = ibis.ifelse(there.left == 0, in_micros(there.ended_at), None)
    if "spells" not in tidy.tables:
        return there.select(*_KEYS, until_us=first)
    again = _leaving_again(tidy, there.filter(there.left == 1), micros(at))
    both = there.mutate(first_us=first).left_join(again, "member").drop("member_right")
    return both.select(*_KEYS, until_us=both.first_us.fill_null(both.again_us))


def _leaving_again(tidy: Tidy, returned: Table, at_us: int) -> Table:
    """Return `member` and `again_us`: the first end of a spell after an instant at which no other one runs.

    A spell is a stretch on one plan: where the next one begins as it ends, nobody has left.
    """
    later = after_leaving(tidy, returned.select("member", left_at="ended_at"))
    later = later.select("member", begun_us=in_micros(later.begun_at), until_us=in_micros(later.until))
    ends = later.filter(later.until_us > at_us).select("member", again_us="until_us").distinct()
    rows = ends.inner_join(later, "member")
    runs = (rows.begun_us <= rows.again_us) & (rows.until_us.isnull() | (rows.until_us > rows.again_us))
    each = rows.group_by("member", "again_us").agg(runs=_number(runs).max())
    return each.filter(each.runs == 0).group_by("member").agg(again_us=lambda t: t.again_us.min())


def leaving_of(members: Table) -> Value:
    """Return when members first left; missing in every row where the case has no such column."""
    return members.churned_at if "churned_at" in members.columns else ibis.null("timestamp('UTC')")


def _joined(tidy: Tidy, anchors: Table, study: str) -> Table:
    """Return `member`, `at_us`, `joined_us`, `ended_at` of anchors at which the member had joined."""
    members = tidy.table("members", study)
    known = members.select("member", joined_us=in_micros(members.joined_at), ended_at=leaving_of(members))
    rows = anchors.select(*_KEYS).inner_join(known, "member")
    return rows.filter(rows.joined_us <= rows.at_us)


def _last_seen(tidy: Tidy, anchors: Anchors, study: str, until_before: bool) -> Table:
    """Return the last sign of life since observation began (``last_us``) that was known by then."""
    begin = micros(_instant(tidy.meta["observed_from"]))
    activity = activity_of(tidy, study)
    rows = anchors.facing(activity.filter(activity.last_us >= begin).select("member", "known", "last_us"))
    rows = rows.filter(rows.known <= anchors.block(rows, until_before=until_before))
    return rows.group_by(*anchors.keys).agg(last_us=rows.last_us.max())


def _number(true: Value) -> Value:
    return true.fill_null(False).cast("int32").cast("int64")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
