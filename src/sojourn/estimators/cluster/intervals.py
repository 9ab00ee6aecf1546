"""Intervals of a share and of a mean."""

from __future__ import annotations

import math

from sojourn.core.results.segments import Floats


def jeffreys(k: float, n: float, mass: float) -> tuple[float, float]:
    """Return equal-tailed bounds of a share under Jeffreys' prior, Beta(1/2, 1/2).

    Parameters
    ----------
    k, n : float
        Members with the property, and members in all (n >= 1), or what blurred numbers of them are worth.
    mass : float
        Mass of the interval.

    Notes
    -----
    The bound is 0 or 1 where nobody or everybody has the property (Brown, Cai & DasGupta 2001, Interval
    estimation for a binomial proportion, Stat. Sci. 16, 101-133, section 4.1.2).
    """
    from scipy.special import betaincinv

    tail = (1 - mass) / 2
    low = 0.0 if k == 0 else float(betaincinv(k + 0.5, n - k + 0.5, tail))
    high = 1.0 if k == n else float(betaincinv(k + 0.5, n - k + 0.5, 1 - tail))
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
