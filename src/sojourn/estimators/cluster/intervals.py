"""Intervals of a share and of a mean."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sojourn.core.results.segments import Floats


def jeffreys(k: ArrayLike, n: ArrayLike, mass: float, *, places: int = 2) -> tuple[Floats, Floats]:
    """Return equal-tailed bounds of shares under Jeffreys' prior, Dirichlet(1/2, …).

    Parameters
    ----------
    k, n : array of float
        Members with the property, and members in all, or what blurred numbers of them are worth.
    mass : float
        Mass of each interval.
    places : int
        So many properties share the members out; the share of one of them follows a beta distribution.

    Notes
    -----
    The bound is 0 or 1 where nobody or everybody has the property (Brown, Cai & DasGupta 2001, Interval
    estimation for a binomial proportion, Stat. Sci. 16, 101-133, section 4.1.2).
    """
    from scipy.special import betaincinv

    k, n, tail = np.asarray(k, float), np.asarray(n, float), (1 - mass) / 2
    a, b = k + 0.5, n - k + (places - 1) / 2
    low: Floats = np.where(k == 0, 0.0, betaincinv(a, b, tail))
    high: Floats = np.where(k >= n, 1.0, betaincinv(a, b, 1 - tail))
    return low, high


def mean_interval(values: Floats, mass: float) -> tuple[float, float, float]:
    """Return a mean with the bounds of its normal approximation.

    Parameters
    ----------
    values : array (n,)
        One or more.
    mass : float
        Mass of the interval.

    Notes
    -----
    One value has no spread, and where all are the same it is not known how others would differ: there the
    bounds are not a number.
    """
    from scipy.special import ndtri

    mean = float(values.mean())
    if values.min() == values.max():
        return mean, math.nan, math.nan
    reach = float(ndtri(0.5 + mass / 2)) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - reach, mean + reach
