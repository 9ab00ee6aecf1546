"""The grid everyone knows: fifths of recency, frequency and monetary value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sojourn.core.results.segments import Features, Floats, Ints

#: Sign of each RFM feature: more of it is better, except days since the last activity.
_BETTER = {"recency": -1, "frequency": 1, "monetary": 1}

_FIFTHS = (0.2, 0.4, 0.6, 0.8)


def rfm_cells(x: Floats, names: tuple[str, ...]) -> Callable[[Floats], Ints]:
    """Return what puts rows into the grid of fifths that `x` is cut into: up to 125 cells."""
    own = _rfm(x, names)
    cuts = np.quantile(own, _FIFTHS, axis=0)

    def assign(rows: Floats) -> Ints:
        return _fifths(_rfm(rows, names), cuts) @ (5 ** np.arange(own.shape[1]))

    return assign


def rfm_bands(found: Features, bands: int) -> Ints:
    """Return the band of every member's RFM score: fifths of recency, frequency and monetary, added up.

    Members with equal scores are told apart by the sum of the three features, so that bands are of equal size
    and none of the rival's degrees of freedom is lost to ties.
    """
    own = _rfm(found.x, found.names)
    points = _fifths(own, np.quantile(own[found.fit], _FIFTHS, axis=0)).sum(axis=1)
    score = points + 1 / (1 + np.exp(-own.sum(axis=1)))
    cuts = np.quantile(score[found.fit], np.arange(1, bands) / bands)
    return np.searchsorted(cuts, score, side="right").astype(np.int64)


def _rfm(x: Floats, names: tuple[str, ...]) -> Floats:
    """Return the columns of the grid that are there, more of each being better."""
    there = [name for name in _BETTER if name in names]
    return np.column_stack([_BETTER[name] * x[:, names.index(name)] for name in there] or [np.zeros(len(x))])


def _fifths(own: Floats, cuts: Floats) -> Ints:
    """Return the fifth (0-4) of every row in every column."""
    each = zip(own.T, cuts.T, strict=True)
    return np.column_stack([np.searchsorted(at, column, side="right") for column, at in each])
