"""What past trials say of the next lift: a law of true lifts, fitted by its marginal likelihood.

Trial i estimated ``effect[i]`` with a known standard error. True lifts follow a Student law::

    effect ~ Normal(lift, error)      lift = centre + scale * t / sqrt(w)      t ~ Normal(0, 1)
    w ~ Gamma(1 / (2 h), 1 / (2 h))   h = 1 / degrees of freedom, 0 for a normal law

Given w everything is normal, so the law is a mixture of normals over few values of w: likelihood, posteriors
and predictions are sums. What is not known of centre, scale and h is carried as a finite set of points with
posterior weights (a grid of scales for every h, the centre by its Laplace approximation, exact for h = 0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri

from sojourn.estimators.bayes.model import Floats

#: Values of h; lifts have a variance at all of them. The prior of h is uniform over their range.
HEAVINESS: Floats = np.array([0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4])
#: Values of w, equally spaced in log w from a tail probability to the other: the integrand is analytic there
#: and the trapezium rule converges geometrically. Densities are within 1e-3 of exact out to 12 scales.
_NODES = 21
_SCALES, _REFINED, _DEPTH = 25, 3, 16.0
_SWEEPS, _SETTLED = 200, 1e-4
#: Points of less posterior weight are dropped.
_NEGLIGIBLE = 1e-4
_BISECTIONS = 36


@dataclass(frozen=True, slots=True)
class Law:
    """A law of true lifts, known up to a finite set of points.

    Attributes
    ----------
    weights : array (points,)
        Posterior probability of every point; sums to 1.
    centre, centre_sd : array (points,)
        Centre of lifts, and what is not known of it at that point (a standard deviation).
    scale, heaviness : array (points,)
        Scale of lifts and h = 1 / degrees of freedom.
    log_evidence : float
        Logarithm of the marginal likelihood of what the law was fitted to.
    """

    weights: Floats
    centre: Floats
    centre_sd: Floats
    scale: Floats
    heaviness: Floats
    log_evidence: float = 0.0

    def next_lift(self) -> Mixture:
        """Return the predictive law of the next true lift."""
        share, spread = _expanded(self.heaviness)
        sds = np.hypot(self.scale[:, None] * spread, self.centre_sd[:, None])
        means = np.broadcast_to(self.centre[:, None], sds.shape)
        weights = self.weights[:, None] * share
        return Mixture(weights.reshape(1, -1), means.reshape(1, -1), sds.reshape(1, -1))

    def spread(self) -> Floats:
        """Return the standard deviation of lifts at every point (points,)."""
        sd: Floats = self.scale / np.sqrt(1 - 2 * self.heaviness)
        return sd

    def seen(self, error: Floats) -> Mixture:
        """Return the predictive law of what further trials of these standard errors will estimate."""
        lift = self.next_lift()
        sds = np.hypot(lift.sds, error[:, None])
        return Mixture(np.broadcast_to(lift.weights, sds.shape), np.broadcast_to(lift.means, sds.shape), sds)

    def posterior(self, effect: Floats, error: Floats) -> Mixture:
        """Return the posterior of true lifts of trials that the law was fitted to (or that it is stated for).

        Notes
        -----
        Given a point and w the lift is shrunk to the centre by ``error^2 / (error^2 + scale^2 / w)``. The
        weights of points have seen the trial already and stay; those of w are its own.
        """
        share, spread = _expanded(self.heaviness)
        lift_var, error_var = (self.scale[:, None] * spread) ** 2, error[:, None, None] ** 2
        total = lift_var + error_var
        away = (effect[:, None] - self.centre)[..., None]
        height = share * np.exp(-(away**2) / total / 2) / np.sqrt(total)
        height = np.maximum(height, np.finfo(float).tiny * (share > 0))
        weights = self.weights[:, None] * height / height.sum(axis=2, keepdims=True)
        kept = lift_var / total
        means = self.centre[:, None] + kept * away
        variance = kept * error_var + ((1 - kept) * self.centre_sd[:, None]) ** 2
        trials = len(effect)
        return Mixture(*(part.reshape(trials, -1) for part in (weights, means, np.sqrt(variance))))

    def draw(self, effect: Floats, error: Floats, size: int, *, rng: np.random.Generator) -> Floats:
        """Return joint posterior draws of the true lifts (size, trials): what they share is drawn once.

        Notes
        -----
        All trials of a draw have one point of the law and one centre.
        """
        point = rng.choice(self.weights.size, size=size, p=self.weights)
        centre = (self.centre[point] + self.centre_sd[point] * rng.standard_normal(size))[:, None]
        share, spread = _expanded(self.heaviness)
        drawn = np.empty((size, effect.size))
        for one in np.unique(point):
            rows = point == one
            lift_var = (self.scale[one] * spread[one]) ** 2
            total = lift_var + error[:, None] ** 2
            away = effect - centre[rows]
            height = share[one] * np.exp(-(away[..., None] ** 2) / total / 2) / np.sqrt(total)
            pick = _pick(height, rng)
            kept = np.take_along_axis(lift_var / total, pick.T, axis=1).T
            noise = rng.standard_normal(away.shape)
            drawn[rows] = centre[rows] + kept * away + np.sqrt(kept) * error * noise
        return drawn


@dataclass(frozen=True, slots=True)
class Mixture:
    """Mixtures of normals, one per row.

    Attributes
    ----------
    weights, means, sds : array (rows, parts)
        Weights of a row sum to 1.
    """

    weights: Floats
    means: Floats
    sds: Floats

    @property
    def mean(self) -> Floats:
        """Mean of every row."""
        mean: Floats = (self.weights * self.means).sum(axis=1)
        return mean

    @property
    def sd(self) -> Floats:
        """Standard deviation of every row."""
        square = (self.weights * (self.sds**2 + self.means**2)).sum(axis=1)
        sd: Floats = np.sqrt(np.maximum(square - self.mean**2, 0))
        return sd

    def above(self, bound: Floats | float) -> Floats:
        """Return the probability of more than `bound`, one per row or one for all (rows,)."""
        at = np.broadcast_to(bound, len(self.weights))[:, None]
        chance: Floats = (self.weights * ndtr((self.means - at) / self.sds)).sum(axis=1)
        return chance

    def log_density(self, value: Floats) -> Floats:
        """Return the logarithm of each row's density at its value (rows,)."""
        z = (value[:, None] - self.means) / self.sds
        height = self.weights * np.exp(-(z**2) / 2) / self.sds
        floor = np.finfo(float).tiny
        found: Floats = np.log(np.maximum(height.sum(axis=1), floor)) - math.log(2 * math.pi) / 2
        return found

    def quantile(self, probability: float) -> Floats:
        """Return the quantile of every row, by bisection (rows,)."""
        z = ndtri(probability)
        low, high = ((self.means + z * self.sds).min(axis=1), (self.means + z * self.sds).max(axis=1))
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            above = self.above(middle) > 1 - probability
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        found: Floats = (low + high) / 2
        return found

    def interval(self, mass: float) -> tuple[Floats, Floats]:
        """Return the bounds of the equal-tailed interval of every row."""
        return self.quantile((1 - mass) / 2), self.quantile((1 + mass) / 2)


