"""Frozen results of the study `quality`: what came through the door, what was odd, what it can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

#: Whether the data can carry a study, the best first.
Carries = Literal["yes", "with care", "no"]


@dataclass(frozen=True, slots=True)
class Carried:
    """Whether the data can carry one study.

    Attributes
    ----------
    study : str
        Its name.
    carries : str
        ``yes``, ``with care`` (it runs; warnings concern what it reads) or ``no``.
    why : str
        One sentence.
    """

    study: str
    carries: Carries
    why: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many rows each local day of the events has.

    Attributes
    ----------
    table : DataFrame, one row per day from the first to the last
        ``day`` (date), ``rows``, ``members``; 0 where there are none.
    gaps : tuple of str
        Days without rows between the first and the last, as ISO dates.
    incomplete : tuple of str
        Last days that are not complete yet, as ISO dates; they are not drawn as whole days.
    why_empty : str
        Why there is nothing to show; empty where there is.
    """

    table: pd.DataFrame
    gaps: tuple[str, ...]
    incomplete: tuple[str, ...]
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long rows took to become known.

    Attributes
    ----------
    table : DataFrame, one row per table and number of days
        ``table``, ``days_late``, ``rows``, ``known_share`` (of the table's rows known after so many days).
    why_empty : str
        Why there is nothing to show; empty where there is.
    """

    table: pd.DataFrame
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """What came through the door.

    Attributes
    ----------
    case : str
        Its name.
    members, rows : int
        Members kept, and rows read over all tables.
    left_out : int
        Rows read that are not among the tidy ones.
    days : int
        Whole days of observation up to `as_of`.
    findings : DataFrame
        ``table``, ``column``, ``level`` (warning before note), ``finding``, ``hint``, ``rows``,
        ``concerned``.
    columns : DataFrame
        ``table``, ``column``, ``rows``, ``missing``, ``missing_share``, ``distinct``.
    carried : tuple of Carried
        One for each study.
    coverage : Coverage
        Of the events.
    lateness : Lateness
        Of the tables that say when rows became known.
    meta : mapping
        Of the cells.
    """

    case: str
    members: int
    rows: int
    left_out: int
    days: int
    findings: pd.DataFrame
    columns: pd.DataFrame
    carried: tuple[Carried, ...]
    coverage: Coverage
    lateness: Lateness
    meta: Mapping[str, Any]

    @property
    def warnings(self) -> pd.DataFrame:
        """Findings of level ``warning``."""
        return self.findings[self.findings["level"] == "warning"]

    @property
    def table(self) -> pd.DataFrame:
        """Which studies the data can carry: ``study``, ``carries``, ``why``."""
        rows = [(c.study, c.carries, c.why) for c in self.carried]
        return pd.DataFrame(rows, columns=["study", "carries", "why"])
