"""What is said of whom to give a scheme to, and of whether groups gain alike."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.trial_after import Fairness
from sojourn.core.results.trial_targeting import EVERYONE, NO_ONE, UNDECIDED, UPLIFT, Policies
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import bounds, count, listing, money, number, percent, plural
from sojourn.report.say import register
from sojourn.report.trial_tables import with_stem
from sojourn.report.trials import either_way

# --- whom to give it to ---


@register
def say_policies(result: Policies) -> str:
    """Say whom the scheme should be given to, what that earns, and what targeting would add."""
    if result.why_empty:
        return result.why_empty
    scheme = plain_scheme(result.scheme)
    every, uplift = result.read(EVERYONE), result.read(UPLIFT, "against_everyone_amount")
    chosen = float(result.row(UPLIFT)["treated_share"])
    if chosen in (0, 1):
        told = (
            f"Given to everyone, {scheme} earns {_money(every, result)} for every {_thousand(result)} "
            f"({either_way(every, 0, 'more', 'less')}); it is expected to pay for "
            f"{'everybody' if chosen else 'nobody'}."
        )
        return f"{_answer(result)} {told}"
    told = (
        f"Given to everyone, {scheme} earns {_money(every, result)} for every {_thousand(result)} "
        f"({either_way(every, 0, 'more', 'less')}); given only to those for whom "
        f"it is expected to pay, {_money(uplift, result)} than that "
        f"({either_way(uplift, 0, 'more', 'less')})."
    )
    return f"{_answer(result)} {told}"


def _answer(result: Policies) -> str:
    scheme = plain_scheme(result.scheme)
    if result.best == UNDECIDED:
        return f"Undecided: no way of giving {scheme} surely earns more than giving it to no one."
    if result.best == EVERYONE:
        return f"Give {scheme} to everyone{result.members_are}: no choice of members surely earns more."
    if result.best == NO_ONE:
        return f"Give {scheme} to no one: no choice of members surely earns anything."
    share = percent(float(result.row(result.best)["treated_share"]), 0)
    return f"Give {scheme} to those of the {result.best} ({share} of members)."


def _thousand(result: Policies) -> str:
    """Return over whom and how long net value is told."""
    return f"1,000 members{result.members_are} within {result.horizon_days} days"


def _money(amount: Interval, result: Policies) -> str:
    word = "more" if amount.value >= 0 else "less"
    return f"{money(abs(amount.value), result.currency, 0)} {word}"


def describe_policies(result: Policies) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of policies."""
    subtitle = (
        f"Net value of {_thousand(result)} above giving {_scheme(result)} to no "
        f"one{_in(result)}, by whom it is given to; {count(result.members)} members. Highest risk and "
        "highest "
        f"value: the top {percent(result.share, 0)}; highest uplift: all for whom it is expected to pay. "
        "Bars: "
        f"{result.mass * 100:g} % confidence intervals, learning included."
    )
    return {"title": _answer(result).rstrip("."), "subtitle": subtitle, "alt": say_policies(result)}


def _scheme(result: Policies) -> str:
    return plain_scheme(result.scheme)


def _in(result: Policies) -> str:
    return f", in {result.currency}" if result.currency else ""


def describe_bands(result: Policies) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of thirds."""
    first, last = (float(result.bands["amount"].iloc[place]) for place in (0, -1))
    low, high = (
        float(result.bands[f"amount_{end}"].iloc[place]) for end, place in (("low", 0), ("high", -1))
    )
    if low > high:
        title = f"Those expected to gain most from {_scheme(result)} do gain more than the others"
    else:
        title = f"It cannot be told in advance who gains most from {_scheme(result)}"
    subtitle = (
        f"Net value per member{_in(result)} above {plain_scheme(result.control)}, in thirds of members by "
        f"uplift that was learned from others. Known beforehand: {_known(result)}. Bars: "
        f"{result.mass * 100:g} % confidence intervals."
    )
    alt = (
        f"Found in the third with the highest expected uplift: {number(first, 2, signed=True)}; in the "
        "lowest: "
        f"{number(last, 2, signed=True)}."
    )
    return {"title": title, "subtitle": subtitle, "alt": alt}


def _known(result: Policies) -> str:
    return listing([name.replace("_", " ") for name in result.knows])


def policies_frame(result: Policies) -> pd.DataFrame:
    """Return what every policy earns, for reading."""
    if result.table.empty:
        return result.table
    names = {
        "amount_per_1000": "amount_above_no_one",
        "against_everyone_amount": "amount_above_everyone",
        "treated_share": "share_of_members_given_it",
    }
    frame = result.table.rename(columns=lambda name: with_stem(name, names))
    return frame.rename(columns={"policy": "given_to"})


def describe_policies_table(result: Policies) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of policies."""
    return {
        "title": _answer(result).rstrip("."),
        "note": f"Net value of {_thousand(result)}{_in(result)}. Everybody is "
        f"judged by rules learned from others: {plural(result.splits, 'split')} into {result.folds} parts. "
        f"Known beforehand: {_known(result)}. {result.mass * 100:g} % confidence intervals, learning "
        "included.",
    }


