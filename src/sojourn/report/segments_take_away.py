"""Words for a rule that was taken away: what it asks, how faithful it is, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pandas as pd

from sojourn.core.measures import Measure
from sojourn.core.results.take_away import Condition, Fidelity, TakeAway
from sojourn.core.text import number, percent, plural
from sojourn.report.say import register

#: How the words of a share end; its bounds are told in percent.
_SHARE = " (share)"


def rule_frame(rule: TakeAway) -> pd.DataFrame:
    """Return the rule as people read it: a row for each way through the tree, or each range of the card."""
    return _tree_frame(rule) if rule.kind == "tree" else _card_frame(rule)


def _tree_frame(rule: TakeAway) -> pd.DataFrame:
    rows = [
        {
            "if": " and ".join(_condition(rule.measures[c.measure], c) for c in leaf.conditions) or "always",
            "then": rule.segments[leaf.segment],
            "n": leaf.members,
            "same_share": leaf.same,
        }
        for leaf in rule.leaves
    ]
    return pd.DataFrame(rows)


def _card_frame(rule: TakeAway) -> pd.DataFrame:
    rows = [
        {
            "what": _words(rule.measures[given.measure]),
            "range": _range(rule.measures[given.measure], low, high),
        }
        | {"gives": plural(points, "point")}
        for given in rule.card
        for (low, high), points in zip(_between(given.bounds), given.points, strict=True)
    ]
    cuts = [
        {"what": "sum of points", "range": _whole(low, high), "gives": f"“{name}”"}
        for (low, high), name in zip(_between(rule.cuts), rule.segments, strict=True)
    ]
    return pd.DataFrame([*rows, *cuts])


def describe_rule(rule: TakeAway) -> dict[str, str]:
    """Return title and note of the rule."""
    title = f"{_size(rule)} {_gives(rule)} {_same(rule.fidelity)} members the same segment"
    days = rule.counting.min_tenure_days
    read = (
        "Members: those who taught the rule and come this way; the share is of them, who belong there. "
        if rule.kind == "tree"
        else "Points are added up; the sum gives the segment. "
    )
    money = f" Amounts are in {rule.currency}." if rule.currency and _asks_money(rule) else ""
    note = (
        f"{read}A value on a bound belongs above it. A month has 30 days. Who was observed for fewer than "
        f"{days} days has no segment.{money}"
    )
    return {"title": title, "note": note}


def fidelity_frame(rule: TakeAway) -> pd.DataFrame:
    """Return how well the rule finds each segment, among members who did not teach it."""
    rows = [
        {
            "segment": one.segment,
            "n": one.n,
            **_shown("found_share", one.n, one.found, one.found_low, one.found_high),
            "called_members": one.called,
            **_shown("rightly_called_share", one.called, one.right, one.right_low, one.right_high),
        }
        for one in rule.fidelity.segments
    ]
    return pd.DataFrame(rows)


def describe_fidelity(rule: TakeAway) -> dict[str, str]:
    """Return title and note of how well each segment is found."""
    told = rule.fidelity
    note = (
        f"{plural(told.n, 'member')} who taught neither the segments nor the rule. Found: of the members of "
        "a segment, those whom the rule puts there. Rightly called: of those whom it puts there, members "
        f"of the segment. Intervals: {told.agreement.label}. Cohen's kappa is {number(told.kappa, 2)} (1: "
        f"the same, 0: as by chance). {_cost(told)}"
    )
    return {"title": f"{_told(told)}, {_worst(rule)}", "note": note}


@register
def _say(rule: TakeAway) -> str:
    return f"{describe_rule(rule)['title']}. {_cost(rule.fidelity)}"


def hand_out_words(rule: TakeAway) -> dict[str, str]:
    """Return title and sentence of the card by which the rule is handed out."""
    told = rule.fidelity
    return {
        "title": f"The rule, ready to run: {_size(rule, few=True)}",
        "sentence": (
            f"{_told(told)}. The query reads one row of counts per member, which its heading explains column "
            f"by column, and returns the name of the segment. Rule {rule.fingerprint}."
        ),
    }


def _size(rule: TakeAway, *, few: bool = False) -> str:
    if rule.kind == "tree":
        made = f"tree of {plural(len(rule.leaves), 'row')}"
    else:
        made = f"scorecard of {plural(len(rule.card), 'measure')}"
    return f"a {made}" if few else f"A {made}"


def _gives(rule: TakeAway) -> str:
    return "gives only" if rule.fidelity.same_low < 0.6 else "gives"


def _same(told: Fidelity) -> str:
    return f"{_in_100(told.same)} of 100"


def _told(told: Fidelity) -> str:
    bounds = f"{_in_100(told.same_low)} to {_in_100(told.same_high)}"
    return f"Of 100 members {_in_100(told.same)} ({bounds}) get the same segment"


def _worst(rule: TakeAway) -> str:
    """Say which segment is found least."""
    known = [one for one in rule.fidelity.segments if one.n]
    if not known:
        return "but no segment is large enough to be told"
    worst = min(known, key=lambda one: one.found)
    return f"of “{worst.segment}” {_in_100(worst.found)}"


def _cost(told: Fidelity) -> str:
    """Say what the simplification costs when what members do next is to be told."""
    rule, full = percent(told.explained), percent(told.explained_by_segments)
    bounds = f"{number(100 * told.lost_low)} to {number(100 * told.lost_high)}"
    said = f"The rule explains {rule} of what members did next, the full segmentation {full}"
    if told.lost_low <= 0 <= told.lost_high:
        return f"{said}: no difference that can be told (points lost: {bounds})."
    return f"{said}: {number(abs(100 * told.lost))} points {'less' if told.lost > 0 else 'more'} ({bounds})."


def _in_100(share: float) -> str:
    return number(100 * share, 0)


def _asks_money(rule: TakeAway) -> bool:
    return any(measure.decimals for measure in rule.measures)


def _shown(name: str, members: int, value: float, low: float, high: float) -> dict[str, float]:
    told = (value, low, high) if members else (np.nan, np.nan, np.nan)
    return dict(zip((name, f"{name}_low", f"{name}_high"), told, strict=True))


def _words(measure: Measure) -> str:
    return measure.words.removesuffix(_SHARE)


def _condition(measure: Measure, condition: Condition) -> str:
    return f"{_words(measure)} {_range(measure, condition.low, condition.high)}"


def _range(measure: Measure, low: float | None, high: float | None) -> str:
    """Return a range of a measure in words."""
    if low is None and high is None:
        return "any"
    if low is None:
        return f"below {_bound(measure, high)}"
    if high is None:
        return f"at least {_bound(measure, low)}"
    return f"{_bound(measure, low)} to below {_bound(measure, high)}"


def _whole(low: float | None, high: float | None) -> str:
    """Return a range of whole numbers in words."""
    if low is None:
        return f"up to {number(high - 1, 0)}" if high is not None else "any"
    return f"{number(low, 0)} or more" if high is None else f"{number(low, 0)} to {number(high - 1, 0)}"


def _bound(measure: Measure, bound: float | None) -> str:
    exact = Decimal(repr(bound))
    if measure.words.endswith(_SHARE):
        return f"{number(float(exact * 100), _digits(exact * 100))} %"
    return number(float(exact), _digits(exact))


def _digits(exact: Decimal) -> int:
    return max(0, -int(exact.normalize().as_tuple().exponent))


def _between(bounds: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """Return the ranges that bounds make, from the lowest."""
    return list(zip((None, *bounds), (*bounds, None), strict=True))
