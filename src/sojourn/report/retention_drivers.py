"""What is said of what goes with staying, of whether it does so at all times, and of landmark curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sojourn.core.interval import Interval, label
from sojourn.core.results.retention_drivers import Drivers, LandmarkCurves, ProportionalHazards
from sojourn.core.text import bounds, count, in_words, listing, number, plural
from sojourn.report.retention_words import CIRCLES, go, going, here, span, still, who
from sojourn.report.say import register

#: Sentences name at most so many levels.
_MOST_NAMED = 3
#: Differences are between members made alike in the other columns shown, and in nothing else.
_ALIKE = "alike in what else was recorded"

# --- what goes with staying ---


@register
def say_drivers(result: Drivers) -> str:
    """Say which levels clearly differ, how much of that remains of the crude gap, and what it is not."""
    if result.why_empty:
        return result.why_empty
    clear = result.clear()
    if clear.empty:
        return f"{_nothing(result)}. {_observed(result)}"
    said = [_difference(result, row) for row in clear.iloc[:_MOST_NAMED].to_dict("records")]
    more = len(clear) - len(said)
    rest = f" {plural(more, 'further group')} of {len(result.table)} also clearly differ." if more > 0 else ""
    when = f"After {span(result.horizon, result.unit)}, if {_ALIKE} at joining, {still(result)} are"
    return f"{when} {'; '.join(said)}.{rest} {_crude(clear)}{_observed(result)}"


def _difference(result: Drivers, row: Mapping[Any, Any]) -> str:
    apart = result.difference(row["column"], row["level"]).scaled(100)
    level, other = (who(row["column"], row[name]) for name in ("level", "against"))
    size = apart.size()
    return f"{number(size.value)} {_way(apart)} in 100 of {level} than of {other} ({bounds(size)})"


def _way(difference: Interval) -> str:
    return "more" if difference.value >= 0 else "fewer"


def _crude(clear: pd.DataFrame) -> str:
    """Say how far apart the levels are before others are made alike, where that differs."""
    row: Any = clear.iloc[0]
    ratio = float(row["ratio_to_crude"])
    if not 0 < ratio < float("inf") or abs(ratio - 1) < 0.1:
        return ""
    return (
        f"Without making other columns alike, the first of these gaps is "
        f"{number(abs(100 * row['crude_points']))} in 100. "
    )


def _observed(result: Drivers | LandmarkCurves) -> str:
    return f"Groups differ in more than their name: what goes with {_staying(result)} need not be its cause."


def _staying(result: Drivers | LandmarkCurves) -> str:
    return "staying" if result.leaving == "cancellation" else "staying active"


def _nothing(result: Drivers) -> str:
    return f"Nothing that is known at joining goes clearly with {_staying(result)}"


def brief_drivers(result: Drivers) -> str:
    """Say in one short sentence what goes most with staying; or nothing."""
    clear = result.clear()
    if clear.empty:
        return f"{_nothing(result)}."
    return f"{_largest(result, clear)}, if {_ALIKE}."


def _largest(result: Drivers, clear: pd.DataFrame) -> str:
    """Say the largest clear difference with its interval, without what is made alike."""
    row: Any = clear.iloc[0]
    gap = _in_100(result.difference(row["column"], row["level"]).scaled(100))
    level, other = (who(row["column"], row[name]) for name in ("level", "against"))
    when = f"After {span(result.horizon, result.unit)}"
    return f"{when}, {gap} of {level} are {still(result)} than of {_those(other)}"


def _in_100(difference: Interval) -> str:
    """Print a difference as so many more or fewer in 100, with its interval."""
    return in_words(difference.size(), f"{_way(difference)} in 100")


def _those(members: str) -> str:
    """Shorten the second of two names of members."""
    return f"those{members.removeprefix('members')}" if members.startswith("members ") else members


def describe_drivers(result: Drivers) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of differences."""
    rows = [
        f"{who(row['column'], row['level'])} {number(100 * row['difference_points'], signed=True)}"
        for row in result.drawn().to_dict("records")
    ]
    alt = f"Differences in members in 100 with their intervals around a line at 0: {'; '.join(rows)}."
    return {"title": _title(result), "subtitle": _subtitle(result), "alt": alt}


