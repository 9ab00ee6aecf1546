"""Cells of quality: what the door counted and found, and the facts by which a study can be carried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
from ibis import Table

from sojourn.data.tidy import Tidy

STUDY = "quality"
#: What the door wrote that this study shows.
_SHOWN = ("findings", "columns", "coverage", "lateness")


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:  # noqa: ARG001 (studies share one shape)
    """Return what the door wrote beside the tables, and how many members each scheme of a trial has.

    Parameters
    ----------
    tidy : Tidy
        Any case.
    params : mapping
        None are read.

    Returns
    -------
    dict of str to ibis Table
        ``findings``, ``columns``, ``coverage`` (``table``, ``day``, ``rows``, ``members``), ``lateness``
        where rows say when they became known, and ``arms`` (``trial``, ``scheme``, ``members``) where there
        are trials.
    """
    found = {name: tidy.quality[name] for name in _SHOWN if name in tidy.quality}
    if "assignments" in tidy.tables:
        arms = tidy.table("assignments", STUDY)
        counted = arms.group_by("trial", "scheme").aggregate(members=arms.member.nunique())
        found["arms"] = counted.select("trial", "scheme", members=counted.members.cast("int64"))
    return found


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 (studies share one shape)
    """Return rows read and kept, columns that came, days of observation and the number of members."""
    members = tidy.table("members", STUDY)
    first, last = (datetime.fromisoformat(tidy.meta[name]) for name in ("observed_from", "as_of"))
    leaving = "churned_at" in tidy.meta["present"].get("members", [])
    left = members.churned_at.count() if leaving else ibis.literal(0)
    counted = members.aggregate(members=members.count(), left=left)
    numbers = {name: int(n or 0) for name, n in counted.to_pyarrow().to_pylist()[0].items()}
    return {
        "unit": "row",
        "observed_from": tidy.meta["observed_from"],
        "read": dict(tidy.meta["read"]),
        "kept": dict(tidy.meta["rows"]),
        "present": {name: list(columns) for name, columns in tidy.meta["present"].items()},
        "days": (last - first).days,
        **numbers,
    }
