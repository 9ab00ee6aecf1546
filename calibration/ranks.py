"""Simulation-based calibration: a truth is equally likely to have any rank among draws of its posterior.

Parameters are drawn from the prior, data from the model, draws from the posterior of these data. Then the
rank of the truth among the draws is uniform, for parameters and for anything computed from parameters and
data (Talts and others 2018; Modrák and others 2023). The empirical distribution of ranks is held against the
simultaneous band of Säilynoja, Bürkner and Vehtari (2022), whose probability is computed exactly by their
recursion over the points of a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Points at which the distribution of ranks is compared; draws and one more are a multiple of it.
POINTS = 100
#: Above equality of two tail probabilities in floating point.
_ABOVE = 1 + 1e-9


def rank(values: Floats, rng: np.random.Generator) -> int:
    """Return the rank of the first value among the others, ties broken at random.

    Parameters
    ----------
    values : array (draws + 1,)
        The truth, then draws.
    rng : Generator
        Source of what breaks ties.
    """
    truth, draws = values[0], values[1:]
    ties = int((draws == truth).sum())
    return int((draws < truth).sum()) + int(rng.integers(ties + 1))


def p_uniform(ranks: Iterable[int], draws: int) -> float:
    """Return the p-value of ranks among so many draws being uniform.

    The statistic is the smallest tail probability of the empirical distribution at any point; its
    distribution is exact, so 1 % is the chance of leaving a band of 99 % anywhere.

    Parameters
    ----------
    ranks : iterable of int
        One per fit, from 0 to `draws`.
    draws : int
        Draws of every fit; one more than that is a multiple of `POINTS`.
    """
    step, left_over = divmod(draws + 1, POINTS)
    if left_over:
        raise ValueError(f"{draws + 1} ranks are not a multiple of {POINTS}.")
    own = np.array(list(ranks))
    at = np.arange(1, POINTS)
    below = (own[:, None] < step * at).sum(axis=0)
    share = at / POINTS
    smallest = np.minimum(binom.cdf(below, own.size, share), binom.sf(below - 1, own.size, share)).min()
    return max(0.0, 1 - _stays(own.size, share, float(smallest)))


def _stays(size: int, share: Floats, tail: float) -> float:
    """Return the chance that both tails of uniform values exceed `tail` at every point."""
    if tail * _ABOVE >= 0.5:
        return 0.0
    low = binom.ppf(tail * _ABOVE, size, share).astype(int)
    high = binom.isf(tail * _ABOVE, size, share).astype(int)
    held = np.arange(low[0], high[0] + 1)
    chance = binom.pmf(held, size, share[0])
    for i, j in itertools.pairwise(range(share.size)):
        reached = np.arange(low[j], high[j] + 1)
        moves = binom.pmf(
            reached - held[:, None], size - held[:, None], (share[j] - share[i]) / (1 - share[i])
        )
        held, chance = reached, chance @ moves
    return float(chance.sum())


def adjusted(ranks: Mapping[str, list[int]], draws: int) -> dict[str, float]:
    """Return the p-value of every quantity, times the number of quantities (Bonferroni), at most 1."""
    return {name: min(1.0, len(ranks) * p_uniform(own, draws)) for name, own in ranks.items()}
