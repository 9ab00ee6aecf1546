"""Frozen result of the gate: whether predictions held on what happened afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.check import Verdict


@dataclass(frozen=True, slots=True)
class Gate:
    """Predictions made from what was known earlier, beside what happened to these members since.

    Attributes
    ----------
    unit : str
        Unit of durations.
    model : str
        What predicted, in words.
    verdict : str
        ``pass``: predictions are as good as asked at every horizon; ``fail``; ``cannot be judged``: too few
        were held out for such an answer.
    ici_max : float
        Largest difference between predicted and observed shares that is allowed, on average over members.
    mass : float
        Mass below the upper bound of that difference.
    members : int
        Members held out.
    table : DataFrame, one row per horizon
        ``duration`` (time since the prediction), ``left``, ``p_predicted``, ``p_observed`` (shares who left),
        ``ratio`` (predicted over observed), ``ici`` with ``ici_high``, ``brier``, ``brier_plain`` (when all
        are told the observed share), ``auc`` with ``_low``, ``_high``, ``verdict``.
    bins : DataFrame
        What the picture shows, at the last horizon: members by predicted share, at most ten bins:
        ``members``, ``p_predicted``, ``p_observed`` with ``_low``, ``_high`` (exact).
    integrated_brier : float
        Mean Brier score over the time held out.
    d_calibration : float
        Largest distance of a tenth of the predicted distribution from one tenth, in shares.
    why_empty : str
        Why predictions could not be examined; empty when they were.
    leaving : str
        As in the curve.
    not_followed : tuple of int
        Horizons asked for that lie beyond the time held out.
    """

    unit: str
    model: str
    verdict: Verdict
    ici_max: float
    mass: float
    members: int = 0
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    bins: pd.DataFrame = field(default_factory=pd.DataFrame)
    integrated_brier: float = float("nan")
    d_calibration: float = float("nan")
    why_empty: str = ""
    leaving: str = "cancellation"
    not_followed: tuple[int, ...] = ()

    @property
    def open(self) -> bool:
        """Whether a forecast may be shown."""
        return self.verdict == "pass"

    def auc(self) -> Interval:
        """Return the discrimination at the last horizon."""
        return Interval.of(self.table.iloc[-1], "auc", 0.95, "wald")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows."""
        return self.bins

    def __repr__(self) -> str:
        return f"Gate for {self.model}: {self.verdict} ({self.members:,} members held out)"
