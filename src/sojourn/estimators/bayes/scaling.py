"""What the belief and the data each do to an answer: both raised to a power, by importance weights.

Posterior draws are reweighted by ``p ** (a - 1)`` with p the density of the belief, or of the data, at every
draw (Kallioinen, Paananen, Bürkner and Vehtari 2023): a = 2 counts it twice, a = 1/2 half. How fast the
distribution of a quantity then moves is its sensitivity: the cumulative Jensen-Shannon distance per doubling,
at a = 1. Weights have Pareto-smoothed tails. All of it is ArviZ's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, Floats, ModelPrior, expit

#: Powers on both sides of 1 between which the speed is taken.
_NEAR = (0.99, 1.01)


@dataclass(frozen=True, slots=True)
class Parts:
    """Draws of one scheme's lift with what belief and data say of every draw.

    Attributes
    ----------
    lift : array (draws,)
        Lift over control, as a share or in the unit of the value.
    log_belief, log_data : array (draws,)
        Logarithms of the belief's density and of the likelihood, up to constants.
    """

    lift: Floats
    log_belief: Floats
    log_data: Floats

    def sensitivity(self) -> tuple[float, float]:
        """Return how fast the lift moves with the belief and with the data."""
        return sensitivity(self.lift, self.log_belief), sensitivity(self.lift, self.log_data)

    def at_power(self, power: float) -> tuple[Floats, float]:
        """Return weights of the draws when the belief counts `power` times, and their Pareto k."""
        return power_weights(self.log_belief, power)


def draw_parts(data: CellData, prior: ModelPrior, size: int, *, rng: np.random.Generator) -> Parts:
    """Draw the fast path's posterior of control and one scheme, with its parts.

    Parameters
    ----------
    data : CellData
        Two schemes, control first.
    prior : ModelPrior
        Only the belief of the lift is raised to powers; bases are wide, and deviations are not a belief.
    size : int
        Number of draws.
    rng : Generator
        Source of the draws.
    """
    eta = fit(data, prior).draw(size, rng=rng)
    on_model = (eta[:, 1] - eta[:, 0]) @ data.weights
    log_belief = -(((on_model - prior.lift_mean) / prior.lift_sd) ** 2) / 2
    log_data = np.array([data.log_likelihood(one) for one in eta])
    means = expit(eta) if data.n.any() else eta
    return Parts((means[:, 1] - means[:, 0]) @ data.weights, log_belief, log_data)


def sensitivity(draws: Floats, log_part: Floats) -> float:
    """Return the power-scaling sensitivity of a quantity to one part of the posterior.

    Parameters
    ----------
    draws : array (draws,)
        Posterior draws of the quantity.
    log_part : array (draws,)
        Logarithm of the part (belief, or likelihood) at every draw.
    """
    if np.ptp(log_part) == 0:
        return 0.0
    stats = _arviz()
    weights = [np.exp(stats.power_scale_lw(log_part, alpha=a, axis=0)) for a in _NEAR]
    low, high = (w / w.sum() for w in weights)
    return float(stats.power_scale_sense(draws[None], low[None], high[None], *_NEAR))


def power_weights(log_part: Floats, power: float) -> tuple[Floats, float]:
    """Return Pareto-smoothed weights (sum 1) of draws at a power of one part, and Pareto k.

    Weights are to be relied on below k = 0.7.
    """
    if power == 1 or np.ptp(log_part) == 0:
        return np.full(log_part.size, 1 / log_part.size), -np.inf
    logs, khat = _arviz().psislw(-(power - 1) * log_part, axis=0)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum(), float(khat)


def _arviz() -> Any:
    from arviz_stats.base.array import array_stats

    return array_stats


def weighted_quantiles(values: Floats, weights: Floats, probabilities: tuple[float, ...]) -> list[float]:
    """Return quantiles of weighted draws, interpolated between the middles of their weights."""
    order = np.argsort(values, kind="stable")
    middles = np.cumsum(weights[order]) - weights[order] / 2
    return [float(np.interp(p, middles, values[order])) for p in probabilities]
