"""Sample ratio: whether members were divided over the schemes as planned."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from sojourn.core.results.trials import SplitCheck, Trial

#: Below these p-values the check warns and fails (STATISTICS 5).
WARN, FAIL = 0.01, 0.001
#: The planted fault whose catch rate is stated: one scheme takes 51 where 50 were planned.
_FAULT = 51 / 50
#: Power at which the smallest fault is stated, and the largest that is looked for.
POWER, _LARGEST = 0.8, 1000.0


def check_split(trial: Trial) -> SplitCheck:
    """Compare the numbers of members assigned with the planned allocation.

    Parameters
    ----------
    trial : Trial
        Everyone assigned is counted, matured or not.

    Returns
    -------
    SplitCheck
        Exact binomial p-value for two schemes, chi-square for more; p < .01 warns, p < .001 fails.
        Where units were assigned as a whole, units are counted, and not by period.
    """
    counted = units(trial)
    assigned = counted if counted is not None else _members(trial)
    shares = np.array([trial.allocation[scheme] for scheme in trial.schemes])
    total = int(assigned.sum())
    p_value, p_drift = split_p_value(assigned, shares), _drift(trial)
    table = pd.DataFrame(
        {
            "scheme": trial.schemes,
            "assigned": assigned,
            "expected": shares * total,
            "share": assigned / total,
            "planned_share": shares,
        }
    )
    return SplitCheck(
        table, p_value, p_drift, _catch_rate(total, shares), smallest_fault(total, shares), verdict(p_value)
    )


def _members(trial: Trial) -> NDArray[np.int64]:
    """Return members assigned to each scheme."""
    summed = trial.split.groupby("scheme")["assigned"].sum().reindex(list(trial.schemes))
    return summed.to_numpy(dtype=np.int64)


def units(trial: Trial) -> NDArray[np.int64] | None:
    """Return units assigned as a whole to each scheme; None where members were assigned one by one."""
    clusters = trial.other("clusters")
    if clusters.empty:
        return None
    most = clusters.groupby("scheme")["clusters"].max().reindex(list(trial.schemes), fill_value=0)
    return most.to_numpy(dtype=np.int64)


def split_p_value(assigned: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    """Return the p-value of counts under planned shares: exact binomial for two, chi-square for more."""
    total = int(assigned.sum())
    if len(assigned) == 2:
        return float(stats.binomtest(int(assigned[0]), total, float(shares[0])).pvalue)
    return float(stats.chisquare(assigned, shares * total).pvalue)


def verdict(p_value: float) -> Literal["pass", "warn", "fail"]:
    """Return what a p-value of the split means."""
    return "fail" if p_value < FAIL else "warn" if p_value < WARN else "pass"


def _drift(trial: Trial) -> float:
    """Return the p-value of one allocation over all periods; small periods are put together."""
    counts = trial.split.pivot_table(
        index="period", columns="scheme", values="assigned", aggfunc="sum", fill_value=0
    )
    small = counts.sum(axis=1) < trial.min_group * len(trial.schemes)
    kept = [*counts[~small].to_numpy(), *([counts[small].to_numpy().sum(axis=0)] if small.any() else [])]
    if len(kept) < 2 or units(trial) is not None:
        return 1.0
    return float(stats.chi2_contingency(np.array(kept), correction=False).pvalue)


def smallest_fault(total: int, shares: NDArray[np.float64]) -> float:
    """Return the factor by which the last scheme has to be too large to be found with 80 % power."""
    if _catch_rate(total, shares, _LARGEST) < POWER:
        return float("inf")
    return float(optimize.brentq(lambda factor: _catch_rate(total, shares, factor) - POWER, 1, _LARGEST))


def _catch_rate(total: int, shares: NDArray[np.float64], fault: float = _FAULT) -> float:
    """Return the power of p < .01 when the last scheme is larger than planned (noncentral chi-square)."""
    faulty = shares.copy()
    faulty[-1] *= fault
    faulty /= faulty.sum()
    freedom = len(shares) - 1
    shift = total * ((faulty - shares) ** 2 / shares).sum()
    return float(stats.ncx2.sf(stats.chi2.isf(WARN, freedom), freedom, shift))
