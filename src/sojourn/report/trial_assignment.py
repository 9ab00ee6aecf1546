"""What is said of how members came to their schemes, and of what is not known of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sojourn.core.results.trial_assignment import (
    Balance,
    Clustered,
    Mismatch,
    MissingOutcomes,
    Overlaps,
    SplitByDay,
)
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import count, number, percent, plural, points
from sojourn.report.say import register

#: Below this p-value something is said to be found.
_FOUND = 0.01
#: So many groups are listed.
_MOST_LEVELS = 12

# --- the split by day ---------------------------------------------------------------------------------


@register
def say_split_by_day(found: SplitByDay) -> str:
    """Say whether the division went wrong while the trial ran, and since when that was sure."""
    if found.why_empty:
        return found.why_empty
    last = _row(found.table, -1)
    shares = (
        f"{plain_scheme(last['scheme'])} has {percent(last['share'], 2)} of {count(last['assigned'])} "
        f"members where {percent(last['planned_share'], 2)} were planned"
    )
    if found.alarm_day is None:
        return f"Looked at on {plural(len(found.table), 'day')}, the division raised no alarm: {shares}."
    return f"The division was surely wrong from day {found.alarm_day} on: {shares}."


def describe_split_by_day(found: SplitByDay) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the split by day."""
    title = (
        "On no day did the division of members raise an alarm"
        if found.alarm_day is None
        else f"The division of members raised an alarm on day {found.alarm_day}"
    )
    return {
        "title": title,
        "subtitle": "p-value of the planned division after every day of assignment, valid however often one "
        "looks; below the line is an alarm.",
        "alt": say_split_by_day(found),
    }


# --- balance ------------------------------------------------------------------------------------------


@register
def say_balance(found: Balance) -> str:
    """Say whether schemes were alike before they began."""
    if found.why_empty:
        return found.why_empty
    worst = _row(found.table, int(found.table["difference"].abs().to_numpy().argmax()))
    said = (
        f"the largest difference, {_named(worst['covariate'])} under {plain_scheme(worst['scheme'])}, is "
        f"{number(worst['difference'], 3, signed=True)} standard deviations of a member"
    )
    if found.p_value < _FOUND:
        return f"Schemes differed before they began: {said}."
    return f"Schemes were alike before they began: {said}, as chance makes it."


def describe_balance(found: Balance) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of balance."""
    alike = found.p_value >= _FOUND
    return {
        "title": "Schemes were alike before they began" if alike else "Schemes differed before they began",
        "subtitle": "Difference from control in what was so before assignment, in standard deviations of a "
        f"member; bars: {found.mass * 100:g} % confidence intervals.",
        "alt": say_balance(found),
    }


# --- whose division is unlike -------------------------------------------------------------------------


@register
def say_mismatch(found: Mismatch) -> str:
    """Say in which group of members the division is unlike that of the others."""
    if found.why_empty:
        return found.why_empty
    top = _row(found.table, 0)
    group = f"{top['column']} {top['level']}"
    said = (
        f"{percent(top['share'])} under {plain_scheme(top['scheme'])}, where it is "
        f"{percent(top['share_elsewhere'])} among all others"
    )
    if found.p_value < _FOUND:
        return f"Members with {group} were divided unlike all others: {said}."
    return f"No group was divided in a way of its own; the most unlike is {group}: {said}."


def mismatch_frame(found: Mismatch) -> pd.DataFrame:
    """Return the groups that are most unlike the others, for reading."""
    if found.table.empty:
        return found.table
    shown = found.table.head(_MOST_LEVELS).drop(columns="p_value")
    return shown.assign(scheme=shown["scheme"].map(plain_scheme)).rename(columns={"p_adjusted": "p_value"})


def describe_mismatch(found: Mismatch) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of groups."""
    top = _row(found.table, 0)
    title = (
        f"Members with {top['column']} {top['level']} were divided unlike all others"
        if found.p_value < _FOUND
        else "No group of members was divided in a way of its own"
    )
    return {
        "title": title,
        "note": f"The {min(len(found.table), _MOST_LEVELS)} most unlike of {len(found.table)} groups known "
        "before assignment; share of the scheme that is furthest from the others. p-values are for all "
        "groups together (Holm).",
    }


# --- missing outcomes ---------------------------------------------------------------------------------


@register
def say_missing(found: MissingOutcomes) -> str:
    """Say how many outcomes are not known, and what they could hide."""
    if found.why_empty:
        return found.why_empty
    if not found.share:
        return f"{_none_missing(found)}."
    lifts = found.table.dropna(subset=["lift"])
    widest = _row(lifts, int((lifts["worst_high"] - lifts["worst_low"]).to_numpy().argmax()))
    unequal = "unequally" if found.p_value < _FOUND else "equally, as far as can be told"
    return (
        f"Up to {percent(found.share)} of a scheme's outcomes cannot be known, {unequal}. Whatever they "
        f"were, the lift of {plain_scheme(widest['scheme'])} lies between "
        f"{points(widest['worst_low'], signed=True)} and {points(widest['worst_high'], signed=True)} in 100."
    )


