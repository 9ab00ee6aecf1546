"""Whether there are groups at all: valleys deeper than those of structureless data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.results.segments import STABLE, Floats, NearestCentre
from sojourn.estimators.cluster.copula import structureless
from sojourn.estimators.cluster.partition import former, partition
from sojourn.estimators.cluster.stability import returns
from sojourn.estimators.cluster.valley import shallowest_valley

#: At most so many members form groups; more make it slower and not better.
FIT_AT_MOST = 4_000

#: A valley counts if so much of the lower peak is missing between any two groups. In samples of thousands
#: round groups have about .5 where 2 in 100 members stand on the wrong side, .2 where 5 do and 0 where 10 do;
#: a curved gradient has 0.
DEEP_ENOUGH = 0.15

#: A group of fewer is a handful: members of whom little is seen, or outliers.
SMALLEST_SHARE = 0.05

#: In how many structureless worlds of 100 some k may look separated.
_FALSE = 0.05

#: The data are halved so many times; the median depth counts, so that no single halving decides.
SPLITS = 5

_NULL_RESAMPLED = 10

#: Depths that never differ in structureless data would make any depth an excess.
_LEAST_SPREAD = 0.02


def stability_table(
    x: Floats, ks: Sequence[int], *, draws: int, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return per k how deep the valleys are, in the data and without structure, and how stable the groups.

    Parameters
    ----------
    x : array (n, p)
        Standardised features of members that fit, at most `FIT_AT_MOST`, in random order.
    ks : sequence of int
        Numbers of groups to try.
    draws : int
        Structureless twins of the data; at least 19.
    resamples : int
        Bootstrap samples of the data for the Jaccard similarity.
    rng : numpy Generator
        Draws all of them.

    Returns
    -------
    DataFrame
        As `Segmentation.stability`.

    Notes
    -----
    One half forms groups, the other shows the valleys. Depths are set on one scale by mean and spread of the
    structureless ones; `needed` is the 95 % quantile of their largest excess over all k (a max-T test,
    Westfall & Young 1993), so trying many k costs no false claim.
    """
    seen = measured(x, ks, splits=SPLITS, resamples=resamples, rng=rng)
    twin = structureless(x, rng=rng)
    null = [
        measured(twin.draw(len(x), rng=rng), ks, splits=1, resamples=int(i < _NULL_RESAMPLED), rng=rng)
        for i in range(draws)
    ]
    depths = np.array([world.depth for world in null])
    mean, spread = depths.mean(axis=0), depths.std(axis=0) + _LEAST_SPREAD
    excess, needed = (seen.depth - mean) / spread, _needed(((depths - mean) / spread).max(axis=1))
    return pd.DataFrame(
        {
            "k": list(ks),
            "depth": seen.depth,
            "null_depth": np.median(depths, axis=0),
            "null_depth_high": np.clip(mean + needed * spread, 0, 1),
            "excess": excess,
            "needed": needed,
            "jaccard": seen.jaccard,
            "rand": seen.rand,
            "null_jaccard": np.median([world.jaccard for world in null[:_NULL_RESAMPLED]], axis=0),
            "smallest_share": seen.smallest,
            "separated": (excess > needed) & seen.qualifies & (seen.jaccard >= STABLE),
        }
    )


def chosen_k(stability: pd.DataFrame) -> int | None:
    """Return the largest k whose groups are all separated, stable and no handful; None if there is none."""
    separated = stability.loc[stability["separated"], "k"]
    return int(separated.max()) if len(separated) else None


def _needed(largest: Floats) -> float:
    """Return the value that at most 5 in 100 exchangeable worlds exceed (rank ceil(0.95 (draws + 1)))."""
    rank = int(np.ceil((1 - _FALSE) * (len(largest) + 1)))
    return float(np.sort(largest)[rank - 1])


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was measured at every k.

    Attributes
    ----------
    depth, jaccard, rand, smallest : array (number of ks,)
        Depth of the shallowest valley, stability of the worst group and of all together (0 where not asked
        for), and share of the smallest group.
    """

    depth: Floats
    jaccard: Floats
    rand: Floats
    smallest: Floats

    @property
    def qualifies(self) -> NDArray[np.bool_]:
        """Whether valleys are deep enough in themselves and no group is a handful."""
        deep: NDArray[np.bool_] = (self.depth >= DEEP_ENOUGH) & (self.smallest >= SMALLEST_SHARE)
        return deep


def measured(
    x: Floats, ks: Sequence[int], *, splits: int, resamples: int, rng: np.random.Generator
) -> Measured:
    """Form k groups of one half of the rows and measure them on the other, for every k.

    Depth and smallest share are medians over `splits` halvings, stability is that of the last. Depths are
    drawn before resamples, so they are the same for any number of resamples.
    """
    found = [_halved(x[rng.permutation(len(x))], ks, rng) for _ in range(splits)]
    depth, smallest = np.median([[half.depth, half.smallest] for half in found], axis=0)
    last = found[-1]
    jaccard, rand = np.zeros((2, len(last.rules)))
    for i, rule in enumerate(last.rules if resamples else ()):
        x, form = last.forms, former(rule.k, rng=rng)
        back = returns(x, rule.assign(x), form, k=rule.k, resamples=resamples, rng=rng)
        jaccard[i], rand[i] = back.jaccard.min(), back.rand
    return Measured(depth, jaccard, rand, smallest)


@dataclass(frozen=True, slots=True, eq=False)
class _Halved:
    """Groups of one half, measured on the other."""

    forms: Floats
    rules: list[NearestCentre]
    depth: Sequence[float]
    smallest: Sequence[float]


def _halved(x: Floats, ks: Sequence[int], rng: np.random.Generator) -> _Halved:
    forms, shows = x[::2], x[1::2]
    rules = [partition(forms, k, rng=rng) for k in ks]
    sizes = [np.bincount(rule.assign(shows), minlength=rule.k).min() / len(shows) for rule in rules]
    return _Halved(forms, rules, [shallowest_valley(shows, rule) for rule in rules], sizes)
