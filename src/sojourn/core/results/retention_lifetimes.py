"""Frozen results about laws of lifetimes: what they say beyond follow-up, and who never leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval

#: Why only bounds are known of the share that never leaves; empty where it is known.
Reason = Literal["", "too few followed", "not slowing down", "followed too briefly", "not needed"]

#: A law nowhere farther than this from the counted curve describes it; so does one that chance allows.
CLOSE, CHANCE = 0.02, 0.05


@dataclass(frozen=True, slots=True)
class Stayers:
    """The share of members that never leaves, or the bounds between which it lies.

    Attributes
    ----------
    stays : Interval
        The share with its interval; where `reason` says why it is not known, 0 and the upper bound of the
        share still there at the end of follow-up.
    reason : str
        Why only bounds are known; empty where the share is.
    model : str
        Law of those who leave, or ``Kaplan-Meier`` where none of them describes the data.
    followed : int
        End of the follow-up that was judged.
    to_come : float
        Upper bound of those still to leave by twice `followed`, among all who leave by then; not a number
        where that cannot be judged.
    """

    stays: Interval
    reason: Reason
    model: str
    followed: int
    to_come: float

    @property
    def known(self) -> bool:
        """Whether a share is claimed."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Laws of how long members stay, fitted to the same cells.

    Attributes
    ----------
    unit : str
        Unit of durations since joining.
    mass : float
        Mass of all intervals.
    leaving : str
        ``cancellation`` or ``silence``.
    followed : int
        Longest duration the laws were fitted to; everything beyond is extrapolation.
    within : int
        Horizon of the remaining time.
    hidden : int
        Duration up to which laws saw the data when they were examined on the rest.
    table : DataFrame, one row per law, the best by AIC first
        ``model``, ``n_parameters``, ``at_once_share``, ``location``, ``scale``, ``shape`` (of the generalised
        gamma), ``stays_share`` (laws with stayers), ``log_likelihood``, ``aic``, ``aic_behind`` (the best),
        ``gap_points`` (largest distance to the counted curve), ``fit_p_value`` (chance of leavers so far from
        the law's if it holds), ``missed_points`` (foretold less counted share at `followed`, by the law
        fitted up to `hidden` only).
    readings : DataFrame, one row per law and duration
        ``model``, ``duration``, ``counted`` (Kaplan-Meier; missing beyond follow-up), ``retained`` by the law
        with ``_low`` and ``_high``, ``extrapolated``.
    remaining : DataFrame, one row per duration
        By the best law: ``duration`` already with us, expected further time within `within` as
        ``remaining`` with ``_low`` and ``_high``, ``extrapolated`` (whether it reaches beyond follow-up).
    stayers : Stayers or None
        Who never leaves.
    unfitted : tuple of str
        Laws that the data do not determine.
    counted_low, counted_high : float
        Bounds of the counted share at `followed`.
    why_empty : str
        Why there is no law; empty when there is.
    """

    unit: str
    mass: float
    leaving: str
    followed: int
    within: int
    hidden: int = 0
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    readings: pd.DataFrame = field(default_factory=pd.DataFrame)
    remaining: pd.DataFrame = field(default_factory=pd.DataFrame)
    stayers: Stayers | None = None
    unfitted: tuple[str, ...] = ()
    counted_low: float = float("nan")
    counted_high: float = float("nan")
    why_empty: str = ""

    @property
    def best(self) -> str:
        """Name of the law with the lowest AIC.

        Raises
        ------
        UndefinedError
            When no law was fitted.
        """
        if self.why_empty:
            raise UndefinedError(self.why_empty)
        return str(self.table["model"].iloc[0])

    @property
    def close(self) -> bool:
        """Whether the best law describes the counts: within `CLOSE` of them, or as near as chance allows."""
        if self.why_empty:
            return False
        best = self.table.iloc[0]
        return bool(best["gap_points"] <= CLOSE or best["fit_p_value"] >= CHANCE)

    def stays_to(self, age: int) -> Interval:
        """Return the expected further time, within `within`, of those with us for `age`.

        Raises
        ------
        UndefinedError
            When it was not asked for.
        """
        rows = self.remaining[self.remaining["duration"] == age] if len(self.remaining) else self.remaining
        if rows.empty:
            raise UndefinedError(f"Remaining time was not worked out for members of {age} {self.unit}s.")
        return Interval.of(rows.iloc[0], "remaining", self.mass, "wald")

    def drawn(self) -> pd.DataFrame:
        """Return one compact table: every law, how far from the counted curve, and what it extrapolates."""
        shown = self.table[["model", "aic_behind", "gap_points", "missed_points"]].copy()
        beyond = self.readings[self.readings["extrapolated"]]
        for duration, rows in beyond.groupby("duration"):
            by_model = rows.set_index("model")
            for end in ("", "_low", "_high"):
                named = f"retained_{self.unit}_{duration}{end}"
                shown[named] = by_model[f"retained{end}"].reindex(shown["model"]).to_numpy()
        return shown

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Lifetimes ({self.why_empty})"
        return f"Lifetimes ({len(self.table)} laws up to {self.followed} {self.unit}s, best: {self.best})"
