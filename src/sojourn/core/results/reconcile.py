"""Results of reconciling a company's own numbers: rows of its file, definitions, and what explains a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Kind = Literal[
    "retained",
    "retained_members",
    "active_members",
    "stickiness",
    "events",
    "new_members",
    "churned_members",
    "churn_rate",
    "members",
]
Unit = Literal["day", "week", "month", ""]
Status = Literal["agrees", "explained", "ambiguous", "not explained", "cannot be computed", "too few"]

#: Kinds whose value is a share.
SHARES: frozenset[Kind] = frozenset({"retained", "stickiness", "churn_rate"})
#: Kinds that follow members from joining on.
FOLLOWED: frozenset[Kind] = frozenset({"retained", "retained_members"})


@dataclass(frozen=True, slots=True)
class Kpi:
    """One row of a company's file of numbers.

    Attributes
    ----------
    row : int
        Row of the file, counted from 1 without the header.
    name : str
        Its name in the file, such as ``retained_day_30``.
    kind : str
        What it is.
    unit : str
        ``day``, ``week`` or ``month`` of its period, or of the age it is about; empty for a date.
    n : int
        Age in units since joining; 0 where there is none.
    period : str
        ``2025-03-14``, ``2025-W11``, ``2025-03``, or empty: members who joined whenever.
    by, group : str
        Column of members and its value; both ``all`` where everybody counts.
    value : float
        The company's number; a share is 0-1.
    within : float
        Half a unit of its last decimal: how far another number may be and still be the same when rounded.
    written : str
        The number as the file has it.
    definition : str
        What the company says of it, if anything.
    """

    row: int
    name: str
    kind: Kind
    unit: Unit
    n: int
    period: str
    by: str
    group: str
    value: float
    within: float
    written: str
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One way of counting, with the words after "they": ``count days in UTC``."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing in which definitions differ; its first option is our own."""

    name: str
    options: tuple[Option, ...]

    @property
    def ours(self) -> str:
        """Name of our own option."""
        return self.options[0].name


@dataclass(frozen=True, slots=True)
class Definition:
    """A way to count a number: in which dimensions it differs from ours, and how.

    Attributes
    ----------
    changes : tuple of (str, str)
        Dimension and option, only where they differ from our own.
    words : tuple of str
        The same in words, each after "they".
    """

    changes: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()

    def chosen(self, dimensions: Sequence[Dimension]) -> dict[str, str]:
        """Return the option of every dimension."""
        return {**{dimension.name: dimension.ours for dimension in dimensions}, **dict(self.changes)}


@dataclass(frozen=True, slots=True)
class Reading:
    """A number under one definition: the value and the members (or events) it is of."""

    value: float
    of: int


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers of one kind, which one definition has to explain together.

    Attributes
    ----------
    name : str
        What they are, such as ``retained_day``.
    kpis : tuple of Kpi
        Its rows.
    status : str
        Of the family as a whole: ``agrees``, ``explained``, ``ambiguous``, ``not explained`` …
    best : Definition
        The definition that explains most rows with fewest differences; the nearest one where none does.
    explains : tuple of int
        Rows of the file that it explains.
    rivals : tuple of Definition
        Others that explain as many rows with as few differences and give other numbers elsewhere.
    same : tuple of Definition
        Others that give the same number on every row here, so that these rows cannot tell them apart.
    tried : int
        How many definitions with different numbers were compared.
    by_chance : float
        How many of them, no further from the rows it explains than ours is, would round to them by accident.
    reason : str
        Why nothing can be said, where nothing can.
    """

    name: str
    kpis: tuple[Kpi, ...]
    status: Status
    best: Definition
    explains: tuple[int, ...]
    rivals: tuple[Definition, ...] = ()
    same: tuple[Definition, ...] = ()
    tried: int = 0
    by_chance: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A company's numbers beside ours, and what explains each gap.

    Attributes
    ----------
    case : str
        Name of the case.
    families : tuple of Family
        Numbers of one kind together.
    table : DataFrame, one row per number of the file
        ``row``, ``kpi``, ``period``, ``group``, ``theirs``, ``ours``, ``gap`` (theirs - ours), ``rebuilt``
        (under the definition found), ``members`` (that ours is of), ``status``, ``explanation``; shares are
        0-1, what is of fewer than ``min_group`` members is missing.
    facts : mapping
        What was tried and what no definition can tell: ``zones``, ``bots_above`` (events on the
        ``busiest`` day, in ``total``), ``silence_days``, ``left_out`` (rows that stayed before the door, by
        table).
    min_group : int
        Smallest number of members that is shown.
    """

    case: str
    families: tuple[Family, ...]
    table: pd.DataFrame
    facts: Mapping[str, Any]
    min_group: int

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of rows by status."""
        found = self.table["status"].value_counts()
        return {str(name): int(n) for name, n in found.items()}

    def __repr__(self) -> str:
        said = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        return f"Reconciliation of {self.case}: {len(self.table)} numbers ({said})"
