"""Cohorts that share strength: one law of leaving, a level for every cohort, and unrest beyond chance.

In step a of cohort c, of ``n`` members who begin it, ``d`` are lost::

    d ~ BetaBinomial(n, h M, (1 - h) M)     logit h = law(theta)[a] + u[c]     M = 1 / unrest ** 2
    u[c] ~ Normal(0, spread)      spread ~ HalfNormal(0.5)      unrest ~ HalfNormal(0.1)

This is the fast path: the level of each cohort is integrated out by adaptive Gauss-Hermite quadrature, all
other unknowns are normal around their joint mode (Laplace), and the levels follow them linearly. The same
model is sampled in `sojourn.estimators.bayes.renewal`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln

from sojourn.core.errors import ConvergenceError, UndefinedError
from sojourn.estimators.survival.laws import Law
from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]

#: Scales of the half-normal priors of the spread between cohorts (logits) and of unrest.
SPREAD_SCALE, UNREST_SCALE = 0.5, 0.1
#: Bounds of the logarithms of both: below them they are 0 for every purpose.
_LOG_SPREAD, _LOG_UNREST = (-7.0, 1.1), (-9.0, 0.0)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
#: Fisher scoring stops when levels move by less than this many of their standard deviations.
_NEWTON_STEPS, _NEAR = 8, 1e-2
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class SharedFit:
    """Approximate posterior of a law whose cohorts share strength.

    Attributes
    ----------
    law : Law
        The law of the share lost in each step.
    shared : bool
        Whether cohorts have levels of their own; without, they differ by chance and unrest only.
    mode : array (unknowns + 2,)
        theta, log of the spread between cohorts, log of unrest (without levels the second has no meaning).
    root : array (unknowns + 2, unknowns + 2)
        Lower Cholesky factor of their covariance.
    level, level_sd : array (cohorts,)
        Mean and standard deviation of every cohort's level at the mode.
    follows : array (cohorts, unknowns + 2)
        How a level's mean moves with the other unknowns.
    """

    law: Law
    shared: bool
    mode: Floats
    root: Floats
    level: Floats
    level_sd: Floats
    follows: Floats

    @property
    def spread(self) -> float:
        """Standard deviation of cohorts' levels, in logits."""
        return float(np.exp(self.mode[-2])) if self.shared else 0.0

    @property
    def unrest(self) -> float:
        """How entries differ beyond chance: the standard deviation of a share h is unrest sqrt(h (1 - h))."""
        return float(np.exp(self.mode[-1]))

    def draw(self, size: int, steps: int, *, rng: np.random.Generator) -> Draws:
        """Return draws of the posterior.

        Parameters
        ----------
        size, steps : int
            Number of draws, and steps for which the law is read off.
        rng : numpy Generator
            Source of randomness.
        """
        moved = rng.standard_normal((size, self.mode.size)) @ self.root.T
        at = self.mode + moved
        log_spread, log_unrest = (np.clip(at[:, i], *b) for i, b in ((-2, _LOG_SPREAD), (-1, _LOG_UNREST)))
        logits = self.law.logits(at[:, :-2], steps)
        noise = rng.standard_normal((size, self.level.size))
        levels = np.zeros_like(noise)
        if self.shared:
            sd = self._level_sd(log_spread)
            levels = self.level + moved @ self.follows.T + sd * noise
        return Draws(logits, levels, np.exp(log_spread) * self.shared, np.exp(-2 * log_unrest))

    def _level_sd(self, log_spread: Floats) -> Floats:
        """Return standard deviations of levels (draws, cohorts): what the data say, and the drawn spread."""
        data = np.maximum(1 / self.level_sd**2 - np.exp(-2 * self.mode[-2]), 0.0)
        sd: Floats = 1 / np.sqrt(data + np.exp(-2 * log_spread)[:, None])
        return sd


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of what a forecast hangs on.

    Attributes
    ----------
    logits : array (draws, steps)
        Logit of the share lost in each step of a cohort of level 0.
    levels : array (draws, cohorts)
        Level of each cohort, added to the logits.
    spread : array (draws,)
        Standard deviation of levels of cohorts yet unseen.
    steadiness : array (draws,)
        M of the beta-binomial.
    """

    logits: Floats
    levels: Floats
    spread: Floats
    steadiness: Floats


def fit_shared(
    triangle: Triangle, law: Law, *, shared: bool = True, start: Floats | None = None
) -> SharedFit:
    """Fit a law to a triangle whose cohorts share strength.

    Parameters
    ----------
    triangle : Triangle
        What is known.
    law : Law
        Of the share lost in each step.
    shared : bool
        Whether cohorts have levels of their own.
    start : array (unknowns + 2,), optional
        Where to look first: the mode of a similar triangle.

    Raises
    ------
    UndefinedError
        When nothing is known, nobody is lost or everybody is.
    ConvergenceError
        When the posterior has no proper mode.
    """
    if not 0 < triangle.lost.sum() < triangle.at_risk.sum():
        raise UndefinedError(
            "Nobody is lost in the triangle, or everybody: there is nothing to forecast from."
        )
    posterior = _Posterior(triangle, law, shared)
    if start is None:
        start = np.concatenate([law.start, [np.log(0.1), np.log(0.05)]])
    inside = [(None, None)] * law.centre.size
    options = {"maxiter": 500, "ftol": 1e-10, "gtol": 1e-4}
    found = minimize(
        posterior,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[*inside, _LOG_SPREAD, _LOG_UNREST],
        options=options,
    )
    if not np.all(np.isfinite(found.x)):
        raise ConvergenceError(f"The {law.name} law found no mode. Look at the counts of the triangle.")
    return _around(posterior, found.x)


def _around(posterior: _Posterior, mode: Floats) -> SharedFit:
    """Return the normal approximation around the mode, by differences of slopes."""
    slopes, levels = [], []
    for unknown in range(mode.size):
        step = _STEP * np.eye(mode.size)[unknown]
        sides = [(posterior(mode + way * step)[1], posterior.level) for way in (1, -1)]
        slopes.append((sides[0][0] - sides[1][0]) / (2 * _STEP))
        levels.append((sides[0][1] - sides[1][1]) / (2 * _STEP))
    posterior(mode)
    precision = np.array(slopes)
    values, vectors = np.linalg.eigh((precision + precision.T) / 2)
    root = vectors / np.sqrt(np.maximum(values, 1e-2))
    cholesky = np.linalg.qr(root.T, mode="r").T
    return SharedFit(
        posterior.law,
        posterior.shared,
        mode,
        cholesky,
        posterior.level,
        posterior.level_sd,
        np.array(levels).T,
    )


class _Posterior:
    """Minus the log-posterior and its slope, levels integrated out; keeps the levels of its last call."""

    def __init__(self, triangle: Triangle, law: Law, shared: bool) -> None:
        self.cohort, self.step = np.nonzero(triangle.at_risk)
        self.lost, self.at_risk = (x[self.cohort, self.step] for x in (triangle.lost, triangle.at_risk))
        self.steps, self.law, self.shared = triangle.kept.shape[1], law, shared
        self.level = np.zeros(len(triangle.members))
        self.level_sd = np.ones(len(triangle.members))

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        theta, log_spread, log_unrest = at[:-2], float(at[-2]), float(at[-1])
        logits, slopes = self._law(theta)
        steady = float(np.exp(-2 * log_unrest))
        value, by_entry, by_spread, by_steady = self._integrated(logits, float(np.exp(log_spread)), steady)
        prior, by_prior = self._prior(theta, log_spread, log_unrest)
        by_logit = np.bincount(self.step, weights=by_entry, minlength=self.steps)
        slope = np.concatenate([slopes @ by_logit, [by_spread, -2 * steady * by_steady]]) + by_prior
        return -(value + prior), -slope

    def _law(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return logits (steps,) and their slopes by theta (unknowns, steps), by central differences."""
        moves = 1e-5 * np.eye(theta.size)
        around = self.law.logits(np.concatenate([theta + moves, theta - moves, theta[None]]), self.steps)
        return around[-1], (around[: theta.size] - around[theta.size : -1]) / 2e-5

    def _prior(self, theta: Floats, log_spread: float, log_unrest: float) -> tuple[float, Floats]:
        """Return the log-prior, with the Jacobian of both logarithms, and its slope."""
        z = (theta - self.law.centre) / self.law.spread
        logs = np.array([log_spread, log_unrest])
        ratio = (np.exp(logs) / np.array([SPREAD_SCALE, UNREST_SCALE])) ** 2
        value = -float(z @ z) / 2 + float((logs - ratio / 2).sum())
        return value, np.concatenate([-z / self.law.spread, 1 - ratio])

    def _integrated(self, logits: Floats, spread: float, steady: float) -> tuple[float, Floats, float, float]:
        """Return the log-likelihood and its slopes by logit of each entry, log spread and steadiness."""
        nodes, log_weights = self._place(logits, spread, steady)
        eta = logits[self.step] + nodes[:, self.cohort]
        value = log_probability(self.lost, self.at_risk, eta, steady)
        by_eta, by_steady = slopes(self.lost, self.at_risk, eta, steady)
        height = self._by_cohort(value) + log_weights
        top = height.max(axis=0)
        share = np.exp(height - top)
        total = share.sum(axis=0)
        share /= total
        by_spread = 0.0
        if self.shared:
            self.level = (share * nodes).sum(axis=0)
            self.level_sd = np.sqrt(np.maximum((share * (nodes - self.level) ** 2).sum(axis=0), 1e-12))
            by_spread = float((share * (nodes / spread) ** 2).sum() - len(self.level))
        weight = share[:, self.cohort]
        likelihood = float((top + np.log(total)).sum())
        return likelihood, (weight * by_eta).sum(axis=0), by_spread, float((weight * by_steady).sum())

    def _by_cohort(self, entries: Floats) -> Floats:
        """Return sums of entries (..., entries) over each cohort (..., cohorts)."""
        ends = np.searchsorted(self.cohort, np.arange(len(self.level) + 1))
        running = np.concatenate([np.zeros((*entries.shape[:-1], 1)), np.cumsum(entries, axis=-1)], axis=-1)
        sums: Floats = running[..., ends[1:]] - running[..., ends[:-1]]
        return sums

    def _place(self, logits: Floats, spread: float, steady: float) -> tuple[Floats, Floats]:
        """Return nodes (nodes, cohorts) around every cohort's mode, and the logarithms of their weights."""
        if not self.shared:
            return np.zeros((1, len(self.level))), np.zeros((1, len(self.level)))
        mode, sd = self._modes(logits, spread, steady)
        nodes = mode + sd * _NODES[:, None]
        density = -((nodes / spread) ** 2) / 2 - np.log(spread) - np.log(2 * np.pi) / 2
        return nodes, density + (np.log(_WEIGHTS) + _NODES**2 / 2)[:, None] + np.log(sd)

    def _modes(self, logits: Floats, spread: float, steady: float) -> tuple[Floats, Floats]:
        """Find the mode of every level by Fisher scoring, and the standard deviation there."""
        level = np.clip(self.level, -4 * spread, 4 * spread)
        for _ in range(_NEWTON_STEPS):
            eta = logits[self.step] + level[self.cohort]
            by_eta, _ = slopes(self.lost, self.at_risk, eta, steady)
            precision = self._by_cohort(_information(self.at_risk, eta, steady)) + spread**-2
            step = (self._by_cohort(by_eta) - level / spread**2) / precision
            level = level + np.clip(step, -1.0, 1.0)
            if np.max(np.abs(step) * np.sqrt(precision)) < _NEAR:
                break
        return level, 1 / np.sqrt(precision)


