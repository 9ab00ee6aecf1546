"""Time after assignment: days until leaving, weeks, and how often members came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import pyarrow as pa
from ibis import Table

from sojourn.data.cells.retention.counting import marked
from sojourn.data.cells.retention.days import DAY, as_of, number, seconds
from sojourn.data.cells.trials.decimals import AMOUNT, amount, count, product, total
from sojourn.data.cells.trials.doings import asks_who_is_there, has_amounts, members_of
from sojourn.data.cells.trials.outcomes import GROUP
from sojourn.data.cells.trials.people import BACK, STUDY, aim_of, weeks_of
from sojourn.data.tidy import Tidy

#: Weeks after assignment are told for so many times the value days.
_TIMES_AS_LONG = 2


def course_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``times`` and, where there are events, ``activity`` and ``after``.

    ``times`` follows members until they leave, or come back where they had left; there are none where
    nobody's leaving is recorded. ``after`` follows members while they are there: not those who had left.
    """
    rows, stays = members_of(tidy, params), aim_of(tidy, params) != BACK
    made = {"times": _times(rows)} if asks_who_is_there(tidy, params) else {}
    if "events" not in tidy.tables:
        return made
    after = {"after": _after(rows, tidy, int(params["value_days"]))} if stays else {}
    return made | {"activity": _activity(rows)} | after


def _times(rows: Table) -> Table:
    """Return by day how many entered (all on day 0), left or came back, and were followed no longer."""
    left = (rows.leaves <= rows.follow_up).fill_null(False)
    rows = rows.mutate(left=number(left), last=ibis.ifelse(left, rows.leaves, rows.follow_up))
    zero, one = ibis.literal(0, "int64"), ibis.literal(1, "int64")
    ends = {"churned": rows.left, "censored": 1 - rows.left}
    marks = [(rows, zero, {"entered": one}), (rows, rows["last"], ends)]
    return marked(GROUP, ("entered", "churned", "censored"), marks)


def _activity(rows: Table) -> Table:
    followed = rows.filter(rows.is_matured == 1)
    return followed.group_by(*GROUP, count=followed.active).aggregate(n=followed.count())


def _after(rows: Table, tidy: Tidy, days: int) -> Table:
    """Return by week since assignment who was with us at its begin and followed to its end, and did what.

    Members by number of weeks they count for: that is a small table, which is laid out by week.
    """
    followed = weeks_of(ibis.literal(int(as_of(tidy).timestamp()), "int64") - rows.began)
    leaving = weeks_of(seconds(rows.churned_at) - rows.began)
    left = (leaving < followed).fill_null(False)
    rows = rows.mutate(left=number(left), weeks=ibis.ifelse(left, leaving + 1, followed))
    short = rows.group_by("scheme", "weeks", "left").aggregate(n=rows.count())
    weeks = ibis.memtable(pa.table({"week": list(range(max(_TIMES_AS_LONG * days // 7, 1)))}))
    laid = short.cross_join(weeks)
    laid = laid.filter(laid.week < laid.weeks)
    leaves = ((laid.left == 1) & (laid.week == laid.weeks - 1)).ifelse(laid.n, 0)
    people = laid.group_by("scheme", "week").aggregate(at_risk=count(laid.n), left=count(leaves))
    done = _by_week(rows, tidy)
    joined = people.left_join(done, ["scheme", "week"])
    counts = {name: joined[name].fill_null(0).cast("int64") for name in ("active", "paid_n")}
    sums = {name: joined[name].fill_null(0).cast("decimal(38, 9)") for name in ("paid", "paid_sq")}
    return joined.select("scheme", "week", "at_risk", "left", **counts, **sums)


def _by_week(rows: Table, tidy: Tidy) -> Table:
    """Return what members at risk did in each week: how many came, how many paid, and how much."""
    events = tidy.table("events", STUDY)
    paid = events.amount if has_amounts(tidy) else ibis.null(AMOUNT)
    events = events.select("member", at=seconds(events.occurred_at), paid=paid)
    near = rows.select("member", "scheme", "began", "weeks").inner_join(events, "member")
    near = near.filter(near["at"] >= near.began)
    near = near.mutate(week=((near["at"] - near.began) // (7 * DAY)).cast("int64"))
    near = near.filter(near.week < near.weeks)
    each = near.group_by("member", "scheme", "week").aggregate(
        paid=amount(near.paid.sum()), buys=number(near.paid > 0).max()
    )
    return each.group_by("scheme", "week").aggregate(
        active=each.count(),
        paid_n=count(each.buys),
        paid=total(each.paid),
        paid_sq=total(product(each.paid, each.paid)),
    )
