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

#: What members who have left are in, beside the numbers of segments.
GONE = -2


def moves(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how many members of one month end are where at the next.

    Who had left before and is not back is in neither; who came back enters from `GONE`, and who joined in
    between from `NO_SEGMENT`.
    """
    return ibis.union(*[_moves(tidy, params, month) for month in _months(tidy, params)[:-1]])


def month_ends(tidy: Tidy, params: Mapping[str, Any]) -> list[date]:
    """Return the days on which months end, rising; the last is that of `as_of`."""
    return [day(tidy, month * MONTH) for month in _months(tidy, params)]


def _months(tidy: Tidy, params: Mapping[str, Any]) -> list[int]:
    """Return how many months ago months end, falling: as many as asked for in which there are segments."""
    possible = max(longest(tidy, params) // MONTH, 1)
    return list(range(min(params["months"], possible), -1, -1))


def _moves(tidy: Tidy, params: Mapping[str, Any], months_ago: int) -> Table:
    before, after = (_places(tidy, params, months) for months in (months_ago, months_ago - 1))
    both = after.left_join(before, "member")
    both = both.select(from_segment=both.place_right.fill_null(NO_SEGMENT), to_segment=both.place)
    both = both.filter((both.from_segment != GONE) | (both.to_segment != GONE))
    counted = both.group_by("from_segment", "to_segment").agg(n=both.count())
    return counted.select(
        month=ibis.literal(day(tidy, months_ago * MONTH), "date"),
        **{name: counted[name] for name in counted.columns},
    )


def _places(tidy: Tidy, params: Mapping[str, Any], months_ago: int) -> Table:
    rows = everyone_at(tidy, params, months_ago * MONTH)
    gone = rows.stage == CHURNED
    return rows.select("member", place=ibis.ifelse(gone, ibis.literal(GONE, "int64"), rows.segment))
