"""The threshold at which a rule keeps a promise: at most so many trials ship what is not worth it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_design import Traffic
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trial_rule import RuleCalibration
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.error_rates import described, rate, wrong_ships
from sojourn.studies.trials.rule_nulls import NullWorld, null_worlds
from sojourn.studies.trials.rule_paths import How, batches, paths
from sojourn.studies.trials.rule_posterior import Flags
from sojourn.studies.trials.rule_subject import Subject, subject_of

#: Worlds of the grid that are looked at closely, trials of a first pass, and trials behind a curve.
_CLOSELY, _FIRST_PASS, _DRAWN = 4, 2000, 10_000
#: Thresholds are looked for between these and rounded up to `_STEP`.
_LOWEST, _HIGHEST, _STEP = 0.5, 0.9999, 1e-4


def calibrate_rule(
    plan: TrialPlan,
    of: Trial | Traffic,
    *,
    rng: np.random.Generator,
    wrong_ship: float = 0.05,
    worlds: int = 40_000,
) -> RuleCalibration:
    """Find the smallest threshold at which at most `wrong_ship` of trials ship what is not worth it.

    Parameters
    ----------
    plan : TrialPlan
        The rule; its own threshold is only reported beside the one found.
    of : Trial or Traffic
        Gives the numbers of members, the control's outcome and its spread.
    rng : Generator
        Source of the simulated trials.
    wrong_ship : float
        Allowed share of trials, in (0, 0.5); decisions of one family share it equally.
    worlds : int
        Simulated trials in each of the least favourable worlds; half a point above what is asked is then more
        than three simulation errors away.

    Returns
    -------
    RuleCalibration
        The threshold holds in every world of the grid of `sojourn.studies.trials.rule_nulls` (net effect
        exactly 0), vetoes left out: a scheme may well do no harm to any guardrail. Where a veto alone keeps
        wrong ships rarer, it says so.
    """
    in_range(wrong_ship, "wrong_ship", gt=0, lt=0.5)
    in_range(worlds, "worlds", ge=1000)
    asked = wrong_ship / plan.family
    subject = subject_of(plan, of)
    grid = null_worlds(plan, subject.course)
    first = [needed(_simulated(plan, world, min(worlds, _FIRST_PASS), rng), asked) for world in grid]
    order = sorted(range(len(grid)), key=lambda i: (-first[i], i))
    closely = [needed(_simulated(plan, grid[i], worlds, rng), asked) for i in order[:_CLOSELY]]
    found = max(_LOWEST, *closely)
    threshold = min(math.ceil(found / _STEP) * _STEP, 1.0)
    possible = threshold <= _HIGHEST
    judged = threshold if possible else _HIGHEST
    rows = []
    for rank, i in enumerate(order):
        size = worlds if rank < _CLOSELY else _FIRST_PASS
        rows.append(_row(plan, subject, grid[i], threshold=judged, alone=first[i], worlds=size, rng=rng))
    table = pd.DataFrame(rows).sort_values("wrong_rate", ascending=False, kind="stable", ignore_index=True)
    curve = _curve(plan, subject, grid[order[0]], threshold=judged, worlds=min(worlds, _DRAWN), rng=rng)
    return RuleCalibration(
        asked=asked,
        family=plan.family,
        threshold=round(threshold, 4) if possible else math.nan,
        planned=plan.threshold,
        table=table,
        curve=curve,
        worlds=worlds,
        schemes=subject.course.schemes - 1,
        looks=plan.looks,
        n=int(subject.course.n.sum()),
        worthwhile=plan.worthwhile,
        kept_by=_kept_by(table, asked, bool(subject.guarded)),
        kind=subject.kind,
        currency=subject.currency,
        why_empty=""
        if possible
        else f"No threshold up to {_HIGHEST:g} keeps wrong ships to {asked:.1%} of trials.",
    )


@dataclass(frozen=True, slots=True)
class Simulated:
    """All that any threshold needs to know of trials in one null world, arrays (worlds, looks, schemes - 1).

    Attributes
    ----------
    null : array (schemes - 1,)
        Whether a scheme must not ship.
    above : array
        How many standard deviations each lift lies above the rope.
    lift : array
        Expected lift: of several that pass, the largest ships.
    """

    null: Flags
    above: Floats
    lift: Floats

    def wrong(self, above: float) -> float:
        """Return the share of trials that ship wrongly when lifts have to lie so far above the rope."""
        passing = self.above > above
        asked = passing.any(axis=2)
        world = np.flatnonzero(asked.any(axis=1))
        look = asked[world].argmax(axis=1)
        best = np.where(passing[world, look], self.lift[world, look], -np.inf).argmax(axis=1)
        return float(self.null[best].sum() / len(self.above))


def needed(made: Simulated, asked: float) -> float:
    """Return the smallest threshold that keeps wrong ships to what is asked; 1 when none does.

    Wrong ships become rarer as the threshold rises; halving the interval 16 times leaves an error below 1e-4
    standard deviations.
    """
    low, high = float(ndtri(_LOWEST)), float(ndtri(1 - 1e-6))
    if made.wrong(high) > asked:
        return 1.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if made.wrong(middle) > asked else (low, middle)
    return float(ndtr(high))


def _simulated(plan: TrialPlan, world: NullWorld, worlds: int, rng: np.random.Generator) -> Simulated:
    parts = [paths(plan, world.course, world.effects, worlds=size, rng=rng) for size in batches(worlds)]
    above = np.concatenate([part.above for part in parts])
    lift = np.concatenate([part.lifts.lift() for part in parts])
    return Simulated(world.null[1:], above, lift)


def _row(
    plan: TrialPlan,
    subject: Subject,
    world: NullWorld,
    *,
    threshold: float,
    alone: float,
    worlds: int,
    rng: np.random.Generator,
) -> dict[str, float | str]:
    """Return how often one null world is wrong on fresh trials, at a threshold and at the plan's own."""
    without: How = {"loss": False, "guards": False}
    loss: How = {"guards": False}
    asked: dict[str, How] = {
        "wrong_rate": {**without, "threshold": threshold},
        "loss_rate": {**loss, "threshold": threshold},
        "vetoed_rate": {"threshold": threshold},
        "planned_rate": without,
        "planned_loss_rate": loss,
        "planned_vetoed_rate": {},
    }
    wrong = wrong_ships(plan, world, asked, worlds=worlds, rng=rng, guarded=subject.guarded)
    others = {name: float(flags.mean()) for name, flags in wrong.items() if name != "wrong_rate"}
    return {
        **described(world),
        "worlds": worlds,
        "threshold": alone,
        **rate("wrong_rate", wrong["wrong_rate"]),
        **others,
    }


