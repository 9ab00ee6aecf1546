"""What a rule is simulated on: trials like one that ran, or trials of some traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_design import Traffic
from sojourn.core.results.trial_plan import LiftPrior, OutcomeKind, TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.model import Floats, ModelPrior
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.pairs import prior_on_model
from sojourn.studies.trials.rule_paths import Guarded, guarded_by
from sojourn.studies.trials.rule_posterior import marginal_prior
from sojourn.studies.trials.rule_worlds import FEWEST, Course, Ints


@dataclass(frozen=True, slots=True)
class Subject:
    """The metric and the guardrails of trials to be simulated.

    Attributes
    ----------
    course : Course
        How the metric comes in.
    guarded : tuple of Guarded
        Guardrails other than the metric.
    belief : LiftPrior
        Of the metric's lifts.
    currency : str
        Of a value.
    """

    course: Course
    guarded: tuple[Guarded, ...]
    belief: LiftPrior
    currency: str

    @property
    def kind(self) -> OutcomeKind:
        """Kind of the metric."""
        return "binary" if self.course.kind == "binary" else "value"

    def with_looks(self, looks: int) -> Subject:
        """Return the same members seen at so many equally spaced looks."""
        guarded = tuple(replace(guard, course=guard.course.with_looks(looks)) for guard in self.guarded)
        return replace(self, course=self.course.with_looks(looks), guarded=guarded)

    def believed(self, worlds: int, rng: np.random.Generator) -> Floats:
        """Return true lifts drawn from the belief (worlds, schemes), 0 for control."""
        lifts = self.belief.mean + self.belief.sd * rng.standard_normal((worlds, self.course.schemes))
        if self.course.kind == "binary":
            base, prior = float(self.course.base @ self.course.share), self.course.prior
            odds = prior.lift_mean + prior.lift_sd * rng.standard_normal(lifts.shape)
            lifts = base * np.exp(odds) / (1 - base + base * np.exp(odds)) - base
        lifts[:, 0] = 0.0
        return lifts


def subject_of(plan: TrialPlan, of: Trial | Traffic) -> Subject:
    """Return what a plan's rule is simulated on."""
    return _of_trial(plan, of) if isinstance(of, Trial) else _of_traffic(plan, of)


def course_of(arms: Arms, belief: LiftPrior, *, looks: int) -> Course:
    """Return the course of an outcome in trials like the one whose arms these are."""
    mean, variance = arms.standardised()
    n = arms.n.sum(axis=1)
    prior = marginal_prior(arms, prior_on_model(arms, belief))
    sd = np.sqrt(variance * n)
    return Course.even(arms.kind, n.astype(np.int64), float(mean[0]), sd, prior, looks=looks)


def _of_trial(plan: TrialPlan, trial: Trial) -> Subject:
    stages = _by_period(trial)

    def course(outcome: str) -> Course:
        made = course_of(make_arms(trial, outcome), plan.prior(trial.kind(outcome)), looks=plan.looks)
        return made if stages is None else _in_stages(made, stages)

    guarded = tuple(Guarded(guard, course(guard.outcome)) for guard in guarded_by(plan))
    belief = plan.prior(trial.kind(plan.metric))
    return Subject(course(plan.metric), guarded, belief, str(trial.meta.get("currency", "")))


def _by_period(trial: Trial) -> Ints | None:
    """Return matured members (periods, schemes) of a trial that is compared within periods of assignment."""
    if len(trial.strata) == 1 or set(trial.strata) != set(trial.split["period"]):
        return None
    counted = trial.split.pivot_table(index="period", columns="scheme", values="matured", aggfunc="sum")
    grid: Ints = counted.reindex(columns=list(trial.schemes)).fillna(0).to_numpy().astype(np.int64)
    return grid


def _in_stages(course: Course, stages: Ints) -> Course:
    """Return a course whose members come in stage by stage, each divided in its own way (stages, schemes)."""
    base = np.full(len(stages), float(course.base @ course.share))
    enough = np.maximum(stages, FEWEST)
    return replace(course, joined=enough, base=base, by_entry=True).with_looks(course.looks)


def _of_traffic(plan: TrialPlan, traffic: Traffic) -> Subject:
    total = traffic.per_day * traffic.days
    n = np.maximum(np.rint(total * np.array(traffic.shares)), 1).astype(np.int64)
    stages = np.rint(total / max(len(traffic.stages), 1) * np.array(traffic.stages)).astype(np.int64)

    def course(kind: OutcomeKind, base: float) -> Course:
        belief = plan.prior(kind)
        mean, sd = belief.on_logit(base) if kind == "binary" else (belief.mean, belief.sd)
        prior = ModelPrior(0, 1, mean, sd, belief.spread * sd)
        spread = np.full(n.size, 1.0 if kind == "binary" else traffic.sd)
        made = Course.even(kind, n, base, spread, prior, looks=plan.looks)
        return _in_stages(made, stages) if traffic.stages else made

    missing = [g.outcome for g in guarded_by(plan) if g.outcome not in traffic.guard_base]
    if missing:
        raise ParameterError(
            f"The plan guards {', '.join(missing)}: say in 'guard_base' what its share is under control."
        )
    guarded = tuple(
        Guarded(guard, course("binary", traffic.guard_base[guard.outcome])) for guard in guarded_by(plan)
    )
    return Subject(course(traffic.kind, traffic.base), guarded, plan.prior(traffic.kind), traffic.currency)
