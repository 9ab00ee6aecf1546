"""Mean time with us within a horizon: the area under the curve, and its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.estimators.survival.kaplan_meier import greenwood_terms, product_limit
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Restricted mean for every whole horizon from 0 up.

    Attributes
    ----------
    mean : array of float
        Area under the curve from 0 to the horizon, in the unit of the durations.
    se : array of float
        Its standard error.
    """

    mean: Floats
    se: Floats


def restricted_mean(risk: RiskSet, *, rule: Literal["trapezium", "step"] = "trapezium") -> RestrictedMean:
    """Return the restricted mean and its standard error for every horizon at once.

    Parameters
    ----------
    risk : RiskSet
        Numbers at risk and gone by duration.
    rule : str
        What lies between two whole durations. ``trapezium``: durations were rounded up, so the curve is known
        at whole durations and taken as straight between them. ``step``: all leave at whole durations.

    Notes
    -----
    mu(tau) is the integral of S from 0 to tau; its variance is the sum over event times t <= tau of
    A(t)^2 d / (n (n - d)) with A(t) the area that moves with S at t and later (Klein & Moeschberger 2003,
    eq. 4.5.2; with ``step`` as ``survfit(...)`` prints for ``rmean = tau``). With A(t) = mu(tau) - B(t) the
    sum splits into three running sums, so all horizons cost one pass. A step curve of rounded-up durations
    counts days begun: it is (S(0) - S(tau)) / 2 above the trapezium, which is subtracted here.
    """
    retained = product_limit(risk)
    steps = np.concatenate([[0.0], np.cumsum(retained)[:-1]])
    mean, before = steps, steps
    if rule == "trapezium":
        mean = steps - (retained[0] - retained) / 2
        before = mean - retained / 2  # half of S(t) is weighed before t, half after it
        before[0] = 0.0
    terms = greenwood_terms(risk)
    terms = np.where(np.isfinite(terms), terms, 0.0)  # nobody is left: no area remains to the right
    plain, once, twice = (np.cumsum(terms * before**power) for power in (0, 1, 2))
    variance = mean**2 * plain - 2 * mean * once + twice
    return RestrictedMean(mean, np.sqrt(np.maximum(variance, 0.0)))
