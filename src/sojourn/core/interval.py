"""An estimate with its interval, which never travels without its mass and kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sojourn.core.ranges import in_range

if TYPE_CHECKING:
    import pandas as pd

Scale = Literal["log-log", "plain", "log", "logit", "arcsin"]
Kind = Scale | Literal["eti", "hdi", "wald", "bootstrap", "exact", "prediction", "profile"]

#: How each kind of interval is called in a sentence.
KIND_WORDS: dict[str, str] = {
    "eti": "credible interval",
    "hdi": "highest-density interval",
    "log-log": "confidence interval",
    "plain": "confidence interval",
    "log": "confidence interval",
    "logit": "confidence interval",
    "arcsin": "confidence interval",
    "wald": "confidence interval",
    "bootstrap": "bootstrap interval",
    "exact": "exact confidence interval",
    "prediction": "prediction interval",
    "profile": "confidence interval",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its interval.

    Attributes
    ----------
    value, low, high : float
        Estimate and bounds, in the unit of the result that holds them.
    mass : float
        Probability mass, in (0, 1).
    kind : str
        How it was made; see `KIND_WORDS`.
    """

    value: float
    low: float
    high: float
    mass: float
    kind: Kind

    def __post_init__(self) -> None:
        in_range(self.mass, "mass", gt=0, lt=1)

    @property
    def label(self) -> str:
        """Mass and kind in words, for example ``95 % credible interval``."""
        return label(self.mass, self.kind)

    @classmethod
    def of(cls, row: Mapping[Any, Any] | pd.Series, column: str, mass: float, kind: Kind) -> Interval:
        """Return the interval that a row of a result holds in ``column``, ``column_low``, ``column_high``."""
        value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
        return cls(value, low, high, mass, kind)

    def size(self) -> Interval:
        """Return the interval of the size of a difference: turned around where the estimate is below 0."""
        if self.value >= 0:
            return self
        return Interval(-self.value, -self.high, -self.low, self.mass, self.kind)

    def scaled(self, factor: float) -> Interval:
        """Return the same interval in another unit (`factor` > 0)."""
        in_range(factor, "factor", gt=0)
        return Interval(self.value * factor, self.low * factor, self.high * factor, self.mass, self.kind)


def label(mass: float, kind: Kind) -> str:
    """Say mass and kind of intervals in words.

    Examples
    --------
    >>> label(0.95, "eti")
    '95 % credible interval'
    """
    return f"{mass * 100:g} % {KIND_WORDS[kind]}"