def stated(mean: float, sd: float) -> Law:
    """Return a normal law of lifts that is stated and not fitted."""
    one = np.ones(1)
    return Law(one, mean * one, 0 * one, sd * one, 0 * one)


def fit_law(
    effect: Floats,
    error: Floats,
    *,
    weight: Floats | None = None,
    centre: float | None = None,
    heavy: bool = True,
    size: float | None = None,
) -> Law:
    """Fit the law of true lifts to estimates with known standard errors.

    Parameters
    ----------
    effect, error : array (trials,)
        Estimated lifts and their standard errors (> 0), on one scale.
    weight : array (trials,), optional
        How much of a trial every estimate stands for: 1/2 each for two schemes that share a control.
    centre : float, optional
        Centre of lifts where it is known: 0 where it is arbitrary which arm is the control.
    heavy : bool
        Whether tails may be heavier than those of a normal law.
    size : float, optional
        Of the weak priors; the root mean square of the estimates when not stated.

    Notes
    -----
    Scale: half-normal prior with standard deviation `size`; centre: normal around 0 with twice that; h:
    uniform over `HEAVINESS`. All are weak beside ten trials.
    """
    weight = np.ones_like(effect) if weight is None else weight
    size = math.sqrt(float(weight @ effect**2 / weight.sum())) if size is None else size
    problem = _Problem(effect, error, weight, centre, size)
    grid = HEAVINESS if heavy else HEAVINESS[:1]
    columns, heights = [], []
    for h in grid:
        scales, at = problem.settled(float(h))
        columns.append(np.stack([at.centre, at.centre_sd, scales, np.full_like(scales, h)]))
        heights.append(at.height - (scales / size) ** 2 / 2 + np.log(_trapezium(scales)))
    wide = _trapezium(grid) / (grid[-1] - grid[0]) if heavy else np.ones(1)
    height = np.concatenate(heights) + np.repeat(np.log(wide), [len(part) for part in heights])
    top = height.max()
    weights = np.exp(height - top)
    evidence = float(top + math.log(weights.sum()) + math.log(math.sqrt(2 / math.pi) / size))
    weights /= weights.sum()
    kept = weights > _NEGLIGIBLE
    points = np.concatenate(columns, axis=1)[:, kept]
    centres, centre_sds, scales, heaviness = points
    return Law(weights[kept] / weights[kept].sum(), centres, centre_sds, scales, heaviness, evidence)


