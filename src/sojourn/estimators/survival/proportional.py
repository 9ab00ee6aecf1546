"""Whether hazard ratios stay the same over time: the score test, and what they look like when they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.cox import CoxFit
from sojourn.estimators.survival.design import PatternCells
from sojourn.estimators.survival.partial import Stratum, information, parts, scores, strata_of
from sojourn.estimators.survival.solvable import solvable

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Transform = Literal["identity", "log", "rank", "km"]

#: Standard deviation of the smoother's window, as a share of the range of transformed time.
_WINDOW = 0.12
GLOBAL = "all together"


@dataclass(frozen=True, slots=True)
class Tested:
    """Score test that the effects of one column (or all) do not change with time.

    Attributes
    ----------
    statistic : float
        Chi-squared statistic.
    df : int
        Degrees of freedom.
    p : float
        Probability of at least this statistic when effects are constant.
    p_given_others : float
        The same when the effects of all other terms may change: a column that goes together with one whose
        effect changes is no longer blamed for it. One step of Newton from constant effects.
    """

    statistic: float
    df: int
    p: float
    p_given_others: float


@dataclass(frozen=True, slots=True)
class ChangingEffect:
    """Smoothed effect over time.

    Attributes
    ----------
    days : array of int
        Days on which somebody left.
    effect, se : array, days x terms
        Logarithm of the hazard ratio then, and its pointwise standard error.
    residual : array, days x terms
        Scaled Schoenfeld residuals (means over the leavers of a day), which are smoothed.
    """

    days: Counts
    effect: Floats
    se: Floats
    residual: Floats


def proportional_test(
    fit: CoxFit,
    cells: PatternCells,
    x: Floats,
    groups: Mapping[str, Sequence[int]],
    *,
    transform: Transform = "km",
    strata: Counts | None = None,
) -> dict[str, Tested]:
    """Return the score test of constant effects for each group of terms, and for all (`GLOBAL`).

    Parameters
    ----------
    fit : CoxFit
        Of the same cells, covariates and strata.
    cells, x, strata
        As given to `cox`.
    groups : mapping of str to sequence of int
        Terms that are tested together, such as the levels of a column.
    transform : str
        Function of time with which effects may move: days, their logarithm, their rank, or 1 minus the
        Kaplan-Meier estimate of everybody just before.

    Raises
    ------
    UndefinedError
        When somebody left on day 0 and the transform is ``log``.

    Notes
    -----
    Effects b + c g(t): the score for c = 0 with b at its maximum, and the information of both (Grambsch &
    Therneau 1994, Biometrika 81, 515-526, with the exact information at each event day instead of its mean),
    which is what ``cox.zph`` does since version 3.0 of the R package survival.
    """
    found = strata_of(cells, strata, len(x))
    time = _time(cells, found, transform)
    k = len(fit.coefficients)
    score, blocks = np.zeros(k), [np.zeros((k, k)) for _ in range(3)]
    for stratum in found:
        covariates = x[stratum.patterns] - x.mean(axis=0)
        at = parts(stratum, covariates, fit.coefficients, fit.ties)
        by = time[np.searchsorted(_all_days(found), stratum.days)]
        score += by @ scores(stratum, covariates, at)
        for power in range(3):
            blocks[power] += information(stratum, covariates, at, by**power)
    asked = {**groups, GLOBAL: range(k)}
    return {name: _tested(score, blocks, list(terms)) for name, terms in asked.items()}


def _tested(score: Floats, blocks: Sequence[Floats], terms: list[int]) -> Tested:
    """Return the quadratic form of the score in the information left after the effects themselves."""
    plain, once, twice = blocks
    own = np.ix_(terms, terms)
    with solvable("Too few left to see whether what goes with leaving changes with time."):
        left = twice - once.T @ np.linalg.solve(plain, once)
        statistic = float(score[terms] @ np.linalg.solve(left[own], score[terms]))
        change, spread = np.linalg.solve(left, score), np.linalg.inv(left)
        given = float(change[terms] @ np.linalg.solve(spread[own], change[terms]))
    return Tested(statistic, len(terms), *(float(chi2.sf(one, len(terms))) for one in (statistic, given)))


def _all_days(strata: Sequence[Stratum]) -> Counts:
    return np.unique(np.concatenate([stratum.days for stratum in strata]))


def _time(cells: PatternCells, strata: Sequence[Stratum], transform: Transform) -> Floats:
    """Return transformed time on all event days, centred: a shift changes nothing but rounding."""
    days = _all_days(strata)
    gone = np.zeros(len(days))
    for stratum in strata:
        gone[np.searchsorted(days, stratum.days)] += stratum.churned
    if transform == "log" and days[0] == 0:
        raise UndefinedError("Somebody left on day 0, which has no logarithm: choose another transform.")
    made: dict[str, Floats] = {"identity": days.astype(np.float64)}
    if transform == "log":
        made["log"] = np.log(days)
    elif transform == "rank":
        made["rank"] = _mean_rank(cells, days)
    elif transform == "km":
        made["km"] = _lost_before(cells, gone)
    time = made[transform]
    return np.asarray(time - gone @ time / gone.sum())


def _mean_rank(cells: PatternCells, days: Counts) -> Floats:
    """Return the mean rank of each event day among all ends of observation, as R's ``rank`` gives it."""
    ends = np.bincount(cells.day, cells.churned + cells.censored)
    return np.asarray(np.cumsum(ends) - (ends - 1) / 2)[days]


