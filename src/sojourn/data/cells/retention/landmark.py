"""What members did in their first days, or had by then, groups them from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.activity import activity_of, block_number
from sojourn.data.cells.retention.counting import Mark, by_group, counted, marked
from sojourn.data.cells.retention.days import DAY, as_of, seconds
from sojourn.data.cells.retention.followed import followed
from sojourn.data.cells.retention.silence import STUDY
from sojourn.data.tidy import Tidy

#: Largest number of days of each group, and its name; the last one holds all that are more.
ACTIVE_DAYS: tuple[tuple[int, str], ...] = ((0, "0"), (2, "1-2"), (5, "3-5"), (10, "6-10"), (20, "11-20"))
MORE = "21+"
_MICROS = 1_000_000


def landmark_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``landmark``, where it is asked for and there are events or spells."""
    by = {"active_days": ("events", _active_days), "plan_then": ("spells", _plan_then)}
    known = {name: of for name, (needs, of) in by.items() if needs in tidy.tables}
    if "landmark" not in params or not known:
        return {}
    days = params["landmark"]
    members = followed(tidy, params)
    with_us = (members["exit"] > days) | ((members.churned == 0) & (members["exit"] == days))
    members = members.filter((members.late == 0) & with_us)
    members = members.select(
        "member", "began", "churned", day=members["exit"] - days, landmark=members.began + days * DAY
    )
    return {"landmark": by_group({name: _from_then(of(tidy, members)) for name, of in known.items()})}


def _from_then(members: Table) -> Table:
    """Return the risk set of members, by `group`, from the landmark on."""
    rows = counted(members, ["group", "day", "churned"])
    churned = rows.n * rows.churned
    marks: list[Mark] = [
        (rows, ibis.literal(0, "int64"), {"entered": rows.n}),
        (rows, rows.day, {"churned": churned, "censored": rows.n - churned}),
    ]
    return marked(["group"], ["entered", "churned", "censored"], marks)


def _active_days(tidy: Tidy, members: Table) -> Table:
    """Add as `group` on how many local days up to the landmark members did something, as was known by then.

    Known by then is what had come in by the end of the 24 hours, up to the time of day of `as_of`, in which
    the landmark lies.
    """
    activity = activity_of(tidy, STUDY)
    rows = activity.inner_join(members.select("member", "began", "landmark"), "member")
    within = [_within(rows[name] // _MICROS, rows) for name in ("first_us", "last_us")]
    known = rows.known <= block_number(rows.landmark * _MICROS, as_of(tidy))
    days = rows.filter((within[0] | within[1]) & known).select("member", "day").distinct()
    counts = days.group_by("member").aggregate(days=days.count().cast("int64"))
    both = members.left_join(counts, "member").drop("member_right")
    return both.mutate(group=_grouped(both.days.fill_null(0)))


def _within(at: Value, rows: Table) -> Value:
    return (at >= rows.began) & (at <= rows.landmark)


def _grouped(days: Value) -> Value:
    return ibis.cases(*[(days <= most, name) for most, name in ACTIVE_DAYS], else_=MORE)


def _plan_then(tidy: Tidy, members: Table) -> Table:
    """Add as `group` the plan of the spell that each member began last before the landmark."""
    spells = tidy.table("spells", STUDY)
    begun = spells.select("member", "plan", started=seconds(spells.started_at))
    begun = begun.inner_join(members.select("member", "landmark"), "member")
    begun = begun.filter(begun.started <= begun.landmark)
    last = ibis.window(group_by="member", order_by=[ibis.desc("started"), ibis.asc("plan")])
    begun = begun.mutate(place=ibis.row_number().over(last))
    plans = begun.filter(begun.place == 0).select("member", group="plan")
    both = members.left_join(plans, "member").drop("member_right")
    return both.mutate(group=both.group.fill_null("unknown"))
