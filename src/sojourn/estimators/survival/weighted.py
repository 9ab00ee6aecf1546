"""Kaplan-Meier and the restricted mean of members who stand for different numbers of others.

A frequency weight says how many alike members a row counts: that is `RiskSet`, where Greenwood's variance
holds. A probability weight says how many a member stands for, one over the chance of being seen: there the
variance is the robust one, the infinitesimal jackknife of R's ``survfit(..., weights, robust = TRUE)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.interval import Scale
from sojourn.estimators.survival.kaplan_meier import Survival, with_interval
from sojourn.estimators.survival.restricted_mean import RestrictedMean, Rule, areas
from sojourn.estimators.survival.risk_set import Counts, RiskSet, risk_set

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: What one member's weight moves: a sum over the days at risk, and a jump on leaving.
Influence = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class WeightedSpells:
    """Members added up by when they came under observation, when and how they ended; rows in any order.

    Attributes
    ----------
    entry, end : array of int
        Duration at which observation began (0: from joining on), and at which it ended.
    churned : array of bool
        Whether it ended by leaving.
    members : array of int
        How many members.
    weight, squared : array of float
        Sum of their weights, and of the squares of their weights.

    Notes
    -----
    The estimate needs the weights that entered, left and were censored on each day. The robust variance needs
    the squared weights as well, by entry, end and kind of end together, because a member's influence
    depends on all three; where everybody is seen from joining on that is by day and kind of end.
    """

    entry: Counts
    end: Counts
    churned: Bools
    members: Counts
    weight: Floats
    squared: Floats

    @property
    def counted(self) -> RiskSet:
        """Members at risk and gone, each counted once: the denominators that privacy asks for."""
        none = np.zeros_like(self.members)
        return risk_set(
            np.concatenate([self.entry, self.end]),
            np.concatenate([self.members, none]),
            np.concatenate([none, self.members * self.churned]),
            np.concatenate([none, self.members * ~self.churned]),
        )

    def add_up(self, at: Counts, values: Floats) -> Floats:
        """Return the sum of `values` of all rows by day, on the grid from 0 to the last end."""
        total = np.bincount(at, weights=values, minlength=int(self.end.max()) + 1)
        return total.astype(np.float64)

    def inside(self, values: Floats) -> Floats:
        """Return the sum of `values` over those who have entered and not ended, after each day."""
        moves = self.add_up(self.entry, values) - self.add_up(self.end, values)
        present: Floats = np.cumsum(moves)
        return present


def weighted_survival(spells: WeightedSpells, mass: float, scale: Scale = "log-log") -> Survival:
    """Return the weighted product-limit estimate with its robust interval.

    Parameters
    ----------
    spells : WeightedSpells
        Members with probability weights.
    mass : float
        Mass of the intervals, in (0, 1).
    scale : str
        Scale of the intervals; see `sojourn.estimators.survival.intervals`.

    Notes
    -----
    The variance of log S is the sum over members of the squared weight times the squared derivative of log
    S in that weight: ``1 / (n - d)`` on leaving, less the sum of ``d / (n (n - d))`` over the days at risk
    (Therneau & Grambsch 2000, section 7.3; ``survfit(robust = TRUE)``).
    """
    retained, terms, jumps = _steps(spells)
    influence = np.cumsum(terms), jumps
    return with_interval(retained, _products(spells, influence, influence), mass, scale)


def weighted_mean(spells: WeightedSpells, *, rule: Rule = "trapezium") -> RestrictedMean:
    """Return the restricted mean of a weighted curve with its robust standard error, for every horizon.

    Parameters
    ----------
    spells : WeightedSpells
        Members with probability weights.
    rule : str
        As in `restricted_mean`.

    Notes
    -----
    A weight moves the mean by minus the sum over its influence on log S of the area to the right, ``mean -
    before``: so the variance is again three running sums.
    """
    retained, terms, jumps = _steps(spells)
    mean, before = areas(retained, rule)
    plain = np.cumsum(terms), jumps
    moved = np.cumsum(terms * before), jumps * before
    squares = [_products(spells, *pair) for pair in ((plain, plain), (plain, moved), (moved, moved))]
    variance = mean**2 * squares[0] - 2 * mean * squares[1] + squares[2]
    return RestrictedMean(mean, np.sqrt(np.maximum(variance, 0.0)))


def _steps(spells: WeightedSpells) -> tuple[Floats, Floats, Floats]:
    """Return S, the terms d / (n (n - d)) and the jumps 1 / (n - d); both 0 where nobody is left.

    From there on S is 0, has no interval and no area to the right. Whether anybody is left is read from the
    members, because sums of weights carry rounding.
    """
    late = np.where(spells.entry > 0, spells.weight, 0.0)
    at_risk = _from_here_on(spells.add_up(spells.end, spells.weight))
    at_risk = at_risk - _from_here_on(spells.add_up(spells.entry, late))
    gone = spells.add_up(spells.end, spells.weight * spells.churned)
    counted = spells.counted
    left = np.where(counted.at_risk > counted.churned, at_risk - gone, 0.0)
    someone = counted.at_risk > 0
    share = np.divide(left, at_risk, out=np.ones_like(left), where=someone)
    jumps = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0)
    hazard = np.divide(gone, at_risk, out=np.zeros_like(left), where=someone)
    terms = np.multiply(hazard, jumps, out=np.zeros_like(left), where=counted.churned > 0)
    return np.cumprod(share), terms, jumps


def _from_here_on(values: Floats) -> Floats:
    total: Floats = np.cumsum(values[::-1])[::-1]
    return total


def _products(spells: WeightedSpells, one: Influence, other: Influence) -> Floats:
    """Return the sum over members of their squared weight times two influences, after each day.

    Who has ended carries a final value; who is still there the sum since entry, multiplied out so that it
    needs only sums over those inside.
    """
    squared, begun = spells.squared, []
    final = squared
    for cumulated, jumps in (one, other):
        begun.append(np.where(spells.entry > 0, cumulated[spells.entry], 0.0))
        final = final * (np.where(spells.churned, jumps[spells.end], 0.0) - cumulated[spells.end] + begun[-1])
    ended = np.cumsum(spells.add_up(spells.end, final))
    a, b = one[0], other[0]
    there = a * b * spells.inside(squared) + spells.inside(squared * begun[0] * begun[1])
    crossed = a * spells.inside(squared * begun[1]) + b * spells.inside(squared * begun[0])
    return np.maximum(ended + there - crossed, 0.0) if one is other else ended + there - crossed
