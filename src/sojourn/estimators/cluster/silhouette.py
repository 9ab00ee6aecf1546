"""The usual number of groups of k-means: the one with the largest silhouette."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sojourn.core.results.segments import Floats, NearestCentre
from sojourn.estimators.cluster.partition import partition

#: So many rows are enough for a silhouette, whose time grows with their square.
_ROWS = 1_000


def best_partition(x: Floats, ks: Sequence[int], *, rng: np.random.Generator) -> NearestCentre:
    """Return k-means at the number of groups with the largest mean silhouette (Rousseeuw 1987).

    Parameters
    ----------
    x : array (n, p)
        Standardised features.
    ks : sequence of int
        Numbers of groups to try, each at least 2.
    rng : numpy Generator
        Draws the rows that are looked at, and the starting centres.
    """
    from sklearn.metrics import silhouette_score

    some = x[rng.permutation(len(x))[:_ROWS]]

    def silhouette(rule: NearestCentre) -> float:
        labels = rule.assign(some)
        return float(silhouette_score(some, labels)) if len(np.unique(labels)) > 1 else -1.0

    return max((partition(x, k, rng=rng) for k in ks), key=silhouette)
