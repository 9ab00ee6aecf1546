"""Rows that arrive late: how many of the last days are still to be completed."""

from __future__ import annotations

from collections.abc import Mapping

#: A day counts as complete when at most this share of its rows is still to come.
STILL_TO_COME = 0.01
#: From this share of rows of the last day on, their lack matters.
MATTERS = 0.05


def later_than(lateness: Mapping[int, int], rows: int, days: int) -> float:
    """Return the share of all rows that became known more than so many days after they happened."""
    return sum(n for late, n in lateness.items() if late >= days) / rows


def incomplete(lateness: Mapping[int, int], rows: int) -> int:
    """Return how many of the last days lack more than 1 % of their rows."""
    return next(days for days in range(10_000) if later_than(lateness, rows, days + 1) <= STILL_TO_COME)
