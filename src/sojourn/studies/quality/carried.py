"""Which studies the data can carry: what each needs, and which findings concern what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.quality import Carried
from sojourn.core.text import count, listing, plural

#: What each study reads: table -> columns; none named: all. A finding without a column concerns the table.
READS: dict[str, dict[str, tuple[str, ...]]] = {
    "portrait": {"members": (), "events": (), "spells": (), "messages": ()},
    "retention": {
        "members": ("member_id", "joined_at", "churned_at", "channel", "plan", "region", "age_band"),
        "events": ("member_id", "occurred_at"),
    },
    "trials": {
        "assignments": (),
        "members": ("member_id", "joined_at", "churned_at"),
        "events": ("member_id", "occurred_at", "amount"),
        "costs": (),
    },
    "segments": {"members": ("member_id", "joined_at", "churned_at"), "events": ()},
}  # fmt: skip
#: Days before the cut and after it that segments need (the defaults of their parameters).
_SEGMENT_DAYS = 150


def carried(cells: Cells, *, follow_days: int, min_group: int) -> tuple[Carried, ...]:
    """Return for each study whether the data can carry it.

    Parameters
    ----------
    cells : Cells
        Of the study ``quality``.
    follow_days : int
        Days for which members are to be followed.
    min_group : int
        Smallest group that carries a number.
    """
    limits = {"follow_days": follow_days, "min_group": min_group}
    return tuple(_one(cells, study, limits) for study in READS)


def _one(cells: Cells, study: str, limits: Mapping[str, int]) -> Carried:
    lacking, short = _NEEDS[study](cells, limits)
    if lacking:
        return Carried(study, "no", lacking)
    concerned = _concerned(cells["findings"], study)
    reasons = [*short, *([f"look first at {listing(concerned)}"] if concerned else [])]
    if reasons:
        return Carried(study, "with care", _sentence("; ".join(reasons)))
    return Carried(study, "yes", "Everything it reads is there, and no warning concerns it.")


def _concerned(findings: pd.DataFrame, study: str) -> list[str]:
    """Return the columns that warnings are about and the study reads, each once."""
    reads = READS[study]
    warned = findings[findings["level"] == "warning"]
    found = []
    for table, column in zip(warned["table"], warned["column"].fillna(""), strict=True):
        if table in reads and (not column or not reads[table] or column in reads[table]):
            found.append(f"{table}.{column}" if column else str(table))
    return sorted(set(found))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _few(meta: Mapping[str, Any], limits: Mapping[str, int]) -> str:
    few = int(meta["members"]) < limits["min_group"]
    return f"There are fewer than {limits['min_group']} members." if few else ""


def _without_events(meta: Mapping[str, Any]) -> bool:
    return not meta["kept"].get("events")


def _portrait(cells: Cells, limits: Mapping[str, int]) -> tuple[str, list[str]]:
    none = "There are no events: it would say who joined and nothing of what they do."
    return _few(cells.meta, limits), [none] if _without_events(cells.meta) else []


def _retention(cells: Cells, limits: Mapping[str, int]) -> tuple[str, list[str]]:
    meta = cells.meta
    leaving = "churned_at" in meta["present"].get("members", [])
    if not leaving and _without_events(meta):
        return "Neither cancellations (members.churned_at) nor events say who left.", []
    short = [] if leaving else ["leaving can only be read from silence"]
    if leaving and not meta["left"]:
        short.append("nobody has left yet")
    if meta["days"] < limits["follow_days"]:
        short.append(f"members are followed for {plural(int(meta['days']), 'day')} at most")
    return _few(meta, limits), short


def _trials(cells: Cells, limits: Mapping[str, int]) -> tuple[str, list[str]]:
    if "arms" not in cells.tables:
        return "No table of assignments says who was given which scheme.", []
    arms = cells["arms"]
    large = arms[arms["members"] >= limits["min_group"]].groupby("trial")["scheme"].nunique()
    if not (large >= 2).any():
        return f"No trial has two schemes with at least {limits['min_group']} members each.", []
    without = "amount" not in cells.meta["present"].get("events", [])
    return "", ["no amounts: what a scheme earns is not known"] if without else []


def _segments(cells: Cells, limits: Mapping[str, int]) -> tuple[str, list[str]]:
    meta = cells.meta
    if _without_events(meta):
        return "There are no events, and groups are made of what members do.", []
    if meta["days"] < _SEGMENT_DAYS:
        return (
            f"The data span {count(meta['days'])} days; {_SEGMENT_DAYS} are needed before and after a cut.",
            [],
        )
    return _few(meta, limits), []


#: By study: why it cannot be carried (empty: it can), and what it would fall short of.
_NEEDS: dict[str, Callable[[Cells, Mapping[str, int]], tuple[str, list[str]]]] = {
    "portrait": _portrait,
    "retention": _retention,
    "trials": _trials,
    "segments": _segments,
}
