"""Cox regression on cells pattern x day: equal to `coxph` on the expanded rows, at the cost of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.design import PatternCells
from sojourn.estimators.survival.newton import At, maximum
from sojourn.estimators.survival.partial import (
    Stratum,
    Ties,
    information,
    log_likelihood,
    parts,
    scores,
    shares_of,
    strata_of,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Baseline hazard of one stratum, of members whose covariates are all 0.

    Attributes
    ----------
    days : array of int
        Days on which somebody left.
    cumulative : array of float
        Cumulative hazard after each; survival is exp of minus it.
    """

    days: Counts
    cumulative: Floats


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A Cox model.

    Attributes
    ----------
    coefficients : array, terms
        Logarithms of hazard ratios.
    covariance, information : array, terms x terms
        Inverse of the observed information, and itself.
    log_likelihood, log_likelihood_null : float
        At the coefficients, and where all are 0.
    score_test : float
        Chi-squared statistic of the score test that all are 0, with as many degrees of freedom as terms.
    baselines : tuple of Baseline
        One per stratum with leavers, in the order of strata.
    ties : str
        How tied leavers are handled.
    churned : int
        How many left.
    """

    coefficients: Floats
    covariance: Floats
    information: Floats
    log_likelihood: float
    log_likelihood_null: float
    score_test: float
    baselines: tuple[Baseline, ...]
    ties: Ties
    churned: int

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def cox(
    cells: PatternCells,
    x: Floats,
    *,
    ties: Ties = "efron",
    strata: Counts | None = None,
    names: Sequence[str] = (),
    days: tuple[int, int] | None = None,
) -> CoxFit:
    """Return the Cox model of patterns.

    Parameters
    ----------
    cells : PatternCells
        Counts by pattern and day, late entry included.
    x : array, patterns x terms
        Covariates of every pattern.
    ties : str
        ``efron`` or ``breslow``; see `sojourn.estimators.survival.partial.parts`.
    strata : array of int, one entry per pattern, optional
        Patterns with the same number share a baseline hazard.
    names : sequence of str, optional
        What terms are called in an error.
    days : (int, int), optional
        Only leaving after the first and up to the second day: the effects within a period of time. The
        partial likelihood is a product over event days, so this is the model whose coefficients are constant
        within periods.

    Raises
    ------
    UndefinedError
        When nobody left, a coefficient has no finite estimate, or terms cannot be told apart.

    Notes
    -----
    Cox (1972), J. R. Stat. Soc. B 34, 187-220. A step of Newton costs two products with the matrix patterns x
    event days and does not depend on the number of members.
    """
    found = strata_of(cells, strata, len(x))
    found = found if days is None else [part for one in found if len((part := within(one, *days)).days)]
    if not found:
        raise UndefinedError("Nobody left: there is no hazard to model.")
    centre = _centre(found, x)
    centred = [x[stratum.patterns] - centre for stratum in found]
    null = climb(found, centred, np.zeros(x.shape[1]), ties)
    called = list(names) or [f"term {place + 1}" for place in range(x.shape[1])]
    beta, top = maximum(lambda at: climb(found, centred, at, ties), np.zeros(x.shape[1]), called)
    return CoxFit(
        coefficients=beta,
        covariance=np.linalg.inv(top.information),
        information=top.information,
        log_likelihood=top.value,
        log_likelihood_null=null.value,
        score_test=float(null.score @ np.linalg.solve(null.information, null.score)),
        baselines=tuple(_baseline(s, c, beta, centre, ties) for s, c in zip(found, centred, strict=True)),
        ties=ties,
        churned=int(sum(stratum.churned.sum() for stratum in found)),
    )


def climb(strata: Sequence[Stratum], x: Sequence[Floats], beta: Floats, ties: Ties) -> At:
    """Return log-likelihood, score and information of all strata together."""
    value, score, matrix = 0.0, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    for stratum, covariates in zip(strata, x, strict=True):
        at = parts(stratum, covariates, beta, ties)
        value += log_likelihood(stratum, covariates, beta, at)
        score += scores(stratum, covariates, at).sum(axis=0)
        matrix += information(stratum, covariates, at)
    return At(value, score, matrix)


def within(stratum: Stratum, after: int, until: int) -> Stratum:
    """Return a stratum with the event days of one period only."""
    kept = (stratum.days > after) & (stratum.days <= until)
    return Stratum(
        stratum.patterns,
        stratum.days[kept],
        stratum.churned[kept],
        stratum.at_risk[:, kept],
        stratum.gone[:, np.flatnonzero(kept)],
        shares_of(stratum.churned[kept]),
    )


def _centre(strata: Sequence[Stratum], x: Floats) -> Floats:
    """Return the mean covariates of those who left."""
    left = np.zeros(len(x))
    for stratum in strata:
        left[stratum.patterns] += np.asarray(stratum.gone.sum(axis=1))
    return np.asarray(left @ x / left.sum())


def _baseline(stratum: Stratum, x: Floats, beta: Floats, centre: Floats, ties: Ties) -> Baseline:
    at = parts(stratum, x, beta, ties)
    return Baseline(stratum.days, np.cumsum(at.once) * float(np.exp(-centre @ beta)))
