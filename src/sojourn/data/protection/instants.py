"""Instants of single events, as far as they may be told: to the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def begin_of_day(instant: str) -> str:
    """Return the begin of the UTC day of an instant.

    Examples
    --------
    >>> begin_of_day("2025-03-09T17:04:11.5+00:00")
    '2025-03-09T00:00:00+00:00'
    """
    at = datetime.fromisoformat(instant).astimezone(UTC)
    return at.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def end_of_day(instant: str, as_of: str) -> str:
    """Return the end of the UTC day of an instant, but nothing after `as_of`.

    Examples
    --------
    >>> end_of_day("2025-03-09T17:04:11+00:00", "2025-07-01T00:00:00Z")
    '2025-03-10T00:00:00+00:00'
    """
    end = datetime.fromisoformat(begin_of_day(instant)) + timedelta(days=1)
    return min(end, datetime.fromisoformat(as_of).astimezone(UTC)).isoformat()
