"""Laws of the share lost in step 1, 2, ... of membership, for triangles: all on the logit scale.

Each law maps a few unknowns without bounds (`theta`) to the logit of the share lost in each step of those
who began it. The unknowns have weak normal priors, wide enough for anything from 1 in 1,000 to nearly all
lost in a step, so that a fit exists where the likelihood alone has no maximum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammainc, gammaincc

from sojourn.estimators.survival import lifetime_laws as lifetimes

Floats = NDArray[np.float64]
Logits = Callable[[Floats, int], Floats]

#: Steps over which the age-by-age rates are averaged beyond the last age anybody has reached.
LAST = 3
#: Smallest and largest fall of log S in a step that is told from none and from all.
_LEAST, _MOST = 1e-12, 35.0
#: Logarithm of a powered age beyond which nobody is lost any more; standardised log time after which all are.
_FAR, _BEYOND = 27.0, 300.0
#: Shapes of the generalised gamma nearer to 0 are taken for this far from it, which is the log-normal.
_NEAR_NORMAL = 1e-2


@dataclass(frozen=True, slots=True)
class Law:
    """One law of the share lost in each step.

    Attributes
    ----------
    name : str
        In plain words.
    centre, spread, start : array (unknowns,)
        Mean and standard deviation of the normal priors, and where fitting starts.
    logits : function of theta (..., unknowns) and a number of steps to an array (..., steps)
        Logit of the share lost in each step.
    """

    name: str
    centre: Floats
    spread: Floats
    start: Floats
    logits: Logits


def age_by_age(lost: Floats, at_risk: Floats) -> Law:
    """Return the law without a form: a rate for every age reached, the mean of the last ones beyond.

    Parameters
    ----------
    lost, at_risk : array (cohorts, steps)
        Members lost in each step that is known, of those who began it; the priors of all rates are around the
        share lost over all steps.
    """
    gone, begun = lost.sum(axis=0), at_risk.sum(axis=0)
    level = np.log(gone.sum() + 0.5) - np.log((begun - gone).sum() + 0.5)
    start = np.log((gone + 0.5) / (begun - gone + 0.5))
    return Law("age by age", np.full(len(gone), level), np.full(len(gone), 2.0), start, _carried)


def beta_geometric() -> Law:
    """Return the shifted beta-geometric: logit of the mean, and log of the sum, of alpha and beta."""
    return _law("beta-geometric", _beta_geometric, (-1.5, 2.0), (1.5, 2.0))


def beta_weibull() -> Law:
    """Return the beta discrete Weibull: as the beta-geometric, and the log of the shape."""
    return _law("beta discrete Weibull", _beta_weibull, (-1.5, 2.0), (1.5, 2.0), (0.0, 0.5))


def continuous() -> tuple[Law, ...]:
    """Return laws of lifetimes read off at whole steps: location and log scale of log time, and a shape."""
    location, log_scale = (1.5, 2.0), (0.0, 0.75)
    return (
        _law("exponential", _exponential, (-1.5, 2.0)),
        _law("Weibull", partial(_read_off, lifetimes.Weibull()), location, log_scale),
        _law("log-logistic", partial(_read_off, lifetimes.Logistic()), location, log_scale),
        _law("log-normal", partial(_read_off, lifetimes.Normal()), location, log_scale),
        _law("generalised gamma", _generalised_gamma, location, log_scale, (0.0, 1.0)),
    )


def with_stayers() -> tuple[Law, ...]:
    """Return laws of which some members are exempt: the third unknown is the logit of their share."""
    priors = (1.5, 2.0), (0.0, 0.75), (-1.5, 1.5)
    return (
        _law("Weibull, some never leave", partial(_mixed, lifetimes.Weibull()), *priors),
        _law("log-normal, some never leave", partial(_mixed, lifetimes.Normal()), *priors),
    )


def _law(name: str, logits: Logits, *priors: tuple[float, float]) -> Law:
    centre, spread = np.array(priors).T
    return Law(name, centre, spread, centre, logits)


def _carried(theta: Floats, steps: int) -> Floats:
    seen = theta.shape[-1]
    if steps <= seen:
        return theta[..., :steps]
    beyond = theta[..., -LAST:].mean(axis=-1, keepdims=True)
    return np.concatenate([theta, np.repeat(beyond, steps - seen, axis=-1)], axis=-1)


def _exponential(theta: Floats, steps: int) -> Floats:
    return np.repeat(theta, steps, axis=-1)


def _beta_geometric(theta: Floats, steps: int) -> Floats:
    """Logit of alpha / (alpha + beta + step - 1), which is log(alpha / (beta + step - 1))."""
    alpha, beta = _alpha_beta(theta)
    return np.log(alpha) - np.log(beta + np.arange(steps))


def _beta_weibull(theta: Floats, steps: int) -> Floats:
    alpha, beta = _alpha_beta(theta)
    with np.errstate(divide="ignore"):  # age 0 to any power is 0
        powered = np.exp(np.minimum(np.exp(theta[..., 2:3]) * np.log(_ages(steps)), _FAR))
    return _from_log_kept(betaln(alpha, beta + powered) - betaln(alpha, beta))


def _alpha_beta(theta: Floats) -> tuple[Floats, Floats]:
    size, mean = np.exp(theta[..., 1:2]), 1 / (1 + np.exp(-theta[..., :1]))
    return mean * size, (1 - mean) * size


def _read_off(law: lifetimes.Law, theta: Floats, steps: int) -> Floats:
    return _from_log_kept(law.log_sf(_standard(theta, steps)))


def _mixed(law: lifetimes.Law, theta: Floats, steps: int) -> Floats:
    """Mixture cure: S = p + (1 - p) S of those who leave (Farewell 1982, Biometrics 38, 1041-1046)."""
    stay = theta[..., 2:3]
    leavers = law.log_sf(_standard(theta, steps)) - np.logaddexp(0.0, stay)
    return _from_log_kept(np.logaddexp(-np.logaddexp(0.0, -stay), leavers))


def _generalised_gamma(theta: Floats, steps: int) -> Floats:
    """Tail of `lifetime_laws.LogGamma`, for many shapes at once."""
    q = theta[..., 2:3]
    q = np.where(np.abs(q) < _NEAR_NORMAL, np.where(q < 0, -_NEAR_NORMAL, _NEAR_NORMAL), q)
    size = q**-2.0
    at = size * np.exp(np.clip(q * _standard(theta, steps), -300, 300))
    left = np.where(q > 0, gammaincc(size, at), gammainc(size, at))
    return _from_log_kept(np.log(np.maximum(left, 1e-300)))


def _standard(theta: Floats, steps: int) -> Floats:
    with np.errstate(divide="ignore"):  # the logarithm of age 0 is minus infinity, where all are kept
        return np.minimum((np.log(_ages(steps)) - theta[..., :1]) / np.exp(theta[..., 1:2]), _BEYOND)


def _ages(steps: int) -> Floats:
    return np.arange(steps + 1, dtype=np.float64)


def _from_log_kept(log_kept: Floats) -> Floats:
    """Return logits of the share lost in each step from log S at ages 0, 1, ..."""
    fall = np.clip(log_kept[..., :-1] - log_kept[..., 1:], _LEAST, _MOST)
    logits: Floats = np.log(np.expm1(fall))
    return logits
