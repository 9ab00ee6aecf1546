"""What waiting for the next look is worth: the gain of a better choice against what it costs to learn.

Preposterior analysis of Raiffa and Schlaifer (1961): the posterior mean after the next look is normal around
that of now with covariance ``S (S + V)^-1 S``; S is the posterior's covariance of all lifts, V the sampling
covariance of the next look's. Looks are simulated in opposite pairs, so that a gain below 0 is impossible, as
it is in truth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trial_rule import AnotherLook
from sojourn.core.results.trials import Trial, TrialResult
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import make_arms

#: Sizes of the next look, as multiples of the one asked about.
_SIZES = (0.5, 1.0, 2.0, 4.0)


def another_look(
    trial: Trial,
    result: TrialResult,
    plan: TrialPlan,
    *,
    joining: int,
    audience: float,
    rng: np.random.Generator,
    cost: float = 0.0,
    draws: int = 20_000,
) -> AnotherLook:
    """Weigh choosing now against choosing after the next look.

    Parameters
    ----------
    trial, result : Trial, TrialResult
        The trial, and the posterior of the plan's metric so far.
    plan : TrialPlan
        Its rule says how likely the next look is to ship something.
    joining : int
        Members of all schemes that the next look would add, divided as planned.
    audience : float
        Members that the choice is for, those of the next look among them.
    rng : Generator
        Source of simulated next looks.
    cost : float
        Of another look itself, in the unit of the metric times members (currency for values).
    draws : int
        Simulated next looks, in opposite pairs.

    Returns
    -------
    AnotherLook
        Choosing means the scheme of the largest expected lift, or control. Waiting gains what a later choice
        is better by, for the audience left then; it costs what the members of the next look would have gained
        by the choice of now, and `cost`.
    """
    in_range(joining, "joining", ge=len(result.schemes))
    in_range(audience, "audience", ge=joining)
    in_range(cost, "cost", ge=0)
    lifts = result.draws[:, 1:] - result.draws[:, :1]
    mean, spread = lifts.mean(axis=0), np.atleast_2d(np.cov(lifts, rowvar=False))
    arms = make_arms(trial, result.outcome)
    one = arms.standardised()[1] * arms.n.sum(axis=1)
    shares = np.array([trial.allocation[scheme] for scheme in trial.schemes])
    unit = _opposite(draws // 2, mean.size, rng)
    sizes = [round(size * joining) for size in _SIZES if size * joining <= audience]
    rows = [_next(plan, mean, spread, one=one, members=shares * size, unit=unit) for size in sizes]
    passes = [result.p_above(scheme, plan.rope) > plan.threshold for scheme in result.schemes[1:]]
    best, by_rule = np.r_[0.0, mean], np.r_[0.0, np.where(passes, mean, 0.0)]
    worth = {"best": float(best.max()), "by_rule": float(by_rule.max())}
    table = _weighed(
        pd.DataFrame(rows), audience=audience, cost=cost, trialled=float(shares[1:] @ mean), **worth
    )
    return AnotherLook(
        table=table,
        joining=joining,
        audience=audience,
        now=result.schemes[int(best.argmax())],
        worth_now=worth["best"],
        by_rule=result.schemes[int(by_rule.argmax())],
        worth_by_rule=worth["by_rule"],
        outcome=result.outcome,
        words=result.words,
        kind=result.kind,
        currency=result.currency,
    )


def _opposite(pairs: int, size: int, rng: np.random.Generator) -> Floats:
    """Return standard normals and their opposites (2 pairs, size)."""
    half = rng.standard_normal((pairs, size))
    return np.concatenate([half, -half])


def _weighed(
    table: pd.DataFrame, *, audience: float, cost: float, trialled: float, best: float, by_rule: float
) -> pd.DataFrame:
    """Return next looks with what they gain and cost the audience, by the best guess and by the rule.

    Members of the look have the mean lift of the trial's division (`trialled`) instead of the choice of now.
    """
    members, left = table["members"], audience - table["members"]
    later = left * table.pop("rule_value")
    gain, price = left * table["gain_per_member"], members * (best - trialled) + cost
    return table.assign(
        gain=gain,
        price=price,
        net_gain=gain - price,
        rule_net_gain=later + members * trialled - audience * by_rule - cost,
    )


def _next(
    plan: TrialPlan, mean: Floats, spread: Floats, *, one: Floats, members: Floats, unit: Floats
) -> dict[str, float]:
    """Return what a next look of so many members (schemes,) would change."""
    sampling = np.diag(one[1:] / members[1:]) + one[0] / members[0]
    learned = spread @ np.linalg.solve(spread + sampling, spread)
    after = mean + unit @ _root(learned).T
    left = np.sqrt(np.diag(spread - learned))
    passing = ndtr((after - plan.rope) / left) > plan.threshold
    value = np.maximum(after.max(axis=1), 0.0)
    choice = np.where(value > 0, after.argmax(axis=1) + 1, 0)
    now = int(mean.argmax()) + 1 if mean.max() > 0 else 0
    return {
        "members": int(members.sum().round()),
        "gain_per_member": float(value.mean()) - max(0.0, float(mean.max())),
        "p_other_choice": float((choice != now).mean()),
        "p_ship": float(passing.any(axis=1).mean()),
        "rule_value": float(np.where(passing, after, -np.inf).max(axis=1, initial=0.0).mean()),
    }


def _root(covariance: Floats) -> Floats:
    """Return a root of a covariance that may be singular up to rounding."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0))
    return root
