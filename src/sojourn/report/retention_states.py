"""What is said of leaving and coming back, and of why members leave."""

from __future__ import annotations

import math

from sojourn.core.interval import Interval, label
from sojourn.core.results.retention_states import Reasons, TimeToReturn, WithUs
from sojourn.core.text import count, in_words, listing, number, plural
from sojourn.report.retention_words import CIRCLES, gone, had_gone, here, span
from sojourn.report.say import register

# --- who has never left, and who is with us ---


@register
def say_occupation(result: WithUs) -> str:
    """Say who has never left, who is with us, and how many of those who left are back, at the horizon."""
    if result.why_empty:
        return result.why_empty
    at = result.horizon
    never, now, back = result.never_left(at), result.with_us(at), result.back(at)
    said = (
        f"After {span(at, result.unit)}, {_of_100(now)} of 100 members are {_counting(result)}; "
        f"{_of_100(never)} have never {had_gone(result)}."
    )
    if math.isnan(back.value):
        return said
    return f"{said} Of 100 who had {had_gone(result)} by then, {_of_100(back)} are {here(result)} again."


def brief_occupation(result: WithUs) -> str:
    """Say in one short sentence how many are with us, counting those who came back; or nothing."""
    now, never = (number(100 * r.value) for r in (_at(result, "with_us"), _at(result, "never_left")))
    if now == never:
        return ""
    return (
        f"Counting those who came back, {now} in 100 of the {count(result.members)} seen from joining on "
        f"are {here(result)} after {span(result.horizon, result.unit)}."
    )


def describe_occupation(result: WithUs) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of both curves."""
    never, now = (number(100 * r.value) for r in (_at(result, "never_left"), _at(result, "with_us")))
    when = f"after {span(result.horizon, result.unit)}"
    title = f"{now} in 100 are {here(result)} {when}, {_BACK}; {never} have never {had_gone(result)}"
    what = (
        "Leaving means cancelling; who pauses has not left."
        if result.leaving == "cancellation"
        else f"Silent: for more than {span(result.lapse or 0, 'day')}."
    )
    subtitle = (
        f"Share of {count(result.members)} members, seen from joining on, by {result.unit}s since then. "
        f"Line: {_counting(result)} (Aalen-Johansen). "
        f"Dashes: never {had_gone(result)} (Kaplan-Meier). {what} {_bands(result, had_gone(result))}"
    )
    last = result.followed_to
    end = [number(100 * float(result.at(last)[f"{name}_share"])) for name in ("with_us", "never_left")]
    alt = (
        f"Two falling curves that part as members come back: {when} {now} and {never} in 100, "
        f"after {span(last, result.unit)} {end[0]} and {end[1]}."
    )
    return {"title": title, "subtitle": subtitle, "alt": alt}


# --- how soon those who left come back ---


@register
def say_returns(result: TimeToReturn) -> str:
    """Say how many of those who left came back within each of the durations that are reached."""
    if result.why_empty:
        return result.why_empty
    back = [f"{_of_100(result.back(day))} within {span(day, result.unit)}" for day in result.days]
    said = f"Of 100 members who {gone(result)}, {listing(back)}{_since_sign(result)} came back."
    return f"{said} {_impossible(result)}".rstrip()


def brief_returns(result: TimeToReturn) -> str:
    """Say in one short sentence how many of those who left came back."""
    back, within = number(100 * result.back(result.horizon).value), span(result.horizon, result.unit)
    cannot = "" if result.lapse is None else f", of which the first {result.lapse} cannot count"
    return f"Of 100 who {gone(result)}, {back} came back within {within}{_since_sign(result)}{cannot}."


def describe_returns(result: TimeToReturn) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of coming back."""
    title = brief_returns(result).rstrip(".")
    first = (
        "they left for the first time"
        if result.lapse is None
        else "the last sign of life before their first silence"
    )
    subtitle = (
        f"Of {count(result.left)} members who {gone(result)}, the share who are back, by {result.unit}s "
        f"since {first}; those still away are censored. "
        f"{_back(result)} {_impossible(result)} {_bands(result, 'come back')}"
    )
    ends = [
        f"{number(100 * result.back(day).value)} in 100 within {span(day, result.unit)}"
        for day in result.days
    ]
    alt = f"A rising curve of the share of those who {gone(result)} who have come back: {listing(ends)}."
    return {"title": title, "subtitle": subtitle.replace("  ", " ").rstrip(), "alt": alt}


def _since_sign(result: TimeToReturn) -> str:
    """Say from when coming back is counted where falling silent has no day of its own."""
    return "" if result.lapse is None else " of their last sign of life"


def _back(result: TimeToReturn) -> str:
    how = "joined again" if result.lapse is None else "gave one sign of life"
    return f"Back is who {how}, whatever followed."


def _impossible(result: TimeToReturn) -> str:
    if result.lapse is None:
        return ""
    return f"Nobody can come back within {span(result.lapse, 'day')}: a shorter silence is none."


