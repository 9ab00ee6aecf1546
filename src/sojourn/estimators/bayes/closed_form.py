"""Normal formulas for many simulated trials at once: the last axis is over schemes, control first."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from sojourn.estimators.bayes.model import Floats

_NODES = 48


def shared_control(
    means: Floats, variances: Floats, *, lift_mean: float, lift_sd: float
) -> tuple[Floats, Floats]:
    """Return posterior mean and standard deviation of every scheme's lift over a shared control.

    Parameters
    ----------
    means, variances : array (..., schemes)
        Estimates on the scale of the model and their sampling variances, control first.
    lift_mean, lift_sd : float
        Normal prior of each lift; the control's own level is flat.

    Returns
    -------
    tuple of array (..., schemes - 1)
        Means and standard deviations.

    Notes
    -----
    Given the control's level a, lift j has mean ``m + b (x - a - m)`` and variance ``b v`` with
    ``b = s^2 / (s^2 + v)``; the level itself is learnt from control and, through the prior, from the schemes.
    """
    level_weights = 1 / (variances + np.concatenate([[0.0], np.full(means.shape[-1] - 1, lift_sd**2)]))
    shifted = means - np.concatenate([[0.0], np.full(means.shape[-1] - 1, lift_mean)])
    level_variance = 1 / level_weights.sum(axis=-1, keepdims=True)
    level = (level_weights * shifted).sum(axis=-1, keepdims=True) * level_variance
    kept = lift_sd**2 / (lift_sd**2 + variances[..., 1:])
    mean = lift_mean + kept * (means[..., 1:] - level - lift_mean)
    return mean, np.sqrt(kept * variances[..., 1:] + kept**2 * level_variance)


def p_best(means: Floats, sds: Floats) -> Floats:
    """Return the probability that each of several independent normals is the largest (..., schemes).

    Gauss-Hermite quadrature of ``E[prod_k Phi((x - m_k) / s_k)]`` over the density of each in turn.
    """
    nodes, weights = _hermite()
    x = means[..., None] + sds[..., None] * nodes
    below = np.ones_like(x)
    for other in range(means.shape[-1]):
        chance = ndtr((x - means[..., other, None, None]) / sds[..., other, None, None])
        chance[..., other, :] = 1.0
        below *= chance
    best: Floats = below @ weights
    return best


@lru_cache(maxsize=1)
def _hermite() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()
