"""Results about when members leave: the smooth rate of leaving with its peak; age, period and cohort."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.interval import Interval

#: Periods with at least this share of the most members at risk are drawn.
_LEAST = 0.05
#: Counted points higher than so many times the top of the band would squeeze the rest, and are not drawn.
_STRETCH = 1.5


@dataclass(frozen=True, slots=True)
class Peak:
    """The time of fastest leaving.

    Attributes
    ----------
    at : Interval
        Time since the start at which leaving is fastest.
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

    def rate_at(self, time: float) -> float:
        """Return the smooth rate in the drawn unit of time whose middle is nearest to a time."""
        nearest = int((self.table["duration"] - 0.5 - time).abs().to_numpy().argmin())
        return float(self.table["rate"].iloc[nearest])

    @property
    def top(self) -> float:
        """Highest rate that a picture shows: of the band, or of points counted not far above it."""
        drawn = self.drawn()
        band = float(drawn["rate_high"].max())
        shown = drawn["rate_counted"][drawn["rate_counted"] <= _STRETCH * band]
        return max(band, float(shown.max())) if len(shown) else band

    @property
    def points_above(self) -> int:
        """Counted points that lie above the picture."""
        return int((self.drawn()["rate_counted"] > self.top).sum())

    @property
    def lowest(self) -> int:
        """Duration at which the drawn rate is lowest."""
        drawn = self.drawn()
        return int(drawn["duration"].iloc[int(drawn["rate"].to_numpy().argmin())])

    @property
    def fastest_first(self) -> bool:
        """Whether the drawn rate is highest at once."""
        return bool(self.drawn()["rate"].to_numpy().argmax() == 0)

    @property
    def rises_again(self) -> bool:
        """Whether the drawn rate surely ends higher than it was before: its intervals lie apart."""
        drawn = self.drawn()
        least = drawn.iloc[int(drawn["rate"].to_numpy().argmin())]
        return bool(drawn["rate_low"].iloc[-1] > least["rate_high"])

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
        found = "no interior peak" if self.peak is None else f"peak at {self.unit} {self.peak.at.value:.1f}"
        return f"RiskPeak ({found}; {self.events:,} leavers; {self.mass * 100:g} % eti)"


@dataclass(frozen=True, slots=True)
class CohortEffects:
    """How leaving departs from straight lines, by month of joining and by calendar month.

    The month of joining plus the age is the calendar month, so a straight line can be moved from one to the
    others and no count changes: lines are not claimed of any one of them, only departures from them.

    Attributes
    ----------
    unit : str
        Unit of the durations of the cells.
    mass : float
        Mass of the intervals.
    leaving : str
        How leaving is known: ``cancellation`` or ``silence``.
    table : DataFrame, one row per month of joining and per calendar month
        ``what`` (``joined in`` or ``calendar month``), ``month`` (YYYY-MM), ``churned`` (leavers), ``times``
        (rate of leaving over that on the straight line, at equal ages) with ``_low`` and ``_high``,
        ``p_value`` (that it is on the line; times the number of months), ``apart`` (whether the month surely
        departs; the line is that through the others).
    ages : DataFrame, one row per month of age
        ``age`` (whole months), ``rate_if_cohorts`` and ``rate_if_calendar``: share leaving within a month by
        age if the whole drift is between cohorts, and if it is in calendar time.
    tests : DataFrame, one row per axis
        ``what`` (``age``, ``period``, ``cohort``), ``statistic``, ``df``, ``p_value``: whether there are
        departures at all.
    drift : Interval or None
        Change of the rate per year as a ratio: between cohorts *or* in calendar time, which cannot be told.
    dispersion : float
        Variances are multiplied by it (at least 1).
    level : float
        Level of the tests, and of naming a month.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    unit: str
    mass: float
    leaving: str
    table: pd.DataFrame
    ages: pd.DataFrame
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    drift: Interval | None = None
    dispersion: float = 1.0
    level: float = 0.01
    why_empty: str = ""

    def bent(self, what: str) -> bool:
        """Return whether months of one kind surely depart from a line: `what` as in ``table``."""
        axis = {"joined in": "cohort", "calendar month": "period"}[what]
        p = self.tests.loc[self.tests["what"] == axis, "p_value"]
        return bool((p < self.level).all()) and len(p) > 0

    def named(self, what: str) -> pd.DataFrame:
        """Return the months of one kind that surely depart, as in ``table``, the surest first."""
        rows = self.table[(self.table["what"] == what) & self.table["apart"]]
        named: pd.DataFrame = rows.sort_values("p_value", kind="stable")
        return named

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: everything."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"CohortEffects (empty: {self.why_empty})"
        joined, calendar = (len(self.named(what)) for what in ("joined in", "calendar month"))
        return f"CohortEffects ({joined} months of joining and {calendar} of the calendar stand apart)"
