"""Results of what happens after the reward, and beside it: who was paid anyway, who else was reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.interval import Interval, Kind


def _none() -> pd.DataFrame:
    return pd.DataFrame()


def _read(row: pd.Series, column: str, mass: float, kind: Kind = "wald") -> Interval:
    value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    return Interval(value, low, high, mass, kind)


def _most(table: pd.DataFrame, column: str) -> str:
    """Return the scheme with the most of something; the first by name among equals."""
    rows = table.sort_values([column, "scheme"], ascending=[False, True])
    return str(rows["scheme"].iloc[0])


def _row(table: pd.DataFrame, scheme: str) -> pd.Series:
    found: pd.Series = table.loc[table["scheme"] == scheme].iloc[0]
    return found


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What members did while a reward ran and after it had ended, week by week, against control.

    Attributes
    ----------
    trial, control, currency : str
        Which trial, and with what schemes are compared.
    reward_days, wash_out_days : int
        How long the reward runs, and for how long after it members are looked at.
    mass : float
        Probability mass of every interval (normal; ratios on the scale of logarithms).
    table : DataFrame, one row per scheme but control
        ``scheme``, ``n`` (with control); ``times_during`` and ``times_after``: the weekly pace of leaving
        against control's, while the reward ran and in the wash-out, of those still there; ``p_cliff``
        (probability that `times_after` is above 1); ``lift_at_end`` and ``lift_after``: how many more of all
        members are still there at the end of the reward and of the wash-out (shares), ``lift_lost``: the
        first less the second. Where payments are known, per member assigned and above control:
        ``amount_during``, ``amount_after``, ``amount_both``, and ``p_pulled`` (probability that less is paid
        after). Each with ``_low`` and ``_high``.
    trends : DataFrame, one row per scheme but control and measure
        ``scheme``, ``measure`` (``came``: share of those there who had an event; ``paid``: amount per member
        there), ``first`` and ``last`` (weekly lift in the first and last week of the reward, on a line
        through all of them), ``per_week`` (its slope) with bounds, ``p_fading`` (probability that the line
        goes towards less).
    weeks : DataFrame, one row per scheme (control first) and week
        ``scheme``, ``week`` (from 0), ``at_risk`` (there at its begin), ``leaving_rate``, ``active_share``,
        ``amount`` (per member there) and, missing for control, ``leaving_lift``, ``active_lift``,
        ``amount_above_control``: each with bounds. Weeks in which fewer than `least` members of a scheme are
        there have no row.
    least : int
        See `weeks`.
    scheme : str
        The scheme that is told of; the one that keeps most to the end of its reward when empty.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    currency: str
    reward_days: int
    wash_out_days: int
    mass: float
    table: pd.DataFrame = field(default_factory=_none)
    trends: pd.DataFrame = field(default_factory=_none)
    weeks: pd.DataFrame = field(default_factory=_none)
    least: int = 0
    scheme: str = ""
    why_empty: str = ""

    @property
    def schemes(self) -> tuple[str, ...]:
        """All but control."""
        return tuple(self.table["scheme"]) if len(self.table) else ()

    @property
    def best(self) -> str:
        """The scheme that is told of."""
        return self.scheme or _most(self.table, "lift_at_end")

    @property
    def paid(self) -> bool:
        """Whether payments are known."""
        return "amount_both" in self.table

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str, column: str) -> Interval:
        """Return a number of `table` with its interval."""
        return _read(self.row(scheme), column, self.mass, "log" if column.startswith("times") else "wald")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows: the weeks."""
        return self.weeks

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Afterwards (empty: {self.why_empty})"
        after = ", ".join(f"{row.scheme} {row.times_after:.2f}" for row in self.table.itertuples())
        return f"Afterwards: pace of leaving after the reward against {self.control}: {after}"


@dataclass(frozen=True, slots=True)
class Deadweight:
    """How much of what a scheme costs goes to those who would have stayed, or paid, without it.

    Attributes
    ----------
    trial, control, currency : str
        Which trial, and with what schemes are compared.
    outcome, words : str
        What counts as staying.
    mass : float
        Probability mass of every interval (confidence; ratios on the scale of logarithms).
    table : DataFrame, one row per scheme but control
        ``scheme``, ``n``, ``cost`` (per member); ``kept_anyway_share``: of 1 kept under the scheme, how much
        would be kept without it; ``paid_anyway_share``: the same of payments while the reward runs, missing
        where they are not known; ``more_kept_lift`` (members more that are kept; a share); ``cost_of_one``
        (cost per member more that is kept; missing where none are), ``cost_of_one_low`` and
        ``cost_of_one_high`` (missing where the lift may be 0). Shares with ``_low`` and ``_high``.
    scheme : str
        The scheme that is told of; of those that cost something, the one that keeps most when empty.
    why_empty : str
        Why there is nothing; empty when there is something.

    Notes
    -----
    Control's rate over the scheme's. A share of members is exact if the scheme makes nobody leave; else fewer
    of those kept would have stayed anyway.
    """

    trial: str
    control: str
    currency: str
    outcome: str
    words: str
    mass: float
    table: pd.DataFrame = field(default_factory=_none)
    scheme: str = ""
    why_empty: str = ""

    @property
    def best(self) -> str:
        """The scheme that is told of."""
        return self.scheme or _most(self.table[self.table["cost"] > 0], "more_kept_lift")

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str, column: str) -> Interval:
        """Return a share of `table` with its interval."""
        return _read(self.row(scheme), column, self.mass, "log")

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the table."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Deadweight (empty: {self.why_empty})"
        shares = ", ".join(f"{row.scheme} {row.kept_anyway_share:.0%}" for row in self.table.itertuples())
        return f"Deadweight: kept anyway, of those kept: {shares}"


