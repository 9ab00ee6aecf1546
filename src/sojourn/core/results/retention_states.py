"""Frozen results about leaving, coming back and why: shares in states, time to return, reasons."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.interval import Interval

#: How layers that stand for several reasons are called.
UNKNOWN, OTHER = "unknown", "other reasons"
OTHER_OR_UNKNOWN = "other or unknown"
#: Layers whose members may have left for any of the known reasons.
MAY_BE_ANY = (UNKNOWN, OTHER_OR_UNKNOWN)
_POINTS = 90


@dataclass(frozen=True, slots=True)
class WithUs:
    """Two curves of the same members, never one number: who has never left, and who is with us.

    Attributes
    ----------
    unit : str
        Unit of durations since joining.
    mass : float
        Mass of the pointwise log-log intervals.
    leaving : str
        ``cancellation`` or ``silence``.
    lapse : int or None
        Length of a silence that counts, in days.
    min_group : int
        Both curves end where fewer members are observed.
    horizon : int
        Duration at which sentences read the curves: that asked for, or the longest followed.
    table : DataFrame, one row per whole duration from 0
        ``duration``, ``at_risk`` (observed just before), ``left`` and ``back`` (moves of that day),
        ``never_left_share`` (Kaplan-Meier) and ``with_us_share`` (Aalen-Johansen, returns counted), each with
        ``_low`` and ``_high`` and ``_se``; ``back_share``, of those who had left by then, who are with us
        again, with bounds where 10 are back; ``claimed``: at least 20 are observed and 10 have left, so that
        the intervals are claimed to hold their mass.
    members : int
        Members seen from joining on.
    truth : DataFrame or None
        ``duration``, ``with_us_share``, ``never_left_share`` as they are in a simulated world.
    why_empty : str
        Why there are no two curves; empty when there are.
    """

    unit: str
    mass: float
    leaving: str
    lapse: int | None
    min_group: int
    horizon: int
    table: pd.DataFrame
    members: int = 0
    truth: pd.DataFrame | None = None
    why_empty: str = ""

    @property
    def followed_to(self) -> int:
        """Longest duration of both curves."""
        return int(self.table["duration"].max()) if len(self.table) else 0

    def never_left(self, duration: int) -> Interval:
        """Return the share who have not left even once by a duration.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up.
        """
        return self._read("never_left_share", duration)

    def with_us(self, duration: int) -> Interval:
        """Return the share who are with us at a duration, whether they had left before or not.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up.
        """
        return self._read("with_us_share", duration)

    def back(self, duration: int) -> Interval:
        """Return, of those who had left by a duration, the share who are with us again.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up.
        """
        return self._read("back_share", duration)

    def at(self, duration: int) -> pd.Series:
        """Return the row of one duration.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up, or when there is no curve.
        """
        return _row(self, duration)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: both curves at evenly spaced durations and their last."""
        columns = ["never_left_share", "with_us_share"]
        shown = [f"{name}{end}" for name in columns for end in ("", "_low", "_high")]
        return _thinned(self.table)[["duration", "at_risk", *shown, "back_share", "claimed"]]

    def _read(self, column: str, duration: int) -> Interval:
        return Interval.of(_row(self, duration), column, self.mass, "log-log")

    def __repr__(self) -> str:
        return self.why_empty or f"WithUs ({self.members:,} members to {self.followed_to} {self.unit}s)"