# --- why they leave ---


@register
def say_reasons(result: Reasons) -> str:
    """Say how many have left for each reason, and whether the unknown could change which comes first."""
    if result.why_empty:
        return result.why_empty
    at = result.horizon
    first, *others = result.known
    shares = [f"{_of_100(result.left_for(first, at))} have left for {first}"]
    shares += [f"{_of_100(result.left_for(name, at))} for {name}" for name in others]
    said = f"After {span(at, result.unit)}, of 100 members {listing(shares)}."
    return f"{said} {_lost(result)} {_open(result)} {_order(result)}".replace("  ", " ").strip()


def brief_reasons(result: Reasons) -> str:
    """Say in one short sentence for which reason most leave, and whether that is sure."""
    at, (first, *others) = result.horizon, result.known
    share = _in_100(result.left_for(first, at))
    following = ""
    if others:
        following = f", before “{others[0]}” with {number(100 * result.left_for(others[0], at).value)}"
    sure = "" if _is_sure(result) else "; the unknown could put another first"
    return f"{_most_given(first)}: {share} within {span(at, result.unit)}{following}{sure}."


def describe_reasons(result: Reasons) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of reasons."""
    at, first = result.horizon, result.known[0]
    when = f"after {span(at, result.unit)}"
    title = f"{_most_given(first)}: {_in_100(result.left_for(first, at))} {when}"
    merged = (
        f"{plural(result.merged, 'reason')} given by few, or not among the largest, are counted together. "
        if result.merged
        else ""
    )
    subtitle = (
        f"Share of all members who have left for each reason, by {result.unit}s since joining (cumulative "
        f"incidence). Layers add up to all who have left. {merged}{_open(result)} "
        f"The table has each with its {label(result.mass, 'log-log')}. {_truth(result)}"
    )
    shares = [f"{name} {number(100 * result.left_for(name, at).value)}" for name in result.names]
    alt = f"Layers growing with time since joining; {when}, in 100 members: {listing(shares)}."
    return {"title": title, "subtitle": subtitle.replace("  ", " ").rstrip(), "alt": alt}


def _most_given(reason: str) -> str:
    return f"“{reason[0].upper()}{reason[1:]}” is the reason most often given"


def _lost(result: Reasons) -> str:
    """Say how much time is lost after leaving for the main reason; nothing where none has passed since."""
    first, within = result.known[0], span(result.horizon, result.unit)
    lost = result.lost(first, result.horizon)
    if not lost.value:
        return ""
    said = in_words(lost, f"{result.unit}s")
    return f"Time lost after leaving for {first}: {said} of the first {within} per member."


def _open(result: Reasons) -> str:
    """Say how many left for a reason unknown, and how far that leaves the main reason open."""
    if not result.open:
        return ""
    first, rows = result.known[0], result.at(result.horizon)
    unknown = result.left_for(result.open, result.horizon)
    most = float(rows.loc[rows["reason"] == first, "most_left_share"].iloc[0])
    least = result.left_for(first, result.horizon).value
    return (
        f"After {span(result.horizon, result.unit)}, {_of_100(unknown)} of 100 members had left for a reason "
        f"{result.open}: “{first}” would stand for {number(100 * least)} if none of them, "
        f"{number(100 * most)} if all of them had left for it."
    )


def _order(result: Reasons) -> str:
    if result.lead is None or not result.open:
        return ""
    first, following = result.known[:2]
    if _is_sure(result):
        return f"Whatever they left for, {first} comes first."
    if result.lead.high < 0:
        return f"If all of them had left for {following}, that would come first."
    return f"If all of them had left for {following}, it could not be told which of the two comes first."


def _is_sure(result: Reasons) -> bool:
    return not result.open or (result.lead is not None and result.lead.low > 0)


# --- words ---


def _of_100(interval: Interval, unit: str = "") -> str:
    """Print a share as members in 100 with its interval, where there is one."""
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        return in_words(interval.scaled(100), unit)
    return f"{number(100 * interval.value)} {unit}".rstrip()


def _in_100(interval: Interval) -> str:
    return _of_100(interval, "in 100")


def _at(result: WithUs, name: str) -> Interval:
    found: Interval = getattr(result, name)(result.horizon)
    return found


#: Words that set the curve with those who came back apart from that of those who never left.
_BACK = "counting those who came back"


def _counting(result: WithUs) -> str:
    return f"{here(result)}, {_BACK}"


def _bands(result: WithUs | TimeToReturn, moved: str) -> str:
    said = f"Bands: {label(result.mass, 'log-log')} where at least 20 are observed and 10 have {moved}."
    return f"{said} Curves end where fewer than {result.min_group} are observed. {_truth(result)}".rstrip()


def _truth(result: WithUs | TimeToReturn | Reasons) -> str:
    return "" if result.truth is None else CIRCLES
