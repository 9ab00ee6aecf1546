"""Revenue of one scheme without any law: a Dirichlet bootstrap of its histogram."""

from __future__ import annotations

import numpy as np

from sojourn.estimators.bayes.hurdle import Parts, Spending
from sojourn.estimators.bayes.model import Floats


def draw_bootstrap(spending: Spending, size: int, *, rng: np.random.Generator) -> Parts:
    """Return posterior draws of who pays, how much and what is refunded, for a law that is not stated.

    Parameters
    ----------
    spending : Spending
        One scheme; at least one payer.
    size : int
        Draws.
    rng : Generator
        Source of the draws.

    Notes
    -----
    The Bayesian bootstrap of Rubin (1981): shares of members are Dirichlet(1, ..., 1), so those of bins are
    Dirichlet(n). Within bins the means of payments and refunds are drawn from the normal distribution with
    their moments, so that the variance of revenue per member is that of the rows.
    """
    held = spending.n > 0
    n, paid, refunded = spending.n[held], spending.paid[held], spending.refunded[held]
    weights = rng.standard_gamma(n, (size, n.size))
    weights /= weights.sum(axis=1, keepdims=True)
    products = (
        (spending.paid_sq, paid, paid),
        (spending.cross, paid, refunded),
        (spending.refunded_sq, refunded, refunded),
    )
    within = np.stack([(total[held] / n - a * b / n**2) / n for total, a, b in products])
    off_paid, off_refunded = _correlated(weights**2 @ within.T, rng)
    rate = 1 - weights[:, 0] if held[0] else np.ones(size)
    each_paid = weights @ (paid / n) + off_paid
    each_refunded = weights @ (refunded / n) + off_refunded
    return Parts(rate=rate, size=each_paid / rate, kept=1 - each_refunded / each_paid)


def _correlated(covariance: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return draws of two normal numbers with variances and covariance in columns 0, 2 and 1 (draws, 3)."""
    one, both, other = np.maximum(covariance[:, 0], 0), covariance[:, 1], np.maximum(covariance[:, 2], 0)
    noise = rng.standard_normal((2, len(covariance)))
    slope = np.divide(both, one, out=np.zeros_like(one), where=one > 0)
    first = np.sqrt(one) * noise[0]
    return first, slope * first + np.sqrt(np.maximum(other - slope * both, 0)) * noise[1]
