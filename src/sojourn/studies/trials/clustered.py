"""Lifts by assigned unit: what was assigned together counts as one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.results.trial_assignment import Clustered
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.split import WARN

#: Clusters that every scheme needs.
_ENOUGH = 5
#: Up to this factor on variances, what was assigned together may be taken for single members.
_ALIKE = 1.1


def clustered(trial: Trial, *, mass: float = 0.95) -> Clustered:
    """Return every outcome's lift with an interval that knows what was assigned together.

    Returns
    -------
    Clustered
        Empty where members were assigned one by one, or in too few clusters.

    Notes
    -----
    A scheme's mean is a ratio of sums over clusters; its variance by the delta method,
    C / (C - 1) sum (y_c - r n_c)² / n².
    """
    cells = trial.other("clusters")
    if cells.empty:
        return Clustered(mass=mass, why_empty="Members were assigned one by one, as far as the cells say.")
    parts = [_of_outcome(trial, str(name), rows, mass) for name, rows in cells.groupby("outcome")]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        return Clustered(
            mass=mass, why_empty=f"A scheme has fewer than {_ENOUGH} clusters: too few to judge."
        )
    shares = tuple(name for name, kind in trial.outcomes.items() if kind == "binary")
    return Clustered(table, mass, shares)


def _of_outcome(trial: Trial, outcome: str, rows: pd.DataFrame, mass: float) -> pd.DataFrame:
    rows = rows.set_index("scheme").reindex(list(trial.schemes))
    if outcome not in trial.outcomes or rows["clusters"].isna().any() or rows["clusters"].min() < _ENOUGH:
        return pd.DataFrame()
    mean, by_cluster = _mean_and_variance(rows)
    by_member = _variance_by_member(trial, outcome, rows, mean)
    found = []
    for place, scheme in enumerate(trial.schemes[1:], start=1):
        lift = mean[place] - mean[0]
        wide, narrow = (v[place] + v[0] for v in (by_cluster, by_member))
        clusters, n = (int(rows[name].iloc[0] + rows[name].iloc[place]) for name in ("clusters", "n"))
        reach = stats.t.ppf(0.5 + mass / 2, clusters - 2) * np.sqrt(wide)
        short = stats.norm.ppf(0.5 + mass / 2) * np.sqrt(narrow)
        effect = wide / narrow if narrow > 0 else float("nan")
        found.append(
            {
                "outcome": outcome,
                "scheme": scheme,
                "clusters": clusters,
                "n": n,
                "lift": lift,
                "lift_low": lift - reach,
                "lift_high": lift + reach,
                "narrow_low": lift - short,
                "narrow_high": lift + short,
                "design_effect": effect,
                "p_value": float(stats.chi2.sf(effect * (clusters - 2), clusters - 2)),
            }
        )
    return pd.DataFrame(found)


def _mean_and_variance(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return each scheme's mean, and the variance of that mean by cluster."""
    names = ("clusters", "n", "n_sq", "total", "total_sq", "cross")
    clusters, n, n_sq, total, total_sq, cross = (rows[name].to_numpy(float) for name in names)
    mean = total / n
    spread = total_sq - 2 * mean * cross + mean**2 * n_sq
    return mean, np.maximum(spread, 0.0) * clusters / (clusters - 1) / n**2


def _variance_by_member(trial: Trial, outcome: str, rows: pd.DataFrame, mean: np.ndarray) -> np.ndarray:
    """Return the variance of each scheme's mean as if members had been assigned one by one."""
    n = rows["n"].to_numpy(float)
    if trial.kind(outcome) == "binary":
        return np.asarray(mean * (1 - mean) / n)
    sums = (
        trial.cells(outcome).groupby("scheme")[["n", "total", "total_sq"]].sum().reindex(list(trial.schemes))
    )
    own = sums["total"] / sums["n"]
    return np.asarray(((sums["total_sq"] / sums["n"] - own**2) / n).to_numpy(float))


def surely_alike(found: Clustered) -> pd.DataFrame:
    """Return the rows of which it is sure that members of a unit are alike, and enough to matter."""
    table = found.table
    return table[(table["p_value"] * len(table) < WARN) & (table["design_effect"] > _ALIKE)]
