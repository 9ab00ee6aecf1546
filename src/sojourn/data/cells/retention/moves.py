"""Leaving and coming back: who is with us on every day, and how long those who left stayed away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table

from sojourn.data.cells.retention.counting import Mark, by_group, counted, marked
from sojourn.data.cells.retention.days import as_of, days_down, days_up, number, seconds
from sojourn.data.cells.retention.followed import bys, followed, long_gaps_once
from sojourn.data.cells.retention.silence import STUDY
from sojourn.data.engine import held
from sojourn.data.tidy import Tidy

#: A second that never comes: the end of what has none.
_NEVER = 2**62
_COUNTS = ("entered", "left", "back", "ended", "ended_away")


def moves_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``moves`` and ``away``, where it is known who came back: under silence, or by ``spells``."""
    if params["churn"] != "silence" and "spells" not in tidy.tables:
        return {}
    members = followed(tidy, params)
    found = long_gaps_once(tidy, params) if params["churn"] == "silence" else _absences(tidy)
    absences = held(found.inner_join(members, "member").select(*members.columns, "at", "until"))
    return {"moves": _moves(members, absences, bys(params)), "away": _away(tidy, absences)}


def _absences(tidy: Tidy) -> Table:
    """Return `member`, `at` and `until` (seconds) of every time away, from the first cancellation on.

    ``members.churned_at`` is when a member first left: gaps between spells before it are pauses of a member.
    Later spells that touch or overlap, as after a change of plan, are one stay.
    """
    stays = _stays(tidy)
    running = ibis.cumulative_window(group_by="member", order_by=["started", "ended"])
    following = ibis.window(group_by="member", order_by=["started", "ended"])
    stays = stays.mutate(at=stays.ended.max().over(running), until=stays.started.lead().over(following))
    gone = stays["at"] < stays.until.fill_null(_NEVER)
    return stays.filter(gone).select("member", "at", "until")


def _stays(tidy: Tidy) -> Table:
    """Return `member`, `started`, `ended` of the first leaving (an instant) and of spells begun after it."""
    members, spells = tidy.table("members", STUDY), tidy.table("spells", STUDY)
    left = members.filter(members.churned_at <= as_of(tidy))
    left = left.select("member", started=seconds(left.churned_at), ended=seconds(left.churned_at))
    begun = spells.filter(spells.started_at <= as_of(tidy))
    ended = ibis.ifelse(begun.ended_at <= as_of(tidy), seconds(begun.ended_at), ibis.null("int64"))
    begun = begun.select("member", started=seconds(begun.started_at), ended=ended.fill_null(_NEVER))
    again = begun.inner_join(left.select("member", first_left="ended"), "member")
    again = again.filter(again.started >= again.first_left).select("member", "started", "ended")
    return ibis.union(left, again)


def _moves(members: Table, absences: Table, groups: list[str]) -> Table:
    """Return the moves of members seen from joining on, by grouping."""
    members = members.filter(members.late == 0)
    steps = _steps(absences.filter(absences.late == 0), groups)
    away = steps.group_by("member").aggregate(away=-steps.step.sum().cast("int64"))
    people = members.left_join(away, "member").drop("member_right")
    people = people.mutate(away=people.away.fill_null(0))
    rows = counted(people, [*groups, "follow_up", "away"])
    moved = counted(steps, [*groups, "day", "step"])
    return by_group({by: _moves_by(rows, moved, by) for by in groups})


def _steps(absences: Table, groups: list[str]) -> Table:
    """Return `member`, groups, `day` and `step` (-1: left, 1: came back) within full follow-up.

    Who leaves and comes back on one day, or comes back and leaves, has not moved.
    """
    back = absences.filter(absences.until.notnull())
    kept = ["member", *groups, "follow_up"]
    steps = ibis.union(
        absences.select(*kept, day=days_up(absences["at"] - absences.began), step=ibis.literal(-1, "int64")),
        back.select(*kept, day=days_up(back.until - back.began), step=ibis.literal(1, "int64")),
    )
    steps = steps.filter(steps.day <= steps.follow_up)
    net = steps.group_by("member", *groups, "day").aggregate(step=steps.step.sum().cast("int64"))
    return net.filter(net.step != 0)


def _moves_by(rows: Table, moved: Table, by: str) -> Table:
    rows, moved = rows.mutate(group=rows[by]), moved.mutate(group=moved[by])
    gone = rows.n * rows.away
    marks: list[Mark] = [
        (rows, ibis.literal(0, "int64"), {"entered": rows.n}),
        (
            moved,
            moved.day,
            {"left": moved.n * number(moved.step < 0), "back": moved.n * number(moved.step > 0)},
        ),
        (rows, rows.follow_up, {"ended": rows.n - gone, "ended_away": gone}),
    ]
    return marked(["group"], _COUNTS, marks)


def _away(tidy: Tidy, absences: Table) -> Table:
    """Return, by days since members first left, how many came back; the others are followed to `as_of`."""
    first = ibis.window(group_by="member", order_by="at")
    rows = absences.mutate(place=ibis.row_number().over(first))
    rows = rows.filter((rows.place == 0) & (days_up(rows["at"] - rows.began) <= rows.follow_up))
    rows = rows.mutate(
        seen=days_down(int(as_of(tidy).timestamp()) - rows["at"]), returned=days_up(rows.until - rows["at"])
    )
    rows = rows.mutate(back=number(rows.returned <= rows.seen))
    rows = rows.mutate(day=ibis.ifelse(rows.back == 1, rows.returned, rows.seen), group=ibis.literal("all"))
    rows = counted(rows, ["group", "day", "back"])
    back = rows.n * rows.back
    marks: list[Mark] = [
        (rows, ibis.literal(0, "int64"), {"entered": rows.n}),
        (rows, rows.day, {"back": back, "censored": rows.n - back}),
    ]
    return by_group({"all": marked(["group"], ["entered", "back", "censored"], marks)})
