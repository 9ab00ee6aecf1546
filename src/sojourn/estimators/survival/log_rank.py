"""Log-rank test of equal leaving in two or more groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogRankTest:
    """Outcome of a log-rank test.

    Attributes
    ----------
    statistic : float
        Chi-squared statistic.
    df : int
        Degrees of freedom; 0 when nothing can be compared.
    p : float
        Probability of at least this statistic when all groups leave alike.
    observed, expected : array of float, one entry per group
        Members who left, and who would have left if all groups left alike.
    """

    statistic: float
    df: int
    p: float
    observed: Floats
    expected: Floats


def log_rank(groups: Sequence[RiskSet]) -> LogRankTest:
    """Return the log-rank test with the hypergeometric variance, as ``survdiff(rho = 0)``.

    Parameters
    ----------
    groups : sequence of RiskSet, at least two
        One per group. Where a group has nobody at risk it says nothing.

    Notes
    -----
    Peto & Peto (1972), J. R. Stat. Soc. A 135, 185-207. With late entry it is the score test of
    ``coxph(Surv(start, stop, event) ~ group)`` with exact handling of ties by their hypergeometric variance.
    """
    at_risk, churned = _stacked(groups)
    total, gone = at_risk.sum(axis=0), churned.sum(axis=0)
    share = np.divide(at_risk, total, out=np.zeros_like(at_risk), where=total > 0)
    expected = (share * gone).sum(axis=1)
    observed = churned.sum(axis=1)
    variance = _hypergeometric(share, total, gone)
    statistic, df = _quadratic(observed - expected, variance)
    return LogRankTest(
        statistic, df, float(chi2.sf(statistic, df)) if df else float("nan"), observed, expected
    )


def _stacked(groups: Sequence[RiskSet]) -> tuple[Floats, Floats]:
    length = max(len(group) for group in groups)
    on_grid = [group.on(length) for group in groups]
    at_risk = np.array([group.at_risk for group in on_grid], dtype=np.float64)
    churned = np.array([group.churned for group in on_grid], dtype=np.float64)
    return at_risk, churned


def _hypergeometric(share: Floats, total: Floats, gone: Floats) -> Floats:
    """Return the covariance of observed minus expected: sum of d (n-d)/(n-1) (diag(p) - p p')."""
    weight = np.divide(gone * (total - gone), total - 1, out=np.zeros_like(total), where=total > 1)
    covariance: Floats = np.diag((share * weight).sum(axis=1)) - (share * weight) @ share.T
    return covariance


#: Eigenvalues of a correlation matrix below this are zero up to rounding, which leaves about 1e-15.
_ZERO = 1e-9


def _quadratic(difference: Floats, variance: Floats) -> tuple[float, int]:
    """Return the quadratic form in the generalised inverse, and its rank: one group follows from the others.

    Scaled to correlations first, so that what counts as zero does not depend on the size of groups.
    """
    scale = np.sqrt(np.diag(variance))
    used = scale > 0
    correlation = variance[np.ix_(used, used)] / np.outer(scale[used], scale[used])
    standard = difference[used] / scale[used]
    values, vectors = np.linalg.eigh(correlation)
    kept = values > _ZERO
    statistic = float(((vectors[:, kept].T @ standard) ** 2 / values[kept]).sum())
    return statistic, int(kept.sum())
