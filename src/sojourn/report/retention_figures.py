"""Words around pictures and tables of retention: titles, subtitles, alt texts and notes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from sojourn.core.interval import Interval, label
from sojourn.core.results.retention import EVERYONE, CohortTriangle, DayN, LossRate, RetentionCurve
from sojourn.core.results.retention_groups import Contrasts, LogRank
from sojourn.core.text import count, listing, percent, plural, ranged
from sojourn.report.retention import (
    apart,
    say_contrasts,
    say_curve,
    say_day_n,
    say_log_rank,
    say_loss_rate,
    say_triangle,
    with_bounds,
)
from sojourn.report.retention_words import (
    CIRCLES,
    at_once,
    go,
    going,
    gone,
    mean_time,
    span,
    start,
    stay,
    still,
    who,
)


def describe_retention(curve: RetentionCurve, *, horizon: int) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of a picture of curves."""
    return {"title": _finding(curve, horizon), "subtitle": _drawn(curve), "alt": _in_words(curve, horizon)}


def _finding(curve: RetentionCurve, horizon: int) -> str:
    """Name the groups with most and fewest left at the horizon, where they can be told apart."""
    at = curve.readings([horizon])
    if at.empty:
        return f"Fewer than {curve.min_group} have been followed for {span(horizon, curve.unit)}"
    ends, here = apart(at), f"{still(curve)} after {span(horizon, curve.unit)}"
    if len(at) > 1 and ends is None:
        low, high, by = percent(at["retained"].min()), percent(at["retained"].max()), _by(curve)
        return f"Between {low} and {high} of every {by} are {here}: no {by} clearly apart"
    first, *rest = [_share(curve, row) for row in ends or [at.iloc[0]]]
    return ", ".join([f"{first} are {here}", *rest])


def _share(curve: RetentionCurve, row: Any) -> str:
    shown = with_bounds(row) if row["claimed"] else percent(row["retained"])
    return f"{shown} of {who(curve.by, row['group'])}"


def _by(curve: RetentionCurve) -> str:
    return curve.by.replace("_", " ")


def _drawn(curve: RetentionCurve) -> str:
    groups = "" if curve.by == EVERYONE else f", by {_by(curve)}"
    sentences = [
        f"Share of members {still(curve)} by {curve.unit}s since {start(curve.since)}{groups}.",
        f"Bands: {label(curve.mass, 'log-log')} where at least 20 are observed and 10 are gone.",
        f"Curves end where fewer than {curve.min_group} are observed.",
    ]
    shown = set(curve.drawn()["group"])
    if len(shown) < len(curve.groups):
        sentences.append(f"The {len(shown)} largest of {len(curve.groups)} groups are drawn.")
    if curve.too_small:
        sentences.append(f"{plural(curve.too_small, 'group is', 'groups are')} too small to show.")
    if curve.truth is not None:
        sentences.append(CIRCLES)
    return " ".join(sentences)


def _in_words(curve: RetentionCurve, horizon: int) -> str:
    said = []
    for group in curve.drawn()["group"].unique():
        end = int(curve.followed_to[group])
        places = sorted({min(horizon, end), end})
        read = [f"{percent(curve.retained(at, group).value)} after {span(at, curve.unit)}" for at in places]
        said.append(f"{who(curve.by, group)} {listing(read)}")
    return f"Falling step curves of the share of members {still(curve)}: {'; '.join(said)}."


def readings_table(curve: RetentionCurve, durations: Sequence[int]) -> pd.DataFrame:
    """Return the curve at some durations as a table to show.

    Returns
    -------
    DataFrame
        ``group`` (where there are groups), the duration, named with its unit such as
        ``days_since_joining``, ``at_risk``, ``retained`` with bounds where they are claimed, and
        ``true_retained`` where the truth is known. Groups not followed so long have no row.
    """
    named = {"duration": f"{curve.unit}s_since_{curve.since.replace(' ', '_')}"}
    table = _readings(curve, durations).rename(columns=named)
    return table.drop(columns="group") if curve.by == EVERYONE else table


def _readings(curve: RetentionCurve, durations: Sequence[int]) -> pd.DataFrame:
    rows = curve.readings(durations)
    table = rows[["group", "duration", "at_risk", "retained", "retained_low", "retained_high"]].copy()
    table.loc[~rows["claimed"], ["retained_low", "retained_high"]] = float("nan")
    if curve.truth is None:
        return table
    truth = curve.truth.rename(columns={"retained": "true_retained"})
    return table.merge(truth, on=["group", "duration"], how="left")


