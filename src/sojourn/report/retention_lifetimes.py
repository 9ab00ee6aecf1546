"""Words of laws of lifetimes: which fits, what it foretold, who never leaves, how long members still stay."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import label
from sojourn.core.results.retention_lifetimes import Lifetimes, Stayers
from sojourn.core.text import bounds, count, in_words, listing, number, percent, points, ranged
from sojourn.report.retention_words import go, going, span, still
from sojourn.report.say import register

_NAMES = {
    "exponential": "exponential (a constant rate)",
    "weibull": "Weibull",
    "generalised gamma": "generalised gamma",
}
_STAYERS = " with stayers"
#: Laws whose AIC is at most so far behind the best are near the counts (Burnham & Anderson 2002, 2.6).
NEAR = 10.0
_FEW = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def law(result: Lifetimes, model: str) -> str:
    """Name a law.

    Examples
    --------
    >>> law(Lifetimes("day", 0.95, "silence", 0, 1), "weibull with stayers")
    'Weibull (some never fall silent)'
    """
    plain = model.removesuffix(_STAYERS)
    named = _NAMES.get(plain, plain)
    return f"{named} (some never {go(result)})" if model.endswith(_STAYERS) else named


@register
def say_lifetimes(result: Lifetimes) -> str:
    """Say which law comes nearest and how near, how long members still stay, and who never leaves."""
    if result.why_empty:
        return result.why_empty
    return " ".join(filter(None, (_nearest(result), say_remaining(result), say_stayers(result))))


def _nearest(result: Lifetimes) -> str:
    gap = points(float(result.table["gap_points"].iloc[0]))
    said = (
        f"Of {len(result.table)} laws the {law(result, result.best)} comes nearest (AIC); its curve is at "
        f"most {gap} members in 100 away from the one counted"
    )
    return f"{said}." if result.close else f"{said}, too far to be relied on."


def say_remaining(result: Lifetimes) -> str:
    """Say how much of the horizon members still stay on average, by how long they have been there."""
    rows = result.remaining[~result.remaining["extrapolated"]]
    if rows.empty or not result.close:
        return ""
    said = [_age(result, int(age)) for age in _first_and_last(rows["duration"].tolist())]
    horizon = span(result.within, result.unit)
    return f"Of the next {horizon}, {listing(said)} ({_label(result)}; by this law)."


def _first_and_last(ages: list[int]) -> list[int]:
    return ages if len(ages) < 2 else [ages[0], ages[-1]]


def _age(result: Lifetimes, age: int) -> str:
    time = result.stays_to(age)
    who = "new members" if age == 0 else f"those {still(result)} after {span(age, result.unit)}"
    return f"{who} stay {ranged(time)}"


def _label(result: Lifetimes) -> str:
    return label(result.mass, "wald")


def say_stayers(result: Lifetimes) -> str:
    """Say which share never leaves, or between which bounds it lies and why no more is known."""
    stayers = result.stayers
    if stayers is None:
        return ""
    if stayers.known:
        share = in_words(stayers.stays.scaled(100), "in 100")
        return f"{share} never {go(result)}, as far as follow-up can tell ({_by(result, stayers)})."
    most = percent(stayers.stays.high)
    return (
        f"How many never {go(result)} is not known, only that it is between none and {most}: {_why(result)}."
    )


def _by(result: Lifetimes, stayers: Stayers) -> str:
    if stayers.model == "Kaplan-Meier":
        return "by the last level of the counted curve, as no law describes it well"
    return f"by the law {law(result, stayers.model)}"


def _why(result: Lifetimes) -> str:
    stayers = result.stayers
    if stayers is None:
        return ""
    after = f"{result.unit} {stayers.followed}"
    told: dict[str, str] = {
        "too few followed": "follow-up is too brief to look at",
        "not slowing down": f"{going(result)} became more frequent again during follow-up",
        "followed too briefly": (
            f"of all who {go(result)}, up to {number(100 * stayers.to_come, 0)} in 100 may still be to come "
            f"after {after}, and more than 5 is too many"
        ),
        "not needed": f"laws by which everybody {_goes(result)} at some time describe the data as well",
    }
    return told[stayers.reason]


def _goes(result: Lifetimes) -> str:
    return "leaves" if result.leaving == "cancellation" else "falls silent"


def brief_lifetimes(result: Lifetimes) -> str:
    """Say in one short sentence how much of the horizon new members stay; or nothing."""
    if not result.close:
        return ""
    rows = result.remaining
    if not len(rows) or bool(rows["extrapolated"].iloc[0]):
        return ""
    time = result.stays_to(0)
    horizon = span(result.within, result.unit)
    stay = "stay" if result.leaving == "cancellation" else "stay active for"
    return f"New members {stay} {number(time.value)} of the first {horizon} on average ({bounds(time)})."


def lifetimes_table(result: Lifetimes) -> pd.DataFrame:
    """Return the compact table of laws to show; empty where there is none."""
    if result.why_empty:
        return pd.DataFrame()
    drawn = result.drawn()
    table = pd.DataFrame(
        {
            "law": [law(result, model) for model in drawn["model"]],
            "AIC_behind_the_best": drawn["aic_behind"],
            "largest_gap_in_100": 100 * drawn["gap_points"],
            "foretold_less_counted_in_100": 100 * drawn["missed_points"],
        }
    )
    read = drawn.filter(like=f"retained_{result.unit}_")
    on = f"share_{still(result)}_on_".replace(" ", "_")
    return table.join(read.rename(columns=lambda name: name.replace("retained_", on)))


def describe_lifetimes(result: Lifetimes) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of laws."""
    if result.why_empty:
        return {"title": "No law of lifetimes", "note": result.why_empty}
    end = _on(result, result.followed)
    note = [
        _nearest(result),
        say_stayers(result),
        f"Laws are fitted to counts up to {end}.",
        f"Largest gap: to the counted curve. Foretold less counted: at {end},",
        f"by the law fitted up to {_on(result, result.hidden)} only.",
        f"What stands under later {result.unit}s is extrapolation:",
        f"it and its {_label(result)} hold only if the law does.",
    ]
    if result.unfitted:
        others = listing([law(result, one) for one in result.unfitted])
        note.append(f"Not determined by these data, or not needed: {others}.")
    return {"title": _title(result), "note": " ".join(filter(None, note))}


def _on(result: Lifetimes, duration: int) -> str:
    return f"{result.unit} {count(duration)}"


def _title(result: Lifetimes) -> str:
    """Say how many would be left if a law near the counts went on to the farthest duration it is read at."""
    near = result.table.loc[result.table["aic_behind"] < NEAR, "model"]
    last = result.readings[result.readings["duration"] == result.readings["duration"].max()]
    read = last[last["model"].isin(near)]
    low, high = percent(float(read["retained_low"].min()), 0), percent(float(read["retained_high"].max()), 0)
    shares = low if low == high else f"{low} to {high}"
    laws = (
        "the nearest law" if len(near) == 1 else f"one of the {_FEW.get(len(near), len(near))} nearest laws"
    )
    end = _on(result, int(last["duration"].iloc[0]))
    said = f"If {laws} went on to {end}, {shares} would be {still(result)}"
    return f"{said}; these data cannot show whether it does"
