"""The posterior of a law whose cohorts share strength, with levels of cohorts integrated out.

The model stands in `sojourn.estimators.survival.sharing`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln

from sojourn.estimators.survival.laws import Law
from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]

#: Scales of the half-normal priors of the spread between cohorts (logits) and of unrest.
SPREAD_SCALE, UNREST_SCALE = 0.5, 0.1
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
#: Fisher scoring stops when levels move by less than this many of their standard deviations.
_NEWTON_STEPS, _NEAR = 8, 1e-2


class Posterior:
    """Minus the log-posterior and its slope, levels integrated out; keeps the levels of its last call.

    Levels of months (`months`, counted back from the last known one) are held; set them between calls.
    """

    def __init__(self, triangle: Triangle, law: Law, shared: bool) -> None:
        self.cohort, self.step = np.nonzero(triangle.at_risk)
        self.lost, self.at_risk = (x[self.cohort, self.step] for x in (triangle.lost, triangle.at_risk))
        self.steps, self.law, self.shared = triangle.kept.shape[1], law, shared
        self.month = triangle.known[self.cohort] - 1 - self.step
        self.months = np.zeros(max(int(triangle.known.max()), 1))
        self.level = np.zeros(len(triangle.members))
        self.level_sd = np.ones(len(triangle.members))

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        """Return minus the log-posterior at theta, log spread and log unrest, and its slope."""
        theta, log_spread, log_unrest = at[:-2], float(at[-2]), float(at[-1])
        logits, slopes = self._law(theta)
        steady = float(np.exp(-2 * log_unrest))
        value, by_entry, by_spread, by_steady = self._integrated(logits, float(np.exp(log_spread)), steady)
        prior, by_prior = self._prior(theta, log_spread, log_unrest)
        by_logit = np.bincount(self.step, weights=by_entry, minlength=self.steps)
        slope = np.concatenate([slopes @ by_logit, [by_spread, -2 * steady * by_steady]]) + by_prior
        return -(value + prior), -slope

    def by_month(self, at: Floats) -> tuple[Floats, Floats]:
        """Return what cohorts have in common in each month: its level, and how precisely it is known.

        One step of Fisher scoring from the levels held so far; months count back from the last known one.
        """
        self(at)
        steady = float(np.exp(-2 * at[-1]))
        logits = self.law.logits(at[:-2], self.steps)[self.step]
        eta = logits + self.months[self.month] + self.level[self.cohort] * self.shared
        by_eta, _ = slopes(self.lost, self.at_risk, eta, steady)
        known = information(self.at_risk, eta, steady)
        size = len(self.months)
        pull = np.bincount(self.month, weights=by_eta, minlength=size)
        precision = np.bincount(self.month, weights=known, minlength=size).astype(np.float64)
        return self.months + pull / np.maximum(precision, 1e-12), precision

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
        eta = (logits[self.step] + self.months[self.month]) + nodes[:, self.cohort]
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
            eta = logits[self.step] + self.months[self.month] + level[self.cohort]
            by_eta, _ = slopes(self.lost, self.at_risk, eta, steady)
            precision = self._by_cohort(information(self.at_risk, eta, steady)) + spread**-2
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


def information(at_risk: Floats, eta: Floats, steady: float) -> Floats:
    """Return the information of an entry on its logit: that of a binomial, less what unrest takes away."""
    share = expit(np.clip(eta, -25.0, 25.0))
    info: Floats = at_risk * share * (1 - share) * (steady + 1) / (steady + at_risk)
    return info
