"""An estimate with its interval, which never travels without its mass and kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sojourn.core.ranges import in_range

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
        return f"{self.mass * 100:g} % {KIND_WORDS[self.kind]}"

    def scaled(self, factor: float) -> Interval:
        """Return the same interval in another unit (`factor` > 0)."""
        in_range(factor, "factor", gt=0)
        return Interval(self.value * factor, self.low * factor, self.high * factor, self.mass, self.kind)
