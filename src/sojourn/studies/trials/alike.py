"""Whether schemes have members of the same kind: by property, and by what they did before assignment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sojourn.core.privacy import base_of
from sojourn.core.results.trial_assignment import Balance, Mismatch
from sojourn.core.results.trials import Trial

Floats = NDArray[np.float64]
#: Expected members that every scheme needs in a level; in a private case twice the smallest group.
_ENOUGH = 5


def mismatch(trial: Trial) -> Mismatch:
    """Find the property whose members were divided unlike all others.

    Returns
    -------
    Mismatch
        Each level of each property against the rest, with Holm's correction over all of them; empty where
        the cells know no properties.
    """
    traits = trial.other("traits")
    rows = [row for column, found in _by_column(traits) for row in _levels(trial, column, found)]
    if not rows:
        return Mismatch(why_empty="The cells hold no property of members that was known before assignment.")
    table = pd.DataFrame(rows)
    table["p_adjusted"] = holm(table["p_value"].to_numpy(float))
    table = table.sort_values(["p_adjusted", "p_value", "column", "level"], ignore_index=True)
    return Mismatch(table, float(table["p_adjusted"].min()))


def _by_column(traits: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [] if traits.empty else [(str(name), rows) for name, rows in traits.groupby("column")]


def blur(trial: Trial) -> float:
    """Return by how much rounding to multiples adds to the variance of a count of a private case."""
    return _base(trial) ** 2 / 12


def _base(trial: Trial) -> float:
    return float(base_of(trial.meta))


def _levels(trial: Trial, column: str, rows: pd.DataFrame) -> list[dict[str, object]]:
    counts = rows.pivot_table(index="level", columns="scheme", values="assigned", aggfunc="sum", fill_value=0)
    counts = counts.reindex(columns=list(trial.schemes), fill_value=0)
    every, enough = counts.sum().to_numpy(float), max(_ENOUGH, 2 * _base(trial))
    found: list[dict[str, object]] = []
    for level, row in counts.iterrows():
        own = row.to_numpy(float)
        both = np.stack([own, every - own])
        expected = both.sum(axis=1, keepdims=True) * every / every.sum()
        if expected.min() < enough:
            continue
        shares = both / both.sum(axis=1, keepdims=True)
        place = int(np.abs(shares[0] - shares[1]).argmax())
        distance = float(((both - expected) ** 2 / (expected + blur(trial))).sum())
        found.append(
            {
                "column": column,
                "level": str(level),
                "assigned": int(own.sum()),
                "scheme": trial.schemes[place],
                "share": shares[0, place],
                "share_elsewhere": shares[1, place],
                "p_value": float(stats.chi2.sf(distance, len(every) - 1)),
            }
        )
    return found


def holm(p_values: Floats) -> Floats:
    """Return p-values that are valid together, by Holm's step-down method."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


def balance(trial: Trial, *, mass: float = 0.95) -> Balance:
    """Compare what was so before assignment between every scheme and control, and all of it at once.

    Returns
    -------
    Balance
        Standardised differences with normal intervals, and a joint chi-square test of all means; empty where
        the cells hold nothing from before assignment. A covariate that is the same for all is left out.
    """
    sums = trial.other("balance")
    sums = sums[sums["scheme"].isin(trial.schemes)] if not sums.empty else sums
    moments = (
        {str(name): _moments(trial, rows) for name, rows in sums.groupby("covariate")} if len(sums) else {}
    )
    varying = {name: found for name, found in moments.items() if found[2].max() > 0}
    if not varying:
        return Balance(mass=mass, why_empty="The cells hold nothing of members from before assignment.")
    reach = stats.norm.ppf(0.5 + mass / 2)
    rows = [row for name, found in varying.items() for row in _differences(trial, name, found, reach)]
    return Balance(pd.DataFrame(rows), mass, _joint_p(trial, varying))


def _moments(trial: Trial, rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return members, mean and variance of a member, by scheme."""
    rows = rows.groupby("scheme")[["n", "total", "total_sq"]].sum().reindex(list(trial.schemes))
    n, total, squares = (rows[name].to_numpy(float) for name in ("n", "total", "total_sq"))
    mean = total / n
    return n, mean, np.maximum(squares / n - mean**2, 0.0)


def _differences(
    trial: Trial, name: str, found: tuple[Floats, Floats, Floats], reach: float
) -> list[dict[str, object]]:
    n, mean, variance = found
    sd = float(np.sqrt((n * variance).sum() / n.sum()))
    rows: list[dict[str, object]] = []
    for place, scheme in enumerate(trial.schemes[1:], start=1):
        difference = (mean[place] - mean[0]) / sd
        error = np.sqrt(variance[place] / n[place] + variance[0] / n[0]) / sd
        rows.append(
            {
                "covariate": name,
                "scheme": scheme,
                "n": int(n[place]),
                "mean": mean[place],
                "mean_control": mean[0],
                "difference": difference,
                "difference_low": difference - reach * error,
                "difference_high": difference + reach * error,
            }
        )
    return rows


def _joint_p(trial: Trial, varying: dict[str, tuple[Floats, Floats, Floats]]) -> float:
    """Return the p-value of all means being equal: squared distances of schemes, by the pooled covariance.

    Where it is not told what goes together (private cases), the smallest of each alone times their number.
    """
    names = list(varying)
    n = next(iter(varying.values()))[0]
    means = np.stack([varying[name][1] for name in names], axis=1)
    within = _covariance(trial, names, varying)
    if len(names) > 1 and trial.other("balance_pairs").empty:
        alone = [_joint_p(trial, {name: varying[name]}) for name in names]
        return min(1.0, len(names) * min(alone))
    apart = means - (n[:, None] * means).sum(axis=0) / n.sum()
    inverse = np.linalg.pinv(within, rcond=1e-10, hermitian=True)
    distance = float((n * np.einsum("si,ij,sj->s", apart, inverse, apart)).sum())
    rank = int(np.linalg.matrix_rank(within, tol=1e-10 * float(np.abs(within).max()), hermitian=True))
    return float(stats.chi2.sf(distance, rank * (len(n) - 1)))


def _covariance(trial: Trial, names: list[str], varying: dict[str, tuple[Floats, Floats, Floats]]) -> Floats:
    """Return covariances within schemes; those that the cells do not hold count as 0."""
    pairs = trial.other("balance_pairs")
    n = varying[names[0]][0]
    within = np.diag([float((n * varying[name][2]).sum() / n.sum()) for name in names])
    for _, pair in pairs.groupby(["one", "other"]) if not pairs.empty else ():
        one, other = str(pair["one"].iloc[0]), str(pair["other"].iloc[0])
        if one in names and other in names:
            crosses = pair.groupby("scheme")["total"].sum().reindex(list(trial.schemes)).to_numpy(float)
            shared = (crosses - n * varying[one][1] * varying[other][1]).sum() / n.sum()
            i, j = names.index(one), names.index(other)
            within[i, j] = within[j, i] = shared
    return within