def describe_readings(curve: RetentionCurve, durations: Sequence[int]) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of readings."""
    note = (
        f"Durations in {curve.unit}s since {start(curve.since)}, with the "
        f"{label(curve.mass, 'log-log')} (log-log). "
        "Where fewer than 20 are observed or 10 are gone, no interval is claimed."
    )
    last = max((at for at in durations if len(curve.readings([at]))), default=min(durations))
    note = f"{say_curve(curve)} {note} {_hits(curve, durations)}".rstrip()
    return {"title": _finding(curve, last), "note": note}


def _hits(curve: RetentionCurve, durations: Sequence[int]) -> str:
    """Say how often the truth lies inside the interval, where it is known."""
    if curve.truth is None:
        return ""
    table = _readings(curve, durations).dropna(subset=["retained_low", "true_retained"])
    inside = table["true_retained"].between(table["retained_low"], table["retained_high"]).sum()
    return f"The truth lies inside {inside} of {len(table)} intervals."


def describe_day_n(result: DayN) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of day-N retention."""
    note = (
        f"Durations in {result.unit}s since joining, with the {label(result.mass, 'exact')}. Only members "
        "whose whole follow-up reaches the duration count: newer ones are missing here but not in the curve."
    )
    return {"title": say_day_n(result), "note": note}


def describe_triangle(triangle: CohortTriangle) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of cohorts."""
    drawn, said = triangle.drawn(), say_triangle(triangle)
    subtitle = (
        f"Members in 100 {still(triangle)}, by month of joining (rows) and {triangle.unit}s since joining "
        "(columns), where all of the month have been followed so long. Simple counts; intervals in the table."
    )
    alt = (
        f"Triangle of {drawn['cohort'].nunique()} joining months and ages from {drawn['duration'].min()} to "
        f"{drawn['duration'].max()} {triangle.unit}s; from {percent(drawn['retained'].max())} down to "
        f"{percent(drawn['retained'].min())}. {said}"
    )
    return {"title": said.rstrip("."), "subtitle": subtitle, "alt": alt}


def describe_hazard(rate: LossRate) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the rate of leaving."""
    width, said = span(rate.width, rate.unit), say_loss_rate(rate)
    subtitle = (
        f"Members in 100 who {go(rate)} within {width}, by {rate.unit}s since {start(rate.since)}, among "
        f"those {still(rate)}. Band: {label(rate.mass, 'exact')} of each period. {said}"
    )
    end = int(rate.drawn()["duration"].max())
    alt = f"Line of the rate of {going(rate)} per {width}, up to {rate.unit} {count(end)}. {said}"
    return {"title": _when(rate), "subtitle": subtitle, "alt": alt}


def _when(rate: LossRate) -> str:
    """Name, in one clause, when members are lost: at once, in the fastest periods, or at no clear time."""
    fast, highest = rate.fastest(), float(rate.drawn()["rate"].max())
    if rate.share_at_once > highest:
        return at_once(rate.share_at_once, rate.since, rate.lapse).rstrip(".")
    if fast.empty:
        return f"Members {go(rate)} at about the same pace throughout: no clear peak"
    first, last = int(fast["duration_from"].iloc[0]), int(fast["duration"].iloc[-1])
    return f"Members {go(rate)} fastest from {rate.unit} {first} to {last}"


def contrasts_table(contrasts: Contrasts) -> pd.DataFrame:
    """Return mean times with us as a table to show, with the unit in the columns' names.

    Returns
    -------
    DataFrame
        First the group that all others are set against, without a difference.
    """
    named = {
        f"{what}{end}": f"{what}_{contrasts.unit}s{end}"
        for what in ("mean", "difference")
        for end in ("", "_low", "_high")
    }
    rows, first = contrasts.table, contrasts.against_mean
    if first is not None:
        means = {"mean": first.value, "mean_low": first.low, "mean_high": first.high}
        against = {**dict.fromkeys(rows.columns, math.nan), "group": contrasts.against, **means}
        rows = pd.DataFrame([against, *rows.to_dict("records")])
    return rows.rename(columns=named)


def describe_contrasts(contrasts: Contrasts, test: LogRank) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of differences; the test covers the whole time followed."""
    within = f"{mean_time(contrasts)} within the first {span(contrasts.until, contrasts.unit)}"
    sentences = [
        f"{within}, and its difference to {who(contrasts.by, contrasts.against)} (first row).",
        f"The {label(contrasts.mass, 'wald')} of all differences holds for them together (Bonferroni);",
        "p-values allow for the number of comparisons (Holm).",
    ]
    if contrasts.short:
        sentences.append(f"Not followed long enough: {listing(list(contrasts.short))}.")
    if contrasts.unchanged:
        nobody = plural(contrasts.unchanged, "group")
        sentences.append(f"Left out: {nobody} in which nobody {gone(contrasts)}.")
    sentences.append(say_log_rank(test))
    return {"title": _longest(contrasts), "note": f"{say_contrasts(contrasts)} {' '.join(sentences)}"}


def _longest(contrasts: Contrasts) -> str:
    """Name, in one clause, the group that surely differs most from the largest, and by how much."""
    table, largest = contrasts.table, who(contrasts.by, contrasts.against)
    sure = table[table["difference_low"] * table["difference_high"] > 0]
    if sure.empty:
        return f"No group stands clearly apart from {largest}"
    row: Any = sure.loc[sure["difference"].abs().idxmax()]
    way = "longer" if row["difference"] > 0 else "less long"
    size = ranged(Interval.of(row, "difference", contrasts.mass, "wald").size())
    within = f"of {span(contrasts.until, contrasts.unit)}"
    said = f"{who(contrasts.by, row['group'])} {stay(contrasts)} {size} {within} {way} than {largest}"
    return said[0].upper() + said[1:]
