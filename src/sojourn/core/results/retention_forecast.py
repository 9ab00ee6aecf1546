"""Frozen results of the forecast: cohorts carried on, the race of models, time still to come."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sojourn.core.interval import Interval

_MOST_AGES, _MOST_COHORTS = 12, 18


@dataclass(frozen=True, slots=True)
class Race:
    """Models that forecast what was not yet known at earlier dates, and how well each did.

    Attributes
    ----------
    table : DataFrame, one row per model, best first
        ``model`` (in words), ``score`` (mean continuous ranked probability score of the held-out entries, in
        members in 100; smaller is better), ``against`` and ``against_se`` (difference to the plain forecast
        and its standard error, cohorts held together), ``coverage`` (share of held-out entries inside their
        interval), ``width`` (mean width of intervals, in members in 100).
    chosen, plain : str
        Model that forecasts, and the plain one: each age as earlier cohorts had it.
    beaten : bool
        Whether the chosen model beat the plain one by more than twice the standard error.
    entries, cohorts, origins : int
        Held-out entries, the cohorts they are of, and earlier dates from which they were forecast.
    totals, totals_inside : int
        Earlier dates whose total of members was forecast, and at how many it fell inside its interval.
    """

    table: pd.DataFrame
    chosen: str
    plain: str
    beaten: bool
    entries: int
    cohorts: int
    origins: int
    totals: int
    totals_inside: int

    @property
    def coverage(self) -> float:
        """Share of held-out entries inside the intervals of the chosen model."""
        return float(self.table.loc[self.table["model"] == self.chosen, "coverage"].iloc[0])


@dataclass(frozen=True, slots=True)
class Audit:
    """The fast path set beside sampling of the same model.

    Attributes
    ----------
    model : str
        Model that was fitted twice.
    shift : float
        Largest difference of expected shares kept, in standard deviations of the sampled forecast.
    narrowest, widest : float
        Smallest and largest ratio of widths of intervals, fast path over sampled.
    entries : int
        Forecast entries compared.
    sampler : str
        Engine, chains and draws in words; why there are none when `failed`.
    failed : bool
        Whether the sampler did not converge.
    """

    model: str
    shift: float
    narrowest: float
    widest: float
    entries: int
    sampler: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Members of every cohort after steps that nobody has seen yet.

    Attributes
    ----------
    case, unit : str
        Case, and unit of durations.
    step, ahead : int
        Distance of two ages, and steps ahead for which the forecast is examined.
    mass : float
        Mass of the prediction intervals.
    leaving, since : str
        As in the curve.
    table : DataFrame, one row per cohort and age
        ``cohort`` (YYYY-MM, local time), ``members``, ``duration``, ``steps_ahead`` (0 where counted),
        ``retained`` (counted, or median of the forecast) with ``_low`` and ``_high`` (forecast only).
    race : Race or None
        None when there is too little to hold out.
    audit : Audit or None
        None when nothing was sampled.
    tenure : DataFrame, one row per age
        ``duration`` (age), ``time_ahead`` (expected time still to come, in `unit`, within `tenure_within`)
        with ``_low`` and ``_high``.
    tenure_within : int
        Time within which it is counted, in `unit`.
    totals : DataFrame, one row per step ahead from 0
        ``steps_ahead``, ``time_ahead`` (in `unit`), ``members`` of all cohorts with ``_low`` and ``_high``:
        at step 0 those counted at the last age that all of their cohort have reached, then how many of them
        are expected to be left so much later. Members who join later are not in it.
    why_empty : str
        Why there is no forecast; empty when there is one.
    """

    case: str
    unit: str
    step: int
    ahead: int
    mass: float
    leaving: str = "cancellation"
    since: str = "joining"
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    race: Race | None = None
    audit: Audit | None = None
    tenure: pd.DataFrame = field(default_factory=pd.DataFrame)
    tenure_within: int = 0
    totals: pd.DataFrame = field(default_factory=pd.DataFrame)
    why_empty: str = ""

    def drawn(self, *, most_ages: int = _MOST_AGES, most_cohorts: int = _MOST_COHORTS) -> pd.DataFrame:
        """Return what the triangle shows: the first and about `most_ages` ages of the newest cohorts.

        Ages that no cohort has reached yet are left to the table.
        """
        reached = int(self.table.loc[self.table["steps_ahead"] == 0, "duration"].max())
        ages = np.sort(self.table.loc[self.table["duration"] <= reached, "duration"].unique())
        every = -(-len(ages) // most_ages)
        newest = np.sort(self.table["cohort"].unique())[-most_cohorts:]
        kept = {*ages[:1], *ages[every - 1 :: every]}
        here = self.table["duration"].isin(kept) & self.table["cohort"].isin(newest)
        return self.table[here].reset_index(drop=True)

    @property
    def members_now(self) -> int:
        """Members of all cohorts counted at the last age that all of their cohort have reached."""
        return int(self.totals["members"].iloc[0])

    @property
    def members_then(self) -> Interval:
        """How many of them are expected to be left `ahead` steps on."""
        return Interval.of(self.totals.iloc[-1], "members", self.mass, "prediction")

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Forecast of {self.case}: none. {self.why_empty}"
        chosen = self.race.chosen if self.race else "no model"
        cohorts = f"{self.table['cohort'].nunique()} cohorts"
        return (
            f"Forecast of {self.case} ({chosen}; {cohorts}, {self.ahead} steps of {self.step} "
            f"{self.unit}s ahead; {self.mass * 100:g} % prediction intervals)"
        )
