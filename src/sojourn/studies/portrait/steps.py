"""From joining to the first value moment and the first purchase, among members followed for long enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gamma

from sojourn.core.cells import Cells
from sojourn.core.results.portrait import PURCHASE, VALUE, Steps
from sojourn.estimators.survival.shares import exact_share

#: Shape of the gamma distribution of the time to the first value moment in a simulated world.
VALUE_SHAPE = 2.0
#: Share of members from which on a step within one day is joining itself.
JOINING = 0.95


def steps(cells: Cells, mass: float, min_group: int) -> Steps:
    """Return how many had reached each step within so many days of joining.

    Only members who joined since observation began, and long enough ago, count; who left before a step has
    not reached it.
    """
    meta, rows = cells.meta, cells["steps"]
    followed, days = int(meta["followed"]), int(meta["params"]["follow_days"])
    kind, segments = str(meta["first_value"]), meta.get("truth", {}).get("segments", [])
    takes_off = float(sum(s["share"] * s["takes_off"] for s in segments)) if segments and kind else None
    if followed < min_group:
        why = f"Fewer than {min_group} members have been followed for {days} days from joining on."
        return Steps(pd.DataFrame(), followed, days, kind, takes_off, mass, why)
    parts = [_reached(rows[rows["step"] == step], step, followed, days, mass) for step in (VALUE, PURCHASE)]
    parts = [part for part in parts if part["members"].iloc[-1] >= min_group and not _is_joining(part)]
    if not parts:
        why = f"No step beyond joining itself was taken by {min_group} members within {days} days."
        return Steps(pd.DataFrame(), followed, days, kind, takes_off, mass, why)
    table = pd.concat(parts)
    if segments and kind:
        expected = np.tile(expected_value(segments, days), table["step"].nunique())
        table = table.assign(true_share=np.where(table["step"] == VALUE, expected, np.nan))
    return Steps(table.reset_index(drop=True), followed, days, kind, takes_off, mass)


def _is_joining(part: pd.DataFrame) -> bool:
    """Whether nearly all took the step within a day, as where members join with their first purchase."""
    return bool(part["reached_share"].iloc[0] >= JOINING)


def _reached(rows: pd.DataFrame, step: str, followed: int, days: int, mass: float) -> pd.DataFrame:
    by_day = rows.set_index("day")["members"].reindex(range(days)).fillna(0)
    counts = np.cumsum(by_day.to_numpy(dtype=np.int64))
    low, high = exact_share(counts, np.full(days, followed, dtype=np.int64), mass)
    return pd.DataFrame(
        {
            "step": step,
            "day": np.arange(1, days + 1),
            "members": counts,
            "reached_share": counts / followed,
            "reached_share_low": low,
            "reached_share_high": high,
        }
    )


def expected_value(segments: Sequence[Mapping[str, Any]], days: int) -> NDArray[np.float64]:
    """Return the share of joiners whose first value moment comes within 1, 2 … `days` days, if nobody left.

    Members of a segment take off with its probability, after a gamma time of shape 2 and its mean.
    """
    within = np.arange(1, days + 1)
    parts = [
        s["share"] * s["takes_off"] * gamma.cdf(within, VALUE_SHAPE, scale=s["value_days"] / VALUE_SHAPE)
        for s in segments
    ]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)
