"""Aalen-Johansen: the shares found in each of several states after every whole duration.

Exact with ties, deterministic, and on the grid of whole durations itself: reading it off on a coarser grid
changes nothing. Competing risks are the case in which every state but the first is for good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.interval import Scale
from sojourn.core.normal import standard_errors
from sojourn.estimators.survival.intervals import Bounds, bounds

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Who is in which state when, and who moves, on a grid of whole durations from 0 up.

    Attributes
    ----------
    at_risk : array of int (days, ..., states)
        Members observed in each state just before the moves of that day.
    moves : array of int (days, ..., states, states)
        Moves of that day from one state (row) to another (column); its diagonal is 0.

    Notes
    -----
    Axes between the first and those of states hold populations that have nothing to do with each other.
    """

    at_risk: Counts
    moves: Counts

    def __len__(self) -> int:
        return len(self.at_risk)


@dataclass(frozen=True, slots=True)
class Occupation:
    """Shares in each state after the moves of every day, and time spent in each up to then.

    Attributes
    ----------
    share : array of float (days, ..., states)
        Probability of being in each state; sums to 1.
    covariance : array of float (days, ..., states, states)
        Of the shares of one day.
    time : array of float (days, ..., states)
        Mean time spent in each state up to that day, in days; sums to the day.
    time_se : array of float (days, ..., states)
        Its standard error where what happens next depends on the state alone (Markov); where it also depends
        on the past, times in a state vary more between members than that.
    """

    share: Floats
    covariance: Floats
    time: Floats
    time_se: Floats

    @property
    def se(self) -> Floats:
        """Standard errors of the shares."""
        return _roots(self.covariance)

    def se_of(self, weights: Floats) -> Floats:
        """Return the standard error of a weighted sum of shares, one weight per state."""
        weights = np.asarray(weights, dtype=np.float64)
        found: Floats = np.sqrt(np.maximum(self.covariance @ weights @ weights, 0.0))
        return found


def state_counts(entered: Counts, moves: Counts, ended: Counts) -> StateCounts:
    """Return numbers at risk from those who enter, move and are no longer observed.

    Parameters
    ----------
    entered, ended : array of int (days, ..., states)
        Members whose observation begins, and ends, in each state. Those who enter at 0 are at risk at 0,
        later ones from the next day on; observation ends after the moves of the day.
    moves : array of int (days, ..., states, states)
        As in `StateCounts`.
    """
    change = entered + moves.sum(axis=-2) - moves.sum(axis=-1) - ended
    present = np.cumsum(change, axis=0)
    return StateCounts(np.concatenate([entered[:1], present[:-1]]), moves)


def competing_risks(at_risk: Counts, gone: Counts) -> StateCounts:
    """Return counts of one state that is left for good in one of several ways.

    Parameters
    ----------
    at_risk : array of int (days, ...)
        Members observed just before the events of a day.
    gone : array of int (days, ..., ways)
        How many left in each way.
    """
    states = gone.shape[-1] + 1
    moves = np.zeros((*gone.shape[:-1], states, states), dtype=np.int64)
    moves[..., 0, 1:] = gone
    everywhere = np.zeros((*gone.shape[:-1], states), dtype=np.int64)
    everywhere[..., 0] = at_risk
    return StateCounts(everywhere, moves)


def aalen_johansen(counts: StateCounts, start: Floats) -> Occupation:
    """Return the product-limit estimate of the shares in each state, with its covariance.

    Parameters
    ----------
    counts : StateCounts
        Numbers at risk and moves; late entry is in the numbers at risk. Where nobody is at risk in a state,
        whoever is there is taken to stay.
    start : array of float (states,)
        Shares before the moves of day 0, known exactly.

    Notes
    -----
    Estimate: Aalen & Johansen (1978), Scand. J. Stat. 5, 141-150; as shares of states it holds for processes
    that are not Markov too, where observation ends at random (Datta & Satten 2001, Stat. Prob. Lett. 55,
    403-411). Covariance: the recursion of Andersen, Borgan, Gill & Keiding (1993), eq. 4.4.20, multinomial
    moves on each day: ``C(t) = M' C(t-1) M + sum_i p_i^2 (diag(m_i) - m_i m_i') / n_i`` with ``M`` the matrix
    of moves, ``m_i`` its rows. Without censoring it telescopes to the multinomial ``(diag(p) - p p') / n``,
    also where the process is not Markov. Time in a state: the area under its share, straight between whole
    days, since durations were rounded up; carried along in the same recursion.
    """
    steps = _steps(counts)
    share = np.broadcast_to(np.asarray(start, dtype=np.float64), steps.shape[1:-1])
    area = np.zeros_like(share)
    spread = np.zeros(steps.shape[1:])
    between, areas = spread, spread
    found = []
    for day, step in enumerate(steps):
        new = _multinomial(share, step, counts.at_risk[day])
        if day:
            half = (np.eye(step.shape[-1]) + step) / 2
            mixed = _t(half) @ between
            areas = areas + mixed + _t(mixed) + _t(half) @ spread @ half + new / 4
            between = _t(step) @ (between + spread @ half) + new / 2
            area = area + _row(share, half)
        spread = _t(step) @ spread @ step + new
        share = _row(share, step)
        found.append((share, spread, area, _roots(areas)))
    return Occupation(*(np.array(part) for part in zip(*found, strict=True)))


def share_bounds(share: Floats, se: Floats, mass: float, scale: Scale = "log-log") -> Bounds:
    """Return pointwise bounds of a share; not a number where it is 0 or 1, or its error is not known.

    Parameters
    ----------
    share, se : array of float
        Estimate and its standard error.
    mass : float
        Mass of the interval, in (0, 1).
    scale : str
        Scale of the interval (`sojourn.estimators.survival.intervals`), as ``survfit(conf.type = ...)``.
        Log-log for cumulative incidences: Choudhury (2002), Stat. Med. 21, 1129-1144.
    """
    known = (share > 0) & (share < 1) & (se > 0)
    relative = np.divide(se, share, out=np.full(share.shape, np.nan), where=known)
    return bounds(share, standard_errors(mass) * relative, scale)


def _steps(counts: StateCounts) -> Floats:
    """Return the matrices of moves of every day; rows sum to 1."""
    moves, at_risk = counts.moves.copy(), counts.at_risk[..., None]
    same = np.arange(moves.shape[-1])
    moves[..., same, same] = counts.at_risk - moves.sum(axis=-1)
    return np.divide(
        moves, at_risk, out=np.broadcast_to(np.eye(len(same)), moves.shape).copy(), where=at_risk > 0
    )


def _multinomial(share: Floats, step: Floats, at_risk: Counts) -> Floats:
    """Return what the moves of one day add to the covariance: sum of p^2 (diag(m) - m m') / n over states."""
    weight = np.divide(share**2, at_risk, out=np.zeros_like(step[..., 0]), where=at_risk > 0)
    on_diagonal = _row(weight, step)[..., None] * np.eye(step.shape[-1])
    added: Floats = on_diagonal - _t(step) @ (weight[..., None] * step)
    return added


def _row(vector: Floats, matrix: Floats) -> Floats:
    product: Floats = (vector[..., None, :] @ matrix)[..., 0, :]
    return product


def _t(matrix: Floats) -> Floats:
    return np.swapaxes(matrix, -1, -2)


def _roots(covariance: Floats) -> Floats:
    roots: Floats = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0))
    return roots
