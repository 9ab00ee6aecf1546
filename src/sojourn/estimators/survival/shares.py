"""Exact intervals for a share and for a rate, and p-values that allow for several comparisons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def exact_share(successes: Counts, n: Counts, mass: float) -> tuple[Floats, Floats]:
    """Return the Clopper-Pearson bounds of successes / n (Biometrika 1934; as R's ``binom.test``)."""
    k, n, tail = np.asarray(successes), np.asarray(n), (1 - mass) / 2
    low = np.where(k > 0, beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0)
    high = np.where(k < n, beta.ppf(1 - tail, k + 1, np.maximum(n - k, 1)), 1.0)
    return low, high


def exact_rate(events: Counts, exposure: Floats, mass: float) -> tuple[Floats, Floats]:
    """Return Garwood's bounds of events / exposure (Biometrika 1936; as R's ``poisson.test``)."""
    k, tail = np.asarray(events), (1 - mass) / 2
    low = np.where(k > 0, chi2.ppf(tail, 2 * np.maximum(k, 1)) / 2, 0.0)
    high = chi2.ppf(1 - tail, 2 * (k + 1)) / 2
    return low / exposure, high / exposure


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values (Scand. J. Stat. 1979; as R's ``p.adjust``), in the order given."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
