"""Words of drift: how segments' shares and members' moves went, and whether the population has moved."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import GONE, TOO_NEW, Drift
from sojourn.core.text import bounds, count, in_words, number, percent, plural
from sojourn.report.board_whom import about_bands, named, of_segment
from sojourn.report.say import register


@register
def say_drift(moved: Drift) -> str:
    """Say whether the shares of segments have moved, and which moved furthest."""
    if moved.why_empty:
        return moved.why_empty
    row = moved.furthest
    change = Interval.of(row, "change_points", moved.mass, "wald").scaled(100)
    answer = {
        "moved": f"Segments have moved by more than {percent(moved.margin, 0)} of members.",
        "steady": f"No segment’s share has moved by more than {percent(moved.margin, 0)} of members.",
        "not sure": (
            f"Whether a segment’s share has moved by more than {percent(moved.margin, 0)} of members is not "
            "sure."
        ),
    }[moved.verdict]
    return (
        f"{answer} Furthest moved {named(str(row['segment']))}: {_beside(change)} at the "
        f"{plural(moved.months_before, 'month end')} before.{_older(moved)}"
    )


def _beside(change: Interval) -> str:
    """Say a change in members in 100: with its sign where it is not sure which way it goes."""
    if change.low <= 0 <= change.high:
        value = number(change.value, 1, signed=True)
        return f"{value} in 100 ({bounds(change)}) against the average"
    more = in_words(change.size(), f"{'more' if change.value >= 0 else 'fewer'} members in 100", 1)
    return f"{more} than on average"


def _older(moved: Drift) -> str:
    """Say where nobody joined, or so few that it is not told: then segments move by that alone."""
    if moved.joined:
        return ""
    nobody, no = ("Hardly anybody", "few") if moved.rounded else ("Nobody", "no")
    return f" {nobody} joined in these months: members grow older, and {no} new ones take their place."


def describe_drift(moved: Drift) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of shares by month."""
    row = moved.furthest
    now, before = (percent(float(row[name]), 0) for name in ("share_now", "share_before"))
    title = {
        "moved": (
            f"Segments have moved: {now} of all are {of_segment(str(row['segment']))}, {before} in the "
            "months before"
        ),
        "steady": "Segments are as large as in the months before",
        "not sure": "Segments are about as large as in the months before",
    }[moved.verdict]
    last = moved.shares[moved.shares["month"] == moved.shares["month"].iloc[-1]]
    subtitle = (
        f"Share of each segment at every month end, of all members who are in one ({count(last['n'].sum())} "
        "at the "
        f"last). The last is compared with the mean of the {moved.months_before} before; a move of up to "
        f"{percent(moved.margin, 0)} of members is none for any practical purpose."
    )
    subtitle = f"{subtitle} {about_bands(moved.segments)}".rstrip()
    return {"title": title, "subtitle": subtitle, "alt": say_drift(moved)}


def changes_frame(moved: Drift) -> pd.DataFrame:
    """Return how far every share has moved, the furthest first; empty where it is not known."""
    if moved.why_empty:
        return pd.DataFrame()
    order = moved.changes["change_points"].abs().sort_values(ascending=False, kind="stable").index
    return moved.changes.loc[order].reset_index(drop=True)


def describe_changes(moved: Drift) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of changes."""
    note = (
        f"The last month end against the mean of the {moved.months_before} before; {moved.mass * 100:g} % "
        "confidence "
        "intervals. Month ends share their members: the variance of a change is worked out from who went "
        "from "
        f"where to where. Moved: by more than {percent(moved.margin, 0)} of members, surely, all segments "
        "together."
    )
    return {"title": say_drift(moved).split(". ")[0], "note": note}


def _same_members(moved: Drift) -> str:
    """Say whether intervals know that some members move more than others."""
    if moved.by_member:
        return " and where it is the same members who move"
    return "; members are taken to be alike, so they are too narrow where it is the same members who move"


def describe_migration(moved: Drift) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the migration matrix, or why not."""
    rows = moved.migration
    others = rows[(rows["from_segment"] != rows["to_segment"]) & (rows["from_segment"] != TOO_NEW)]
    if others.empty:
        why = "No segment has enough members to tell of moves."
        return {"title": why, "subtitle": "", "alt": why}
    top = others.iloc[int(others["share"].argmax())]
    share = Interval.of(top, "share", moved.mass, "eti").scaled(100)
    start, end = of_segment(str(top["from_segment"])), of_segment(str(top["to_segment"]))
    to = "are gone" if top["to_segment"] == GONE else f"are {end}"
    title = f"Of 100 {start} {number(share.value, 0)} {to} a month later"
    subtitle = (
        "Of 100 members of a segment (left), how many are where (top) a month later; "
        f"{plural(moved.shares['month'].nunique() - 1, 'month')} together. Smaller numbers: "
        f"{moved.mass * 100:g} % credible intervals, wider where months differ by more than chance"
        f"{_same_members(moved)}."
    )
    return {
        "title": title,
        "subtitle": subtitle,
        "alt": f"{in_words(share, f'in 100 {start} {to}', 1)}.",
    }
