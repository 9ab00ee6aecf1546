"""Laws of the share lost in step 1, 2, ... of membership, for triangles: all on the logit scale.

Each law maps a few unknowns without bounds (`theta`) to the logit of the share lost in each step of those
who began it. The unknowns have weak normal priors, wide enough for anything from 1 in 1,000 to nearly all
lost in a step, so that a fit exists where the likelihood alone has no maximum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammainc, gammaincc, log_ndtr

Floats = NDArray[np.float64]

#: Steps over which the age-by-age rates are averaged beyond the last age anybody has reached.
LAST = 3
#: Smallest and largest fall of log S in a step that is told from none and from all.
_LEAST, _MOST = 1e-12, 35.0


@dataclass(frozen=True, slots=True)
class Law:
    """One law of the share lost in each step.

    Attributes
    ----------
    name : str
        In plain words.
    centre, spread : array (unknowns,)
        Mean and standard deviation of the normal priors; the centre is where fitting starts.
    logits : function of theta (..., unknowns) and a number of steps to an array (..., steps)
        Logit of the share lost in each step.
    """

    name: str
    centre: Floats
    spread: Floats
    logits: Callable[[Floats, int], Floats]


def age_by_age(seen: int, level: float) -> Law:
    """Return the law without a form: a rate for every age reached, the mean of the last ones beyond.

    Parameters
    ----------
    seen : int
        Steps that some cohort has been seen through.
    level : float
        Logit of the share lost per step, over all.
    """
    return Law("age by age", np.full(seen, level), np.full(seen, 2.0), _carried)


def forms() -> tuple[Law, ...]:
    """Return every law with a form, the simplest first."""
    return (
        _law("exponential", 1, _exponential),
        _law("beta-geometric", 2, _beta_geometric, spread=(2.0, 2.0)),
        _law("beta discrete Weibull", 3, _beta_weibull, spread=(2.0, 2.0, 0.5)),
        _law("Weibull", 2, _weibull),
        _law("log-logistic", 2, _log_logistic),
        _law("log-normal", 2, _log_normal),
        _law("generalised gamma", 3, _generalised_gamma),
    )


_CENTRES = {
    "exponential": (-1.5,),
    "beta-geometric": (-1.5, 1.5),
    "beta discrete Weibull": (-1.5, 1.5, 0.0),
    "Weibull": (-1.5, 0.0),
    "log-logistic": (1.5, 0.0),
    "log-normal": (1.5, 0.3),
    "generalised gamma": (1.5, 0.3, 0.0),
}
_SPREADS = (2.0, 0.75, 1.0)


def _law(
    name: str, unknowns: int, logits: Callable[[Floats, int], Floats], spread: tuple[float, ...] = ()
) -> Law:
    return Law(name, np.array(_CENTRES[name]), np.array(spread or _SPREADS[:unknowns]), logits)


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
    powered = _times(steps) ** np.exp(theta[..., 2:3])
    return _from_log_kept(betaln(alpha, beta + powered) - betaln(alpha, beta))


def _weibull(theta: Floats, steps: int) -> Floats:
    return _from_log_kept(-np.exp(theta[..., :1]) * _times(steps) ** np.exp(theta[..., 1:2]))


def _log_logistic(theta: Floats, steps: int) -> Floats:
    return _from_log_kept(-np.logaddexp(0, _standard(theta, steps) / np.exp(theta[..., 1:2])))


def _log_normal(theta: Floats, steps: int) -> Floats:
    return _from_log_kept(log_ndtr(-_standard(theta, steps) / np.exp(theta[..., 1:2])))


def _generalised_gamma(theta: Floats, steps: int) -> Floats:
    """Prentice (1974), as in R's flexsurv: q = 1 is the Weibull, q near 0 the log-normal, q < 0 heavier."""
    q = theta[..., 2:3]
    q = np.where(np.abs(q) < 1e-3, np.where(q < 0, -1e-3, 1e-3), q)
    w = _standard(theta, steps) / np.exp(theta[..., 1:2])
    size = q**-2.0
    at = size * np.exp(np.clip(q * w, -300, 300))
    left = np.where(q > 0, gammaincc(size, at), gammainc(size, at))
    return _from_log_kept(np.log(np.maximum(left, 1e-300)))


def _alpha_beta(theta: Floats) -> tuple[Floats, Floats]:
    """Return alpha and beta from the logit of their mean and the logarithm of their sum."""
    size, mean = np.exp(theta[..., 1:2]), 1 / (1 + np.exp(-theta[..., :1]))
    return mean * size, (1 - mean) * size


def _standard(theta: Floats, steps: int) -> Floats:
    with np.errstate(divide="ignore"):  # the logarithm of time 0 is minus infinity, where all are kept
        return np.log(_times(steps)) - theta[..., :1]


def _times(steps: int) -> Floats:
    return np.arange(steps + 1, dtype=np.float64)


def _from_log_kept(log_kept: Floats) -> Floats:
    """Return logits of the share lost in each step from log S at ages 0, 1, ..."""
    fall = np.clip(log_kept[..., :-1] - log_kept[..., 1:], _LEAST, _MOST)
    return np.where(fall > 30, fall, np.log(np.expm1(np.minimum(fall, 30))))
