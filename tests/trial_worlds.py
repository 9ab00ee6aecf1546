"""Small simulated trials as cells: members with lives, follow-up, strata and months."""

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.studies.trials.trial import trial

ABOUT = {"trial": "main", "horizon_days": 90, "currency": "EUR", "allocation": {}, "historic": False}


def times_of(rows):
    """Lay out members (scheme, stratum, period, life, follow_up) by day, as the cells do."""
    leaves, seen = np.ceil(rows["life"]), np.floor(rows["follow_up"])
    left = leaves <= seen
    by = ["scheme", "stratum", "period"]
    ends = rows[by].assign(
        day=np.where(left, leaves, seen).astype(int), entered=0, churned=left, censored=~left
    )
    begins = rows[by].assign(day=0, entered=1, churned=0, censored=0)
    both = pd.concat([begins, ends.astype({"churned": int, "censored": int})])
    return both.groupby([*by, "day"], as_index=False).sum()


def cells_of(rows, **tables):
    """Return cells of a trial with the tables that it always has, and those given."""
    by = ["scheme", "stratum", "period"]
    matured = rows[rows["follow_up"] >= 90]
    kept = (
        matured.assign(k=matured["life"] > 90)
        .groupby(by, as_index=False)
        .agg(n=("k", "size"), k=("k", "sum"))
    )
    binary = kept.assign(outcome="kept_at_90")[["outcome", *by, "n", "k"]]
    counted = rows.assign(matured=rows["follow_up"] >= 90).groupby(["scheme", "period"], as_index=False)
    split = counted.agg(assigned=("matured", "size"), matured=("matured", "sum"))
    return Cells("test", "trials", {"binary": binary, "split": split, **tables}, ABOUT)


def members(sizes, *, factors, seed=1, pace=0.006, longest=300, strata=("east", "west"), months=6):
    """Draw members: exponential lives, uniform follow-up, month of assignment by follow-up."""
    rng = np.random.default_rng(seed)
    parts = []
    for scheme, size in sizes.items():
        stratum = rng.choice(strata, size)
        life = rng.exponential(1 / (pace * factors.get(scheme, 1.0)), size) / np.where(
            stratum == "east", 1.3, 0.8
        )
        follow_up = rng.uniform(0, longest, size)
        month = np.minimum((1 - follow_up / longest) * months, months - 1).astype(int)
        period = np.char.add("2025-", np.char.zfill((month + 1).astype(str), 2))
        parts.append(pd.DataFrame({"scheme": scheme, "stratum": stratum, "period": period, "life": life,
                                   "follow_up": follow_up}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def make_trial(rows, min_group=20, **tables):
    """Return the trial of members, with their times and any other tables."""
    return trial(cells_of(rows, times=times_of(rows), **tables), min_group=min_group)
