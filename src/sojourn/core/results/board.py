"""Frozen results of the study `board`: how segments move, what works on whom, and what to do with whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.interval import Interval

Floats = NDArray[np.float64]

#: Stages of the board, in the order of a membership; all but `CHURNED` are with us.
STAGES = ("new", "growing", "active", "silent", "returned", "churned")
CHURNED = "churned"
#: The row of members who are known for too short a time to be in a segment, and those who are gone.
TOO_NEW, GONE = "too new for a segment", "gone"

#: The control of a trial in which some went without what all others get anyway.
HELD_OUT = "held_out"

#: Nothing is done only where the chance of some scheme being worth it is below this.
IMPROBABLE = 0.2
#: A scheme belongs to one time after joining where ages of nine in ten who were given it differ by no more.
ONE_TIME = 90

Evidence = Literal["trial", "observational", "none"]
Act = Literal["give", "do nothing", "try one"]
Moved = Literal["moved", "steady", "not sure"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How members move between segments from month to month, and whether the shares have moved.

    Attributes
    ----------
    case : str
        Name of the case.
    mass : float
        Mass of all intervals.
    margin : float
        A share that moved by no more (0-1) has not moved for any practical purpose.
    segments : tuple of str
        Names, in order.
    shares : DataFrame, one row per month end and segment
        ``month`` (its last day), ``segment``, ``n``, ``share`` (0-1) of all who are in a segment.
    migration : DataFrame, one row per pair
        ``from_segment``, ``to_segment`` (also `TOO_NEW` as from and, where it is known who left, `GONE` as
        to), ``n`` (moves, months together), ``share`` with ``_low``, ``_high``: of those who were in one, who
        is in the other a month later.
    monthly : DataFrame, one row per month and segment
        ``month`` (its earlier end), ``segment``, ``n``, and of these ``stayed_share``, ``went_on_share`` (to
        another segment), ``left_share`` a month later (missing where it is not known who left).
    changes : DataFrame, one row per segment
        ``segment``, ``share_now``, ``share_before`` (mean of the months before), ``change_points`` (0-1) with
        ``_low``, ``_high``, ``verdict``.
    months_before : int
        Month ends that the last one is compared with.
    by_member : bool
        Whether intervals of `migration` know which moves were the same member's; else all are taken to be
        alike.
    joined : int
        Members who joined between two month ends; they are in no row of `migration`.
    rounded : bool
        Whether numbers are rounded, as of private cases: a few who joined are told as nobody.
    verdict : str
        ``moved``: a share surely moved by more than `margin` (all segments together at `mass`); ``steady``:
        none surely did and none can have; else ``not sure``.
    why_empty : str
        Why there is nothing to show; empty when there is.
    """

    case: str
    mass: float
    margin: float
    segments: tuple[str, ...] = ()
    shares: pd.DataFrame = field(default_factory=pd.DataFrame)
    migration: pd.DataFrame = field(default_factory=pd.DataFrame)
    monthly: pd.DataFrame = field(default_factory=pd.DataFrame)
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    months_before: int = 0
    by_member: bool = False
    joined: int = 0
    rounded: bool = False
    verdict: Moved = "not sure"
    why_empty: str = ""

    @property
    def furthest(self) -> pd.Series:
        """The row of `changes` whose share moved furthest."""
        return self.changes.iloc[int(self.changes["change_points"].abs().argmax())]

    def drawn(self) -> pd.DataFrame:
        """Return what the picture of shares shows."""
        return self.shares

    def matrix(self) -> pd.DataFrame:
        """Return what the picture of the migration matrix shows."""
        return self.migration

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Drift of {self.case}: {self.why_empty}"
        return f"Drift of {self.case}: {self.verdict}, {self.shares['month'].nunique()} month ends"


