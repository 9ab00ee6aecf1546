"""Early effects against late ones over many trials: bivariate random effects with known sampling covariance.

Trial i estimated an early and a late effect, ``d[i] = (early, late)``, from the same members::

    d[i] ~ Normal(true[i], S[i])    true[i] ~ Normal(centre, T)    T = [[a^2, r a b], [r a b, b^2]]

S holds what members' early and late outcomes share: with a correlation of .6 between them the estimates of
trials without any effect correlate by .6 as well. Only r, the correlation of true effects, says whether the
early outcome stands for the late one (Buyse and others 2000; Burzykowski and Buyse 2006).

The centre has a flat prior and is integrated out exactly; a, b and r are on a grid, uniform on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sojourn.estimators.bayes.model import Floats

#: Points of the grid: of a and b, and of r; the first pass finds where the second has to be.
_FIRST, _SECOND, _CORRELATIONS, _DEPTH = 12, 15, 41, 10.0
#: Between-trial standard deviations are looked for up to so many times what all effects spread together.
_WIDEST = 3.0


@dataclass(frozen=True, slots=True)
class Effects:
    """Estimates of many trials.

    Attributes
    ----------
    early, late : array (trials,)
        Estimated effects.
    early_var, late_var, covariance : array (trials,)
        Their known sampling variances, and their sampling covariance.
    """

    early: Floats
    late: Floats
    early_var: Floats
    late_var: Floats
    covariance: Floats

    def naive_correlation(self) -> float:
        """Return the correlation of the estimates, which members' own correlation is part of."""
        return float(np.corrcoef(self.early, self.late)[0, 1])


@dataclass(frozen=True, slots=True)
class ProxyFit:
    """Posterior on its grid, flattened.

    Attributes
    ----------
    weights : array (points,)
        Posterior weights; sum to 1.
    early_sd, late_sd, correlation : array (points,)
        a, b and r.
    centre : array (points, 2)
        Posterior mean of the centre.
    centre_cov : array (points, 2, 2)
        Its covariance.
    """

    weights: Floats
    early_sd: Floats
    late_sd: Floats
    correlation: Floats
    centre: Floats
    centre_cov: Floats

    def p_explained(self, least: float) -> float:
        """Return the probability that early effects explain at least a share `least` of late ones."""
        return float(self.weights[self.correlation**2 >= least].sum())

    def draw(self, size: int, *, rng: np.random.Generator) -> dict[str, Floats]:
        """Return draws of ``explained``, ``slope``, ``intercept`` and ``left`` (sd of what is not explained).

        The true late effect of a trial is ``intercept + slope * early + left * noise``.
        """
        point = rng.choice(self.weights.size, size=size, p=self.weights)
        root = np.linalg.cholesky(self.centre_cov[point])
        centre = self.centre[point] + np.einsum("dij,dj->di", root, rng.standard_normal((size, 2)))
        a, b, r = self.early_sd[point], self.late_sd[point], self.correlation[point]
        slope = r * b / a
        return {
            "explained": r**2,
            "slope": slope,
            "intercept": centre[:, 1] - slope * centre[:, 0],
            "left": b * np.sqrt(1 - r**2),
        }


def fit_proxy(effects: Effects) -> ProxyFit:
    """Fit the bivariate random-effects model.

    Parameters
    ----------
    effects : Effects
        At least three trials.
    """
    tops = [_WIDEST * float(x.std()) for x in (effects.early, effects.late)]
    (early, late), step = [np.linspace(0, top, _FIRST + 1)[1:] for top in tops], _FIRST
    first = _on_grid(effects, early, late)
    shape = (step, step, _CORRELATIONS)
    by_early, by_late = (_marginal(first.weights.reshape(shape), axis) for axis in (0, 1))
    return _on_grid(effects, _around(early, by_early), _around(late, by_late))


def spread_p(effect: Floats, variance: Floats) -> float:
    """Return the p-value of no spread between trials: Cochran's Q against its chi-square law."""
    weight = 1 / variance
    centre = weight @ effect / weight.sum()
    return float(stats.chi2.sf(weight @ (effect - centre) ** 2, effect.size - 1))


def _marginal(weights: Floats, axis: int) -> Floats:
    others = tuple(i for i in range(3) if i != axis)
    summed: Floats = weights.sum(axis=others)
    return summed


def _around(grid: Floats, weights: Floats) -> Floats:
    """Return a finer grid where the weights are."""
    inside = np.flatnonzero(weights > weights.max() * np.exp(-_DEPTH))
    step = grid[1] - grid[0]
    low = max(grid[inside[0]] - step, 0.0)
    high = grid[inside[-1]] + step
    fine = np.linspace(low, high, _SECOND + 1)
    return fine[1:] if low == 0 else fine


def _on_grid(effects: Effects, early: Floats, late: Floats) -> ProxyFit:
    angle = (np.arange(_CORRELATIONS) + 0.5) / _CORRELATIONS * np.pi
    a, b, r = (part.ravel() for part in np.meshgrid(early, late, -np.cos(angle), indexing="ij"))
    prior = np.broadcast_to(np.sin(angle), (early.size, late.size, angle.size)).ravel()
    height, centre, covariance = _marginal_likelihood(effects, a, b, r)
    weights = prior * np.exp(height - height.max())
    return ProxyFit(weights / weights.sum(), a, b, r, centre, covariance)


def _marginal_likelihood(effects: Effects, a: Floats, b: Floats, r: Floats) -> tuple[Floats, Floats, Floats]:
    """Return log-likelihood, and mean and covariance of the centre, at every point (points, ...)."""
    v11 = a[:, None] ** 2 + effects.early_var
    v22 = b[:, None] ** 2 + effects.late_var
    v12 = (r * a * b)[:, None] + effects.covariance
    det = v11 * v22 - v12**2
    p11, p22, p12 = v22 / det, v11 / det, -v12 / det
    x, y = effects.early, effects.late
    square = (p11 * x**2 + 2 * p12 * x * y + p22 * y**2).sum(axis=1)
    s11, s22, s12 = p11.sum(axis=1), p22.sum(axis=1), p12.sum(axis=1)
    t1, t2 = (p11 * x + p12 * y).sum(axis=1), (p12 * x + p22 * y).sum(axis=1)
    total = s11 * s22 - s12**2
    covariance = np.stack([s22, -s12, -s12, s11], axis=1).reshape(-1, 2, 2) / total[:, None, None]
    centre = np.einsum("pij,pj->pi", covariance, np.stack([t1, t2], axis=1))
    explained = centre[:, 0] * t1 + centre[:, 1] * t2
    height: Floats = -(np.log(det).sum(axis=1) + square - explained + np.log(total)) / 2
    return height, centre, covariance