@dataclass(frozen=True, slots=True)
class _AtScales:
    """Logarithm of the marginal likelihood over scales, and the centre there."""

    height: Floats
    centre: Floats
    centre_sd: Floats


@dataclass(frozen=True, slots=True)
class _Problem:
    effect: Floats
    error: Floats
    weight: Floats
    known: float | None
    size: float

    def settled(self, heaviness: float) -> tuple[Floats, _AtScales]:
        """Return scales that cover the likelihood of one h, and what it is there."""
        low, high = 0.0, 4 * self.size
        for _ in range(_REFINED):
            scales = np.linspace(low, high, _SCALES)
            at = self._at(scales, heaviness)
            inside = np.flatnonzero(at.height > at.height.max() - _DEPTH)
            low = float(scales[max(inside[0] - 1, 0)])
            high = float(scales[min(inside[-1] + 1, _SCALES - 1)])
        return scales, at

    def _at(self, scales: Floats, heaviness: float) -> _AtScales:
        share, spread = (part[0] for part in _expanded(np.array([heaviness])))
        share, spread = share[share > 0], spread[share > 0]
        variance = (scales[:, None, None] * spread) ** 2 + self.error[:, None] ** 2
        base = np.log(share) - np.log(2 * math.pi * variance) / 2
        held = 0.0 if self.known is not None else (2 * self.size) ** -2
        even = self.weight / (scales[:, None] ** 2 + self.error**2)
        centre = (
            (even @ self.effect) / even.sum(axis=1)
            if self.known is None
            else np.full(len(scales), self.known)
        )
        for _ in range(_SWEEPS if self.known is None else 0):
            _, part = self._parts(base, variance, centre)
            pull = np.einsum("j,sjk->sj", self.weight, part / variance)
            moved = (pull @ self.effect) / (pull.sum(axis=1) + held)
            done = float(np.abs(moved - centre).max()) < _SETTLED * self.size
            centre = moved
            if done:
                break
        log_height, part = self._parts(base, variance, centre)
        height = log_height @ self.weight
        if self.known is not None:
            return _AtScales(height, centre, np.zeros_like(centre))
        sd = self._centre_sd(part, variance, centre, held)
        of_centre = -(centre**2) * held / 2 + math.log(held) / 2 + np.log(sd)
        return _AtScales(height + of_centre, centre, sd)

    def _parts(self, base: Floats, variance: Floats, centre: Floats) -> tuple[Floats, Floats]:
        """Return log-densities (scales, trials) and the share of every value of w in them."""
        away = self.effect - centre[:, None]
        logs = base - away[..., None] ** 2 / variance / 2
        top = logs.max(axis=2, keepdims=True)
        heights = np.exp(logs - top)
        total = heights.sum(axis=2, keepdims=True)
        return (top + np.log(total))[..., 0], heights / total

    def _centre_sd(self, part: Floats, variance: Floats, centre: Floats, held: float) -> Floats:
        """Return the curvature of the log-likelihood in the centre as a standard deviation."""
        slope = (self.effect - centre[:, None])[..., None] / variance
        bend = (part / variance).sum(axis=2) - (part * slope**2).sum(axis=2) + (part * slope).sum(axis=2) ** 2
        sd: Floats = 1 / np.sqrt(np.maximum(bend @ self.weight, held) + held)
        return sd


def _expanded(heaviness: Floats) -> tuple[Floats, Floats]:
    """Return weights of values of w, and 1 / sqrt(w), for every h (points, nodes); h = 0 has one value."""
    share = np.zeros((heaviness.size, _NODES if heaviness.any() else 1))
    spread = np.ones_like(share)
    for row, h in enumerate(heaviness):
        if h == 0:
            share[row, 0] = 1
            continue
        half, tail = 1 / (2 * h), 1e-12 if h <= 0.1 else 1e-9 if h <= 0.3 else 1e-7
        low, high = np.log(gammaincinv(half, [tail, 1 - tail]) / half)
        log_w = np.linspace(low, high, share.shape[1])
        height = np.exp(half * (log_w - np.exp(log_w) + 1))
        share[row], spread[row] = height / height.sum(), np.exp(-log_w / 2)
    return share, spread


def _trapezium(grid: Floats) -> Floats:
    """Return the weights of the trapezium rule (1 for a single point)."""
    if grid.size == 1:
        return np.ones(1)
    steps = np.diff(grid)
    return np.concatenate([steps, [0.0]]) / 2 + np.concatenate([[0.0], steps]) / 2


def _pick(height: Floats, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """Return one index along the last axis, drawn in proportion to heights."""
    ladder = np.cumsum(np.maximum(height, np.finfo(float).tiny * (height >= 0)), axis=-1)
    return (rng.random((*height.shape[:-1], 1)) * ladder[..., -1:] > ladder).sum(axis=-1)
