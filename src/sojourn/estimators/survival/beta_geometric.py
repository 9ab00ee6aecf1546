"""The shifted beta-geometric and the beta discrete Weibull: renewal when members differ in loyalty.

Every member stays through a step with a probability of their own, which is beta distributed over members.
The loyal remain, so the share lost per step falls although nobody changes. Fader & Hardie (2007), How to
project customer retention, J. Interactive Marketing 21(1), 76-90; with a shape for members who do change:
Fader, Hardie, Liu, Davin & Steenburgh (2018), How to project customer retention revisited, J. Interactive
Marketing 43, 1-16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import betaln

from sojourn.core.errors import ConvergenceError, UndefinedError
from sojourn.core.ranges import in_range

Floats = NDArray[np.float64]

#: Bounds of logit of the mean, log of alpha + beta, log of the shape.
_BOUNDS = ((-12.0, 12.0), (-6.0, 14.0), (-3.0, 3.0))
#: Members cannot be told apart where telling them raises the log-likelihood by less than this.
_ALIKE = 1e-3


@dataclass(frozen=True, slots=True)
class BetaGeometric:
    """A fitted beta-geometric law; ages are counted in steps.

    Attributes
    ----------
    alpha, beta : float
        Of the beta distribution of a member's probability to leave in a step.
    shape : float
        1 for the beta-geometric; above 1 a member's risk rises with age, below 1 it falls.
    log_likelihood : float
        At the maximum, without the constant of the counts.
    alike : bool
        Whether members cannot be told apart, so that the law is geometric and alpha and beta only large.
    """

    alpha: float
    beta: float
    shape: float
    log_likelihood: float
    alike: bool

    def kept(self, age: ArrayLike) -> Floats:
        """Return S(age) = B(alpha, beta + age ** shape) / B(alpha, beta)."""
        powered = np.asarray(age, dtype=np.float64) ** self.shape
        share: Floats = np.exp(betaln(self.alpha, self.beta + powered) - betaln(self.alpha, self.beta))
        return share

    def renewal(self, step: ArrayLike) -> Floats:
        """Return the share that stays through step 1, 2, ... of those who began it."""
        steps = np.asarray(step, dtype=np.float64)
        if np.any(steps < 1):
            raise UndefinedError("Steps are counted from 1.")
        rate: Floats = self.kept(steps) / self.kept(steps - 1)
        return rate

    def remaining(self, age: int, *, within: int) -> float:
        """Return the expected time still to come, in steps and at most `within`, for a member of this age.

        The area under S(age + t) / S(age), which is taken as straight between steps.
        """
        in_range(within, "within", ge=1)
        left = self.kept(np.arange(age, age + within + 1)) / self.kept(age)
        return float(left.sum() - (left[0] + left[-1]) / 2)

    def mean(self) -> float:
        """Return the expected number of steps begun, over all time.

        Raises
        ------
        UndefinedError
            When it is infinite (alpha of at most 1), or has no closed form (a shape other than 1).
        """
        if self.shape != 1:
            raise UndefinedError(
                "The mean has a closed form for shape 1 only. Ask for `remaining` within a time."
            )
        if self.alpha <= 1:
            raise UndefinedError(
                f"With alpha {self.alpha:.3f} (at most 1) the mean time is infinite: the few who never leave "
                "outweigh all others. Ask for `remaining` within a time."
            )
        return (self.alpha + self.beta - 1) / (self.alpha - 1)


def fit_beta_geometric(lost: Floats, at_risk: Floats) -> BetaGeometric:
    """Fit the shifted beta-geometric by maximum likelihood.

    Parameters
    ----------
    lost, at_risk : array (steps,) or (cohorts, steps)
        Members lost in each step, of those who began it; where nothing is known both are 0.

    Raises
    ------
    UndefinedError
        When nobody, or everybody who could, is lost.

    Notes
    -----
    The likelihood is a product of binomials, so cohorts add up. Where the share lost does not fall with age
    no maximum exists; the limit is the geometric law, and `alike` says so.
    """
    return _fit(lost, at_risk, free=2)


def fit_beta_weibull(lost: Floats, at_risk: Floats) -> BetaGeometric:
    """Fit the beta discrete Weibull by maximum likelihood; as `fit_beta_geometric`, with a shape.

    Raises
    ------
    UndefinedError
        When nobody, or everybody who could, is lost, or fewer than three steps are known.
    """
    return _fit(lost, at_risk, free=3)


def _fit(lost: Floats, at_risk: Floats, *, free: int) -> BetaGeometric:
    gone, begun = (np.atleast_2d(np.asarray(x, dtype=np.float64)).sum(axis=0) for x in (lost, at_risk))
    if not 0 < gone.sum() < begun.sum():
        raise UndefinedError("Nobody is lost, or everybody: there is no law of renewal to fit.")
    if free > np.count_nonzero(begun):
        raise UndefinedError(f"{free} unknowns cannot be told from {np.count_nonzero(begun)} known steps.")
    mean = gone.sum() / begun.sum()
    start = np.array([np.log(mean / (1 - mean)), 1.0, 0.0])[:free]
    found = minimize(
        _minus_log_likelihood,
        start,
        args=(gone, begun),
        method="L-BFGS-B",
        bounds=_BOUNDS[:free],
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2_000},
    )
    if not np.isfinite(found.fun):
        raise ConvergenceError("The beta-geometric fit found no maximum. Look at the counts.")
    alpha, beta, shape = _natural(found.x)
    alike = bool(-found.fun - _geometric(gone, begun) < _ALIKE)
    return BetaGeometric(alpha, beta, shape, -float(found.fun), alike)


def _geometric(gone: Floats, begun: Floats) -> float:
    """Return the log-likelihood where everybody leaves with the same probability in every step."""
    lost, stayed = gone.sum(), (begun - gone).sum()
    return float(lost * np.log(lost / begun.sum()) + stayed * np.log(stayed / begun.sum()))


def _natural(at: Floats) -> tuple[float, float, float]:
    mean, size = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
    return float(mean * size), float((1 - mean) * size), float(np.exp(at[2])) if len(at) > 2 else 1.0


def _minus_log_likelihood(at: Floats, gone: Floats, begun: Floats) -> float:
    law = BetaGeometric(*_natural(at), 0.0, alike=False)
    left = np.log(np.maximum(law.kept(np.arange(len(gone) + 1)), 1e-300))
    fall = np.maximum(left[:-1] - left[1:], 1e-300)
    terms = gone * np.log(-np.expm1(-fall)) - (begun - gone) * fall
    return -float(terms[begun > 0].sum())
