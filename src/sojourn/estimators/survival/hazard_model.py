"""A discrete-time hazard model on cells pattern x week, exact in days.

Within a piece of time (a week) the hazard of a pattern is constant: exp(a_week + x b) a day. Leaving is known
by day, so a member at risk on a day stays with probability exp(-m) and leaves with 1 - exp(-m), m being that
hazard: the complementary log-log model (Prentice & Gloeckler 1978, Biometrika 34, 57-67), whose b are the
logarithms of hazard ratios of Cox's model. Of a pattern and piece only two numbers matter: how many left, and
the sum over days of those at risk. Members censored within a week count for the days they were seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.design import PatternCells
from sojourn.estimators.survival.newton import At, maximum

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

WEEK = 7


@dataclass(frozen=True, slots=True)
class Exposure:
    """Sufficient cells of the model.

    Attributes
    ----------
    edges : array of int, pieces + 1
        Piece k holds days ``edges[k] + 1`` to ``edges[k + 1]``; the first edge is -1 where somebody left on
        day 0, which then is a piece of its own.
    churned, at_risk : array, patterns x pieces
        How many left, and the sum over days of members at risk.
    """

    edges: Counts
    churned: Floats
    at_risk: Floats


@dataclass(frozen=True, slots=True)
class HazardModel:
    """A fitted hazard model.

    Attributes
    ----------
    edges : array of int, pieces + 1
        As in `Exposure`.
    theta : array
        Coefficients: one logarithm of the daily baseline hazard per piece, then effects.
    covariance : array
        Of `theta`.
    effects : array of int, pieces x terms
        Place in `theta` of the effect of a term in a piece: the same in all, or one per period.
    log_likelihood : float
        Of the rows.
    churned : int
        How many left.
    """

    edges: Counts
    theta: Floats
    covariance: Floats
    effects: Counts
    log_likelihood: float
    churned: int

    @property
    def coefficients(self) -> Floats:
        """Effects (logarithms of hazard ratios), in the order of their places in `theta`."""
        return self.theta[len(self.edges) - 1 :]

    @property
    def se(self) -> Floats:
        """Standard errors of `coefficients`."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))[len(self.edges) - 1 :]

    @property
    def followed_to(self) -> int:
        """Last day for which there is a hazard."""
        return int(self.edges[-1])

    def hazards(self, x: Floats) -> Floats:
        """Return the daily hazard, rows of `x` x pieces."""
        return np.asarray(np.exp(_predictor(self.theta, self.effects, x)))

    def cumulative(self, x: Floats, age: Counts) -> Floats:
        """Return the cumulative hazard after day `age` of each row of `x` (one age per row, or one for all).

        Raises
        ------
        UndefinedError
            When somebody's age lies beyond the days followed.
        """
        return np.asarray((self.hazards(x) * self.days(np.broadcast_to(age, len(x)))).sum(axis=1))

    def days(self, age: Counts) -> Floats:
        """Return how many days up to and with `age` lie in each piece, ages x pieces."""
        ages = np.atleast_1d(np.asarray(age, dtype=np.float64))
        if ages.max(initial=0) > self.followed_to:
            raise UndefinedError(
                f"The hazard is known to day {self.followed_to}; day {int(ages.max())} lies beyond."
            )
        return np.clip(ages[:, None] - self.edges[:-1], 0, np.diff(self.edges))


def stays(model: HazardModel, x: Floats, days: Counts) -> Floats:
    """Return the probability of being with us after `days` since joining, for each row of `x`."""
    return np.asarray(np.exp(-model.cumulative(x, days)))


def leaves_within(model: HazardModel, x: Floats, age: Counts, days: int) -> Floats:
    """Return the probability of leaving within the next `days`, for each row of `x`.

    Parameters
    ----------
    model : HazardModel
        Fitted.
    x : array, rows x terms
        Covariates (`Design.encode`).
    age : array of int, one entry per row, or one number
        Whole days since joining that each has been with us.
    days : int
        How far to look.

    Raises
    ------
    UndefinedError
        When ``age + days`` lies beyond the days followed.
    """
    age = np.broadcast_to(np.asarray(age, dtype=np.int64), len(x))
    ahead = model.days(age + days) - model.days(age)
    return np.asarray(-np.expm1(-(model.hazards(x) * ahead).sum(axis=1)))


