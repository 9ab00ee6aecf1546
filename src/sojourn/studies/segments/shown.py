"""Numbers of a segment as they may be shown: exact in public cases, in steps of the base in private ones.

The sample behind them holds single members (`sojourn.data.protection.segments`). So sizes are multiples of
the base, shares are made of these, and a mean comes in steps of base times cap over size, as if its sum were
counted in multiples of the base: at that resolution no fewer members than the base show. Intervals are
widened by the variance of the rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.normal import standard_errors
from sojourn.core.privacy import base_of, cap_of, nearest, to_multiples
from sojourn.core.results.segments import Floats
from sojourn.estimators.cluster.intervals import LEAST, jeffreys, mean_interval

#: Value, lower and upper bound.
type Bounded = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shown:
    """How numbers are shown.

    Attributes
    ----------
    base : int
        Smallest group of a private case; 0 in public ones, whose numbers are exact.
    mass : float
        Mass of all intervals.
    """

    base: int
    mass: float

    @classmethod
    def of(cls, meta: Mapping[str, Any], mass: float) -> Shown:
        """Return how the numbers of some cells are shown."""
        return cls(base_of(meta), mass)

    def size(self, n: int) -> int:
        """Return a number of members."""
        return int(to_multiples(n, self.base)) if self.base else n

    def share(self, k: int, n: int) -> Bounded:
        """Return the share of `k` among `n` members, with its Jeffreys interval."""
        if not self.base:
            return (k / n, *self._interval(k, n))
        told = self.size(n)
        part = min(int(nearest(k * told // n, self.base)), told)
        p = part / told
        inside = min(max(p, self.base / (2 * told)), 1 - self.base / (2 * told))
        worth = told / (1 + self.base**2 / (12 * told * inside * (1 - inside)))
        return (p, *self._interval(p * worth, worth))

    def _interval(self, k: float, n: float) -> tuple[float, float]:
        low, high = jeffreys(k, n, self.mass)
        return float(low), float(high)

    def mean(self, values: Floats, everyone: Floats) -> Bounded:
        """Return the mean of a segment's values, with its interval.

        Parameters
        ----------
        values, everyone : array of float
            Of the segment's members, and of all who are judged: their cap is that of everyone.

        Notes
        -----
        Where all are the same there are no bounds (`mean_interval`); in private cases, where that would tell
        what each member did, they are those of the rounding. Of few amounts there are none in any case.
        """
        if not self.base:
            return mean_interval(values, self.mass)
        cap = self.cap(everyone)
        step = self.base * cap / self.size(len(values))
        if step == 0:
            return 0.0, math.nan, math.nan
        value, low, high = mean_interval(np.clip(values, -cap, cap), self.mass)
        shown = math.floor(value / step + 0.5) * step
        if values.min() >= 0 and self.size(int((values > 0).sum())) < LEAST:
            return shown, math.nan, math.nan
        sampling = 0.0 if math.isnan(low) else (high - low) / 2
        rounding = standard_errors(self.mass) * step / math.sqrt(12)
        reach = _upwards(math.hypot(sampling, rounding))
        return shown, shown - reach, shown + reach

    def middle(self, values: Floats) -> float:
        """Return the mean of values of which none is an outlier, such as the middle half of some.

        In private cases in steps of the base times their largest size (rounded up to two digits) over their
        number: values there are shared by at least as many members as the base (`sojourn.data.protection`).
        """
        mean = float(values.mean())
        if not self.base:
            return mean
        step = self.base * _upwards(float(np.abs(values).max())) / self.size(len(values))
        return math.floor(mean / step + 0.5) * step if step else 0.0

    def difference(self, values: Floats, inside: NDArray[np.bool_]) -> Bounded:
        """Return how far a segment's mean lies from everyone's, in standard deviations, with its interval.

        Parameters
        ----------
        values : array of float
            Of all who are judged; not all alike.
        inside : array of bool
            Members of the segment, some of `values`.

        Notes
        -----
        Normal approximation with the influence of every member on both means and on the standard deviation
        (Hampel 1974, J. Am. Stat. Assoc. 69, 383-393): a segment is a part of everyone.
        """
        if not self.base:
            error = _influence_error(values, inside)
            difference = (float(values[inside].mean()) - float(values.mean())) / self.spread(values)
            return difference, *_around(difference, standard_errors(self.mass) * error)
        cap, spread = self.cap(values), self.spread(values)
        means = [self.mean(part, values)[0] for part in (values[inside], values)]
        steps = [self.base * cap / self.size(n) / spread for n in (int(inside.sum()), len(values))]
        rounding = math.hypot(*steps) / math.sqrt(12)
        counted = np.clip(values, -cap, cap)
        error = _influence_error(counted, inside) if np.ptp(counted) else 0.0
        reach = _upwards(standard_errors(self.mass) * math.hypot(error, rounding))
        difference = (means[0] - means[1]) / spread
        return difference, *_around(difference, reach)

    def cap(self, everyone: Floats) -> float:
        """Return the largest size of a value that counts in full: none in public cases."""
        if not self.base:
            return math.inf
        return float(cap_of([Decimal(repr(float(size))) for size in np.abs(everyone)], self.base))

    def total(self, values: Floats, cap: float) -> float:
        """Return a sum of values of which none is larger than their cap: in steps of base times cap."""
        if not self.base:
            return float(values.sum())
        step = self.base * cap
        return math.floor(float(values.sum()) / step + 0.5) * step if step else 0.0

    def rounding(self, cap: float) -> float:
        """Return the standard deviation that steps add to a sum."""
        return self.base * cap / math.sqrt(12) if self.base else 0.0

    def scores(
        self, table: pd.DataFrame, n: int, *, shares: Sequence[str] = ("smallest_share",)
    ) -> pd.DataFrame:
        """Return a table of scores as it may be shown: of private cases in hundredths, shares in steps.

        Parameters
        ----------
        table : DataFrame
            Scores of the `n` members together.
        n : int
            Number of members behind them.
        shares : sequence of str
            Columns that are shares of the members.
        """
        if not self.base:
            return table
        coarse, step = table.round(2), self.base / max(self.size(n), self.base)
        for share in table.columns.intersection(list(shares)):
            coarse[share] = np.clip(np.round(table[share] / step) * step, 0, 1)
        return coarse

    def score(self, value: float) -> float:
        """Return one score of many members together: in hundredths in private cases."""
        return round(value, 2) if self.base else value

    def error(self, error: float) -> float:
        """Return a standard error: rounded up to two digits in private cases."""
        return _upwards(error) if self.base else error

    def spread(self, everyone: Floats) -> float:
        """Return the standard deviation of all who are judged."""
        exact = float(everyone.std())
        return _upwards(exact) if self.base else exact


def _influence_error(values: Floats, inside: NDArray[np.bool_]) -> float:
    """Return the standard error of a segment's standardised difference from everyone."""
    centred = (values - values.mean()) / values.std()
    difference = float(centred[inside].mean())
    from_segment = np.where(inside, centred - difference, 0.0) / inside.mean()
    influence = from_segment - centred - difference / 2 * (centred**2 - 1)
    return float(influence.std() / math.sqrt(len(values)))


def _around(value: float, reach: float) -> tuple[float, float]:
    return value - reach, value + reach


def _upwards(value: float) -> float:
    """Return a positive number rounded up to two digits."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
