"""The fast path: a Laplace approximation on a grid of scales, weighted by its marginal likelihood.

For a given scale of deviations the posterior of the linear model is log-concave; it is approximated by a
normal distribution at its mode (exact for values). The scale is integrated out over a fixed grid, as in the
integrated nested Laplace approximation of Rue, Martino and Chopin (2009).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.core.errors import ConvergenceError
from sojourn.estimators.bayes.model import CellData, Design, Floats, ModelPrior, make_design

#: Grid of tau in units of its prior scale: dense near 0, out to where the prior has nothing left.
_GRID: Floats = 8 * np.linspace(0, 1, 41) ** 2
_NEWTON_STEPS, _TOLERANCE = 100, 1e-9


@dataclass(frozen=True, slots=True)
class Mode:
    """Normal approximation at one scale of deviations.

    Attributes
    ----------
    tau, log_evidence : float
        The scale, and the approximate logarithm of the marginal likelihood there.
    z : array (unknowns,)
        The mode.
    root : array (unknowns, unknowns)
        Lower Cholesky factor of the precision.
    """

    tau: float
    log_evidence: float
    z: Floats
    root: Floats


@dataclass(frozen=True, slots=True)
class Mixture:
    """Posterior as a mixture of normals, one per scale of deviations.

    Attributes
    ----------
    design : Design
        From standard normals to cells.
    shape : tuple of int
        Numbers of schemes and strata.
    modes : tuple of Mode
        One per point of the grid.
    weights : array (points,)
        Posterior probability of every point; sums to 1.
    """

    design: Design
    shape: tuple[int, int]
    modes: tuple[Mode, ...]
    weights: Floats

    def draw(self, size: int, *, rng: np.random.Generator) -> Floats:
        """Return draws of `eta` (size, schemes, strata)."""
        counts = rng.multinomial(size, self.weights)
        parts = [self._draw_at(m, int(c), rng) for m, c in zip(self.modes, counts, strict=True) if c]
        return np.concatenate(parts).reshape(size, *self.shape)

    def _draw_at(self, mode: Mode, size: int, rng: np.random.Generator) -> Floats:
        noise = rng.standard_normal((mode.z.size, size))
        z = mode.z[:, None] + np.linalg.solve(mode.root.T, noise)
        drawn: Floats = self.design.offset + (self.design.matrix(mode.tau) @ z).T
        return drawn

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean (cells,) and covariance (cells, cells) of `eta`, without drawing."""
        means, covariances = zip(*(self._moments_at(mode) for mode in self.modes), strict=True)
        mean = np.einsum("g,gc->c", self.weights, np.array(means))
        around = np.array(means) - mean
        within = np.einsum("g,gcd->cd", self.weights, np.array(covariances))
        return mean, within + np.einsum("g,gc,gd->cd", self.weights, around, around)

    def _moments_at(self, mode: Mode) -> tuple[Floats, Floats]:
        matrix = self.design.matrix(mode.tau)
        half = np.linalg.solve(mode.root, matrix.T)
        return self.design.offset + matrix @ mode.z, half.T @ half


def fit(data: CellData, prior: ModelPrior) -> Mixture:
    """Approximate the posterior of the model of `sojourn.estimators.bayes.model`.

    Parameters
    ----------
    data : CellData
        Cells of schemes (control first) by strata.
    prior : ModelPrior
        Prior on the scale of the model.

    Raises
    ------
    ConvergenceError
        When a mode is not found.
    """
    schemes, strata = data.shape
    design = make_design(schemes, data.weights, prior)
    grid = _GRID * prior.scale if strata > 1 else np.zeros(1)
    modes: list[Mode] = []
    for tau in grid:
        start = modes[-1].z if modes else np.zeros(design.unknowns)
        modes.append(mode_at(data, design, float(tau), start))
    log_prior = -((grid / prior.scale) ** 2) / 2
    log_weight = np.array([m.log_evidence for m in modes]) + log_prior + np.log(_widths(grid))
    weights = np.exp(log_weight - log_weight.max())
    return Mixture(design, data.shape, tuple(modes), weights / weights.sum())


def _widths(grid: Floats) -> Floats:
    """Return the weights of the trapezium rule (1 for a single point)."""
    if grid.size == 1:
        return np.ones(1)
    steps = np.diff(grid)
    return np.concatenate([steps, [0.0]]) / 2 + np.concatenate([[0.0], steps]) / 2


def mode_at(data: CellData, design: Design, tau: float, z: Floats) -> Mode:
    """Find the mode from `z` by Newton's method with halved steps; the objective is strictly concave."""
    matrix = design.matrix(tau)
    height = _log_posterior(data, design, matrix, z)
    for _ in range(_NEWTON_STEPS):
        eta = design.offset + matrix @ z
        slope = matrix.T @ data.slope(eta.reshape(data.shape)).ravel() - z
        root = np.linalg.cholesky(_precision(data, matrix, eta))
        step = np.linalg.solve(root.T, np.linalg.solve(root, slope))
        if slope @ step < _TOLERANCE:
            return Mode(tau, height - float(np.log(np.diag(root)).sum()), z, root)
        z, height = _climb(lambda at: _log_posterior(data, design, matrix, at), z, step, height)
    raise ConvergenceError(
        f"The fast path found no mode within {_NEWTON_STEPS} steps. Merge strata with few members."
    )


def _climb(
    log_posterior: Callable[[Floats], float], z: Floats, step: Floats, height: float
) -> tuple[Floats, float]:
    """Take the step, halved until the posterior does not fall."""
    for halvings in range(40):
        there = z + step / 2**halvings
        reached = log_posterior(there)
        if reached >= height:
            return there, reached
    return z + step / 2**40, height


def _log_posterior(data: CellData, design: Design, matrix: Floats, z: Floats) -> float:
    eta = (design.offset + matrix @ z).reshape(data.shape)
    return data.log_likelihood(eta) - float(z @ z) / 2


def _precision(data: CellData, matrix: Floats, eta: Floats) -> Floats:
    weight = data.weight(eta.reshape(data.shape)).ravel()
    precision: Floats = matrix.T @ (weight[:, None] * matrix) + np.eye(matrix.shape[1])
    return precision
