"""How often a plan's rule ships what is not worth it, by simulating whole trials with their looks.

Trials are simulated as sufficient statistics and judged by `sojourn.studies.trials.rule_posterior`, which
agrees with the decision of `compare_schemes` in at least 99 % of worlds (a test). A wrong ship is one of a
scheme whose true lift is at most 0; it is counted without vetoes and without stopping early, which can only
make it rarer, in the least favourable world of a stated grid (`rule_nulls`). What the rule finds is counted
with both.

Where one scheme is good, a veto of it may leave the trial running until another ships wrongly, so there
vetoes can cost. But whatever is vetoed, a scheme of no lift has to pass the threshold to ship, and where all
schemes do nothing the first that passes ships: that world of the grid errs at least as often. So guardrails
beyond the one that is simulated cannot raise the worst rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_design import Traffic
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.rule_nulls import HARM, NullWorld, null_world, null_worlds
from sojourn.studies.trials.rule_paths import Guarded, How, all_ends, batches, ends, paths
from sojourn.studies.trials.rule_posterior import Flags
from sojourn.studies.trials.rule_subject import Subject, subject_of

#: Numbers of looks that every card shows beside the plan's own.
_LOOKS = (1, 2, 5, 10, 20)
#: The rule without what can only hold it back.
_FREELY: Mapping[str, How] = {"wrong_rate": {"loss": False, "guards": False}}


def error_rates(
    plan: TrialPlan, of: Trial | Traffic, *, rng: np.random.Generator, worlds: int = 4000
) -> ErrorRateCard:
    """Simulate the plan's rule in trials like this one: its schemes, members, base and spread.

    Parameters
    ----------
    plan : TrialPlan
        The rule: its metric, prior, rope, threshold, vetoes and number of looks.
    of : Trial or Traffic
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
    subject = subject_of(plan, of)
    grid = [
        (world, wrong_ships(plan, world, _FREELY, worlds=worlds, rng=rng)["wrong_rate"])
        for world in null_worlds(plan, subject.course)
    ]
    grid.sort(key=lambda pair: -int(pair[1].sum()))  # stable: ties stay in the order of the grid
    worst = grid[0][0]
    rows = [
        _row(plan, subject.with_looks(looks), worst, worlds, rng) for looks in sorted({*_LOOKS, plan.looks})
    ]
    return ErrorRateCard(
        table=pd.DataFrame(rows),
        worlds=worlds,
        metric=plan.metric,
        schemes=subject.course.schemes - 1,
        n=int(subject.course.n.sum()),
        planned_looks=plan.looks,
        worthwhile=plan.worthwhile,
        harm=HARM * plan.worthwhile,
        guarded=bool(subject.guarded),
        further=tuple(sorted(set(plan.guardrails) - {plan.metric, plan.guard})),
        family=plan.family,
        kind=subject.kind,
        currency=subject.currency,
        grid=pd.DataFrame([{**described(world), **rate("wrong_rate", wrong)} for world, wrong in grid]),
    )


def _row(
    plan: TrialPlan, subject: Subject, worst: NullWorld, worlds: int, rng: np.random.Generator
) -> dict[str, float | str]:
    """Return what the rule does with one number of looks."""
    null = _same_world(plan, subject, worst)
    how: dict[str, How] = {**_FREELY, "vetoed_rate": {}}
    wrong = wrong_ships(plan, null, how, worlds=worlds, rng=rng, guarded=subject.guarded)
    good = np.where(np.arange(subject.course.schemes) == 1, plan.worthwhile, 0.0)
    found = all_ends(plan, subject.course, good, worlds=worlds, rng=rng, guarded=subject.guarded)
    free = all_ends(plan, subject.course, good, worlds=worlds, rng=rng, how={"loss": False, "early": False})
    right = found.scheme == 1
    estimate = float(found.lift[right].mean()) if right.any() else float("nan")
    return {
        "looks": subject.course.looks,
        **rate("wrong_rate", wrong["wrong_rate"]),
        "worst": null.doing,
        "vetoed_rate": float(wrong["vetoed_rate"].mean()),
        **rate("found_rate", right),
        "unvetoed_rate": float((free.scheme == 1).mean()),
        "exaggeration": estimate / plan.worthwhile,
        **_believed(plan, subject, worlds, rng),
    }


def _same_world(plan: TrialPlan, subject: Subject, worst: NullWorld) -> NullWorld:
    """Return the worst world at another number of looks; as planned where it needs more of them.

    At the same share of control, but where the belief just fits beside it at one number of looks only.
    """
    tried = (
        (worst.divided, worst.doing),
        ("as planned", worst.doing),
        (worst.divided, "all_null"),
        ("as planned", "all_null"),
    )
    made = (null_world(plan, subject.course, noise, *how) for noise in (worst.noise, 1.0) for how in tried)
    return next(world for world in made if world is not None)


def _believed(plan: TrialPlan, subject: Subject, worlds: int, rng: np.random.Generator) -> dict[str, float]:
    """Return what becomes of worlds drawn from the belief: ships, lift given up, estimates that hold."""
    true = subject.believed(worlds, rng)
    left = iter(np.array_split(true, np.arange(10_000, worlds, 10_000)))
    made = all_ends(
        plan, subject.course, lambda _: next(left), worlds=worlds, rng=rng, guarded=subject.guarded
    )
    got, ships = true[np.arange(worlds), made.scheme], made.scheme > 0
    kept = float(got[ships].mean() / made.lift[ships].mean()) if ships.any() else float("nan")
    return {
        "ship_rate": float(ships.mean()),
        "realised_loss": float((true.max(axis=1) - got).mean()),
        "kept_promise": kept,
    }


def wrong_ships(
    plan: TrialPlan,
    world: NullWorld,
    asked: Mapping[str, How],
    *,
    worlds: int,
    rng: np.random.Generator,
    guarded: Sequence[Guarded] = (),
) -> dict[str, Flags]:
    """Return which trials of a null world ship what they must not, by name of how the rule is applied.

    Parameters
    ----------
    asked : mapping of str to mapping
        What `sojourn.studies.trials.rule_paths.ends` is told; no trial stops early for want of effect, since
        somebody may well run on.
    """
    flags: dict[str, list[Flags]] = {name: [] for name in asked}
    for size in batches(worlds):
        made = paths(plan, world.course, world.effects, worlds=size, rng=rng, guarded=world.guarded(guarded))
        for name, how in asked.items():
            binding: How = {**how, "early": False}
            flags[name].append(world.wrong(ends(made, **binding)))
    return {name: np.concatenate(parts) for name, parts in flags.items()}


def described(world: NullWorld) -> dict[str, float | str]:
    """Return what a null world is like, for a table."""
    course = world.course
    return {
        "control": float(course.base @ course.share),
        "sd": float("nan") if course.kind == "binary" else float(course.sd[0]),
        "divided": world.divided,
        "doing": world.doing,
    }


def rate(name: str, happened: Flags) -> dict[str, float]:
    """Return a simulated rate with its exact 95 % interval (Clopper and Pearson 1934)."""
    k, n = int(happened.sum()), happened.size
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {name: k / n, f"{name}_low": low, f"{name}_high": high}
