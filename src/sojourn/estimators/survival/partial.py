"""Cox's partial likelihood on cells: by event day, in products of matrices patterns x event days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from sojourn.estimators.survival.design import PatternCells

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Ties = Literal["efron", "breslow"]

#: Event days whose numbers at risk are held as floats at once.
_DAYS_AT_ONCE = 256
#: Up to so many leavers of a day are summed one by one, more of them at so many shares.
FEW = 20
#: Part of the weight at risk that may leave on a day for sums at few shares: the error is below 1e-16 then.
_MOST_TIED = 0.8


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of ties, 0 to 1, over which sums over leavers are taken.

    Attributes
    ----------
    day : array of int
        Event day (place among them).
    share : array
        The l-th of d leavers has (l - 1) / d.
    count : array
        For how many leavers it stands.
    """

    day: Counts
    share: Floats
    count: Floats

    def only(self, kept: NDArray[np.bool_]) -> Shares:
        """Return some of them."""
        return self if kept.all() else Shares(self.day[kept], self.share[kept], self.count[kept])


def shares_of(churned: Counts) -> Shares:
    """Return shares at which sums over the leavers of each day are exact, up to degree 2 `FEW` - 1.

    Nodes and counts of Gauss' quadrature for a sum over 0, ..., d - 1, from the recurrence of the discrete
    Chebyshev polynomials (Golub & Welsch 1969, Math. Comput. 23, 221-230); so the cost of ties does not
    depend on how many leave.
    """
    few, day = np.minimum(churned, FEW), np.repeat(np.arange(len(churned)), np.minimum(churned, FEW))
    rank = np.arange(len(day)) - np.repeat(np.cumsum(few) - few, few)
    share, count = rank / churned[day], np.ones(len(day))
    sizes, place = np.unique(churned[churned > FEW], return_inverse=True)
    if len(sizes):
        k, d = np.arange(1, FEW), sizes[:, None].astype(np.float64)
        beside = k * np.sqrt((d - k) * (d + k) / (4 * k**2 - 1)) / 2
        matrix = np.zeros((len(sizes), FEW, FEW))
        matrix[:, k - 1, k] = matrix[:, k, k - 1] = beside
        nodes, vectors = np.linalg.eigh(matrix)
        many = churned[day] > FEW
        share[many] = ((nodes + (d - 1) / 2) / d)[place].ravel()
        count[many] = (d * vectors[:, 0, :] ** 2)[place].ravel()
    return Shares(day, share, count)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Members who share a baseline hazard.

    Attributes
    ----------
    patterns : array of int
        Rows of the design that occur.
    days : array of int, event days
        Days on which somebody left.
    churned : array of int, event days
        How many.
    at_risk : array of int, patterns x event days
        Members at risk.
    gone : sparse array, patterns x event days
        Members who left.
    shares : Shares
        Over which sums over the leavers of a day are taken.
    """

    patterns: Counts
    days: Counts
    churned: Counts
    at_risk: NDArray[np.int32]
    gone: csr_array
    shares: Shares

    def before(self, weights: Floats) -> Floats:
        """Return sums over members at risk, event days x columns of `weights` (patterns x columns)."""
        parts = [self.at_risk[:, cut].T.astype(np.float64) @ weights for cut in self._cuts()]
        return np.concatenate(parts)

    def over(self, daily: Floats) -> Floats:
        """Return sums over event days, patterns x columns of `daily` (event days x columns)."""
        total = np.zeros((len(self.patterns), daily.shape[1]))
        for cut in self._cuts():
            total += self.at_risk[:, cut].astype(np.float64) @ daily[cut]
        return total

    def _cuts(self) -> Iterator[slice]:
        return (slice(a, a + _DAYS_AT_ONCE) for a in range(0, len(self.days), _DAYS_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of the partial likelihood at some coefficients, by event day of one stratum.

    Attributes
    ----------
    weight : array, patterns
        exp of the linear predictor.
    risk, tied : array, event days x terms
        Sums of weight times covariates over members at risk, and over those who leave.
    log : array, event days
        Sum over leavers of the logarithm of their denominator.
    once, scaled : array, event days
        Sum over leavers of 1, and of their share of ties, by the denominator.
    square, cross, corner : array, event days
        Sums of 1, the share of ties and its square by the squared denominator.
    """

    weight: Floats
    risk: Floats
    tied: Floats
    log: Floats
    once: Floats
    scaled: Floats
    square: Floats
    cross: Floats
    corner: Floats


def strata_of(cells: PatternCells, strata: Counts | None, patterns: int) -> list[Stratum]:
    """Return cells as numbers at risk on event days.

    Parameters
    ----------
    cells : PatternCells
        Counts by pattern and day.
    strata : array of int, one entry per pattern, optional
        Which baseline hazard a pattern has; one for all when not stated.
    patterns : int
        Rows of the design.
    """
    of = np.zeros(patterns, dtype=np.int64) if strata is None else np.asarray(strata)
    found = [_stratum(cells, of[cells.pattern] == one) for one in np.unique(of)]
    return [stratum for stratum in found if len(stratum.days)]


