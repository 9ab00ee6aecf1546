"""Lifetimes as counts: between which durations members left, or how long they are known to have stayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import DataError
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IntervalCells:
    """Counts of members by what is known of their lifetime T; days, months and wider cells are all the same.

    Attributes
    ----------
    left, right : array of float, equal lengths
        ``left < right``: left < T <= right. ``right`` infinite: T > left. ``left == right``: T is exactly
        that; at 0 it means leaving at once, which is a point of its own (see `sojourn...parametric`).
    entry : array of float
        Seen only because T > entry; negative: seen from joining on, leaving at once included.
    n : array of float
        How many members.
    """

    left: Floats
    right: Floats
    entry: Floats
    n: Floats

    def __post_init__(self) -> None:
        arrays = [np.asarray(getattr(self, name), dtype=np.float64) for name in self.__slots__]
        for name, array in zip(self.__slots__, arrays, strict=True):
            object.__setattr__(self, name, array)
        left, right, entry, n = arrays
        at_once = (left == 0) & (right == 0)
        good = (
            (left >= 0)
            & (left <= right)
            & np.isfinite(left)
            & ((entry <= left) | at_once)
            & ((entry < left) | (right > left))
            & (n >= 0)
            & np.isfinite(n)
        )
        if not bool(good.all()):
            bad = int(np.argmin(good))
            raise DataError(
                f"interval cells: {int((~good).sum())} of {len(n)} rows are no intervals, for example left "
                f"{left[bad]:g}, right {right[bad]:g}, entry {entry[bad]:g}, n {n[bad]:g}. "
                "Needed: entry <= left <= right, left >= 0, n >= 0; who leaves at 0 has a negative entry."
            )


def daily_cells(risk: RiskSet) -> IntervalCells:
    """Return the cells of a risk set on whole durations: leaving on day d means d - 1 < T <= d.

    Notes
    -----
    The likelihood of late entry is a quotient, so numbers at risk are enough: each day is its own cell, of
    those who left on it among those at risk, and all who did not. The rows add up to member-days.
    """
    day = np.arange(len(risk), dtype=np.float64)
    before = np.where(day == 0, -1.0, day - 1)
    gone = (np.maximum(before, 0.0), day, before, risk.churned)
    stayed = (day, np.full(len(day), np.inf), before, risk.at_risk - risk.churned)
    parts = [np.concatenate([a, b]).astype(np.float64) for a, b in zip(gone, stayed, strict=True)]
    seen = parts[3] > 0
    return IntervalCells(*(part[seen] for part in parts))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a likelihood needs of interval cells, each duration once.

    Attributes
    ----------
    low, high, within : arrays
        Finite intervals after 0, and how many left in each.
    exact, at_exact : arrays
        Exact lifetimes after 0, and how many.
    time, beyond : arrays
        Durations, and how many are known to have stayed longer, less those seen only for that reason.
    at_once, from_joining : float
        Members who left at 0, and all who were seen from joining on.
    """

    low: Floats
    high: Floats
    within: Floats
    exact: Floats
    at_exact: Floats
    time: Floats
    beyond: Floats
    at_once: float
    from_joining: float

    @property
    def events(self) -> float:
        """Members who left after 0."""
        return float(self.within.sum() + self.at_exact.sum())

    @property
    def longest(self) -> float:
        """Longest duration about which anything is known."""
        return float(max((part.max() for part in (self.high, self.exact, self.time) if len(part)), default=0))


def terms_of(cells: IntervalCells) -> Terms:
    """Return the terms of cells; merged, split or reordered rows give the same."""
    left, right, entry, n = cells.left, cells.right, cells.entry, cells.n
    zero = (right == 0) & (n > 0)
    inside = np.isfinite(right) & (right > left) & (n > 0)
    point = (right == left) & (right > 0) & (n > 0)
    stayed, late = ~np.isfinite(right) & (left > 0), entry > 0
    pairs, within = _added(np.column_stack([left, right])[inside], n[inside])
    exact, at_exact = _added(left[point, None], n[point])
    where = np.concatenate([left[stayed], entry[late]])
    time, beyond = _added(where[:, None], np.concatenate([n[stayed], -n[late]]))
    used = beyond != 0
    at_once, joined = float(n[zero].sum()), float(n[entry < 0].sum())
    return Terms(
        pairs[:, 0],
        pairs[:, 1],
        within,
        exact[:, 0],
        at_exact,
        time[used, 0],
        beyond[used],
        at_once,
        joined,
    )


def _added(keys: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return each key once, in order, with the sum of its counts."""
    unique, place = np.unique(keys, axis=0, return_inverse=True)
    total = np.zeros(len(unique))
    np.add.at(total, place.reshape(-1), n)
    return unique.reshape(-1, keys.shape[1]), total
