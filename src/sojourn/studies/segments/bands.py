"""Where there is a gradient: one activity score, cut into bands of equal size."""

from __future__ import annotations

import numpy as np

from sojourn.core.results.segments import Features, Floats, NearestCentre, Rule, ScoreBands
from sojourn.estimators.cluster.partition import former
from sojourn.estimators.cluster.stability import Former

#: Features of which more means more active; the first that is there decides which end is which.
_ACTIVE = ("frequency", "monetary", "intensity", "breadth", "trend")


def activity_bands(found: Features, bands: int) -> ScoreBands:
    """Return the rule that cuts the activity score at equal shares of the members that fit.

    Notes
    -----
    The score is the first principal component: the one line along which members differ most. It points to
    where members are active more often.
    """
    return bands_of(found.x[found.fit], found.names, bands)


def bands_of(x: Floats, names: tuple[str, ...], bands: int) -> ScoreBands:
    """Return the same rule, of any rows of the features named."""
    weights = _first_component(x)
    weights = weights * _towards_activity(weights, names)
    return ScoreBands(weights, np.quantile(x @ weights, np.arange(1, bands) / bands))


def rule_former(rule: Rule, names: tuple[str, ...], *, rng: np.random.Generator) -> Former:
    """Return what makes segments of any rows as those of a rule were made."""
    if isinstance(rule, NearestCentre):
        return former(rule.k, rng=rng)
    return lambda x: bands_of(x, names, rule.k).assign


def _first_component(x: Floats) -> Floats:
    vectors: Floats = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))[1]
    return vectors[:, -1]


def _towards_activity(weights: Floats, names: tuple[str, ...]) -> float:
    """Return 1 or -1, so that the score rises with activity (and falls with days since the last)."""
    for name in _ACTIVE:
        if name in names:
            return 1.0 if weights[names.index(name)] >= 0 else -1.0
    return -1.0 if weights[0] >= 0 else 1.0
