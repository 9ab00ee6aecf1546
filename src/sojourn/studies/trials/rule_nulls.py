"""Worlds in which shipping would be wrong: the stated grid over which a rule's worst case is looked for.

Every world has a net effect of exactly 0 for the schemes that must not ship. What differs is how noisy the
outcome is (control's share, or the spread of a value), how members are divided over schemes and time, and
what the other schemes do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.rule_paths import Ends, Guarded
from sojourn.studies.trials.rule_posterior import Flags
from sojourn.studies.trials.rule_worlds import Course, spread_over

#: Factors on control's share (binary) or on the spread of a value.
NOISE = (0.5, 1.0, 1.5)
#: Ways in which members are divided over schemes and time.
DIVIDED = ("as planned", "half under control", "late ramp", "changing allocation")
#: What the schemes do.
DOING = ("all_null", "one_good", "others_bad", "late_effect")
#: Poor schemes lose so many times what would be worth having.
HARM = 5
#: Least and largest share of control under the changing allocation.
_CONTROL_FROM, _CONTROL_TO = 0.9, 0.5
#: By how much of itself (a share) or of its spread (a value) the control's outcome falls on the way.
_FALLS = 0.3
#: A sum of shares times lifts that is 0 is found within this.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class NullWorld:
    """A world with schemes that must not ship.

    Attributes
    ----------
    noise : float
        Factor of `NOISE`.
    divided, doing : str
        See `DIVIDED` and `DOING`.
    course : Course
        How members come in.
    effects : array (schemes,) or (looks, 1, schemes)
        True lifts.
    """

    noise: float
    divided: str
    doing: str
    course: Course
    effects: Floats

    def guarded(self, guards: Sequence[Guarded]) -> tuple[Guarded, ...]:
        """Return guardrails whose members come in as those of this world do."""
        joined, looks = self.course.joined, self.course.looks
        return tuple(
            replace(
                guard,
                course=replace(
                    guard.course,
                    joined=joined,
                    base=np.resize(guard.course.base, looks),
                    by_entry=self.course.by_entry,
                ),
            )
            for guard in guards
        )

    @property
    def null(self) -> Flags:
        """Whether a scheme (control first) must not ship: its lift over all members is at most 0."""
        overall = self.effects
        if overall.ndim == 3:
            overall = np.einsum("l,lws->ws", self.course.share, overall)[0]
        null: Flags = overall <= _ROUNDING
        return null

    def wrong(self, made: Ends) -> Flags:
        """Return which simulated trials shipped a scheme that must not."""
        wrong: Flags = (made.scheme > 0) & self.null[made.scheme]
        return wrong


def null_worlds(plan: TrialPlan, course: Course) -> list[NullWorld]:
    """Return every world of the grid that is possible: with two schemes or one look there are fewer."""
    cells = product(NOISE, DIVIDED, DOING)
    made = (null_world(plan, course, noise, divided, doing) for noise, divided, doing in cells)
    return [world for world in made if world is not None]


def null_world(plan: TrialPlan, course: Course, noise: float, divided: str, doing: str) -> NullWorld | None:
    """Return one world of the grid; None where it is not possible, or the same as another."""
    louder = _with_noise(plan, course, noise)
    changed = None if louder is None else _divided(louder, divided)
    effects = None if changed is None else _doing(plan, changed, doing)
    if changed is None or effects is None:
        return None
    return NullWorld(noise, divided, doing, changed, effects)


def _with_noise(plan: TrialPlan, course: Course, factor: float) -> Course | None:
    """Return the course at another share of control or another spread; None where the belief cannot be."""
    if course.kind == "value" or factor == 1:
        return replace(course, sd=course.sd * factor)
    base = np.clip(course.base * factor, 0.001, 0.95)
    try:
        mean, sd = plan.prior("binary").on_logit(float(base @ course.share))
    except ParameterError:
        return None
    return replace(course, base=base, prior=replace(course.prior, lift_mean=mean, lift_sd=sd))


def _divided(course: Course, divided: str) -> Course | None:
    looks, schemes = course.looks, course.schemes
    if divided == "as planned":
        return course
    even = np.full(looks, 1 / looks)
    half = np.r_[0.5, np.full(schemes - 1, 0.5 / (schemes - 1))]
    if divided == "half under control":
        return spread_over(course, np.tile(half, (looks, 1)), even) if schemes > 2 else None
    if looks == 1:
        return None
    if divided == "late ramp":
        arriving = np.arange(1, looks + 1) ** 2.0
        return spread_over(course, np.tile(course.n / course.n.sum(), (looks, 1)), arriving / arriving.sum())
    control = np.linspace(_CONTROL_FROM, _CONTROL_TO, looks)[:, None]
    changing = np.hstack([control, np.repeat((1 - control) / (schemes - 1), schemes - 1, axis=1)])
    return replace(spread_over(course, changing, even), base=_falling(course))


def _falling(course: Course) -> Floats:
    """Return a control whose outcome falls from look to look, its mean as it was."""
    scale = course.base if course.kind == "binary" else course.sd[0]
    falling: Floats = course.base + scale * np.linspace(_FALLS, -_FALLS, course.looks) / 2
    return np.clip(falling, 0.001, 0.98) if course.kind == "binary" else falling


def _doing(plan: TrialPlan, course: Course, doing: str) -> Floats | None:
    """Return true lifts; None where the world is that of another name."""
    effects = np.zeros(course.schemes)
    if doing == "all_null":
        return effects
    if doing == "late_effect":
        return _late(plan, course)
    if course.schemes == 2:
        return None
    if doing == "one_good":
        effects[1] = plan.worthwhile
        return effects
    worst = -0.9 * float(course.base.min()) if course.kind == "binary" else -np.inf
    effects[1:-1] = max(-HARM * plan.worthwhile, worst)
    return effects


def _late(plan: TrialPlan, course: Course) -> Floats | None:
    """Return lifts that are a loss at first and a gain later on, 0 over all members."""
    if course.looks == 1 or course.by_entry:
        return None
    later = np.linspace(-1, 1, course.looks)
    later -= float(course.share @ later)
    least = 0.5 * float(course.base.min()) if course.kind == "binary" else np.inf
    size = min(plan.worthwhile, least) * later / np.abs(later).max()
    effects = np.zeros((course.looks, 1, course.schemes))
    effects[:, 0, 1:] = size[:, None]
    return effects