def exposure(
    cells: PatternCells,
    patterns: int,
    *,
    width: int = WEEK,
    cuts: Sequence[int] = (),
    periods: Sequence[int] = (),
) -> Exposure:
    """Return the sufficient cells.

    Parameters
    ----------
    cells : PatternCells
        Counts by pattern and day.
    patterns : int
        Rows of the design.
    width : int
        Length of a piece in days. Pieces in which nobody left are joined with the next (the last with the one
        before).
    cuts : sequence of int
        Further days at which a piece ends.
    periods : sequence of int
        Days at which effects may change: pieces are not joined across them.

    Raises
    ------
    UndefinedError
        When nobody left, or nobody in one of the periods.
    """
    last = int(cells.day.max(initial=0))
    if not cells.churned.sum():
        raise UndefinedError("Nobody left: there is no hazard to model.")
    inner = {day for day in (*range(0, last, width), *cuts, *periods) if 0 < day < last}
    edges = np.array(sorted({-1, 0, last} | inner), dtype=np.int64)
    churned, at_risk = _counted(cells, patterns, edges)
    if not churned[:, 0].any():
        edges, churned, at_risk = edges[1:], churned[:, 1:], at_risk[:, 1:]
    return _joined(Exposure(edges, churned, at_risk), periods)


def _counted(cells: PatternCells, patterns: int, edges: Counts) -> tuple[Floats, Floats]:
    """Return leavers and days at risk, patterns x pieces.

    A mark on a day changes who is at risk on the days after it; who enters at 0 is at risk on day 0 too.
    """
    pieces = len(edges) - 1
    piece = np.searchsorted(edges, cells.day) - 1  # the piece that holds the day
    place = cells.pattern * pieces + piece

    def summed(values: Counts) -> Floats:
        total = np.bincount(place, values, minlength=patterns * pieces)
        return np.asarray(total, dtype=np.float64).reshape(patterns, pieces)

    change = cells.entered - cells.churned - cells.censored
    net = summed(change)
    rest = summed(change * (edges[piece + 1] - cells.day) + cells.entered * (cells.day == 0))
    before = np.cumsum(net, axis=1) - net
    return summed(cells.churned), before * np.diff(edges) + rest


def _joined(cells: Exposure, periods: Sequence[int]) -> Exposure:
    """Return cells whose pieces all have a leaver."""
    gone = cells.churned.sum(axis=0)
    fixed = [0, *(int(np.searchsorted(cells.edges, day)) for day in periods if day < cells.edges[-1])]
    starts: list[int] = []
    for first, end in zip(fixed, [*fixed[1:], len(gone)], strict=True):
        leaving = [piece for piece in range(first, end) if gone[piece]]
        if not leaving:
            raise UndefinedError(
                f"Nobody left after day {cells.edges[first]} up to day {cells.edges[end]}: there is no "
                "effect of that time."
            )
        starts += [first, *(piece + 1 for piece in leaving[:-1])]
    edges = cells.edges[[*starts, len(gone)]]
    return Exposure(
        edges, np.add.reduceat(cells.churned, starts, axis=1), np.add.reduceat(cells.at_risk, starts, axis=1)
    )


