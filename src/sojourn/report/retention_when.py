"""What is said about when members leave."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval, label
from sojourn.core.results.retention_when import CohortEffects, Peak, RiskPeak
from sojourn.core.text import bounds, count, in_words, listing, number, plural
from sojourn.report.retention_words import at_once, go, going, gone, span, start, still
from sojourn.report.say import register


@register
def say_when(result: RiskPeak) -> str:
    """Say when members leave fastest, and how much faster than before and after; or that they do not."""
    lost = at_once(result.share_at_once, result.since, result.lapse)
    if result.why_empty:
        return f"{lost} {result.why_empty}".strip()
    return f"{lost} {_say_peak(result, result.peak) if result.peak else _say_shape(result)}".strip()


def _say_peak(result: RiskPeak, peak: Peak) -> str:
    rate = number(100 * result.rate_at(peak.at.value))
    return (
        f"Members {go(result)} fastest around {result.unit} {_when(peak)}: {rate} in 100 within "
        f"{span(result.width, result.unit)}, {_times(peak.before)} the pace long before it and "
        f"{_times(peak.after)} that long after it."
    )


def _when(peak: Peak) -> str:
    at = peak.at
    return f"{count(at.value)} ({at.label} {count(at.low)} to {count(at.high)})"


def _times(ratio: Interval) -> str:
    return f"{number(ratio.value)} times ({number(ratio.low)} to {number(ratio.high)})"


def _say_shape(result: RiskPeak) -> str:
    how = {
        "falling fastest at first": f"No interior peak: the pace of {going(result)} falls",
        "falling and rising again": f"No interior peak: the pace of {going(result)} falls at first and rises "
        "again at the end",
        "falling in the end": f"No sure peak: the pace of {going(result)} falls in the end; an earlier rise "
        "is not sure",
        "rising": f"No interior peak: the pace of {going(result)} rises",
        "level": f"No interior peak: no time of faster {going(result)} can be told from the others",
    }[_shape(result)]
    return f"{how} ({_places(result)})."


def _shape(result: RiskPeak) -> str:
    """Name the shape of a curve without a sure peak; what falls in the end need not fall from the first."""
    if result.shape != "falling":
        return result.shape
    if result.rises_again:
        return "falling and rising again"
    return "falling fastest at first" if result.fastest_first else "falling in the end"


def _places(result: RiskPeak) -> str:
    """Say how high the curve is at its ends, and where between them it is lowest or highest."""
    rate, shape = result.drawn()["rate"], _shape(result)
    first, last = number(100 * rate.iloc[0]), number(100 * rate.iloc[-1])
    between = ""
    if shape == "falling and rising again":
        between = f" {number(100 * rate.min())} around {result.unit} {count(result.lowest)},"
    if shape == "falling in the end":
        highest = int(result.drawn()["duration"].iloc[int(rate.to_numpy().argmax())])
        between = f" {number(100 * rate.max())} around {result.unit} {count(highest)},"
    within = span(result.width, result.unit)
    return f"{first} in 100 within {within} at first,{between} {last} at the end of the curve"


def brief_when(result: RiskPeak) -> str:
    """Say in one short sentence when members leave fastest.

    Where some were lost at once, the sentence goes on from one that says so.
    """
    said = _when_fastest(result)
    if not at_once(result.share_at_once, result.since, result.lapse):
        return f"{said[0].upper()}{said[1:]}."
    return f"After that {said}."


def _when_fastest(result: RiskPeak) -> str:
    """Say when members leave fastest, in the middle of a sentence."""
    if result.peak is not None:
        return f"members {go(result)} fastest around {result.unit} {_when(result.peak)}"
    return {
        "falling fastest at first": f"members {go(result)} fastest at first; there is no later peak",
        "falling and rising again": _twice(result),
        "falling in the end": f"the pace of {going(result)} falls in the end; whether it rises before cannot "
        "be told",
        "rising": f"members {go(result)} faster the longer they are there",
        "level": f"there is no clear time at which members {go(result)} fastest",
    }[_shape(result)]


def _twice(result: RiskPeak) -> str:
    again = f"from about {result.unit} {count(result.lowest)} on"
    if result.fastest_first:
        return f"members {go(result)} fastest at first, and faster again {again}"
    return f"the pace of {going(result)} falls at first and rises again {again}"


def describe_when(result: RiskPeak) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the rate of leaving."""
    said, width = say_when(result), span(result.width, result.unit)
    marked = ""
    if result.peak is not None:
        marked = f" Bar on the axis: {result.peak.at.label} of the peak."
    if result.true_peak is not None:
        marked += " Circle: the peak of the simulated world."
    subtitle = (
        f"Members in 100 who {go(result)} within {width}, by {result.unit}s since {start(result.since)}, "
        f"among those {still(result)}. Line: smooth (penalised spline); band: {label(result.mass, 'eti')} at "
        f"each {result.unit}; points: counted{_above(result)}. {count(result.events)} {gone(result)}."
        f"{marked}{_not_here(result)}"
    )
    end = f"{result.unit} {count(int(result.drawn()['duration'].max()))}"
    alt = f"Smooth line of the rate of {going(result)} within {width}, up to {end}. {said}"
    return {"title": _title(result), "subtitle": subtitle, "alt": alt}


def _above(result: RiskPeak) -> str:
    """Say how many points are too high to be drawn."""
    many = result.points_above
    return f" ({plural(many, 'point lies', 'points lie')} above the picture)" if many else ""


def _not_here(result: RiskPeak) -> str:
    """Say who is not in the picture because they were lost at once."""
    if not at_once(result.share_at_once, result.since, result.lapse):
        return ""
    how = "left on the day they joined"
    if result.lapse is not None:
        how = f"did not come again within {span(result.lapse, 'day')}"
    return f" The {number(100 * result.share_at_once)} in 100 who {how} are not in this picture."


