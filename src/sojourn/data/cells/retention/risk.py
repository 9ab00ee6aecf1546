"""Who enters, leaves and is censored on every whole day since joining, why, and who came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.data.cells.retention.counting import Mark, by_group, counted, marked
from sojourn.data.cells.retention.followed import bys, followed
from sojourn.data.cells.retention.margins import Margin, margins
from sojourn.data.cells.retention.silence import STUDY
from sojourn.data.tidy import Tidy


def risk_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``risk``; under silence ``returns``; where any reason of leaving is known, ``reasons``."""
    of = margins(tidy, params)
    made = {"risk": by_group({by: _risk(of[by], by) for by in bys(params)})}
    if params["churn"] == "silence":
        return made | {"returns": by_group({by: _returns(of[by].ended, by) for by in bys(params)})}
    if "churn_reason" not in tidy.table("members", STUDY).columns:
        return made
    left = followed(tidy, params).filter(lambda members: members.churned == 1)
    if not _any_reason(left):
        return made
    rows = counted(left, [*bys(params), "exit", "reason"])
    return made | {"reasons": by_group({by: _reasons(rows, by) for by in bys(params)})}


def _risk(margin: Margin, by: str) -> Table:
    """Return the counts of one grouping: a member marks days of entry, exit and full follow-up."""
    entered, ended, seen = (t.mutate(group=t[by]) for t in (margin.entered, margin.ended, margin.seen))
    churned = ended.n * ended.churned
    marks: list[Mark] = [
        (entered, entered.day, {"entered": entered.n}),
        (ended, ended.day, {"churned": churned, "censored": ended.n - churned}),
        (seen, seen.day, {"potential": seen.n}),
    ]
    return marked(["group", "late"], ["entered", "churned", "censored", "potential"], marks)


def _returns(ended: Table, by: str) -> Table:
    """Return, per group, how many have lapsed and how many of these gave a sign of life afterwards."""
    lapsed = ended.filter(ended.churned == 1)
    counts = lapsed.group_by(group=lapsed[by]).aggregate(
        lapsed=lapsed.n.sum().cast("int64"), came_back=(lapsed.n * lapsed.came_back).sum().cast("int64")
    )
    return counts.select("group", "lapsed", "came_back")


def _any_reason(left: Table) -> bool:
    return bool(left.filter(left.reason != "unknown").limit(1).count().to_pyarrow().as_py())


def _reasons(left: Table, by: str) -> Table:
    """Return how many left on each day for each reason."""
    found = left.group_by(group=left[by], day=left["exit"], reason=left.reason).aggregate(
        churned=left.n.sum().cast("int64")
    )
    return found.select("group", "day", "reason", "churned")