@dataclass(frozen=True, slots=True, eq=False)
class WorksOn:
    """Effects of every scheme that was tried, per segment and stage, partially pooled.

    Attributes
    ----------
    case, currency : str
        Of the case.
    mass : float
        Mass of every interval (equal-tailed, credible).
    table : DataFrame, one row per trial, scheme, segment and stage that the trial tells something of
        ``trial``, ``scheme``, ``called`` (for reading), ``control``, ``aim`` (``kept``, ``back``),
        ``segment``, ``stage``, ``n`` (members of both arms in that cell; 0 where the effect is borrowed),
        ``evidence``, ``raw_lift`` and ``lift`` (share of members more who are kept, or back; the latter with
        ``_low``, ``_high``), ``raw_net_value`` and ``net_value`` (currency per member, with ``_low``,
        ``_high``), ``p_loss`` (chance that the net value is 0 or less), ``p_worth`` (that it is above
        `rope`), ``p_odd`` (chance of an estimate as far from what all other cells lead to expect, corrected
        for all cells and schemes; missing where the effect is borrowed), ``odd`` (whether that is small).
    segments : DataFrame, one row per trial, scheme and segment
        The same over the stages of the trial's own members in it.
    overall : DataFrame, one row per trial and scheme
        ``trial``, ``scheme``, ``n``, ``net_value`` and ``lift`` with bounds over all members of the trial;
        ``pulled`` (0-1): how far differences between its groups were drawn in.
    beliefs : DataFrame, one row per trial, scheme and outcome (``lift``, ``net_value``), furthest out first
        ``trial``, ``scheme``, ``called``, ``control``, ``aim``, ``outcome``; over all members of the trial
        ``counted`` and ``effect`` (as `overall`: drawn to the belief); ``p_belief`` (chance, by the belief
        alone, of an effect counted as far from it; corrected for all rows), ``conflict`` (whether that is
        small).
    covariances : mapping of (trial, scheme, ``lift`` or ``net_value``) to array
        Posterior covariance of the effects on the rows of `table` of that trial and scheme, in their order.
    rope : float
        A net value up to this is not worth having (currency per member).
    horizon_days, value_days : int
        Days after assignment at which members are kept or back, and within which money counts.
    left_out : DataFrame
        ``trial``, ``why``, ``by_lot``.
    knows_before : bool
        Whether it was examined that members of the schemes were alike before.
    ages : mapping of str to (int, int)
        By trial, days after joining between which its members were assigned, nine in ten of them.
    why_empty : str
        Why there is nothing to show; empty when there is.
    """

    case: str
    currency: str
    mass: float
    rope: float
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    overall: pd.DataFrame = field(default_factory=pd.DataFrame)
    beliefs: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariances: Mapping[tuple[str, str, str], Floats] = field(default_factory=dict)
    horizon_days: int = 0
    value_days: int = 0
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    knows_before: bool = False
    ages: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    why_empty: str = ""

    @property
    def trials(self) -> int:
        """Number of trials that are told of."""
        return int(self.table["trial"].nunique()) if len(self.table) else 0

    @property
    def schemes(self) -> int:
        """Number of schemes that are told of."""
        return len(self.table[["trial", "scheme"]].drop_duplicates()) if len(self.table) else 0

    @property
    def odd(self) -> pd.DataFrame:
        """Rows of `table` whose members did not do as all others of the trial lead to expect."""
        return self.table[self.table["odd"]] if len(self.table) else self.table

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows: effects of cells whose members were in the trial."""
        return self.segments

    def __repr__(self) -> str:
        return f"WorksOn of {self.case}: {self.why_empty or f'{self.trials} trials'}"


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """What to do with whom: one row per segment and stage.

    Attributes
    ----------
    case, currency : str
        Of the case.
    mass : float
        Mass of every interval.
    rope, threshold : float
        A scheme is given where the chance of a net value above `rope` (per member) exceeds `threshold`.
    table : DataFrame, one row per segment and stage of at least `min_group` members
        ``segment``, ``stage``, ``members``; for each of `leave_days` ``leave_D_share`` (with ``_low``,
        ``_high``): who will leave within D days, of churned members come back; ``n_followed`` (members behind
        it); ``act`` (``give``, ``do nothing``, ``try one``), ``trial``, ``scheme`` (to give; else one that
        is odd, else of those that any trial tells something of the one most likely to be worth it),
        ``called`` (for reading), ``aim``, ``evidence``, ``lift`` and ``net_value`` (of that scheme, with
        bounds), ``raw_net_value`` (as counted), ``due`` (members of the cell who can still be given it as
        members of its trial were), ``total_net_value`` (with bounds, over all members of the cell; of a
        scheme that is given over those who are due), ``p_worth`` (of that scheme), ``p_wrong`` (that the
        scheme that is given loses money, or that some scheme would be worth it where nothing is done; missing
        where one should be tried), ``n_tried`` (members of the cell in that trial), ``n_schemes``
        (schemes that any trial tells something of),
        ``odd`` (of which scheme what was counted in this cell does not fit all other cells; empty where that
        of every one does), ``age_low``, ``age_high`` (days after joining between which members of that trial
        were assigned, nine in ten of them; missing where it is not known).
    sums : mapping of str to Interval
        Over members who are due in cells in which a scheme is given ``net_value`` (currency) and ``lift``
        (members more who are kept or back), where that is known of all these schemes; over the members with
        us of `foretold` ``leave_D`` or ``come_D`` (members).
    segments, stages : tuple of str
        Rows and columns, in order.
    stage_rules : mapping of str to str
        Who is at each of `stages`, in words; empty where the cells do not tell their days.
    forward : DataFrame
        What the same rule would have said at earlier landmarks of who will leave (or come), and what came:
        ``days``, ``days_ago``, ``members``, ``predicted`` (with ``_low``, ``_high``), ``came``, ``p_came``;
        see `sojourn.studies.board.leaving`.
    told : str
        ``leave``, or ``come`` where nobody's leaving is recorded: ``come_D_share`` then tells who will come
        within D days.
    leave_days : tuple of int
        Horizons D.
    left_out : int
        Members in cells that are too small to be shown.
    horizon_days, value_days : int
        As in `WorksOn`.
    why_empty : str
        Why there is no board; empty when there is one.
    """

    case: str
    currency: str
    mass: float
    rope: float
    threshold: float
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    sums: Mapping[str, Interval] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    stage_rules: Mapping[str, str] = field(default_factory=dict)
    forward: pd.DataFrame = field(default_factory=pd.DataFrame)
    told: str = "leave"
    leave_days: tuple[int, ...] = ()
    left_out: int = 0
    horizon_days: int = 0
    value_days: int = 0
    why_empty: str = ""

    @property
    def members(self) -> int:
        """Members on the board."""
        return int(self.table["members"].sum()) if len(self.table) else 0

    @property
    def sum_of_schemes(self) -> Interval | None:
        """What all recommended schemes bring together (currency); None where there is none."""
        return self.sums.get("net_value")

    @property
    def foretold(self) -> tuple[int, int]:
        """Members with us of whom `sums` tells who will leave or come, and all with us on the board."""
        with_us = self.table[self.table["stage"] != CHURNED]
        share = f"{self.told}_{max(self.leave_days, default=0)}_share"
        told = with_us[with_us[share].notna()] if share in with_us else with_us.head(0)
        return int(told["members"].sum()), int(with_us["members"].sum())

    def acting(self, act: Act) -> pd.DataFrame:
        """Return the rows of one action."""
        return self.table[self.table["act"] == act]

    def cell(self, segment: str, stage: str) -> pd.Series:
        """Return one row.

        Raises
        ------
        KeyError
            When there is no such cell, or it is too small to be shown.
        """
        found = self.table[(self.table["segment"] == segment) & (self.table["stage"] == stage)]
        if found.empty:
            raise KeyError(f"There is no cell {segment!r}, {stage!r} on the board.")
        return found.iloc[0]

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows; where nothing is done no number of a scheme, as none is given."""
        names = ["segment", "stage", "members", "act", "called", "evidence", "net_value", "total_net_value"]
        rows, still = self.table[names].copy(), self.table["act"] == "do nothing"
        rows.loc[still, "called"], rows.loc[still, names[-2:]] = "", float("nan")
        return rows

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Board of {self.case}: {self.why_empty}"
        return f"Board of {self.case}: {len(self.table)} cells, {len(self.acting('give'))} with a scheme"