def _title(result: RiskPeak) -> str:
    """Say what the picture shows, of the members who are in it."""
    if result.peak is not None:
        return f"Members {go(result)} fastest around {result.unit} {count(result.peak.at.value)}"
    twice = _twice(result)
    return {
        "falling fastest at first": f"Members {go(result)} fastest at first: no later peak",
        "falling and rising again": f"{twice[0].upper()}{twice[1:]}",
        "falling in the end": f"The pace of {going(result)} falls in the end; an earlier rise is not sure",
        "rising": f"Members {go(result)} faster the longer they are there",
        "level": f"No clear time at which members {go(result)} fastest",
    }[_shape(result)]


# --- months of joining and of the calendar ---

_KINDS = {"calendar month": "calendar month", "joined in": "month of joining"}
#: So many months that stand apart are named in a sentence.
_MOST_NAMED = 3


@register
def say_cohort_effects(result: CohortEffects) -> str:
    """Say which months stand apart, and what the drift is, which cohorts and the calendar share."""
    if result.why_empty or result.drift is None:
        return result.why_empty
    return " ".join([*(_say_kind(result, what) for what in _KINDS), _say_drift(result, result.drift)])


def _say_kind(result: CohortEffects, what: str) -> str:
    """Say which months of one kind stand apart from the line through the others."""
    kind, named = _KINDS[what], _named(result, what)
    if named:
        return f"{kind[0].upper()}{kind[1:]} that stands apart: {listing(named)}."
    bent = ", though together they do not lie on a line" if result.bent(what) else ""
    return f"No {kind} stands apart{bent}."


def _named(result: CohortEffects, what: str) -> list[str]:
    """Name the months that stand apart, with their pace and its interval; the rest are counted."""
    named = result.named(what)
    said = []
    for row in named.head(_MOST_NAMED).to_dict("records"):
        pace = Interval.of(row, "times", result.mass, "wald")
        said.append(f"{row['month']} ({number(pace.value)} times the pace, {bounds(pace)})")
    more = len(named) - len(said)
    return [*said, f"{count(more)} more"] if more > 0 else said


def _say_drift(result: CohortEffects, drift: Interval) -> str:
    """Say how the pace drifts over a year, and that it can be read in two ways."""
    factor = f"{in_words(drift, '', 2)} a year"
    if drift.low <= 1 <= drift.high:
        return f"No steady drift is seen: the pace of {going(result)} changes by a factor of {factor}."
    return (
        f"The pace of {going(result)} drifts by a factor of {factor}: between months of joining or in "
        "calendar time, which the counts cannot tell."
    )


def brief_cohort_effects(result: CohortEffects) -> str:
    """Say in one short sentence which months stand apart, else a drift; empty when nothing is seen."""
    if result.drift is None:
        return ""
    for what, who in (("calendar month", "In {} members"), ("joined in", "Members who joined in {}")):
        named = result.named(what)
        if len(named):
            first = named.iloc[0]
            times = number(first["times"])
            return f"{who.replace('{}', first['month'])} {gone(result)} {times} times as fast as usual."
    if result.drift.low <= 1 <= result.drift.high:
        return ""
    way = "faster" if result.drift.value > 1 else "more slowly"
    return f"Newer members, or all as time goes by, {go(result)} {way}: which, the counts cannot tell."


def describe_cohort_effects(result: CohortEffects) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of departures."""
    said = say_cohort_effects(result)
    subtitle = (
        f"How many times as fast members {go(result)} as the straight line through all months that do not "
        f"stand apart would have it, at equal ages. Bars: {label(result.mass, 'wald')}. Squares stand "
        f"apart: by accident in at most 1 of 100 such panels. Lines themselves are in neither panel: {_WHY}"
    )
    many = result.table["what"].value_counts()
    alt = (
        f"Two rows of points around 1 with bars: {plural(int(many['joined in']), 'month')} of joining and "
        f"{plural(int(many['calendar month']), 'calendar month')}. {said}"
    )
    return {"title": _apart_title(result), "subtitle": subtitle, "alt": alt}


_WHY = "a month of joining plus an age is a calendar month, so a steady drift belongs to either."


def _apart_title(result: CohortEffects) -> str:
    months = {what: result.named(what)["month"].tolist() for what in _KINDS}
    if months["calendar month"]:
        return (
            f"Members {gone(result)} at an unusual pace in {listing(months['calendar month'][:_MOST_NAMED])}"
        )
    if months["joined in"]:
        joined = listing(months["joined in"][:_MOST_NAMED])
        return f"Members who joined in {joined} {go(result)} at an unusual pace"
    return "No month of joining and no calendar month stands apart"


def drift_table(result: CohortEffects) -> pd.DataFrame:
    """Return the rate by age under both readings of the drift as a table to show; empty as the result is."""
    return result.ages.rename(columns={"age": "months_since_joining"})


def describe_drift(result: CohortEffects) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of ages under both readings of the drift."""
    title = "One set of counts, two readings: all drift between cohorts, or all drift in calendar time"
    note = (
        f"Share who {go(result)} within a month, by months since joining (counted around whole months), for "
        "members of the middle cohort. If cohorts: each month of joining keeps its own pace for good. If "
        f"calendar: all members change pace together as time goes by. {_say_drift_of(result)} Both readings "
        "fit the counts equally well."
    )
    return {"title": title, "note": note}


def _say_drift_of(result: CohortEffects) -> str:
    return _say_drift(result, result.drift) if result.drift else ""
