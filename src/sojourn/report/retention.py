"""What retention results say: the answer, key figures and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.retention import (
    EVERYONE,
    CohortTriangle,
    Contrast,
    Contrasts,
    DayN,
    LogRank,
    LossRate,
    RetentionCurve,
)
from sojourn.core.text import bounds, count, in_words, listing, number, percent, plural
from sojourn.report.retention_words import gone, meaning, of_100, span, still, who
from sojourn.report.say import register

#: Leaving before and after the horizon at rates this far apart counts as slowing down or speeding up.
UNSTEADY = 1.5
_MOST_TREND = 60


def headline_retention(
    curve: RetentionCurve, checks: Sequence[Check], *, horizon: int, horizons: Sequence[int]
) -> Headline:
    """Return the answer: how many of 100 new members are still there at the horizon.

    Parameters
    ----------
    curve : RetentionCurve
        Of everybody.
    checks : sequence of Check
        A failed one blocks the answer.
    horizon : int
        Duration of the answer.
    horizons : sequence of int
        Further durations; the first and last decide the verdict (`pattern`).
    """
    try:
        kept = curve.retained(horizon)
    except UndefinedError:
        longest = span(int(curve.followed_to[EVERYONE]), curve.unit)
        sentence = (
            f"Members have been followed for at most {longest}, too briefly for an answer at {horizon}."
        )
        return Headline(sentence, "followed too briefly", "not possible")
    verdict, pace = pattern(curve, horizon, horizons)
    blocked = [check.name for check in checks if check.blocks]
    claimed = bool(curve.only([EVERYONE]).at([horizon])["claimed"].iloc[0])
    bare = f"{number(100 * kept.value)} (too few have left for an interval)"
    shown = of_100(kept) if claimed else bare
    return Headline(
        sentence=f"Of 100 new members, {shown} are {still(curve)} after {span(horizon, curve.unit)}.",
        verdict="cannot be relied on" if blocked else verdict,
        status="blocked" if blocked else "ok",
        interval=kept.scaled(100) if claimed else None,
        unit="members in 100",
        detail=" ".join(filter(None, (_blocked(blocked), meaning(curve), pace))),
    )


def pattern(curve: RetentionCurve, horizon: int, horizons: Sequence[int]) -> tuple[str, str]:
    """Return the verdict and the sentence behind it.

    Rule: at most half are left after the first of `horizons`: most leave within it. Else members leave, on
    average per unit of time, at least `UNSTEADY` times as fast before the horizon as after it (up to the last
    of `horizons`): losses slow down; at most 1 / `UNSTEADY` times: they speed up; else they are steady.
    """
    longest = int(curve.followed_to[EVERYONE])
    first, last = min(horizons), max(h for h in (*horizons, horizon) if h <= longest)
    if first <= longest and curve.retained(first).value <= 0.5:
        return f"most leave within {span(first, curve.unit)}", ""
    ratio = _pace(curve, horizon, last)
    if ratio is None:
        kept = curve.retained(horizon).value
        return ("most stay" if kept > 0.5 else "most leave"), ""
    said = (
        f"Members left {number(ratio)} times as fast in the first {span(horizon, curve.unit)} as from then "
        f"to {last} {curve.unit}s."
    )
    if ratio >= UNSTEADY:
        return f"losses slow after {span(horizon, curve.unit)}", said
    return ("losses speed up" if ratio <= 1 / UNSTEADY else "losses are steady"), said


def _pace(curve: RetentionCurve, horizon: int, last: int) -> float | None:
    """Return the mean rate of leaving before the horizon over that after it; None where it has no meaning."""
    early, late = curve.retained(horizon).value, curve.retained(last).value
    if last == horizon or late <= 0 or late == early:
        return None
    return (-math.log(early) / horizon) / (math.log(early / late) / (last - horizon))


def _blocked(names: Sequence[str]) -> str:
    return f"Not to be relied on, because of: {listing(list(names)).lower()}." if names else ""


def key_figures_retention(curve: RetentionCurve, *, horizons: Sequence[int], until: int) -> list[KeyFigure]:
    """Return members, the share kept at up to three horizons, and the mean time with us."""
    longest = int(curve.followed_to[EVERYONE])
    rows = curve.only([EVERYONE]).table
    reached = [h for h in sorted(horizons)[:3] if h <= longest]
    figures = [_members_figure(curve, reached[-1] if reached else longest)]
    figures += [_kept_figure(curve, h, rows) for h in reached]
    if until <= longest:
        mean = curve.mean(until)
        label = f"Mean time with us within the first {span(until, curve.unit)}"
        figures.append(KeyFigure(label, f"{number(mean.value)} {curve.unit}s", bounds(mean)))
    return figures


def _members_figure(curve: RetentionCurve, last: int) -> KeyFigure:
    at_risk = int(curve.only([EVERYONE]).at([last])["at_risk"].iloc[0])
    after = f"{count(at_risk)} still observed at {span(last, curve.unit)}"
    return KeyFigure("Members", count(int(curve.members[EVERYONE])), after)


def _kept_figure(curve: RetentionCurve, horizon: int, rows: pd.DataFrame) -> KeyFigure:
    kept = curve.retained(horizon)
    claimed = bool(rows.loc[rows["duration"] == horizon, "claimed"].iloc[0])
    interval = bounds(kept.scaled(100)) if claimed else "too few have left for an interval"
    label = still(curve).capitalize() + f" after {span(horizon, curve.unit)}"
    grid = np.unique(np.linspace(0, horizon, min(_MOST_TREND, horizon + 1)).astype(int))
    trend = rows.loc[rows["duration"].isin(grid), "retained"].round(4).tolist()
    return KeyFigure(label, percent(kept.value), interval, trend)


@register
def say_curve(curve: RetentionCurve) -> str:
    """Say when half have left, group by group where it is known, and how far the curve reaches."""
    return " ".join(_say_group(curve, group) for group in curve.drawn()["group"].unique())


def _say_group(curve: RetentionCurve, group: str) -> str:
    name = who(curve.by, group)
    try:
        half = curve.median(group)
    except UndefinedError:
        end = int(curve.followed_to[group])
        kept = percent(curve.retained(end, group).value)
        return f"After {span(end, curve.unit)}, the longest follow-up, {kept} of {name} are {still(curve)}."
    if half.value == 0:
        return f"At least half of {name} {gone(curve)} at once."
    upper = number(half.high, 0) if math.isfinite(half.high) else "more than was followed"
    interval = f"{half.label} {number(half.low, 0)} to {upper}"
    return f"Half of {name} {gone(curve)} within {span(half.value, curve.unit)} ({interval})."


@register
def say_day_n(result: DayN) -> str:
    """Say what counting gives at the last duration, for the largest group."""
    if result.why_empty:
        return result.why_empty
    row = result.table.sort_values(["duration", "matured"]).iloc[-1]
    kept = Interval(row["retained"], row["retained_low"], row["retained_high"], result.mass, "exact")
    return (
        f"Of {count(row['matured'])} {who(result.by, row['group'])}, all followed for "
        f"{span(row['duration'], result.unit)}, {in_words(kept.scaled(100), '%')} were still there."
    )


@register
def say_triangle(triangle: CohortTriangle) -> str:
    """Say which joining months kept most and fewest at the first age."""
    if triangle.why_empty:
        return triangle.why_empty
    first = triangle.table[triangle.table["duration"] == triangle.table["duration"].min()]
    most, least = (first.loc[pick] for pick in (first["retained"].idxmax(), first["retained"].idxmin()))
    after = span(int(most["duration"]), triangle.unit)
    if len(first) == 1:
        return f"After {after} the members who joined in {most['cohort']} kept {percent(most['retained'])}."
    return (
        f"After {after} between {percent(least['retained'])} (joined in {least['cohort']}) and "
        f"{percent(most['retained'])} (joined in {most['cohort']}) were still there."
    )


@register
def say_loss_rate(rate: LossRate) -> str:
    """Say in which period members left fastest."""
    if rate.table.empty:
        return f"Nobody has been followed for {span(rate.width, rate.unit)} yet."
    peak: Any = rate.drawn().loc[rate.drawn()["rate"].idxmax()]
    share = Interval(peak["rate"], peak["rate_low"], peak["rate_high"], rate.mass, "exact").scaled(100)
    at_once = f"{plural(rate.at_once, 'member')} left at once. " if rate.at_once else ""
    return (
        f"{at_once}Members left fastest from {rate.unit} {int(peak['duration_from'])} to "
        f"{int(peak['duration'])}: "
        f"{in_words(share, 'in 100')} within {span(rate.width, rate.unit)}."
    )


@register
def say_contrast(contrast: Contrast) -> str:
    """Say how much longer one group stays than the other."""
    way = "longer" if contrast.difference.value >= 0 else "less long"
    shown = contrast.difference if way == "longer" else _turned(contrast.difference)
    return (
        f"Within {span(contrast.until, contrast.unit)}, {contrast.a} stay "
        f"{in_words(shown, f'{contrast.unit}s')} {way} than {contrast.b}."
    )


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low, interval.mass, interval.kind)


@register
def say_contrasts(contrasts: Contrasts) -> str:
    """Say who stays longer than the largest group, who less long, and for whom that is open."""
    if contrasts.why_empty:
        return contrasts.why_empty
    table, said = contrasts.table, []
    ways = {
        "longer": table[table["difference_low"] > 0],
        "less long": table[table["difference_high"] < 0],
    }
    for way, rows in ways.items():
        if len(rows):
            said.append(f"{listing([_gap(contrasts, row) for _, row in rows.iterrows()])} {way}")
    largest = who(contrasts.by, contrasts.against)
    within = f"Within {span(contrasts.until, contrasts.unit)}"
    if not said:
        return f"{within} no group stays clearly longer or less long than {largest}, the largest group."
    found = "; ".join(said)
    return f"{within}, compared with {largest}: {found}. This goes with the group, it need not be due to it."


def _gap(contrasts: Contrasts, row: Any) -> str:
    ends = sorted((abs(row["difference_low"]), abs(row["difference_high"])))
    return (
        f"{who(contrasts.by, row['group'])} stay {number(abs(row['difference']))} "
        f"({number(ends[0])} to {number(ends[1])}) {contrasts.unit}s"
    )


@register
def say_log_rank(test: LogRank) -> str:
    """Say whether groups leave alike."""
    chance = "less than 1 in 1,000" if test.p_value < 0.001 else f"{number(test.p_value, 3)}"
    return (
        f"If all groups by {test.by} left alike over the whole time followed, differences as large as these "
        f"would have a probability of {chance} (log-rank test, {plural(test.df, 'degree')} of freedom)."
    )