def _kept_by(table: pd.DataFrame, asked: float, guarded: bool) -> tuple[str, ...]:
    """Return the vetoes by which the plan's own threshold keeps what is asked, where it does not alone."""
    if table["planned_rate"].max() <= asked:
        return ()
    kept = ("the tolerable loss",) if table["planned_loss_rate"].max() <= asked else ()
    both = table["planned_vetoed_rate"].max() <= asked
    return (*kept, "the guardrails") if guarded and both and not kept else kept


def _curve(
    plan: TrialPlan,
    subject: Subject,
    worst: NullWorld,
    *,
    threshold: float,
    worlds: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return wrong ships in the worst world, and what is found as planned, for thresholds around both."""
    null = _simulated(plan, worst, worlds, rng)
    good = np.where(np.arange(subject.course.schemes) == 1, plan.worthwhile, 0.0)
    right = NullWorld(1.0, "as planned", "one_good", subject.course, good)
    made = _simulated(plan, right, worlds, rng)
    found = Simulated(~made.null, made.above, made.lift)
    top = max(threshold, plan.threshold)
    sds = np.linspace(ndtri(0.8), ndtri(top) + 0.4, 15)
    at = np.unique(np.round(np.r_[ndtr(sds), threshold, plan.threshold], 6))
    return pd.DataFrame(
        {
            "threshold": at,
            "wrong_rate": [null.wrong(float(z)) for z in ndtri(at)],
            "found_rate": [found.wrong(float(z)) for z in ndtri(at)],
        }
    )