def _none_missing(found: MissingOutcomes) -> str:
    few = f"Of every scheme fewer than {plural(found.hidden_below, 'outcome')} cannot be known, if any"
    return few if found.hidden_below else "Every outcome is known"


def missing_frame(found: MissingOutcomes) -> pd.DataFrame:
    """Return missing outcomes by scheme, for reading."""
    if found.table.empty:
        return found.table
    shown = found.table.rename(columns={"worst_low": "lift_low", "worst_high": "lift_high"})
    columns = ["outcome", "scheme", "assigned", "known", "missing_share", "lift", "lift_low", "lift_high"]
    return shown.assign(scheme=shown["scheme"].map(plain_scheme), outcome=shown["outcome"].map(_named))[
        columns
    ]


def describe_missing(found: MissingOutcomes) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of missing outcomes."""
    title = (
        _none_missing(found)
        if not found.share
        else "Outcomes are missing unequally"
        if found.p_value < _FOUND
        else "Schemes are alike in how many outcomes are missing"
    )
    return {
        "title": title,
        "note": "Members assigned in months that are followed to their end. In brackets the lift if all "
        "missing outcomes were as bad, and as good, as can be; no probability belongs to these bounds.",
    }


# --- other trials -------------------------------------------------------------------------------------


@register
def say_overlaps(found: Overlaps) -> str:
    """Say whether another trial is in the way."""
    if found.why_empty:
        return found.why_empty
    table = found.table
    crossed = table[table["p_together"] < _FOUND]["trial"]
    changed = table[table["p_interaction"] < _FOUND]["trial"]
    said = [f"members were not divided independently of {name}" for name in crossed]
    said += [f"the lift depends on {name}" for name in changed]
    if not said and len(table) == 1:
        return "The one other trial at the same time is not in the way."
    if not said:
        return f"None of {plural(len(table), 'other trial')} at the same time is in the way."
    return f"Other trials are in the way: {'; '.join(said)}."


def overlaps_frame(found: Overlaps) -> pd.DataFrame:
    """Return both questions asked of every other trial, for reading: the most in the way first."""
    if found.table.empty:
        return found.table
    asked = {"p_together": "divided independently", "p_interaction": "same lift under all its schemes"}
    rows = [
        found.table[["trial", "members"]].assign(asked=words, p_value=found.table[name])
        for name, words in asked.items()
    ]
    rows[1]["lifts_apart_points"] = found.table["largest"]
    return pd.concat(rows).sort_values(["p_value", "trial", "asked"], kind="stable", ignore_index=True)


def describe_overlaps(found: Overlaps) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of other trials."""
    sure = found.table[["p_together", "p_interaction"]].to_numpy().min() < _FOUND
    return {
        "title": "Another trial is in the way" if sure else "No other trial is in the way",
        "note": "Members who were in the other trial before their last horizon; lifts are those of "
        f"{_named(found.outcome)}, and how far they are apart at most. p-values are for all of it together "
        "(Holm).",
    }


# --- units assigned as a whole ------------------------------------------------------------------------


@register
def say_clustered(found: Clustered) -> str:
    """Say how much wider intervals are when what was assigned together counts as one."""
    if found.why_empty:
        return found.why_empty
    worst = _row(found.table, int(found.table["design_effect"].to_numpy().argmax()))
    factor = max(worst["design_effect"], 0.0) ** 0.5
    return (
        f"{plural(worst['clusters'], 'unit')} were assigned as a whole: counted by unit, the interval of "
        f"{_named(worst['outcome'])} is {number(factor, 1)} times as wide as counted by member."
    )


def clustered_frame(found: Clustered) -> pd.DataFrame:
    """Return lifts by unit, for reading; those of shares in members in 100."""
    if found.table.empty:
        return found.table
    shown = found.table.assign(
        scheme=found.table["scheme"].map(plain_scheme), outcome=found.table["outcome"].map(_named)
    )
    factor = found.table["outcome"].isin(found.shares).map({True: 100.0, False: 1.0})
    bounds = {f"difference{end}": shown[f"lift{end}"] * factor for end in ("", "_low", "_high")}
    return shown.assign(**bounds)[["outcome", "scheme", "clusters", "n", *bounds, "design_effect"]]


def describe_clustered(found: Clustered) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of lifts by unit."""
    return {
        "title": "Lifts when what was assigned together counts as one",
        "note": f"{found.mass * 100:g} % confidence intervals by unit (Student's t). Shares in members in "
        "100, values in currency per member. Design effect: variance by unit over variance by member.",
    }


def _row(table: pd.DataFrame, place: int) -> dict[str, Any]:
    """Return one row by name of column."""
    return {str(name): table[name].iloc[place] for name in table.columns}


def _named(name: str) -> str:
    return name.replace("_", " ")
