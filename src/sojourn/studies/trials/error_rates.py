"""How often a rule ships what is not worth it, by simulating whole trials with their looks.

Trials are simulated as sufficient statistics and judged by the normal formulas of
`sojourn.estimators.bayes.closed_form`, which agree with the decision of `compare_schemes` in at least 99 % of
worlds (a test). Vetoes are left out: they can only make a wrong ship rarer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logit, ndtr

from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import ErrorRateCard, Trial
from sojourn.estimators.bayes.closed_form import p_best, shared_control
from sojourn.estimators.bayes.model import Floats, ModelPrior
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.compare import prior_on_model

Ints = NDArray[np.int64]
#: Numbers of looks that every card shows beside the plan's own.
_LOOKS = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a simulated trial is like.

    Attributes
    ----------
    kind : str
        ``binary`` or ``value``.
    n : array (schemes,)
        Members at the last look, control first.
    base : float
        Control's true share or mean.
    sd : array (schemes,)
        Standard deviation of one member's value; unused for binary outcomes.
    """

    kind: str
    n: Ints
    base: float
    sd: Floats


def error_rates(
    plan: TrialPlan, trial: Trial, *, rng: np.random.Generator, worlds: int = 4000
) -> ErrorRateCard:
    """Simulate the plan's rule in trials like this one: its schemes, members, base and spread.

    Parameters
    ----------
    plan : TrialPlan
        The rule: its metric, prior, rope, threshold and number of looks.
    trial : Trial
        Gives the numbers of members, the control's outcome and its spread.
    rng : Generator
        Source of the simulated trials.
    worlds : int
        Simulated trials per row.

    Returns
    -------
    ErrorRateCard
        For 1, 2, 5, 10, 20 and the planned number of equally spaced looks; the first scheme that passes ships
        (of several, the one of the largest estimate).
    """
    in_range(worlds, "worlds", ge=100)
    arms = make_arms(trial, plan.metric)
    prior = prior_on_model(arms, plan.prior(trial.kind(plan.metric)))
    mean, variance = arms.standardised()
    n = arms.n.sum(axis=1)
    setting = Setting(arms.kind, n.astype(np.int64), float(mean[0]), np.sqrt(variance * n))
    rows = [
        _row(plan, setting, prior, looks=looks, worlds=worlds, rng=rng)
        for looks in sorted({*_LOOKS, plan.looks})
    ]
    return ErrorRateCard(
        table=pd.DataFrame(rows),
        worlds=worlds,
        metric=plan.metric,
        schemes=len(trial.schemes) - 1,
        n=int(n.sum()),
        planned_looks=plan.looks,
        worthwhile=plan.worthwhile,
    )


def _row(
    plan: TrialPlan, setting: Setting, prior: ModelPrior, *, looks: int, worlds: int, rng: np.random.Generator
) -> dict[str, float]:
    def passing(means: Floats, variances: Floats) -> Floats:
        return worth_probability(means, variances, setting.kind, prior, plan.rope) - plan.threshold

    null = np.zeros(setting.n.size)
    good = np.where(np.arange(setting.n.size) == 1, plan.worthwhile, 0.0)
    wrong = shipped(setting, null, passing, looks=looks, worlds=worlds, rng=rng) > 0
    found = shipped(setting, good, passing, looks=looks, worlds=worlds, rng=rng) == 1
    return {"looks": looks, **_rate("wrong_rate", wrong), **_rate("found_rate", found)}


def _rate(name: str, happened: NDArray[np.bool_]) -> dict[str, float]:
    """Return a simulated rate with its exact 95 % interval (Clopper and Pearson 1934)."""
    k, n = int(happened.sum()), happened.size
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {name: k / n, f"{name}_low": low, f"{name}_high": high}


