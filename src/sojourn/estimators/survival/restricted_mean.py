"""Mean time with us within a horizon: the area under the curve, its standard error, and two compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.core.normal import standard_errors, two_sided
from sojourn.estimators.survival.kaplan_meier import greenwood_terms, product_limit
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]
Rule = Literal["trapezium", "step"]


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


@dataclass(frozen=True, slots=True)
class Compared:
    """Two independent means compared.

    Attributes
    ----------
    value, low, high : float
        Difference or ratio, with its bounds.
    p : float
        Two-sided, for no difference (a ratio of one).
    """

    value: float
    low: float
    high: float
    p: float


def restricted_mean(risk: RiskSet, *, rule: Rule = "trapezium") -> RestrictedMean:
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
    eq. 4.5.2; with ``step`` as ``survfit(...)`` prints for ``rmean = tau``). When tau grows, every A(t) grows
    by the same piece of area: three running sums of positive numbers give all horizons in one pass.
    """
    mean, before = areas(product_limit(risk), rule)
    terms = greenwood_terms(risk)
    terms = np.where(np.isfinite(terms), terms, 0.0)  # nobody is left: no area remains to the right
    own, grows = mean - before, np.diff(mean, prepend=0.0)
    plain = np.cumsum(terms)
    once = np.cumsum(grows * _one_before(plain) + own * terms)
    twice = np.cumsum(grows * (2 * _one_before(once) + grows * _one_before(plain)) + own**2 * terms)
    return RestrictedMean(mean, np.sqrt(twice))


def _one_before(sums: Floats) -> Floats:
    return np.concatenate([[0.0], sums[:-1]])


def areas(retained: Floats, rule: Rule) -> tuple[Floats, Floats]:
    """Return the area under a curve up to each duration, and its part that S at the duration leaves alone.

    A step curve of rounded-up durations counts days begun: it is (S(0) - S(tau)) / 2 above the trapezium.
    """
    steps = np.concatenate([[0.0], np.cumsum(retained)[:-1]])
    if rule == "step":
        return steps, steps
    mean = steps - (retained[0] - retained) / 2
    before = mean - retained / 2  # half of S(t) is weighed before t, half after it
    before[0] = 0.0
    return mean, before


def difference(a: float, b: float, se_a: float, se_b: float, mass: float) -> Compared:
    """Return ``a - b`` of two independent means with its normal interval and test.

    Royston & Parmar (2013), BMC Med. Res. Methodol. 13, 152; as ``survRM2::rmst2``.
    """
    se = float(np.hypot(se_a, se_b))
    reach = standard_errors(mass) * se
    return Compared(a - b, a - b - reach, a - b + reach, two_sided((a - b) / se))


def ratio(a: float, b: float, se_a: float, se_b: float, mass: float) -> Compared:
    """Return ``a / b`` of two independent positive means, interval and test on the scale of logarithms.

    Uno et al. (2014), J. Clin. Oncol. 32, 2380-2385: se of log(mean) is se / mean; as ``survRM2::rmst2``.
    """
    logs = difference(float(np.log(a)), float(np.log(b)), se_a / a, se_b / b, mass)
    return Compared(a / b, float(np.exp(logs.low)), float(np.exp(logs.high)), logs.p)
