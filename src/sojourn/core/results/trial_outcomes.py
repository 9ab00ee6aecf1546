"""Results of outcomes beyond shares and values: how long members stay, how often they come, ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.interval import Interval

Floats = NDArray[np.float64]
#: Points at which a curve is drawn.
_POINTS = 45


@dataclass(frozen=True, slots=True)
class Trend:
    """A test of a trend in the pace of leaving over periods of assignment.

    Attributes
    ----------
    p_value : float
        Of no trend; missing for one period.
    information : float
        Variance of the score, per period squared: what the test's power rests on.
    periods : int
        Periods of assignment.
    """

    p_value: float = float("nan")
    information: float = 0.0
    periods: int = 1

    def catch_rate(self, factor: float, level: float) -> float:
        """Return the power at a level if the last period leaves `factor` times as fast as the first."""
        if self.periods < 2:
            return 0.0
        normal = NormalDist()
        shift = math.log(factor) / (self.periods - 1) * math.sqrt(self.information)
        reach = normal.inv_cdf(1 - level / 2)
        return normal.cdf(shift - reach) + normal.cdf(-shift - reach)


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long members stay under every scheme: all who were assigned, each for as long as they were seen.

    Where members had left, the same of coming back: every share is of those who have come back, days are
    those since they did, and ``churned`` are members seen to come back.

    Attributes
    ----------
    trial, control : str
        Which trial, and with what schemes are compared.
    horizon : int
        Days after assignment.
    mass : float
        Probability mass of every interval (equal-tailed credible).
    believed, weight : float
        The belief: this share is still there at the horizon, leaving at a constant pace; it is worth `weight`
        members of a scheme.
    strata : tuple of str
        Over which curves are averaged, as they occur among all members.
    periods : int
        Periods of assignment within which schemes are compared; 1 where they are not known.
    table : DataFrame, one row per scheme, control first
        ``scheme``, ``n`` (assigned), ``churned`` (seen to leave within the horizon), ``censored`` (not yet
        followed to it), ``at_risk`` (there at the begin of its last day); ``kept_share`` at the horizon and
        ``lift`` over control; ``days`` (mean days with us within the horizon) and ``more_days`` than under
        control, each with ``_low`` and ``_high``; ``p_longer`` (probability of more days than under control).
        Differences of control itself are missing.
    curves : DataFrame, one row per scheme and day from 0
        ``scheme``, ``day``, ``at_risk``, ``churned``, ``kept_share`` and ``lift`` with bounds.
    days_draws, kept_draws : array (draws, schemes)
        Posterior draws behind `table`.
    late : Trend
        Whether those assigned late leave as fast as those assigned early.
    truth : mapping of str to float
        Share kept at the horizon by scheme, in a simulated world that says so; else empty.
    why_empty : str
        Why there is nothing; empty when there is something.
    wins_back : bool
        Whether members had left and are seen to come back.
    """

    trial: str
    control: str
    horizon: int
    mass: float
    believed: float = float("nan")
    weight: float = float("nan")
    strata: tuple[str, ...] = ()
    periods: int = 1
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    days_draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    kept_draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    late: Trend = field(default_factory=Trend)
    truth: dict[str, float] = field(default_factory=dict)
    why_empty: str = ""
    wins_back: bool = False

    @property
    def schemes(self) -> tuple[str, ...]:
        """Control first."""
        return tuple(self.table["scheme"]) if len(self.table) else ()

    @property
    def best(self) -> str:
        """Scheme under which members stay longest, of those that are not the control."""
        return _most(self.table, "more_days")

    @property
    def immature(self) -> int:
        """Members who had not left and had not been followed to the horizon."""
        return int(self.table["censored"].sum())

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def crosses(self, scheme: str) -> bool:
        """Whether on some days surely more are with us than under control, and on others surely fewer."""
        own = self.curves[(self.curves["scheme"] == scheme) & (self.curves["day"] > 0)]
        return bool((own["lift_low"] > 0).any() and (own["lift_high"] < 0).any())

    def read(self, scheme: str, column: str) -> Interval:
        """Return a number with its interval: ``kept_share``, ``lift``, ``days`` or ``more_days``."""
        return _interval(self.row(scheme), column, self.mass)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the curves at evenly spaced days and the horizon."""
        step = -(-self.horizon // _POINTS)
        shown = (self.curves["day"] % step == 0) | (self.curves["day"] == self.horizon)
        drawn: pd.DataFrame = self.curves[shown].reset_index(drop=True)
        return drawn

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Lasting (empty: {self.why_empty})"
        days = ", ".join(f"{row.scheme} {row.days:.1f}" for row in self.table.itertuples())
        return f"Lasting: days with us within {self.horizon}: {days} ({self.mass * 100:g} % eti)"


@dataclass(frozen=True, slots=True)
class CountedActivity:
    """How often members come under every scheme, as counts that vary more than by chance alone.

    Attributes
    ----------
    trial, control : str
        Which trial, and with what schemes are compared.
    horizon : int
        Days after assignment within which days with an event are counted; all members were followed so long.
    mass : float
        Probability mass of every interval (equal-tailed credible).
    law : str
        What the published numbers rest on: ``negative binomial``, or ``none`` where it does not fit.
    p_fit : float
        Posterior predictive p-value of the histograms' chi-square distance from the negative binomial.
    table : DataFrame, one row per scheme, control first
        ``scheme``, ``n``, ``mean`` (days with an event per member), ``more`` (difference from control),
        ``times`` (ratio to control), each with ``_low`` and ``_high``; ``p_more``. Missing for control.
    both : DataFrame, two rows per scheme
        ``scheme``, ``law``, ``mean``, ``more`` and ``times`` with bounds by either way.
    histogram : DataFrame, one row per scheme and count
        ``scheme``, ``count``, ``n`` and ``expected`` (members under the fitted law).
    draws : array (draws, schemes)
        Posterior draws behind `table`.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    horizon: int
    mass: float
    law: str = ""
    p_fit: float = float("nan")
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    both: pd.DataFrame = field(default_factory=pd.DataFrame)
    histogram: pd.DataFrame = field(default_factory=pd.DataFrame)
    draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    why_empty: str = ""

    @property
    def schemes(self) -> tuple[str, ...]:
        """Control first."""
        return tuple(self.table["scheme"]) if len(self.table) else ()

    @property
    def best(self) -> str:
        """Scheme with the most activity, of those that are not the control."""
        return _most(self.table, "more")

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str, column: str) -> Interval:
        """Return a number with its interval: ``mean``, ``more`` or ``times``."""
        return _interval(self.row(scheme), column, self.mass)

    def drawn(self) -> pd.DataFrame:
        """Return what the picture of differences shows: the schemes."""
        return self.table

    def counted(self) -> pd.DataFrame:
        """Return what the picture of counts shows: the histograms."""
        return self.histogram

    def __repr__(self) -> str:
        if self.why_empty:
            return f"CountedActivity (empty: {self.why_empty})"
        means = ", ".join(f"{row.scheme} {row.mean:.2f}" for row in self.table.itertuples())
        return f"CountedActivity within {self.horizon} days: {means} ({self.mass * 100:g} % eti)"


