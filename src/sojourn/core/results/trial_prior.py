"""Frozen results about beliefs: what past trials say of the next one, and what a belief does to an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import LiftPrior, OutcomeKind

Tails = Literal["normal", "heavier than normal"]
Reading = Literal[
    "the data decide",
    "belief and data agree",
    "the belief matters",
    "the belief decides",
    "belief and data disagree",
]


@dataclass(frozen=True, slots=True)
class PastLifts:
    """A law of true lifts, learned from the estimates of past trials by its marginal likelihood.

    Attributes
    ----------
    trials, effects : int
        Past trials, and their estimates (several where schemes share a control).
    unit : str
        Of a lift: ``log-odds``, ``share`` or a currency.
    tails : str
        ``normal``, or ``heavier than normal`` where past trials speak for a Student law.
    mass : float
        Mass of every interval (equal-tailed).
    table : DataFrame, one row per law, the one in use first
        ``tails``, ``log_evidence`` (logarithm of the marginal likelihood), ``centre``, ``spread`` (standard
        deviation of true lifts), ``freedom`` (degrees of freedom; missing for the normal law), each with
        ``_low`` and ``_high``.
    held : DataFrame, one row per law and mass
        Trials of the later part, predicted from the earlier: ``tails``, ``effects``, ``log_score`` (per
        estimate), ``mass``, ``coverage`` with exact 95 % ``_low`` and ``_high``. No rows where too few are.
    quantiles : DataFrame
        Law of the next true lift: ``probability``, ``lift``.
    bins : DataFrame
        Estimates counted: ``lift_from``, ``lift_to``, ``seen``, ``expected`` (by the law, with each
        estimate's own error), ``true`` (the same number of true lifts).
    why_empty : str
        Why there is no law; empty when there is one.
    """

    trials: int
    effects: int
    unit: str
    mass: float
    tails: Tails = "normal"
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    held: pd.DataFrame = field(default_factory=pd.DataFrame)
    quantiles: pd.DataFrame = field(default_factory=pd.DataFrame)
    bins: pd.DataFrame = field(default_factory=pd.DataFrame)
    why_empty: str = ""

    def lift(self, probability: float) -> float:
        """Return a quantile of the next true lift, interpolated in `quantiles`.

        Raises
        ------
        UndefinedError
            When there is no law.
        """
        if self.why_empty:
            raise UndefinedError(self.why_empty)
        known = self.quantiles["probability"]
        in_range(probability, "probability", ge=float(known.iloc[0]), le=float(known.iloc[-1]))
        return float(np.interp(probability, known, self.quantiles["lift"]))

    def next_lift(self) -> Interval:
        """Return the next true lift: median and interval."""
        low, high = (self.lift((1 - self.mass) / 2), self.lift((1 + self.mass) / 2))
        return Interval(self.lift(0.5), low, high, self.mass, "prediction")

    def belief(self, mass: float = 0.9, *, base: float | None = None, spread: float = 0.5) -> LiftPrior:
        """Return the belief for the next trial: the central `mass` of what past trials make likely.

        Parameters
        ----------
        mass : float
            Probability between its bounds; a normal law is laid through them.
        base : float, optional
            Control's share, where lifts are in log-odds.
        spread : float
            See `LiftPrior`.

        Raises
        ------
        ParameterError
            When lifts are in log-odds and no base is stated.
        """
        in_range(mass, "mass", gt=0, lt=1)
        low, high = self.lift((1 - mass) / 2), self.lift((1 + mass) / 2)
        if self.unit == "log-odds":
            if base is None:
                raise ParameterError("Past lifts are in log-odds: state the control's share as `base`.")
            low, high = (_moved(in_range(base, "base", gt=0, lt=1), lift) for lift in (low, high))
        return LiftPrior.from_belief(low=low, high=high, mass=mass, spread=spread)

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows."""
        return self.bins

    def __repr__(self) -> str:
        if self.why_empty:
            return f"PastLifts: {self.why_empty}"
        return f"PastLifts of {self.trials:,} trials ({self.tails}): next lift {self.next_lift()}"


def _moved(base: float, log_odds: float) -> float:
    odds = base / (1 - base) * float(np.exp(log_odds))
    return odds / (1 + odds) - base


@dataclass(frozen=True, slots=True)
class PriorCheck:
    """What the belief made likely beside what was seen, and how much of the answer is the belief's.

    Attributes
    ----------
    outcome, words, currency, control : str
        As in the result.
    kind : str
        ``binary`` or ``value``.
    mass : float
        Mass of every interval.
    prior : LiftPrior
        The belief.
    table : DataFrame, one row per scheme but control
        ``scheme``; ``belief_low``, ``belief_high`` (true lift); ``expected_low``, ``expected_high`` (what a
        trial of this size would count); ``seen`` (lift as counted) and ``p_seen`` (of one as far out);
        ``outcome``, ``outcome_low``, ``outcome_high`` (share or mean that was seen, and that was likely given
        control); ``belief_sensitivity``, ``data_sensitivity``; ``lift`` with ``_low`` and ``_high``, and the
        same when the belief counts half (``halved_``) or twice (``doubled_``); ``p_worth`` (a lift above
        `rope`), ``p_halved_worth``, ``p_doubled_worth``; ``pareto_k`` (worst of the weights); ``reading``.
    p_conflict : float
        Prior predictive p-value of the most surprising lift or stratum (Bonferroni).
    rope, threshold : float
        Of the plan: a scheme passes when ``p_worth`` is above `threshold`.
    """

    outcome: str
    kind: OutcomeKind
    words: str
    currency: str
    control: str
    mass: float
    prior: LiftPrior
    table: pd.DataFrame
    p_conflict: float
    rope: float
    threshold: float

    @property
    def worst(self) -> pd.Series:
        """The row of the scheme whose answer moves most with the belief."""
        order = self.table.sort_values(["belief_sensitivity", "scheme"], ascending=[False, True])
        return order.iloc[0]

    @property
    def why_empty(self) -> str:
        """Nothing: there always is a belief and something seen."""
        return ""

    @property
    def hanging(self) -> tuple[str, ...]:
        """Schemes that pass the threshold when the belief counts half and not when it counts twice, or so."""
        passes = self.table[["p_halved_worth", "p_worth", "p_doubled_worth"]] > self.threshold
        return tuple(self.table.loc[passes.any(axis=1) & ~passes.all(axis=1), "scheme"])

    @property
    def unit(self) -> str:
        """Unit of a lift as it is shown."""
        return "members in 100" if self.kind == "binary" else f"{self.currency} per member".strip()

    @property
    def factor(self) -> float:
        """What a lift is multiplied by to be shown."""
        return 100.0 if self.kind == "binary" else 1.0

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows."""
        names = ["scheme", "belief_low", "belief_high", "expected_low", "expected_high", "seen"]
        return self.table[names]

    def __repr__(self) -> str:
        readings = "; ".join(f"{row.scheme}: {row.reading}" for row in self.table.itertuples())
        return f"PriorCheck of {self.outcome}: {readings}"
