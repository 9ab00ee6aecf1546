"""Cells of one outcome as arrays of schemes by strata, and what they say without any model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.core.privacy import base_of
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.model import CellData

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arms:
    """Sums of one outcome; every array is schemes (control first) by strata.

    Attributes
    ----------
    kind : str
        ``binary`` or ``value``.
    n : array
        Members.
    mean, variance : array
        Of one member's outcome, unbiased; a share and ``p (1 - p)`` for a binary outcome.
    third : array
        Third central moment of one member's outcome.
    standard : array (strata,), optional
        Shares of strata to standardise to, where it is not those of these arms' own members.
    counted : array, optional
        Members, where `n` is what their blurred counts are worth (private cases).
    """

    kind: str
    n: Floats
    mean: Floats
    variance: Floats
    third: Floats
    standard: Floats | None = None
    counted: Floats | None = None

    @property
    def members(self) -> Floats:
        """Members of every scheme and stratum."""
        return self.n if self.counted is None else self.counted

    @property
    def weights(self) -> Floats:
        """Share of every stratum among all members: what results are standardised to."""
        weights: Floats = (
            self.members.sum(axis=0) / self.members.sum() if self.standard is None else self.standard
        )
        return weights

    def pair(self, scheme: int) -> Arms:
        """Return control and one scheme alone, standardised to the strata of all members."""
        n, mean, variance, third = (t[[0, scheme]] for t in (self.n, self.mean, self.variance, self.third))
        counted = None if self.counted is None else self.counted[[0, scheme]]
        return Arms(self.kind, n, mean, variance, third, self.weights, counted)

    def standardised(self) -> tuple[Floats, Floats]:
        """Return mean of every scheme over `weights`, and the variance of that mean."""
        return self.mean @ self.weights, (self.variance / self.n) @ self.weights**2

    def skewness(self) -> Floats:
        """Return the skewness of every scheme's difference from control, as an estimate (schemes - 1)."""
        variance, third = (
            (self.variance / self.n) @ self.weights**2,
            (self.third / self.n**2) @ self.weights**3,
        )
        skewed: Floats = (third[1:] - third[0]) / (variance[1:] + variance[0]) ** 1.5
        return skewed

    def pooled_skewness(self) -> Floats:
        """Return the skewness of every scheme's mean, by moments pooled over schemes (schemes)."""
        variance, third = ((self.n * m).sum(axis=0) / self.n.sum(axis=0) for m in (self.variance, self.third))
        of_mean = (variance / self.n) @ self.weights**2
        skewed: Floats = np.abs((third / self.n**2) @ self.weights**3) / of_mean**1.5
        return skewed

    def smoothed_variance(self) -> Floats:
        """Return variances as stratum times scheme: a small cell's own variance goes with its mean.

        A stratum's variance is pooled over schemes, and multiplied by the scheme's ratio pooled over strata.
        """
        freedom = self.n - 1
        of_stratum = (freedom * self.variance).sum(axis=0) / freedom.sum(axis=0)
        ratio = (freedom * self.variance).sum(axis=1) / (freedom * of_stratum).sum(axis=1)
        smoothed: Floats = ratio[:, None] * of_stratum
        return smoothed

    def cell_data(self) -> CellData:
        """Return what the likelihood needs: the counts themselves, or means with their known variances."""
        if self.kind == "binary":
            return CellData.binary(self.n, self.n * self.mean, self.weights)
        return CellData.value(self.mean, self.smoothed_variance() / self.n, self.weights)


def make_arms(trial: Trial, outcome: str, period: str | None = None) -> Arms:
    """Return the arms of one outcome, over all periods or of one.

    Raises
    ------
    UndefinedError
        When a scheme has no matured members in a stratum, or nothing varies.
    """
    cells = trial.cells(outcome)
    if period is not None:
        cells = cells[cells["period"] == period]
    sums = {
        name: _grid(trial, cells, name)
        for name in cells.columns
        if name not in ("scheme", "stratum", "period")
    }
    if (sums["n"] < 2).any():
        raise UndefinedError(
            f"'{outcome}' of trial '{trial.name}' is not defined: "
            "a scheme has fewer than two matured members in a stratum."
        )
    base = base_of(trial.meta)
    return _binary(sums["n"], sums["k"], outcome, base) if "k" in sums else _value(sums, outcome)


def _grid(trial: Trial, cells: pd.DataFrame, name: str) -> Floats:
    summed = cells.pivot_table(index="scheme", columns="stratum", values=name, aggfunc="sum", fill_value=0)
    grid: Floats = summed.reindex(
        index=list(trial.schemes), columns=list(trial.strata), fill_value=0
    ).to_numpy(float)
    return grid


def _binary(n: Floats, k: Floats, outcome: str, base: int) -> Arms:
    if k.sum() in (0, n.sum()):
        raise UndefinedError(f"'{outcome}' is the same for every member, so there is nothing to compare.")
    p = k / n
    worth = n / blur_of_shares(n, p, base)
    return Arms("binary", worth, p, p * (1 - p), p * (1 - p) * (1 - 2 * p), counted=n if base else None)


def blur_of_shares(n: Floats, p: Floats, base: int) -> Floats:
    """Return by what factor rounding k to multiples of `base` enlarges the variance of a share.

    The rounding error is about uniform: it adds base² / (12 n²) to p (1 - p) / n. A share of 0 or 1 is taken
    as half a step away from it. Cells of values carry the variance of their rounding in their squares.
    """
    inside = np.clip(p, base / (2 * n), 1 - base / (2 * n)) if base else p
    with np.errstate(divide="ignore", invalid="ignore"):
        added = base**2 / (12 * n * inside * (1 - inside))
    return 1 + (added if base else np.zeros_like(n))


def _value(sums: dict[str, Floats], outcome: str) -> Arms:
    n = sums["n"]
    mean, square, cube = (sums[name] / n for name in ("total", "total_sq", "total_cube"))
    variance = np.maximum(square - mean**2, 0) * n / (n - 1)
    if not variance.any(axis=0).all() or not variance.any(axis=1).all():
        raise UndefinedError(
            f"'{outcome}' is the same for every member of a scheme or stratum: nothing to compare."
        )
    return Arms("value", n, mean, variance, cube - 3 * mean * square + 2 * mean**3)