def log_probability(lost: Floats, at_risk: Floats, eta: Floats, steady: float) -> Floats:
    """Return the log-probability of the lost of those at risk, without the binomial coefficient.

    Parameters
    ----------
    lost, at_risk : array
        Counts; where both are 0 it is 0.
    eta : array, broadcast against the counts
        Logit of the mean share lost.
    steady : float
        M, the sum of both parameters of the beta distribution.
    """
    a, b = _parameters(eta, steady)
    value: Floats = gammaln(a + lost) - gammaln(a) + gammaln(b + at_risk - lost) - gammaln(b)
    value += gammaln(steady) - gammaln(steady + at_risk)
    return value


def slopes(lost: Floats, at_risk: Floats, eta: Floats, steady: float) -> tuple[Floats, Floats]:
    """Return the slopes of `log_probability` by `eta` and by `steady`."""
    a, b = _parameters(eta, steady)
    by_a, by_b = digamma(a + lost) - digamma(a), digamma(b + at_risk - lost) - digamma(b)
    by_steady = (a * by_a + b * by_b) / steady + (digamma(steady) - digamma(steady + at_risk))
    return a * b * (by_a - by_b) / steady, by_steady


def _parameters(eta: Floats, steady: float) -> tuple[Floats, Floats]:
    eta = np.clip(eta, -25.0, 25.0)
    return expit(eta) * steady, expit(-eta) * steady


