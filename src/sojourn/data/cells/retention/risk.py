"""Who enters, leaves and is censored on every whole day since joining, why, and who came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.data.cells.retention.counting import Mark, by_group, counted, marked
from sojourn.data.cells.retention.followed import bys, followed
from sojourn.data.tidy import Tidy

_DAYS = ("entry", "exit", "churned", "follow_up", "came_back")


def risk_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``risk``; under silence ``returns``; where any reason of leaving is known, ``reasons``."""
    groups, members = bys(params), followed(tidy, params)
    rows = counted(members, [*groups, "late", *_DAYS])
    made = {"risk": by_group({by: _risk(rows, by) for by in groups})}
    if params["churn"] == "silence":
        made["returns"] = by_group({by: _returns(rows, by) for by in groups})
    elif _any_reason(members):
        left = counted(members.filter(members.churned == 1), [*groups, "exit", "reason"])
        made["reasons"] = by_group({by: _reasons(left, by) for by in groups})
    return made


def _risk(rows: Table, by: str) -> Table:
    """Return the counts of one grouping: a member marks days of entry, exit and full follow-up."""
    rows = rows.mutate(group=rows[by])
    churned = rows.n * rows.churned
    marks: list[Mark] = [
        (rows, rows.entry, {"entered": rows.n}),
        (rows, rows["exit"], {"churned": churned, "censored": rows.n - churned}),
        (rows, rows.follow_up, {"potential": rows.n}),
    ]
    return marked(["group", "late"], ["entered", "churned", "censored", "potential"], marks)


def _returns(rows: Table, by: str) -> Table:
    """Return, per group, how many have lapsed and how many of these gave a sign of life afterwards."""
    lapsed = rows.filter(rows.churned == 1)
    counts = lapsed.group_by(group=lapsed[by]).aggregate(
        lapsed=lapsed.n.sum().cast("int64"), came_back=(lapsed.n * lapsed.came_back).sum().cast("int64")
    )
    return counts.select("group", "lapsed", "came_back")


def _any_reason(members: Table) -> bool:
    known = members.filter((members.churned == 1) & (members.reason != "unknown"))
    return bool(known.count().to_pyarrow().as_py())


def _reasons(left: Table, by: str) -> Table:
    """Return how many left on each day for each reason."""
    found = left.group_by(group=left[by], day=left["exit"], reason=left.reason).aggregate(
        churned=left.n.sum().cast("int64")
    )
    return found.select("group", "day", "reason", "churned")
