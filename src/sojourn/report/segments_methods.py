"""Words for ways of grouping set side by side, and why what is usually shown does not show groups."""

from __future__ import annotations

import pandas as pd

from sojourn.core.results.methods import CRITERIA, DENSITY, HALVES, KMEANS, MIXTURE, PAGE, Methods
from sojourn.core.results.segments import STABLE
from sojourn.core.text import count, number, percent, plural
from sojourn.report.say import register


def methods_frame(ways: Methods) -> pd.DataFrame:
    """Return what every way returns of these members, and of members without any structure."""
    table = ways.table
    return pd.DataFrame(
        {
            "way": table["method"],
            "groups": table["groups"].astype(int),
            "groups_without_structure": table["twin_groups"].round().astype("Int64"),
            "worst_comes_back": table["jaccard"],
            "comes_back_without_structure": table["twin_jaccard"],
            "gain": table["gain"],
            "gain_without_structure": table["twin_gain"],
            "differs_next": table["t_next"],
        }
    )


def describe_methods(ways: Methods) -> dict[str, str]:
    """Return title and note of the table of ways."""
    usual = [ways.of(name)["twin_groups"] > 1 for name in (KMEANS, MIXTURE, DENSITY)]
    of = "a made-up population" if ways.twins == 1 else f"{count(ways.twins)} made-up populations"
    title = f"In {of} without any structure {_OF_THREE[sum(usual)]} of the three usual ways find groups"
    return {"title": title, "note": f"{_columns_told(ways)} {why_not_shown(ways)}"}


#: Standard errors that are usually called a difference.
_APART = 2.0

_OF_THREE = ("none", "one", "two", "all")


def _columns_told(ways: Methods) -> str:
    """Return what the columns are."""
    return (
        f"{count(ways.fitted)} members form groups, {count(ways.judged)} others judge them. Comes back: how "
        "much of the worst group is found again when members are drawn again (1: all of it). Gain: how much "
        "better the groups describe members who formed nothing than one bell curve does, in nats a member "
        "(1: 2.7 times as likely). Differs next: the two groups furthest apart in active days after the cut, "
        f"in standard errors. Without structure: {plural(ways.twins, 'made-up population')}"
        f"{' (medians)' if ways.twins > 1 else ''} with the same values and the same rank correlations of "
        f"features, and nothing else. Groups of fewer than {count(ways.least)} members do not count."
    )


def agreement_frame(ways: Methods) -> pd.DataFrame:
    """Return how every way decides, whom it leaves out, and with what it agrees."""
    table = ways.table
    return pd.DataFrame(
        {
            "way": table["method"],
            "decides_by": table["method"].map(CRITERIA),
            "in_no_group_share": table["noise_share"],
            "two_resamples_agree": table["rand"],
            "agrees_with_this_page": table["agreement"],
        }
    )


def describe_agreement(ways: Methods) -> dict[str, str]:
    """Return title and note of the table of agreement."""
    peers = ways.table[ways.table["method"].isin([KMEANS, MIXTURE, DENSITY])]
    nearest = peers.loc[peers["agreement"].idxmax()]
    return {
        "title": (
            f"Of the usual ways, {nearest['method']} comes nearest to the segments of this page "
            f"(agreement {number(float(nearest['agreement']), 2)})"
        ),
        "note": (
            "Agreement of two groupings of the same members (adjusted Rand index): 1 the same groups, 0 no "
            f"more than chance. Two resamples: mean over all pairs of {count(ways.resamples)} bootstrap "
            "samples."
        ),
    }


def why_not_shown(ways: Methods) -> str:
    """Say why none of the usual numbers shows that there are groups, by the numbers of the table."""
    cut, mixed = ways.of(HALVES), ways.of(MIXTURE)
    apart = cut["t_next"] >= _APART
    after = f", and its halves differ next by {number(cut['t_next'])} standard errors" if apart else ""
    halves = (
        f"A score merely cut in half comes back to {percent(cut['jaccard'], 0)}{after}: so does whatever is "
        "cut where members differ by degrees. "
        if cut["jaccard"] >= STABLE
        else ""
    )
    return (
        f"None of these numbers shows groups. {halves}A mixture gains {number(mixed['twin_gain'], 2)} nats "
        f"where there is no structure at all ({number(mixed['gain'], 2)} here), since one bell curve does "
        "not fit skewed features. Groups are claimed only where valleys lie between them that data without "
        "structure do not have, and where they pass the exam."
    )


def returns_frame(ways: Methods) -> pd.DataFrame:
    """Return every group of every way with its size and how much of it comes back; of many, the ends."""
    rows = []
    for name, groups in ways.clusters.groupby("method", sort=False):
        shown = groups if len(groups) <= _AT_MOST else groups.loc[_ends(groups["jaccard"])]
        rows.append(shown.assign(way=name))
    told = pd.concat(rows, ignore_index=True)
    return told.rename(columns={"jaccard": "comes_back"})[["way", "group", "share", "comes_back"]]


#: Of a way with more groups, only the best, the middle and the worst are shown.
_AT_MOST = 12


def _ends(values: pd.Series[float]) -> list[int]:
    """Return where the best, the middle and the worst stand."""
    order = list(values.sort_values(ascending=False, kind="stable").index)
    return [order[0], order[len(order) // 2], order[-1]]


def describe_returns(ways: Methods) -> dict[str, str]:
    """Return title and note of the table of groups of all ways."""
    own = ways.clusters[ways.clusters["method"] == PAGE]
    worst = float(own["jaccard"].min())
    return {
        "title": f"Of the segment of this page that comes back worst, {percent(worst, 0)} do",
        "note": (
            f"Share of a group found again (Jaccard similarity, mean over {count(ways.resamples)} bootstrap "
            f"samples of {count(ways.fitted)} members). Of ways with more than {count(_AT_MOST)} groups, the "
            "best, the middle and the worst are shown."
        ),
    }


@register
def say_methods(ways: Methods) -> str:
    """Say what each way returns, and what that is worth."""
    told = zip(ways.table["method"], ways.table["groups"], strict=True)
    each = [f"{method}: {plural(int(groups), 'group')}" for method, groups in told]
    return f"{'; '.join(each)}. {why_not_shown(ways)}"
