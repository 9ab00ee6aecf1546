"""Frozen results of what goes with staying: covariates known at joining, and what is known only later."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval

#: A picture shows at most so many levels.
_MOST_DRAWN = 24
#: ... and curves at about so many durations.
_MOST_PLACES = 60


@dataclass(frozen=True, slots=True)
class ProportionalHazards:
    """Whether the hazard ratios of each column stay the same over the time with us.

    Attributes
    ----------
    unit, leaving : str
        As in the curve.
    mass : float
        Mass of the pointwise bands and of the intervals by period.
    level : float
        A column is said to change when both its p-values are below this.
    transform : str
        Function of time against which effects were tested.
    table : DataFrame, one row per column, the clearest change first
        ``column``, ``statistic`` (chi-squared), ``df``, ``p_value`` (Holm), ``given_others_p_value`` (if the
        effects of all other columns may change too), ``changes``.
    periods : DataFrame, one row per level and period of columns that change
        ``column``, ``level``, ``against``, ``duration_from`` (exclusive), ``duration`` (inclusive),
        ``churned``, ``hazard_ratio`` with ``_low`` and ``_high``.
    smooth : DataFrame, levels of the first column of `table` over time, those with most leavers
        ``level``, ``duration``, ``hazard_ratio`` with ``_low`` and ``_high`` (pointwise).
    smooth_against : str
        The level to which the ratios in `smooth` are.
    why_empty : str
        Why nothing can be tested; empty when something can.
    """

    unit: str
    mass: float
    level: float
    transform: str
    table: pd.DataFrame
    periods: pd.DataFrame
    smooth: pd.DataFrame
    smooth_against: str = ""
    leaving: str = "cancellation"
    why_empty: str = ""

    @property
    def changing(self) -> tuple[str, ...]:
        """Columns whose hazard ratios change with time."""
        return tuple(self.table.loc[self.table["changes"], "column"]) if len(self.table) else ()

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the effects of the clearest column, by time."""
        return self.smooth

    def __repr__(self) -> str:
        changing = ", ".join(self.changing) or "none"
        return f"ProportionalHazards of {len(self.table)} columns (changing: {changing})"


@dataclass(frozen=True, slots=True)
class Drivers:
    """How many more members in 100 are still there at a horizon, level by level, all else alike.

    Attributes
    ----------
    case, unit, leaving : str
        As in the curve.
    horizon : int
        Duration at which shares are compared.
    mass : float
        Mass of all intervals of differences together (Bonferroni).
    members, churned : int
        Members counted, and how many of them left, over all time followed.
    table : DataFrame, one row per level that is set against the largest one of its column
        ``column``, ``level``, ``against``, ``members``, ``retained`` (its own share at the horizon, as the
        curve has it), ``difference_points`` (standardised: level less `against` if all members had the one or
        the other, other columns as they are) with ``_low`` and ``_high``, ``crude_points`` (own shares),
        ``ratio_to_crude`` (standardised by crude; missing where the crude one is under half a point),
        ``hazard_ratio`` with ``_low`` and ``_high`` (each alone; missing where it changes with time),
        ``p_value`` (Holm, for no difference) and, where a simulated world has the same estimand,
        ``true_points``.
    proportional : ProportionalHazards
        Whether hazard ratios are constant; columns where they are not have an effect per period in the model
        behind ``difference_points``.
    merged : dict of str to tuple of str
        Levels counted as one, by column.
    left_out : tuple of str
        Columns, and ``column: level``, without an effect of their own.
    why_empty : str
        Why there is no result; empty when there is.
    """

    case: str
    unit: str
    horizon: int
    mass: float
    members: int
    churned: int
    table: pd.DataFrame
    proportional: ProportionalHazards
    merged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    leaving: str = "cancellation"
    why_empty: str = ""

    def clear(self) -> pd.DataFrame:
        """Return the levels whose interval lies on one side of 0, the largest difference first."""
        sure = self.table[self.table["difference_points_low"] * self.table["difference_points_high"] > 0]
        size = sure["difference_points"].abs()
        return sure.assign(size=size).sort_values(["size", "column", "level"], ascending=[False, True, True])

    def difference(self, column: str, level: str) -> Interval:
        """Return one standardised difference, in shares.

        Raises
        ------
        UndefinedError
            When there is no such level.
        """
        rows = self.table[(self.table["column"] == column) & (self.table["level"] == level)]
        if rows.empty:
            raise UndefinedError(f"There is no difference for {column} {level}.")
        return Interval.of(rows.iloc[0], "difference_points", self.mass, "wald")

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: all levels, or those with the largest differences."""
        largest = self.table["difference_points"].abs().rank(method="first", ascending=False) <= _MOST_DRAWN
        return self.table[largest].reset_index(drop=True)

    def __repr__(self) -> str:
        what = f"{len(self.table)} levels at {self.horizon} {self.unit}s" if not self.why_empty else "empty"
        return f"Drivers of {self.case} ({what}; {self.mass * 100:g} % together)"


@dataclass(frozen=True, slots=True)
class LandmarkCurves:
    """Share still there from a landmark day on, by what was known on that day.

    Attributes
    ----------
    case, by, unit, leaving : str
        As in the curve; `by` is what was known then.
    landmark : int
        Day since joining on which members are grouped and from which they are followed.
    horizon : int
        Time since the landmark at which groups are compared.
    mass : float
        Mass of the pointwise log-log intervals, and of all differences together (Bonferroni).
    table : DataFrame, one row per group and whole duration since the landmark
        ``group``, ``duration``, ``at_risk``, ``churned``, ``retained`` with ``_low`` and ``_high``.
    differences : DataFrame, one row per group other than `against`
        ``group``, ``members``, ``retained`` at the horizon, ``difference_points`` to `against` with ``_low``
        and ``_high``, ``p_value`` (Holm); bounds are missing where too few left.
    against : str
        The largest group.
    too_small : int
        Groups left out: too few members, or not followed to the horizon.
    why_empty : str
        Why there are no curves; empty when there are.
    """

    case: str
    by: str
    unit: str
    landmark: int
    horizon: int
    mass: float
    table: pd.DataFrame
    differences: pd.DataFrame
    against: str = ""
    too_small: int = 0
    leaving: str = "cancellation"
    why_empty: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups, in the order in which they are shown."""
        return tuple(self.table["group"].unique())

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: curves up to the horizon, at about `_MOST_PLACES` durations."""
        every = -(-self.horizon // _MOST_PLACES)
        at = self.table["duration"]
        shown = (at <= self.horizon) & ((at % every == 0) | (at == self.horizon))
        return self.table[shown].reset_index(drop=True)

    def __repr__(self) -> str:
        what = ", ".join(self.groups) if not self.why_empty else "empty"
        return f"LandmarkCurves of {self.case} by {self.by} from {self.unit} {self.landmark} ({what})"
