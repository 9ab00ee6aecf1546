"""What to do next about who stays: what to try, to ask and to watch; a curve alone proves none of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action
from sojourn.core.results.retention import EVERYONE, Contrasts, LossRate, RetentionCurve
from sojourn.core.text import number
from sojourn.report.retention_words import span, who


def next_steps_retention(
    curve: RetentionCurve, rate: LossRate, contrasts: Contrasts, checks: Sequence[Check], *, horizon: int
) -> list[Action]:
    """Return two or three things to do.

    Parameters
    ----------
    curve : RetentionCurve
        Of everybody.
    rate, contrasts, checks
        When members leave, how groups differ, and what could be wrong.
    horizon : int
        Duration of the answer.
    """
    steps = [_reach_them(curve, rate, horizon), *_ask_why(contrasts), *_write(curve, checks), *_watch(checks)]
    return steps[:3] if len(steps) > 1 else [*steps, _RECORD]


#: Where the data allows nothing else.
_RECORD = Action(
    "Record when members join and what they chose then.",
    "groups that can be compared without looking into the future",
    "not known",
    "none",
)


def _reach_them(curve: RetentionCurve, rate: LossRate, horizon: int) -> Action:
    """Return the action for the period of fastest leaving, with what halving its losses would do."""
    end = min(horizon, int(curve.followed_to[EVERYONE]))
    table = rate.table[rate.table["duration"] <= end]
    if table.empty:
        return Action("Follow members for longer.", "an answer", "time", "none")
    peak: Any = table.loc[table["rate"].idxmax()]
    first, last = int(peak["duration_from"]), int(peak["duration"])
    kept, before, after = (curve.retained(duration).value for duration in (end, first, last))
    gain = kept * (math.sqrt(before / after) - 1) if after > 0 else 0.0
    effect = (
        f"halving the losses from {curve.unit} {first} to {last} would keep {number(100 * gain)} more "
        f"members in 100 at {span(end, curve.unit)}, if those kept then leave as others do"
    )
    what = (
        f"Try something that reaches members before {curve.unit} {last}, when leaving is fastest, as a trial."
    )
    return Action(what, effect, "not known before a trial", "none: arithmetic on the curve")


def _ask_why(contrasts: Contrasts) -> list[Action]:
    """Return the action for the largest gap between groups that is sure to be one, if there is any."""
    if contrasts.why_empty:
        return []
    clear = contrasts.table[contrasts.table["difference_low"] * contrasts.table["difference_high"] > 0]
    if clear.empty:
        return []
    row: Any = clear.loc[clear["difference"].abs().idxmax()]
    groups = [who(contrasts.by, group) for group in (row["group"], contrasts.against)]
    shorter, longer = groups if row["difference"] < 0 else reversed(groups)
    ends = sorted((abs(row["difference_low"]), abs(row["difference_high"])))
    gap = (
        f"a gap of {number(abs(row['difference']))} {contrasts.unit}s within {contrasts.until} "
        f"({contrasts.mass * 100:g} % confidence interval {number(ends[0])} to {number(ends[1])}) to "
        "understand; moving members from one to the other need not close it"
    )
    evidence = "observational: those who are in one group differ from the others in other ways too"
    return [Action(f"Ask why {shorter} stay less long than {longer}.", gap, "some conversations", evidence)]


def _write(curve: RetentionCurve, checks: Sequence[Check]) -> list[Action]:
    """Return the action for members who fall silent, with how many come back without it."""
    silence = [check.finding.rstrip(".") for check in checks if check.name == "Silence means leaving"]
    if curve.leaving != "silence" or not silence:
        return []
    what = "Write to members who fall silent, and leave a random part of them alone to see what it does."
    return [
        Action(what, f"not known. {silence[0]} without it", "one message a member", "none: it takes a trial")
    ]


def _watch(checks: Sequence[Check]) -> list[Action]:
    """Return the action for newer members who leave otherwise than older ones."""
    drift = [check for check in checks if check.name == "Older and newer members leave alike"]
    if not any(check.verdict == "warn" and check.catch_rate is not None for check in drift):
        return []
    what = "Read newer members by their month of joining before planning on them."
    return [
        Action(
            what, "a forecast that does not rest on older members", "none", "observational: the checks above"
        )
    ]