def hazard_model(
    cells: Exposure,
    x: Floats,
    *,
    names: Sequence[str] = (),
    periods: Sequence[int] = (),
    changing: Sequence[int] = (),
) -> HazardModel:
    """Return the model of greatest likelihood.

    Parameters
    ----------
    cells : Exposure
        Sufficient cells; made with the same `periods`.
    x : array, patterns x terms
        Covariates of every pattern.
    names : sequence of str, optional
        What terms are called in an error.
    periods : sequence of int
        Days at which the effects of `changing` terms change.
    changing : sequence of int
        Places of terms with one effect per period.

    Raises
    ------
    UndefinedError
        When an effect is not finite or cannot be told from others.
    """
    effects = _places(cells.edges, x.shape[1], periods, changing)
    centre = cells.churned.sum(axis=1) @ x / cells.churned.sum()
    moved = x - centre
    gone, risk = cells.churned.sum(axis=0), cells.at_risk.sum(axis=0)
    size = int(effects.max(initial=len(gone) - 1)) + 1
    start = np.concatenate([np.log(gone / np.maximum(risk - gone / 2, 0.5)), np.zeros(size - len(gone))])
    called = [f"the hazard of piece {k + 1}" for k in range(len(gone))] + _called(effects, names, size)
    theta, top = maximum(
        lambda at: _climb(cells, moved, effects, at), start, called, watched=size - len(gone)
    )
    covariance = np.linalg.inv(top.information)
    back = np.eye(size)  # undo the centring: a_week = a - centre b
    np.subtract.at(back, (np.arange(len(gone))[:, None], effects), centre)
    return HazardModel(
        cells.edges, back @ theta, back @ covariance @ back.T, effects, top.value, int(gone.sum())
    )


def _places(edges: Counts, terms: int, periods: Sequence[int], changing: Sequence[int]) -> Counts:
    """Return the place in theta of each term's effect, pieces x terms."""
    pieces = len(edges) - 1
    period = np.searchsorted(np.asarray(periods, dtype=np.int64), edges[1:], side="left")
    places = np.zeros((pieces, terms), dtype=np.int64)
    at = pieces
    for term in range(terms):
        several = term in changing
        places[:, term] = at + (period if several else 0)
        at += int(period.max()) + 1 if several else 1
    return places


def _called(effects: Counts, names: Sequence[str], size: int) -> list[str]:
    called = [""] * (size - len(effects))
    for term in range(effects.shape[1]):
        for place in np.unique(effects[:, term]):
            called[place - len(effects)] = names[term] if names else f"term {term + 1}"
    return called


def _predictor(theta: Floats, effects: Counts, x: Floats) -> Floats:
    return np.asarray(theta[: len(effects)] + x @ theta[effects].T)


def _climb(cells: Exposure, x: Floats, effects: Counts, theta: Floats) -> At:
    """Return log-likelihood, score and information.

    With m the hazard, q = 1 - exp(-m), d leavers and s days stayed: d log q - s m; derivatives by log m, with
    m / (exp(m) - 1) = m / q - m.
    """
    m = np.exp(_predictor(theta, effects, x))
    q = -np.expm1(-m)
    stayed = (cells.at_risk - cells.churned) * m
    value = float((cells.churned * np.log(q)).sum() - stayed.sum())
    by_q = m / q
    lost = cells.churned * (by_q - m)
    first = lost - stayed
    second = stayed + lost * (by_q - 1)
    return At(value, _score(first, x, effects, len(theta)), _information(second, x, effects, len(theta)))


def _score(first: Floats, x: Floats, effects: Counts, size: int) -> Floats:
    score = np.zeros(size)
    score[: len(effects)] = first.sum(axis=0)
    np.add.at(score, effects.ravel(), (first.T @ x).ravel())
    return score


def _information(second: Floats, x: Floats, effects: Counts, size: int) -> Floats:
    """Return the information; pieces with the same places of effects share one product x' diag(v) x."""
    matrix = np.zeros((size, size))
    pieces = np.arange(len(effects))
    matrix[pieces, pieces] = second.sum(axis=0)
    across = second.T @ x
    np.add.at(matrix, (pieces[:, None], effects), across)
    np.add.at(matrix, (effects, pieces[:, None]), across)
    kinds, of = np.unique(effects, axis=0, return_inverse=True)
    for kind, places in enumerate(kinds):
        weight = second[:, of.ravel() == kind].sum(axis=1)
        matrix[np.ix_(places, places)] += x.T @ (x * weight[:, None])
    return matrix
