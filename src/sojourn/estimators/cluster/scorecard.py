"""Scorecards: whole points for ranges of a few measures, whose sum stands for a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.results.segments import Floats, Ints
from sojourn.estimators.cluster.shallow import FOLDS

#: Points of the measure that counts most reach from 0 to this.
MOST_POINTS = 20


@dataclass(frozen=True, slots=True)
class Card:
    """A scorecard.

    Attributes
    ----------
    columns : tuple of int
        Measures, the most telling first.
    points : tuple of tuple of int
        For each of them, points by number of range.
    cuts : tuple of int
        Rising sums at which the next band begins.
    """

    columns: tuple[int, ...]
    points: tuple[tuple[int, ...], ...]
    cuts: tuple[int, ...]

    def sums(self, bins: Ints) -> Ints:
        """Return the sum of points of every row."""
        given = [np.array(p)[bins[:, c]] for c, p in zip(self.columns, self.points, strict=True)]
        return np.asarray(np.sum(given, axis=0), dtype=np.int64)

    def assign(self, bins: Ints) -> Ints:
        """Return the band of every row, from 0."""
        return np.searchsorted(self.cuts, self.sums(bins), side="right").astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Rows whose score and band are to be told from ranges of measures.

    Attributes
    ----------
    bins : array (n, p)
        Numbers of ranges, from 0.
    score : array (n,)
        What points stand for.
    bands : array (n,)
        Bands of the score, from 0.
    levels : tuple of int
        Number of ranges of each measure.
    """

    bins: Ints
    score: Floats
    bands: Ints
    levels: tuple[int, ...]

    def only(self, rows: NDArray[np.bool_]) -> Ranked:
        """Return some rows."""
        return Ranked(self.bins[rows], self.score[rows], self.bands[rows], self.levels)


def telling_columns(ranked: Ranked, most: int) -> tuple[int, ...]:
    """Return the measures that tell most of the score, each chosen beside those before it.

    Notes
    -----
    Forward selection by the residual sum of squares of a linear model with a level for every range. Its sums
    are solved from counts of rows, so no order of rows enters but through the last bits of sums of scores.
    """
    levels = ranked.levels
    gram, right = _moments(ranked)
    chosen: list[int] = []
    free = [c for c in range(ranked.bins.shape[1]) if levels[c] > 1]
    while free and len(chosen) < most:
        told = [_told(gram, right, _places(levels, [*chosen, c])) for c in free]
        best = int(np.argmax(np.round(told, 9)))
        chosen.append(free.pop(best))
    return tuple(chosen)


def scorecard(ranked: Ranked, columns: Sequence[int], *, bands: int, smallest: int) -> Card:
    """Return points for ranges of some measures, and the sums at which bands begin.

    Parameters
    ----------
    ranked : Ranked
        Rows that teach.
    columns : sequence of int
        The measures.
    bands : int
        Number of bands.
    smallest : int
        Every band holds at least so many rows where sums allow it.

    Notes
    -----
    Points are least-squares levels in units of a twentieth of the widest reach, rounded; every cut puts as
    few rows as possible on the wrong side of it.
    """
    levels = ranked.levels
    gram, right = _moments(ranked)
    places = _places(levels, columns)
    worth = np.zeros(len(right))
    worth[places] = np.linalg.lstsq(gram[np.ix_(places, places)], right[places], rcond=1e-12)[0]
    starts = _starts(levels)
    reaches = [worth[starts[c] : starts[c] + levels[c]] for c in columns]
    unit = max(float(np.ptp(reach)) for reach in reaches) / MOST_POINTS or 1.0
    points = tuple(_whole((reach - reach.min()) / unit) for reach in reaches)
    uncut = Card(tuple(columns), points, ())
    return Card(uncut.columns, points, _cuts(uncut.sums(ranked.bins), ranked.bands, bands, smallest))


def card_agreements(ranked: Ranked, columns: Sequence[int], *, bands: int, smallest: int) -> Floats:
    """Return the share of rows (0-1) whose band other rows taught, for cards of more and more measures."""
    fold = np.arange(len(ranked.bins)) % FOLDS
    same = np.zeros(len(columns))
    for i in range(FOLDS):
        taught, judged = ranked.only(fold != i), ranked.only(fold == i)
        for j in range(len(columns)):
            card = scorecard(taught, columns[: j + 1], bands=bands, smallest=smallest)
            same[j] += float((card.assign(judged.bins) == judged.bands).sum())
    return same / len(ranked.bins)


def _starts(levels: Sequence[int]) -> Ints:
    """Return where the ranges of each measure begin among all columns, after the intercept."""
    return np.asarray(1 + np.concatenate([[0], np.cumsum(levels)[:-1]]), dtype=np.int64)


def _moments(ranked: Ranked) -> tuple[Floats, Floats]:
    """Return products of an intercept and a column for every range with each other and with the score."""
    wide = np.zeros((len(ranked.bins), 1 + sum(ranked.levels)))
    wide[:, 0] = 1
    for start, column in zip(_starts(ranked.levels), ranked.bins.T, strict=True):
        wide[np.arange(len(wide)), start + column] = 1
    return np.asarray(wide.T @ wide), np.asarray(wide.T @ (ranked.score - ranked.score.mean()))


def _places(levels: Sequence[int], columns: Sequence[int]) -> Ints:
    """Return the intercept and the columns of some measures, without the first range of each."""
    starts = _starts(levels)
    inside = [np.arange(starts[c] + 1, starts[c] + levels[c]) for c in columns]
    return np.asarray(np.concatenate([[0], *inside]), dtype=np.int64)


def _told(gram: Floats, right: Floats, places: Ints) -> float:
    """Return the sum of squares that a linear model explains."""
    worth = np.linalg.lstsq(gram[np.ix_(places, places)], right[places], rcond=1e-12)[0]
    return float(worth @ right[places])


def _whole(points: Floats) -> tuple[int, ...]:
    """Return points rounded, halves upwards, whatever their last bits are."""
    return tuple(int(value) for value in np.floor(np.round(points, 9) + 0.5))


def _cuts(sums: Ints, bands: Ints, number: int, smallest: int) -> tuple[int, ...]:
    cuts: list[int] = []
    for band in range(1, number):
        before = cuts[-1] if cuts else int(sums.min())
        possible = [int(c) for c in np.unique(sums) if c > before]
        allowed = [c for c in possible if _roomy(sums, before, c, (number - band) * smallest, smallest)]
        wrong = [_wrong(sums, bands, c, band) for c in allowed or possible]
        cuts.append((allowed or possible)[int(np.argmin(wrong))] if wrong else before + 1)
    return tuple(cuts)


def _roomy(sums: Ints, before: int, cut: int, rest: int, smallest: int) -> bool:
    return int(((sums >= before) & (sums < cut)).sum()) >= smallest and int((sums >= cut).sum()) >= rest


def _wrong(sums: Ints, bands: Ints, cut: int, band: int) -> int:
    return int(((sums >= cut) != (bands >= band)).sum())
