"""Normal formulas for many simulated trials at once: the last axis is over schemes, control first."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from sojourn.estimators.bayes.model import Floats

_NODES = 48


def against_control(
    means: Floats, variances: Floats, *, lift_mean: float, lift_sd: float
) -> tuple[Floats, Floats]:
    """Return posterior mean and standard deviation of every lift, each from control and its scheme alone.

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
    The conjugate normal: with ``v`` the variance of the observed difference, the lift has mean
    ``m + b (difference - m)`` and variance ``b v`` with ``b = s^2 / (s^2 + v)``.
    """
    variance = variances[..., 1:] + variances[..., :1]
    kept = lift_sd**2 / (lift_sd**2 + variance)
    mean = lift_mean + kept * (means[..., 1:] - means[..., :1] - lift_mean)
    return mean, np.sqrt(kept * variance)


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
