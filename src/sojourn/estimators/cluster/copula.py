"""Structureless twins of a table: same margins, same rank correlations, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.core.results.segments import Floats

_STEPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Copula:
    """A Gaussian copula with empirical margins.

    Attributes
    ----------
    margins : array (n, p)
        Every column sorted by itself; ties and zeros as they are.
    root : array (p, p)
        Cholesky factor of the correlations of the underlying normal.
    """

    margins: Floats
    root: Floats

    def draw(self, n: int, *, rng: np.random.Generator) -> Floats:
        """Return n rows."""
        return self.at(rng.standard_normal((n, len(self.root))))

    def at(self, normal: Floats) -> Floats:
        """Return the rows that belong to independent standard normal ones."""
        from scipy.special import ndtr

        n = len(self.margins)
        ranks = np.minimum((ndtr(normal @ self.root.T) * n).astype(np.int64), n - 1)
        rows: Floats = np.take_along_axis(self.margins, ranks, axis=0)
        return rows


def structureless(x: Floats, *, rng: np.random.Generator) -> Copula:
    """Return the copula whose draws have the margins and the rank correlations of `x`.

    Parameters
    ----------
    x : array (n, p)
        No constant column.
    rng : numpy Generator
        Draws the rows on which the correlations are tuned.

    Notes
    -----
    Starts from r = 2 sin(pi s / 6), which is exact without ties, and corrects by the remaining difference of
    Spearman's s, since ties (above all many zeros) weaken it; every step is made positive definite.
    """
    margins, target = np.sort(x, axis=0), rank_correlation(x)
    normal = rng.standard_normal(x.shape)
    correlation = _nearest(2 * np.sin(np.pi / 6 * target))
    for _ in range(_STEPS):
        got = rank_correlation(Copula(margins, np.linalg.cholesky(correlation)).at(normal))
        correlation = _nearest(correlation + target - got)
    return Copula(margins, np.linalg.cholesky(correlation))


def rank_correlation(x: Floats) -> Floats:
    """Return Spearman's correlations (mid-ranks) of all pairs of columns."""
    from scipy.stats import rankdata

    ranks = np.atleast_2d(np.corrcoef(rankdata(x, axis=0).T))
    return np.asarray(ranks, dtype=np.float64)


def _nearest(correlation: Floats) -> Floats:
    """Return a positive definite correlation matrix near the one given (clipped eigenvalues)."""
    values, vectors = np.linalg.eigh(correlation)
    fixed = (vectors * values.clip(1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    nearest: Floats = fixed / scale[:, None] / scale
    return nearest
