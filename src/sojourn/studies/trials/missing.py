"""Outcomes that cannot be known: whether schemes differ in them, and what they could hide at worst."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.privacy import base_of
from sojourn.core.results.trial_assignment import MissingOutcomes
from sojourn.core.results.trials import Trial


def missing_outcomes(trial: Trial) -> MissingOutcomes:
    """Compare the shares of outcomes that are not known, and bound the lifts.

    Returns
    -------
    MissingOutcomes
        Empty where the cells do not say whose outcome is not known.

    Notes
    -----
    Bounds as Manski's: of a scheme's missing outcomes none (all) are true and of control's all (none). Counts
    of a private case are rounded, and fewer than the smallest group are told as none: p-values are those of
    the most equal counts that could be behind them, and bounds take as many to be missing as could be.
    """
    counts = trial.other("missing")
    counts = counts[counts["scheme"].isin(trial.schemes)] if not counts.empty else counts
    parts = (
        [_of_outcome(trial, str(name), rows) for name, rows in counts.groupby("outcome")]
        if len(counts)
        else []
    )
    parts = [part for part in parts if not part.empty]
    if not parts:
        return MissingOutcomes(why_empty="The cells do not say whose outcome cannot be known.")
    table = pd.concat(parts, ignore_index=True)
    p_value = min(1.0, float(table["p_unequal"].min()) * len(parts))
    hidden = base_of(trial.meta)
    return MissingOutcomes(table, p_value, hidden_below=hidden)


def _of_outcome(trial: Trial, outcome: str, rows: pd.DataFrame) -> pd.DataFrame:
    summed = rows.groupby("scheme")[["assigned", "known", "k"]].sum()
    summed = summed.reindex(list(trial.schemes), fill_value=0)
    assigned, known, k = (summed[name].to_numpy(float) for name in ("assigned", "known", "k"))
    if min(known) < trial.min_group:
        return pd.DataFrame()
    missing = assigned - known
    base = base_of(trial.meta)
    fewest, most = could_be_missing(missing, base)
    most = np.minimum(most, assigned)
    true = k / known * (assigned - most)
    low, high = true / assigned, (true + most) / assigned
    lift, apart = k / known - k[0] / known[0], np.arange(len(k)) > 0
    return pd.DataFrame(
        {
            "outcome": outcome,
            "scheme": trial.schemes,
            "assigned": assigned.astype("int64"),
            "known": known.astype("int64"),
            "missing_share": missing / assigned,
            "p_unequal": most_equal_p(assigned, fewest, most) if base else unequal_p(known, missing),
            "lift": np.where(apart, lift, np.nan),
            "worst_low": np.where(apart, low - high[0], np.nan),
            "worst_high": np.where(apart, high - low[0], np.nan),
        }
    )


def could_be_missing(told: np.ndarray, base: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest and the most members that could be behind counts in multiples of `base`."""
    if not base:
        return told, told
    fewest = np.where(told == 0, 0, np.maximum(told - base // 2, base))
    return fewest, np.where(told == 0, base - 1, told + (base - 1) // 2)


def most_equal_p(assigned: np.ndarray, fewest: np.ndarray, most: np.ndarray) -> float:
    """Return the largest p-value of equal shares that counts between two bounds allow."""
    shares = np.unique(np.concatenate([fewest, most]) / np.tile(assigned, 2))
    nearest = [np.clip(np.rint(share * assigned), fewest, most) for share in shares]
    return max(unequal_p(assigned - missing, missing) for missing in nearest)


def unequal_p(known: np.ndarray, missing: np.ndarray) -> float:
    """Return the p-value of equal shares: Fisher's exact for two schemes, chi-square for more."""
    if not missing.sum():
        return 1.0
    both = np.stack([known, missing])
    if len(known) == 2:
        return float(stats.fisher_exact(both.astype("int64")).pvalue)
    return float(stats.chi2_contingency(both, correction=False).pvalue)
