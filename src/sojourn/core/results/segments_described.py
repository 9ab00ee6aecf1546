"""Frozen results that describe segments: who they are up to the cut, and what they did after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.interval import Interval, Kind

#: The last row of every table: all members who formed no segment.
EVERYONE = "everyone"

#: The two shares of `WhatNext`, each present only where members differ in it.
SHARES: tuple[str, ...] = ("active_share", "stayed_share")

#: What the traits of portraits are called.
TRAIT_WORDS: Mapping[str, str] = {
    "channel": "channel",
    "plan": "plan at joining",
    "age_band": "age",
    "region": "region",
}

#: A picture shows curves at about so many durations.
_MOST_PLACES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Who the segments are, up to the cut, from members that were not used to form them.

    Attributes
    ----------
    table : DataFrame, one row per segment and feature
        ``segment``, ``family`` (what the feature tells of), ``feature`` (in words, with its unit), ``n``,
        ``value`` (mean, natural unit) with ``_low``, ``_high``, ``everyone`` (mean of all members judged),
        ``difference`` (standard deviations from everyone) with ``_low``, ``_high``, and ``telling``: whether
        some segment is far from everyone in the feature.
    mass : float
        Mass of the intervals, each by itself.
    kind : str
        ``wald``: normal approximation of a mean, and of a difference with its standard deviation.
    """

    table: pd.DataFrame
    mass: float
    kind: Kind = "wald"

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments, in their order."""
        return tuple(self.table["segment"].unique())

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the features in which some segment is far from everyone."""
        shown = self.table[self.table["telling"]]
        return (shown if len(shown) else self.table).reset_index(drop=True)

    def __repr__(self) -> str:
        segments, features = (self.table[name].nunique() for name in ("segment", "feature"))
        return f"Profile of {segments} segments, {features} features"


@dataclass(frozen=True, slots=True, eq=False)
class TypicalMembers:
    """Made-up members who show the middle of each segment and how far it spreads; none of them is real.

    Attributes
    ----------
    table : DataFrame, one row per made-up member
        ``segment``, ``typical`` (``a typical member``, ``a quieter one``, ``a busier one``), ``n`` (members
        behind every number of it), ``words``; then one column per measure, in natural units.
    min_group : int
        No made-up member stands for fewer.
    why_empty : str
        Why there are none; empty when there are.
    """

    table: pd.DataFrame
    min_group: int
    why_empty: str = ""

    def __repr__(self) -> str:
        return f"TypicalMembers: {len(self.table)} made-up members"


@dataclass(frozen=True, slots=True, eq=False)
class Portraits:
    """Which channels, plans, ages and regions the members of each segment have, beside everyone.

    Attributes
    ----------
    table : DataFrame, one row per trait, level and segment; everyone last
        ``trait``, ``level``, ``segment``, ``n`` (members whose trait is known), ``share`` with ``_low`` and
        ``_high`` (Jeffreys; all shares of one trait together, by Bonferroni), ``apart`` (1 or -1 where the
        segment has clearly more, or fewer, of the level than all others together; 0 elsewhere).
    traits : DataFrame, one row per trait
        ``trait``, ``n``, ``cramers_v`` (0: trait and segment know nothing of each other, 1: all; without the
        part that chance adds), ``p_value`` (Holm, chi-squared test of independence) and ``tells``.
    mass : float
        Mass of all intervals of a trait together; a trait tells if its p-value is below 1 - `mass`.
    kind : str
        ``eti``.
    why_empty : str
        Why there is nothing to show; empty when there is.
    """

    table: pd.DataFrame
    traits: pd.DataFrame
    mass: float
    kind: Kind = "eti"
    why_empty: str = ""

    @property
    def telling(self) -> tuple[str, ...]:
        """Traits that know something of the segments, the one that knows most first."""
        rows = self.traits[self.traits["tells"]].sort_values(["cramers_v", "trait"], ascending=[False, True])
        return tuple(rows["trait"])

    @property
    def silent(self) -> tuple[str, ...]:
        """Traits that know nothing of the segments, as far as these members show."""
        return tuple(self.traits.loc[~self.traits["tells"], "trait"])

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the traits that tell, or all of them where none does."""
        shown = self.table[self.table["trait"].isin(self.telling or self.silent)]
        return shown.reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Portraits by {', '.join(self.traits['trait'])}" if len(self.traits) else "Portraits (empty)"


@dataclass(frozen=True, slots=True, eq=False)
class WhatNext:
    """What each segment did between the cut and ``as_of``.

    Attributes
    ----------
    table : DataFrame, one row per segment
        ``segment``, ``n``, ``active_share`` (any activity) and, where some left, ``stayed_share``, both
        with Jeffreys bounds ``_low``, ``_high``; ``active_days`` and ``spend``, means per member with normal
        bounds. Only members that were not used to fit.
    everyone : DataFrame, one row
        The same over all members judged.
    ordered : bool
        Whether the segments are bands of a gradient, least active first.
    days : int
        Length of the period.
    currency : str
        Currency of ``spend``.
    mass : float
        Mass of all intervals.
    """

    table: pd.DataFrame
    everyone: pd.DataFrame
    ordered: bool
    days: int
    currency: str
    mass: float

    @property
    def told(self) -> str:
        """The share that tells segments apart best, by its widest gap; empty if there is none."""
        there = [what for what in SHARES if what in self.table]
        gaps = {what: float(self.table[what].max() - self.table[what].min()) for what in there}
        return max(gaps, key=lambda what: gaps[what]) if gaps else ""

    @property
    def why_empty(self) -> str:
        """Why no share can be drawn; empty when one can."""
        return "" if self.told else f"In the next {self.days} days all members did the same."

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: one row per segment."""
        return self.table

    def share(self, segment: str, what: str = "active_share") -> Interval:
        """Return one share (0-1) with its interval.

        Raises
        ------
        ParameterError
            When there is no such segment or share.
        """
        row = self.table[self.table["segment"] == segment]
        if row.empty or what not in row:
            known = ", ".join(repr(name) for name in self.table["segment"])
            raise ParameterError(f"No '{what}' of segment {segment!r}; the segments are {known}.")
        return Interval.of(row.iloc[0], what, self.mass, "eti")

    def __repr__(self) -> str:
        return f"What {len(self.table)} segments did in the next {self.days} days"


