"""What the intervals and the checks of the trials study do over many simulated trials.

`calibrate` returns one row per claim: worlds, what is expected, what was found, and whether the goal was met
(None where a number is only shown, as in worlds of fixed truth: STATISTICS 1).
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.model import deviations, expit
from sojourn.studies.trials.arms import Arms
from sojourn.studies.trials.checks import check_trial
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.conflict import conflict_p
from sojourn.studies.trials.pairs import draw_pairs, joined, prior_on_model
from sojourn.studies.trials.rule_posterior import marginal_prior, worth_probability
from sojourn.studies.trials.split import WARN
from sojourn.studies.trials.trial import trial

BELIEFS = {
    "binary": LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9),
    "value": LiftPrior.from_belief(low=-4, high=4, mass=0.9),
}
BASE, SD = {"binary": 0.3, "value": 12.0}, 20.0
SCHEMES, STRATA, MASS = 4, 3, 0.95
N = np.array([1500.0, 900.0, 300.0])


def calibrate() -> list[dict[str, Any]]:
    """Return every row; takes some minutes."""
    return [
        *coverage(2000, seed=1),
        *conflicts(10_000, seed=4),
        *checks(400, seed=3),
        *rare(1500, seed=5),
    ]


def coverage(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often intervals hold the truth: worlds from the prior (a goal), and three of fixed truth."""
    rows = []
    for i, kind in enumerate(("binary", "value")):
        for j, world in enumerate(("prior", "null", "edge", "outlier")):
            rng = np.random.default_rng([seed, i, j])
            rows.append(_coverage_row(kind, world, worlds if world == "prior" else worlds // 4, rng))
    return rows


def _coverage_row(kind: str, world: str, worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    below = above = agreed = 0
    width = 0.0
    for _ in range(worlds):
        arms, truth = _simulate(kind, world, rng)
        prior = prior_on_model(arms, BELIEFS[kind])
        drawn = joined(draw_pairs(arms, prior, 2000, rng=rng), arms.weights, rng=rng) @ arms.weights
        lift = drawn[:, 1:] - drawn[:, :1]
        low, high = np.quantile(lift, [(1 - MASS) / 2, (1 + MASS) / 2], axis=0)
        below, above = below + int((truth < low).sum()), above + int((truth > high).sum())
        width += float((high - low).mean()) / worlds
        chance = worth_probability(
            *(x[None] for x in arms.standardised()), kind, marginal_prior(arms, prior), 0.0
        )[0]
        agreed += int(((chance > 0.95) == ((lift > 0).mean(axis=0) > 0.95)).sum())
    lifts = worlds * (SCHEMES - 1)
    found = 1 - (below + above) / lifts
    goal, within = {"prior": ("94 to 96 %", 0.01), "outlier": ("93 to 97 %", 0.02)}.get(
        world, ("shown", None)
    )
    return {
        "estimand": f"lift of a scheme, {kind}, truth: {world}",
        "worlds": worlds,
        "n": int(N.sum() * SCHEMES),
        "nominal": MASS,
        "goal": goal,
        "found": round(found, 4),
        "missed_below": round(below / lifts, 4),
        "missed_above": round(above / lifts, 4),
        "mean_width": round(width, 5),
        "undefined": 0.0,
        "normal_form_agrees": round(agreed / lifts, 4),
        "met": None if within is None else abs(found - 0.95) <= within,
    }


def _simulate(kind: str, world: str, rng: np.random.Generator) -> tuple[Arms, np.ndarray]:
    """Return arms of one trial and the true standardised lifts."""
    belief = BELIEFS[kind]
    mean, sd = belief.on_logit(BASE[kind]) if kind == "binary" else (belief.mean, belief.sd)
    centre = math.log(BASE[kind] / (1 - BASE[kind])) if kind == "binary" else BASE[kind]
    base = centre + 0.3 * rng.standard_normal(STRATA)
    lift, away = mean + sd * rng.standard_normal(SCHEMES - 1), np.zeros((SCHEMES - 1, STRATA))
    if world == "prior":
        tau = abs(belief.spread * sd * rng.standard_normal())
        away = tau * rng.standard_normal((SCHEMES - 1, STRATA - 1)) @ deviations(N / N.sum()).T
    elif world == "null":
        lift = np.zeros(SCHEMES - 1)
    elif world == "edge":
        lift = np.full(SCHEMES - 1, mean + belief.sds * sd)
    else:
        away[:, -1] = 2.5 * sd
    eta = base + np.vstack([np.zeros(STRATA), lift[:, None] + away])
    n = np.tile(N, (SCHEMES, 1))
    true = expit(eta) if kind == "binary" else eta
    weights = N / N.sum()
    truth = (true[1:] - true[0]) @ weights
    if kind == "binary":
        p = rng.binomial(n.astype(int), true) / n
        return Arms(kind, n, p, p * (1 - p), 0 * p), truth
    seen = true + SD / np.sqrt(n) * rng.standard_normal(n.shape)
    variance = SD**2 * rng.chisquare(n - 1) / (n - 1)
    return Arms(kind, n, seen, variance, 0 * seen), truth


def conflicts(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often belief and data are said to disagree while the truth is drawn from the belief."""
    rows = []
    for i, kind in enumerate(("binary", "value")):
        rng = np.random.default_rng([seed, i])
        drawn = (conflict_p(_simulate(kind, "prior", rng)[0], BELIEFS[kind]) for _ in range(worlds))
        rate = sum(p < WARN for p in drawn) / worlds
        limit = WARN + 3 * math.sqrt(WARN * (1 - WARN) / worlds)
        row = {"estimand": f"false alarms: belief and data, {kind}, truth from the belief", "worlds": worlds}
        rows.append({**row, "goal": f"at most {limit:.4f}", "found": round(rate, 4), "met": rate <= limit})
    return rows


#: Planted faults by the first word of the check that has to find them.
FAULTS = {"Same effect": "fades", "Belief and data": "outlier", "Same division": "drift"}


def checks(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often each check alarms on sound trials, and finds the fault planted for it."""
    rng = np.random.default_rng(seed)
    sound = _alarms("", worlds, rng)
    rows = []
    limit = WARN + 3 * math.sqrt(WARN * (1 - WARN) / worlds)
    for name, alarms in sorted(sound.items()):
        row = {"estimand": f"false alarms: {name}", "worlds": worlds, "goal": f"at most {limit:.3f}"}
        rows.append({**row, "found": round(alarms / worlds, 4), "met": alarms / worlds <= limit})
    for name, fault in FAULTS.items():
        found = next(v for k, v in _alarms(fault, worlds // 4, rng).items() if k.startswith(name))
        caught = found / (worlds // 4)
        row = {
            "estimand": f"{name}: finds a planted fault ({fault})",
            "worlds": worlds // 4,
            "goal": "at least 0.8",
        }
        rows.append({**row, "found": round(caught, 4), "met": caught >= 0.8})
    return rows


def _alarms(fault: str, worlds: int, rng: np.random.Generator) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _ in range(worlds):
        of = trial(_cells(fault, rng), min_group=20)
        result = compare_schemes(of, "kept", prior=BELIEFS["binary"], mass=MASS, rng=rng, draws=2000)
        for check in check_trial(of, [result], []):
            alarmed = check.verdict in ("warn", "fail")
            counts[check.name.split(" (")[0]] = counts.get(check.name.split(" (")[0], 0) + alarmed
    return counts


def _cells(fault: str, rng: np.random.Generator) -> Cells:
    """Return cells of six months with about 400 members a scheme and month, perhaps with a fault."""
    rows, split = [], []
    lift, tau = BELIEFS["binary"].mean + BELIEFS["binary"].sd * rng.standard_normal(), 0.01
    away = tau * rng.standard_normal(2)
    for month in range(6):
        for scheme in ("none", "coupon"):
            size = 400 * (1.5 if fault == "drift" and month < 3 and scheme == "none" else 1)
            n = rng.poisson(size / 2, 2)
            split.append((scheme, f"2025-{month + 1:02d}", int(n.sum()), int(n.sum())))
            for j in range(2):
                effect = lift + away[j] if scheme == "coupon" else 0.0
                effect += 0.15 * (fault == "fades" and month < 3 and scheme == "coupon")
                effect += 0.25 * (fault == "outlier" and j == 1 and scheme == "coupon")
                k = rng.binomial(n[j], 0.3 + effect)
                rows.append(("kept", scheme, str(j), f"2025-{month + 1:02d}", n[j], k))
    tables = {
        "binary": pd.DataFrame(rows, columns=["outcome", "scheme", "stratum", "period", "n", "k"]),
        "split": pd.DataFrame(split, columns=["scheme", "period", "assigned", "matured"]),
    }
    return Cells("calibration", "trials", tables, {"trial": "main", "horizon_days": 30, "allocation": {}})


#: Expected members of the smaller scheme of whom a rare outcome is true; from 5 on intervals have to hold.
RARE = (3, 4, 5, 10, 20)


def rare(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often intervals hold no effect, and half as many again, where an outcome is rare.

    The other scheme has four times the members; the belief is wide (nine in ten effects change odds by less
    than a factor of 5), so that it hardly helps.
    """
    rows = []
    for place, (expected, small, times) in enumerate(product(RARE, ("control", "the scheme"), (1.0, 1.5))):
        rng = np.random.default_rng([seed, place])
        rows.append(_rare_row(expected, small, times, worlds, rng))
    return rows


def _rare_row(
    expected: int, small: str, times: float, worlds: int, rng: np.random.Generator
) -> dict[str, Any]:
    n = np.array([[2000.0], [8000.0]] if small == "control" else [[8000.0], [2000.0]])
    true = expected / 2000 * np.array([[1.0], [times]])
    below = above = undefined = 0
    for _ in range(worlds):
        p = rng.binomial(n.astype(int), true) / n
        if not p[0, 0]:  # a belief in odds has no place where control has none
            undefined += 1
            continue
        arms = Arms("binary", n, p, p * (1 - p), 0 * p)
        prior = prior_on_model(arms, _of_odds(float(p[0, 0])))
        drawn = joined(draw_pairs(arms, prior, 2000, rng=rng), arms.weights, rng=rng) @ arms.weights
        low, high = np.quantile(drawn[:, 1] - drawn[:, 0], [(1 - MASS) / 2, (1 + MASS) / 2])
        below, above = below + int(true[1, 0] - true[0, 0] < low), above + int(true[1, 0] - true[0, 0] > high)
    found = 1 - (below + above + undefined) / worlds
    judged = expected >= 5
    return {
        "estimand": f"lift of a rare outcome: {expected} expected under {small}, {times:g} times as many",
        "worlds": worlds,
        "n": int(n.sum()),
        "nominal": MASS,
        "goal": "93 to 97 %, or more where there is no effect" if judged else "shown",
        "found": round(found, 4),
        "missed_below": round(below / worlds, 4),
        "missed_above": round(above / worlds, 4),
        "undefined": round(undefined / worlds, 4),
        "met": found >= 0.93 and undefined / worlds <= 0.01 if judged else None,
    }


def _of_odds(base: float) -> LiftPrior:
    low, high = (base * odds / (1 - base + base * odds) - base for odds in (1 / 5, 5))
    return LiftPrior.from_belief(low=low, high=high, mass=0.9)