def worth_probability(means: Floats, variances: Floats, kind: str, prior: ModelPrior, rope: float) -> Floats:
    """Return the posterior probability that each scheme's lift exceeds `rope` (..., schemes - 1).

    Parameters
    ----------
    means, variances : array (..., schemes)
        Observed shares or means, and their sampling variances, control first.
    kind : str
        ``binary`` is judged on log-odds (variance by the delta method), the rope mapped at control's share.
    prior : ModelPrior
        Prior of the lift on the scale of the model.
    rope : float
        On the scale of the outcome.
    """
    bound: Floats | float = rope
    if kind == "binary":
        slope = means * (1 - means)
        bound = logit(np.clip(means[..., :1] + rope, 1e-9, 1 - 1e-9)) - logit(means[..., :1])
        means, variances = logit(means), variances / slope**2
    mean, sd = shared_control(means, variances, lift_mean=prior.lift_mean, lift_sd=prior.lift_sd)
    chance: Floats = ndtr((mean - bound) / sd)
    return chance


def shipped(
    setting: Setting,
    effects: Floats,
    passing: Callable[[Floats, Floats], Floats],
    *,
    looks: int,
    worlds: int,
    rng: np.random.Generator,
) -> Ints:
    """Return which scheme each simulated trial ships: the first to pass at any look, 0 for none.

    Parameters
    ----------
    setting : Setting
        What the trials are like.
    effects : array (schemes,)
        True lifts on the scale of the outcome; 0 for control.
    passing : function of (means, variances)
        Above 0 where a scheme (all but control) passes; arrays are (worlds, schemes).
    looks, worlds : int
        Equally spaced looks, simulated trials.
    rng : Generator
        Source of the trials.
    """
    result = np.zeros(worlds, dtype=np.int64)
    total: Floats = np.zeros((worlds, setting.n.size))
    before = np.zeros_like(setting.n)
    for look in range(1, looks + 1):
        n = setting.n * look // looks
        total += _increment(setting, effects, n - before, worlds, rng)
        means, variances = _estimates(setting, total, n)
        margin = passing(means, variances)
        first = np.where(margin > 0, means[:, 1:], -np.inf).argmax(axis=1) + 1
        result = np.where((result == 0) & (margin > 0).any(axis=1), first, result)
        before = n
    return result


def _increment(setting: Setting, effects: Floats, n: Ints, worlds: int, rng: np.random.Generator) -> Floats:
    """Return what members between two looks add: successes, or a sum of values."""
    truth = setting.base + effects
    if setting.kind == "binary":
        return rng.binomial(n, truth, size=(worlds, n.size)).astype(float)
    added: Floats = n * truth + np.sqrt(n) * setting.sd * rng.standard_normal((worlds, n.size))
    return added


def _estimates(setting: Setting, total: Floats, n: Ints) -> tuple[Floats, Floats]:
    if setting.kind == "value":
        return total / n, np.broadcast_to(setting.sd**2 / n, total.shape)
    share = (total + 0.5) / (n + 1)
    return share, share * (1 - share) / n


def named_rule_rate(
    rule: Literal["R1", "R2"],
    *,
    arms: int,
    looks: int,
    n: int,
    base: float,
    worlds: int,
    rng: np.random.Generator,
    threshold: float = 0.95,
) -> float:
    """Return how often a rule of common use ships something when no scheme does anything.

    Parameters
    ----------
    rule : str
        ``R1``: the first scheme whose probability to beat control exceeds the threshold at any look;
        ``R2``: whose joint probability to be best of all arms does. Both with Beta(1, 1) priors.
    arms, looks, n : int
        Arms with control, equally spaced looks, members per arm at the last one.
    base : float
        True share in every arm.
    worlds : int
        Simulated trials.
    rng : Generator
        Source of the trials.
    threshold : float
        Of the rule.
    """
    setting = Setting("binary", np.full(arms, n), base, np.zeros(arms))
    judge = {"R1": _beats_control, "R2": _is_best}[one_of(rule, "rule", ("R1", "R2"))]

    def passing(means: Floats, variances: Floats) -> Floats:
        return judge(means, np.sqrt(variances)) - threshold

    won = shipped(setting, np.zeros(arms), passing, looks=looks, worlds=worlds, rng=rng)
    return float((won > 0).mean())


def _beats_control(means: Floats, sds: Floats) -> Floats:
    chance: Floats = ndtr((means[:, 1:] - means[:, :1]) / np.hypot(sds[:, 1:], sds[:, :1]))
    return chance


def _is_best(means: Floats, sds: Floats) -> Floats:
    return p_best(means, sds)[:, 1:]
