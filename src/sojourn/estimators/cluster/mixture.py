"""Gaussian mixtures: as a peer, and as what any grouping says of the density of members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sojourn.core.results.segments import Floats, Ints

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

#: Added to every variance of standardised features: a tenth of a standard deviation. Less would reward a
#: mixture without end for members who share one value, as the many who bought nothing do.
LEAST_VARIANCE = 0.01


def best_mixture(x: Floats, ks: Sequence[int], *, rng: np.random.Generator) -> GaussianMixture:
    """Return the Gaussian mixture with the lowest Bayesian information criterion.

    Parameters
    ----------
    x : array (n, p)
        Standardised features.
    ks : sequence of int
        Numbers of components to try; 1 is tried as well.
    rng : numpy Generator
        Draws the starting values.
    """
    tried = [mixture(x, k, rng=rng, starts=2) for k in (1, *ks)]
    return min(tried, key=lambda one: one.bic(x))


def mixture(x: Floats, k: int, *, rng: np.random.Generator, starts: int = 1) -> GaussianMixture:
    """Return a mixture of k Gaussians, each with a covariance of its own: the best of so many starts.

    Where the steps end before they converge, the mixture is as good as it got.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    seed = int(rng.integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(
            k, reg_covar=LEAST_VARIANCE, max_iter=100, n_init=starts, random_state=seed
        ).fit(x)


def grouped_density(x: Floats, labels: Ints, others: Floats) -> float:
    """Return the mean log-density (nats a row) that groups give to other rows.

    Parameters
    ----------
    x : array (n, p)
        The rows that made the groups.
    labels : array (n,)
        Their groups; -1 for rows of no group, which are described by one Gaussian of all rows.
    others : array (m, p)
        Rows that did not make the groups.

    Notes
    -----
    A mixture with one Gaussian per group: weights are the groups' shares, centres their means, and the
    covariance is the pooled one within groups, since small groups have none of their own.
    """
    groups, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    centres = np.array([x[place == i].mean(axis=0) for i in range(len(groups))])
    inside = groups >= 0
    rest = (x - centres[place])[inside[place]]
    everyone = _logs(others, x.mean(axis=0), np.cov(x.T, bias=True))
    if not len(rest):
        return float(everyone.mean())
    within = rest.T @ rest / len(rest)
    parts = [
        np.log(size / len(x)) + (_logs(others, centre, within) if grouped else everyone)
        for size, centre, grouped in zip(sizes, centres, inside, strict=True)
    ]
    return float(np.logaddexp.reduce(parts, axis=0).mean())


def single_density(x: Floats, others: Floats) -> float:
    """Return the mean log-density (nats a row) that one Gaussian of `x` gives to other rows."""
    return grouped_density(x, np.full(len(x), -1), others)


def _logs(x: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Return the log-density of every row under one Gaussian, its variances enlarged by `LEAST_VARIANCE`."""
    root = np.linalg.cholesky(np.atleast_2d(covariance) + LEAST_VARIANCE * np.eye(x.shape[1]))
    z = np.linalg.solve(root, (x - mean).T)
    logs: Floats = (
        -0.5 * (z**2).sum(axis=0) - np.log(np.diag(root)).sum() - x.shape[1] / 2 * np.log(2 * np.pi)
    )
    return logs
