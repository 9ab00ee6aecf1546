"""Groups of members as risk sets, read from cells; only groupings known at joining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range
from sojourn.core.results.retention import EVERYONE
from sojourn.estimators.survival.risk_set import RiskSet, risk_set

#: The grouping by month of joining.
COHORT = "cohort"
#: Groupings whose groups have an order of their own; others stand by size.
ORDERED = (COHORT, "age_band")
#: Said wherever dates are needed, so that a page says it once.
NO_DATES = "The data say how long members have been there but not when they joined."
_TOO_SMALL = "No month of joining has enough members to be shown."


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups with enough members at risk from joining on.

    Attributes
    ----------
    by : str
        Grouping.
    risk : mapping of str to RiskSet
        Risk set of every group, in the order in which groups are shown.
    members : Series of int
        Members of every group, late entrants included.
    too_small : int
        How many groups are left out.
    """

    by: str
    risk: Mapping[str, RiskSet]
    members: pd.Series[int]
    too_small: int


def read_groups(cells: Cells, by: str, min_group: int) -> Groups:
    """Return the groups of one grouping that at least `min_group` members entered at joining.

    Raises
    ------
    ImmortalTimeError, ParameterError
        When `by` is known only later, or is no grouping of these cells.
    """
    in_range(min_group, "min_group", ge=1)
    rows = rows_by(cells, by)
    members = rows.groupby("group")["entered"].sum()
    risk = {group: read_risk_set(rows[rows["group"] == group]) for group in _in_order(by, members)}
    enough = {group: one for group, one in risk.items() if one.at_risk[0] >= min_group}
    return Groups(by, enough, members[list(enough)], len(risk) - len(enough))


def rows_by(cells: Cells, by: str) -> pd.DataFrame:
    """Return the rows of the table ``risk`` for one grouping; none where all its groups are too small.

    Raises
    ------
    ImmortalTimeError, ParameterError
        When `by` is known only later, or is no grouping of these cells.
    """
    risk = cells["risk"]
    if not risk.empty:
        groupings = {EVERYONE, *risk["by"].unique(), *_asked_for(cells)}
        known_at_joining(by, sorted(groupings), cells.meta.get("known_later"))
    return risk[risk["by"] == by]


def why_no_cohorts(cells: Cells) -> str:
    """Return why nothing is counted by month of joining; empty where something is."""
    if COHORT in set(cells["risk"]["by"]):
        return ""
    return _TOO_SMALL if COHORT in _asked_for(cells) else NO_DATES


def _asked_for(cells: Cells) -> tuple[str, ...]:
    """Return by what members were counted when the cells were made; nothing where that is not known."""
    groups = cells.meta.get("params", {}).get("groups")
    return () if groups is None else (COHORT, *groups)


def everyone(cells: Cells) -> RiskSet:
    """Return the risk set of all members; nobody is at risk in it where too few are followed to be shown."""
    return read_risk_set(rows_by(cells, EVERYONE))


def read_risk_set(rows: pd.DataFrame) -> RiskSet:
    """Return the risk set of all members counted in some rows of the table ``risk``."""
    return risk_set(*(rows[name].to_numpy() for name in ("day", "entered", "churned", "censored")))


def _in_order(by: str, members: pd.Series[int]) -> list[str]:
    names = sorted(members.index)
    return names if by in ORDERED else sorted(names, key=lambda name: -members[name])
