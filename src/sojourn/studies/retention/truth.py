"""The truth that a simulated world ships beside its data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells


def true_curve(cells: Cells, by: str) -> pd.DataFrame | None:
    """Return ``group``, ``duration``, ``retained`` as they are in the world, None where nobody knows."""
    rows = cells.meta.get("truth", {}).get("retention", {}).get("survival", [])
    known = [(row["level"], row["day"], row["survival"]) for row in rows if row["group"] == by]
    return pd.DataFrame(known, columns=["group", "duration", "retained"]) if known else None


def true_means(cells: Cells, by: str) -> pd.DataFrame | None:
    """Return ``group``, ``duration``, ``mean`` as they are in the world, None where nobody knows."""
    rows = cells.meta.get("truth", {}).get("retention", {}).get("restricted_mean", [])
    known = [(row["level"], row["until"], row["days"]) for row in rows if row["group"] == by]
    return pd.DataFrame(known, columns=["group", "duration", "mean"]) if known else None


def true_with_us(cells: Cells, last: int) -> pd.DataFrame | None:
    """Return ``duration`` up to `last`, ``with_us_share``, ``never_left_share``; None where nobody knows."""
    rows = _known(cells).get("with_us", [])
    never = true_curve(cells, "all")
    if not rows or never is None:
        return None
    known = pd.DataFrame([(r["day"], r["share"]) for r in rows], columns=["duration", "with_us_share"])
    never = never[["duration", "retained"]].rename(columns={"retained": "never_left_share"})
    return known[known["duration"] <= last].merge(never, on="duration")


def true_returns(cells: Cells, days: Sequence[int]) -> pd.DataFrame | None:
    """Return ``duration`` and ``back_share`` as they are in the world, None where nobody knows.

    A share of those who leave comes back after an exponential time, so the share back by a day is known in
    closed form from the parameters of the world.
    """
    churn = cells.meta.get("truth", {}).get("parameters", {}).get("churn", {})
    if "returns" not in churn:
        return None
    back = [(day, churn["returns"] * -math.expm1(-day / churn["return_days"])) for day in days]
    return pd.DataFrame(back, columns=["duration", "back_share"])


def true_reasons(cells: Cells, layer_of: Mapping[str, str], last: int) -> pd.DataFrame | None:
    """Return ``reason``, ``duration`` up to `last`, ``left_share``, summed over reasons of one layer."""
    rows = [
        (r["reason"], r["day"], r["share"]) for r in _known(cells).get("left_for", []) if r["day"] <= last
    ]
    if not rows or not {reason for reason, *_ in rows} <= set(layer_of):
        return None
    known = pd.DataFrame(rows, columns=["reason", "duration", "left_share"])
    known["reason"] = known["reason"].map(layer_of)
    return known.groupby(["reason", "duration"], sort=False)["left_share"].sum().reset_index()


def _known(cells: Cells) -> Mapping[str, Any]:
    truth: Mapping[str, Any] = cells.meta.get("truth", {}).get("retention", {})
    return truth
