"""Kaplan-Meier on whole durations, with Greenwood's variance and pointwise intervals by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.interval import Scale
from sojourn.core.normal import standard_errors
from sojourn.estimators.survival.intervals import bounds
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
        Its standard error.
    low, high : array of float
        Pointwise bounds; not a number where the estimate is 1 or 0.
    """

    retained: Floats
    se: Floats
    low: Floats
    high: Floats


def kaplan_meier(risk: RiskSet, mass: float, scale: Scale = "log-log") -> Survival:
    """Return the product-limit estimate with its pointwise interval.

    Parameters
    ----------
    risk : RiskSet
        Numbers at risk and gone by duration; late entry is in the numbers at risk, and a member counted k
        times stands for k alike members (frequency weights).
    mass : float
        Mass of the intervals, in (0, 1).
    scale : str
        Scale of the intervals; see `sojourn.estimators.survival.intervals`.

    Notes
    -----
    Estimate: Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457-481. Variance: Greenwood (1926).
    As R's ``survfit(conf.type = scale)``.
    """
    retained = product_limit(risk)
    return with_interval(retained, np.cumsum(greenwood_terms(risk)), mass, scale)


def with_interval(retained: Floats, spread: Floats, mass: float, scale: Scale) -> Survival:
    """Return a curve with its intervals; `spread` is the variance of its logarithm."""
    reach = standard_errors(mass) * np.sqrt(spread)
    return Survival(retained, standard_error(retained, spread), *bounds(retained, reach, scale))


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
    """Return S times the root of the variance of log S; not a number where nobody is left."""
    return retained * np.sqrt(np.where(retained > 0, spread, np.nan))
