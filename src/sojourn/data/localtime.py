"""Local time as an engine expression: an instant plus an offset taken from zoneinfo.

Casting to a time zone in Ibis keeps the UTC hour on DuckDB and on Spark, without a word. So the offset is
one CASE expression over the changes of the clock within the range of the data; its oracle is zoneinfo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis
from ibis import Value

from sojourn.core.errors import ParameterError

#: Two changes of a clock are never closer than this.
_STEP = timedelta(hours=6)

#: Instants before this are read with the offset of this.
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one time zone over a range of instants.

    Attributes
    ----------
    zone : str
        IANA name, for example ``Europe/Berlin``.
    changes : tuple of (datetime, int)
        From which UTC instant on which offset holds, in seconds east of UTC; the first holds before as well.
    """

    zone: str
    changes: tuple[tuple[datetime, int], ...]

    def offset(self, instant: Value) -> Value:
        """Return seconds east of UTC at an instant, as one CASE expression."""
        ends = [(instant < ibis.literal(after), before[1]) for before, (after, _) in pairwise(self.changes)]
        last = ibis.literal(self.changes[-1][1], "int64")
        return ibis.cases(*ends, else_=last) if ends else last

    def time(self, instant: Value) -> Value:
        """Return what the clock shows at an instant (a timestamp without zone)."""
        return instant.cast("timestamp") + self.offset(instant).as_interval("s")

    def day(self, instant: Value) -> Value:
        """Return the local date of an instant."""
        return self.time(instant).date()

    def hour(self, instant: Value) -> Value:
        """Return the local hour (0-23) of an instant."""
        return self.time(instant).hour()

    def instant(self, shown: Value) -> Value:
        """Return the UTC instant at which the clock shows a local time.

        A time shown twice is the first of both; a time skipped is read by the offset before (as zoneinfo
        does with ``fold=0``).
        """
        starts = [
            (shown >= ibis.literal(_wall(at, max(before, after))), after)
            for (_, before), (at, after) in pairwise(self.changes)
        ]
        first = ibis.literal(self.changes[0][1], "int64")
        offset = ibis.cases(*reversed(starts), else_=first) if starts else first
        return (shown - offset.as_interval("s")).cast("timestamp('UTC')")


@lru_cache(maxsize=64)
def clock(zone: str, *, last: datetime, first: datetime = BEGINNING) -> Clock:
    """Return the clock of a zone that is right for every instant from `first` to `last`.

    Parameters
    ----------
    zone : str
        IANA name of the time zone.
    first, last : datetime
        Range of the data, as UTC instants; from 1900 on when not stated.

    Raises
    ------
    ParameterError
        When there is no such zone.
    """
    info = time_zone(zone)
    changes = [(first, _seconds(first, info))]
    earlier = first
    while earlier <= last:
        later = earlier + _STEP
        if _seconds(later, info) != changes[-1][1]:
            at = _change_between(earlier, later, info)
            changes.append((at, _seconds(at, info)))
        earlier = later
    return Clock(zone, tuple(changes))


def clock_of(meta: Mapping[str, Any]) -> Clock:
    """Return the clock of a case from its ``tidy.json`` (``time_zone``, ``first_instant``, ``as_of``)."""
    first, last = (datetime.fromisoformat(meta[name]) for name in ("first_instant", "as_of"))
    return clock(meta["time_zone"], first=first, last=last)


def time_zone(zone: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    ParameterError
        When there is none of this name.
    """
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ParameterError(
            f"'time_zone' must be an IANA name such as 'Europe/Berlin' or 'UTC', got {zone!r}."
        ) from error


def _seconds(instant: datetime, info: ZoneInfo) -> int:
    offset = instant.astimezone(info).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _wall(instant: datetime, offset: int) -> datetime:
    return instant.replace(tzinfo=None) + timedelta(seconds=offset)


def _change_between(before: datetime, after: datetime, info: ZoneInfo) -> datetime:
    """Return the first whole second at which the offset is no longer that of `before`."""
    low, high, old = int(before.timestamp()), int(after.timestamp()), _seconds(before, info)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _seconds(_at(middle), info) == old else (low, middle)
    return _at(high)


def _at(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
