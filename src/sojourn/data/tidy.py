"""Tidy tables of one case, opened in the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis

from sojourn.core.errors import DataError, SojournError
from sojourn.core.params import Params
from sojourn.core.schema import CONTRACT
from sojourn.data.engine import as_named, engine_of

#: Tables that the door makes from those of the contract.
MADE: tuple[str, ...] = ("activity",)

#: Tables that the door writes about tables.
QUALITY: tuple[str, ...] = ("findings", "columns", "coverage", "lateness", "withheld")


class MissingTableError(SojournError):
    """A study needs a table that the case does not have; its page says so in one sentence."""


@dataclass(frozen=True, slots=True)
class Tidy:
    """Tidy tables of one case.

    Attributes
    ----------
    case : str
        Name of the case.
    tables : mapping of str to ibis Table
        As the contract names them, with the dense integer `member` in place of `member_id`, and those of
        `MADE`.
    meta : mapping
        ``as_of``, ``observed_from``, ``first_instant`` (UTC, ISO 8601), ``time_zone``, ``currency``,
        ``key_id``, ``rows`` by table, ``read`` (rows by table before any was left out), and ``present``: by
        table the columns that the case brought (all others of the contract are there and empty).
    quality : mapping of str to ibis Table
        What the door counted and found: those of `QUALITY` that it wrote.
    kept : dict
        What was made of the tables before and is asked for again.
    """

    case: str
    tables: Mapping[str, ibis.Table]
    meta: Mapping[str, Any]
    quality: Mapping[str, ibis.Table] = field(default_factory=dict)
    kept: dict[str, ibis.Table] = field(default_factory=dict, compare=False, repr=False)

    def table(self, name: str, study: str) -> ibis.Table:
        """Return one table.

        Raises
        ------
        MissingTableError
            When the case does not have it.
        """
        if name not in self.tables:
            raise MissingTableError(
                f"{study} needs the table `{name}`, which the case '{self.case}' does not have."
            )
        return self.tables[name]

    def has(self, table: str, column: str) -> bool:
        """Whether the case brought a column (all others of the contract are there and empty)."""
        if table not in self.tables:
            return False
        columns = self.tables[table].columns
        return column in columns and column in self.meta.get("present", {}).get(table, columns)

    def once(self, name: str, make: Callable[[], ibis.Table]) -> ibis.Table:
        """Return a table that is made when it is asked for by this name for the first time."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]


def open_tidy(params: Params, case: str) -> Tidy:
    """Open the tidy tables of a case.

    Raises
    ------
    DataError
        When `prepare` has not run.
    """
    folder = params.places(case).tidy
    described = folder / "tidy.json"
    if not described.is_file():
        raise DataError(f"No tidy tables of '{case}' yet. Run `make reproduce`, or `sojourn prepare {case}`.")
    engine = engine_of(params.engine, scratch=params.places(case).base / ".sojourn" / "spill")
    tables, quality = (_opened(engine, folder, names) for names in ((*CONTRACT, *MADE), QUALITY))
    return Tidy(case, tables, json.loads(described.read_text(encoding="utf-8")), quality)


def _opened(engine: Any, folder: Path, names: Iterable[str]) -> dict[str, ibis.Table]:
    """Open the tables that are there: each a file, or a folder of files by day."""
    found = {}
    named = as_named if engine.name == "duckdb" else str
    for name in names:
        file, by_day = folder / f"{name}.parquet", folder / name
        if file.is_file():
            found[name] = engine.read_parquet(named(file), table_name=name)
        elif by_day.is_dir():
            parts = f"{named(by_day)}/*.parquet"
            found[name] = engine.read_parquet(parts, table_name=name)
    return found
