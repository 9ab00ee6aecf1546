"""Effects of two crossed groupings, partially pooled: segments by stages, around the effect on everyone.

Estimates of cells have known standard errors::

    estimate ~ Normal(effect, error)     effect = overall + row + column + cell
    overall ~ Normal(mean, sd)           row, column, cell ~ Normal(0, scale of its own)

Every scale has a half-normal prior and is integrated out over a fixed grid. Given the scales everything is
normal, so posteriors are mixtures of normals over points of the grid. A cell without members has a posterior
too: what the others of its row, of its column and all together say of it. And what all others say of a cell
that has members can be compared with what was counted there: an outlier among the cells is averaged away, but
not unnoticed.

A. Gelman (2006), "Prior distributions for variance parameters in hierarchical models", Bayesian Analysis 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sojourn.estimators.bayes.empirical import Mixture
from sojourn.estimators.bayes.model import Floats

Ints = NDArray[np.int64]

#: Points of every scale, in units of its prior: dense near 0, out to where the prior has nothing left.
_GRID: Floats = np.array([0.0, 0.2, 0.45, 0.75, 1.15, 1.7, 2.5])
#: Points of less posterior weight are dropped.
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, slots=True)
class Crossed:
    """Posterior of the effects of all cells, row by row.

    Attributes
    ----------
    weights : array (points,)
        Posterior probability of every point of the grid of scales; sums to 1.
    means : array (points, cells)
        Mean of the effects at a point.
    covariances : array (points, cells, cells)
        Their covariance there.
    surprise : array (cells with members,)
        Chance of an estimate as far out as the cell's, on either side, in the predictive law of all other
        cells; of a single cell in that of the prior.
    """

    weights: Floats
    means: Floats
    covariances: Floats
    surprise: Floats

    def of(self, combination: Floats) -> Mixture:
        """Return the posterior of linear combinations of effects (combinations, cells)."""
        means = combination @ self.means.T
        variances = ((combination @ self.covariances) * combination).sum(axis=2).T
        weights = np.broadcast_to(self.weights, means.shape)
        return Mixture(weights, means, np.sqrt(np.maximum(variances, 0)))

    def effects(self) -> Mixture:
        """Return the posterior of every cell's effect."""
        return self.of(np.eye(self.means.shape[1]))


def fit_crossed(
    estimate: Floats,
    error: Floats,
    row: Ints,
    column: Ints,
    shape: tuple[int, int],
    *,
    mean: float,
    sd: float,
    spread: float,
) -> Crossed:
    """Return the posterior of the effects of all cells of a grid.

    Parameters
    ----------
    estimate, error : array (cells with members,)
        Estimates of effects and their standard errors (> 0).
    row, column : array of int (cells with members,)
        Places of these cells, from 0.
    shape : tuple of int
        Rows and columns of the whole grid, with and without members.
    mean, sd : float
        Normal prior of the overall effect.
    spread : float
        Scale of the half-normal prior of each of the three scales, in the unit of the effects.

    Notes
    -----
    A grouping of one group has no scale of its own. With one cell there is no scale at all.
    """
    log_prior, priors = _priors(_groupings(shape), sd, spread, shape[0] * shape[1])
    seen = row * shape[1] + column
    noisy = priors[:, seen[:, None], seen] + np.diag(error**2)
    away = estimate - mean
    root = np.linalg.cholesky(noisy)
    half = np.linalg.solve(root, np.broadcast_to(away[:, None], (len(root), away.size, 1)))
    spread_out = np.linalg.solve(root, priors[:, seen, :])
    height = -np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) - (half**2).sum(axis=(1, 2)) / 2
    weights = _normalised(height + log_prior)
    kept = weights > _NEGLIGIBLE
    means = mean + np.einsum("gsc,gsk->gc", spread_out[kept], half[kept])
    covariances = priors[kept] - spread_out[kept].transpose(0, 2, 1) @ spread_out[kept]
    surprise = _surprise(height + log_prior, noisy, away)
    return Crossed(weights[kept] / weights[kept].sum(), means, covariances, surprise)


