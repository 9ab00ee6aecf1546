"""The normal distribution where nothing else of scipy is needed: importing scipy costs more than a curve."""

from __future__ import annotations

import math
from statistics import NormalDist


def standard_errors(mass: float) -> float:
    """Return how many standard errors a central normal interval of that mass reaches to each side.

    Examples
    --------
    >>> round(standard_errors(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf(0.5 + mass / 2)


def two_sided(z: float) -> float:
    """Return the probability of a standard normal value at least so far from 0.

    Examples
    --------
    >>> round(two_sided(1.959964), 6)
    0.05
    """
    return math.erfc(abs(z) / math.sqrt(2))
