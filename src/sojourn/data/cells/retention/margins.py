"""Followed members counted by one grouping at a time: all that the table of risk is made of.

All groups together have nearly as many patterns as there are members; one grouping has few. The first one
is counted together with the months of joining, which follow from that, as does everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
from ibis import Table

from sojourn.data.cells.retention.counting import counted, few
from sojourn.data.cells.retention.days import month_name, number, some_late
from sojourn.data.cells.retention.followed import bys, followed
from sojourn.data.tidy import Tidy


@dataclass(frozen=True, slots=True)
class Margin:
    """How many (`n`) followed members have the same groups, are late, and have the same day.

    Attributes
    ----------
    entered, ended, seen : ibis Table
        The day of entry, of the end (with ``churned`` and ``came_back``), and of full follow-up.
    """

    entered: Table
    ended: Table
    seen: Table


def margins(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Margin]:
    """Return for each grouping of `bys` a margin that has it as a column."""
    groups = [by for by in bys(params) if by not in ("all", "cohort")]
    columns = ["month", *groups, "late", "entry", "exit", "churned", "follow_up", "came_back"]
    rows = counted(followed(tidy, params), columns)
    # one number is counted faster than two: the day of leaving, or 1 less than 0 minus that of the end
    rows = rows.mutate(end=ibis.ifelse(rows.churned == 1, rows["exit"], -1 - rows["exit"]))
    keys = {"late"} if some_late(tidy) else set()
    keys |= {"came_back"} if params["churn"] == "silence" else set()
    first = _margin(rows, ["month", *groups[:1]], keys)
    found = dict.fromkeys(["all", "cohort", *groups[:1]], first)
    return found | {by: _margin(rows, [by], keys) for by in groups[1:]}


def _margin(rows: Table, groups: Sequence[str], keys: set[str]) -> Margin:
    """Return the margin of some groups; whoever is not late enters on day 0."""
    late = ["late"] if "late" in keys else []
    seen = few(_counts(rows, [*groups, *late, "follow_up"])).rename(day="follow_up")
    ended = few(_counts(rows, [*groups, *sorted(keys), "end"]))
    left = ended.end >= 0
    ended = ended.mutate(churned=number(left), day=ibis.ifelse(left, ended.end, -1 - ended.end))
    entered = seen.mutate(day=ibis.literal(0, "int64"))
    if late:
        lately = few(_counts(rows.filter(rows.late == 1), [*groups, "late", "entry"])).rename(day="entry")
        entered = ibis.union(entered.filter(entered.late == 0), lately.select(*entered.columns))
    return Margin(*(_complete(table) for table in (entered, ended, seen)))


def _counts(rows: Table, keys: Sequence[str]) -> Table:
    return rows.group_by(*keys).aggregate(n=rows.n.sum().cast("int64"))


def _complete(counts: Table) -> Table:
    """Add what is the same for all, and the name of the month of joining."""
    same = {name: ibis.literal(0, "int64") for name in ("late", "came_back") if name not in counts.columns}
    cohort = {"cohort": month_name(counts.month)} if "month" in counts.columns else {}
    return counts.mutate(all=ibis.literal("all"), **same, **cohort)
