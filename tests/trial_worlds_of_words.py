"""Results about beliefs, written by hand: shared by tests of their words and pictures."""

import numpy as np
import pandas as pd

import sojourn as sj
from sojourn.core.results.trial_prior import PastLifts, PriorCheck


def made_past(**other):
    """Return a law of 60 past trials, in shares."""
    law = {"log_evidence": -50.0, "centre": 0.004, "centre_low": -0.001, "centre_high": 0.009}
    law |= {"spread": 0.02, "spread_low": 0.015, "spread_high": 0.027}
    none = dict.fromkeys(("freedom", "freedom_low", "freedom_high"), np.nan)
    heavy = {"freedom": 4.0, "freedom_low": 3.0, "freedom_high": 6.0}
    table = pd.DataFrame([
        {"tails": "normal", **law, **none},
        {"tails": "heavier than normal", **law, "log_evidence": -52.0, **heavy},
    ])  # fmt: skip
    held = pd.DataFrame({"tails": ["normal", "heavier than normal"], "effects": 30, "log_score": [1.5, 1.4]})
    held = held.assign(mass=0.95, coverage=[0.9, 0.933], coverage_low=0.73, coverage_high=0.98)
    quantiles = pd.DataFrame(
        {"probability": [0.001, 0.025, 0.5, 0.975, 0.999], "lift": [-0.06, -0.04, 0.004, 0.05, 0.07]}
    )
    bins = pd.DataFrame(
        {"lift_from": [-0.06, -0.02, 0.02], "lift_to": [-0.02, 0.02, 0.06], "seen": [10, 38, 12]}
    )
    bins = bins.assign(expected=[12.0, 34.0, 13.0], true=[9.0, 40.0, 11.0])
    made = {"trials": 60, "effects": 60, "unit": "share", "mass": 0.95, "table": table, "held": held}
    return PastLifts(**{**made, "quantiles": quantiles, "bins": bins, **other})


def made_check(**other):
    """Return a belief examined on two schemes: one as expected, one far outside."""
    rows = {"scheme": ["coupon", "gift"], "belief_low": -0.04, "belief_high": 0.06, "expected_low": -0.05}
    rows |= {"expected_high": 0.07, "seen": [0.011, 0.09], "p_seen": [0.94, 0.004], "outcome": [0.31, 0.39]}
    rows |= {"outcome_low": 0.25, "outcome_high": 0.37, "belief_sensitivity": [0.03, 0.16]}
    rows |= {"data_sensitivity": [0.05, 0.18], "pareto_k": 0.2}
    for name, lifts in (("", (0.010, 0.06)), ("halved_", (0.0105, 0.07)), ("doubled_", (0.009, 0.045))):
        rows |= {f"{name}lift": lifts, f"{name}lift_low": [x - 0.03 for x in lifts]}
        rows |= {f"{name}lift_high": [x + 0.03 for x in lifts], f"p_{name}worth": [0.75, 0.99]}
    rows |= {"reading": ["the data decide", "belief and data disagree"]}
    belief = sj.LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)
    made = {
        "outcome": "kept_at_90",
        "kind": "binary",
        "words": "are still with us",
        "currency": "",
        "control": "none",
    }
    made |= {"mass": 0.95, "prior": belief, "table": pd.DataFrame(rows), "p_conflict": 0.008}
    return PriorCheck(**{**made, "rope": 0.0, "threshold": 0.95, **other})
