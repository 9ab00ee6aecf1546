"""Frozen result: how many of those with us are expected to leave soon, by kind of member."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.interval import Interval


@dataclass(frozen=True, slots=True)
class ExpectedLosses:
    """Members who are with us and how many of them are expected to leave, where an earlier prediction held.

    Attributes
    ----------
    unit : str
        Unit of `within`.
    within : int
        How far ahead.
    mass : float
        Mass of the prediction intervals.
    members : int
        Members with us who can be predicted.
    too_old : int
        Members with us whose time ahead reaches beyond the longest that anybody was followed.
    total : Interval or None
        Expected leavers of all, with the interval in which their number falls.
    table : DataFrame, one row per level of what was known at joining
        ``column``, ``level``, ``members``, ``p_leaving`` (share expected to leave) with ``_low``, ``_high``,
        ``leavers`` (expected).
    why_empty : str
        Why nothing is expected; empty when something is.
    leaving : str
        As in the curve.
    """

    unit: str
    within: int
    mass: float
    members: int = 0
    too_old: int = 0
    total: Interval | None = None
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    why_empty: str = ""
    leaving: str = "cancellation"

    def drawn(self) -> pd.DataFrame:
        """Return what is shown."""
        return self.table

    def __repr__(self) -> str:
        return f"ExpectedLosses of {self.members:,} members within {self.within} {self.unit}s"
