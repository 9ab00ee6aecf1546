"""Time in the world: instants are whole seconds since 1970 in UTC, rhythms follow local time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import ParameterError

DAY = 86_400
HOUR = 3_600

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def instant(value: str | datetime, name: str) -> int:
    """Return an instant as seconds since 1970, from ISO 8601 text or a datetime with its offset.

    Raises
    ------
    ParameterError
        When it cannot be read or carries no offset from UTC.
    """
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ParameterError(
            f"'{name}' must be an instant such as 2025-07-01T00:00:00Z, got {value!r}."
        ) from None
    if read.tzinfo is None:
        raise ParameterError(f"'{name}' must say its offset from UTC (for example a final Z), got {value!r}.")
    return int(read.timestamp())


def iso(seconds: int) -> str:
    """Return an instant as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class LocalClock:
    """Offsets of one time zone over a stretch of time.

    Attributes
    ----------
    since : array of int
        Instants from which each offset holds, ascending.
    offset : array of int
        Seconds to add to UTC.
    """

    since: Ints
    offset: Ints

    def local(self, at: Ints) -> Ints:
        """Return local wall time of instants, as seconds on a clock that reads 0 at 1970-01-01 00:00."""
        found: Ints = at + self.offset[np.searchsorted(self.since, at, side="right") - 1]
        return found

    def time_of_day(self, at: Ints) -> Ints:
        """Return local seconds since midnight."""
        found: Ints = self.local(at) % DAY
        return found

    def weekday(self, at: Ints) -> Ints:
        """Return the local day of the week, 0 for Monday (1970-01-01 was a Thursday)."""
        found: Ints = (self.local(at) // DAY + 3) % 7
        return found

    def next_at(self, start: Ints, time_of_day: Ints) -> Ints:
        """Return the instant in the 24 hours from `start` whose local time of day is the given one.

        In the two windows a year that hold a change of the clock it may be an hour off.
        """
        found: Ints = start + (time_of_day - self.time_of_day(start)) % DAY
        return found


@lru_cache(maxsize=16)
def local_clock(time_zone: str, start: int, end: int) -> LocalClock:
    """Return the offsets of a time zone between two instants.

    Raises
    ------
    ParameterError
        When there is no such time zone.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ParameterError(
            f"'time_zone' must be a name such as Europe/Berlin, got {time_zone!r}."
        ) from None
    hours = np.arange(start - DAY, end + 2 * DAY, HOUR)
    offsets = np.array([_offset(zone, int(hour)) for hour in hours])
    changes = np.concatenate([[True], np.diff(offsets) != 0])
    return LocalClock(hours[changes], offsets[changes])


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset() or timedelta(0)
    return int(offset.total_seconds())


def draw_time_of_day(hours: Sequence[float], n: int, rng: np.random.Generator) -> Ints:
    """Draw local times of day (seconds), uniform within hours that are weighted by `hours` (24)."""
    edges = np.concatenate([[0.0], np.cumsum(hours)])
    drawn = np.interp(rng.random(n) * edges[-1], edges, np.arange(25) * HOUR)
    found: Ints = np.minimum(drawn.astype(np.int64), DAY - 1)
    return found
