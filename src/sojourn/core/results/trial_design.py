"""Results from before a trial: what traffic it gets, how likely it is to say something, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import OutcomeKind

#: Shares that sum to 1 do so within this.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Traffic:
    """Members that a trial gets, and what is known of them beforehand.

    Attributes
    ----------
    per_day : float
        Members assigned a day, over all schemes.
    days : int
        Days of assignment; follow-up comes afterwards.
    base : float
        The metric under control: a share, or a mean per member.
    sd : float
        Standard deviation of one member's value; left out for shares.
    schemes : tuple of str
        Control first.
    allocation : tuple of float
        Share of every scheme, in the order of `schemes`; equal when empty.
    stages : tuple of tuple of float
        Where the allocation changes: such shares for each of several stages with as many members each;
        schemes are then compared among those of one time. Instead of `allocation`.
    guard_base : mapping of str to float
        Share of every guardrail under control, by outcome.
    cost_per_member : tuple of float
        What one member costs under each scheme while the trial runs (reward, messages, running it), in the
        order of `schemes`; unknown when empty.
    currency : str
        Of values and costs.
    """

    per_day: float
    days: int
    base: float
    sd: float = math.nan
    schemes: tuple[str, ...] = ("none", "scheme")
    allocation: tuple[float, ...] = ()
    stages: tuple[tuple[float, ...], ...] = ()
    guard_base: Mapping[str, float] = field(default_factory=dict)
    cost_per_member: tuple[float, ...] = ()
    currency: str = ""

    def __post_init__(self) -> None:
        in_range(self.per_day, "per_day", gt=0)
        in_range(self.days, "days", ge=1)
        if self.kind == "binary":
            in_range(self.base, "base", gt=0, lt=1)
        else:
            in_range(self.sd, "sd", gt=0)
        in_range(len(self.schemes), "number of schemes", ge=2)
        if self.allocation and self.stages:
            raise ParameterError("State either 'allocation' or 'stages', not both.")
        divisions = [("allocation", self.allocation), *(("stages", stage) for stage in self.stages)]
        for name, given in (*divisions, ("cost_per_member", self.cost_per_member)):
            if given and len(given) != len(self.schemes):
                raise ParameterError(
                    f"'{name}' has {len(given)} values for the schemes {', '.join(self.schemes)}."
                )
            for value in given:
                in_range(value, name, ge=0)
        for name, given in divisions:
            if given and (abs(sum(given) - 1) > _ROUNDING or min(given) <= 0):
                raise ParameterError(f"'{name}' must be shares above 0 that sum to 1, got {given!r}.")

    @property
    def kind(self) -> OutcomeKind:
        """Whether the metric is a share or a value."""
        return "binary" if math.isnan(self.sd) else "value"

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of every scheme over all stages."""
        if self.stages:
            return tuple(sum(of) / len(self.stages) for of in zip(*self.stages, strict=True))
        return self.allocation or (1 / len(self.schemes),) * len(self.schemes)


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """What a trial of some length would say, before it begins.

    Attributes
    ----------
    table : DataFrame, one row per number of days of assignment
        ``days``, ``members`` (assigned by then), ``assurance_rate`` with ``_low`` and ``_high`` (chance that
        something ships, averaged over the belief; 95 % interval of the simulation), ``right_rate`` (something
        whose true lift is above the rope), ``found_rate`` (a scheme that is worth `worthwhile` ships, the
        others doing nothing), ``expected_members`` and ``expected_days`` (when the trial ends at the look at
        which it is decided; days with follow-up), ``expected_cost`` (missing without costs).
    most : float
        Chance, as believed, that some scheme is worth more than the rope: assurance of a right decision
        cannot be higher.
    target : float
        Share of `most` that `days` has to reach.
    days : int
        Shortest length of `table` whose ``right_rate`` reaches the target; 0 when none does.
    planned_days, follow_up : int
        Of assignment as the traffic says; days until a member can be judged.
    looks : int
        Equally spaced looks.
    allocation : DataFrame, one row per scheme; empty without costs
        ``scheme``, ``cost_per_member``, ``planned_share``, ``cheapest_share``, ``members`` and ``cost`` under
        the cheapest, as precise as the planned allocation is after `planned_days`.
    saved : float
        Share of the planned allocation's cost that the cheapest saves (0-1); missing without costs.
    cheapest_days : float
        Days of assignment that the cheapest needs; missing without costs.
    worthwhile : float
        True lift of the scheme to be found (unit of the metric).
    worlds : int
        Simulated trials per row.
    metric : str
        Outcome that decides.
    kind, currency : str
        Of the metric.
    why_empty : str
        Why there is no design; empty when there is one.
    """

    table: pd.DataFrame
    most: float
    target: float
    days: int
    planned_days: int
    follow_up: int
    looks: int
    allocation: pd.DataFrame
    saved: float
    cheapest_days: float
    worthwhile: float
    worlds: int
    metric: str
    kind: OutcomeKind = "value"
    currency: str = ""
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what the picture draws."""
        return self.table

    def at(self, days: int) -> pd.Series:
        """Return the row of the shortest simulated length of at least `days`.

        Raises
        ------
        ParameterError
            When it is longer than what was simulated.
        """
        in_range(days, "days", le=int(self.table["days"].max()))
        return self.table[self.table["days"] >= days].iloc[0]

    def __repr__(self) -> str:
        if self.why_empty:
            return f"TrialDesign: {self.why_empty}"
        row = self.at(self.planned_days)
        return (
            f"TrialDesign: {row['members']:,.0f} members in {row['days']:.0f} days ship something with "
            f"chance {row['assurance_rate']:.2f} (worth it: {row['right_rate']:.2f} of {self.most:.2f})"
        )