def _title(result: Drivers) -> str:
    clear = result.clear()
    if clear.empty:
        return _nothing(result)
    return f"{_largest(result, clear)}, {_ALIKE}"


def _subtitle(result: Drivers) -> str:
    sentences = [
        f"How many more members in 100 are {still(result)} after {span(result.horizon, result.unit)} than in",
        f"the largest group of the same kind, if both had the mix of all {count(result.members)} members in",
        f"everything else shown. Bars: {label(result.mass, 'wald')} that holds for all {len(result.table)}",
        "together (Bonferroni); blue where it does not reach 0.",
    ]
    if "true_points" in result.table:
        sentences.append(CIRCLES)
    if result.merged:
        merged = [f"{column.replace('_', ' ')} {listing(list(m))}" for column, m in result.merged.items()]
        sentences.append(f"Counted as other, for being small: {'; '.join(merged)}.")
    if result.left_out:
        sentences.append(f"Cannot be told from the rest: {listing(list(result.left_out))}.")
    if len(result.drawn()) < len(result.table):
        sentences.append(f"The {len(result.drawn())} largest differences are drawn.")
    sentences.append(_observed(result))
    return " ".join(sentences)


# --- whether it does so at all times ---


@register
def say_proportional(result: ProportionalHazards) -> str:
    """Say whether hazard ratios hold at all times, and how those that do not change."""
    if result.why_empty:
        return result.why_empty
    if not result.changing:
        return (
            f"No sure sign that what goes with {going(result)} does so more at some times than at others "
            "(score test of proportional hazards)."
        )
    said = [_changes(result, column) for column in result.changing[:_MOST_NAMED]]
    return " ".join(said)


def _changes(result: ProportionalHazards, column: str) -> str:
    """Say how the hazard ratio of the level that changes most moves from its first period to its last."""
    name = column.replace("_", " ")
    rows = result.periods[result.periods["column"] == column]
    ends = rows.groupby("level", sort=False)["hazard_ratio"].agg(["first", "last", "size"])
    ends = ends[ends["size"] > 1]
    if ends.empty:
        return f"What {name} goes with changes with time."
    moves = (ends["last"] / ends["first"]).map(lambda ratio: max(ratio, 1 / ratio))
    level = str(moves.idxmax())
    of = rows[rows["level"] == level]
    first, last = of.iloc[0], of.iloc[-1]
    return (
        f"What {name} goes with changes with time: {who(column, level)} {go(result)} {_times(first)} as fast "
        f"as {who(column, first['against'])} up to {result.unit} {count(first['duration'])}, {_times(last)} "
        f"as fast after {result.unit} {count(last['duration_from'])}."
    )


def _times(row: Any) -> str:
    return f"{number(row['hazard_ratio'], 2)} times"


def brief_proportional(result: ProportionalHazards) -> str:
    """Say in one short sentence what changes with time; or nothing."""
    if not result.changing:
        return ""
    names = listing([column.replace("_", " ") for column in result.changing])
    return f"What {names} goes with changes over the time with us."