def _stratum(cells: PatternCells, here: NDArray[np.bool_]) -> Stratum:
    pattern, day = cells.pattern[here], cells.day[here]
    entered, churned, censored = (c[here] for c in (cells.entered, cells.churned, cells.censored))
    patterns, row = np.unique(pattern, return_inverse=True)
    days = np.unique(day[churned > 0])
    after = np.searchsorted(days, day, side="right")  # a mark counts from the first event day after its own
    first = np.where(day == 0, 0, after)  # but who enters at 0 is at risk at 0
    marks = np.zeros((len(patterns), len(days) + 1), dtype=np.int32)
    np.add.at(marks, (row, first), entered.astype(np.int32))
    np.add.at(marks, (row, after), -(churned + censored).astype(np.int32))
    at_risk = np.cumsum(marks, axis=1, dtype=np.int32)[:, :-1]
    left = churned > 0
    where = (row[left], np.searchsorted(days, day[left]))
    gone = csr_array((churned[left].astype(np.float64), where), shape=(len(patterns), len(days)))
    total = np.asarray(gone.sum(axis=0)).astype(np.int64)
    return Stratum(patterns, days, total, at_risk, gone, shares_of(total))


def parts(stratum: Stratum, x: Floats, beta: Floats, ties: Ties) -> Parts:
    """Return what likelihood, score and information are made of.

    Parameters
    ----------
    stratum : Stratum
        Numbers at risk.
    x : array, patterns of the stratum x terms
        Covariates, centred: exp of the linear predictor must not overflow.
    beta : array, terms
        Coefficients.
    ties : str
        ``breslow``, or ``efron``: of d who leave on one day the l-th has the denominator S - (l - 1)/d T,
        with S the weight of all at risk and T that of the d (Efron 1977, J. Am. Stat. Assoc. 72, 557-565).
        Every leaver is one of d, so frequency counts give what `coxph` gives on the expanded rows.
    """
    weight = np.exp(x @ beta)
    weighted = np.column_stack([weight, weight[:, None] * x])
    risk, tied = stratum.before(weighted), np.asarray(stratum.gone.T @ weighted)
    sums = _tied(risk[:, 0], tied[:, 0], stratum, ties)
    return Parts(weight, risk[:, 1:], tied[:, 1:], *sums)


def _tied(risk: Floats, tied: Floats, stratum: Stratum, ties: Ties) -> list[Floats]:
    """Return the six sums over the leavers of each day.

    Leavers of one day differ by their share of ties only. Of many, the sums are taken at a few shares
    (`shares_of`), unless so large a part of those at risk leaves that this is not exact: then one by one.
    """
    if ties == "breslow":
        left, none = stratum.churned.astype(np.float64), np.zeros(len(risk))
        return [left * np.log(risk), left / risk, none, left / risk**2, none, none]
    alone = (tied > _MOST_TIED * risk) & (stratum.churned > FEW)
    use = ~alone[stratum.shares.day]
    sums = _tied_sums(risk, tied, stratum.shares.only(use))
    for day in np.flatnonzero(alone):
        n = int(stratum.churned[day])
        every = Shares(np.full(n, day), np.arange(n) / n, np.ones(n))
        sums = [total + more for total, more in zip(sums, _tied_sums(risk, tied, every), strict=True)]
    return sums


def _tied_sums(risk: Floats, tied: Floats, shares: Shares) -> list[Floats]:
    by = risk[shares.day] - shares.share * tied[shares.day]
    part = shares.share / by
    terms = (np.log(by), 1 / by, part, by**-2.0, part / by, part**2)
    sums = [np.bincount(shares.day, shares.count * term, minlength=len(risk)) for term in terms]
    return [np.asarray(total, dtype=np.float64) for total in sums]


def log_likelihood(stratum: Stratum, x: Floats, beta: Floats, at: Parts) -> float:
    """Return the logarithm of the partial likelihood of one stratum."""
    left = np.asarray(stratum.gone.sum(axis=1))
    return float(left @ (x @ beta) - at.log.sum())


def scores(stratum: Stratum, x: Floats, at: Parts) -> Floats:
    """Return the score by event day (event days x terms): sums of Schoenfeld's residuals."""
    expected = at.risk * at.once[:, None] - at.tied * at.scaled[:, None]
    daily: Floats = np.asarray(stratum.gone.T @ x) - expected
    return daily


def information(stratum: Stratum, x: Floats, at: Parts, by: Floats | None = None) -> Floats:
    """Return the information, every event day weighed with `by`.

    The second moments of all days together are one product x' diag(v) x, since a day enters by a factor.
    """
    by = np.ones(len(stratum.days)) if by is None else by
    held = stratum.over((by * at.once)[:, None])[:, 0] - np.asarray(stratum.gone @ (by * at.scaled))
    tied_only = at.tied
    second = x.T @ (x * (at.weight * held)[:, None])
    cross = at.risk.T @ (tied_only * (by * at.cross)[:, None])
    means = at.risk.T @ (at.risk * (by * at.square)[:, None]) + tied_only.T @ (
        tied_only * (by * at.corner)[:, None]
    )
    total: Floats = second - means + cross + cross.T
    return total
