"""Members with two covariates, drawn and counted by pattern and day."""

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
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


#: Words for the covariates of `members_of`: those from partners mostly take the annual plan.
CHANNELS, PLANS = np.array(["partner", "search"]), np.array(["annual", "monthly"])


def members_of(seed, n=6_000, *, early=0.5, after=0.5, late=0.0):
    """Return members by channel and plan; annual has hazard ratio `early` to day 30, then `after`."""
    rng = np.random.default_rng(seed)
    channel = rng.integers(0, 2, n)
    plan = (rng.random(n) < np.where(channel == 0, 0.2, 0.8)).astype(int)
    level = 0.008 * np.where(channel == 0, 0.6, 1.0)
    first, then = (level * np.where(plan == 0, ratio, 1.0) for ratio in (early, after))
    risk = rng.exponential(1, n)
    life = np.where(risk < 30 * first, risk / first, 30 + (risk - 30 * first) / then)
    entry = np.where(rng.random(n) < late, np.ceil(rng.uniform(0, 100, n)), 0).astype(int)
    until = (entry + np.floor(rng.uniform(0, 300, n))).astype(int)
    leaves = np.ceil(life).astype(int)
    exits = np.minimum(leaves, until)
    seen = (entry == 0) | (exits > entry)
    rows = {"channel": CHANNELS[channel], "plan": PLANS[plan], "entry": entry, "exit": exits}
    return pd.DataFrame({**rows, "churned": (leaves <= until).astype(int)})[seen]


def pattern_cells(members, **meta):
    """Return the cells of members: table ``patterns``, as it is known now."""
    names = [name for name in members.columns if name not in ("entry", "exit", "churned")]
    zero = {"entered": 0, "churned": 0, "censored": 0}
    begun = members[names].assign(day=members["entry"], **{**zero, "entered": 1})
    ended = members[names].assign(
        day=members["exit"], **{**zero, "churned": members["churned"], "censored": 1 - members["churned"]}
    )
    marks = pd.concat([begun, ended], ignore_index=True)
    table = marks.groupby([*names, "day"], as_index=False)[list(zero)].sum().assign(known="now")
    described = {"unit": "day", "leaving": "cancellation", "as_of": "2025-07-01T00:00:00Z", **meta}
    return Cells("test", "retention", {"patterns": table}, described)
