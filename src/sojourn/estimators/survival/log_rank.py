"""Log-rank tests of equal leaving in two or more groups: weighted, stratified, and the largest of three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import chi2

from sojourn.estimators.survival.quadrature import gauss_legendre
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]
Weights = Literal["log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "fleming-harrington"]


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
    difference : array of float, one entry per group
        Observed less expected, weighted.
    covariance : array of float, groups x groups
        Of `difference` when all groups leave alike.
    """

    statistic: float
    df: int
    p: float
    observed: Floats
    expected: Floats
    difference: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True)
class MaxCombo:
    """Outcome of the largest of three tests of two groups.

    Attributes
    ----------
    statistic : float
        Largest of the three in size.
    p : float
        Probability of at least that when both groups leave alike.
    z : mapping of str to float
        Normal statistics of the first group: ``log-rank``, ``early`` and ``late``; positive when it leaves
        more.
    """

    statistic: float
    p: float
    z: dict[str, float]


def log_rank(
    groups: Sequence[RiskSet], *, weights: Weights = "log-rank", rho: float = 0.0, gamma: float = 0.0
) -> LogRankTest:
    """Return the weighted log-rank test with the hypergeometric variance.

    Parameters
    ----------
    groups : sequence of RiskSet, at least two
        One per group. Where a group has nobody at risk it says nothing.
    weights : str
        What a day counts, see `day_weights`: 1 (``log-rank``, as ``survdiff(rho = 0)``), the number at risk
        (``gehan-breslow``), its root (``tarone-ware``), the share left (``peto-peto``), or
        ``fleming-harrington`` with `rho` and `gamma`.
    rho, gamma : float
        Powers of the share left and of the share gone; ``survdiff(rho)`` for gamma = 0.

    Notes
    -----
    Peto & Peto (1972), J. R. Stat. Soc. A 135, 185-207; weights as in Klein & Moeschberger (2003), section
    7.3. With late entry it is the score test of ``coxph(Surv(start, stop, event) ~ group)`` with exact
    handling of ties by their hypergeometric variance.
    """
    return stratified_log_rank([groups], weights=weights, rho=rho, gamma=gamma)


