"""Instants as whole seconds, durations as whole days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
from ibis import Value

from sojourn.data.tidy import Tidy

DAY = 86_400


def instant(text: str) -> datetime:
    """Return an instant of ``tidy.json``."""
    return datetime.fromisoformat(text).astimezone(UTC)


def as_of(tidy: Tidy) -> datetime:
    """Return the instant after which nothing is read."""
    return instant(tidy.meta["as_of"])


def seconds(at: Value) -> Value:
    """Return whole seconds since 1970; the engine's clock is UTC, and truncating without a zone is cheap."""
    return at.cast("timestamp").truncate("s").epoch_seconds().cast("int64")


def days_down(of_seconds: Value) -> Value:
    """Return how many days have ended."""
    return (of_seconds // DAY).cast("int64")


def days_up(of_seconds: Value) -> Value:
    """Return how many days have begun."""
    return -((-of_seconds) // DAY).cast("int64")


def number(true: Value) -> Value:
    """Return 1 where something is known to be true and 0 elsewhere."""
    return true.fill_null(False).cast("int32").cast("int64")


def month(local: Value) -> Value:
    """Return a month of the clock, such as 2025-03."""
    return local.year().cast("string") + "-" + local.month().cast("string").lpad(2, "0")


def gap_days(params: Mapping[str, Any]) -> int:
    """Return after how many days of silence members have left; 0 where they cancel."""
    silence = params["churn"] == "silence"
    return int(params["lapse_days"]) if silence else 0


def judged_to(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the last second at which leaving can be judged: `as_of`, for silence less a whole gap."""
    return int((as_of(tidy) - timedelta(days=gap_days(params))).timestamp())


def entry(tidy: Tidy, joined_at: Value) -> Value:
    """Return the first whole day since joining that was observed: 0 where observation had begun."""
    if not tidy.meta.get("observed_from"):
        return ibis.literal(0, "int64")
    unseen = int(instant(tidy.meta["observed_from"]).timestamp()) - seconds(joined_at)
    return ibis.ifelse(unseen > 0, days_up(unseen), ibis.literal(0, "int64"))


def first_seen_after(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the second before which a first sight says nothing of joining."""
    begin = tidy.meta.get("observed_from") or tidy.meta["first_instant"]
    skipped: int = params["first_seen_after_days"] * DAY
    return int(instant(begin).timestamp()) + skipped
