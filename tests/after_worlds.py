"""Trials with weeks after assignment, neighbours and features: cells by hand, of rows, and of a world."""

from datetime import timedelta

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.studies.trials.trial import trial

AS_OF = pd.Timestamp("2025-07-01", tz="UTC")
SCHEMES = ("none", "offer")
DAY = timedelta(days=1)
PLAN = TrialPlan.from_parameters(
    [-0.1, 0.1, 0.9], [-4, 4, 0.9], spread=0.5, metric="net_value", guard="kept_at_90", horizon_days=90,
    rope=0.5, threshold=0.95, tolerable_loss=0.5, guard_margin=0.01, guard_risk=0.05, looks=1,
    worthwhile=2.0, wash_out_days=28,
)  # fmt: skip


def make_trial(schemes=SCHEMES, *, meta=None, min_group=10, **tables):
    """Return a trial of two thousand members a scheme, with other tables beside."""
    split = pd.DataFrame({"scheme": schemes, "period": "all", "assigned": 2_000, "matured": 2_000})
    binary = pd.DataFrame(
        {
            "outcome": "kept_at_90",
            "scheme": schemes,
            "stratum": "all",
            "period": "all",
            "n": 2_000,
            "k": 1_400,
        }
    )
    about = {"trial": "main", "horizon_days": 90, "guarded": "kept_at_90", "currency": "EUR", **(meta or {})}
    return trial(
        Cells("test", "trials", {"split": split, "binary": binary, **tables}, about), min_group=min_group
    )


def weeks(at_risk, left, *, active=None, paid=None, paid_sq=None, schemes=SCHEMES):
    """Return the table ``after``, from arrays by scheme and week."""
    at_risk = np.asarray(at_risk)
    of = {"left": left, "active": active, "paid": paid, "paid_sq": paid_sq}
    grids = {name: np.zeros(at_risk.shape) if g is None else np.asarray(g) for name, g in of.items()}
    index = pd.MultiIndex.from_product([schemes, range(at_risk.shape[1])], names=["scheme", "week"])
    columns = {"at_risk": at_risk.ravel(), **{name: grid.ravel() for name, grid in grids.items()}}
    return index.to_frame(index=False).assign(paid_n=0, **columns)


def weeks_of(rows, longest=13, payments=None):
    """Return the table ``after`` of members (scheme, life in days), all followed to the end."""
    week = np.arange(longest)
    last = (rows["life"].to_numpy() // 7)[:, None]
    there, gone = last >= week, last == week
    paid = np.zeros(there.shape) if payments is None else payments * there
    parts = []
    for scheme in sorted(set(rows["scheme"])):
        own = (rows["scheme"] == scheme).to_numpy()
        sums = {
            "at_risk": there[own].sum(axis=0), "left": gone[own].sum(axis=0), "active": 0, "paid_n": 0,
            "paid": paid[own].sum(axis=0), "paid_sq": (paid[own] ** 2).sum(axis=0),
        }  # fmt: skip
        parts.append(pd.DataFrame({"scheme": scheme, "week": week, **sums}))
    return pd.concat(parts, ignore_index=True)


def revenue_of(rows, amount, outcome="revenue"):
    """Return the table ``value`` of one outcome."""
    made = rows[["scheme"]].assign(n=1, total=amount, total_sq=amount**2, total_cube=amount**3)
    sums = made.groupby("scheme", as_index=False).sum()
    return sums.assign(outcome=outcome, stratum="all", period="all")


def members_of(world, trial_name="main"):
    """Return one row per member of a world's trial: what was assigned, when, and days until leaving."""
    assigned = world.tables["assignments"].query("trial == @trial_name")
    rows = assigned.merge(world.tables["members"], on="member_id")
    rows["life"] = ((rows["churned_at"] - rows["assigned_at"]) / DAY).fillna(1e6)
    rows["follow_up"] = (AS_OF - rows["assigned_at"]) / DAY
    return rows[(rows["life"] >= 0) & (rows["follow_up"] >= 91)].reset_index(drop=True)