@dataclass(frozen=True, slots=True, eq=False)
class NextCurves:
    """Share of each segment's members still with us on every day after the cut.

    Attributes
    ----------
    table : DataFrame, one row per segment and day after the cut; everyone last
        ``group``, ``duration`` (days since the cut), ``at_risk``, ``churned``, ``retained`` with ``_low`` and
        ``_high`` (log-log, each day by itself; missing where not ``claimed``), ``claimed``. A curve ends
        where fewer than `min_group` are left.
    days : int
        Days followed.
    mass : float
        Mass of the pointwise intervals.
    kind : str
        ``log-log``.
    why_empty : str
        Why there are no curves; empty when there are.
    """

    table: pd.DataFrame
    days: int
    mass: float
    kind: Kind = "log-log"
    why_empty: str = ""

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments with a curve, everyone last."""
        return tuple(self.table["group"].unique())

    def at(self, segment: str, day: int) -> Interval:
        """Return the share of a segment still with us so many days after the cut.

        Raises
        ------
        ParameterError
            When the segment has no curve, or it ends before.
        """
        rows = self.table[(self.table["group"] == segment) & (self.table["duration"] == day)]
        if rows.empty:
            known = ", ".join(repr(name) for name in self.segments)
            raise ParameterError(f"No curve of {segment!r} at day {day}; there are curves of {known}.")
        return Interval.of(rows.iloc[0], "retained", self.mass, self.kind)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: curves at about `_MOST_PLACES` durations, always the last."""
        every = -(-self.days // _MOST_PLACES)
        last = self.table.groupby("group")["duration"].transform("max")
        at = self.table["duration"]
        return self.table[(at % every == 0) | (at == last)].reset_index(drop=True)

    def __repr__(self) -> str:
        return f"NextCurves of {len(self.segments)} groups over {self.days} days"


@dataclass(frozen=True, slots=True, eq=False)
class MessageResponse:
    """How many of the messages sent to each segment after the cut were opened.

    Attributes
    ----------
    table : DataFrame, one row per segment; everyone last
        ``segment``, ``n`` (members who were sent any), ``sent_each`` (messages a member of these),
        ``opened_share`` (messages opened of messages sent) with ``_low`` and ``_high``, which allow for
        members who were sent several; missing where too few were opened, or not opened.
    days : int
        Length of the period.
    mass : float
        Mass of the intervals, each by itself.
    p_alike : float
        Probability of shares at least so far apart, if all segments opened alike; not a number where fewer
        than two have an interval.
    kind : str
        ``logit``.
    why_empty : str
        Why there is nothing to show; empty when there is.
    """

    table: pd.DataFrame
    days: int
    mass: float
    p_alike: float = float("nan")
    kind: Kind = "logit"
    why_empty: str = ""

    @property
    def differs(self) -> bool:
        """Whether segments open differently, by more than chance brings."""
        return self.p_alike < 1 - self.mass

    def share(self, segment: str) -> Interval:
        """Return the share of a segment's messages that were opened.

        Raises
        ------
        ParameterError
            When there is no such segment.
        """
        row = self.table[self.table["segment"] == segment]
        if row.empty:
            known = ", ".join(repr(name) for name in self.table["segment"])
            raise ParameterError(f"No messages of segment {segment!r}; the segments are {known}.")
        return Interval.of(row.iloc[0], "opened_share", self.mass, self.kind)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: one row per segment, everyone last."""
        return self.table

    def __repr__(self) -> str:
        return f"MessageResponse of {len(self.table)} groups in {self.days} days"
