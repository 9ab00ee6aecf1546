"""Frozen results on what is counted: definitions of retention side by side, and lengths of a lapse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.retention import Leaving

Grade = Literal["reference", "defensible", "misleading"]
#: In the order in which they are shown.
GRADES: tuple[Grade, ...] = ("reference", "defensible", "misleading")


@dataclass(frozen=True, slots=True)
class DefinitionLens:
    """One log under every definition of day-N retention.

    Attributes
    ----------
    case, unit, leaving, lapse
        As in the curve.
    time_zone : str
        Of the case, whose calendar counts where no other is named.
    day : int
        The day N that sentences are about.
    min_group : int
        A definition that is about fewer members has no row.
    table : DataFrame, one row per definition and day
        ``day``, ``grade`` (``reference``: this page's own; ``defensible``; ``misleading``), ``definition``
        (in words), ``caution`` (what is wrong with it, or to be known of it), ``rule``, ``clock``, ``zone``,
        ``numbering``, ``maturity`` (options of `sojourn.core.definitions`), ``changes`` (in how many of them
        it differs from the plainest: members seen on that day), ``n`` (members it is about), ``share`` (0-1).
    effects : DataFrame, one row per day and choice
        ``day``, ``choice``, ``lowest_share``, ``highest_share``, ``spread_points`` (0-1): what one choice
        alone does to the plain count of members seen on that day.
    why_empty : str
        Why there is none; empty when there is.

    Notes
    -----
    All rows are about the same members, seen from joining on: differences between them are no chance.
    """

    case: str
    unit: str
    leaving: Leaving
    lapse: int | None
    time_zone: str
    day: int
    min_group: int
    table: pd.DataFrame = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    why_empty: str = ""

    @property
    def days(self) -> tuple[int, ...]:
        """Days N that any definition can be read at."""
        return tuple(int(day) for day in sorted(self.table["day"].unique()))

    @property
    def trivial(self) -> pd.Series:
        """Whether a row is about the day of joining, on which everybody came, as day 1."""
        of_joining: pd.Series = (self.table["day"] == 1) & (self.table["numbering"] == "one")
        return of_joining

    def at(self, day: int) -> pd.DataFrame:
        """Return the rows of one day.

        Raises
        ------
        UndefinedError
            When no definition can be read at it.
        """
        if day not in self.days:
            known = ", ".join(map(str, self.days)) or "none"
            raise UndefinedError(f"No definition is counted at day {day}; counted are {known}.")
        return self.table[self.table["day"] == day].reset_index(drop=True)

    def drawn(self) -> pd.DataFrame:
        """Return what is shown: our own definition and those that differ in one thing, graded, then by share.

        Kaplan-Meier lines count as one thing: they allow for time that was not observed under their rule. Day
        1, where it is the day of joining, is left out: everybody came then.
        """
        few = (self.table["changes"] <= 1) | (self.table["maturity"] == "censored")
        shown = self.table.loc[few & ~self.trivial, ["day", "grade", "definition", "n", "share", "caution"]]
        order = shown["grade"].map({grade: i for i, grade in enumerate(GRADES)})
        by = ["day", "order", "share", "definition"]
        return shown.assign(order=order).sort_values(by, ignore_index=True).drop(columns="order")

    def reference(self, day: int | None = None) -> float:
        """Return the share under this page's own definition; at `self.day` where no day is given.

        Raises
        ------
        UndefinedError
            When it cannot be read there.
        """
        rows = self.at(self.day if day is None else day)
        own = rows[rows["grade"] == "reference"]
        if own.empty:
            raise UndefinedError("This page's own definition cannot be read there: too few are followed.")
        return float(own["share"].iloc[0])

    def __repr__(self) -> str:
        said = self.why_empty or f"{len(self.table)} readings at days {', '.join(map(str, self.days))}"
        return f"DefinitionLens of {self.case} ({said})"


@dataclass(frozen=True, slots=True)
class LapseWindow:
    """How long a silence has to last to count as leaving, read off the gaps between signs of life.

    Attributes
    ----------
    case, unit, leaving, lapse, min_group
        As in the curve; `lapse` is the case's own window.
    mass : float
        Mass of every interval.
    horizon : int
        Day at which the headline is read under every window.
    most_back : float
        The rule: the shortest window after which at most this share comes back.
    followed_to : int
        Longest silence that at least `min_group` gaps were followed for; coming back means by then.
    chosen : int or None
        Window by the rule; None where none of the list suits or can be judged.
    table : DataFrame, one row per window
        ``window`` (days), ``back_share`` (of members silent for so long, how many come back by `followed_to`;
        of gaps, no interval), ``judged`` (whether gaps were followed for as long again), ``lapsed``,
        ``came_back``, ``so_far_share`` with bounds (exact: of members whose first such silence was seen in
        full, how many came back by `as_of`), ``at_risk``, ``retained`` with bounds (log-log: not yet silent
        for so long at `horizon`; missing beyond follow-up), ``claimed``.
    curve : DataFrame, one row per day of silence
        ``days``, ``back_share``.
    why_empty : str
        Why there is none; empty when there is.
    not_applicable : bool
        Whether there is none because nobody needs one: a page does not list it as missing.

    Notes
    -----
    Gaps still running at `as_of` are censored there (Kaplan-Meier over gaps). A member has many gaps, so no
    interval is claimed over gaps; intervals are over members, of whom the first long gap counts.
    """

    case: str
    unit: str
    leaving: Leaving
    lapse: int | None
    min_group: int
    mass: float
    horizon: int
    most_back: float
    followed_to: int
    chosen: int | None
    table: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    why_empty: str = ""
    not_applicable: bool = False

    def row(self, window: int) -> pd.Series:
        """Return the row of one window.

        Raises
        ------
        ParameterError
            When it is not in the list.
        """
        rows = self.table[self.table["window"] == window]
        if rows.empty:
            raise ParameterError.unknown(str(window), "the windows", [str(w) for w in self.table["window"]])
        return rows.iloc[0]

    def retained(self, window: int) -> Interval:
        """Return the share not yet silent for a whole window at the horizon.

        Raises
        ------
        ParameterError
            When the window is not in the list.
        UndefinedError
            When members were not followed so long under this window.
        """
        row = self.row(window)
        if pd.isna(row["retained"]):
            raise UndefinedError(f"With a window of {window} days nobody is followed to day {self.horizon}.")
        return Interval(row["retained"], row["retained_low"], row["retained_high"], self.mass, "log-log")

    def back(self, window: int) -> Interval:
        """Return the share of lapsed members who have come back so far, with its exact interval."""
        row = self.row(window)
        return Interval(
            row["so_far_share"], row["so_far_share_low"], row["so_far_share_high"], self.mass, "exact"
        )

    def drawn(self, *, most: int = 90) -> pd.DataFrame:
        """Return what the picture shows: the share coming back by length of silence, thinned."""
        step = max(1, -(-len(self.curve) // most))
        marked = self.curve["days"].isin([self.lapse, self.chosen])
        return self.curve[(self.curve.index % step == 0) | marked].reset_index(drop=True)

    def __repr__(self) -> str:
        chosen = f"{self.chosen} days by the rule" if self.chosen else "none suits"
        return f"LapseWindow of {self.case} ({self.why_empty or f'own {self.lapse} days, {chosen}'})"
