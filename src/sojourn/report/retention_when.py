"""What is said about when members leave."""

from __future__ import annotations

from sojourn.core.interval import KIND_WORDS, Interval
from sojourn.core.results.retention_when import Peak, RiskPeak
from sojourn.core.text import count, number
from sojourn.report.retention_words import at_once, go, going, gone, span, still
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
    first, last = (number(100 * rate) for rate in _ends(result))
    each = f"{first} in 100 within {span(result.width, result.unit)} at first, {last} at the end of the curve"
    how = {
        "falling": f"the pace of {going(result)} falls",
        "rising": f"the pace of {going(result)} rises",
        "level": f"no time of faster {going(result)} can be told from the others",
    }[result.shape]
    return f"No interior peak: {how} ({each})."


def _ends(result: RiskPeak) -> tuple[float, float]:
    drawn = result.drawn()
    return float(drawn["rate"].iloc[0]), float(drawn["rate"].iloc[-1])


def brief_when(result: RiskPeak) -> str:
    """Say in one short sentence when members leave fastest; empty when there is no curve."""
    if result.why_empty:
        return ""
    if result.peak is None:
        return {
            "falling": f"Members {go(result)} fastest at first; there is no later peak.",
            "rising": f"Members {go(result)} faster the longer they are there.",
            "level": f"There is no clear time at which members {go(result)} fastest.",
        }[result.shape]
    return f"Members {go(result)} fastest around {result.unit} {_when(result.peak)}."


def describe_when(result: RiskPeak) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the rate of leaving."""
    said, width = say_when(result), span(result.width, result.unit)
    marked = ""
    if result.peak is not None:
        marked = f" Bar on the axis: {result.peak.at.label} of the peak."
    if result.true_peak is not None:
        marked += " Circle: the peak of the simulated world."
    subtitle = (
        f"Members in 100 who {go(result)} within {width}, by {result.unit}s since {_start(result)}, among "
        f"those {still(result)}. Line: smooth (penalised spline); band: {_label_of(result.mass)} at each "
        f"{result.unit}; points: counted. {count(result.events)} {gone(result)}.{marked}"
    )
    end = f"{result.unit} {count(int(result.drawn()['duration'].max()))}"
    alt = f"Smooth line of the rate of {going(result)} within {width}, up to {end}. {said}"
    return {"title": _title(result), "subtitle": subtitle, "alt": alt}


def _title(result: RiskPeak) -> str:
    highest = float(result.drawn()["rate"].max())
    if result.share_at_once > highest:
        return at_once(result.share_at_once, result.since, result.lapse).rstrip(".")
    if result.peak is not None:
        return f"Members {go(result)} fastest around {result.unit} {count(result.peak.at.value)}"
    return {
        "falling": f"Members {go(result)} fastest at first: no later peak",
        "rising": f"Members {go(result)} faster the longer they are there",
        "level": f"No clear time at which members {go(result)} fastest",
    }[result.shape]


def _start(result: RiskPeak) -> str:
    return "joining" if result.since == "joining" else f"the {result.since}"


def _label_of(mass: float) -> str:
    return f"{mass * 100:g} % {KIND_WORDS['eti']}"
