"""Words for segments: the answer, key figures, findings of pictures, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.segments import CEILING, OURS, RFM, SMOOTH, Segmentation
from sojourn.core.results.segments_described import WhatNext
from sojourn.core.text import begun, bounds, count, day, in_words, listing, money, number, percent, plural
from sojourn.report.say import register
from sojourn.report.segments_next import UNIT, called, contrast, ends

#: Where fewer in 100 are active, members are won back rather than kept.
_HALF = 50.0


def headline_segments(found: Segmentation, after: WhatNext, checks: Sequence[Check] = ()) -> Headline:
    """Return the answer: how many groups, or a gradient, and what the two ends of it did next.

    Parameters
    ----------
    found : Segmentation
        The result.
    after : WhatNext
        What the segments did after the cut.
    checks : sequence of Check
        A failed one blocks the answer.
    """
    blocked = [check.name for check in checks if check.blocks]
    what = after.told
    most = after.share(ends(after, what)[1], what).scaled(100) if what else None
    ending = f": {contrast(after, what)}." if what else "."
    return Headline(
        sentence=_answer(found) + ending,
        verdict="cannot be relied on" if blocked else _verdict(found),
        status="blocked" if blocked else "ok",
        interval=most,
        unit=UNIT if most else "",
        detail=" ".join(filter(None, (_blocked(blocked), _why(found)))),
    )


def _answer(found: Segmentation) -> str:
    if found.has_groups:
        return f"Members form {count(found.k)} groups"
    return "Members differ by degrees and form no separate groups"


def _verdict(found: Segmentation) -> str:
    return plural(found.k, "group") if found.has_groups else found.verdict


def _blocked(names: Sequence[str]) -> str:
    return f"Not to be relied on, because of: {listing(list(names)).lower()}." if names else ""


def _why(found: Segmentation) -> str:
    """Return why it is groups, or is not."""
    if found.reason == "useful":
        return (
            "They stand apart more than 95 in 100 data sets without structure, and tell more about what "
            f"comes next than {listing([_RIVALS[name] for name in found.beaten])}{_less_than_score(found)}."
        )
    if found.reason == "no use":
        apart = plural(found.exam_k, "group")
        return f"{apart} can be told apart, but tell no more about what comes next than scores as simple."
    return "However many groups are asked for, nothing emptier lies between them than chance leaves."


#: What the sentence calls a rival of the exam.
_RIVALS = {RFM: RFM, SMOOTH: "a score as simple", CEILING: "a score of everything"}


def _less_than_score(found: Segmentation) -> str:
    """Return by how much a score clearly tells more: one as simple comes before one of everything."""
    better = [name for name in (SMOOTH, CEILING) if found.examined(name)["gain_high"] < 0]
    if not better:
        return ""
    ours, theirs = (percent(found.examined(name)["explained"]) for name in (OURS, better[0]))
    score = "a score that is as simple" if better[0] == SMOOTH else "a score of everything"
    return f", but less than {score} ({ours} against {theirs} explained)"


def key_figures_segments(found: Segmentation, after: WhatNext) -> list[KeyFigure]:
    """Return the strip: members, how deep the valleys are, what the segments explain, the largest segment."""
    row = found.tried(found.most_apart)
    ours, free = found.examined(OURS)["explained"], found.examined(CEILING)["explained"]
    figures = [
        KeyFigure(
            "Members looked at",
            count(found.members),
            f"as they were on {day(str(found.meta['cut_date']))}; {count(found.judged)} of them judge what "
            "the others formed",
        ),
        KeyFigure(
            f"Depth of the shallowest valley between {found.most_apart} groups",
            *_valley(row["depth"], row["null_depth_high"]),
        ),
        KeyFigure(
            f"What members did next, as explained by {_tried(found)}",
            percent(ours),
            f"a score as free as it likes explains {percent(free)}",
        ),
    ]
    return [*figures, *_end_figure(after), *_spend_figure(after)]


def _valley(depth: float, without: float) -> tuple[str, str]:
    """Return the depth of a valley, and what it is set beside."""
    stays = f"it stays below {number(without, 2)}" if without >= _VISIBLE else "there is none either"
    return number(depth, 2) if depth >= _VISIBLE else "none", f"0 is none, 1 empty; without structure {stays}"


#: Depths below are printed as 0.00.
_VISIBLE = 0.005


def _tried(found: Segmentation) -> str:
    """Return what sat the exam: so many groups, or bands where none stand apart."""
    return plural(found.exam_k, "group" if found.reason != "no valley" else "band")


def _end_figure(after: WhatNext) -> list[KeyFigure]:
    what = after.told
    if not what:
        return []
    low = ends(after, what)[0]
    share = after.share(low, what)
    active = what == "active_share"
    did = f"active in the next {after.days} days" if active else f"still members {after.days} days later"
    return [KeyFigure(f"{begun(called(low))}: {did}", percent(share.value), bounds(share.scaled(100)))]


def _spend_figure(after: WhatNext) -> list[KeyFigure]:
    if "spend" not in after.table:
        return []
    top = after.table.sort_values(["spend", "segment"]).iloc[-1]
    label = f"{begun(called(top['segment']))}: spend in the next {after.days} days"
    spend = Interval.of(top, "spend", after.mass, "wald")
    around = bounds(spend, 2) if isfinite(spend.low) else _alike(top)
    return [KeyFigure(label, money(spend.value, after.currency), f"a member; {around}")]


def _alike(row: pd.Series) -> str:
    """Return what is said where there is no interval."""
    return f"too few of {count(row['n'])} have any, or all the same, for an interval"


def next_steps_segments(found: Segmentation, after: WhatNext) -> list[Action]:
    """Return what to do with groups, or with a gradient."""
    if found.has_groups:
        first = Action(
            f"Write one message for each of the {count(found.k)} groups, and test it inside each group.",
            "not known: groups differ, but what works on whom takes a trial",
            f"{count(found.k)} messages and one stratified trial",
            "none: the groups are observed",
        )
    else:
        first = Action(
            "Do not write personas. Treat bands of a score differently, such as those of this page.",
            _bands_beside(found),
            "none: the scorecard is handed out below",
            "observational: the exam on this page",
        )
    return [first, *_worth(after), *_quiet(after), _again(found)]


def _bands_beside(found: Segmentation) -> str:
    """Return what bands explain of what members did next, beside each rival."""
    ours, *others = (percent(found.examined(name)["explained"]) for name in (OURS, RFM, SMOOTH, CEILING))
    rivals = [f"{name} {share}" for name, share in zip((RFM, SMOOTH, CEILING), others, strict=True)]
    return f"the bands explain {ours} of what members did next, {listing(rivals)}"


def _worth(after: WhatNext) -> list[Action]:
    """Return what to do about the segment that spends most."""
    if "spend" not in after.table:
        return []
    top = after.table.sort_values(["spend", "segment"]).iloc[-1]
    spend = Interval.of(top, "spend", after.mass, "wald")
    average = money(float(after.everyone["spend"].iloc[0]), after.currency)
    theirs = (
        in_words(spend, after.currency, 2)
        if isfinite(spend.low)
        else f"{money(spend.value, after.currency)} ({_alike(top)})"
    )
    return [
        Action(
            f"Watch month by month how many of {called(top['segment'])} come: they spend most.",
            f"one of them spends {theirs} in {after.days} days, the average member {average}",
            "a look at this number each month",
            "observational: what each segment did next",
        )
    ]


def _quiet(after: WhatNext) -> list[Action]:
    """Return what to do about the segment of whom fewest are active, or stay."""
    what = after.told
    if not what:
        return []
    low = ends(after, what)[0]
    share = after.share(low, what).scaled(100)
    did = "were active" if what == "active_share" else "stayed"
    aim = "win back" if share.value < _HALF else "keep"
    return [
        Action(
            f"Try to {aim} members of {called(low)} with an incentive, in a trial with a control group.",
            f"without it, {in_words(share, UNIT)} {did} within {after.days} days: the number to beat",
            "the incentive, and a random part that gets none",
            "observational: what each segment did next",
        )
    ]


def _again(found: Segmentation) -> Action:
    return Action(
        "Run this page again when the platform or its members have changed.",
        f"the rule is frozen as of {day(str(found.meta['cut_date']))}",
        "minutes",
        "none: whether the rule lasts is not known yet",
    )


def segments_frame(found: Segmentation) -> pd.DataFrame:
    """Return the table of segments as it is shown: name, size with its interval, sentence."""
    return found.table[["segment", "n", "share", "share_low", "share_high", "comes_back", "sentence"]]


def describe_segments(found: Segmentation) -> dict[str, str]:
    """Return title and note of the table of segments."""
    groups = plural(found.k, "group") if found.has_groups else f"{count(found.k)} bands of one activity score"
    note = (
        f"Means over the {count(found.judged)} members who formed nothing; shares of them with "
        f"{found.mass * 100:g} % credible intervals. Comes back: how much of a segment is found again when "
        f"members are drawn again (1: all of it); two draws agree to {number(found.rand, 2)} (1: the same "
        "segments, 0: as by chance). A score merely cut into bands comes back too: it does not show groups."
    )
    return {"title": f"{groups[0].upper()}{groups[1:]}, in words", "note": note}


def exam_frame(found: Segmentation) -> pd.DataFrame:
    """Return the exam as it is shown: what each way explains, and the gain of ours over the others."""
    gains = ["gain", "gain_low", "gain_high"]
    shown = found.exam.assign(**found.exam[gains].where(found.exam["rival"] != OURS))
    shown = shown.rename(columns={"explained": "explained_share", "gain": "gain_points"})
    shown = shown.rename(columns={"gain_low": "gain_points_low", "gain_high": "gain_points_high"})
    return shown[["rival", "explained_share", "gain_points", "gain_points_low", "gain_points_high"]]


def truth_frame(found: Segmentation) -> pd.DataFrame:
    """Return the hidden segments of a simulated world.

    Raises
    ------
    UndefinedError
        When the case is not simulated.
    """
    truth = found.meta.get("truth")
    if not truth:
        raise UndefinedError(f"The truth of '{found.case}' is not known: it is not simulated.")
    frame = pd.DataFrame(truth["features"])
    return frame.rename(columns={"hazard": "leaving_factor"})


def say_truth(found: Segmentation) -> str:
    """Say how many hidden segments there are and how many were found, or that nobody knows."""
    truth = found.meta.get("truth")
    if not truth:
        return "Real members carry no label: how many groups there really are is not known to anybody."
    ours = plural(found.k, "group") if found.has_groups else "a gradient"
    return (
        f"The simulated world holds {plural(int(truth['count']), 'hidden segment')}; this page found {ours}."
    )


def describe_exam(found: Segmentation) -> dict[str, str]:
    """Return title and note of the table of the exam."""
    rfm, free = found.examined(RFM), found.examined(CEILING)
    beats = (
        "more than" if rfm["gain_low"] > 0 else "less than" if rfm["gain_high"] < 0 else "about as much as"
    )
    simple = found.examined(SMOOTH)
    rest = (
        "; a smooth score as simple explains more"
        if simple["gain_high"] < 0
        else "; a free score explains more than both"
        if free["gain_high"] < 0
        else ""
    )
    return {
        "title": f"{_tried(found)} explain {beats} {RFM} of what comes next{rest}",
        "note": (
            "Share of the variance of what members did after the cut that is predicted out of sample, "
            f"averaged over outcomes; {count(found.judged)} members who formed nothing. Gain: of the "
            f"segments over each rival, in points, with {_confidence(found.mass)}. Groups pass if they beat "
            f"{RFM} (fifths of recency, frequency and monetary value, added up) or a smooth score that is as "
            "simple; a free score is only shown."
        ),
    }


def describe_stability(found: Segmentation) -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of valleys."""
    apart = [int(k) for k in found.stability.loc[found.stability["separated"], "k"]]
    title = (
        f"Up to {plural(max(apart), 'group')} stand apart"
        if apart
        else "No number of groups stands apart from its neighbours"
    )
    row = found.tried(found.most_apart)
    return {
        "title": title,
        "subtitle": (
            "How much thinner the crowd is between groups than in their middles, for the least separated "
            f"two; grey: 95 in 100 data sets without structure stay below. {count(found.fitted)} members."
        ),
        "alt": (
            f"Line of valley depth against the number of groups. At {found.most_apart} groups it is "
            f"{number(row['depth'], 2)}, against {number(row['null_depth_high'], 2)} without structure."
        ),
    }


def _confidence(mass: float) -> str:
    return f"{mass * 100:g} % confidence intervals"


@register
def say_segmentation(found: Segmentation) -> str:
    """Say whether there are groups, why, and how large the segments are."""
    sizes = zip(found.table["segment"], found.table["share"], strict=True)
    shares = [f"{name} ({percent(share, 0)})" for name, share in sizes]
    return f"{_answer(found)}. {_why(found)} Segments: {listing(shares)}."
