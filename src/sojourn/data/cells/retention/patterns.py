"""Cells for regression and for its examination: all groups at once, as known now and ``exam_days`` before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table

from sojourn.data.cells.retention.counting import Mark, counted, marked
from sojourn.data.cells.retention.followed import followed
from sojourn.data.tidy import Tidy

#: More patterns than these are no cells any more (STATISTICS 4).
LIMIT = 5_000
_NOW = {"exit": "exit", "churned": "churned"}
_THEN = {"exit": "exit_then", "churned": "churned_then"}
_WEEK = 7


def patterns_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``patterns`` and ``exam`` where ``exam_days`` is stated; both empty beyond `LIMIT` patterns."""
    if "exam_days" not in params:
        return {}
    members, groups = followed(tidy, params), list(params["groups"])
    made = {"patterns": _patterns(members, groups), "exam": _exam(members, groups)}
    return {name: table.limit(0) for name, table in made.items()} if too_many(tidy, params) else made


def too_many(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return as ``patterns`` how many there are, and the limit, where they are too many to be cells."""
    found = _found(tidy, params) if "exam_days" in params else 0
    return {"patterns": {"found": found, "limit": LIMIT}} if found > LIMIT else {}


def _found(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return how many patterns of groups there are among followed members."""
    patterns = followed(tidy, params).select(ibis.literal("all").name("every"), *params["groups"]).distinct()
    return int(patterns.count().to_pyarrow().as_py())


def _patterns(members: Table, groups: list[str]) -> Table:
    then = members.filter(members.followed_then == 1)
    return ibis.union(
        _known(members.select(*groups, "entry", "exit", "churned"), "now", groups),
        _known(then.select(*groups, "entry", exit="exit_then", churned="churned_then"), "then", groups),
    )


def _known(members: Table, known: str, groups: list[str]) -> Table:
    rows = counted(members, [*groups, "entry", "exit", "churned"]).mutate(known=ibis.literal(known))
    churned = rows.n * rows.churned
    marks: list[Mark] = [
        (rows, rows.entry, {"entered": rows.n}),
        (rows, rows["exit"], {"churned": churned, "censored": rows.n - churned}),
    ]
    return marked([*groups, "known"], ["entered", "churned", "censored"], marks)


def _exam(members: Table, groups: list[str]) -> Table:
    """Return what became of those who were with us ``exam_days`` before; times are whole weeks, in days."""
    there = members.filter((members.followed_then == 1) & (members.churned_then == 0))
    rest = there["exit"] - there.follow_up_then
    rows = there.select(
        *groups,
        age=(there.follow_up_then // _WEEK).cast("int64") * _WEEK,
        after=ibis.ifelse(
            there.churned == 1, -((-rest) // _WEEK).cast("int64") * _WEEK, ibis.literal(0, "int64")
        ),
    )
    found = rows.group_by(*groups, "age", "after").aggregate(members=rows.count().cast("int64"))
    return found.select(*groups, "age", "after", "members")
