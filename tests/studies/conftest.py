"""Cells of retention made from members in numpy, for tests that need no engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells


def retention_cells(
    exits: Any,
    churned: Any,
    *,
    potential: Any = None,
    entries: Any = 0,
    groups: dict[str, Any] | None = None,
    **meta: Any,
) -> Cells:
    """Return cells of members who leave (or are censored) at `exits` and whose follow-up is `potential`."""
    exits, churned = np.asarray(exits), np.asarray(churned, dtype=bool)
    potential = np.where(churned, exits.max(initial=0), exits) if potential is None else np.asarray(potential)
    one = pd.DataFrame({"exit": exits, "churned": churned, "potential": potential, "entry": entries})
    named = {"all": "all", **(groups or {})}
    tables = [_counted(one.assign(group=value), by) for by, value in named.items()]
    described = {
        "unit": "day",
        "leaving": "cancellation",
        "lapse": None,
        "as_of": "2025-07-01T00:00:00Z",
        "members": len(exits),
        "left_out": {},
        "late": int((one["entry"] > 0).sum()),
        "signs": 10_000,
        "first_sign": "2024-01-01T00:00:00+00:00",
        "last_sign": "2025-06-30T23:00:00+00:00",
        **meta,
    }
    return Cells("test", "retention", {"risk": pd.concat(tables, ignore_index=True)}, described)


def _counted(members: pd.DataFrame, by: str) -> pd.DataFrame:
    members = members.assign(late=(members["entry"] > 0).astype(int))
    marks = [
        members.assign(day=members["entry"], what="entered"),
        members.assign(day=members["exit"], what=np.where(members["churned"], "churned", "censored")),
        members.assign(day=members["potential"], what="potential"),
    ]
    marked = pd.concat(marks).assign(n=1)
    counts = marked.pivot_table(index=["group", "late", "day"], columns="what", values="n", aggfunc="sum")
    counts = counts.reindex(columns=["entered", "churned", "censored", "potential"]).fillna(0).astype("int64")
    return counts.reset_index().rename_axis(columns=None).assign(by=by)


@pytest.fixture(scope="session")
def make_retention_cells() -> Callable[..., Cells]:
    """Return the function that makes cells from members."""
    return retention_cells
