"""Who is at risk when: counts of entries and exits by duration, turned into numbers at risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RiskSet:
    """Numbers at risk on a grid of whole durations from 0 up.

    Attributes
    ----------
    at_risk : array of int, one entry per duration
        Members observed just before the events of that duration. Those who enter at 0 are at risk at 0;
        those who enter at ``e`` > 0 are at risk from ``e + 1`` on.
    churned, censored : array of int
        Members who left, and whose observation ended, at that duration; the censored leave last.
    """

    at_risk: Counts
    churned: Counts
    censored: Counts

    def __len__(self) -> int:
        return len(self.at_risk)

    def on(self, length: int) -> RiskSet:
        """Return the same set on a grid of `length` durations: cut, or carried on without events."""
        if length <= len(self):
            return RiskSet(self.at_risk[:length], self.churned[:length], self.censored[:length])
        remaining = self.at_risk[-1] - self.churned[-1] - self.censored[-1]
        more = length - len(self)
        return RiskSet(
            np.concatenate([self.at_risk, np.full(more, remaining)]),
            np.concatenate([self.churned, np.zeros(more, dtype=np.int64)]),
            np.concatenate([self.censored, np.zeros(more, dtype=np.int64)]),
        )

    def while_at_least(self, least: int) -> RiskSet:
        """Return the set up to the last duration before which at least `least` were at risk throughout."""
        few = np.flatnonzero(self.at_risk < least)
        return self.on(int(few[0])) if len(few) else self


def risk_set(day: Counts, entered: Counts, churned: Counts, censored: Counts) -> RiskSet:
    """Return numbers at risk from counts by duration; rows may repeat and stand in any order.

    Parameters
    ----------
    day, entered, churned, censored : array of int, equal lengths
        Durations >= 0 in any unit, and how many entered, left and were censored at each.
    """
    length = int(day.max()) + 1 if len(day) else 1
    into, gone, lost = (_by_day(day, counts, length) for counts in (entered, churned, censored))
    present = np.cumsum(into) - np.cumsum(gone + lost)
    before = np.concatenate([into[:1], present[:-1]])
    return RiskSet(before, gone, lost)


def _by_day(day: Counts, counts: Counts, length: int) -> Counts:
    total = np.zeros(length, dtype=np.int64)
    np.add.at(total, np.asarray(day, dtype=np.int64), np.asarray(counts, dtype=np.int64))
    return total
