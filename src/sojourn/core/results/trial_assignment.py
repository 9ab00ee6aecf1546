"""Results of looking at how members came to their schemes, and at what is not known of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


def _none() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True, slots=True)
class SplitByDay:
    """Whether members were divided as planned, looked at after every day of assignment.

    Attributes
    ----------
    table : DataFrame, one row per day with arrivals
        ``day`` (whole days since the first assignment), ``assigned`` (members so far), ``p_value`` (valid at
        any time: the smallest so far), and ``scheme`` with ``share`` and ``planned_share``: the scheme that
        is furthest from its plan on that day.
    p_value : float
        At the end.
    alarm_day : int or None
        First day on which it was below `ALARM`; None: never.
    why_empty : str
        Why there is nothing to look at; empty when there is.

    Notes
    -----
    A mixture of Dirichlet-multinomial laws around the planned shares against these shares [1]_. The inverse
    of its largest odds so far is a p-value however often one looks.

    .. [1] Lindon, M., Malek, A. (2022). Anytime-valid inference for multinomial count data. NeurIPS 35.
    """

    table: pd.DataFrame = field(default_factory=_none)
    p_value: float = float("nan")
    alarm_day: int | None = None
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"SplitByDay: {self.why_empty}"
        told = "never an alarm" if self.alarm_day is None else f"first alarm on day {self.alarm_day}"
        return f"SplitByDay: p = {self.p_value:.2g} at any time, {told} ({len(self.table)} days)"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Whose division over the schemes is unlike that of all others.

    Attributes
    ----------
    table : DataFrame, one row per level of a property, most unlike first
        ``column``, ``level``, ``assigned`` (members of that level), ``scheme`` (furthest from the rest),
        ``share`` of that scheme in the level, ``share_elsewhere``, ``p_value`` (chi-square of level against
        the rest by scheme), ``p_adjusted`` (Holm over all levels of all properties).
    p_value : float
        Smallest adjusted one.
    why_empty : str
        Why there is nothing to compare; empty when there is.
    """

    table: pd.DataFrame = field(default_factory=_none)
    p_value: float = float("nan")
    why_empty: str = ""

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Mismatch: {self.why_empty}"
        top = self.table.iloc[0]
        return f"Mismatch: most unlike is {top['column']} = {top['level']}, p = {self.p_value:.2g} adjusted"


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether schemes were alike before they began.

    Attributes
    ----------
    table : DataFrame, one row per covariate and scheme but control
        ``covariate``, ``scheme``, ``n``, ``mean``, ``mean_control``, ``difference`` with
        ``difference_low``, ``difference_high`` (in standard deviations of a member).
    mass : float
        Of the intervals (normal).
    p_value : float
        Of all differences being 0 at once (chi-square of means, with their covariances).
    why_empty : str
        Why there is nothing to compare; empty when there is.
    """

    table: pd.DataFrame = field(default_factory=_none)
    mass: float = 0.95
    p_value: float = float("nan")
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Balance: {self.why_empty}"
        worst = self.table["difference"].abs().max()
        return f"Balance: p = {self.p_value:.2g} jointly, largest difference {worst:.3f} standard deviations"


@dataclass(frozen=True, slots=True)
class MissingOutcomes:
    """Outcomes that cannot be known, by scheme, and what they could hide.

    Attributes
    ----------
    table : DataFrame, one row per outcome and scheme, control first
        ``outcome``, ``scheme``, ``assigned``, ``known`` (members), ``missing_share``, ``p_unequal`` (all
        schemes of the outcome: chi-square, exact for two), ``lift`` (of those known; share), and
        ``worst_low``, ``worst_high``: the lift if all missing outcomes were as bad, or as good, as can be.
    p_value : float
        Smallest `p_unequal`, times the number of outcomes.
    why_empty : str
        Why there is nothing to tell; empty when there is.
    hidden_below : int
        Fewer than so many of a scheme are told as none (private cases); 0 where all are told.
    """

    table: pd.DataFrame = field(default_factory=_none)
    p_value: float = float("nan")
    why_empty: str = ""
    hidden_below: int = 0

    @property
    def share(self) -> float:
        """Largest share of unknown outcomes of any scheme."""
        return float(self.table["missing_share"].max())

    def __repr__(self) -> str:
        if self.why_empty:
            return f"MissingOutcomes: {self.why_empty}"
        return f"MissingOutcomes: up to {self.share:.1%} of a scheme unknown, p = {self.p_value:.2g} unequal"


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Other trials in which members were at the same time.

    Attributes
    ----------
    table : DataFrame, one row per other trial
        ``trial``, ``members`` (in both), ``p_together`` (schemes of both assigned independently: chi-square),
        ``p_interaction`` (the lift on `outcome` is the same under every scheme of the other trial), both
        times the number of tests (Holm), ``largest`` (the largest difference of lifts; share).
    outcome : str
        The binary outcome by which lifts are compared.
    why_empty : str
        Why there is nothing to compare; empty when there is.
    """

    table: pd.DataFrame = field(default_factory=_none)
    outcome: str = ""
    why_empty: str = ""

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Overlaps: {self.why_empty}"
        p = self.table[["p_together", "p_interaction"]].min().min()
        return f"Overlaps with {len(self.table)} trials: smallest p = {p:.2g}"


@dataclass(frozen=True, slots=True)
class Clustered:
    """Lifts when what was assigned together counts as one unit.

    Attributes
    ----------
    table : DataFrame, one row per outcome and scheme but control
        ``outcome``, ``scheme``, ``clusters``, ``n`` (both of scheme and control), ``lift`` with ``lift_low``,
        ``lift_high`` (by cluster), ``narrow_low``, ``narrow_high`` (as if each member had been assigned
        alone), ``design_effect`` (variance by cluster over variance by member), ``p_value`` (of it being 1).
    mass : float
        Of the intervals (Student's t on clusters less 2, normal by member).
    shares : tuple of str
        Outcomes that are shares of members; the others are amounts.
    why_empty : str
        Why there is nothing to tell; empty when there is.
    """

    table: pd.DataFrame = field(default_factory=_none)
    mass: float = 0.95
    shares: tuple[str, ...] = ()
    why_empty: str = ""

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Clustered: {self.why_empty}"
        return f"Clustered: design effects up to {self.table['design_effect'].max():.2f}"
