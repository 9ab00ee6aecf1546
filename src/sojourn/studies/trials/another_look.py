"""What waiting for the next look is worth: the gain of a better choice against what it costs to learn."""

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

    Notes
    -----
    Preposterior analysis of Raiffa and Schlaifer (1961): the posterior mean after the next look is normal
    around that of now with covariance ``S (S + V)^-1 S``; S is the posterior's covariance of all lifts, V the
    sampling covariance of the next look's. Opposite pairs make a gain below 0 impossible, as it is in truth.
    """
    in_range(joining, "joining", ge=len(result.schemes))
    in_range(audience, "audience", ge=joining)
    in_range(cost, "cost", ge=0)
    lifts = result.draws[:, 1:] - result.draws[:, :1]
    mean, spread = lifts.mean(axis=0), np.atleast_2d(np.cov(lifts, rowvar=False))
    arms = make_arms(trial, result.outcome)
    one = arms.standardised()[1] * arms.n.sum(axis=1)
    shares = np.array([trial.allocation[scheme] for scheme in trial.schemes])
    half = rng.standard_normal((draws // 2, mean.size))
    unit = np.concatenate([half, -half])
    rows = [
        _next(plan, mean, spread, one=one, members=shares * round(size * joining), unit=unit)
        for size in _SIZES
        if size * joining <= audience
    ]
    table = pd.DataFrame(rows)
    best = max(0.0, float(mean.max()))
    passing = np.where([result.p_above(s, plan.rope) > plan.threshold for s in result.schemes[1:]], mean, 0.0)
    by_rule = float(passing.max()) if passing.any() else 0.0
    given_up = best - float(shares[1:] @ mean)
    table["gain"] = (audience - table["members"]) * table["gain_per_member"]
    table["price"] = table["members"] * given_up + cost
    table["net_gain"] = table["gain"] - table["price"]
    trialled = table["members"] * float(shares[1:] @ mean)
    later = (audience - table["members"]) * table.pop("rule_value")
    table["rule_net_gain"] = later + trialled - audience * by_rule - cost
    return AnotherLook(
        table=table,
        joining=joining,
        audience=audience,
        now=result.control if best == 0 else result.schemes[1 + int(mean.argmax())],
        worth_now=best,
        by_rule=result.schemes[1 + int(passing.argmax())] if by_rule else result.control,
        worth_by_rule=by_rule,
        outcome=result.outcome,
        words=result.words,
        kind=result.kind,
        currency=result.currency,
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
