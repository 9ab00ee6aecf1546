"""After how long a given share has left: quantiles of a curve, with Brookmeyer and Crowley's interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flat = Literal["first", "middle"]

#: A curve this close to a level lies on it (R's ``quantile.survfit``: the root of the machine's precision).
_ON_IT = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True)
class Quantile:
    """When a share has left, in the unit of the durations; not a number where the curve does not say.

    Attributes
    ----------
    value, low, high : float
        Estimate and bounds. No upper bound is told by infinity.
    """

    value: float
    low: float
    high: float


def quantile(retained: Floats, low: Floats, high: Floats, p: float, *, flat: Flat = "middle") -> Quantile:
    """Return when the share `p` has left, with its interval.

    Parameters
    ----------
    retained, low, high : array of float, one entry per whole duration from 0
        A curve and its pointwise bounds.
    p : float
        Share that has left, in (0, 1); 0.5 asks for the median.
    flat : str
        Which time is told where the curve runs level exactly at 1 - p. ``middle``: the middle of that
        stretch, as ``quantile.survfit`` of R. ``first``: its start, which is always a whole duration.

    Notes
    -----
    Brookmeyer & Crowley (1982), Biometrics 38, 29-41: the interval holds every time at which the pointwise
    interval of the curve holds 1 - p, on the scale of that interval.
    """
    value, first, last = (_crossing(curve, 1 - p, flat) for curve in (retained, low, high))
    if flat == "first":
        first = min(first, value)
    return Quantile(value, first, np.inf if np.isnan(last) else last)


def _crossing(curve: Floats, level: float, flat: Flat) -> float:
    """Return when a falling curve comes down to a level; not a number when it does not."""
    at_it, below_it = (np.flatnonzero(curve <= level + near) for near in (_ON_IT, -_ON_IT))
    if not len(at_it):
        return np.nan
    if flat == "first":
        return float(at_it[0])
    end = below_it[0] if len(below_it) else len(curve) - 1
    return float(at_it[0] + end) / 2
