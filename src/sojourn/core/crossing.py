"""When a falling curve on whole durations comes down to a level."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Flat = Literal["first", "middle"]

#: A curve this close to a level lies on it (R's ``quantile.survfit``: the root of the machine's precision).
_ON_IT = float(np.sqrt(np.finfo(np.float64).eps))


def crossing(curve: NDArray[np.float64], level: float, flat: Flat = "middle") -> float:
    """Return the duration at which a curve first is at a level or below; not a number when it never is.

    Parameters
    ----------
    curve : array of float, one entry per whole duration from 0
        Not a number where it is not defined.
    level : float
        The level.
    flat : str
        Which time is told where the curve runs level exactly there. ``middle``: the middle of that stretch,
        as ``quantile.survfit`` of R. ``first``: its start, which is always a whole duration.
    """
    at_it, below_it = (np.flatnonzero(curve <= level + near) for near in (_ON_IT, -_ON_IT))
    if not len(at_it):
        return float("nan")
    if flat == "first":
        return float(at_it[0])
    end = below_it[0] if len(below_it) else len(curve) - 1
    return float(at_it[0] + end) / 2
