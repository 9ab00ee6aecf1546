"""Silence: signs of life of members, and the gaps between them that are too long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
from ibis import Table

from sojourn.data.activity import activity_of, known_by
from sojourn.data.cells.retention.days import DAY, as_of, seconds
from sojourn.data.tidy import Tidy

STUDY = "retention"


def signs_of_life(tidy: Tidy, params: Mapping[str, Any], at: datetime | None = None) -> Table:
    """Return `member` and `at` (seconds since 1970) of joining and of every later event.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``.
    params : mapping
        ``event``: the kind that counts, or ``any``.
    at : datetime, optional
        As far as events had happened and were known at this instant, whole days before `as_of`; `as_of` where
        not given. Of rows of activity only the first and the last event are there: no gap longer than a day
        lies within one.
    """
    members = tidy.table("members", STUDY)
    joined = members.select("member", at=seconds(members.joined_at))
    seen = active(tidy, params, at).inner_join(joined.rename(joined="at"), "member")
    return ibis.union(joined, seen.filter(seen["at"] >= seen.joined).select("member", "at"))


def active(tidy: Tidy, params: Mapping[str, Any], at: datetime | None = None) -> Table:
    """Return `member` and `at` (seconds since 1970) of events, as `signs_of_life` does with joining."""
    return _activity(tidy, at) if params["event"] == "any" else _events(tidy, params["event"], at)


def sittings(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return `member`, `first` and `last` (seconds since 1970) of events that lie within a day."""
    if params["event"] != "any":
        rows = _events(tidy, params["event"], None)
        return rows.select("member", first="at", last="at")
    rows = activity_of(tidy, STUDY)
    return rows.select("member", first=rows.first_us // 1_000_000, last=rows.last_us // 1_000_000)


def gaps(signs: Table) -> Table:
    """Return `member`, `at` and `until` (seconds since 1970): from each sign of life to the next, if any."""
    following = ibis.window(group_by=signs.member, order_by=signs["at"])
    return signs.mutate(until=signs["at"].lead().over(following))


def long_gaps(tidy: Tidy, params: Mapping[str, Any], at: datetime | None = None) -> Table:
    """Return the gaps longer than ``lapse_days``; each member's last, which has no end, is always one."""
    every = gaps(signs_of_life(tidy, params, at))
    return every.filter(every.until.isnull() | (every.until - every["at"] > params["lapse_days"] * DAY))


def _activity(tidy: Tidy, at: datetime | None) -> Table:
    rows = activity_of(tidy, STUDY)
    if at is not None:
        rows = rows.filter(known_by(rows, at, as_of(tidy)))
    ends = [rows.select("member", at=rows[name] // 1_000_000) for name in ("first_us", "last_us")]
    return ibis.union(*ends)


def _events(tidy: Tidy, event: str, at: datetime | None) -> Table:
    """Return every event of one kind that had happened and was known at an instant."""
    by = at or as_of(tidy)
    events = tidy.table("events", STUDY)
    known = (events.event == event) & (events.occurred_at <= by)
    if "recorded_at" in events.columns:
        known &= events.recorded_at.isnull() | (events.recorded_at <= by)
    events = events.filter(known)
    return events.select("member", at=seconds(events.occurred_at))
