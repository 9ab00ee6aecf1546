"""How members move between segments by months of 30 days (of 24 hours each), counted back from `as_of`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
from ibis import Table

from sojourn.core.measures import MONTH
from sojourn.core.results.take_away import NO_SEGMENT
from sojourn.data.cells.board.states import CHURNED, day, everyone_at, longest
from sojourn.data.tidy import Tidy

#: What members who have left, and those who joined in between, are in, beside the numbers of segments.
GONE, JOINED = -2, -3


def moves(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how many members of one month end are where at the next.

    Who had left before and is not back is in neither; who came back enters from `GONE`, and who joined in
    between from `JOINED`.
    """
    return ibis.union(*[_counted(tidy, params, month) for month in _months(tidy, params)[:-1]])


def repeated(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how far moves of all months are those of the same members: sums of squares over members.

    A member counts once per place it started a month in, with its own number of months begun there.
    """
    steps = ibis.union(*[_steps(tidy, params, month) for month in _months(tidy, params)[:-1]])
    steps = steps.filter(steps.from_segment >= NO_SEGMENT)
    own = ["member", "from_segment"]
    made = steps.group_by(*own, "to_segment").agg(n=steps.count())
    both = made.join(made.group_by(own).agg(begun=made.n.sum().cast("int64")), own)
    sums = {"n": both.n, "n_sq": both.n * both.n, "n_begun": both.n * both.begun}
    return both.group_by("from_segment", "to_segment").agg(
        **{name: of.sum().cast("int64") for name, of in sums.items()}
    )


def month_ends(tidy: Tidy, params: Mapping[str, Any]) -> list[date]:
    """Return the days on which months end, rising; the last is that of `as_of`."""
    return [day(tidy, month * MONTH) for month in _months(tidy, params)]


def _months(tidy: Tidy, params: Mapping[str, Any]) -> list[int]:
    """Return how many months ago months end, falling: as many as asked for in which there are segments."""
    possible = max(longest(tidy, params) // MONTH, 1)
    return list(range(min(params["months"], possible), -1, -1))


def _counted(tidy: Tidy, params: Mapping[str, Any], months_ago: int) -> Table:
    steps = _steps(tidy, params, months_ago)
    counted = steps.group_by("from_segment", "to_segment").agg(n=steps.count())
    return counted.select(
        month=ibis.literal(day(tidy, months_ago * MONTH), "date"),
        **{name: counted[name] for name in counted.columns},
    )


def _steps(tidy: Tidy, params: Mapping[str, Any], months_ago: int) -> Table:
    """Return where members were at one month end and are at the next; `JOINED`: not yet a member."""
    before, after = (_places(tidy, params, months) for months in (months_ago, months_ago - 1))
    both = after.left_join(before, "member")
    start = both.place_right.fill_null(JOINED)
    both = both.select("member", from_segment=start, to_segment=both.place)
    return both.filter((both.from_segment != GONE) | (both.to_segment != GONE))


def _places(tidy: Tidy, params: Mapping[str, Any], months_ago: int) -> Table:
    rows = everyone_at(tidy, params, months_ago * MONTH)
    gone = rows.stage == CHURNED
    return rows.select("member", place=ibis.ifelse(gone, ibis.literal(GONE, "int64"), rows.segment))
