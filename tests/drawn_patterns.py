"""Members with two covariates, drawn and counted by pattern and day."""

import numpy as np

from sojourn.estimators.survival.design import PatternCells


def drawn(seed, n=400, effects=(0.7, -0.4), *, late=0.3, width=1, longest=120):
    """Return the rows of members: covariates, entry, exit and whether they left, all in whole days."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, len(effects))) < 0.5).astype(float)
    life = rng.exponential(1, n) / (0.02 * np.exp(x @ np.array(effects)))
    entry = np.where(rng.random(n) < late, np.ceil(rng.uniform(0, 30, n)), 0).astype(int)
    leaves = (np.ceil(life / width) * width).astype(int)
    until = (np.floor(rng.uniform(0, longest, n)) + entry + 1).astype(int)
    exits, churned = np.minimum(leaves, until), (leaves <= until).astype(int)
    seen = exits > entry
    return x[seen], entry[seen], exits[seen], churned[seen]


def counted(x, entry, exits, churned):
    """Return rows as cells, and the covariates of every pattern."""
    patterns, pattern = np.unique(x, axis=0, return_inverse=True)
    pattern, one, zero = pattern.ravel(), np.ones_like(exits), np.zeros_like(exits)
    cells = PatternCells(
        np.concatenate([pattern, pattern]),
        np.concatenate([entry, exits]),
        np.concatenate([one, zero]),
        np.concatenate([zero, churned]),
        np.concatenate([zero, 1 - churned]),
    )
    return cells, patterns
