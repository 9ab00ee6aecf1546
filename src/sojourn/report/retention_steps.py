"""What to do next about who stays: what to try, to ask and to watch; a curve alone proves none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action
from sojourn.core.results.retention import EVERYONE, LossRate, RetentionCurve
from sojourn.core.results.retention_drivers import Drivers
from sojourn.core.results.retention_groups import Contrasts
from sojourn.core.results.retention_states import UNKNOWN, Reasons
from sojourn.core.text import bounds, number
from sojourn.report.retention import has_found
from sojourn.report.retention_words import at_once, go, going, span, start, stay, still, who


def next_steps_retention(
    curve: RetentionCurve,
    rate: LossRate,
    contrasts: Contrasts,
    checks: Sequence[Check],
    *,
    horizon: int,
    drivers: Drivers | None = None,
    reasons: Reasons | None = None,
) -> list[Action]:
    """Return two or three things to do, the most useful first.

    Parameters
    ----------
    curve : RetentionCurve
        Of everybody.
    rate, contrasts, checks
        When members leave, how groups differ, and what could be wrong.
    horizon : int
        Duration of the answer.
    drivers : Drivers, optional
        What goes with staying, all else alike: its largest clear difference, else that of `contrasts`.
    reasons : Reasons, optional
        Why members leave; what they are not asked matters where `checks` say that another could be first.
    """
    asked = [*_ask_everybody(reasons, checks), *(_ask_alike(drivers) or _ask_why(contrasts))]
    steps = [_reach_them(curve, rate, horizon), *asked, *_write(curve, checks), *_watch(checks)]
    return steps[:3] if len(steps) > 1 else [*steps, _RECORD]


#: Where the data allows nothing else.
_RECORD = Action(
    "Record when members join and what they chose then.",
    "groups that can be compared without looking into the future",
    "not known",
    "none",
)


def _reach_them(curve: RetentionCurve, rate: LossRate, horizon: int) -> Action:
    """Return the action for where most are lost: at once, or in the periods of fastest leaving."""
    end = min(horizon, int(curve.followed_to[EVERYONE]))
    drawn = rate.drawn()
    drawn = drawn[drawn["duration"] <= end]
    if drawn.empty and not rate.at_once:
        return Action("Follow members for longer.", "an answer", "time", "none")
    if rate.at_once and (drawn.empty or rate.share_at_once > drawn["rate"].max()):
        return _reach_at_once(curve, rate, end)
    fast = rate.fastest(end)
    spread = drawn if fast.empty else fast
    first, last = int(spread["duration_from"].iloc[0]), int(spread["duration"].iloc[-1])
    when = (
        f"in {curve.unit}s {first} to {last}; no shorter time stands out"
        if fast.empty
        else f"from {curve.unit} {first} to {last}, when {going(curve)} is fastest"
    )
    before, after = (curve.retained(duration).value for duration in (first, last))
    effect = (
        f"if that worked, halving the losses from {curve.unit} {first} to {last} would keep "
        f"{_more(curve, end, before, after)} more members in 100 at {span(end, curve.unit)}, if those kept "
        f"then {go(curve)} as others do"
    )
    what = f"Try something that reaches members {when}, as a trial."
    return Action(what, effect, "not known before a trial", "none: arithmetic on the curve")


def _reach_at_once(curve: RetentionCurve, rate: LossRate, end: int) -> Action:
    said = at_once(rate.share_at_once, rate.since, rate.lapse)
    effect = (
        "if that worked, halving the losses of the first day would keep "
        f"{_more(curve, end, 1.0, 1 - rate.share_at_once)} more members in 100 {still(curve)} at "
        f"{span(end, curve.unit)}, if those kept then {go(curve)} as others do"
    )
    what = f"Try something that reaches members right after {start(curve.since)}, as a trial: {said}"
    return Action(what, effect, "not known before a trial", "none: arithmetic on the curve")


def _more(curve: RetentionCurve, end: int, before: float, after: float) -> str:
    """Print how many more in 100 would be there at the end if half as many were lost between two times.

    Those kept then go on as others do: from `after` to the end as large a share of them is kept. Where nobody
    is left after the losses, the curve ends with them.
    """
    onwards = curve.retained(end).value / after if after > 0 else 1.0
    return number(100 * (before - after) / 2 * onwards)


def _ask_everybody(reasons: Reasons | None, checks: Sequence[Check]) -> list[Action]:
    """Return the action where reasons that are not known could put another one first."""
    first = [check for check in checks if check.name == "The main reason is first without doubt"]
    if reasons is None or not reasons.open or all(check.verdict == "pass" for check in first):
        return []
    row: Any = reasons.at(reasons.horizon).set_index("reason").loc[reasons.open]
    share = reasons.left_for(reasons.open, reasons.horizon).scaled(100)
    beside = f" ({bounds(share)})" if row["claimed"] else ""
    why = "a reason unknown" if reasons.open == UNKNOWN else "other or unknown reasons"
    effect = (
        f"{number(share.value)}{beside} of 100 new members leave within "
        f"{span(reasons.horizon, reasons.unit)} for {why}; with it another reason could lead"
    )
    return [
        Action("Ask everybody who cancels why.", effect, "one question", "observational: the check above")
    ]


def _ask_alike(drivers: Drivers | None) -> list[Action]:
    """Return the action for the largest clear difference between members who are alike in all else known."""
    if drivers is None or drivers.why_empty:
        return []
    clear = drivers.clear()
    clear = clear[clear["column"] != "cohort"]
    if clear.empty:
        return []
    row: Any = clear.iloc[0]
    apart = drivers.difference(row["column"], row["level"]).scaled(100).size()
    groups = [who(row["column"], row[name]) for name in ("level", "against")]
    fewer, more = groups if row["difference_points"] < 0 else reversed(groups)
    gap = (
        f"a gap of {number(apart.value)} members in 100 after {span(drivers.horizon, drivers.unit)}, all "
        f"else alike ({bounds(apart)}), to understand; moving members from one to the other need not close it"
    )
    what = f"Ask why fewer of {fewer} {stay(drivers)} than of {more}."
    return [Action(what, gap, "some conversations", f"observational: {_OTHERWISE}")]


#: Why a difference between groups is no effect.
_OTHERWISE = "those who are in one group may differ from the others in ways nobody recorded"


def _ask_why(contrasts: Contrasts) -> list[Action]:
    """Return the action for the largest gap between groups that is sure to be one, if there is any."""
    if contrasts.why_empty or contrasts.by == "cohort":  # nobody can be moved to another month of joining
        return []
    clear = contrasts.table[contrasts.table["difference_low"] * contrasts.table["difference_high"] > 0]
    if clear.empty:
        return []
    row: Any = clear.loc[clear["difference"].abs().idxmax()]
    groups = [who(contrasts.by, group) for group in (row["group"], contrasts.against)]
    shorter, longer = groups if row["difference"] < 0 else reversed(groups)
    size = Interval.of(row, "difference", contrasts.mass, "wald").size()
    gap = (
        f"a gap of {number(size.value)} {contrasts.unit}s within {contrasts.until} ({bounds(size)}) to "
        "understand; moving members from one to the other need not close it"
    )
    evidence = "observational: those who are in one group differ from the others in other ways too"
    return [
        Action(
            f"Ask why {shorter} {stay(contrasts)} less long than {longer}.",
            gap,
            "some conversations",
            evidence,
        )
    ]


def _write(curve: RetentionCurve, checks: Sequence[Check]) -> list[Action]:
    """Return the action for members who fall silent, with how many come back without it."""
    silence = [check.finding.rstrip(".") for check in checks if check.name == "Silence means leaving"]
    if curve.leaving != "silence" or not silence:
        return []
    what = "Write to members who fall silent, and leave a random part of them alone to see what it does."
    return [
        Action(
            what,
            f"not known. {silence[0]}, whatever was done then",
            "one message a member",
            "none: it takes a trial",
        )
    ]


def _watch(checks: Sequence[Check]) -> list[Action]:
    """Return the action for newer members who leave otherwise than older ones."""
    drift = [check for check in checks if check.name == "Older and newer members fare alike"]
    if not any(has_found(check) for check in drift):
        return []
    what = "Read newer members by their month of joining before planning on them."
    return [
        Action(
            what, "a forecast that does not rest on older members", "none", "observational: the checks above"
        )
    ]