# --- fairness ---


@register
def say_fairness(result: Fairness) -> str:
    """Say which two groups differ most in what they gain, and how probably they do."""
    if result.why_empty:
        return result.why_empty
    row = result.surest
    gap, grouping = result.read_gap(row), str(row["grouping"]).replace("_", " ")
    shown = gap if result.currency else gap.scaled(100)
    unit = f"{result.currency} a member" if result.currency else "members in 100"
    real = float(row["p_real"]) > result.sure
    start = (
        f"By {grouping}, {plain_scheme(row['scheme'])} does most for {row['most']} and least for "
        f"{row['least']}: {number(abs(shown.value), 2 if result.currency else 1)} {unit} apart "
        f"({bounds(shown, 2 if result.currency else 1)})"
    )
    chance = f"the gap is real with a probability of {percent(min(float(row['p_real']), 0.999))}"
    asked = f"{percent(result.sure)} are asked, as {plural(len(result.table), 'gap')} were looked at"
    meaning = "groups do not gain alike" if real else "no gap between groups is sure"
    return f"{start}; {chance} ({asked}), so {meaning}."


def describe_fairness(result: Fairness) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of groups."""
    row = result.surest
    grouping, scheme = str(row["grouping"]).replace("_", " "), plain_scheme(row["scheme"])
    title = (
        f"{scheme[:1].upper()}{scheme[1:]} does more for {row['most']} than for {row['least']}"
        if row["p_real"] > result.sure
        else "No group surely gains more from a scheme than another"
    )
    what = (
        f"{result.words}, in {result.currency}" if result.currency else f"members in 100 who {result.words}"
    )
    subtitle = (
        f"Difference between {scheme} and {plain_scheme(result.control)} by {grouping}, the grouping with "
        "the "
        f"surest gap: {what}. Circles: each group by itself. Bars: {result.mass * 100:g} % credible "
        "intervals, groups pooled."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_fairness(result)}


def gaps_frame(result: Fairness) -> pd.DataFrame:
    """Return the largest gap of every grouping, for reading."""
    if result.table.empty:
        return result.table
    named = result.table.assign(
        scheme=result.table["scheme"].map(plain_scheme),
        grouping=result.table["grouping"].str.replace("_", " "),
    )
    names = {"gap": "amount_apart" if result.currency else "lift_apart", "groups": "n_groups"}
    frame: pd.DataFrame = named.rename(columns=lambda name: with_stem(name, names))
    return frame


def describe_gaps(result: Fairness) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of gaps."""
    return {
        "title": describe_fairness(result)["title"],
        "note": f"The groups with the largest and the smallest expected difference from "
        f"{plain_scheme(result.control)}, and how probably the first gains more. A gap counts as sure above "
        f"{percent(result.sure)}. {result.mass * 100:g} % credible intervals, groups pooled.",
    }


def groups_frame(result: Fairness) -> pd.DataFrame:
    """Return lift and cost of every group, for reading."""
    if result.groups.empty:
        return result.groups
    named = result.groups.assign(
        scheme=result.groups["scheme"].map(plain_scheme),
        grouping=result.groups["grouping"].str.replace("_", " "),
    )
    if named["cost"].isna().all():
        named = named.drop(columns="cost")
    names = {"raw_lift": "alone_lift", "lift": "pooled_lift", "cost": "cost_per_member"}
    if result.currency:
        names |= {"raw_lift": "amount_alone", "lift": "amount_pooled"}
    frame: pd.DataFrame = named.rename(columns=lambda name: with_stem(name, names))
    return frame


def describe_groups(result: Fairness) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of groups."""
    return {
        "title": describe_fairness(result)["title"],
        "note": f"Difference from {plain_scheme(result.control)} by group: {result.words}. Alone: each group "
        f"by itself; pooled: with what is known of the others. {result.mass * 100:g} % credible intervals.",
    }
