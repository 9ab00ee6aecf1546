"""What retention results say: the answer, key figures and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.results.check import Check
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.retention import EVERYONE, CohortTriangle, DayN, LossRate, RetentionCurve
from sojourn.core.results.retention_groups import Contrast, Contrasts, LogRank
from sojourn.core.text import bounds, count, in_words, listing, number, percent, plural, ranged
from sojourn.report.retention_brief import brief
from sojourn.report.retention_words import (
    at_once,
    go,
    gone,
    mean_time,
    meaning,
    of_100,
    once,
    span,
    stay,
    still,
    who,
)
from sojourn.report.say import register

#: Leaving before and after the horizon at rates surely this far apart is slowing down or speeding up.
UNSTEADY = 1.5
#: Left at once: from this share on it belongs to the verdict.
MANY_AT_ONCE = 0.1
#: Checks whose warning changes how the answer is read, and so belongs beside it.
BESIDE = ("Silence means leaving", "Older and newer members fare alike", "New members are new")
_MOST_TREND = 60


def headline_retention(
    curve: RetentionCurve,
    checks: Sequence[Check],
    *,
    horizon: int,
    horizons: Sequence[int],
    beside: Sequence[Any] = (),
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
    beside : sequence of results
        When members are lost, who stays, why they leave, what comes next: one short sentence each.
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
    shown = of_100(kept) if claimed else _bare(kept.value)
    briefs = [brief(result) for result in beside]
    lost = at_once(curve.lost_at_once, curve.since, curve.lapse)
    said = [lost, *briefs] if any(briefs) else [pace]
    return Headline(
        sentence=f"Of 100 {_newcomers(curve)}, {shown} are {still(curve)} after {span(horizon, curve.unit)}.",
        verdict="cannot be relied on" if blocked else verdict,
        status="blocked" if blocked else "ok",
        interval=kept.scaled(100) if claimed else None,
        unit="members in 100",
        detail=" ".join(filter(None, (_blocked(blocked), meaning(curve), *said, *_beside(checks)))),
    )


def _bare(share: float) -> str:
    """Print members in 100 where too few have left for an interval; where none is counted, in a word.

    Rule: nobody seen to leave, exactly or after rounding, is no proof that nobody leaves.
    """
    if share == 1:
        return "nearly all (too few have left for a number)"
    return f"{number(100 * share)} (too few have left for an interval)"


def _newcomers(curve: RetentionCurve) -> str:
    return "new members" if curve.since == "joining" else f"members followed from their {curve.since}"


def _beside(checks: Sequence[Check]) -> list[str]:
    return [check.finding for check in checks if check.name in BESIDE and has_found(check)]


def has_found(check: Check) -> bool:
    """Whether a check warns because something was found, not because little or nothing could be seen."""
    return check.verdict == "warn" and not check.finding.startswith(("Not known", "No clear difference"))


def pattern(curve: RetentionCurve, horizon: int, horizons: Sequence[int]) -> tuple[str, str]:
    """Return the verdict and the sentence behind it.

    Rule: at most half are left at once, or after the first of `horizons`: most leave within it. Else members
    leave, on average per unit of time, surely more than `UNSTEADY` times as fast before the horizon as after
    it (up to the last of `horizons`): losses slow down; surely less than 1 / `UNSTEADY` times: they speed
    up. Somewhat, where only equal rates can be ruled out; else they are steady. Where `MANY_AT_ONCE` or more
    left at once, which belongs to neither rate, that is said first.
    """
    longest = int(curve.followed_to[EVERYONE])
    first, last = min(horizons), max(h for h in (*horizons, horizon) if h <= longest)
    lost = at_once(curve.lost_at_once, curve.since, curve.lapse)
    if curve.lost_at_once >= 0.5:
        return f"most {_at_once(curve)}" + (", then pause" if curve.since != "joining" else ""), lost
    if first <= longest and curve.retained(first).value <= 0.5:
        return f"most {go(curve)} within {span(first, curve.unit)}", lost
    ratio = pace(curve, horizon, last)
    if ratio is None:
        kept = curve.retained(horizon).value
        return (f"most {stay(curve)}" if kept > 0.5 else f"most {go(curve)}"), lost
    said = (
        f"Members {gone(curve)} {in_words(ratio, 'times')} as fast in the first {span(horizon, curve.unit)} "
        f"as from then to {last} {curve.unit}s."
    )
    many = f"many {_at_once(curve)}, then " if curve.lost_at_once >= MANY_AT_ONCE else ""
    return many + _steadiness(ratio, span(horizon, curve.unit)), f"{lost} {said}".strip()


def _at_once(curve: RetentionCurve) -> str:
    return f"{go(curve)} at once" if curve.since == "joining" else once(curve.since)


def _steadiness(ratio: Interval, horizon: str) -> str:
    if ratio.low > 1:
        return f"losses slow {'' if ratio.low > UNSTEADY else 'somewhat '}after {horizon}"
    if ratio.high < 1:
        return "losses speed up" + ("" if ratio.high < 1 / UNSTEADY else " somewhat")
    return "losses are steady"


def pace(curve: RetentionCurve, horizon: int, last: int) -> Interval | None:
    """Return the mean rate of leaving before the horizon over that after it; None where it has no meaning.

    Leaving at once belongs to neither. The interval is normal on the log scale (delta method): the cumulative
    hazard -log S has Greenwood's variance, and its increments are independent.
    """
    rows = curve.only([EVERYONE]).at([0, horizon, last]) if 0 < horizon < last else None
    if rows is None or rows["retained"].iloc[-1] <= 0:
        return None
    hazard = -np.log(rows["retained"].to_numpy())
    spread = (rows["retained_se"] / rows["retained"]).to_numpy() ** 2
    (early, late), (v_early, v_late) = np.diff(hazard), np.diff(spread)
    if early <= 0 or late <= 0:
        return None
    ratio = float(early / horizon / (late / (last - horizon)))
    z = standard_errors(curve.mass)
    reach = math.exp(z * math.sqrt(v_early / early**2 + v_late / late**2))
    return Interval(ratio, ratio / reach, ratio * reach, curve.mass, "wald")


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
        label = f"{mean_time(curve)} within the first {span(until, curve.unit)}"
        beside = bounds(mean) + _true_mean(curve, until)
        figures.append(KeyFigure(label, f"{number(mean.value)} {curve.unit}s", beside))
    return figures


def _true_mean(curve: RetentionCurve, until: int) -> str:
    """Return the truth of a simulated world, to stand behind the interval."""
    known = curve.true_means
    known = None if known is None else known[(known["group"] == EVERYONE) & (known["duration"] == until)]
    return "" if known is None or known.empty else f"; truth {number(known['mean'].iloc[0])}"


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
    shown = "nearly all" if kept.value == 1 and not claimed else percent(kept.value)
    return KeyFigure(label, shown, interval, trend)


@register
def say_curve(curve: RetentionCurve) -> str:
    """Say when half have left, group by group where it is known, and how far the curve reaches."""
    groups = list(curve.drawn()["group"].unique())
    soon = [group for group in groups if _half_gone_at_once(curve, group)]
    said = [_say_group(curve, group) for group in groups if group not in soon]
    if soon:
        names = listing([who(curve.by, group) for group in soon])
        said.insert(0, f"At least half of {names} {gone(curve)} at once.")
    return " ".join(said)


def _half_gone_at_once(curve: RetentionCurve, group: str) -> bool:
    return bool(curve.only([group]).at([0])["retained"].iloc[0] <= 0.5)


def _say_group(curve: RetentionCurve, group: str) -> str:
    name = who(curve.by, group)
    try:
        half = curve.median(group)
    except UndefinedError:
        end = int(curve.followed_to[group])
        kept = percent(curve.retained(end, group).value)
        return f"After {span(end, curve.unit)}, the longest follow-up, {kept} of {name} are {still(curve)}."
    upper = number(half.high, 0) if math.isfinite(half.high) else "more than was followed"
    interval = f"{half.label} {number(half.low, 0)} to {upper}"
    return f"Half of {name} {gone(curve)} within {span(half.value, curve.unit)} ({interval})."


@register
def say_day_n(result: DayN) -> str:
    """Say what counting gives at the last duration, for the largest group."""
    if result.why_empty:
        return result.why_empty
    row = result.table.sort_values(["duration", "matured"]).iloc[-1]
    kept = Interval.of(row, "retained", result.mass, "exact")
    return (
        f"Of {count(row['matured'])} {who(result.by, row['group'])}, all followed for "
        f"{span(row['duration'], result.unit)}, {in_words(kept.scaled(100), '%')} were {still(result)}."
    )


@register
def say_triangle(triangle: CohortTriangle) -> str:
    """Say which joining months kept most and fewest at the first age, where they can be told apart."""
    if triangle.why_empty:
        return triangle.why_empty
    first = triangle.table[triangle.table["duration"] == triangle.table["duration"].min()]
    after, ends = span(int(first["duration"].iloc[0]), triangle.unit), apart(first)
    if len(first) > 1 and ends is None:
        low, high = percent(first["retained"].min()), percent(first["retained"].max())
        kept = f"Between {low} and {high} of every cohort were {still(triangle)} after {after}"
        return f"{kept}: no cohort clearly apart."
    kept, *rest = [f"{with_bounds(row)} of the {row['cohort']} cohort" for row in ends or [first.iloc[0]]]
    return f"After {after} {', '.join([f'{kept} were {still(triangle)}', *rest])}."


def apart(rows: pd.DataFrame) -> tuple[Any, Any] | None:
    """Return the rows with most and fewest kept, or else two others, whose intervals do not overlap, if any.

    Parameters
    ----------
    rows : DataFrame
        ``retained`` with ``_low`` and ``_high``; only ``claimed`` intervals count, where that is a column.
    """
    sure = rows[rows["claimed"]] if "claimed" in rows else rows
    if sure.empty:
        return None
    ends = rows["retained"].idxmax(), rows["retained"].idxmin()
    edges = sure["retained_low"].idxmax(), sure["retained_high"].idxmin()
    for more, fewer in (ends, edges):
        if {more, fewer} <= set(sure.index) and sure["retained_low"][more] > sure["retained_high"][fewer]:
            return rows.loc[more], rows.loc[fewer]
    return None


def with_bounds(row: Any) -> str:
    """Print a share kept with its bounds, in percent."""
    low, high = (number(100 * row[f"retained_{end}"]) for end in ("low", "high"))
    return f"{percent(row['retained'])} ({low} to {high})"


@register
def say_loss_rate(rate: LossRate) -> str:
    """Say when members left fastest, so far as that can be told."""
    if rate.drawn().empty:
        return f"Too few have been followed for {span(rate.width, rate.unit)}."
    lost = at_once(rate.share_at_once, rate.since, rate.lapse)
    return f"{lost} {_say_span(rate)}".strip()


def _say_span(rate: LossRate) -> str:
    """Say at what rate members leave in the periods of fastest leaving, before them and after."""
    fast, drawn, each = rate.fastest(), rate.drawn(), f"each {span(rate.width, rate.unit)}"
    if fast.empty:
        return f"No clear peak: about {_in_100(drawn)} in 100 {go(rate)} {each}."
    first, last = int(fast["duration_from"].iloc[0]), int(fast["duration"].iloc[-1])
    said = f"About {_in_100(fast)} in 100 {go(rate)} {each} from {rate.unit} {first} to {last}"
    before, after = drawn[drawn["duration"] <= first], drawn[drawn["duration_from"] >= last]
    parts = [(rows, word) for rows, word in ((before, "before"), (after, "after")) if len(rows)]
    beside = listing([f"{word} that about {_in_100(rows, pooled=True)}" for rows, word in parts])
    return f"{said}; {beside}." if beside else f"{said}."


def _in_100(rows: pd.DataFrame, *, pooled: bool = False) -> str:
    """Print the lowest and highest rate of some periods, or their mean rate, in members in 100."""
    if pooled:
        return number(100 * float(np.average(rows["rate"], weights=rows["exposure"])))
    ends = [number(100 * float(end)) for end in (rows["rate"].min(), rows["rate"].max())]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


@register
def say_contrast(contrast: Contrast) -> str:
    """Say how much longer one group stays than the other."""
    way = "longer" if contrast.difference.value >= 0 else "less long"
    return (
        f"Within {span(contrast.until, contrast.unit)}, {contrast.a} {stay(contrast)} "
        f"{in_words(contrast.difference.size(), f'{contrast.unit}s')} {way} than {contrast.b}."
    )


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
        none = f"no group {_stays(contrasts)} clearly longer or less long than {largest}"
        return f"{within} {none}, the largest group."
    found = "; ".join(said)
    return f"{within}, compared with {largest}: {found}. This goes with the group, it need not be due to it."


def _stays(contrasts: Contrasts) -> str:
    return stay(contrasts).replace("stay", "stays", 1)


def _gap(contrasts: Contrasts, row: Any) -> str:
    size = ranged(Interval.of(row, "difference", contrasts.mass, "wald").size())
    return f"{who(contrasts.by, row['group'])} {stay(contrasts)} {size} {contrasts.unit}s"


@register
def say_log_rank(test: LogRank) -> str:
    """Say whether groups leave alike."""
    chance = "less than 1 in 1,000" if test.p_value < 0.001 else f"{number(test.p_value, 3)}"
    return (
        f"If all groups by {test.by.replace('_', ' ')} {gone(test)} alike, curves at least as far apart as "
        f"these would come up with a probability of {chance} (log-rank test, "
        f"{plural(test.df, 'degree')} of freedom)."
    )
