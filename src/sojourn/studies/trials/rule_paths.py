"""The plan's rule applied to many simulated trials at every look, and what each of them ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sojourn.core.results.trial_plan import TrialPlan
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.rule_posterior import Flags, LiftPosterior, lift_posterior, unit_gain
from sojourn.studies.trials.rule_worlds import Course

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A binary outcome that may not get worse.

    Attributes
    ----------
    outcome : str
        Its name.
    margin, risk : float
        Veto when it falls by more than `margin` (a share) with more than the probability `risk`.
    """

    outcome: str
    margin: float
    risk: float


def guarded_by(plan: TrialPlan) -> tuple[Guardrail, ...]:
    """Return every guardrail of a plan that is not its metric itself."""
    named = (Guardrail(plan.guard, plan.guard_margin, plan.guard_risk),)
    return tuple(guardrail for guardrail in named if guardrail.outcome != plan.metric)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guardrail and how its outcome comes in.

    Attributes
    ----------
    guardrail : Guardrail
        What is allowed.
    course : Course
        The same members as those of the metric.
    """

    guardrail: Guardrail
    course: Course


@dataclass(frozen=True, slots=True)
class Paths:
    """What is known at every look of many simulated trials.

    Attributes
    ----------
    plan : TrialPlan
        The rule.
    lifts : LiftPosterior
        Posteriors of the metric (worlds, looks, schemes - 1).
    above : array (worlds, looks, schemes - 1)
        How many standard deviations each lift lies above the rope.
    vetoed : array (worlds, looks, schemes - 1)
        Whether a guardrail vetoes.
    raw : array (worlds, looks, schemes - 1)
        Observed lifts, without a prior.
    """

    plan: TrialPlan
    lifts: LiftPosterior
    above: Floats
    vetoed: Flags
    raw: Floats


@dataclass(frozen=True, slots=True)
class Ends:
    """How simulated trials ended.

    Attributes
    ----------
    scheme : array (worlds,)
        Which ships: its number, 0 for none.
    look : array (worlds,)
        At which look the trial was over, from 1; the last one where it never was.
    lift, raw : array (worlds,)
        Expected and observed lift of what ships when it does; 0 for none.
    stopped : array (worlds,)
        Whether the rule said before the last look that no scheme is worth it.
    """

    scheme: Ints
    look: Ints
    lift: Floats
    raw: Floats
    stopped: Flags


def paths(
    plan: TrialPlan,
    course: Course,
    effects: Floats,
    *,
    worlds: int,
    rng: np.random.Generator,
    guarded: Sequence[Guarded] = (),
) -> Paths:
    """Simulate trials and judge them at every look.

    Parameters
    ----------
    plan : TrialPlan
        Gives the rope, and the tolerable loss for `ends`.
    course : Course
        How members come in, and what control is like.
    effects : array (schemes,), (worlds, schemes) or (looks, 1, schemes)
        True lifts on the scale of the outcome; 0 for control.
    worlds : int
        Simulated trials.
    rng : Generator
        Source of the trials.
    guarded : sequence of Guarded
        Guardrails, on which every scheme is as control; their sampling errors are independent of the
        metric's.
    """
    shape = (worlds, course.looks, course.schemes)
    means, variances = np.empty(shape), np.empty(shape)
    for look, (mean, variance) in enumerate(course.seen(effects, worlds, rng)):
        means[:, look], variances[:, look] = mean, variance
    lifts = lift_posterior(means, variances, course.kind, course.prior)
    vetoed = np.zeros(lifts.mean.shape, dtype=bool)
    for guard in guarded:
        for look, (mean, variance) in enumerate(guard.course.seen(np.zeros(course.schemes), worlds, rng)):
            level = lift_posterior(mean, variance, guard.course.kind, guard.course.prior)
            vetoed[:, look] |= 1 - level.p_above(-guard.guardrail.margin) > guard.guardrail.risk
    raw = means[..., 1:] - means[..., :1]
    return Paths(plan, lifts, lifts.above(plan.rope), vetoed, raw)


class How(TypedDict, total=False):
    """How the rule is applied; see `ends`."""

    threshold: float | None
    loss: bool
    guards: bool
    early: bool


def ends(
    made: Paths, threshold: float | None = None, *, loss: bool = True, guards: bool = True, early: bool = True
) -> Ends:
    """Apply the rule to every look: the first at which a scheme passes ships it.

    Parameters
    ----------
    made : Paths
        Simulated trials.
    threshold : float, optional
        The decisive probability; the plan's when not given.
    loss, guards : bool
        Whether the tolerable loss and the guardrails may veto.
    early : bool
        Whether a trial is over when every scheme has been given up; else it runs on to its last look, which
        can only make it ship more often.
    """
    needed = float(ndtri(made.plan.threshold if threshold is None else threshold))
    passing = made.above > needed
    passing &= ~made.vetoed if guards else True
    if loss:
        passing &= _tolerable(made, passing)
    given_up = (made.above < -needed).all(axis=2) if early else np.zeros(passing.shape[:2], dtype=bool)
    over = passing.any(axis=2) | given_up
    last = passing.shape[1] - 1
    look = np.where(over.any(axis=1), over.argmax(axis=1), last)
    world = np.arange(len(look))
    expected = np.where(passing[world, look], made.lifts.lift()[world, look], -np.inf)
    ships = passing[world, look].any(axis=1)
    best = expected.argmax(axis=1)
    return Ends(
        scheme=np.where(ships, best + 1, 0),
        look=look + 1,
        lift=np.where(ships, made.lifts.lift()[world, look, best], 0.0),
        raw=np.where(ships, made.raw[world, look, best], 0.0),
        stopped=~ships & given_up[world, look] & (look < last),
    )


def _tolerable(made: Paths, passing: Flags) -> Flags:
    """Return where a passing scheme's expected loss can be tolerated, up to the first look that ships one.

    The loss is at least the expected gain of any one other over the scheme, and at most the sum over all
    others: only where that does not settle it is it worked out.
    """
    fine = np.zeros_like(passing)
    running = np.ones(len(passing), dtype=bool)
    for look in range(passing.shape[1]):
        asked = running & passing[:, look].any(axis=1)
        lifts = made.lifts.where((asked, look))
        fine[asked, look] = _settled(lifts, passing[asked, look], made.plan.tolerable_loss)
        running[asked] &= ~(fine[asked, look] & passing[asked, look]).any(axis=1)
    return fine


def _settled(lifts: LiftPosterior, passing: Flags, tolerable: float) -> Flags:
    slope = lifts.control * (1 - lifts.control) if lifts.kind == "binary" else np.ones_like(lifts.control)
    allowed = tolerable / slope
    least, most = _loss_bounds(lifts)
    fine: Flags = least <= allowed
    close = (passing & fine & (most > allowed)).any(axis=1)
    if close.any():
        fine[close] = lifts.where(close).expected_loss() <= tolerable
    return fine


def _loss_bounds(lifts: LiftPosterior) -> tuple[Floats, Floats]:
    """Return the largest and the sum of the expected gains of all others, control too, over each scheme."""
    least = most = unit_gain(-lifts.mean, lifts.sd)
    for other in range(lifts.mean.shape[-1]):
        mean, sd, tie = (x[..., other, None] for x in (lifts.mean, lifts.sd, lifts.tie))
        spread = lifts.sd**2 + sd**2 - 2 * lifts.sd * sd * lifts.tie * tie
        gain = unit_gain(mean - lifts.mean, np.sqrt(np.maximum(spread, 0)))
        gain[..., other] = 0.0
        least, most = np.maximum(least, gain), most + gain
    return least, most


def batches(worlds: int, size: int = 10_000) -> Iterator[int]:
    """Yield sizes of batches, so that memory does not grow with the number of worlds."""
    while worlds > 0:
        yield min(worlds, size)
        worlds -= size


Effects = Callable[[int], Floats]


def all_ends(
    plan: TrialPlan,
    course: Course,
    effects: Floats | Effects,
    *,
    worlds: int,
    rng: np.random.Generator,
    guarded: Sequence[Guarded] = (),
    how: How | None = None,
) -> Ends:
    """Return the ends of any number of trials, simulated batch by batch; see `paths` and `ends`."""
    parts = []
    for size in batches(worlds):
        true = effects(size) if callable(effects) else effects
        made = paths(plan, course, true, worlds=size, rng=rng, guarded=guarded)
        parts.append(ends(made, **(how or {})))
    return Ends(*(np.concatenate([getattr(part, name) for part in parts]) for name in Ends.__slots__))
