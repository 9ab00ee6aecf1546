"""Words around pictures and tables of a portrait: titles, subtitles, alt texts and notes."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from sojourn.core.interval import label
from sojourn.core.results.portrait import VALUE, Groups, Joiners, Rhythm, Steps
from sojourn.core.results.portrait_doings import (
    Acquisition,
    Activity,
    Kinds,
    Messages,
    Planted,
    Purchases,
    StagesNow,
)
from sojourn.core.text import count, listing, money, number, percent, plural
from sojourn.report.portrait import (
    say_acquisition,
    say_activity,
    say_joiners,
    say_kinds,
    say_messages,
    say_planted,
    say_purchases,
    say_rhythm,
    say_stages,
    say_steps,
)


@singledispatch
def describe_portrait(part: Any) -> dict[str, str]:
    """Return the words around one part of a portrait.

    Returns
    -------
    dict
        ``title``, ``subtitle`` and ``alt`` of a picture, or ``title`` and ``note`` of a table; nothing for a
        part that is empty: show what `sojourn.say` says of it.

    Raises
    ------
    TypeError
        For anything that is no part of a portrait.
    """
    raise TypeError(f"{type(part).__name__} is no part of a portrait.")


def _bare(sentence: str) -> str:
    return sentence.rstrip(".")


@describe_portrait.register
def _(part: Joiners) -> dict[str, str]:
    if part.why_empty:
        return {}
    known = "Shaded: campaigns that the simulated world ran. " if part.bursts else ""
    weeks = plural(len(part.table), "week")
    return {
        "title": _bare(say_joiners(part)),
        "subtitle": f"Members who joined in each whole week from Monday. {known}{_by_channel(part)}".strip(),
        "alt": f"Line of {weeks}. {say_joiners(part)} {_campaigns(part)}".strip(),
    }


def _by_channel(part: Joiners) -> str:
    return "By channel: see the numbers." if part.channels else ""


def _campaigns(part: Joiners) -> str:
    said = [f"{b.first} to {b.last}, times {b.factor:g}" for b in part.bursts]
    return f"Campaigns: {listing(said)}." if said else ""


@describe_portrait.register
def _(part: Groups) -> dict[str, str]:
    if part.why_empty:
        return {}
    shown = [
        "Bars: share of those who joined since observation began",
        f"({label(part.mass, 'exact')} in the numbers).",
        "Diamonds: share of those with us now.",
    ]
    if "true_share" in part.table:
        shown.append("Circles: what is planted.")
    if part.too_small:
        shown.append(f"{plural(part.too_small, 'group is', 'groups are')} too small to show.")
    said = [f"{row['group']} {percent(row['joined_share'], 0)}" for _, row in part.table.iterrows()]
    return {"title": _moved(part), "subtitle": " ".join(shown), "alt": f"Bars. {listing(said)}."}


def _moved(part: Groups) -> str:
    """Name the group whose share differs most between those who joined and those who are with us."""
    rows = part.table
    gap = (rows["with_us_share"] - rows["joined_share"]).abs()
    row: Any = rows.loc[gap.idxmax()]
    by = str(row["by"]).replace("_", " ").capitalize()
    joined, there = percent(row["joined_share"]), percent(row["with_us_share"])
    return f"{by} {row['group']}: {joined} of those who joined, {there} of those with us"


@describe_portrait.register
def _(part: Rhythm) -> dict[str, str]:
    if part.why_empty:
        return {}
    truth = "; circles: what is planted, on the same clock" if part.true_hours else ""
    city = part.time_zone.split("/")[-1].replace("_", " ")
    return {
        "title": _bare(say_rhythm(part)),
        "subtitle": (
            f"Visits by weekday and hour on the clock of {city}, stronger where more begin, and the share of "
            f"each day; below, that of each hour{truth}. A visit begins after half an hour of silence."
        ),
        "alt": f"Grid of seven days and 24 hours, and a line of hours. {say_rhythm(part)}",
    }


@describe_portrait.register
def _(part: Steps) -> dict[str, str]:
    if part.why_empty:
        return {}
    shown = [
        f"Share of {plural(part.followed, 'member')} who had reached a step, by days since joining;",
        f"only members followed for {plural(part.follow_days, 'day')}. {_which(part)}",
        f"Bands: {label(part.mass, 'exact')}.",
    ]
    if part.takes_off is not None:
        shown.append("Circles: what is planted, as if nobody left first.")
    return {
        "title": _title_steps(part),
        "subtitle": " ".join(shown),
        "alt": f"Rising step curves. {say_steps(part)}",
    }


def _title_steps(part: Steps) -> str:
    said = [f"{percent(part.reached(step).value)} their {step}" for step in part.steps]
    who = listing(said).replace(" their", " have their", 1)
    return f"Within {plural(part.follow_days, 'day')} of joining {who}"


def _which(part: Steps) -> str:
    if part.first_value:
        return f"The {VALUE} is the event “{part.first_value}”."
    return f"The {VALUE} is the first event of another kind than the member's first."


@describe_portrait.register
def _(part: Kinds) -> dict[str, str]:
    if part.why_empty:
        return {}
    small = f" {plural(part.too_small, 'kind is', 'kinds are')} too rare to show." if part.too_small else ""
    note = f"Members: who ever did it since observation began. Times each: per member who did it.{small}"
    return {"title": _bare(say_kinds(part)), "note": note}


@describe_portrait.register
def _(part: Activity) -> dict[str, str]:
    if part.why_empty:
        return {}
    none = percent(part.none, 0)
    return {
        "title": f"Members come on {number(part.mean)} of {part.last} days; {none} do not come",
        "subtitle": (
            f"Members by the number of days on which they came in the last {part.last}: "
            f"{plural(part.members, 'member')} who are with us and had joined before."
        ),
        "alt": f"Bars. {say_activity(part)}",
    }


@describe_portrait.register
def _(part: StagesNow) -> dict[str, str]:
    return {
        "title": _bare(say_stages(part)),
        "note": "Whoever cancelled is under the last two only, whatever else holds.",
    }


@describe_portrait.register
def _(part: Purchases) -> dict[str, str]:
    if part.why_empty:
        return {}
    paid = part.money
    amount, back = (money(paid[name], part.currency, 0) for name in ("amount", "refunded"))
    note = (
        f"Since observation began, of all {plural(part.members, 'member')}: {count(paid['purchases'])} "
        f"purchases for {amount}, {count(paid['refunds'])} refunds for {back}."
    )
    return {"title": _bare(say_purchases(part)), "note": note}


@describe_portrait.register
def _(part: Messages) -> dict[str, str]:
    if part.why_empty:
        return {}
    currency = f" Costs in {part.currency}." if part.currency else ""
    note = f"Shares are of messages sent. Who opens chose to: that says nothing of what it does.{currency}"
    return {"title": _bare(say_messages(part)), "note": note}


@describe_portrait.register
def _(part: Acquisition) -> dict[str, str]:
    if part.why_empty:
        return {}
    currency = f" In {part.currency}." if part.currency else ""
    note = f"Costs of a channel over members who joined through it, since observation began.{currency}"
    return {"title": _bare(say_acquisition(part)), "note": note}


@describe_portrait.register
def _(part: Planted) -> dict[str, str]:
    if part.why_empty:
        return {}
    note = (
        "Sizes are in the unit beside them: a hazard ratio below 1 keeps members, one above 1 loses them. "
        "Effects that are seen in the same way share a row."
    )
    return {"title": _bare(say_planted(part)), "note": note}


def describe_hidden(part: Planted) -> dict[str, str]:
    """Return title and note of the table of hidden segments; nothing where nobody knows them."""
    if part.why_empty:
        return {}
    currency = f" Price: median of a purchase, in {part.currency}." if part.currency else ""
    note = (
        "Share of joiners; factor on the rate of leaving; share that reaches a first value moment, and mean "
        f"days until then; visits a month in an active stage; share of visits with a purchase.{currency}"
    )
    return {"title": f"Who is behind it: {plural(len(part.segments), 'hidden segment')}", "note": note}