@dataclass(frozen=True, slots=True)
class RatioResult:
    """A ratio of two means per member under every scheme, such as revenue per active day.

    Attributes
    ----------
    trial, control : str
        Which trial, and with what schemes are compared.
    outcome, words : str
        The ratio's name, and in plain words.
    horizon : int
        Days after assignment that both parts are counted for.
    mass : float
        Probability mass of every interval (equal-tailed credible).
    table : DataFrame, one row per scheme, control first
        ``scheme``, ``n``, ``top`` and ``bottom`` (means per member, standardised over strata), ``bottom_se``
        (standard error of ``bottom``); ``ratio``,
        ``more`` (difference from control) and ``times`` (ratio to control), each with ``_low`` and ``_high``;
        ``p_more``. Missing for control.
    draws : array (draws, schemes)
        Posterior draws behind `table`.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    outcome: str
    words: str
    horizon: int
    mass: float
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    why_empty: str = ""

    @property
    def schemes(self) -> tuple[str, ...]:
        """Control first."""
        return tuple(self.table["scheme"]) if len(self.table) else ()

    @property
    def best(self) -> str:
        """Scheme with the largest ratio, of those that are not the control."""
        return _most(self.table, "more")

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str, column: str) -> Interval:
        """Return a number with its interval: ``ratio``, ``more`` or ``times``."""
        return _interval(self.row(scheme), column, self.mass)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the schemes."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"RatioResult (empty: {self.why_empty})"
        shown = ", ".join(f"{row.scheme} {row.ratio:.4g}" for row in self.table.itertuples())
        return f"RatioResult {self.outcome}: {shown} ({self.mass * 100:g} % eti)"


@dataclass(frozen=True, slots=True)
class Guardrails:
    """Binary outcomes that may not get worse by more than a margin, judged for every scheme.

    Attributes
    ----------
    control : str
        The scheme that the others are compared with.
    mass : float
        Probability mass of every interval (equal-tailed credible).
    risk : float
        A guardrail is broken when it is worse by more than its margin with more than this probability.
    table : DataFrame, one row per outcome and scheme but control
        ``outcome``, ``words``, ``bad`` (``more`` or ``fewer``: which way is worse), ``scheme``, ``lift`` with
        bounds, ``margin_share``, ``p_harm`` (probability of being worse by more than the margin),
        ``verdict`` (``held`` or ``broken``).
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    control: str
    mass: float
    risk: float
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    why_empty: str = ""

    def broken(self, scheme: str) -> tuple[str, ...]:
        """Return the outcomes that a scheme makes worse by more than they may be."""
        if self.why_empty:
            return ()
        own = self.table[(self.table["scheme"] == scheme) & (self.table["verdict"] == "broken")]
        return tuple(own["outcome"])

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Guardrails (empty: {self.why_empty})"
        broken = self.table[self.table["verdict"] == "broken"]
        named = ", ".join(f"{row.outcome} by {row.scheme}" for row in broken.itertuples())
        return f"Guardrails on {', '.join(dict.fromkeys(self.table['outcome']))}: broken: {named or 'none'}"


def _row(table: pd.DataFrame, scheme: str) -> pd.Series:
    found: pd.Series = table.loc[table["scheme"] == scheme].iloc[0]
    return found


def _most(table: pd.DataFrame, column: str) -> str:
    """Return the scheme of the largest difference from control; the first by name where they are equal."""
    rows = table.iloc[1:].sort_values([column, "scheme"], ascending=[False, True])
    return str(rows["scheme"].iloc[0])


def _interval(row: pd.Series, column: str, mass: float) -> Interval:
    value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    return Interval(value, low, high, mass, "eti")