def conflict_p(
    estimate: Floats,
    error: Floats,
    members: Floats,
    *,
    row: Ints,
    column: Ints,
    shape: tuple[int, int],
    mean: float,
    sd: float,
    spread: float,
) -> float:
    """Return how likely, by the belief alone, an effect on all members is counted as far from it.

    Parameters
    ----------
    estimate, error, members : array (cells with members,)
        As of `fit_crossed`, and members of every cell.
    row, column, shape, mean, sd, spread
        As of `fit_crossed`.

    Returns
    -------
    float
        Two-sided tail probability of the mean of estimates over members: scales are those of their priors,
        not those that the data make likely.
    """
    share = members / members.sum()
    everywhere = np.zeros(shape[0] * shape[1])
    everywhere[row * shape[1] + column] = share
    groupings = _groupings(shape)
    log_prior, scales = _points(len(groupings))
    alike = np.array([everywhere @ part @ everywhere for part in groupings])
    variance = sd**2 + (spread * scales) ** 2 @ alike + share**2 @ error**2
    away = abs(float(share @ estimate) - mean)
    return float(2 * _normalised(log_prior) @ ndtr(-away / np.sqrt(variance)))


def _groupings(shape: tuple[int, int]) -> list[Floats]:
    """Return which cells share a row, a column, and which are the same; of a single one there is no scale."""
    rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    parts = [
        (rows[:, None] == rows).astype(float) if shape[0] > 1 else None,
        (columns[:, None] == columns).astype(float) if shape[1] > 1 else None,
        np.eye(rows.size) if min(shape) > 1 else None,
    ]
    return [part for part in parts if part is not None]


def _normalised(log_weights: Floats) -> Floats:
    """Return weights that sum to 1 over the points of the grid (the first axis)."""
    weights = np.exp(log_weights - log_weights.max(axis=0))
    normalised: Floats = weights / weights.sum(axis=0)
    return normalised


def _surprise(log_weights: Floats, noisy: Floats, away: Floats) -> Floats:
    """Return the two-sided tail probability of every estimate, given all others.

    Notes
    -----
    Of a normal vector with inverse covariance Q the law of one entry given the others has variance
    ``1 / Q_ii``, and the entry lies ``(Q y)_i / Q_ii`` from its mean. Weights of points are those without
    the cell.
    """
    inverse = np.linalg.inv(noisy)
    precision = np.diagonal(inverse, axis1=1, axis2=2)
    z = inverse @ away / np.sqrt(precision)
    others = _normalised(log_weights[:, None] - np.log(precision) / 2 + z**2 / 2)
    below = (others * ndtr(z)).sum(axis=0)
    above = (others * ndtr(-z)).sum(axis=0)
    surprise: Floats = 2 * np.minimum(below, above)
    return surprise


def _priors(parts: list[Floats], sd: float, spread: float, cells: int) -> tuple[Floats, Floats]:
    """Return logarithms of the prior weights of all points, and prior covariances of the effects there."""
    together = np.full((cells, cells), sd**2)
    log_prior, scales = _points(len(parts))
    if not parts:
        return log_prior, together[None]
    return log_prior, together + np.tensordot((spread * scales) ** 2, np.array(parts), axes=1)


def _points(scales: int) -> tuple[Floats, Floats]:
    """Return logarithms of the prior weights of all points, and the scales there, in units of their prior."""
    steps = np.diff(_GRID)
    widths = np.concatenate([steps, [0.0]]) / 2 + np.concatenate([[0.0], steps]) / 2
    log_one = np.log(widths) - _GRID**2 / 2
    points = np.array(list(product(range(_GRID.size), repeat=scales)), dtype=np.int64)
    return log_one[points].sum(axis=1), _GRID[points]
