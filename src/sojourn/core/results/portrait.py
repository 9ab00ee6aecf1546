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
from sojourn.core.text import MINUS

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
class Kinds:
    """What members do.

    Attributes
    ----------
    table : DataFrame, one row per kind of event, the most common first
        ``event``, ``events``, ``members`` who ever did it, ``share_of_members`` (of all), ``times_each``
        (events per member who did it).
    too_small : int
        Kinds that fewer than `min_group` members did.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    too_small: int
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """On how many of the last days members came.

    Attributes
    ----------
    table : DataFrame, one row per number of days
        ``days`` (the last row holds it and more: see ``label``), ``label``, ``members``,
        ``share_of_members``.
    members : int
        Members with us at `as_of` who had joined before those days.
    last : int
        How many days are looked at.
    mean, median : float
        Days per member.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    members: int
    last: int
    mean: float
    median: float
    why_empty: str = ""

    @property
    def none(self) -> float:
        """Share that did not come at all."""
        return float(self.table.loc[self.table["days"] == 0, "share_of_members"].sum())


@dataclass(frozen=True, slots=True)
class StagesNow:
    """At which stage of a membership members are.

    Attributes
    ----------
    table : DataFrame, one row per stage
        ``stage``, ``members``, ``share_of_members``, ``rule``; a stage of fewer than `min_group` is left out.
    members : int
        All members.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    members: int
    why_empty: str = ""

    def share(self, stage: str) -> float:
        """Return the share of a stage; 0 where it has no row."""
        return float(self.table.loc[self.table["stage"] == stage, "share_of_members"].sum())


@dataclass(frozen=True, slots=True)
class Purchases:
    """How often members buy, and for how much.

    Attributes
    ----------
    table : DataFrame, one row per number of purchases
        ``purchases`` (a number or a range, as text), ``members``, ``share_of_members``.
    money : mapping
        ``purchases``, ``amount``, ``payers``, ``refunds``, ``refunded``, as the cells have them.
    members : int
        All members.
    currency : str
        Of amounts.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    money: Mapping[str, float]
    members: int
    currency: str
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Messages:
    """What members are sent, by channel.

    Attributes
    ----------
    table : DataFrame, one row per channel, the most used first
        ``channel``, ``sent``, ``members``, ``share_opened``, ``share_clicked``, ``share_opted_out`` (each of
        messages sent), ``cost``.
    currency : str
        Of costs.
    too_small : int
        Channels with fewer than `min_group` members.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    currency: str
    too_small: int
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What a new member costs, by channel.

    Attributes
    ----------
    table : DataFrame, one row per channel, the dearest first
        ``channel``, ``members`` who joined, ``cost`` in all, ``cost_each`` (per member who joined).
    currency : str
        Of costs.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    currency: str
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """What is so in a simulated world.

    Attributes
    ----------
    table : DataFrame, one row per planted effect
        ``effect``, ``size``, ``what_it_is``, ``how_to_see_it``, ``what_misleads`` (empty where nothing does).
    segments : DataFrame, one row per hidden segment
        ``hidden_segment``, ``share`` of joiners, ``leaving_factor``, ``share_taking_off``,
        ``first_value_days``, ``visits_a_month``, ``views_a_visit``, ``share_with_purchase`` (of visits),
        ``price``.
    currency : str
        Of prices.
    why_empty : str
        See the module.
    """

    table: pd.DataFrame
    segments: pd.DataFrame
    currency: str
    why_empty: str = ""

    def shown(self) -> pd.DataFrame:
        """Return effects as text, sizes to three digits; those that are seen in the same way share a row."""
        rows: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for name, size, *texts in self.table.itertuples(index=False):
            own = name.split(": ")[-1].split(" by ")[-1]
            alike = tuple(text.replace(f"{own}'", "…'") for text in texts)
            rows.setdefault(alike, []).append((name, f"{size:.3g}".replace("-", MINUS)))
        together = [
            (_named_together([name for name, _ in found]), ", ".join(size for _, size in found), *texts)
            for texts, found in rows.items()
        ]
        return pd.DataFrame(together, columns=list(self.table.columns))


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


def _named_together(names: Sequence[str]) -> str:
    """Return names with what they have in common said once."""
    words = [name.split(" ") for name in names]
    least = min(map(len, words)) - 1
    shared = next((i for i in range(least) if len({of[i] for of in words}) > 1), least)
    return " ".join([*words[0][:shared], ", ".join(" ".join(of[shared:]) for of in words)])


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
