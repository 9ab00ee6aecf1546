"""What to do after a trial: each step with its effect, cost and evidence."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action
from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.results.trials import Decision, TrialResult
from sojourn.core.text import chances, in_words, number
from sojourn.report.trials import SPLIT, plain, shown_amount, shown_lift, shown_unit


def next_steps_trials(
    decision: Decision, rates: ErrorRateCard, checks: Sequence[Check] = (), *, wins_back: bool = False
) -> list[Action]:
    """Return what to do, with effect, cost and evidence.

    Parameters
    ----------
    decision, rates
        Of the trial.
    checks : sequence of Check
        What was warned of may come first.
    wins_back : bool
        Whether members had left when they were assigned (`Trial.wins_back`).
    """
    result, scheme, control = decision.result, plain(decision.scheme), plain(decision.result.control)
    digits = 1 if result.kind == "binary" else 2
    effect = in_words(shown_lift(result, decision.scheme), shown_unit(result), digits)
    first = {
        "ship": Action(
            f"Give {scheme} to {_whom(wins_back)}, and keep {control} for a small random part.",
            effect,
            "Counted in the net value." if result.kind == "value" else "Not known.",
            "trial; the table of schemes",
        ),
        "wait": Action(
            f"Let the trial run on, or plan a larger one for {scheme}.",
            f"At a true lift of {shown_amount(result, rates.worthwhile)} this size ships it in "
            f"{chances(rates.at(rates.planned_looks)['found_rate'])} trials.",
            "Members stay on schemes that may be worse.",
            "simulation; the rule's error rates",
        ),
        "blocked": Action(
            "Find the cause of the failed check before acting.",
            "None of the estimates above can be relied on until then.",
            "Time.",
            "the table of checks",
        ),
    }
    avoided = _avoided(result, decision.scheme)
    stop = Action(f"Stay with {control}.", avoided, "None.", "trial; the table of schemes")
    harm = Action("Stop giving any scheme now.", avoided, "None.", "trial; the table of schemes")
    chosen = harm if decision.verdict == "stop for harm" else first.get(decision.verdict, stop)
    return [*_uneven(checks), chosen, *_not_given(decision), _afterwards(decision, wins_back)]


def _whom(wins_back: bool) -> str:
    """Return whom a trial answers for."""
    return "everyone who left" if wins_back else "everyone"


def _avoided(result: TrialResult, scheme: str) -> str:
    """Return what is spared by not giving a scheme, signs turned round where it is a loss."""
    lift, digits = shown_lift(result, scheme), 1 if result.kind == "binary" else 2
    if lift.value >= 0:
        return f"Gives up {in_words(lift, shown_unit(result), digits)}: too little to be worth having."
    low, high = number(-lift.high, digits), number(-lift.low, digits)
    return f"Avoids losing {number(-lift.value, digits)} {shown_unit(result)} ({lift.label} {low} to {high})."


def _not_given(decision: Decision) -> list[Action]:
    """Return an action against every scheme that is clearly worse than control, the worst first."""
    result = decision.result
    worse = [s for s in result.schemes[1:] if result.lift(s).high < 0]
    return [
        Action(f"Do not give {plain(s)}.", _avoided(result, s), "None.", "trial; the table of schemes")
        for s in sorted(worse, key=lambda s: (result.lift(s).value, s))
        if decision.verdict not in ("stop", "stop for harm", "blocked")
    ]


def _uneven(checks: Sequence[Check]) -> list[Action]:
    if not any(check.name == SPLIT and check.verdict == "warn" for check in checks):
        return []
    return [
        Action(
            "Find out why members were divided unevenly.",
            "Shows whether the schemes' members can be compared at all.",
            "Time.",
            "the table of checks",
        )
    ]


def _afterwards(decision: Decision, wins_back: bool) -> Action:
    days = decision.plan.horizon_days
    if decision.historic:
        return Action(
            "Write the rule down before the next trial.",
            "Its error rates then hold for that trial.",
            "None.",
            "none; this rule was chosen afterwards",
        )
    return Action(
        f"Follow the same members beyond {days} days.",
        "Shows whether the difference lasts when the reward has ended."
        if not wins_back
        else "Shows whether those who came back stay.",
        "None: the members are already assigned.",
        f"none yet; this trial ends at {days} days",
    )
