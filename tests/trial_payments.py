"""Trials made of payments of single members, for tests that need no engine."""

import numpy as np
import pandas as pd

import sojourn as sj
from sojourn.core.cells import Cells

BOUNDS = ["0", *(f"{10 ** (i / 10):.4f}" for i in range(-10, 51))]
EDGES = np.array([float(bound) for bound in BOUNDS])


def members(rng, n, rate, draw, *, refund=0.0, stratum="all"):
    """Members of one scheme, one by one: what they paid and what they got back."""
    paid = np.where(rng.random(n) < rate, draw(rng, n), 0.0)
    back = np.where(rng.random(n) < refund, paid, 0.0)
    return pd.DataFrame({"stratum": stratum, "paid": paid, "refunded": back})


def spend_cells(of):
    """The table `spend` of members by scheme, as the cells make it."""
    parts = []
    for scheme, rows in of.items():
        pays = rows["paid"] > 0
        log = np.log(rows["paid"].where(pays, 1.0))
        net = rows["paid"] - rows["refunded"]
        parts.append(
            pd.DataFrame({
                "scheme": scheme, "stratum": rows["stratum"], "period": "all",
                "bin": np.where(pays, np.searchsorted(EDGES, rows["paid"], side="right"), 0), "n": 1,
                "paid": rows["paid"], "paid_sq": rows["paid"] ** 2, "logs": log, "logs_sq": log**2,
                "refunded_n": (rows["refunded"] > 0).astype(int), "refunded": rows["refunded"],
                "refunded_sq": rows["refunded"] ** 2, "net": net, "net_sq": net**2,
            })
        )  # fmt: skip
    return pd.concat(parts).groupby(["scheme", "stratum", "period", "bin"], as_index=False).sum()


def make_trial(of, min_group=20, **tables):
    sizes = [
        (s, st, "all", n, n // 2)
        for s, rows in of.items()
        for st, n in rows["stratum"].value_counts().items()
    ]
    binary = pd.DataFrame(sizes, columns=["scheme", "stratum", "period", "n", "k"]).assign(outcome="kept")
    split = pd.DataFrame([(s, "all", len(r), len(r)) for s, r in of.items()],
                         columns=["scheme", "period", "assigned", "matured"])  # fmt: skip
    made = {"binary": binary, "split": split, "spend": spend_cells(of), **tables}
    made = {name: table for name, table in made.items() if table is not None}
    meta = {"trial": "main", "horizon_days": 90, "currency": "EUR", "spend_bounds": BOUNDS}
    return sj.trial(Cells("test", "trials", made, meta), min_group=min_group)
