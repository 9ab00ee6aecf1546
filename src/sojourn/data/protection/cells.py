"""Protection of the cells of one study, as they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from sojourn.core.errors import DataError
from sojourn.data.protection import (
    board,
    portfolio,
    portrait,
    quality,
    retention,
    retention_lens,
    segments,
    trials,
)
from sojourn.data.protection.caps import board_caps, portfolio_caps, portrait_caps, trial_caps
from sojourn.data.protection.instants import begin_of_day
from sojourn.data.tidy import Tidy

type Tables = Mapping[str, pd.DataFrame]
type Caps = Mapping[str, Decimal]
type Made = tuple[dict[str, pd.DataFrame], dict[str, Any]]

#: How the cells of a study are protected; a study without an entry has no pages in a private case.
PROTECTORS: Mapping[str, Callable[[Tables, Mapping[str, Any], int, Caps], Made]] = {
    "board": board.protect,
    "retention": lambda tables, meta, base, _: _retention(tables, meta, base),
    "trials": trials.protect,
    "portfolio": portfolio.protect,
    "portrait": portrait.protect,
    "quality": lambda tables, meta, base, _: quality.protect(tables, meta, base),
    "segments": lambda tables, meta, base, _: segments.protect(tables, meta, base),
}

#: What has to be known of single members before sums are made.
CAPS: Mapping[str, Callable[[Tidy, Mapping[str, Any], int], dict[str, Decimal]]] = {
    "board": board_caps,
    "trials": trial_caps,
    "portfolio": portfolio_caps,
    "portrait": portrait_caps,
}


def _retention(tables: Tables, meta: Mapping[str, Any], base: int) -> Made:
    made, said = retention.protect(tables, meta, base)
    return made | retention_lens.protect_definitions(tables, meta, base), said


def caps_of(tidy: Tidy, study: str, params: Mapping[str, Any], base: int) -> dict[str, Decimal]:
    """Return at what amounts of single members are cut, or how much of a thing one member can have."""
    return CAPS[study](tidy, params, base) if study in CAPS else {}


def protected(
    study: str, tables: Mapping[str, pa.Table], meta: Mapping[str, Any], base: int, caps: Caps
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """Return cells whose every count is a multiple of `base`, and what they say of themselves.

    Parameters
    ----------
    study : str
        Name of the study.
    tables : mapping of str to pyarrow Table
        Exact cells; sums of amounts already cut at `caps`.
    meta : mapping
        What they say of themselves. The truth of a simulated world, which is exact, is left out.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        From `caps_of`.

    Raises
    ------
    DataError
        When nobody has declared what the tables of the study count.
    """
    if study not in PROTECTORS:
        raise DataError(
            f"The cells of '{study}' cannot be protected: what its tables count is not declared. "
            "Add it to `PROTECTORS` in data/protection/cells.py."
        )
    made, said = PROTECTORS[study]({name: t.to_pandas() for name, t in tables.items()}, meta, base, caps)
    said = {name: value for name, value in said.items() if name != "truth"}
    if said.get("observed_from"):
        said["observed_from"] = begin_of_day(said["observed_from"])
    stated = {name: str(cap) for name, cap in sorted(caps.items()) if ":" not in name}  # groups may be rare
    stored = {name: _stored(table, tables[name].schema) for name, table in made.items()}
    return stored, {**said, "protected": {"base": base, **({"caps": stated} if stated else {})}}


def _stored(table: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a table with the types it had, and the columns that are left of it."""
    return pa.Table.from_pandas(
        table, schema=pa.schema([schema.field(name) for name in table.columns]), preserve_index=False
    )
