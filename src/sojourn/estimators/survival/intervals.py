"""Pointwise bounds around a survival curve, one function per scale, by the names that R uses.

Every rule takes the reach: so many standard errors of log S (a normal quantile for one point in time, a
larger number for a whole band). Sources: plain, log and log-log in Kalbfleisch & Prentice (2002), section
1.4; arcsine in Thomas & Grunkemeier (1975), J. Am. Stat. Assoc. 70, 865-871; logit by the delta method, as
in ``survfit``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sojourn.core.interval import Scale

Floats = NDArray[np.float64]
Bounds = tuple[Floats, Floats]

#: Beyond this exponent the bounds are 0 and 1.
_LARGEST = -700.0


def bounds(retained: Floats, reach: Floats, scale: Scale = "log-log") -> Bounds:
    """Return lower and upper bounds; not a number where the estimate is 1 or 0.

    Parameters
    ----------
    retained : array of float
        Estimates in [0, 1].
    reach : array of float
        Standard errors of ``log(retained)``, times how many of them the interval reaches.
    scale : str
        Scale on which the interval is symmetric; as ``conf.type`` of R's ``survfit``.

    Notes
    -----
    At 1 and at 0 there is no standard error, so there is no interval: R prints 1 to 1 on some scales.
    """
    inside = (retained > 0) & (retained < 1)
    low, high = SCALES[scale](np.where(inside, retained, 0.5), np.where(inside, reach, 0.0))
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def log_log_bounds(retained: Floats, reach: Floats) -> Bounds:
    """Return ``S ** exp(-+ reach / log S)``: symmetric in log(-log S), always within 0 and 1."""
    turn = np.maximum(reach / np.log(retained), _LARGEST)
    return retained ** np.exp(-turn), retained ** np.exp(turn)


def plain_bounds(retained: Floats, reach: Floats) -> Bounds:
    """Return ``S -+ S reach``, cut at 0 and 1."""
    return np.maximum(retained * (1 - reach), 0.0), np.minimum(retained * (1 + reach), 1.0)


def log_bounds(retained: Floats, reach: Floats) -> Bounds:
    """Return ``S exp(-+ reach)``, cut at 1."""
    return retained * np.exp(-reach), np.minimum(retained * np.exp(reach), 1.0)


def logit_bounds(retained: Floats, reach: Floats) -> Bounds:
    """Return bounds symmetric in ``log(S / (1 - S))``, whose standard error is that of log S over 1 - S."""
    back = np.exp(-reach / (1 - retained))
    return retained * back / (1 - retained + retained * back), retained / (retained + (1 - retained) * back)


def arcsin_bounds(retained: Floats, reach: Floats) -> Bounds:
    """Return bounds symmetric in ``arcsin(sqrt(S))``, cut at 0 and a quarter turn."""
    angle, turn = np.arcsin(np.sqrt(retained)), reach / 2 * np.sqrt(retained / (1 - retained))
    low, high = np.maximum(angle - turn, 0.0), np.minimum(angle + turn, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


SCALES: dict[Scale, Callable[[Floats, Floats], Bounds]] = {
    "log-log": log_log_bounds,
    "plain": plain_bounds,
    "log": log_bounds,
    "logit": logit_bounds,
    "arcsin": arcsin_bounds,
}