def describe_proportional(result: ProportionalHazards) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of effects over time."""
    first: Any = result.table.iloc[0]
    name = first["column"].replace("_", " ")
    title = f"No sure change over time in what {name} goes with"
    if first["changes"]:
        title = f"What {name} goes with changes with time"
    against = result.smooth_against
    subtitle = (
        f"How many times as fast members {go(result)} as {who(first['column'], against)} do, {_ALIKE}, "
        f"by {result.unit}s since joining: hazard ratios, smoothed (scaled Schoenfeld residuals). Bands: "
        f"pointwise {label(result.mass, 'wald')}. Of {plural(len(result.table), 'column')}, {name} has the "
        f"clearest sign of change: {_chance(first['p_value'])} (score test, Holm)."
    )
    ends = [
        f"{level} from {number(of['hazard_ratio'].iloc[0], 2)} to {number(of['hazard_ratio'].iloc[-1], 2)}"
        for level, of in result.drawn().groupby("level", sort=False)
    ]
    alt = f"Lines of hazard ratios over time around a line at 1: {'; '.join(ends)}."
    return {"title": title, "subtitle": subtitle, "alt": alt}


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3)}"


# --- what is known only later ---


def group_then(result: LandmarkCurves, group: str) -> str:
    """Name the members of a group at the landmark."""
    when = f"{result.unit} {count(result.landmark)}"
    if result.by == "active_days":
        return f"members with {group} active days by {when}"
    return f"{who('plan', group)} at {when}"


@register
def say_landmark(result: LandmarkCurves) -> str:
    """Say how the groups of a landmark differ from the largest, from then on."""
    if result.why_empty:
        return result.why_empty
    clear = _clear(result)
    if clear.empty:
        return f"{_alike(result)}. {_read(result)}"
    said = [_gap(result, row) for row in clear.iloc[:_MOST_NAMED].to_dict("records")]
    largest = group_then(result, result.against)
    return f"{_when(result)}, {still(result)} are {listing(said)} than of {largest}. {_read(result)}"


def _clear(result: LandmarkCurves) -> pd.DataFrame:
    rows = result.differences
    sure = rows[rows["difference_points_low"] * rows["difference_points_high"] > 0]
    size = sure["difference_points"].abs()
    return sure.assign(size=size).sort_values(["size", "group"], ascending=[False, True])


def _alike(result: LandmarkCurves) -> str:
    known = {"active_days": "their first active days", "plan_then": "the plan they had then"}[result.by]
    return f"Members do not clearly part by {known}"


def _gap(result: LandmarkCurves, row: Mapping[Any, Any]) -> str:
    apart = _interval(result, row)
    return in_words(apart.size(), f"{_way(apart)} in 100 of {group_then(result, row['group'])}")


def _interval(result: LandmarkCurves, row: Mapping[Any, Any]) -> Interval:
    return Interval.of(row, "difference_points", result.mass, "wald").scaled(100)


def _read(result: LandmarkCurves) -> str:
    return (
        f"Members count from {result.unit} {count(result.landmark)} on: grouped from joining on, they would "
        f"be credited with the time they had to stay to be in their group. {_observed(result)}"
    )


def brief_landmark(result: LandmarkCurves) -> str:
    """Say in one short sentence how the most different group of a landmark fares; or nothing."""
    clear = _clear(result)
    return "" if clear.empty else f"{_largest_then(result, clear)}."


def _largest_then(result: LandmarkCurves, clear: pd.DataFrame) -> str:
    """Say the largest clear difference between groups of a landmark, with its interval."""
    row: Any = clear.iloc[0]
    gap = _in_100(_interval(result, row))
    level, other = f"members with {row['group']} active days", f"those with {result.against}"
    if result.by == "plan_then":
        level, other = who("plan", row["group"]), who("plan", result.against)
    return f"{_when(result)}, {gap} of {level} are {still(result)} than of {other}"


def _when(result: LandmarkCurves) -> str:
    return f"{span(result.horizon, result.unit)} after {result.unit} {count(result.landmark)}"


def describe_landmark(result: LandmarkCurves) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of landmark curves."""
    clear = _clear(result)
    title = _largest_then(result, clear) if len(clear) else _alike(result)
    small = (
        f" {plural(result.too_small, 'group is', 'groups are')} too small to show."
        if result.too_small
        else ""
    )
    bands = f"Bands: pointwise {label(result.mass, 'log-log')}."
    subtitle = f"{_shares(result)} {bands}{small} {_read(result)}{_known_late(result)}"
    at = result.drawn().groupby("group", sort=False)["retained"].last()
    ends = [f"{group_then(result, str(group))} {number(100 * share)} in 100" for group, share in at.items()]
    alt = f"Falling step curves from {result.unit} {result.landmark} on; at the end: {'; '.join(ends)}."
    return {"title": title, "subtitle": subtitle, "alt": alt}


def _known_late(result: LandmarkCurves) -> str:
    """Say, where leaving is silence, that nobody knows at the landmark who is still active."""
    if result.leaving == "cancellation":
        return ""
    at = f"{result.unit} {count(result.landmark)}"
    return (
        f" Who was still active on {at} is known only a whole silence later, so this cannot pick members on "
        f"{at}."
    )


def _shares(result: LandmarkCurves) -> str:
    by = {"active_days": "active days by then", "plan_then": "plan then"}[result.by]
    when = f"{result.unit} {count(result.landmark)}"
    return (
        f"Of members who were {here(result)} on {when}, the share who are {still(result)}, by "
        f"{result.unit}s since {when} and by {by}."
    )
