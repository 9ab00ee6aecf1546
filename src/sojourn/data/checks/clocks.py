"""Instants at which clocks start anew when nobody has set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ibis import Table

from sojourn.core.schema import CONTRACT
from sojourn.data.checks.opened import open_table

#: First days of what computers count from, and of clocks without a battery.
STARTS = tuple(
    date(*day)
    for day in ((1, 1, 1), (1601, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1904, 1, 1),
                (1970, 1, 1), (1980, 1, 1), (1980, 1, 6), (2000, 1, 1), (2001, 1, 1))
)  # fmt: skip
#: So long nothing follows a day on which clocks started anew, or the day is one of the data's own.
SILENCE = timedelta(days=365)
_DAY = timedelta(days=1)


def is_start(day: date) -> bool:
    """Return whether a day is one on which clocks start anew, in any time zone."""
    return any(abs(day - start) <= _DAY for start in STARTS)


def reset_days(days: Iterable[date]) -> list[date]:
    """Return the days before all others on which clocks started anew: nothing follows them for a year."""
    ordered = sorted(days)
    early = [day for day in ordered if is_start(day)]
    others = [day for day in ordered if not is_start(day)]
    return [day for day in early if others and others[0] - day > SILENCE]


def began(engine: Any, folder: Path, seen: Mapping[str, Mapping[str, datetime]]) -> datetime:
    """Return the first instant of all tables that no reset clock has written.

    Parameters
    ----------
    engine : ibis backend
        What reads the tidy tables.
    folder : Path
        Where they stand.
    seen : mapping of str to mapping
        By table the first value of every column of instants.
    """
    times = {name: CONTRACT[name].time for name, firsts in seen.items() if firsts}
    odd = [name for name, time in times.items() if is_start(seen[name][time].date())]
    tables = {name: open_table(engine, folder, name) for name in odd}
    return min(
        _began(tables[name], time, seen[name][time]) if name in odd else seen[name][time]
        for name, time in times.items()
    )


def _began(rows: Table, time: str, first: datetime) -> datetime:
    days = rows.group_by(day=rows[time].date()).agg(first=rows[time].min()).to_pyarrow().to_pylist()
    firsts = {row["day"]: row["first"] for row in days}
    kept = {day: at for day, at in firsts.items() if day not in reset_days(firsts)}
    return min(kept.values()) if kept else first
