"""Nelson-Aalen: the hazard added up, with its variance, for two ways of reading ties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.core.normal import standard_errors
from sojourn.estimators.survival.risk_set import Counts, RiskSet

Floats = NDArray[np.float64]
Ties = Literal["together", "one by one"]

#: Sums of 1/k and 1/k^2 are exact up to here, and by the Euler-Maclaurin formula beyond (error below 1e-14).
_EXACT = 32
_FIRST, _SECOND = (np.concatenate([[0.0], np.cumsum(1 / np.arange(1, _EXACT + 1.0) ** p)]) for p in (1, 2))


@dataclass(frozen=True, slots=True)
class CumulativeHazard:
    """Hazard added up from 0 to each whole duration.

    Attributes
    ----------
    hazard, se : array of float
        Estimate and standard error.
    low, high : array of float
        Bounds, symmetric in the logarithm; not a number before anybody has left.
    """

    hazard: Floats
    se: Floats
    low: Floats
    high: Floats


def nelson_aalen(risk: RiskSet, mass: float, *, ties: Ties = "together") -> CumulativeHazard:
    """Return the cumulative hazard with its pointwise interval.

    Parameters
    ----------
    risk : RiskSet
        Numbers at risk and gone by duration; late entry is in the numbers at risk.
    mass : float
        Mass of the intervals, in (0, 1).
    ties : str
        How several who leave on one day are read. ``together``: d of n at once, d / n (Nelson 1972, Aalen
        1978; ``survfit(ctype = 1)``). ``one by one``: in some order, 1/n + 1/(n-1) + ... (Fleming &
        Harrington 1984, Commun. Stat. A 13, 2469-2486; ``survfit(ctype = 2)``).

    Notes
    -----
    Variance: Aalen's, the sum of d / n^2 or of 1 / (n-k)^2. Interval: H exp(-+ z se / H), Klein &
    Moeschberger (2003), eq. 4.3.5.
    """
    steps, squares = _together(risk) if ties == "together" else _one_by_one(risk.at_risk, risk.churned)
    hazard, se = np.cumsum(steps), np.sqrt(np.cumsum(squares))
    some = hazard > 0
    turn = np.exp(standard_errors(mass) * np.divide(se, hazard, out=np.zeros_like(se), where=some))
    return CumulativeHazard(
        hazard, se, np.where(some, hazard / turn, np.nan), np.where(some, hazard * turn, np.nan)
    )


def _together(risk: RiskSet) -> tuple[Floats, Floats]:
    someone = np.maximum(risk.at_risk, 1).astype(np.float64)
    return risk.churned / someone, risk.churned / someone**2


def _one_by_one(at_risk: Counts, churned: Counts) -> tuple[Floats, Floats]:
    """Return the sums of 1/k and of 1/k^2 over k from at risk - churned + 1 to at risk, however many."""
    left, all_there = (np.asarray(n, dtype=np.float64) for n in (at_risk - churned, at_risk))
    few, most = (np.minimum(n, _EXACT).astype(np.int64) for n in (left, all_there))
    a, b = np.maximum(left, _EXACT), np.maximum(all_there, _EXACT)
    return (
        _FIRST[most] - _FIRST[few] + _sum_of_inverses(a, b),
        _SECOND[most] - _SECOND[few] + _sum_of_inverse_squares(a, b),
    )


def _sum_of_inverses(a: Floats, b: Floats) -> Floats:
    """Return the sum of 1/k over a < k <= b (Abramowitz & Stegun 6.3.18)."""
    return (
        np.log1p((b - a) / a)
        - (b - a) / (2 * a * b)
        + (a**-2 - b**-2) / 12
        - (a**-4 - b**-4) / 120
        + (a**-6 - b**-6) / 252
    )


def _sum_of_inverse_squares(a: Floats, b: Floats) -> Floats:
    """Return the sum of 1/k^2 over a < k <= b (Abramowitz & Stegun 6.4.12)."""
    return (
        (b - a) / (a * b)
        - (a**-2 - b**-2) / 2
        + (a**-3 - b**-3) / 6
        - (a**-5 - b**-5) / 30
        + (a**-7 - b**-7) / 42
    )