@dataclass(frozen=True, slots=True)
class SpillOver:
    """Whether a scheme reaches those whom its members brought.

    Attributes
    ----------
    trial, control, words : str
        Which trial, with what schemes are compared, and what members are counted for.
    mass : float
        Probability mass of every interval (normal).
    table : DataFrame, one row per scheme but control
        ``scheme``; ``brought_members`` and ``brought_by_control_members`` (brought by a member under it, and
        by one under control); ``lift`` (how many more of the first are kept; a share) with bounds and
        ``p_value`` (of no difference).
    without : DataFrame, one row per scheme but control and way of counting
        ``scheme``, ``counted`` (``everybody``, ``no treated neighbour``: members whom somebody under another
        scheme than control brought are left out, ``all or nobody``: as if all, or nobody, had the scheme),
        ``n``, ``lift`` with bounds. Empty where the cells do not say who brought members of the trial.
    scheme : str
        The scheme that is told of; the one with the smallest `p_value` when empty.
    neighbours_share : float
        Share of the trial's members whom another member of it brought; missing where that is not known.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    words: str
    mass: float
    table: pd.DataFrame = field(default_factory=_none)
    without: pd.DataFrame = field(default_factory=_none)
    neighbours_share: float = float("nan")
    scheme: str = ""
    why_empty: str = ""

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str) -> Interval:
        """Return the difference that a scheme makes to those whom its members brought."""
        return _read(self.row(scheme), "lift", self.mass)

    def lift(self, scheme: str, counted: str) -> Interval:
        """Return a scheme's own lift by one way of counting."""
        return _read(_row(self.without[self.without["counted"] == counted], scheme), "lift", self.mass)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: the table."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"SpillOver (empty: {self.why_empty})"
        lifts = ", ".join(f"{row.scheme} {row.lift:+.3f}" for row in self.table.itertuples())
        return f"SpillOver: kept of those brought, against {self.control}: {lifts}"


@dataclass(frozen=True, slots=True)
class Compliance:
    """Effects of being assigned a scheme, and of being reached by it.

    Attributes
    ----------
    trial, control, outcome, words : str
        Which trial, with what schemes are compared, and what is counted.
    mass : float
        Probability mass of every interval (normal).
    table : DataFrame, one row per scheme but control
        ``scheme``, ``n``, ``reached_share`` and ``reached_under_control_share``; ``lift`` (of being
        assigned: intention to treat) and ``lift_of_reached`` (of being reached, for those who are reached
        because they were assigned) with bounds; ``why_not``: why the second is missing, else empty.
    scheme : str
        The scheme that is told of; of those with a second effect, the one with the largest lift when empty.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    outcome: str
    words: str
    mass: float
    table: pd.DataFrame = field(default_factory=_none)
    scheme: str = ""
    why_empty: str = ""

    @property
    def best(self) -> str:
        """The scheme that is told of."""
        known = self.table[self.table["why_not"] == ""]
        return self.scheme or _most(known if len(known) else self.table, "lift")

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return _row(self.table, scheme)

    def read(self, scheme: str, column: str) -> Interval:
        """Return ``lift`` or ``lift_of_reached`` with its interval."""
        return _read(self.row(scheme), column, self.mass)

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Compliance (empty: {self.why_empty})"
        lifts = ", ".join(
            f"{row.scheme} {row.lift:+.3f} (reached {row.reached_share:.0%})"
            for row in self.table.itertuples()
        )
        return f"Compliance on {self.outcome}: {lifts}"


@dataclass(frozen=True, slots=True)
class Fairness:
    """Whether groups of members gain alike from a scheme, and what each costs.

    Attributes
    ----------
    trial, control, outcome, words, currency : str
        Which trial, with what schemes are compared, and what is counted; no currency for a share.
    mass : float
        Probability mass of every interval (equal-tailed credible).
    sure : float
        A gap is called real above this probability.
    table : DataFrame, one row per scheme but control and grouping
        ``scheme``, ``grouping`` (what members are grouped by), ``groups``, ``most`` and ``least`` (the groups
        with the largest and the smallest expected lift), ``gap`` with bounds, ``p_real`` (probability that
        the first gains more than the second).
    groups : DataFrame, one row per scheme but control and group
        ``scheme``, ``grouping``, ``group``, ``members`` (with control), ``raw_lift``, ``lift`` with bounds,
        ``cost`` (per member under the scheme; missing where costs are not known).
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    trial: str
    control: str
    outcome: str
    words: str
    currency: str
    mass: float
    sure: float
    table: pd.DataFrame = field(default_factory=_none)
    groups: pd.DataFrame = field(default_factory=_none)
    why_empty: str = ""

    @property
    def surest(self) -> pd.Series:
        """Row of `table` whose gap is most probably real; the first by scheme and grouping among equals."""
        order = ["p_real", "scheme", "grouping"]
        found: pd.Series = self.table.sort_values(order, ascending=[False, True, True]).iloc[0]
        return found

    def of(self, scheme: str, grouping: str) -> pd.DataFrame:
        """Return the groups of one grouping under one scheme."""
        own = (self.groups["scheme"] == scheme) & (self.groups["grouping"] == grouping)
        return self.groups[own].reset_index(drop=True)

    def read_gap(self, row: pd.Series) -> Interval:
        """Return the gap of a row of `table`."""
        return _read(row, "gap", self.mass, "eti")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows: the groups of the surest gap."""
        return self.of(self.surest["scheme"], self.surest["grouping"])

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Fairness (empty: {self.why_empty})"
        row = self.surest
        told = f"{row['most']} over {row['least']} under {row['scheme']}"
        return f"Fairness on {self.outcome}: {told} {row['gap']:+.3g}, p = {row['p_real']:.2f}"
