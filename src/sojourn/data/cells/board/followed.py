"""What became of members after landmarks, by the segment and stage in which they were there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.activity import DAY_US, activity_of, micros
from sojourn.data.cells.board.states import CHURNED, STUDY, everyone_at, instant, longest
from sojourn.data.stages import leaving_of, with_state
from sojourn.data.tidy import Tidy

#: At so many landmarks the same is asked, to see whether it stays.
LANDMARKS = 3


def landmarks(tidy: Tidy, params: Mapping[str, Any]) -> list[int]:
    """Return how many days ago landmarks lie: the latest whose every horizon is over, and equal steps before.

    None at which nobody can have had a segment: where observation began late, few, or none at all.
    """
    step = max(params["leave_days"])
    return [step * i for i in range(1, LANDMARKS + 1) if step * i <= longest(tidy, params)]


def leaves(tidy: Tidy) -> bool:
    """Whether the case knows who left."""
    return tidy.has("members", "churned_at")


def returns(tidy: Tidy) -> bool:
    """Whether the case knows who came back."""
    return leaves(tidy) and "spells" in tidy.tables


def since(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return counts of members by landmark, segment and stage.

    Notes
    -----
    Who had never left leaves with the first leaving, whether or not a return follows; who had come back, by
    being in no spell so many days later; and who had left is back by being in one then. So trials judge, too
    (`sojourn.data.cells.trials.people`).
    """
    fits = landmarks(tidy, params)
    counts = ibis.union(*[_since(tidy, params, days_ago) for days_ago in fits or [0]])
    return counts if fits else counts.limit(0)


def _since(tidy: Tidy, params: Mapping[str, Any], days_ago: int) -> Table:
    rows, counted = everyone_at(tidy, params, days_ago), []
    for days in params["leave_days"]:
        rows = _with_outcomes(rows, tidy, days_ago, days)
        counted += [name for name in rows.columns if name.endswith(f"_{days}")]
    made = rows.group_by("segment", "stage").agg(
        n=rows.count(), **{name: rows[name].sum().cast("int64") for name in counted}
    )
    return made.select(
        days_ago=ibis.literal(days_ago, "int64"), **{name: made[name] for name in made.columns}
    )


def _with_outcomes(rows: Table, tidy: Tidy, days_ago: int, days: int) -> Table:
    """Add for one horizon who came, who left and who is back: 1 or 0."""
    rows = _beside(rows, _came(tidy, days_ago, days))
    rows = rows.mutate(came=rows.came.fill_null(0)).rename({f"came_{days}": "came"})
    if not leaves(tidy):
        return rows
    rows = _beside(rows, _state(tidy, rows, days))
    told = {f"left_{days}": ibis.ifelse(rows.stage == CHURNED, 0, _gone(rows))}
    if returns(tidy):
        told[f"back_{days}"] = ibis.ifelse(rows.stage == CHURNED, rows.back, 0)
    return rows.mutate(**told).drop("left", "back")


def _beside(rows: Table, other: Table) -> Table:
    return rows.left_join(other, "member").drop("member_right")


def _gone(rows: Table) -> Value:
    return ibis.ifelse(rows.stage == "returned", 1 - rows.back, rows.left)


def _state(tidy: Tidy, rows: Table, days: int) -> Table:
    """Return who has left, and who is back, so many days after the landmark."""
    members = tidy.table("members", STUDY)
    known = members.select("member", ended_at=leaving_of(members))
    then = rows.select("member", at_us=rows.at_us + days * DAY_US).inner_join(known, "member")
    return with_state(then, tidy).select("member", "left", "back")


def _came(tidy: Tidy, days_ago: int, days: int) -> Table:
    """Return who did something within so many days after a landmark."""
    activity, begin = activity_of(tidy, STUDY), micros(instant(tidy, days_ago))
    came = activity.filter(activity.first_us > begin, activity.first_us <= begin + days * DAY_US)
    return came.select("member").distinct().mutate(came=ibis.literal(1, "int64"))
