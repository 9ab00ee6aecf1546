"""Protected cells of segments: rows on a coarse grid, every value of which many members share.

A row is still one member's, with coarse values: the sample stays inside the private folder, and what a page
shows of it is protected again where it is made (`sojourn.studies.segments.shown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype as is_text

from sojourn.core.measures import MONTH, Counting
from sojourn.core.privacy import pooled, to_multiples
from sojourn.data.features import columns_of, numbered

#: What categories of few members are put together as.
OTHER = "other"

_DIGITS = Decimal("0.000000001")


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Notes
    -----
    Every column of the sample takes values that at least `base` members share: numbers by `pooled`, so that
    extremes and percentiles are those of groups, days of leaving only to 30 days; categories of fewer members
    are `OTHER`. Kinds of events and families of counts that fewer members did are left out. Moments of all
    members are those of the protected sample, carried over to all: exact ones could be subtracted.
    """
    rows = _whole_groups(tables["sample"], base)
    counting = Counting.from_plain(meta["counting"])
    kept = [i for i, name in enumerate(numbered(counting.kinds)) if int((rows[name] > 0).sum()) >= base]
    families = tuple(name for name in counting.families if _many(rows, name, base))
    told = replace(
        counting,
        kinds=tuple(counting.kinds[i] for i in kept),
        families=families,
        social=counting.social if "social" in families else (),
    )
    named = {f"kind_{i + 1}": f"kind_{new}" for new, i in enumerate(kept, start=1)}
    few = (set(numbered(counting.kinds)) - set(named)) | (
        set(columns_of(counting.families)) - set(columns_of(families))
    )
    rows = _by_month(rows.drop(columns=few), int(meta["params"]["outcome_days"]))
    sample = _pooled(rows, base).rename(columns=named)
    members = int(to_multiples(int(tables["moments"]["members"].iloc[0]), base))
    sample = sample.sort_values(list(sample.columns), ignore_index=True)
    moments = _moments(sample, members, list(tables["moments"].columns))
    said = {
        "kinds": [meta["kinds"][i] for i in kept],
        "families": list(families),
        "counting": told.to_plain(),
    }
    return {"sample": sample, "moments": moments}, {**meta, **said}


def _many(rows: pd.DataFrame, family: str, base: int) -> bool:
    """Return whether enough members did anything that a family counts."""
    return int((rows[columns_of((family,))] != 0).any(axis=1).sum()) >= base


def _by_month(rows: pd.DataFrame, outcome_days: int) -> pd.DataFrame:
    """Return rows with days of leaving as the last of their 30 days."""
    month = -(-rows["left_after"] // MONTH) * MONTH
    return rows.assign(left_after=month.clip(upper=outcome_days))


def _whole_groups(sample: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return as many rows as make whole groups of `base`, evenly from the rows in their order."""
    ordered = sample.sort_values(sorted(sample.columns), ignore_index=True)
    rows = len(ordered) // base * base
    return ordered.iloc[(2 * np.arange(rows) + 1) * len(ordered) // (2 * max(rows, 1))].reset_index(drop=True)


def _pooled(sample: pd.DataFrame, base: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: _merged(sample[name], base)
            if is_text(sample[name])
            else _as_before(pooled(sample[name], base), sample[name])
            for name in sample
        }
    )


def _merged(values: pd.Series[str], base: int) -> list[str]:
    """Return categories of at least `base` members; smaller ones, and if need be the next, are `OTHER`."""
    sizes = values.value_counts()
    order = sorted(sizes.index, key=lambda name: (sizes[name], name))
    together: list[str] = []
    for name in order:
        if sizes[name] < base or 0 < sum(sizes[other] for other in together) < base:
            together.append(name)
    return [OTHER if value in together else value for value in values]


def _as_before(values: list[Decimal], column: pd.Series[Any]) -> list[Any]:
    whole = column.dtype.kind == "i"
    return [int(value) if whole else value.quantize(_DIGITS) for value in values]


def _moments(sample: pd.DataFrame, members: int, columns: list[str]) -> pd.DataFrame:
    """Return sums of the sample, grown to all members, in the columns that there were."""
    row: dict[str, Any] = {"members": members}
    scale = members / max(len(sample), 1)
    for name in (name for name in sample.columns if not is_text(sample[name])):
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
