"""How often a rule ships what is not worth it, by simulating whole trials with their looks.

Trials are simulated as sufficient statistics and judged by the normal formulas of
`sojourn.estimators.bayes.closed_form`, which agree with the decision of `compare_schemes` in at least 99 % of
worlds (a test). A wrong ship is one of a scheme whose true lift is at most 0; it is counted without vetoes,
which can only make it rarer. What the rule finds is counted with them, the guard of all
schemes being that of control.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logit, ndtr

from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import ErrorRateCard, Trial
from sojourn.estimators.bayes.closed_form import against_control, p_best
from sojourn.estimators.bayes.model import Floats, ModelPrior
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.pairs import prior_on_model

Ints = NDArray[np.int64]
#: Numbers of looks that every card shows beside the plan's own.
_LOOKS = (1, 2, 5, 10, 20)
#: Poor schemes of the simulated worlds lose so many times what would be worth having.
_HARM = 5


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
    prior : ModelPrior
        Prior of a lift, for rules that use one.
    """

    kind: str
    n: Ints
    base: float
    sd: Floats
    prior: ModelPrior = field(default_factory=lambda: ModelPrior(0, 1, 0, 1, 1))


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
    judged = _Rule.of(plan, trial)
    rows = [judged.row(looks, worlds, rng) for looks in sorted({*_LOOKS, plan.looks})]
    return ErrorRateCard(
        table=pd.DataFrame(rows),
        worlds=worlds,
        metric=plan.metric,
        schemes=len(trial.schemes) - 1,
        n=int(judged.metric.n.sum()),
        planned_looks=plan.looks,
        worthwhile=plan.worthwhile,
        harm=_HARM * plan.worthwhile,
        guarded=judged.guard is not None,
        kind=trial.kind(plan.metric),
        currency=str(trial.meta.get("currency", "")),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A plan with the settings of its metric and of its guard (none where both are one outcome)."""

    plan: TrialPlan
    metric: Setting
    guard: Setting | None

    @classmethod
    def of(cls, plan: TrialPlan, trial: Trial) -> _Rule:
        metric = _setting(trial, plan, plan.metric)
        return cls(plan, metric, None if plan.guard == plan.metric else _setting(trial, plan, plan.guard))

    def row(self, looks: int, worlds: int, rng: np.random.Generator) -> dict[str, float | str]:
        """Return error rates of all null worlds, the worst, and power with and without vetoes."""
        wrong = {}
        for name, effects in _null_worlds(self.plan, self.metric).items():
            won = shipped(self.metric, effects, self._worth, looks=looks, worlds=worlds, rng=rng)
            wrong[name] = (won > 0) & (effects[won] <= 0)
        worst = max(wrong, key=lambda name: int(wrong[name].sum()))
        good = np.where(np.arange(self.metric.n.size) == 1, self.plan.worthwhile, 0.0)
        found, unvetoed = (
            shipped(self.metric, good, passing, looks=looks, worlds=worlds, rng=rng, veto=veto) == 1
            for passing, veto in ((self._worth_and_safe, self._veto()), (self._worth, None))
        )
        rates = {f"{name}_rate": float(happened.mean()) for name, happened in wrong.items()}
        return {
            "looks": looks,
            **_rate("wrong_rate", wrong[worst]),
            "worst": worst,
            **rates,
            **_rate("found_rate", found),
            "unvetoed_rate": float(unvetoed.mean()),
        }

    def _worth(self, means: Floats, variances: Floats) -> Floats:
        lift = lift_posterior(means, variances, self.metric.kind, self.metric.prior)
        return lift.p_above(self.plan.rope) - self.plan.threshold

    def _worth_and_safe(self, means: Floats, variances: Floats) -> Floats:
        lift = lift_posterior(means, variances, self.metric.kind, self.metric.prior)
        worth = lift.p_above(self.plan.rope) - self.plan.threshold
        return np.minimum(worth, self.plan.tolerable_loss - lift.expected_loss())

    def _veto(self) -> tuple[Setting, Callable[[Floats, Floats], Floats]] | None:
        guard = self.guard
        if guard is None:
            return None

        def passing(means: Floats, variances: Floats) -> Floats:
            lift = lift_posterior(means, variances, guard.kind, guard.prior)
            return self.plan.guard_risk - 1 + lift.p_above(-self.plan.guard_margin)

        return guard, passing


def _setting(trial: Trial, plan: TrialPlan, outcome: str) -> Setting:
    arms = make_arms(trial, outcome)
    mean, variance = arms.standardised()
    n = arms.n.sum(axis=1)
    prior = marginal_prior(arms, prior_on_model(arms, plan.prior(trial.kind(outcome))))
    return Setting(arms.kind, n.astype(np.int64), float(mean[0]), np.sqrt(variance * n), prior)


def _null_worlds(plan: TrialPlan, setting: Setting) -> dict[str, Floats]:
    """Return true lifts of worlds in which shipping a scheme without a lift is possible, by name."""
    schemes = setting.n.size
    worlds = {"all_null": np.zeros(schemes)}
    if schemes > 2:
        good, bad = np.zeros(schemes), np.full(schemes, -_HARM * plan.worthwhile)
        good[1], bad[0], bad[-1] = plan.worthwhile, 0.0, 0.0
        if setting.kind == "binary":
            bad = np.maximum(bad, -0.9 * setting.base)
        worlds |= {"one_good": good, "others_bad": bad}
    return worlds


def _rate(name: str, happened: NDArray[np.bool_]) -> dict[str, float]:
    """Return a simulated rate with its exact 95 % interval (Clopper and Pearson 1934)."""
    k, n = int(happened.sum()), happened.size
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {name: k / n, f"{name}_low": low, f"{name}_high": high}


@dataclass(frozen=True, slots=True)
class LiftPosterior:
    """Normal posteriors of lifts on the scale of the model.

    Attributes
    ----------
    mean, sd : array (..., schemes - 1)
        Of every lift.
    control : array (..., 1)
        Control's observed share or mean.
    kind : str
        ``binary`` lifts are log-odds.
    """

    mean: Floats
    sd: Floats
    control: Floats
    kind: str

    def p_above(self, bound: float) -> Floats:
        """Return the probability that a lift exceeds a bound on the scale of the outcome."""
        at: Floats | float = bound
        if self.kind == "binary":
            at = logit(np.clip(self.control + bound, 1e-9, 1 - 1e-9)) - logit(self.control)
        chance: Floats = ndtr((self.mean - at) / self.sd)
        return chance

    def expected_loss(self) -> Floats:
        """Return what is given up by each scheme, on the scale of the outcome.

        Sum over all others, control too, of the expected gain over this one: never less than the loss against
        the best of them, and equal where one other is in question. Lifts count as independent.
        """
        slope = self.control * (1 - self.control) if self.kind == "binary" else 1.0
        mean, sd = (np.concatenate([np.zeros_like(x[..., :1]), x], axis=-1) for x in (self.mean, self.sd))
        away = mean[..., None, :] - self.mean[..., :, None]
        spread = np.hypot(sd[..., None, :], self.sd[..., :, None])
        z = away / spread
        gains = away * ndtr(z) + spread * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        own = np.eye(self.mean.shape[-1], self.mean.shape[-1] + 1, 1, dtype=bool)
        loss: Floats = np.where(own, 0.0, gains).sum(axis=-1) * slope
        return loss


def lift_posterior(means: Floats, variances: Floats, kind: str, prior: ModelPrior) -> LiftPosterior:
    """Return the posterior of every scheme's lift, from control and that scheme alone.

    Parameters
    ----------
    means, variances : array (..., schemes)
        Observed shares or means, and their sampling variances, control first.
    kind : str
        ``binary`` is judged on log-odds (variance by the delta method).
    prior : ModelPrior
        Prior of the lift on the scale of the model.
    """
    control = means[..., :1]
    if kind == "binary":
        slope = means * (1 - means)
        means, variances = logit(means), variances / slope**2
    mean, sd = against_control(means, variances, lift_mean=prior.lift_mean, lift_sd=prior.lift_sd)
    return LiftPosterior(mean, sd, control, kind)


def worth_probability(means: Floats, variances: Floats, kind: str, prior: ModelPrior, rope: float) -> Floats:
    """Return the posterior probability that each scheme's lift exceeds `rope`; see `lift_posterior`."""
    return lift_posterior(means, variances, kind, prior).p_above(rope)


def marginal_prior(arms: Arms, prior: ModelPrior) -> ModelPrior:
    """Return the prior of a lift in the log-odds of the whole trial, not of a stratum.

    Where strata differ, the same shift of every stratum's log-odds shifts those of the average by less: by
    the mean of ``p (1 - p)`` over strata, divided by ``p (1 - p)`` of the mean (first order).
    """
    if arms.kind == "value":
        return prior
    share = arms.mean[0]
    average = float(share @ arms.weights)
    ratio = float((share * (1 - share)) @ arms.weights) / (average * (1 - average))
    return replace(prior, lift_mean=ratio * prior.lift_mean, lift_sd=ratio * prior.lift_sd)


def shipped(
    setting: Setting,
    effects: Floats,
    passing: Callable[[Floats, Floats], Floats],
    *,
    looks: int,
    worlds: int,
    rng: np.random.Generator,
    veto: tuple[Setting, Callable[[Floats, Floats], Floats]] | None = None,
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
    veto : tuple of Setting and function, optional
        A second outcome on which every scheme is as control, and what has to pass on it as well; its sampling
        error is independent of the first outcome's.
    """
    result = np.zeros(worlds, dtype=np.int64)
    seen = _looks(setting, effects, looks, worlds, rng)
    guarded = _looks(veto[0], np.zeros_like(effects), looks, worlds, rng) if veto else None
    for means, variances in seen:
        margin = passing(means, variances)
        if veto and guarded:
            margin = np.minimum(margin, veto[1](*next(guarded)))
        first = np.where(margin > 0, means[:, 1:], -np.inf).argmax(axis=1) + 1
        result = np.where((result == 0) & (margin > 0).any(axis=1), first, result)
    return result


def _looks(
    setting: Setting, effects: Floats, looks: int, worlds: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Yield estimates and sampling variances at every look."""
    total: Floats = np.zeros((worlds, setting.n.size))
    before = np.zeros_like(setting.n)
    for look in range(1, looks + 1):
        n = np.maximum(setting.n * look // looks, 1)  # whoever is judged has been seen
        total += _increment(setting, effects, n - before, worlds, rng)
        yield _estimates(setting, total, n)
        before = n


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
