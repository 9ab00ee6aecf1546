"""Words for the plan of a trial: the rule as a table, and what became of it."""

from __future__ import annotations

import pandas as pd

from sojourn.core.results.trial_plan import LiftPrior, PlanCard
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import day, listing, money, number, percent, plural
from sojourn.report.say import register

#: Strata that divide nobody.
_NO_STRATA = ("", "all", "none")


@register
def say_plan(card: PlanCard) -> str:
    """Say whether the rule was written down beforehand, and what was changed since."""
    if not card.fingerprint:
        return "No plan was frozen; the rule is that of the parameters."
    frozen = f"The rule was frozen on {day(card.frozen_at)} as plan {card.fingerprint}"
    if not card.changed:
        return f"{frozen}, and nothing was changed since."
    return f"{frozen}, but {plural(len(card.changed), 'setting')} changed since."


def plan_frame(card: PlanCard) -> pd.DataFrame:
    """Return the rule for reading: ``what``, ``planned``."""
    plan = card.plan
    allowed = f"{percent(plan.wrong_ship, 0)} of trials"
    shared = "" if plan.family == 1 else f", shared by {plan.family} decisions"
    schemes = listing([plain_scheme(scheme) for scheme in card.schemes])
    rows = [
        ("Compared", f"{schemes}, each with {_control(card)}"),
        ("Division", _division(card)),
        ("Outcome that decides", card.words[plan.metric]),
        ("Worth having", f"a lift of more than {_amount(card, plan.rope)}"),
        ("A scheme ships", f"if that is so with a probability above {percent(plan.threshold)}"),
        ("Unless it", _vetoes(card)),
        ("Looks", f"{plural(plan.looks, 'look')} while data come in"),
        ("Wrong ships allowed", f"{allowed}{shared}"),
        ("Should be found", f"a lift of {_amount(card, plan.worthwhile)}"),
        ("Belief beforehand", _belief(card, plan.prior(card.kind))),
        ("Members alike in", _strata(card)),
        ("Costs and earnings", _money(card)),
        ("Reward", _reward(card)),
    ]
    return pd.DataFrame([row for row in rows if row[1]], columns=["what", "planned"])


def describe_plan(card: PlanCard) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of the plan."""
    note = "Of members assigned more than once, the first assignment counts."
    return {"title": say_plan(card), "note": note}


def _control(card: PlanCard) -> str:
    name = plain_scheme(card.control)
    return name if name == "control" else f"{name} (control)"


def _strata(card: PlanCard) -> str:
    name = str(card.counted.get("strata", ""))
    return "" if name in _NO_STRATA else name.replace("_", " ")


def _division(card: PlanCard) -> str:
    shares = [f"{plain_scheme(scheme)} {percent(share)}" for scheme, share in sorted(card.shares.items())]
    equal = len(set(card.shares.values())) == 1
    return "equal shares" if equal else listing(shares)


def _vetoes(card: PlanCard) -> str:
    plan = card.plan
    risk = f"with a probability above {percent(plan.guard_risk, 0)}"
    said = [f"gives up more than {_amount(card, plan.tolerable_loss)} against a better scheme, as expected"]
    if plan.guard != plan.metric:
        fewer = f"{number(100 * plan.guard_margin)} in 100 fewer members"
        said.append(f"has {fewer} who {card.words[plan.guard]}, {risk}")
    said += [
        f"makes members who {card.words[outcome]} worse by {number(100 * margin)} in 100, {risk}"
        for outcome, margin in sorted(plan.guardrails.items())
        if outcome in card.words
    ]
    return "; or ".join(said)


def _amount(card: PlanCard, value: float) -> str:
    """Return a lift in the unit of the metric."""
    return f"{number(100 * value)} members in 100" if card.kind == "binary" else money(value, card.currency)


def _belief(card: PlanCard, belief: LiftPrior) -> str:
    low, high = (_amount(card, bound) for bound in (belief.low, belief.high))
    return f"{percent(belief.mass, 0)} of lifts lie between {low} and {high}"


def _money(card: PlanCard) -> str:
    if card.kind == "binary" or "margin" not in card.counted:
        return ""
    stated = [
        f"{plain_scheme(scheme)} {money(cost, card.currency)}"
        for scheme, cost in sorted(dict(card.counted.get("cost_per_member", {})).items())
    ]
    margin = f"{percent(card.counted['margin'], 0)} of revenue is earned"
    return f"{margin}; cost per member: {listing(stated)}" if stated else f"{margin}; costs as booked"


def _reward(card: PlanCard) -> str:
    plan = card.plan
    if not plan.reward_days:
        return ""
    runs = f"runs for {plural(plan.reward_days, 'day')}"
    return f"{runs}; watched for {plural(plan.wash_out_days, 'day')} after it" if plan.wash_out_days else runs
