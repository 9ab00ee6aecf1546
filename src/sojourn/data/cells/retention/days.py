"""Instants as whole seconds, durations as whole days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
from ibis import Value

from sojourn.data.activity import in_micros, make_date
from sojourn.data.localtime import Clock
from sojourn.data.tidy import Tidy

DAY = 86_400


def instant(text: str) -> datetime:
    """Return an instant of ``tidy.json``."""
    return datetime.fromisoformat(text).astimezone(UTC)


def as_of(tidy: Tidy) -> datetime:
    """Return the instant after which nothing is read."""
    return instant(tidy.meta["as_of"])


def seconds(at: Value) -> Value:
    """Return whole seconds since 1970."""
    return (in_micros(at) // 1_000_000).cast("int64")


def days_down(of_seconds: Value) -> Value:
    """Return how many days have ended."""
    return (of_seconds // DAY).cast("int64")


def days_up(of_seconds: Value) -> Value:
    """Return how many days have begun."""
    return -((-of_seconds) // DAY).cast("int64")


def number(true: Value) -> Value:
    """Return 1 where something is known to be true and 0 elsewhere."""
    return true.fill_null(False).cast("int32").cast("int64")


def month(at: Value, clock: Clock) -> Value:
    """Return the month that a clock shows at an instant, as a number: twelve a year, 0 in January of year 0.

    DuckDB takes year and month from a date at a tenth of what they cost from an instant.
    """
    local = clock.time(at)
    if at.get_backend().name == "duckdb":
        local = make_date(((seconds(at) + clock.offset(at)) // DAY).cast("int32"))
    return (local.year().cast("int64") * 12 + local.month().cast("int64") - 1).cast("int64")


def month_name(number_of_month: Value) -> Value:
    """Return the name of a month, such as 2025-03."""
    named = (number_of_month % 12 + 1).cast("string").lpad(2, "0")
    return (number_of_month // 12).cast("int64").cast("string") + "-" + named


def gap_days(params: Mapping[str, Any]) -> int:
    """Return after how many days of silence members have left; 0 where they cancel."""
    silence = params["churn"] == "silence"
    return int(params["lapse_days"]) if silence else 0


def judged_to(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the last second at which leaving can be judged: `as_of`, for silence less a whole gap."""
    return int((as_of(tidy) - timedelta(days=gap_days(params))).timestamp())


def some_late(tidy: Tidy) -> bool:
    """Whether anybody can have joined before observation began."""
    begin: str | None = tidy.meta.get("observed_from")
    return begin is not None and instant(tidy.meta["first_instant"]) < instant(begin)


def entry(tidy: Tidy, joined_at: Value) -> Value:
    """Return the first whole day since joining that was observed: 0 where observation had begun."""
    if not some_late(tidy):
        return ibis.literal(0, "int64")
    unseen = int(instant(tidy.meta["observed_from"]).timestamp()) - seconds(joined_at)
    return ibis.ifelse(unseen > 0, days_up(unseen), ibis.literal(0, "int64"))


def first_seen_after(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the second before which a first sight says nothing of joining."""
    begin = tidy.meta.get("observed_from") or tidy.meta["first_instant"]
    skipped: int = params["first_seen_after_days"] * DAY
    return int(instant(begin).timestamp()) + skipped