@dataclass(frozen=True, slots=True)
class TimeToReturn:
    """How soon those who left for the first time came back.

    Attributes
    ----------
    unit, mass, leaving, lapse, min_group
        As in `WithUs`; durations are since the first leaving.
    horizon : int
        Duration at which sentences read the curve.
    days : tuple of int
        Durations at which tables read it.
    table : DataFrame, one row per whole duration
        ``duration``, ``at_risk`` (away and observed just before), ``returned`` (on that day),
        ``back_share`` (one less Kaplan-Meier) with ``_low`` and ``_high``, ``claimed`` (at least 20 at risk
        and 10 returned). Where leaving is silence it begins with the first day after the lapse.
    left : int
        Members who left.
    truth : DataFrame or None
        ``duration``, ``back_share`` as they are in a simulated world.
    why_empty : str
        Why there is no curve; empty when there is.
    """

    unit: str
    mass: float
    leaving: str
    lapse: int | None
    min_group: int
    horizon: int
    days: tuple[int, ...]
    table: pd.DataFrame
    left: int = 0
    truth: pd.DataFrame | None = None
    why_empty: str = ""

    def back(self, duration: int) -> Interval:
        """Return the share of those who left who had come back within a duration.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up, or where silence makes coming back impossible.
        """
        return Interval.of(_row(self, duration), "back_share", self.mass, "log-log")

    def readings(self) -> pd.DataFrame:
        """Return the rows at the durations of `days` that are reached."""
        return self.table[self.table["duration"].isin(self.days)].reset_index(drop=True)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the curve at evenly spaced durations and its last."""
        return _thinned(self.table).drop(columns="returned")

    def __repr__(self) -> str:
        last = int(self.table["duration"].max()) if len(self.table) else 0
        return self.why_empty or f"TimeToReturn ({self.left:,} who left, to {last} {self.unit}s)"


@dataclass(frozen=True, slots=True)
class Reasons:
    """Share who have left for each reason: cumulative incidences, which sum to one less the curve.

    Attributes
    ----------
    unit, mass, leaving, min_group
        As in `WithUs`.
    horizon : int
        Duration at which sentences read the shares: that asked for, or the longest followed.
    table : DataFrame, one row per reason and whole duration from 0
        ``reason`` (in order of size, those unknown last), ``duration``, ``at_risk``, ``churned`` (for the
        reason, up to then), ``left_share`` with ``_low`` and ``_high`` (Aalen-Johansen, log-log), and what it
        would be if all who left for a reason unknown had left for this one: ``most_left_share`` with bounds
        (missing for the unknown themselves); ``lost_days``, mean time lost to the reason up to then, with
        bounds; ``claimed`` as in the curve.
    gone : DataFrame, one row per whole duration
        ``duration``, ``left_share``: who left for any reason, one less Kaplan-Meier.
    lead : Interval or None
        By how much, at the horizon, the main reason leads the next if all unknown had left for that one;
        None where fewer than two reasons are known.
    merged : int
        How many reasons are counted together because each was given by few; their names would tell of them.
    truth : DataFrame or None
        ``reason``, ``duration``, ``left_share`` as they are in a simulated world.
    why_empty : str
        Why there are no reasons; empty when there are.
    """

    unit: str
    mass: float
    leaving: str
    min_group: int
    horizon: int
    table: pd.DataFrame
    gone: pd.DataFrame
    lead: Interval | None = None
    merged: int = 0
    truth: pd.DataFrame | None = None
    why_empty: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Reasons as they are stacked: largest first, the unknown last."""
        return tuple(self.table["reason"].unique()) if len(self.table) else ()

    @property
    def known(self) -> tuple[str, ...]:
        """Reasons that say something."""
        return tuple(name for name in self.names if name not in MAY_BE_ANY)

    @property
    def open(self) -> str:
        """Name of the layer that may be any reason; empty where every reason is known."""
        return next((name for name in self.names if name in MAY_BE_ANY), "")

    def at(self, duration: int) -> pd.DataFrame:
        """Return the rows of one duration, a reason each.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up, or when there are no reasons.
        """
        _row(self, duration)
        return self.table[self.table["duration"] == duration].reset_index(drop=True)

    def left_for(self, reason: str, duration: int) -> Interval:
        """Return the share who have left for a reason by a duration.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up.
        ParameterError
            When nobody gave that reason.
        """
        return Interval.of(self._row_of(reason, duration), "left_share", self.mass, "log-log")

    def lost(self, reason: str, duration: int) -> Interval:
        """Return the mean time lost to a reason up to a duration, in `unit`.

        Raises
        ------
        UndefinedError
            Beyond the longest follow-up.
        ParameterError
            When nobody gave that reason.
        """
        return Interval.of(self._row_of(reason, duration), "lost_days", self.mass, "wald")

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: every reason at evenly spaced durations and the last."""
        shown = ["reason", "duration", "at_risk", "left_share", "left_share_low", "left_share_high"]
        return _thinned(self.table, 45)[[*shown, "most_left_share", "lost_days", "claimed"]]

    def _row_of(self, reason: str, duration: int) -> pd.Series:
        rows = self.at(duration)
        if reason not in self.names:
            raise ParameterError.unknown(reason, "the reasons", self.names)
        return rows[rows["reason"] == reason].iloc[0]

    def __repr__(self) -> str:
        return self.why_empty or f"Reasons ({', '.join(self.names)}; at {self.horizon} {self.unit}s)"


def _row(result: WithUs | TimeToReturn | Reasons, duration: int) -> pd.Series:
    if result.why_empty:
        raise UndefinedError(result.why_empty)
    rows = result.table[result.table["duration"] == duration]
    if rows.empty:
        first, last = (
            int(found) for found in (result.table["duration"].min(), result.table["duration"].max())
        )
        raise UndefinedError(
            f"Known from {first} to {last} {result.unit}s, asked for {duration}: beyond it fewer than "
            f"{result.min_group} members are observed, or nothing can have happened."
        )
    return rows.iloc[0]


def _thinned(table: pd.DataFrame, points: int = _POINTS) -> pd.DataFrame:
    """Return rows at about so many evenly spaced durations, the first and the last among them."""
    first, last = table["duration"].min(), table["duration"].max()
    step = max(1, -(-int(last - first) // points))
    kept = ((table["duration"] - first) % step == 0) | (table["duration"] == last)
    thinned: pd.DataFrame = table[kept].reset_index(drop=True)
    return thinned
