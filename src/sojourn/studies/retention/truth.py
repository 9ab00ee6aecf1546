"""The truth that a simulated world ships beside its data."""

from __future__ import annotations

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
