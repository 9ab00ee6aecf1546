"""Whether groups come back when members are drawn again."""

from __future__ import annotations

import numpy as np

from sojourn.core.results.segments import Floats, Ints, NearestCentre
from sojourn.estimators.cluster.partition import partition


def worst_jaccard(x: Floats, rule: NearestCentre, *, resamples: int, rng: np.random.Generator) -> float:
    """Return how much of the least stable group comes back, on average over bootstrap samples (0-1).

    Parameters
    ----------
    x : array (n, p)
        The rows that made the groups.
    rule : NearestCentre
        The groups.
    resamples : int
        Number of bootstrap samples.
    rng : numpy Generator
        Draws them.

    Notes
    -----
    Each group is set beside the most similar group found in the resample; both rules label the rows of `x`
    (Hennig 2007, Cluster-wise assessment of cluster stability, CSDA 52, 258-271). High values do not show
    groups: one correlated Gaussian has .99 at k = 2.
    """
    labels = rule.assign(x)
    found = np.zeros((resamples, rule.k))
    for i in range(resamples):
        again = partition(x[rng.integers(len(x), size=len(x))], rule.k, rng=rng, starts=2)
        found[i] = jaccard(labels, again.assign(x), rule.k)
    return float(found.mean(axis=0).min())


def jaccard(labels: Ints, others: Ints, k: int) -> Floats:
    """Return for every group of `labels` its largest Jaccard similarity with a group of `others`."""
    both = np.bincount(labels * k + others, minlength=k * k).reshape(k, k).astype(float)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    similarity: Floats = np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(axis=1)
    return similarity
