"""Results about when members leave: the smooth rate of leaving with its peak; age, period and cohort."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sojourn.core.interval import Interval

#: Periods with at least this share of the most members at risk are drawn.
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Peak:
    """The time of fastest leaving.

    Attributes
    ----------
    at : Interval
        Unit of time (1 is the first) in which leaving is fastest.
    before, after : Interval
        How many times the mean pace of the first half of the time before it, and of the second half of the
        time after it.
    """

    at: Interval
    before: Interval
    after: Interval


@dataclass(frozen=True, slots=True)
class RiskPeak:
    """How fast members leave by their time with us, and when that is fastest.

    Attributes
    ----------
    unit : str
        Unit of durations.
    width : int
        Rates are per so many units.
    mass : float
        Mass of the pointwise credible intervals of the smooth rate.
    leaving : str
        How leaving is known: ``cancellation`` or ``silence``.
    since, lapse
        What time runs from; with ``silence``, the gap that is one.
    members, at_once : int
        Members seen from joining on, and those of them who left at duration 0; these are not in the curve.
    events : int
        Leavers in the curve.
    table : DataFrame, one row per drawn duration
        ``duration`` (1 is the first unit of time), ``at_risk``, ``rate`` (share of those there who leave
        within `width` at the pace of that duration) with ``_low`` and ``_high``; in the middle of each period
        also ``churned`` (leavers of the period) and ``rate_counted`` (share leaving within it, by counting).
    shape : str
        ``peak``, or without one ``falling``, ``rising`` or ``level``; empty when there is no curve.
    peak : Peak or None
        When leaving is fastest; None without a peak inside.
    sure : float
        Share of the curves that the counts allow in which there is a peak inside.
    true_peak : float or None
        Where the peak is in a simulated world.
    why_empty : str
        Why there is no curve; empty when there is one.
    """

    unit: str
    width: int
    mass: float
    leaving: str
    since: str
    lapse: int | None
    members: int
    at_once: int
    events: int
    table: pd.DataFrame
    shape: str = ""
    peak: Peak | None = None
    sure: float = 0.0
    true_peak: float | None = None
    why_empty: str = ""

    @property
    def share_at_once(self) -> float:
        """Share of members who left at duration 0."""
        return self.at_once / self.members if self.members else 0.0

    def rate_at(self, duration: float) -> float:
        """Return the smooth rate at the drawn duration nearest to one asked for."""
        nearest = int((self.table["duration"] - duration).abs().to_numpy().argmin())
        return float(self.table["rate"].iloc[nearest])

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: durations at which not too few of the most members are at risk."""
        if self.table.empty:
            return self.table
        enough = self.table["at_risk"] >= _LEAST * self.table["at_risk"].max()
        drawn: pd.DataFrame = self.table[enough.cummin()].reset_index(drop=True)
        return drawn

    def __repr__(self) -> str:
        if self.why_empty:
            return f"RiskPeak (empty: {self.why_empty})"
        found = "no interior peak" if self.peak is None else f"peak at {self.unit} {self.peak.at.value:g}"
        return f"RiskPeak ({found}; {self.events:,} leavers; {self.mass * 100:g} % eti)"
