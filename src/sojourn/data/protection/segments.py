"""Protected cells of segments: rows on a coarse grid, every value of which many members share.

A row is still one member's, with coarse values: the sample stays inside the private folder, and what a page
shows of it is protected again where it is made (`sojourn.studies.segments.shown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import pooled, to_multiples

_DIGITS = Decimal("0.000000001")


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Notes
    -----
    Every column of the sample takes values that at least `base` members share (`pooled`), so extremes and
    percentiles are those of groups; kinds of events that fewer members did are left out. Moments of all
    members are those of the protected sample, carried over to all: exact ones could be subtracted.
    """
    rows = _whole_groups(tables["sample"], base)
    kept = _kinds_kept(rows, list(meta["kinds"]), base)
    named = {old: f"kind_{i}" for i, old in enumerate(kept, start=1)}
    sample = _pooled(rows.drop(columns=set(_numbered(meta["kinds"])) - set(kept)), base).rename(columns=named)
    members = int(to_multiples(int(tables["moments"]["members"].iloc[0]), base))
    sample = sample.sort_values(list(sample.columns), ignore_index=True)
    moments = _moments(sample, members, list(tables["moments"].columns))
    kinds = [meta["kinds"][int(old.removeprefix("kind_")) - 1] for old in kept]
    return {"sample": sample, "moments": moments}, {**meta, "kinds": kinds}


def _whole_groups(sample: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return as many rows as make whole groups of `base`, evenly from the rows in their order."""
    ordered = sample.sort_values(sorted(sample.columns), ignore_index=True)
    rows = len(ordered) // base * base
    return ordered.iloc[(2 * np.arange(rows) + 1) * len(ordered) // (2 * max(rows, 1))].reset_index(drop=True)


def _numbered(kinds: list[str]) -> list[str]:
    return [f"kind_{i}" for i in range(1, len(kinds) + 1)]


def _kinds_kept(sample: pd.DataFrame, kinds: list[str], base: int) -> list[str]:
    return [name for name in _numbered(kinds) if int((sample[name] > 0).sum()) >= base]


def _pooled(sample: pd.DataFrame, base: int) -> pd.DataFrame:
    return pd.DataFrame({name: _as_before(pooled(sample[name], base), sample[name]) for name in sample})


def _as_before(values: list[Decimal], column: pd.Series[Any]) -> list[Any]:
    whole = column.dtype.kind == "i"
    return [int(value) if whole else value.quantize(_DIGITS) for value in values]


def _moments(sample: pd.DataFrame, members: int, columns: list[str]) -> pd.DataFrame:
    """Return sums of the sample, grown to all members, in the columns that there were."""
    row: dict[str, Any] = {"members": members}
    scale = members / max(len(sample), 1)
    for name in sample.columns:
        values = sample[name].to_numpy(dtype=np.float64)
        scales = {name: values, f"log_{name}": np.log1p(np.maximum(values, 0))}
        for stem, x in scales.items():
            row |= {
                f"{stem}_sum": _decimal(x.sum() * scale),
                f"{stem}_squares": _decimal((x**2).sum() * scale),
            }
    return pd.DataFrame([{name: value for name, value in row.items() if name in columns}])


def _decimal(value: float) -> Decimal:
    return Decimal(repr(round(float(value), 6))).quantize(_DIGITS)
