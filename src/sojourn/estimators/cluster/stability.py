"""Whether groups come back when members are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sojourn.core.results.segments import Floats, Ints

#: Makes groups of the rows it is given, and says to which of them any other rows belong; -1 is nobody's.
Former = Callable[[Floats], Callable[[Floats], Ints]]


@dataclass(frozen=True, slots=True, eq=False)
class Returns:
    """How well groups come back when members are drawn again.

    Attributes
    ----------
    jaccard : array (k,)
        Per group: its Jaccard similarity (0-1) with the most similar group of a resample, on average.
    rand : float
        Adjusted Rand index of the groups of two resamples, on average over all pairs; not a number with one.
    """

    jaccard: Floats
    rand: float


def returns(
    x: Floats, labels: Ints, form: Former, *, k: int, resamples: int, rng: np.random.Generator
) -> Returns:
    """Return how much of every group comes back in bootstrap samples.

    Parameters
    ----------
    x : array (n, p)
        The rows that made the groups.
    labels : array (n,)
        Their groups, from 0; -1 for rows of no group.
    form : callable
        Makes groups of a resample, as the groups were made.
    k : int
        Number of groups; one without members has similarity 0.
    resamples : int
        Number of bootstrap samples.
    rng : numpy Generator
        Draws them.

    Notes
    -----
    Each group is set beside the most similar group found in the resample; both label the rows of `x` (Hennig
    2007, Cluster-wise assessment of cluster stability, CSDA 52, 258-271). High values do not show groups: one
    correlated Gaussian has .99 at k = 2.
    """
    again = [form(x[rng.integers(len(x), size=len(x))])(x) for _ in range(resamples)]
    back = np.array([jaccard(labels, others, k) for others in again])
    pairs = [adjusted_rand(one, other) for one, other in combinations(again, 2)]
    return Returns(back.mean(axis=0), float(np.mean(pairs)) if pairs else np.nan)


def jaccard(labels: Ints, others: Ints, k: int) -> Floats:
    """Return for each of k groups of `labels` its largest Jaccard similarity with a group of `others`.

    Rows of no group (-1) count among the members of the groups on the other side, and are no group.
    """
    both = _crossed(labels, others, k)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    similar = np.divide(both, either, out=np.zeros_like(both), where=either > 0)[1:, 1:]
    largest: Floats = similar.max(axis=1, initial=0.0)
    return largest


def adjusted_rand(labels: Ints, others: Ints) -> float:
    """Return the adjusted Rand index of two ways of grouping the same rows: 1 the same, 0 as by chance.

    Rows of no group (-1) are a group of their own. 1 where both have all rows in one group (Hubert & Arabie
    1985, Comparing partitions, J. Classification 2, 193-218, eq. 5).
    """

    def pairs(n: Floats) -> float:
        return float((n * (n - 1) / 2).sum())

    both = _crossed(labels, others)
    same, ours, theirs = pairs(both), pairs(both.sum(axis=1)), pairs(both.sum(axis=0))
    chance = ours * theirs / pairs(np.array([float(len(labels))]))
    largest = (ours + theirs) / 2
    return 1.0 if largest == chance else (same - chance) / (largest - chance)


def _crossed(labels: Ints, others: Ints, k: int = 0) -> Floats:
    """Return how many rows each pair of groups shares; the first row and column are of no group."""
    down, across = (max(int(named.max()) + 1, k) + 1 for named in (labels, others))
    flat = np.bincount((labels + 1) * across + others + 1, minlength=down * across)
    return flat.reshape(down, across).astype(np.float64)
