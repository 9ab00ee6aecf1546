"""Months that depart from a straight line, and which of them stand apart from all others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bends:
    """Departures of one axis from a straight line.

    Attributes
    ----------
    level : array of int
        Months.
    churned : array of float
        Leavers of each.
    departure : array of float
        Logarithm of the rate over that on the straight line that fits best, weighted by leavers.
    covariance : array of float, square
        Of the departures.
    apart : array of bool
        Months that the line leaves out; see `set_apart`.
    """

    level: Ints
    churned: Floats
    departure: Floats
    covariance: Floats
    apart: NDArray[np.bool_]

    @property
    def line(self) -> Floats:
        """Columns of a line: its height at the mean month, and its slope."""
        return np.column_stack([np.ones(len(self.level)), self.level - self.level.mean()])

    @property
    def fit(self) -> Floats:
        """Matrix from values by month to the line through those not set apart, weighted by leavers."""
        weighted = self.line.T * np.where(self.apart, 0.0, self.churned)
        return np.asarray(np.linalg.solve(weighted @ self.line, weighted))

    @property
    def se(self) -> Floats:
        """Standard errors of the departures."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def p(self) -> Floats:
        """Chance of a departure so large, by the normal law, times the number of months, at most 1."""
        return np.asarray(np.minimum(2 * norm.sf(np.abs(self.departure) / self.se) * len(self.level), 1.0))


def set_apart(bends: Bends, alpha: float, most: float = 0.25) -> Bends:
    """Return departures from the line through all months but those that surely depart from it.

    The month that departs most is left out of the line, and the others are judged again, as long as one
    departs at level `alpha` (Bonferroni) and no more than the share `most` of the months are out: else one
    month far off would bend the line, and with many leavers every other month would depart from that.

    Parameters
    ----------
    bends : Bends
        As `age_period_cohort` returns them.
    alpha : float
        Chance that any month is set apart when all are on a line.
    most : float
        Share of months that may be set apart.
    """
    while (bends.apart.sum() + 1) <= most * len(bends.level):
        p = np.where(bends.apart, 1.0, bends.p)
        furthest = int(np.argmax(np.where(bends.apart, 0.0, np.abs(bends.departure) / bends.se)))
        if p[furthest] >= alpha:
            break
        apart = bends.apart.copy()
        apart[furthest] = True
        bends = _through_others(bends, apart)
    return bends


def _through_others(bends: Bends, apart: NDArray[np.bool_]) -> Bends:
    """Return the departures from the line that fits the months not set apart."""
    others = replace(bends, apart=apart)
    off = np.eye(len(apart)) - others.line @ others.fit
    return Bends(bends.level, bends.churned, off @ bends.departure, off @ bends.covariance @ off.T, apart)
