"""Frozen results of the study `retention`: the curve, and what is read off it or set beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from sojourn.core.crossing import Flat, crossing
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.interval import Interval, Kind
from sojourn.core.ranges import in_range

Leaving = Literal["cancellation", "silence"]

#: Level below which periods are not alike.
_SURPRISE = 0.01
#: The group that holds every member.
EVERYONE = "all"


@dataclass(frozen=True, slots=True)
class RetentionCurve:
    """Share of members still with us after each whole duration, for one or more groups known at joining.

    Attributes
    ----------
    case, by : str
        Case, and the column whose values are the groups (``all`` for one group of everybody).
    unit : str
        Unit of every duration: ``day`` or ``month``.
    leaving : str
        ``cancellation``, or ``silence``: the first gap longer than `lapse`, dated at its start.
    lapse : int or None
        Length of that gap, in days.
    as_of : str
        Instant after which nothing was read (ISO 8601, UTC), or what the case says in its place.
    mass : float
        Mass of the pointwise intervals, and of the band as a whole.
    min_group : int
        The curve of a group ends where fewer members are at risk.
    table : DataFrame, one row per group and whole duration from 0
        ``group``, ``duration``, ``at_risk`` (observed just before), ``churned``, ``censored``, ``retained``
        (0-1) with ``_low``, ``_high``, ``_se``; ``mean``, the restricted mean up to `duration` in `unit`,
        with ``_low``, ``_high``, ``_se``; ``claimed``, whether at least 20 are at risk and 10 have left,
        so that the interval of ``retained`` is claimed to hold its mass; ``band_low``, ``band_high``, which
        hold the whole curve at once where intervals are claimed (missing elsewhere, and without a band).
    members : Series of int
        Members of every group, those who entered late included.
    too_small : int
        How many groups have fewer than `min_group` members at risk from joining on; they have no curve, and
        their names would tell who is in them.
    since : str
        From what members are followed: ``joining``, or the first event where joining is not recorded.
    truth : DataFrame or None
        ``group``, ``duration``, ``retained`` as they are in a simulated world; None elsewhere.
    true_means : DataFrame or None
        ``group``, ``duration``, ``mean`` likewise.
    interval : str
        Scale of the pointwise intervals and of the band: ``log-log``, ``plain``, ``log``, ``logit``,
        ``arcsin``.
    band : str
        ``none``, ``equal precision`` or ``hall-wellner``.
    weights : str
        ``frequency``: every member counts once. ``probability``: as many as they stand for.

    Notes
    -----
    Kaplan-Meier product-limit estimate with Greenwood's variance, or the robust one (probability weights).
    Members still with us at `as_of` are censored there, not "retained forever"; those first seen after they
    joined enter the risk set late.
    """

    case: str
    by: str
    unit: str
    leaving: Leaving
    lapse: int | None
    as_of: str
    mass: float
    min_group: int
    table: pd.DataFrame
    members: pd.Series[int]
    too_small: int = 0
    since: str = "joining"
    truth: pd.DataFrame | None = None
    true_means: pd.DataFrame | None = None
    interval: Kind = "log-log"
    band: str = "none"
    weights: str = "frequency"

    @property
    def lost_at_once(self) -> float:
        """Share of everybody who left at duration 0; after a first event: never came again in time."""
        return float(1 - self.only([EVERYONE]).at([0])["retained"].iloc[0])

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups: cohorts in order of time, others by size, largest first."""
        return tuple(self.table["group"].unique())

    @property
    def followed_to(self) -> pd.Series[int]:
        """Longest duration of each group's curve; asking beyond it raises."""
        return self.table.groupby("group", sort=False)["duration"].max()

    def at(self, durations: Sequence[int]) -> pd.DataFrame:
        """Return the rows of the table at whole durations, group by group.

        Raises
        ------
        UndefinedError
            When a group is not followed so long.
        """
        for duration in durations:
            self._check(duration)
        return self.readings(durations)

    def readings(self, durations: Sequence[int]) -> pd.DataFrame:
        """Return what `at` returns, without the groups that are not followed so long."""
        return self.table[self.table["duration"].isin(list(durations))].reset_index(drop=True)

    def retained(self, duration: int, group: str = EVERYONE) -> Interval:
        """Return the share of a group still with us after a duration.

        Raises
        ------
        UndefinedError
            Beyond the group's follow-up.
        """
        return self._interval("retained", duration, group, self.interval)

    def mean(self, until: int, group: str = EVERYONE) -> Interval:
        """Return a group's restricted mean: time with us within the first `until`, in `unit`.

        Raises
        ------
        UndefinedError
            Beyond the group's follow-up.
        """
        return self._interval("mean", until, group, "wald")

    def rmst(self, until: int) -> pd.DataFrame:
        """Return every group's restricted mean: ``group``, ``mean`` with ``_low``, ``_high``, ``_se``.

        Raises
        ------
        UndefinedError
            When a group is not followed so long; `followed` leaves such groups out.
        """
        return self.at([until])[["group", "mean", "mean_low", "mean_high", "mean_se"]]

    def median(self, group: str = EVERYONE) -> Interval:
        """Return the first whole duration after which at most half of a group is left; see `quantile`."""
        return self.quantile(0.5, group)

    def quantile(self, p: float, group: str = EVERYONE, *, flat: Flat = "first") -> Interval:
        """Return when the share `p` of a group has left, with the interval of Brookmeyer and Crowley.

        The upper bound is infinite where the upper curve has not come down so far. Where the curve runs level
        at exactly 1 - `p`, that is the ``first`` duration of the stretch, or its ``middle`` as R has it.

        Raises
        ------
        UndefinedError
            When more are left at the end of follow-up.
        """
        in_range(p, "p", gt=0, lt=1)
        rows = self._rows(group)
        ends = ("", "_low", "_high")
        value, low, high = (crossing(rows[f"retained{end}"].to_numpy(), 1 - p, flat) for end in ends)
        if np.isnan(value):
            asked, share = ("median", "half") if p == 0.5 else (f"{p:g} quantile", f"{(1 - p) * 100:g} %")
            raise UndefinedError(
                f"The {asked} of '{group}' is not reached: more than {share} are left after "
                f"{rows['duration'].max()} {self.unit}s, the longest follow-up."
            )
        low, high = float(np.fmin(low, value)), np.inf if np.isnan(high) else high
        return Interval(value, low, high, self.mass, self.interval)

    def followed(self, until: int) -> RetentionCurve:
        """Return the same curve with only the groups that are followed at least `until`.

        Raises
        ------
        UndefinedError
            When none is.
        """
        longest = self.followed_to
        kept = [group for group in self.groups if longest[group] >= until]
        if not kept:
            raise UndefinedError(
                f"No group of {self.case} is followed for {until} {self.unit}s; the longest follow-up is "
                f"{int(longest.max())}. Ask for less."
            )
        return self.only(kept)

    def only(self, groups: Sequence[str]) -> RetentionCurve:
        """Return the same curve for some of its groups.

        Raises
        ------
        ParameterError
            When one does not exist.
        """
        for group in groups:
            self._rows(group)
        return replace(self, table=self.table[self.table["group"].isin(list(groups))].reset_index(drop=True))

    def drawn(self, *, most_groups: int = 5) -> pd.DataFrame:
        """Return what a picture shows: the largest groups at evenly spaced durations and their last."""
        largest = set(self.members.sort_values(ascending=False, kind="stable").index[:most_groups])
        shown = self.only([group for group in self.groups if group in largest])
        points = 90 if len(shown.groups) < 4 else 60
        step = max(1, -(-int(shown.followed_to.max()) // points))
        last = shown.table.groupby("group")["duration"].transform("max")
        kept = (shown.table["duration"] % step == 0) | (shown.table["duration"] == last)
        columns = ["group", "duration", "retained", "retained_low", "retained_high", "at_risk", "claimed"]
        columns += ["band_low", "band_high"] if self.band != "none" else []
        return shown.table.loc[kept, columns].reset_index(drop=True)

    def _check(self, duration: int) -> None:
        longest = self.followed_to
        short = longest[longest < duration]
        if len(short) or duration < 0:
            group, until = (short.index[0], int(short.iloc[0])) if len(short) else (self.groups[0], 0)
            raise UndefinedError(
                f"The curve of '{group}' is defined from 0 to {until} {self.unit}s, asked for {duration}. "
                f"Beyond it fewer than {self.min_group} members have been followed. Ask for less, or use "
                "`followed` or `readings` to leave out groups with a shorter follow-up."
            )

    def _rows(self, group: str) -> pd.DataFrame:
        if group not in self.groups:
            raise ParameterError.unknown(group, f"the groups by {self.by}", self.groups)
        return self.table[self.table["group"] == group]

    def _interval(self, column: str, duration: int, group: str, kind: Kind) -> Interval:
        row = self.only([group]).at([duration]).iloc[0]
        return Interval.of(row, column, self.mass, kind)

    def __repr__(self) -> str:
        spans = ", ".join(f"{group} to {until}" for group, until in self.followed_to.items())
        mass = f"{self.mass * 100:g} % {self.interval}"
        return f"RetentionCurve of {self.case} by {self.by} ({spans} {self.unit}s; {mass})"


@dataclass(frozen=True, slots=True)
class DayN:
    """Share kept to day N among members whose full follow-up reaches it: no model, only counting.

    Attributes
    ----------
    by, unit : str
        Grouping, and unit of durations.
    mass : float
        Mass of the exact (Clopper-Pearson) intervals.
    table : DataFrame, one row per group and duration
        ``group``, ``duration``, ``matured`` (members seen from joining whose follow-up reaches the
        duration), ``kept`` (of these, still with us after it), ``retained`` with ``_low`` and ``_high``.
    why_empty : str
        Why nobody can be counted; empty when somebody can.
    leaving : str
        As in the curve.
    """

    by: str
    unit: str
    mass: float
    table: pd.DataFrame
    why_empty: str = ""
    leaving: str = "cancellation"


@dataclass(frozen=True, slots=True)
class CohortTriangle:
    """Share kept by joining month and age, only where the whole cohort has reached that age.

    Attributes
    ----------
    unit : str
        Unit of durations.
    step : int
        Distance of two ages.
    mass : float
        Mass of the exact (Clopper-Pearson) intervals.
    table : DataFrame, one row per cohort and age
        ``cohort`` (YYYY-MM, local time), ``members``, ``duration``, ``kept``, ``retained`` with ``_low``
        and ``_high``.
    why_empty : str
        Why there is none; empty when there is.
    leaving : str
        As in the curve.
    """

    unit: str
    step: int
    mass: float
    table: pd.DataFrame
    why_empty: str = ""
    leaving: str = "cancellation"

    def wide(self) -> pd.DataFrame:
        """Return one row per cohort, one column ``retained_AGE`` per age, missing where not yet reached."""
        wide = self.table.pivot_table(index=["cohort", "members"], columns="duration", values="retained")
        wide.columns = pd.Index([f"retained_{age}" for age in wide.columns])
        return wide.reset_index()

    def drawn(self, *, most_ages: int = 12, most_cohorts: int = 24) -> pd.DataFrame:
        """Return what a picture shows: the first and about `most_ages` ages of the newest cohorts."""
        ages = np.sort(self.table["duration"].unique())
        every = -(-len(ages) // most_ages)
        kept = [*ages[:1], *ages[every - 1 :: every]]
        newest = np.sort(self.table["cohort"].unique())[-most_cohorts:]
        here = self.table["duration"].isin(kept) & self.table["cohort"].isin(newest)
        return self.table[here].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class LossRate:
    """How fast members leave, period by period of their time with us.

    Attributes
    ----------
    unit : str
        Unit of durations.
    width : int
        Length of a period.
    mass : float
        Mass of the exact (Garwood) intervals.
    at_once : int
        Members who left at duration 0; they belong to no period.
    table : DataFrame, one row per period
        ``duration_from`` (exclusive), ``duration`` (inclusive), ``churned``, ``exposure`` (sum over the
        period of members at risk), ``rate`` (leaving per member and `width`) with ``_low`` and ``_high``.
    members : int
        Members from joining on, of whom `at_once` left at 0.
    leaving, since, lapse
        As in the curve.
    alike : float
        Probability of rates at least as different as these when all periods that are drawn are alike.
    """

    unit: str
    width: int
    mass: float
    at_once: int
    table: pd.DataFrame
    members: int = 0
    leaving: str = "cancellation"
    since: str = "joining"
    lapse: int | None = None
    alike: float = 0.0

    @property
    def share_at_once(self) -> float:
        """Share of members who left at duration 0."""
        return self.at_once / self.members if self.members else 0.0

    def fastest(self, until: int | None = None) -> pd.DataFrame:
        """Return the neighbouring periods that cannot be told from the one of fastest leaving.

        Their intervals overlap that of the highest rate, without a gap. Empty when there is no clear peak:
        nothing is drawn, all that is drawn overlaps, or rates so different are no surprise (1 in 100).

        Parameters
        ----------
        until : int, optional
            Only periods that end by then.
        """
        drawn = self.drawn()
        drawn = drawn if until is None else drawn[drawn["duration"] <= until]
        if drawn.empty:
            return drawn
        peak = int(drawn["rate"].to_numpy().argmax())
        overlaps = (drawn["rate_high"] >= drawn["rate_low"].iloc[peak]).to_numpy()
        apart = np.flatnonzero(~overlaps)
        first = max((int(i) + 1 for i in apart if i < peak), default=0)
        last = min((int(i) for i in apart if i > peak), default=len(drawn))
        return drawn.iloc[first:last] if len(apart) and self.alike < _SURPRISE else drawn.iloc[:0]

    def drawn(self, *, least: float = 0.05) -> pd.DataFrame:
        """Return what a picture shows: periods with at least this share of the largest time at risk."""
        enough = self.table["exposure"] >= least * self.table["exposure"].max()
        drawn: pd.DataFrame = self.table[enough].reset_index(drop=True)
        return drawn
