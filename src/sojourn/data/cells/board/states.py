"""Segment and stage of every member at an instant, made once for each.

Who is gone then has the segment of the last whole day before leaving: silence since would tell how long ago
that was, and not who left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.results.take_away import TakeAway
from sojourn.core.text import local_date
from sojourn.data.engine import held
from sojourn.data.features import day_before
from sojourn.data.scoring import segments_at
from sojourn.data.stages import everybody, stages_at
from sojourn.data.tidy import Tidy

STUDY = "board"
#: What the board calls those who have left and are not back.
CHURNED = "churned"


def rule_of(params: Mapping[str, Any]) -> TakeAway:
    """Return the rule that tells segments."""
    rule: TakeAway = params["frozen_rule"].rule
    return rule


def stage_days(params: Mapping[str, Any]) -> dict[str, int]:
    """Return the days that tell stages."""
    return {name: params[name] for name in ("active_days", "growing_days", "silent_days")}


def instant(tidy: Tidy, days_ago: int = 0) -> datetime:
    """Return the instant so many times 24 hours before `as_of`."""
    return datetime.fromisoformat(tidy.meta["as_of"]).astimezone(UTC) - timedelta(days=days_ago)


def day(tidy: Tidy, days_ago: int = 0) -> date:
    """Return the date so many days before that of `as_of`, by the clock of the case."""
    return local_date(tidy.meta["as_of"], tidy.meta["time_zone"], days_ago=days_ago)


def longest(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return how many days before `as_of` somebody can have had a segment."""
    begin = datetime.fromisoformat(tidy.meta["observed_from"])
    return (instant(tidy) - begin).days - rule_of(params).counting.min_tenure_days


def everyone_at(tidy: Tidy, params: Mapping[str, Any], days_ago: int = 0) -> Table:
    """Return all who had joined so many days ago, made once: `member`, `segment` and what `staged` tells."""
    named = f"{STUDY}: everyone {days_ago} days ago by {rule_of(params).fingerprint} and {stage_days(params)}"
    return tidy.once(named, lambda: held(_everyone_at(tidy, params, instant(tidy, days_ago))))


def _everyone_at(tidy: Tidy, params: Mapping[str, Any], at: datetime) -> Table:
    rows = staged(tidy, everybody(tidy, at, STUDY), params, at=at)
    return in_segments(tidy, params, rows, rows.at_us).drop("gone_us", "day_us")


def in_segments(tidy: Tidy, params: Mapping[str, Any], rows: Table, at_us: Value) -> Table:
    """Add to members at instants their ``segment``: of those who are gone, the one in which they left.

    Parameters
    ----------
    rows : ibis Table
        ``member``, ``gone_us`` (see `staged`), and any others.
    at_us : ibis Value
        The latest instants up to which is counted, in microseconds since 1970: up to the last one before that
        lies whole days before `as_of`.
    """
    until = ibis.least(rows.gone_us.fill_null(at_us), at_us)
    rows = held(rows.mutate(day_us=day_before(until, instant(tidy))))
    days = rows.select("member", at_us="day_us").distinct()
    segments = segments_at(tidy, rule_of(params), days).rename(day_us="at_us")
    return rows.left_join(segments, ["member", "day_us"]).drop("member_right", "day_us_right")


def staged(tidy: Tidy, anchors: Table, params: Mapping[str, Any], **asked: Any) -> Table:
    """Return stages of anchors by the board's names, and what else `stages_at` tells of them."""
    rows = stages_at(tidy, anchors, params, STUDY, **asked)
    return rows.mutate(stage=ibis.ifelse(rows.stage == "left", CHURNED, rows.stage))


def now(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members by segment and stage at `as_of`."""
    rows = everyone_at(tidy, params)
    return rows.group_by("segment", "stage").agg(members=rows.count())
