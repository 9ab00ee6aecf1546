"""Bounds that people can read and remember, between values that lie apart."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

#: Bounds of more significant digits behind the point are left out: nobody remembers them.
MOST_DIGITS = 3


def readable_between(low: float, high: float) -> float:
    """Return the roundest number above `low` and at most `high`: a multiple of 1, 2 or 5 times 10 ** n.

    Parameters
    ----------
    low, high : float
        Rising, finite.

    Returns
    -------
    float
        A multiple of the largest step that has one there; of several the one nearest to the middle.

    Examples
    --------
    >>> readable_between(3.2, 11.9), readable_between(0.31, 0.38), readable_between(-0.4, 0.3)
    (10.0, 0.35, 0.0)
    """
    bottom, top = Decimal(repr(float(low))), Decimal(repr(float(high)))
    power = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    while True:
        for digit in (5, 2, 1):
            step = Decimal(digit).scaleb(power)
            first, last = math.floor(bottom / step) + 1, math.floor(top / step)
            if first <= last:
                middle = round((bottom + top) / 2 / step)
                return float(min(max(middle, first), last) * step) + 0.0
        power -= 1


def readable_bounds(values: NDArray[np.float64], parts: int) -> tuple[float, ...]:
    """Return rising bounds between quantiles of values, as round as they can be.

    Parameters
    ----------
    values : array
        One or more finite values, in any order.
    parts : int
        Bounds lie about every `parts`-th of the values; fewer where many are alike.

    Returns
    -------
    tuple of float
        Each between two values: some lie below it, some on or above it. Bounds that are no whole numbers
        have at most `MOST_DIGITS` significant digits.
    """
    places = (np.arange(parts) + 0.5) / parts
    knots = np.unique(np.quantile(values, places, method="lower"))
    found = (readable_between(a, b) for a, b in pairwise(knots))
    return tuple(bound for bound in found if _few_digits(bound))


def _few_digits(bound: float) -> bool:
    return bound.is_integer() or len(Decimal(repr(bound)).normalize().as_tuple().digits) <= MOST_DIGITS
