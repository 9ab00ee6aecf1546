"""Whether payments could follow a log-normal law: four statistics against what the fitted law predicts.

Each statistic is a distance between the payments and the law fitted to them, so its distribution under the
law depends on the number of payers, on sigma and on where the bins are. That distribution comes from
replicated histograms, each with its own fit: the p-values are not those of a posterior predictive check that
uses its data twice, which hardly ever alarms.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.special import ndtr

from sojourn.estimators.bayes.hurdle import Spending
from sojourn.estimators.bayes.model import Floats

#: What is compared: mean payment, share of the money paid by the top 1 %, 99th percentile, whole histogram.
STATISTICS = ("mean", "top 1 %", "99th percentile", "histogram")
_TOP, _Z_TOP = 0.01, float(stats.norm.ppf(0.99))
#: Replicated histograms, and the normal deviates at which quantiles of their statistics are kept; beyond the
#: last the line through the last few goes on.
_REPLICATES = 4000
_SCORE_STEP, _TAIL = 0.25, 4
_SCORES: Floats = np.arange(-3.25, 3.25 + _SCORE_STEP / 2, _SCORE_STEP)
#: Steps between fine cells of a replicate, in standard deviations; farthest cells.
_STEP, _FARTHEST = 0.2, 5.6
#: Payments that differ by less (in logarithms) are one price, which no law has; keeps logarithms finite.
_LEAST_SD, _TINY = 1e-4, 1e-12


def lognormal_p(spending: Spending) -> Floats:
    """Return the p-value of every one of `STATISTICS` under the log-normal law fitted to these payments.

    Parameters
    ----------
    spending : Spending
        One scheme; counts may be what they are worth.

    Returns
    -------
    array (4,)
        Two-sided for the first three; the histogram alarms only when it is too far.
    """
    mean, sd = spending.law()
    if sd < _LEAST_SD:
        return np.zeros(len(STATISTICS))
    found = _statistics(spending.n[1:], spending.paid[1:], spending.logs, spending.logs_sq, spending.edges)
    knots = _reference(*_near(spending.payers, mean, sd), tuple(spending.edges.tolist()))
    z = np.array([_normal_score(at, own) for at, own in zip(found, knots, strict=True)])
    p_values: Floats = np.r_[2 * ndtr(-np.abs(z[:-1])), ndtr(-z[-1])]
    return p_values


def _normal_score(found: float, knots: Floats) -> float:
    """Return where a statistic lies in its reference, as a normal deviate."""
    low, high = knots[0], knots[-1]
    if found < low:
        return float(_SCORES[0] - (low - found) / (knots[_TAIL] - low) * _TAIL * _SCORE_STEP)
    if found > high:
        return float(_SCORES[-1] + (found - high) / (high - knots[-1 - _TAIL]) * _TAIL * _SCORE_STEP)
    return float(np.interp(found, knots, _SCORES))


def observed_and_expected(spending: Spending) -> tuple[Floats, Floats]:
    """Return mean payment, share of the money of the top 1 % and 99th percentile, as paid and by the law."""
    mean, sd = spending.law()
    counts, paid = spending.n[1:], spending.paid[1:]
    own = [paid.sum() / counts.sum(), _top_share(counts, paid), np.exp(_log_p99(counts, spending.edges))]
    law = [np.exp(mean + sd**2 / 2), ndtr(sd - _Z_TOP), np.exp(mean + _Z_TOP * sd)]
    return np.array(own, dtype=float), np.array(law, dtype=float)


def expected_shares(spending: Spending) -> Floats:
    """Return the share of payers that the fitted law puts into every bin (bins,)."""
    mean, sd = spending.law()
    return np.diff(np.r_[0.0, ndtr((spending.edges - mean) / sd), 1.0])


def _statistics(
    counts: Floats, paid: Floats, logs: Floats | float, logs_sq: Floats | float, edges: Floats
) -> Floats:
    """Return the four distances (..., 4) of histograms (..., bins) from the laws fitted to their sums."""
    k = counts.sum(axis=-1)
    mean = logs / k
    variance = (logs_sq - k * mean**2) / (k - 1)
    sd = np.sqrt(variance)
    below = counts.cumsum(axis=-1)[..., :-1] / k[..., None]
    law = ndtr((edges - mean[..., None]) / sd[..., None])
    weight = np.diff(law, axis=-1, prepend=0.0)
    return np.stack(
        [
            (np.log(paid.sum(axis=-1) / k) - mean - variance / 2) / variance**1.5,
            np.log(_top_share(counts, paid) / ndtr(sd - _Z_TOP)) / sd,
            (_log_p99(counts, edges) - mean) / sd - _Z_TOP,
            np.log((weight * (below - law) ** 2).sum(axis=-1) * k + _TINY),
        ],
        axis=-1,
    )


def _top_share(counts: Floats, paid: Floats) -> Floats:
    """Return the share of the money paid by the top 1 % of payers; the bin at the border counts in part."""
    k = counts.sum(axis=-1, keepdims=True)
    above = np.flip(np.flip(counts, -1).cumsum(axis=-1), -1) - counts
    part = np.clip((_TOP * k - above) / np.maximum(counts, 1e-12), 0, 1)
    return (part * paid).sum(axis=-1) / paid.sum(axis=-1)


def _log_p99(counts: Floats, edges: Floats) -> Floats:
    """Return the logarithm of the 99th percentile, interpolated within its bin."""
    widths = np.diff(edges)
    lower = np.r_[edges[0] - widths[0], edges]
    upper = np.r_[edges, edges[-1] + widths[-1]]
    below = counts.cumsum(axis=-1)
    wanted = (1 - _TOP) * below[..., -1:]
    at = (below >= wanted).argmax(axis=-1)[..., None]
    inside = np.take_along_axis(counts, at, -1)
    part = 1 - (np.take_along_axis(below, at, -1) - wanted) / np.maximum(inside, 1e-12)
    found: Floats = (lower[at] + part * (upper[at] - lower[at]))[..., 0]
    return found


def _near(payers: float, mean: float, sd: float) -> tuple[int, float, float]:
    """Return a number of payers (within 5 %) and a law close by: the reference hardly differs."""
    coarse = round(float(np.exp(round(np.log(payers) * 10) / 10)))
    return coarse, round(mean / sd * 5) / 5, round(sd * 20) / 20


@lru_cache(maxsize=4096)
def _reference(payers: int, mean: float, sd: float, edges: tuple[float, ...]) -> Floats:
    """Return quantiles of the four statistics under a law (4, scores).

    Like a table of a test: its seed is fixed, so it is a function of its arguments.
    """
    bounds = np.array(edges) / sd - mean
    grid = np.arange(-_FARTHEST, _FARTHEST + _STEP / 2, _STEP)
    between = np.unique(np.r_[bounds[np.abs(bounds) < _FARTHEST], grid])
    share, log, log_sq, amount = _fine_cells(between, sd)
    fine = np.random.default_rng(payers).multinomial(payers, share, size=_REPLICATES)
    into = np.searchsorted(bounds, np.r_[-np.inf, between], side="right")
    bins = np.eye(len(bounds) + 1)[into]
    counts, paid = fine @ bins, (fine * amount) @ bins
    found = _statistics(counts, paid, fine @ (sd * log), fine @ (sd**2 * log_sq), sd * bounds)
    knots: Floats = np.quantile(found, ndtr(_SCORES), axis=0).T
    return np.maximum.accumulate(knots + _TINY * np.arange(_SCORES.size), axis=1)


def _fine_cells(between: Floats, sd: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the share of each cell of a standard normal z, and the means of z, z^2 and exp(sd z) in it."""
    edges = np.r_[-np.inf, between, np.inf]
    share, shifted = np.diff(ndtr(edges)), np.diff(ndtr(edges - sd))
    inner = stats.norm.pdf(between)
    density, moment = np.r_[0.0, inner, 0.0], np.r_[0.0, between * inner, 0.0]
    return (
        share,
        -np.diff(density) / share,
        1 - np.diff(moment) / share,
        np.exp(sd**2 / 2) * shifted / share,
    )
