"""Cells: the small tables of sufficient statistics that every study works on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from sojourn.core.errors import DataError
from sojourn.core.legible import SENTENCES, legible_data, legible_names, listed, sentence


@dataclass(frozen=True, slots=True)
class Cells:
    """Sufficient statistics of one case for one study.

    Attributes
    ----------
    case, study : str
        What they are of and for.
    tables : mapping of str to DataFrame
        Integers, decimals, text and dates only: equal for any engine, row order or number of threads.
    meta : mapping
        ``as_of``, ``unit``, ``source`` … and the resolved cells parameters, as JSON holds them.
    """

    case: str
    study: str
    tables: Mapping[str, pd.DataFrame]
    meta: Mapping[str, Any]

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a copy of one table, decimals as floats."""
        if table not in self.tables:
            raise DataError(
                f"The cells of {self.case} for {self.study} have no table '{table}'; "
                f"they have {', '.join(sorted(self.tables))}."
            )
        return floats(self.tables[table])

    @property
    def fingerprint(self) -> str:
        """Hash of content (tables and meta), 12 hex digits, independent of how it is stored."""
        digest = hashlib.sha256(json.dumps(dict(self.meta), sort_keys=True, default=str).encode())
        for name in sorted(self.tables):
            digest.update(name.encode())
            digest.update(self.tables[name].to_csv(index=False).encode())
        return digest.hexdigest()[:12]

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {len(table):,}" for name, table in self.tables.items())
        return f"Cells of {self.case} for {self.study} ({rows} rows; as of {self.meta.get('as_of')})"


def floats(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with columns of decimals as floats."""
    table = table.copy()
    for name in table.columns:
        column = table[name]
        if column.dtype == object and column.map(lambda value: isinstance(value, Decimal)).any():
            table[name] = column.astype(float)
    return table


def read_cells(folder: Path, case: str, study: str) -> Cells:
    """Read cells that a stage has written.

    Raises
    ------
    DataError
        When the folder holds none.
    """
    described = folder / "cells.json"
    if not described.is_file():
        raise DataError(
            f"No cells of {case} for {study} yet. Run `make reproduce`, or `dvc repro` in the project."
        )
    meta = json.loads(described.read_text(encoding="utf-8"))
    tables = {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
    return legible_cells(Cells(case, study, tables, meta))


def legible_cells(cells: Cells) -> Cells:
    """Return cells whose names are one line of visible text (`sojourn.core.legible`), the same everywhere.

    Words of ours (`SENTENCES`) are made so too, and not cut like names.
    """
    columns = [(table, name) for table in cells.tables.values() for name in _texts(table)]
    found = {text for table, name in columns if name not in SENTENCES for text in table[name]}
    said = {name: value for name, value in cells.meta.items() if name not in SENTENCES}
    names = legible_names({*filter(_is_text, found), *listed(said)})
    tables = {name: _renamed(table, names) for name, table in cells.tables.items()}
    return Cells(cells.case, cells.study, tables, legible_data(dict(cells.meta), names))


def _texts(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns if table[name].map(_is_text).any()]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with names shown as in `names`, and sentences as they are shown; the same if all are."""
    texts = {}
    for name in _texts(table):
        show = sentence if name in SENTENCES else partial(_named, names)
        shown = table[name].map(show, na_action="ignore")
        if not shown.equals(table[name]):
            texts[name] = shown
    return table.assign(**texts) if texts else table


def _named(names: Mapping[str, str], value: Any) -> Any:
    return names.get(value, value)
