"""Words for what segments did next: activity, who is still there, what became of messages."""

from __future__ import annotations

import pandas as pd

from sojourn.core.bands import the_band
from sojourn.core.interval import Interval, label
from sojourn.core.results.segments_described import EVERYONE, MessageResponse, NextCurves, WhatNext
from sojourn.core.text import begun, bounds, count, in_words, money, number, percent, ranged
from sojourn.report.say import register

UNIT = "members in 100"
DID = {"active_share": "active", "stayed_share": "still members"}


def called(segment: str) -> str:
    """Return the name of a segment as it stands in a sentence.

    Examples
    --------
    >>> called("most active quarter"), called("frequent members")
    ('the most active quarter', '“frequent members”')
    """
    return the_band(segment) or f"“{segment}”"


def ends(after: WhatNext, what: str) -> tuple[str, str]:
    """Return the two ends: first and last band of a gradient, groups with the smallest and largest share."""
    table = after.table if after.ordered else after.table.sort_values([what, "segment"])
    return str(table["segment"].iloc[0]), str(table["segment"].iloc[-1])


def contrast(after: WhatNext, what: str) -> str:
    """Say what the two ends did next, with the interval of the first."""
    low, high = ends(after, what)
    did = "were active in" if what == "active_share" else "were still members after"
    shares = [after.share(name, what).scaled(100) for name in (high, low)]
    return (
        f"of {called(high)}, {in_words(shares[0], UNIT)} {did} the next {after.days} days, of {called(low)} "
        f"{ranged(shares[1])}"
    )


def rounded(share: float) -> str:
    """Print a share in whole percent, with one decimal where it would read as none or all.

    Examples
    --------
    >>> rounded(0.824), rounded(0.997), rounded(1.0)
    ('82 %', '99.7 %', '100 %')
    """
    whole = percent(share, 0)
    return percent(share) if whole in ("0 %", "100 %") and 0 < share < 1 else whole


def describe_next(after: WhatNext, what: str = "") -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of what segments did next.

    Parameters
    ----------
    after : WhatNext
        The result.
    what : str
        ``active_share`` or ``stayed_share``; by default what tells segments apart best.
    """
    what = what or after.told
    low, high = ends(after, what)
    shares = {name: after.share(name, what) for name in (low, high)}
    did = DID[what]
    return {
        "title": (
            f"{rounded(shares[high].value)} of {called(high)} were {did}, "
            f"{rounded(shares[low].value)} of {called(low)}"
        ),
        "subtitle": (
            f"Share of each segment's members who were {did} in the {after.days} days after the cut, with "
            f"{shares[high].label}; {count(after.everyone['n'].iloc[0])} members who formed no segment."
        ),
        "alt": "; ".join(
            f"{name}: {in_words(after.share(str(name), what).scaled(100), '%')}"
            for name in after.table["segment"]
        ),
    }


def next_frame(after: WhatNext) -> pd.DataFrame:
    """Return what segments did next as it is shown, everyone in the last row."""
    return pd.concat([after.table, after.everyone], ignore_index=True)


def describe_next_table(after: WhatNext) -> dict[str, str]:
    """Return title and note of the table of what segments did next."""
    unit = f", spend in {after.currency}" if after.currency and "spend" in after.table else ""
    return {
        "title": _spending(after) or say_next(after).removesuffix("."),
        "note": (
            f"The {after.days} days after the cut, over members who formed no segment. Shares with "
            f"{label(after.mass, 'eti')}s; means a member{unit} with {label(after.mass, 'wald')}s"
            f"{_none(after)}."
        ),
    }


def _none(after: WhatNext) -> str:
    """Say why a mean has no interval, where one has none."""
    alike = "spend_low" in after.table and bool(after.table["spend_low"].isna().any())
    return ", none where all members are the same or fewer than 10 have any" if alike else ""


def _spending(after: WhatNext) -> str:
    """Say which segment spends most, beside everyone; nothing where nobody spends."""
    if "spend" not in after.table:
        return ""
    top = after.table.sort_values(["spend", "segment"]).iloc[-1]
    most, average = (
        money(float(amount), after.currency) for amount in (top["spend"], after.everyone["spend"].iloc[0])
    )
    days = f"In the next {after.days} days"
    return f"{days} a member of {called(top['segment'])} spends {most}, the average member {average}"


@register
def say_next(after: WhatNext) -> str:
    """Say what the two ends did next."""
    return begun(f"{contrast(after, after.told)}.") if after.told else after.why_empty


# --- who is still there ---


def describe_curves(curves: NextCurves) -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of curves."""
    last = _last(curves)
    told = last[last["group"] != EVERYONE].sort_values(["retained", "group"])
    low, high = told.iloc[0], told.iloc[-1]
    day = int(min(low["duration"], high["duration"]))
    ends_of = [curves.at(str(row["group"]), day) for row in (high, low)]
    return {
        "title": (
            f"After {day} days {rounded(ends_of[0].value)} of {called(high['group'])} are still with us, "
            f"{rounded(ends_of[1].value)} of {called(low['group'])}"
        ),
        "subtitle": (
            "Share still with us by days since the cut; members who formed no segment, grouped by what was "
            f"known at the cut. Bands: {label(curves.mass, curves.kind)}, each day by itself, where at least "
            "20 were there and 10 had left. Grey: everyone."
        ),
        "alt": "; ".join(_at_end(curves, row) for _, row in last.iterrows()),
    }


