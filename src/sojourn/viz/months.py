"""Months along an axis of days."""

from __future__ import annotations

from datetime import date

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")


def months(first: int, last: int) -> tuple[list[int], list[str]]:
    """Return up to seven first days of months between two days, and their names; the year where it begins."""
    days = [date.fromordinal(day) for day in range(first, last + 1)]
    starts = [day for day in days if day.day == 1]
    step = -(-len(starts) // 7)
    kept = starts[::step] if step else []
    years = {day.year: day for day in reversed(kept)}
    names = [_NAMES[d.month - 1] + (f"\n{d.year}" if years[d.year] == d else "") for d in kept]
    return [day.toordinal() for day in kept], names
