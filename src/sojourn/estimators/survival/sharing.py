"""Cohorts that share strength: one law, a level for every cohort and month, and unrest beyond chance.

In step a of cohort c, which falls into month t, of ``n`` members who begin it ``d`` are lost::

    d ~ BetaBinomial(n, h M, (1 - h) M)     logit h = law(theta)[a] + u[c] + v[t]     M = 1 / unrest ** 2
    u[c] ~ Normal(0, spread)     v[t] ~ Normal(0, months)
    spread ~ HalfNormal(0.5)     unrest ~ HalfNormal(0.1)     months ~ HalfNormal(0.2)

This is the fast path: the level of each cohort is integrated out by adaptive Gauss-Hermite quadrature, all
other unknowns are normal around their joint mode (Laplace), and the levels follow them linearly. Levels of
months are found in rounds: what all cohorts have in common in a month beyond the rest, shrunk by how much of
that is chance; the rest is fitted again with them held. The same model, months held, is sampled in
`sojourn.estimators.bayes.renewal`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sojourn.core.errors import ConvergenceError, UndefinedError
from sojourn.estimators.survival.ahead import Draws
from sojourn.estimators.survival.laws import Law
from sojourn.estimators.survival.shared_posterior import Posterior
from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]

#: Scale of the half-normal prior of the spread between months, and the grid on which it is found (logits).
MONTHS_SCALE = 0.2
_MONTHS_GRID: Floats = np.linspace(0, 1, 101) ** 2
#: Levels of months are found in at most so many rounds, which end when none moves by more than `_STILL`.
_ROUNDS, _STILL = 4, 0.01
#: Bounds of the logarithms of spread and unrest: below them they are 0 for every purpose.
_LOG_SPREAD, _LOG_UNREST = (-7.0, 1.1), (-9.0, 0.0)
_STEP = 1e-4
#: Least curvature of the posterior in any direction: about that of the widest prior.
_LEAST_CURVED = 0.2


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
    month : array (months,)
        Level of the last known month, the one before, and so on.
    months : array (101,)
        Probability of each spread between months on the grid of this module.
    """

    law: Law
    shared: bool
    mode: Floats
    root: Floats
    level: Floats
    level_sd: Floats
    follows: Floats
    month: Floats
    months: Floats

    @property
    def spread(self) -> float:
        """Standard deviation of cohorts' levels, in logits."""
        return float(np.exp(self.mode[-2])) if self.shared else 0.0

    @property
    def unrest(self) -> float:
        """How entries differ beyond chance: the standard deviation of a share h is unrest sqrt(h (1 - h))."""
        return float(np.exp(self.mode[-1]))

    @property
    def month_spread(self) -> float:
        """Standard deviation of months' levels, in logits (posterior mean)."""
        return float(self.months @ _MONTHS_GRID)

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
            levels = self.level + moved @ self.follows.T + self._level_sd(log_spread) * noise
        months = rng.choice(_MONTHS_GRID, size=size, p=self.months)
        return Draws(logits, levels, np.exp(log_spread) * self.shared, np.exp(-2 * log_unrest), months)

    def _level_sd(self, log_spread: Floats) -> Floats:
        """Return standard deviations of levels (draws, cohorts): what the data say, and the drawn spread."""
        data = np.maximum(1 / self.level_sd**2 - np.exp(-2 * self.mode[-2]), 0.0)
        sd: Floats = 1 / np.sqrt(data + np.exp(-2 * log_spread)[:, None])
        return sd


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
    posterior = Posterior(triangle, law, shared)
    at = np.concatenate([law.start, [np.log(0.1), np.log(0.05)]]) if start is None else start
    for _ in range(_ROUNDS):
        at = _mode(posterior, at)
        month, months = _months(*posterior.by_month(at))
        moved = float(np.abs(month - posterior.months).max())
        if moved < _STILL:
            break
        posterior.months = month
    return _around(posterior, at, months)


def _mode(posterior: Posterior, start: Floats) -> Floats:
    bounds = [*[(None, None)] * (start.size - 2), _LOG_SPREAD, _LOG_UNREST]
    options = {"maxiter": 500, "ftol": 1e-10, "gtol": 1e-4}
    found = minimize(posterior, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    mode: Floats = found.x
    if not np.all(np.isfinite(mode)):
        raise ConvergenceError(f"The {posterior.law.name} law found no mode. Look at the triangle's counts.")
    return mode


def _months(level: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Return shrunk levels of months, and the probability of every spread between them.

    ``level ~ Normal(0, months ** 2 + 1 / precision)``, on a grid of spreads.
    """
    known = precision > 0
    variance = _MONTHS_GRID[:, None] ** 2 + 1 / precision[known]
    fits = -(np.log(variance) + level[known] ** 2 / variance).sum(axis=1) / 2
    width = np.gradient(_MONTHS_GRID)
    log_chance = fits - (_MONTHS_GRID / MONTHS_SCALE) ** 2 / 2 + np.log(width)
    chance = np.exp(log_chance - log_chance.max())
    chance /= chance.sum()
    shrunk = np.zeros_like(level)
    shrunk[known] = level[known] * (chance @ (_MONTHS_GRID[:, None] ** 2 / variance))
    return shrunk, chance


def _around(posterior: Posterior, mode: Floats, months: Floats) -> SharedFit:
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
    root = np.linalg.qr((vectors / np.sqrt(np.maximum(values, _LEAST_CURVED))).T, mode="r").T
    return SharedFit(
        posterior.law,
        posterior.shared,
        mode,
        root,
        posterior.level,
        posterior.level_sd,
        np.array(levels).T,
        posterior.months,
        months,
    )
