"""Posterior of the share still there, by time: a beta-Stacy process seen with censoring.

Time is cut into cells that end at whole durations. Of those who are there at the begin of a cell and are
followed to its end, a share leaves within it; a priori these shares are independent with

    share of cell j ~ Beta(weight (S0[j-1] - S0[j]), weight S0[j])

where S0 is a stated curve. That is a Dirichlet process around S0 of total weight `weight`: what it says of
the curve at any time is the same however time is cut, and all of it together weighs as much as `weight`
members seen to leave. A posteriori the counts of leaving and staying are added to each cell.

Walker and Muliere (1997), Ann. Stat. 25, 1762-1780; Susarla and Van Ryzin (1976), J. Am. Stat. Assoc. 71.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.ranges import in_range

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurvePrior:
    """A belief about a whole curve: members leave at a constant pace.

    Attributes
    ----------
    kept : float
        Share still there at the horizon, in (0, 1).
    horizon : float
        Duration at which that is believed.
    weight : float
        What the belief is worth in members seen to leave, in (0, 1].
    """

    kept: float
    horizon: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        in_range(self.kept, "kept", gt=0, lt=1)
        in_range(self.horizon, "horizon", gt=0)
        in_range(self.weight, "weight", gt=0, le=1)

    def counts(self, ends: Floats) -> tuple[Floats, Floats]:
        """Return what the belief adds to leaving and to staying, for cells that end at `ends` (rising)."""
        curve = self.kept ** (np.r_[0.0, ends] / self.horizon)
        return self.weight * -np.diff(curve), self.weight * curve[1:]


@dataclass(frozen=True, slots=True)
class LeavingShares:
    """Posterior of the shares that leave in each cell: independent betas.

    Attributes
    ----------
    ends : array (cells,)
        Where cells end, rising; the first begins at 0.
    gone, stayed : array (..., cells)
        Parameters of the betas; leading axes are groups.
    """

    ends: Floats
    gone: Floats
    stayed: Floats

    def draw(self, size: int, *, rng: np.random.Generator) -> Floats:
        """Return draws of the curve at 0 and at every end (size, ..., cells + 1)."""
        shares = rng.beta(self.gone, self.stayed, size=(size, *self.gone.shape))
        return _with_start(np.cumprod(1 - shares, axis=-1))

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean and variance of the curve at 0 and at every end, without drawing (..., cells + 1)."""
        first, second = self._staying()
        mean = _with_start(np.cumprod(first, axis=-1))
        return mean, _with_start(np.cumprod(second, axis=-1)) - mean**2

    def mean_time(self) -> tuple[Floats, Floats]:
        """Return mean and variance of the time spent there up to the last end (...), without drawing.

        Area under the curve, straight between ends; ``E S(s) S(t)`` is ``E S(s)^2 E S(t) / E S(s)`` for
        s <= t, since shares of different cells are independent.
        """
        first, second = self._staying()
        mean, square = (_with_start(np.cumprod(part, axis=-1)) for part in (first, second))
        weights = trapezium(self.ends)
        area: Floats = mean @ weights
        weighed = weights * mean
        later = np.cumsum(weighed[..., ::-1], axis=-1)[..., ::-1] - weighed
        ratio = np.divide(square, mean, out=np.zeros_like(mean), where=mean > 0)
        of_square = (weights**2 * square).sum(axis=-1) + 2 * (weights * ratio * later).sum(axis=-1)
        return area, of_square - area**2

    def _staying(self) -> tuple[Floats, Floats]:
        """Return first and second moment of the share that stays, by cell."""
        total = self.gone + self.stayed
        first = self.stayed / total
        return first, first * (self.stayed + 1) / (total + 1)


def leaving_shares(
    at_risk: Floats, gone: Floats, ends: Floats, prior: CurvePrior, *, part: Floats | float = 1.0
) -> LeavingShares:
    """Return the posterior from counts by cell.

    Parameters
    ----------
    at_risk, gone : array (..., cells)
        Who was there at the begin of a cell and was followed to its end or left in it, and who left in it.
    ends : array (cells,)
        Where cells end, rising.
    prior : CurvePrior
        Belief about the curve of all groups that are looked at together.
    part : float or array (...)
        Part of the weight of the belief that a group gets.
    """
    leave, stay = prior.counts(np.asarray(ends, dtype=float))
    share = np.asarray(part, dtype=float)[..., None]
    return LeavingShares(np.asarray(ends, dtype=float), gone + share * leave, at_risk - gone + share * stay)


def averaged(shares: LeavingShares, weights: Floats) -> LeavingShares:
    """Return the posterior of shares averaged over the last axis of groups, as betas.

    Parameters
    ----------
    shares : LeavingShares
        Of groups (..., parts, cells).
    weights : array (..., parts, cells)
        Weight of every part in a cell; they sum to 1 over parts. A part without anybody weighs nothing.

    Notes
    -----
    The mean is the weighted mean. A part may hold few members in a cell, of whom mostly none leave, so its
    own spread would be too small: for the variance, its share of leavers is the mean's times how much faster
    the part leaves over all cells (shrunk by one leaver), with the binomial variance of its size. One part
    alone stays what it is, and parts that weigh as they are large are as good as put together.
    """
    total = shares.gone + shares.stayed
    own = np.divide(shares.gone, total, out=np.zeros_like(total), where=total > 0)
    mean = (weights * own).sum(axis=-2, keepdims=True)
    pace = (shares.gone.sum(axis=-1) + 1) / ((total * mean).sum(axis=-1) + 1)
    smooth = np.minimum(mean * pace[..., None], 1.0)
    spread = np.divide(smooth * (1 - smooth), total, out=np.zeros_like(total), where=total > 0)
    size = mean * (1 - mean) / (weights**2 * spread).sum(axis=-2, keepdims=True)
    return LeavingShares(shares.ends, (mean * size)[..., 0, :], ((1 - mean) * size)[..., 0, :])


def trapezium(ends: Floats) -> Floats:
    """Return the weight of the curve at 0 and at every end in the area under it, straight in between."""
    widths = np.diff(np.r_[0.0, ends])
    weights: Floats = np.r_[widths, 0.0] / 2 + np.r_[0.0, widths] / 2
    return weights


def _with_start(curve: Floats) -> Floats:
    """Put the 1 at time 0 before a curve."""
    return np.concatenate([np.ones((*curve.shape[:-1], 1)), curve], axis=-1)