def _last(curves: NextCurves) -> pd.DataFrame:
    """Return the last row of every curve."""
    return curves.table.groupby("group", sort=False).tail(1)


def _at_end(curves: NextCurves, row: pd.Series) -> str:
    share = curves.at(str(row["group"]), int(row["duration"])).scaled(100)
    interval = f" ({bounds(share)})" if row["claimed"] else ""
    return f"{row['group']}: {number(share.value)} % after {count(row['duration'])} days{interval}"


def curves_frame(curves: NextCurves) -> pd.DataFrame:
    """Return the curves every 30 days after the cut and at their end."""
    last = curves.table.groupby("group")["duration"].transform("max")
    at = curves.table["duration"]
    shown = curves.table[((at % 30 == 0) & (at > 0)) | (at == last)]
    columns = ["group", "duration", "retained", "retained_low", "retained_high", "at_risk"]
    return shown[columns].rename(columns={"group": "segment", "duration": "day"})


def describe_curves_table(curves: NextCurves) -> dict[str, str]:
    """Return title and note of the table of curves."""
    return {
        "title": describe_curves(curves)["title"],
        "note": (
            f"{begun(label(curves.mass, curves.kind))}s (log-log), each day by itself; none where fewer "
            "than 20 were there or fewer than 10 had left. A curve ends where too few remain to be shown."
        ),
    }


@register
def say_curves(curves: NextCurves) -> str:
    """Say who stays most and least, or why that is not known."""
    return curves.why_empty or f"{describe_curves(curves)['title']}."


# --- messages ---


def describe_messages(answers: MessageResponse) -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of message response."""
    return {
        "title": _finding(answers),
        "subtitle": (
            f"Messages opened of all sent in the {answers.days} days after the cut, with "
            f"{label(answers.mass, answers.kind)} that allows for members who were sent several; "
            f"{count(_everyone(answers)['n'])} members who formed no segment and were sent any."
        ),
        "alt": "; ".join(
            f"{row['segment']}: {_with_bounds(answers, str(row['segment']))}"
            for row in answers.table.to_dict("records")
        ),
    }


def _finding(answers: MessageResponse) -> str:
    """Say whether segments open differently, and the two ends."""
    of_all = answers.share(EVERYONE)
    told = answers.table[answers.table["segment"] != EVERYONE].sort_values(["opened_share", "segment"])
    if told.empty:
        return f"Of 100 messages {number(100 * of_all.value, 0)} are opened"
    low, high = told.iloc[0], told.iloc[-1]
    if not answers.differs:
        return f"All segments open about as many messages: {number(100 * of_all.value, 0)} of 100"
    return (
        f"{begun(called(high['segment']))} open {number(100 * high['opened_share'], 0)} of 100 messages, "
        f"{called(low['segment'])} {number(100 * low['opened_share'], 0)}"
    )


def _everyone(answers: MessageResponse) -> pd.Series:
    return answers.table[answers.table["segment"] == EVERYONE].iloc[0]


def _with_bounds(answers: MessageResponse, segment: str) -> str:
    share = answers.share(segment).scaled(100)
    known = _finite(share)
    return in_words(share, "%") if known else f"{number(share.value)} % (too few for an interval)"


def _finite(share: Interval) -> bool:
    return share.low == share.low  # not a number equals nothing


def messages_frame(answers: MessageResponse) -> pd.DataFrame:
    """Return what became of messages, segment by segment, everyone last."""
    return answers.table


def describe_messages_table(answers: MessageResponse) -> dict[str, str]:
    """Return title and note of the table of message response."""
    return {
        "title": _finding(answers),
        "note": (
            f"Members who were sent any message in the {answers.days} days after the cut. Opened: of the "
            f"messages sent, with {label(answers.mass, answers.kind)}s that take members, not messages, as "
            "drawn."
        ),
    }


@register
def say_messages(answers: MessageResponse) -> str:
    """Say which segments open most and fewest messages, or why that is not known."""
    return answers.why_empty or f"{_finding(answers)}."
