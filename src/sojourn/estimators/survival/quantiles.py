"""After how long a given share has left: quantiles of a curve, with Brookmeyer and Crowley's interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.crossing import Flat, crossing

Floats = NDArray[np.float64]


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
        Which time is told where the curve runs level exactly at 1 - p; see `sojourn.core.crossing`.

    Notes
    -----
    Brookmeyer & Crowley (1982), Biometrics 38, 29-41: the interval holds every time at which the pointwise
    interval of the curve holds 1 - p, on the scale of that interval. With ``middle`` as R's
    ``quantile.survfit``.
    """
    value, first, last = (crossing(curve, 1 - p, flat) for curve in (retained, low, high))
    return Quantile(value, first, np.inf if np.isnan(last) else last)
