"""Counts of what members did up to their anchors."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis
from ibis import Table

from sojourn.core.measures import HOURS, Counting
from sojourn.data.activity import DAY_US, activity_of, in_micros, micros
from sojourn.data.features.anchors import Anchors, anchors_of
from sojourn.data.features.counting import STUDY, by_kind, numbered, of_kind
from sojourn.data.features.families import MAKERS, columns_of, need_tables
from sojourn.data.tidy import Tidy

#: Counts that every case has, whole numbers; beside them `value`, which is money.
BASE: tuple[str, ...] = (
    "observed_days",
    "tenure_days",
    "recency_days",
    "active_days",
    "events",
    "active_last",
    "active_before",
    "kinds",
    "purchases",
    "weekend_days",
)

MONEY = "decimal(38, 9)"

_STANDING = ("observed_days", "tenure_days")
_DONE = (*[name for name in BASE if name not in (*_STANDING, "kinds")], "value")


def counted_at(
    tidy: Tidy,
    counting: Counting,
    anchors: Table,
    *,
    at: datetime | None = None,
    columns: Collection[str] | None = None,
) -> Table:
    """Return what members did up to their anchors.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``.
    counting : Counting
        What is counted.
    anchors : ibis Table
        ``member`` and ``at_us`` (int64, microseconds since 1970, whole days of 24 hours before ``as_of``:
        see `day_before`), unique together; other columns are kept.
    at : datetime, optional
        The instant of all anchors, where they share one: quicker.
    columns : collection of str, optional
        Only these counts are made; all of the counting where not stated.

    Returns
    -------
    ibis Table
        The rows of `anchors` with int64 counts: those of `BASE`, ``kind_1`` …, those of the counting's
        families, and ``value`` (DECIMAL). Nothing that happened, or became known, after ``at_us`` is in it.
        ``recency_days`` of who did nothing is ``observed_days``; who joins later has negative days.

    Raises
    ------
    MissingTableError
        When the case has no members or no events, or no longer what is counted.
    """
    every = [*BASE, *numbered(counting.kinds), *columns_of(counting.families), "value"]
    asked = [name for name in every if columns is None or name in columns]
    need_tables(tidy, counting, asked)
    facing = anchors_of(tidy, anchors, at)
    table = _standing(tidy, facing)
    for part in _parts(tidy, counting, facing, set(asked)):
        table = facing.with_columns(table, part)
    if "recency_days" in asked:
        table = table.mutate(recency_days=table.recency_days.fill_null(table.observed_days))
    return table.select(
        *anchors.columns,
        **{name: table[name].fill_null(0).cast(MONEY if name == "value" else "int64") for name in asked},
    )


def _standing(tidy: Tidy, anchors: Anchors) -> Table:
    """Return the anchors with whole days since joining, and since the member could be observed."""
    members = tidy.table("members", STUDY)
    joined = members.select("member", joined_us=in_micros(members.joined_at))
    both = anchors.table.left_join(joined, "member").drop("member_right")
    since = micros(datetime.fromisoformat(tidy.meta["observed_from"]))
    return both.mutate(
        tenure_days=(both.at_us - both.joined_us) // DAY_US,
        observed_days=(both.at_us - ibis.greatest(both.joined_us, since)) // DAY_US,
    ).drop("joined_us")


def _parts(tidy: Tidy, counting: Counting, anchors: Anchors, asked: set[str]) -> list[Table]:
    """Return tables of counts by the anchors' keys, of which any column is asked for."""
    parts = [_done(tidy, counting, anchors)] if asked & set(_DONE) else []
    kinds = {"kinds", *numbered(counting.kinds), "features", "social", *HOURS}
    if asked & kinds:
        parts.append(_kinds(tidy, counting, anchors))
    return parts + [make(tidy, anchors) for names, make in MAKERS.items() if asked & set(names)]


def _done(tidy: Tidy, counting: Counting, anchors: Anchors) -> Table:
    """Return counts and money from the days on which members did something."""
    rows = anchors.facing(activity_of(tidy, STUDY))
    rows = rows.filter(rows.known <= anchors.block(rows))
    rows = rows.mutate(ago=(rows.at_us - rows.last_us) // DAY_US)  # the same for all events of a row
    done = rows.group_by(anchors.keys).agg(
        recency_days=rows.ago.min(),
        events=rows.n.sum(),
        purchases=rows.purchases.sum(),
        value=rows.paid.sum(),
    )
    return anchors.with_columns(done, _days(rows, counting.trend_days, anchors))


def _days(rows: Table, trend_days: int, anchors: Anchors) -> Table:
    """Return on how many different days of each kind members did something."""
    last, earlier = rows.ago < trend_days, (rows.ago >= trend_days) & (rows.ago < 2 * trend_days)
    days = rows.group_by(*anchors.keys, "day").agg(last=last.any(), earlier=earlier.any())
    weekend = days.day.day_of_week.index() >= 5
    return days.group_by(anchors.keys).agg(
        active_days=days.count(),
        active_last=days["last"].cast("int32").sum(),
        active_before=days.earlier.cast("int32").sum(),
        weekend_days=weekend.cast("int32").sum(),
    )


def _kinds(tidy: Tidy, counting: Counting, anchors: Anchors) -> Table:
    """Return how many different kinds of things were done, how often the common ones, where and when."""
    done = by_kind(tidy, anchors)
    often = {
        name: done.n.sum(where=of_kind(done, kind))
        for name, kind in zip(numbered(counting.kinds), counting.kinds, strict=True)
    }
    if "features" in counting.families:
        often["features"] = done.feature.nunique()
    if "social" in counting.families:
        often["social"] = done.n.sum(where=done.event.isin(counting.social))
    hours = {name: done[name].sum() for name in HOURS}
    return done.group_by(anchors.keys).agg(kinds=done.count(), **often, **hours)
