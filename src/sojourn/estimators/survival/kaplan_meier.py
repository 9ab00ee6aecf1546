"""Kaplan-Meier on whole durations, with Greenwood's variance and log-log intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survival:
    """Share still there after each whole duration from 0 up.

    Attributes
    ----------
    retained : array of float
        Kaplan-Meier estimate after the events of that duration.
    se : array of float
        Its standard error (Greenwood).
    low, high : array of float
        Log-log bounds; not a number where the estimate is 1 or 0.
    """

    retained: Floats
    se: Floats
    low: Floats
    high: Floats


def kaplan_meier(risk: RiskSet, mass: float) -> Survival:
    """Return the product-limit estimate with its pointwise interval.

    Parameters
    ----------
    risk : RiskSet
        Numbers at risk and gone by duration; late entry is in the numbers at risk.
    mass : float
        Mass of the intervals, in (0, 1).

    Notes
    -----
    Estimate: Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457-481. Variance: Greenwood (1926).
    Interval: log(-log S), Kalbfleisch & Prentice (2002), eq. 1.13; as ``survfit(conf.type = "log-log")``.
    """
    retained = product_limit(risk)
    spread = np.cumsum(greenwood_terms(risk))
    low, high = log_log_bounds(retained, spread, mass)
    return Survival(retained, standard_error(retained, spread), low, high)


def product_limit(risk: RiskSet) -> Floats:
    """Return the product over durations of (at risk - churned) / at risk; nobody at risk changes nothing."""
    staying = np.divide(
        risk.at_risk - risk.churned, risk.at_risk, out=np.ones(len(risk)), where=risk.at_risk > 0
    )
    product: Floats = np.cumprod(staying)
    return product


def greenwood_terms(risk: RiskSet) -> Floats:
    """Return d / (n (n - d)) by duration; infinite where everybody at risk left."""
    left_over = risk.at_risk - risk.churned
    terms = np.divide(
        risk.churned,
        risk.at_risk * left_over,
        out=np.zeros(len(risk)),
        where=(risk.at_risk > 0) & (left_over > 0),
    )
    terms[(risk.churned > 0) & (left_over == 0)] = np.inf
    return terms


def standard_error(retained: Floats, spread: Floats) -> Floats:
    """Return S times the root of Greenwood's sum; not a number where nobody is left."""
    return retained * np.sqrt(np.where(retained > 0, spread, np.nan))


def log_log_bounds(retained: Floats, spread: Floats, mass: float) -> tuple[Floats, Floats]:
    """Return bounds S ** exp(-+ z sqrt(spread) / log S); not a number where S is 0 or 1."""
    z = norm.ppf(0.5 + mass / 2)
    inside = (retained > 0) & (retained < 1)
    safe = np.where(inside, retained, 0.5)
    reach = z * np.sqrt(np.where(inside, spread, 0.0)) / np.log(safe)
    low = np.where(inside, safe ** np.exp(-reach), np.nan)
    high = np.where(inside, safe ** np.exp(reach), np.nan)
    return low, high