def _information(at_risk: Floats, eta: Floats, steady: float) -> Floats:
    """Return the information of an entry on its logit: that of a binomial, less what unrest takes away."""
    share = expit(np.clip(eta, -25.0, 25.0))
    info: Floats = at_risk * share * (1 - share) * (steady + 1) / (steady + at_risk)
    return info


def kept_ahead(triangle: Triangle, draws: Draws, *, rng: np.random.Generator) -> Floats:
    """Return draws of members kept in every cohort after each step (draws, cohorts, steps).

    Known entries are as they are; the others go on from the last known one, step by step, each with the
    unrest and the chance of its own. So an interval of these draws holds what can be seen, not only what is
    expected.

    Parameters
    ----------
    triangle : Triangle
        What is known.
    draws : Draws
        Of a posterior, for as many steps as are wanted.
    rng : numpy Generator
        Source of randomness.
    """
    size, steps = draws.logits.shape
    kept = np.zeros((size, len(triangle.members), steps))
    now = np.broadcast_to(triangle.members, kept.shape[:2]).astype(np.int64)
    for step in range(steps):
        ahead = triangle.known <= step
        after = np.empty_like(now)
        if not ahead.all():
            after[:, ~ahead] = triangle.kept[~ahead, step]
        after[:, ahead] = _survivors(now[:, ahead], draws, step, ahead, rng)
        now = after
        kept[:, :, step] = now
    return kept


def _survivors(
    now: NDArray[np.int64], draws: Draws, step: int, ahead: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    share = expit(np.clip(draws.logits[:, step, None] + draws.levels[:, ahead], -25.0, 25.0))
    steady = draws.steadiness[:, None]
    drawn = rng.beta(np.maximum(share * steady, 1e-9), np.maximum((1 - share) * steady, 1e-9))
    left: NDArray[np.int64] = now - rng.binomial(now, drawn)
    return left
