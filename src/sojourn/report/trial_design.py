"""Words for what comes before a trial, and for whether another look pays."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.results.trial_design import TrialDesign
from sojourn.core.results.trial_rule import AnotherLook
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import chances, count, money, number, percent, plural
from sojourn.report.say import register
from sojourn.report.trial_rule import amount


@register
def say_design(design: TrialDesign) -> str:
    """Say what the planned trial would tell, how long it takes, and what would be enough."""
    if design.why_empty:
        return design.why_empty
    row = design.at(design.planned_days)
    worth = amount(design.worthwhile, design.kind, design.currency)
    over = f"{count(row['expected_members'])} members and {count(row['expected_days'])} days"
    said = (
        f"{count(row['members'])} members in {plural(design.planned_days, 'day')} of assignment would ship "
        f"something in {percent(row['assurance_rate'], 0)} of trials, were lifts as believed, and something "
        f"worth having in {percent(row['right_rate'], 0)}; by that belief there is something worth having "
        f"in {percent(design.most, 0)}. A scheme worth {worth} would ship in "
        f"{percent(row['found_rate'], 0)}. With {plural(design.looks, 'look')} the trial would be over "
        f"after {over} on average, follow-up of {design.follow_up} days included."
    )
    return " ".join(filter(None, (said, _enough(design), _cheaper(design))))


def _enough(design: TrialDesign) -> str:
    share = f"{percent(design.target, 0)} of what there is"
    if not design.days:
        longest = int(design.table["days"].max())
        return f"Even {plural(longest, 'day')} would not find {share}."
    if design.days <= design.planned_days:
        return f"{plural(design.days, 'day')} would be enough to find {share}."
    return f"To find {share}, {plural(design.days, 'day')} are needed."


def _cheaper(design: TrialDesign) -> str:
    if math.isnan(design.saved) or design.saved < 0.005:
        return ""
    control = design.allocation.iloc[0]
    return (
        f"With {percent(control['cheapest_share'], 0)} under {plain_scheme(str(control['scheme']))} the "
        f"same precision would cost {percent(design.saved, 0)} less and take "
        f"{number(design.cheapest_days, 0)} days of assignment."
    )


def describe_design(design: TrialDesign) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of assurance by length."""
    row = design.at(design.planned_days)
    title = (
        f"{plural(design.planned_days, 'day')} of assignment would ship something worth having in "
        f"{percent(row['right_rate'], 0)} of trials, of at most {percent(design.most, 0)}"
    )
    subtitle = (
        f"Share of {count(design.worlds)} simulated trials by days of assignment, true lifts drawn from the "
        f"belief, {plural(design.looks, 'look')}; if one is worthwhile: a scheme worth "
        f"{amount(design.worthwhile, design.kind, design.currency)}, the others nothing; band: 95 % "
        "confidence interval of the simulation."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_design(design)}


def design_frame(design: TrialDesign) -> pd.DataFrame:
    """Return every length with what it would tell, as a table; empty where there is no design."""
    if design.why_empty:
        return pd.DataFrame()
    table = design.table
    costs = {} if table["expected_cost"].isna().all() else {"amount_of_cost": table["expected_cost"]}
    return pd.DataFrame(
        {
            "assignment_days": table["days"],
            "members": table["members"],
            "p_shipping_something": table["assurance_rate"],
            "p_shipping_what_is_worth_it": table["right_rate"],
            "p_finding_the_worthwhile": table["found_rate"],
            "members_expected": table["expected_members"].round().astype(int),
            "until_decided_days": table["expected_days"].round().astype(int),
            **costs,
        }
    )


def describe_design_table(design: TrialDesign) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of lengths."""
    return {
        "title": "What a trial of each length would tell",
        "note": f"{count(design.worlds)} simulated trials each. Worth it: a true lift above the rope. Days "
        f"until decided hold {design.follow_up} days of follow-up.",
    }


def allocation_frame(design: TrialDesign) -> pd.DataFrame:
    """Return the planned and the cheapest division as a table; empty without costs."""
    if design.allocation.empty:
        return pd.DataFrame()
    table = design.allocation
    return pd.DataFrame(
        {
            "scheme": table["scheme"].map(plain_scheme),
            "amount_per_member": table["cost_per_member"],
            "planned_share": table["planned_share"],
            "cheapest_share": table["cheapest_share"],
            "members": table["members"],
            "amount_in_all": table["cost"],
        }
    )


def describe_allocation(design: TrialDesign) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of divisions."""
    saved = "no cheaper than planned" if design.saved < 0.005 else f"{percent(design.saved, 0)} cheaper"
    return {
        "title": f"The cheapest division of members with the same precision is {saved}",
        "note": f"More members where one costs less, and under control; {number(design.cheapest_days, 0)} "
        f"days of assignment against {design.planned_days}.",
    }


@register
def say_another_look(look: AnotherLook) -> str:
    """Say whether waiting for the next look is worth more than it costs."""
    if look.why_empty:
        return look.why_empty
    row = look.asked
    verdict = "is worth it" if look.pays else "costs more than it can gain"
    other, ships = (chances(float(row[name])) for name in ("p_other_choice", "p_ship"))
    return (
        f"Waiting for {count(row['members'])} more members {verdict}: for {count(look.audience)} members it "
        f"would gain {_worth(look, row['gain'])} and cost {_worth(look, row['price'])} on average. The best "
        f"guess now is {plain_scheme(look.now)}; that changes in {other} such looks, and the rule ships "
        f"something by then in {ships}. {_by_rule(look)}"
    )


def _by_rule(look: AnotherLook) -> str:
    """Say what waiting is worth to those who keep to the rule."""
    net, ships = float(look.asked["rule_net_gain"]), plain_scheme(look.by_rule)
    now = f"ships {ships}" if look.worth_by_rule > 0 else "ships nothing"
    worth = "gains" if net > 0 else "loses"
    return f"By the rule, which {now} today, waiting {worth} {_worth(look, abs(net))}."


def _worth(look: AnotherLook, value: float) -> str:
    if look.kind == "value":
        return money(value, look.currency, 0)
    return f"{number(value, 0)} members who {look.words}"


def looks_frame(look: AnotherLook) -> pd.DataFrame:
    """Return sizes of the next look with their gain and price, as a table; empty where there is none."""
    if look.why_empty:
        return pd.DataFrame()
    table = look.table
    gains = {"gained": "gain", "forgone": "price", "net": "net_gain", "net_by_rule": "rule_net_gain"}
    of_value = look.kind == "value"
    return pd.DataFrame(
        {
            "members_joining": table["members"],
            "p_another_choice": table["p_other_choice"],
            "p_shipping": table["p_ship"],
            **{f"amount_{name}" if of_value else f"{name}_members": table[of] for name, of in gains.items()},
        }
    )


def describe_looks(look: AnotherLook) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of next looks."""
    return {
        "title": "Waiting for the next look pays" if look.pays else "Waiting for the next look does not pay",
        "note": f"Expected over simulated looks, for {count(look.audience)} members that the choice is for. "
        "Gained: by a better choice afterwards. Forgone: by the members of the look, against the best "
        "guess of now, and its cost. By the rule: against what it does today, shipping only what it lets "
        "pass.",
    }
