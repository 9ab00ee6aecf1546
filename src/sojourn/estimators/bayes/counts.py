"""Counts per member that vary more than by chance alone: a negative binomial, its fit, and no law at all.

Everything is computed from a histogram (how many members have each count), which is all the likelihood knows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import betainc, gammaln, polygamma, psi

from sojourn.core.errors import ConvergenceError

Floats = NDArray[np.float64]
#: Priors of the logarithms of mean and size: standard deviations around 0.
MEAN_SD, SIZE_SD = 5.0, 3.0
#: Bins of the predictive check: at least so many members are expected in each, and there are at most so many.
_LEAST_EXPECTED, _MOST_BINS = 5.0, 12


@dataclass(frozen=True, slots=True)
class Histogram:
    """Members by their count.

    Attributes
    ----------
    count : array (values,)
        Counts that occur, each at least 0.
    n : array (values,)
        Members with that count.
    """

    count: Floats
    n: Floats

    @property
    def members(self) -> float:
        """All members."""
        return float(self.n.sum())

    @property
    def mean(self) -> float:
        """Mean count."""
        return float(self.count @ self.n / self.members)

    @property
    def variance(self) -> float:
        """Variance of the counts."""
        return float((self.count - self.mean) ** 2 @ self.n / self.members)


@dataclass(frozen=True, slots=True)
class CountFit:
    """Normal approximation of the posterior of a negative binomial's log mean and log size.

    Attributes
    ----------
    mode : array (2,)
        Logarithms of mean and size; the variance of a count is ``mean + mean^2 / size``.
    covariance : array (2, 2)
        Inverse curvature there.
    """

    mode: Floats
    covariance: Floats

    def draw(self, size: int, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return draws of mean and size (size,)."""
        root = np.linalg.cholesky(self.covariance)
        drawn = self.mode[:, None] + root @ rng.standard_normal((2, size))
        return np.exp(drawn[0]), np.exp(drawn[1])


def log_posterior(at: Floats, histogram: Histogram) -> float:
    """Return the logarithm of the posterior density at log mean and log size, up to a constant."""
    mean, size = np.exp(at)
    count, n = histogram.count, histogram.n
    rows = gammaln(count + size) - gammaln(size) + size * np.log(size / (size + mean))
    rows = rows + count * np.log(mean / (size + mean))
    return float(rows @ n - at[0] ** 2 / (2 * MEAN_SD**2) - at[1] ** 2 / (2 * SIZE_SD**2))


def fit_counts(histogram: Histogram) -> CountFit:
    """Approximate the posterior of mean and size by a normal distribution at its mode.

    Parameters
    ----------
    histogram : Histogram
        Members by count.

    Raises
    ------
    ConvergenceError
        When no mode is found.
    """
    mean, variance = max(histogram.mean, 0.5 / histogram.members), histogram.variance
    size = mean**2 / max(variance - mean, 0.01 * mean)
    start = np.log([mean, np.clip(size, 1e-3, 1e3)])
    found = optimize.minimize(
        lambda at: -log_posterior(at, histogram),
        start,
        jac=lambda at: -_slope(at, histogram),
        hess=lambda at: -_curvature(at, histogram),
        method="trust-exact",
        options={"gtol": 1e-6 * max(1.0, histogram.members)},
    )
    curvature = -_curvature(found.x, histogram)
    if not found.success or np.linalg.eigvalsh(curvature)[0] <= 0:
        raise ConvergenceError("No mode of the negative binomial was found. Merge strata with few members.")
    return CountFit(found.x, np.linalg.inv(curvature))


def _slope(at: Floats, histogram: Histogram) -> Floats:
    mean, size = np.exp(at)
    members, average = histogram.members, histogram.mean
    by_mean = members * size * (average - mean) / (size + mean)
    by_size = size * _by_size(mean, size, histogram)
    return np.array([by_mean - at[0] / MEAN_SD**2, by_size - at[1] / SIZE_SD**2])


def _by_size(mean: float, size: float, histogram: Histogram) -> float:
    """Return the first derivative of the log-likelihood by the size itself."""
    digamma = float((psi(histogram.count + size) - psi(size)) @ histogram.n)
    off = (mean - histogram.mean) / (size + mean)
    return digamma + histogram.members * (float(np.log(size / (size + mean))) + off)


def _curvature(at: Floats, histogram: Histogram) -> Floats:
    mean, size = np.exp(at)
    members, average = histogram.members, histogram.mean
    both = members * mean * size * (average - mean) / (size + mean) ** 2
    of_mean = -members * size * mean * (size + average) / (size + mean) ** 2
    trigamma = float((polygamma(1, histogram.count + size) - polygamma(1, size)) @ histogram.n)
    plain = 1 / size - 1 / (size + mean) - (mean - average) / (size + mean) ** 2
    of_size = size**2 * (trigamma + members * plain) + size * _by_size(mean, size, histogram)
    return np.array([[of_mean - 1 / MEAN_SD**2, both], [both, of_size - 1 / SIZE_SD**2]])


def share_up_to(count: Floats, mean: Floats, size: Floats) -> Floats:
    """Return the share of members with at most a count, under a negative binomial (0 below a count of 0)."""
    held = np.maximum(count, 0)
    share: Floats = np.where(count < 0, 0.0, betainc(size, held + 1, size / (size + mean)))
    return share


def distances(
    histogram: Histogram, fit: CountFit, size: int, *, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return chi-square distances from the model: of the histogram, and of as many that the model would draw.

    Parameters
    ----------
    histogram : Histogram
        What was seen.
    fit : CountFit
        Its posterior.
    size : int
        Draws; each is compared with a histogram drawn from itself (Gelman, Meng and Stern 1996).
    rng : Generator
        Source of the draws.
    """
    edges = _edges(histogram, fit)
    mean, dispersion = fit.draw(size, rng=rng)
    below = share_up_to(edges, mean[:, None], dispersion[:, None])
    shares = np.diff(np.hstack([np.zeros((size, 1)), below, np.ones((size, 1))]), axis=1)
    shares = np.maximum(shares, 1e-12)
    shares /= shares.sum(axis=1, keepdims=True)
    members = round(histogram.members)
    seen = np.bincount(np.searchsorted(edges, histogram.count), histogram.n, len(edges) + 1)
    expected = members * shares
    drawn = rng.multinomial(members, shares)
    observed, replicated = (((counts - expected) ** 2 / expected).sum(axis=1) for counts in (seen, drawn))
    return observed, replicated


def _edges(histogram: Histogram, fit: CountFit) -> Floats:
    """Return the largest count of every bin but the last; each bin holds enough members at the mode."""
    mean, size = np.exp(fit.mode)
    counts = np.arange(max(histogram.count.max() + 1, 2))
    shares = share_up_to(counts, mean, size)
    least = max(1 / _MOST_BINS, _LEAST_EXPECTED / histogram.members)
    edges: list[float] = []
    taken = 0.0
    for count, share in zip(counts, shares, strict=True):
        if share - taken >= least and 1 - share >= least:
            edges.append(float(count))
            taken = float(share)
    return np.array(edges)


def draw_means(histogram: Histogram, size: int, *, rng: np.random.Generator) -> Floats:
    """Return draws of the mean count without any law (size,): the Bayesian bootstrap of Rubin (1981).

    Shares of members are Dirichlet(1, …, 1), so those of counts are Dirichlet(n): mean as counted, variance
    that of the counts over ``n + 1``.
    """
    held = histogram.n > 0
    weights = rng.standard_gamma(histogram.n[held], (size, int(held.sum())))
    means: Floats = weights @ histogram.count[held] / weights.sum(axis=1)
    return means
