"""Frozen results over all trials of a case: effects and decisions, and the exam of an early outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import LiftPrior, OutcomeKind

ProxyVerdict = Literal["accepted", "refused", "undecided", "cannot be judged"]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Every scheme of every trial of a case, judged under one belief.

    Attributes
    ----------
    case, outcome, words, currency : str
        What was compared.
    kind : str
        ``binary`` or ``value``.
    mass : float
        Mass of every interval (equal-tailed).
    rope, threshold : float
        A scheme is worth it when the chance of a lift above `rope` exceeds `threshold`.
    belief : LiftPrior or None
        The frozen belief; None where the law of lifts was learned from these trials.
    tails : str
        Of the law in use.
    spread : Interval
        Standard deviation of true lifts over trials; a single number where the belief is frozen.
    table : DataFrame, one row per trial and scheme but control, in order of trials
        ``trial``, ``scheme``, ``control``, ``members`` (of both arms), ``raw_lift`` with ``_low`` and
        ``_high`` (without a model), ``error`` (its standard error), ``lift`` with ``_low`` and ``_high``
        (shrunk), ``p_worth``, ``verdict`` (``ship``, ``worth it, another is better``, ``drop``,
        ``undecided``) and, of simulated cases, ``truth``.
    running : DataFrame, one row per trial
        Summed over the schemes to ship so far: ``trial``, ``shipped`` (count), ``amount`` with ``_low`` and
        ``_high`` (posterior), ``raw_amount`` (as counted); a lift times the members of the trial, or `reach`.
    curse : DataFrame, one row
        Of the schemes to ship: ``shipped``, ``raw_lift`` (mean, as counted), ``lift`` with ``_low`` and
        ``_high`` (mean, posterior) and, of simulated cases, ``truth``.
    p_fit : float
        P-value of the estimates under the law: their centre, their spread or the most surprising one.
    reach : float or None
        Members who would get a scheme; None for as many as were compared for it.
    left_out : DataFrame
        Trials in which nothing can be compared: ``trial``, ``why``, ``by_lot`` (False: its members were not
        alike before they were assigned).
    knows_before : bool
        Whether it was examined that members of the schemes were alike before they were assigned.
    why_empty : str
        Why there is no portfolio; empty when there is one.
    """

    case: str
    outcome: str
    kind: OutcomeKind
    words: str
    currency: str
    mass: float
    rope: float
    threshold: float
    belief: LiftPrior | None = None
    tails: str = ""
    spread: Interval | None = None
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    running: pd.DataFrame = field(default_factory=pd.DataFrame)
    curse: pd.DataFrame = field(default_factory=pd.DataFrame)
    p_fit: float = float("nan")
    reach: float | None = None
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    knows_before: bool = False
    why_empty: str = ""

    @property
    def trials(self) -> int:
        """Number of trials that are compared."""
        return int(self.table["trial"].nunique()) if len(self.table) else 0

    @property
    def shipped(self) -> pd.DataFrame:
        """Rows of `table` whose scheme is to ship."""
        return self.table[self.table["verdict"] == "ship"]

    @property
    def shrunk(self) -> float:
        """Share of the spread of raw lifts that shrinkage took away (0-1)."""
        raw, kept = (float(self.table[name].std()) for name in ("raw_lift", "lift"))
        return 1 - kept / raw if raw > 0 else float("nan")

    @property
    def unit(self) -> str:
        """Unit of a lift as it is shown."""
        return "members in 100" if self.kind == "binary" else f"{self.currency} per member".strip()

    @property
    def factor(self) -> float:
        """What a lift is multiplied by to be shown."""
        return 100.0 if self.kind == "binary" else 1.0

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the trials' controls."""
        return tuple(sorted(set(self.table["control"]))) if len(self.table) else ()

    @property
    def wrong(self) -> float:
        """Of the schemes to ship, how many are expected to be worth no more than `rope`."""
        return float((1 - self.shipped["p_worth"]).sum())

    def total(self) -> Interval:
        """Return what all schemes to ship bring together (members, or currency)."""
        row = self.running.iloc[-1]
        amount, low, high = (float(row[f"amount{end}"]) for end in ("", "_low", "_high"))
        return Interval(amount, low, high, self.mass, "eti")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture of effects shows."""
        names = ["trial", "scheme", "raw_lift", "lift", "lift_low", "lift_high", "verdict"]
        return self.table[names]

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Portfolio of {self.case}: {self.why_empty}"
        return f"Portfolio of {self.case}: {self.trials} trials, {len(self.shipped)} schemes to ship"


@dataclass(frozen=True, slots=True)
class ProxyExam:
    """Whether an early outcome stands for the late one, over trials.

    Attributes
    ----------
    case, outcome, words, early_words : str
        The late outcome, and both in plain words.
    mass : float
        Mass of every interval (equal-tailed).
    least, sure : float
        Accepted when the chance that early effects explain at least a share `least` of late ones is at least
        `sure`; refused when it is at most ``1 - sure``.
    verdict : str
        ``accepted``, ``refused``, ``undecided`` or ``cannot be judged``.
    trials : int
        Trials examined.
    naive : float
        Correlation of the estimates, which members' own correlation is part of.
    within : float
        Correlation that the estimates would have if no scheme did anything (mean over trials).
    p_spread_early, p_spread_late : float
        P-values of no spread between trials.
    p_explained : float
        Chance that early effects explain at least `least`.
    explained, slope, intercept, left : Interval or None
        Share explained (R squared of true effects), late effect per unit of early effect, late effect where
        there is no early one, and standard deviation of late effects that stays unexplained.
    surely_above : float
        Smallest true early effect whose late effect is above 0 with probability ``(1 + mass) / 2``; missing
        where there is none among the effects seen.
    table : DataFrame, one row per trial and scheme
        ``trial``, ``scheme``, ``early`` and ``late``, each with ``_low`` and ``_high``.
    line : DataFrame
        ``early``, ``late`` with ``_low`` and ``_high``: true late effects predicted from true early ones.
    kind, currency : str
        Of the late outcome.
    why_empty : str
        Why there is nothing to show at all: no early outcome, fewer than three trials.
    reason : str
        Why it cannot be judged; empty when it can.
    """

    case: str
    outcome: str
    words: str
    early_words: str
    mass: float
    least: float
    sure: float
    verdict: ProxyVerdict
    trials: int = 0
    naive: float = float("nan")
    within: float = float("nan")
    p_spread_early: float = float("nan")
    p_spread_late: float = float("nan")
    p_explained: float = float("nan")
    explained: Interval | None = None
    slope: Interval | None = None
    intercept: Interval | None = None
    left: Interval | None = None
    surely_above: float = float("nan")
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    line: pd.DataFrame = field(default_factory=pd.DataFrame)
    kind: OutcomeKind = "value"
    currency: str = ""
    reason: str = ""
    why_empty: str = ""

    def late_from(self, early: float) -> Interval:
        """Return the true late effect to expect at a true early effect, interpolated in `line`.

        Raises
        ------
        ParameterError
            When no trial had such an early effect.
        """
        known = self.line["early"]
        in_range(early, "early", ge=float(known.iloc[0]), le=float(known.iloc[-1]))
        value, low, high = (
            float(np.interp(early, known, self.line[c])) for c in ("late", "late_low", "late_high")
        )
        return Interval(value, low, high, self.mass, "prediction")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows: estimates of every trial."""
        return self.table

    def __repr__(self) -> str:
        return f"ProxyExam of {self.outcome}: {self.verdict} ({self.trials} trials)"
