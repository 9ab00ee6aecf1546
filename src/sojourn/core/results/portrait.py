"""Frozen results of the study `portrait`: who is here, when they come and what they do.

Every part has a ``table`` of whole counts and shares, and ``why_empty``: the one sentence that says why there
is nothing to show, empty where there is. Groups, hours and kinds of fewer than `min_group` members are left
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.portrait_doings import (
    Acquisition,
    Activity,
    Kinds,
    Messages,
    Planted,
    Purchases,
    StagesNow,
)

WEEKDAYS: tuple[str, ...] = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
#: Stages of members at `as_of`, in the order of a membership.
STAGES: tuple[str, ...] = ("new", "growing", "active", "silent", "returned", "left")
#: The two steps that are counted.
VALUE, PURCHASE = "first value moment", "first purchase"


@dataclass(frozen=True, slots=True)
class Burst:
    """A campaign of a simulated world: its first and last day, and its factor on the number of joiners."""

    first: str
    last: str
    factor: float


@dataclass(frozen=True, slots=True)
class Joiners:
    """How many joined in each whole week.

    Attributes
    ----------
    table : DataFrame, one row per week from Monday to Sunday
        ``week`` (its Monday), ``members``, and ``NAME_members`` for each channel.
    channels : tuple of str
        Channels of the table, the largest first.
    bursts : tuple of Burst
        Campaigns that are known to have run.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    channels: tuple[str, ...]
    bursts: tuple[Burst, ...]
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what the picture draws."""
        return self.table

    @property
    def usual(self) -> float:
        """Median of the weeks in which anybody joined."""
        members = self.table["members"]
        return float(members[members > 0].median())

    @property
    def most(self) -> tuple[str, int]:
        """The week in which most joined (the first of several), and how many."""
        row = self.table.loc[self.table["members"].idxmax()]
        return str(row["week"]), int(row["members"])


@dataclass(frozen=True, slots=True)
class Groups:
    """Of whom the membership consists, by what was known at joining.

    Attributes
    ----------
    table : DataFrame, one row per grouping and group
        ``by``, ``group``, ``members`` (joined since observation began), ``joined_share`` (of them) with
        ``_low`` and ``_high``, ``with_us_share`` (of those with us at `as_of`), and ``true_share`` of a
        simulated world.
    mass : float
        Mass of the exact intervals, each for its own share.
    too_small : int
        Groups with fewer than `min_group` joiners.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    mass: float
    too_small: int
    why_empty: str = ""

    @property
    def bys(self) -> tuple[str, ...]:
        """Groupings."""
        return tuple(self.table["by"].unique())

    def of(self, by: str) -> pd.DataFrame:
        """Return the rows of one grouping."""
        return self.table[self.table["by"] == by].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When visits begin, on the clock of the case.

    Attributes
    ----------
    table : DataFrame, one row per weekday and hour
        ``weekday``, ``hour`` (0-23), ``visits``, ``visits_share`` (of all); not a number for fewer than
        `min_group` members; ``true_share`` of a simulated world.
    time_zone : str
        Whose clock.
    true_hours, true_weekdays : tuple of float
        Shares of a simulated world; empty elsewhere.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    time_zone: str
    true_hours: tuple[float, ...] = ()
    true_weekdays: tuple[float, ...] = ()
    why_empty: str = ""

    @property
    def by_hour(self) -> pd.Series[float]:
        """Share of visits that begin in each hour."""
        by: pd.Series[float] = self.table.groupby("hour")["visits"].sum() / self.table["visits"].sum()
        return by

    @property
    def by_weekday(self) -> pd.Series[float]:
        """Share of visits on each weekday, from Monday."""
        by = self.table.groupby("weekday", sort=False)["visits"].sum() / self.table["visits"].sum()
        found: pd.Series[float] = by.reindex(list(WEEKDAYS)).fillna(0.0)
        return found

    @property
    def peaks(self) -> tuple[int, ...]:
        """Hours in which more visits begin than in the two on either side; the busiest two, busiest first."""
        shares = self.by_hour
        around = {h: [shares[(h + k) % 24] for k in (-2, -1, 1, 2)] for h in range(24)}
        peaks = [h for h in range(24) if shares[h] > max(around[h])]
        return tuple(sorted(peaks, key=lambda h: -shares[h])[:2])


@dataclass(frozen=True, slots=True)
class Steps:
    """How soon new members reach their first value moment and their first purchase.

    Attributes
    ----------
    table : DataFrame, one row per step and day since joining
        ``step``, ``day`` (from 1: within one day), ``members`` who had done it by then, ``reached_share`` (of
        those followed) with ``_low``, ``_high``; ``true_share`` for the first value moment of a simulated
        world, as if nobody left first.
    followed : int
        Members who joined since observation began and long enough ago to be followed for so many days.
    follow_days : int
        Days for which they are followed.
    first_value : str
        The kind of event that is the first value moment; empty for any other kind than a member's first.
    takes_off : float or None
        Share of joiners who reach it at all in a simulated world.
    mass : float
        Mass of the exact intervals.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    followed: int
    follow_days: int
    first_value: str
    takes_off: float | None
    mass: float
    why_empty: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        """Steps of the table."""
        return tuple(self.table["step"].unique())

    def reached(self, step: str, day: int | None = None) -> Interval:
        """Return the share that had reached a step by a day (the last when not stated)."""
        at = self.follow_days if day is None else day
        row = self.table[(self.table["step"] == step) & (self.table["day"] == at)].iloc[0]
        bounds = (float(row["reached_share_low"]), float(row["reached_share_high"]))
        return Interval(float(row["reached_share"]), *bounds, self.mass, "exact")


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything that is shown of the members of one case.

    Attributes
    ----------
    case : str
        Name of the case.
    members, joined, with_us : int
        Members in all; who joined since observation began; who is with us at `as_of`.
    recent : mapping
        ``days`` (no more than were observed), and how many ``joined``, ``left`` and ``returned`` in them.
    weekly : tuple of float
        Mean number of members a day who came, by week.
    leaving_known : bool
        Whether the case knows who left.
    joiners, groups, rhythm, steps, kinds, activity, stages, purchases, messages, acquisition, planted
        The parts.
    meta : mapping
        Of the cells.
    """

    case: str
    members: int
    joined: int
    with_us: int
    recent: Mapping[str, int]
    weekly: Sequence[float]
    leaving_known: bool
    joiners: Joiners
    groups: Groups
    rhythm: Rhythm
    steps: Steps
    kinds: Kinds
    activity: Activity
    stages: StagesNow
    purchases: Purchases
    messages: Messages
    acquisition: Acquisition
    planted: Planted
    meta: Mapping[str, Any]

    @property
    def growth(self) -> int:
        """By how many members the membership grew in the recent days."""
        return self.recent["joined"] + self.recent["returned"] - self.recent["left"]

    def __repr__(self) -> str:
        return f"Portrait of {self.case}: {self.members:,} members, {self.with_us:,} of them with us"


#: What `say` and `describe_portrait` know.
Part = (
    Joiners
    | Groups
    | Rhythm
    | Steps
    | Kinds
    | Activity
    | StagesNow
    | Purchases
    | Messages
    | Acquisition
    | Planted
)
