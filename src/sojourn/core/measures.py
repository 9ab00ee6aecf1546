"""What members are measured by: whole numbers counted up to an instant, and quotients of them.

A measure is made of whole numbers by one division, which every engine and processor rounds alike. So a rule
that compares measures with bounds gives the same answer in Python, in DuckDB, on Spark and in a CRM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Days of a month, so that months are equally long.
MONTH = 30
#: Parts of the local day, six hours each from midnight on.
HOURS: tuple[str, ...] = ("night", "morning", "afternoon", "evening")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: what happened, and in which part of the product where that is known."""

    event: str
    feature: str | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """How members' doings are counted up to an instant; equal countings give equal columns.

    Attributes
    ----------
    trend_days : int
        The last so many days are set beside as many before them.
    min_tenure_days : int
        Members observed for less have no segment yet.
    kinds : tuple of Kind
        What the columns ``kind_1``, ``kind_2`` … count.
    families : tuple of str
        What is counted besides, as far as the case has it (`sojourn.data.features`).
    social : tuple of str
        Events that the column ``social`` counts.
    """

    trend_days: int
    min_tenure_days: int
    kinds: tuple[Kind, ...] = ()
    families: tuple[str, ...] = ()
    social: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        kinds = [{"event": kind.event, "feature": kind.feature} for kind in self.kinds]
        return {
            "trend_days": self.trend_days,
            "min_tenure_days": self.min_tenure_days,
            "kinds": kinds,
            "families": list(self.families),
            "social": list(self.social),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Counting:
        """Return what `to_plain` wrote."""
        kinds = tuple(Kind(kind["event"], kind["feature"]) for kind in plain["kinds"])
        families, social = tuple(plain["families"]), tuple(plain["social"])
        return cls(int(plain["trend_days"]), int(plain["min_tenure_days"]), kinds, families, social)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per member: ``times * (sum of plus - sum of minus) / over``, rounded once.

    Attributes
    ----------
    name : str
        Short name of the feature it tells of.
    words : str
        What it is, with its unit, as a page says it.
    plus, minus : tuple of str
        Columns of counts that are added and taken away.
    times : int
        Factor.
    over : str
        Column of counts that divides; empty: none. Where it is 0 the measure is 0.
    decimals : int
        Digits behind the point of the columns added (4 for money, which becomes whole numbers by them).
    """

    name: str
    words: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    times: int = 1
    over: str = ""
    decimals: int = 0

    def of(self, counts: pd.DataFrame) -> Floats:
        """Return the measure of every row of counts."""
        top = self.times * (self._sum(counts, self.plus) - self._sum(counts, self.minus))
        if not self.over and not self.decimals:
            return top.astype(np.float64)
        ones = np.ones(len(counts), dtype=np.int64)
        under = (counts[self.over].to_numpy(dtype=np.int64) if self.over else ones) * 10**self.decimals
        value: Floats = np.divide(top, under, out=np.zeros(len(counts)), where=under > 0)
        return value

    def _sum(self, counts: pd.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
        total = np.zeros(len(counts), dtype=np.int64)
        for name in names:
            total += self._whole(counts[name])
        return total

    def _whole(self, column: pd.Series[Any]) -> NDArray[np.int64]:
        if not self.decimals:
            return column.to_numpy(dtype=np.int64)
        if column.dtype.kind in "iuf":
            return _nearest(column.to_numpy(dtype=np.float64) * 10.0**self.decimals)
        scaled = [Decimal(str(value)).scaleb(self.decimals) for value in column]
        return np.array([int(one.to_integral_value(ROUND_HALF_UP)) for one in scaled], dtype=np.int64)

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "name": self.name,
            "words": self.words,
            "plus": list(self.plus),
            "minus": list(self.minus),
            "times": self.times,
            "over": self.over,
            "decimals": self.decimals,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Measure:
        """Return what `to_plain` wrote."""
        return cls(**{**plain, "plus": tuple(plain["plus"]), "minus": tuple(plain["minus"])})


def _nearest(values: Floats) -> NDArray[np.int64]:
    """Return the nearest whole numbers, halves away from 0: as engines round money that is held as floats."""
    whole = np.trunc(values)
    further = np.abs(values - whole) >= 0.5
    return np.asarray(whole + np.copysign(further, values), dtype=np.int64)
