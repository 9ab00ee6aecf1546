"""What a belief does to the answer of one trial over many worlds, and what pooling of strata gains.

`calibrate` returns one row per claim: worlds, what is expected, what was found, and whether the goal was met
(None where a number is only shown).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from rates import rate_row

from sojourn.core.cells import Cells
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, deviations
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.prior_check import prior_check
from sojourn.studies.trials.prior_checks import check_prior
from sojourn.studies.trials.trial import trial

MASS = 0.95


def calibrate() -> list[dict[str, Any]]:
    """Return every row."""
    return [*beliefs(60, seed=5), *strata(200, seed=7)]


def strata(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the same for eight strata of one trial, under the model of schemes by strata."""
    rows, weights = [], np.full(8, 1 / 8)
    prior = ModelPrior(0.0, 50.0, 0.0, 2.0, 1.0)
    for i, ratio in enumerate((2.0, 1.0, 0.25)):
        rng, sums = np.random.default_rng([seed, i]), np.zeros(2)
        variance = np.full((2, 8), ratio**2 / 2)
        for _ in range(worlds):
            lift = 2 * rng.standard_normal() + rng.standard_normal(7) @ deviations(weights).T
            mean = np.stack([0 * lift, lift]) + np.sqrt(variance) * rng.standard_normal((2, 8))
            found = fit(CellData.value(mean, variance, weights), prior).moments()[0].reshape(2, 8)
            sums += [((of[1] - of[0] - lift) ** 2).mean() for of in (mean, found)]
        error, bound = math.sqrt(sums[1] / sums[0]), {2.0: 0.55, 0.25: 1.02}.get(ratio)
        rows.append(
            {
                "estimand": f"error of pooled over raw lifts: 8 strata, errors {ratio:g} x spread",
                "worlds": worlds,
                "n": 8,
                "goal": f"at most {bound}" if bound else "shown",
                "found": round(error, 4),
                "met": error <= bound if bound else None,
            }
        )
    return rows


def beliefs(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often an answer is said to hang on its belief, when that is right and when it is not."""
    rows = []
    for j, (name, away) in enumerate(
        (("a right belief", 0.0), ("the truth four of its standard deviations away", 4.0))
    ):
        rng = np.random.default_rng([seed, j])
        hits = conflicts = sensitive = 0
        belief = LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)
        for _ in range(worlds):
            middle = belief.mean + away * belief.sd * rng.choice([-1, 1])
            lift = middle + (belief.sd * rng.standard_normal() if not away else 0.0)
            of = trial(_trial_cells(rng, float(np.clip(lift, -0.25, 0.6)), 1500), min_group=20)
            result = compare_schemes(of, "kept", prior=belief, mass=MASS, rng=rng, draws=1000)
            made = prior_check(result, of, rng=rng)
            hits += check_prior(made)[0].verdict == "warn"
            conflicts += made.p_conflict < 0.01
            sensitive += bool((made.table["belief_sensitivity"] > 0.05).any())
        row = rate_row(
            f"the answer hangs on the belief: {name}", worlds, hits, 0.8 if away else 0.1, catch=away > 0
        )
        rows.append(
            {
                **row,
                "conflict_rate": round(conflicts / worlds, 4),
                "sensitive_rate": round(sensitive / worlds, 4),
            }
        )
    return rows


def _trial_cells(rng: np.random.Generator, lift: float, members: int) -> Cells:
    rows = [
        ("kept", s, "all", "2025-01", members, rng.binomial(members, 0.3 + x))
        for s, x in (("none", 0.0), ("new", lift))
    ]
    split = [(s, "2025-01", members, members) for s in ("none", "new")]
    tables = {
        "binary": pd.DataFrame(rows, columns=["outcome", "scheme", "stratum", "period", "n", "k"]),
        "split": pd.DataFrame(split, columns=["scheme", "period", "assigned", "matured"]),
    }
    return Cells("calibration", "trials", tables, {"trial": "calibration", "horizon_days": 90})