def _lost_before(cells: PatternCells, gone: Floats) -> Floats:
    """Return 1 minus the Kaplan-Meier estimate of everybody just before each event day."""
    pooled = PatternCells(
        np.zeros_like(cells.pattern), cells.day, cells.entered, cells.churned, cells.censored
    )
    at_risk = strata_of(pooled, None, 1)[0].at_risk[0]
    kept = np.cumprod(1 - gone / at_risk)
    return np.asarray(1 - np.concatenate([[1.0], kept[:-1]]))


def changing_effect(
    fit: CoxFit, cells: PatternCells, x: Floats, *, strata: Counts | None = None
) -> ChangingEffect:
    """Return the effect of every term over time: scaled Schoenfeld residuals, smoothed.

    Notes
    -----
    A leaver's residual, times the covariance and the number of leavers, plus the coefficient, has about the
    mean b(t) (Grambsch & Therneau 1994). Residuals of a day are averaged; smoothed by local lines over the
    rank of leavers, weighed with the leavers of the day and a normal window.
    """
    found = strata_of(cells, strata, len(x))
    days = _all_days(found)
    total, gone = np.zeros((len(days), x.shape[1])), np.zeros(len(days))
    for stratum in found:
        covariates = x[stratum.patterns] - x.mean(axis=0)
        place = np.searchsorted(days, stratum.days)
        total[place] += scores(stratum, covariates, parts(stratum, covariates, fit.coefficients, fit.ties))
        gone[place] += stratum.churned
    scaled = fit.coefficients + fit.churned * (total / gone[:, None]) @ fit.covariance
    weights = _local_lines((np.cumsum(gone) - gone / 2) / gone.sum(), gone)
    spread = np.sqrt((weights**2 / gone).sum(axis=1))[:, None]
    se = spread * np.sqrt(fit.churned * np.diag(fit.covariance))
    return ChangingEffect(days, weights @ scaled, se, scaled)


def _local_lines(at: Floats, mass: Floats) -> Floats:
    """Return the weights of a local linear smoother: each row makes one smoothed value."""
    apart = at[None, :] - at[:, None]
    kernel = np.exp(-0.5 * (apart / _WINDOW) ** 2) * mass
    moments = [(kernel * apart**power).sum(axis=1) for power in range(3)]
    flat = moments[0] * moments[2] - moments[1] ** 2
    line = kernel * (moments[2][:, None] - apart * moments[1][:, None])
    level = kernel / moments[0][:, None]
    usable = flat > 1e-12 * moments[0] ** 2
    return np.where(usable[:, None], line / np.where(usable, flat, 1.0)[:, None], level)