def stratified_log_rank(
    strata: Sequence[Sequence[RiskSet]],
    *,
    weights: Weights = "log-rank",
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRankTest:
    """Return the log-rank test of groups compared only within strata, as ``survdiff(... + strata())``.

    Parameters
    ----------
    strata : sequence of sequences of RiskSet
        Per stratum the groups, the same ones in the same order; a group without members is an empty risk set.
    weights, rho, gamma
        As in `log_rank`; the share left is that of the stratum.
    """
    parts = [_Days.of(groups) for groups in strata]
    weighed = [(part, day_weights(part.at_risk, part.churned, weights, rho, gamma)) for part in parts]
    difference = sum_of([part.difference(weight) for part, weight in weighed])
    covariance = sum_of([part.covariance(weight, weight) for part, weight in weighed])
    statistic, df = _quadratic(difference, covariance)
    return LogRankTest(
        statistic,
        df,
        float(chi2.sf(statistic, df)) if df else float("nan"),
        sum_of([part.observed.sum(axis=1) for part in parts]),
        sum_of([(part.share * part.churned).sum(axis=1) for part in parts]),
        difference,
        covariance,
    )


def max_combo(one: RiskSet, other: RiskSet) -> MaxCombo:
    """Return the largest of three tests: all days alike, early days more, late days more.

    Notes
    -----
    Fleming-Harrington (0, 0), (1, 0) and (0, 1); Karrison (2016), Stata Journal 16, 678-690. The first is
    the sum of the other two, so the three are jointly normal in two dimensions and the probability is one
    integral; there are no random numbers in it.
    """
    days = _Days.of([one, other])
    left = _left_before(days.at_risk, days.churned)
    early, late = (days.difference(weight)[0] for weight in (left, 1 - left))
    v_early, v_late, crossed = (
        days.covariance(*pair)[0, 0] for pair in ((left, left), (1 - left, 1 - left), (left, 1 - left))
    )
    variance = v_early + v_late + 2 * crossed
    if min(v_early, v_late, variance) <= 0:
        return MaxCombo(float("nan"), float("nan"), {})
    named = {"log-rank": (early + late, variance), "early": (early, v_early), "late": (late, v_late)}
    z = {name: float(value / np.sqrt(v)) for name, (value, v) in named.items()}
    largest = max(abs(value) for value in z.values())
    return MaxCombo(
        largest, _beyond(largest, float(np.sqrt(v_early)), float(np.sqrt(v_late)), float(crossed)), z
    )


def _beyond(m: float, sd_early: float, sd_late: float, crossed: float) -> float:
    """Return the probability that one of two normals, or their scaled sum, is larger than `m` in size.

    The integral over the first of what the second may be, piece by piece between its kinks.
    """
    r = float(np.clip(crossed / (sd_early * sd_late), -1, 1))
    rest = np.sqrt(max(1 - r**2, 1e-30))
    whole = np.sqrt(sd_early**2 + sd_late**2 + 2 * crossed)
    kinks = [m * (whole - sd_late) / sd_early, m * (sd_late - whole) / sd_early, r * m, -r * m, 0.0]
    ends = np.unique(np.clip([-m, m, *kinks], -m, m))
    nodes, weights = gauss_legendre(96)
    half = np.diff(ends)[:, None] / 2
    x = ends[:-1, None] + half * (1 + nodes)
    low = np.maximum(-m, (-m * whole - sd_early * x) / sd_late)
    high = np.minimum(m, (m * whole - sd_early * x) / sd_late)
    share = np.maximum(ndtr((high - r * x) / rest) - ndtr((low - r * x) / rest), 0.0)
    within = (half * weights * share * np.exp(-(x**2) / 2)).sum() / np.sqrt(2 * np.pi)
    return float(np.clip(1 - within, 0.0, 1.0))


def day_weights(at_risk: Floats, churned: Floats, weights: Weights, rho: float, gamma: float) -> Floats:
    """Return what each day counts, from all groups together.

    Notes
    -----
    Gehan (1965) and Breslow (1970): n. Tarone & Ware (1977): root of n. Peto & Peto (1972): the product of
    1 - d / (n + 1) up to and with that day; ``survdiff(rho = 1)`` differs by using S before the day, which is
    Fleming & Harrington (1991) with rho = 1: S^rho (1 - S)^gamma.
    """
    if weights == "gehan-breslow":
        return at_risk
    if weights == "tarone-ware":
        return np.sqrt(at_risk)
    if weights == "peto-peto":
        product: Floats = np.cumprod(1 - churned / (at_risk + 1))
        return product
    if weights == "log-rank":
        return np.ones_like(at_risk)
    left = _left_before(at_risk, churned)
    powered: Floats = left**rho * (1 - left) ** gamma
    return powered


def _left_before(at_risk: Floats, churned: Floats) -> Floats:
    """Return the share left of all groups together just before each day."""
    staying = 1 - np.divide(churned, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    return np.concatenate([[1.0], np.cumprod(staying)[:-1]])


@dataclass(frozen=True, slots=True)
class _Days:
    """Groups on one grid: who left (groups x days), shares of those at risk, and all groups together."""

    observed: Floats
    share: Floats
    at_risk: Floats
    churned: Floats

    @classmethod
    def of(cls, groups: Sequence[RiskSet]) -> _Days:
        length = max(len(group) for group in groups)
        on_grid = [group.on(length) for group in groups]
        at_risk = np.array([group.at_risk for group in on_grid], dtype=np.float64)
        churned = np.array([group.churned for group in on_grid], dtype=np.float64)
        total = at_risk.sum(axis=0)
        share = np.divide(at_risk, total, out=np.zeros_like(at_risk), where=total > 0)
        return cls(churned, share, total, churned.sum(axis=0))

    def difference(self, weight: Floats) -> Floats:
        """Return the weighted sum over days of observed less expected, per group."""
        days: Floats = (weight * (self.observed - self.share * self.churned)).sum(axis=1)
        return days

    def covariance(self, one: Floats, other: Floats) -> Floats:
        """Return the covariance of two weighted differences: sum of w v d (n-d)/(n-1) (diag(p) - p p')."""
        total = self.at_risk
        spread = self.churned * (total - self.churned)
        spread = one * other * np.divide(spread, total - 1, out=np.zeros_like(total), where=total > 1)
        covariance: Floats = np.diag((self.share * spread).sum(axis=1)) - (self.share * spread) @ self.share.T
        return covariance


def sum_of(parts: Sequence[Floats]) -> Floats:
    """Return the sum of arrays of one shape."""
    total: Floats = np.sum(np.stack(parts), axis=0)
    return total


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
