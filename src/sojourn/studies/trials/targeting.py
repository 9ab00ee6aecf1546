"""Learning whom a scheme pays for, from sums of members with the same features.

A pattern is all that is known of a member before assignment. Sums by pattern, scheme and block of members are
all that is needed: learning is on some blocks, judging on others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.core.results.trials import Trial
from sojourn.studies.trials.normal_bounds import Floats

#: Columns of ``features`` that are no features.
_SUMS = ("scheme", "block", "n", "kept", "total", "total_sq", "revenue")
#: Penalty of a feature's level on the outcome itself: it counts as so many members without it.
_LEVEL_PENALTY = 10.0
#: Penalties that a level's own uplift may have, in members; the data weigh them.
_UPLIFT_PENALTIES = np.geomspace(10.0, 1e5, 17)


@dataclass(frozen=True, slots=True)
class Patterned:
    """Members of control and one scheme, by pattern, scheme and block.

    Attributes
    ----------
    traits : array (patterns, levels)
        Which levels of which features a pattern has (0 or 1).
    n, kept, total, total_sq : array (blocks, patterns, 2)
        Members; of whom were kept; sum of their outcomes and of its squares; control first.
    chance : float
        Of being given the scheme rather than control, in (0, 1); known, as it was drawn by lot.
    names : tuple of str
        Features.
    """

    traits: Floats
    n: Floats
    kept: Floats
    total: Floats
    total_sq: Floats
    chance: float
    names: tuple[str, ...]


def patterned(trial: Trial, scheme: str) -> Patterned | None:
    """Return members under control and one scheme by what was known of them; None where that is nothing."""
    cells = trial.other("features")
    names = [name for name in cells.columns if name not in _SUMS]
    if cells.empty or not names:
        return None
    cells = cells[cells["scheme"].isin([trial.control, scheme])]
    patterns, place = np.unique(cells[names].to_numpy(str), axis=0, return_inverse=True)
    blocks, block = np.unique(cells["block"].to_numpy(), return_inverse=True)
    shape = (len(blocks), len(patterns), 2)
    where = np.ravel_multi_index((block, place.ravel(), (cells["scheme"] == scheme).to_numpy(int)), shape)
    n, kept, total, total_sq = (
        np.bincount(where, weights=cells[name].to_numpy(float), minlength=int(np.prod(shape)))
        .reshape(shape)
        .astype(float)
        for name in ("n", "kept", "total", "total_sq")
    )
    traits = [
        patterns[:, [i]] == np.unique(patterns[:, i])
        for i in range(len(names))
        if len(np.unique(patterns[:, i])) > 1
    ]
    one_hot = np.hstack([*traits, np.zeros((len(patterns), 0))]).astype(float)
    planned = trial.allocation[scheme] + trial.allocation[trial.control]
    chance = trial.allocation[scheme] / planned
    return Patterned(one_hot, n, kept, total, total_sq, chance, tuple(names))


@dataclass(frozen=True, slots=True)
class Learned:
    """What is expected of every pattern.

    Attributes
    ----------
    control, uplift : array (patterns,)
        Expected outcome under control, and how much more under the scheme.
    leaves : array (patterns,)
        Expected share that is not kept, whatever they are given.
    """

    control: Floats
    uplift: Floats
    leaves: Floats


@dataclass(frozen=True, slots=True)
class Grams:
    """Sums of products of levels that ridge regressions need, by block.

    Attributes
    ----------
    gram : array (blocks, 2, levels, levels)
        Of levels with levels, by scheme; the first level is 1 for everybody.
    total, kept : array (blocks, 2, levels)
        Of levels with outcomes.
    squares : array (blocks,)
        Of outcomes with themselves.
    design : array (patterns, levels)
        Levels of every pattern.
    """

    gram: Floats
    total: Floats
    kept: Floats
    squares: Floats
    design: Floats


def grams(data: Patterned) -> Grams:
    """Return the sums of every block, which all folds are put together of."""
    design = np.hstack([np.ones((len(data.traits), 1)), data.traits])
    by_scheme = np.moveaxis(data.n, 2, 1)  # blocks, 2, patterns
    gram = np.stack([[(design.T * n) @ design for n in block] for block in by_scheme])
    total, kept = (np.moveaxis(sums, 2, 1) @ design for sums in (data.total, data.kept))
    return Grams(gram, total, kept, data.total_sq.sum(axis=(1, 2)), design)


def learn(sums: Grams, train: np.ndarray, chance: float) -> Learned:
    """Learn from some blocks what is expected of every pattern.

    Parameters
    ----------
    sums : Grams
        Of all blocks.
    train : array of bool (blocks,)
        Which blocks are learned from.
    chance : float
        Of being given the scheme.

    Notes
    -----
    Outcome = a + levels + (given - chance) (u + v x what is expected of the levels + their own uplift), by
    ridge regression: a scheme that multiplies what members do is one number, v. The penalty of levels is
    fixed; that of their own uplift is averaged by the likelihood of the data, so that where uplifts are alike
    all patterns get nearly the same.
    """
    gram, total = sums.gram[train].sum(axis=0), sums.total[train].sum(axis=0)
    kept, squares = sums.kept[train].sum(axis=(0, 1)), float(sums.squares[train].sum())
    none, given = -chance, 1 - chance
    every, moved = gram[0] + gram[1], none * gram[0] + given * gram[1]
    doubly = none**2 * gram[0] + given**2 * gram[1]
    penalty = np.r_[1e-6, np.full(len(every) - 1, _LEVEL_PENALTY)]
    ridge = every + np.diag(penalty)
    expected, stays = np.linalg.solve(ridge, np.stack([total.sum(axis=0), kept], axis=1)).T
    directions = np.stack([np.eye(len(every))[0], _around(expected, every)], axis=1)
    cross, pull = moved @ directions, none * total[0] + given * total[1]
    base = np.block([[ridge, cross], [cross.T, directions.T @ doubly @ directions + 1e-6 * np.eye(2)]])
    right = np.r_[total.sum(axis=0), directions.T @ pull]
    across = np.vstack([moved[:, 1:], directions.T @ doubly[:, 1:]])
    both = np.linalg.solve(base, np.column_stack([right, across]))
    alone, carried = both[:, 0], both[:, 1:]
    noise = max((squares - float(right @ alone)) / float(every[0, 0]), 1e-12)
    own = _shrunk(doubly[1:, 1:] - across.T @ carried, pull[1:] - across.T @ alone, noise)
    rest = alone - carried @ own
    uplift = sums.design @ (directions @ rest[-2:] + np.r_[0.0, own])
    outcome = sums.design @ rest[:-2]
    return Learned(outcome - chance * uplift, uplift, 1 - sums.design @ stays)


def _around(expected: Floats, gram: Floats) -> Floats:
    """Return coefficients of what is expected less its mean, in units of its spread over members."""
    centred = expected - np.eye(len(expected))[0] * float(gram[0] @ expected) / float(gram[0, 0])
    spread = np.sqrt(max(float(centred @ gram @ centred) / float(gram[0, 0]), 0.0))
    found: Floats = centred / spread if spread > 1e-12 else np.zeros_like(centred)
    return found


def _shrunk(gram: Floats, right: Floats, noise: float) -> Floats:
    """Return ridge coefficients averaged over penalties by the marginal likelihood of each."""
    if not len(right):
        return right
    size, axes = np.linalg.eigh(gram)
    some = size > 1e-9 * max(float(size.max()), 1e-300)
    size, axes = size[some], axes[:, some]
    turned = axes.T @ right
    variance = noise * size + noise * size**2 / _UPLIFT_PENALTIES[:, None]
    evidence = -0.5 * (np.log(variance) + turned**2 / variance).sum(axis=1)
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    shrink = weight @ (1 / (size + _UPLIFT_PENALTIES[:, None]))
    coefficients: Floats = axes @ (shrink * turned)
    return coefficients


def top(score: Floats, n: Floats, share: float) -> Floats:
    """Return how likely every pattern is treated when the highest scores of a share of members are.

    Parameters
    ----------
    score, n : array (patterns,)
        Patterns with equal scores are treated alike.
    share : float
        Of the members `n`.
    """
    levels, place = np.unique(-score, return_inverse=True)
    members = np.bincount(place, weights=n, minlength=len(levels))
    before = np.cumsum(members) - members
    room = share * n.sum() - before
    part = np.where(members > 0, np.clip(room / np.where(members > 0, members, 1), 0, 1), room > 0)
    treated: Floats = part[place].astype(float)
    return treated
