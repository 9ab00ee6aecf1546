"""Other trials at the same time: whether their schemes go with ours, or change what ours do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sojourn.core.results.trial_assignment import Overlaps
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.alike import blur, holm

Floats = NDArray[np.float64]
#: Members, of whom it is true and of whom not, that every cell needs before lifts are compared.
_ENOUGH = 10


def overlapping(trial: Trial) -> Overlaps:
    """Look at every other trial that members were in at the same time.

    Returns
    -------
    Overlaps
        Empty where there is none with enough members.
    """
    cells = trial.other("overlap")
    cells = cells[cells["scheme"].isin(trial.schemes)] if not cells.empty else cells
    rows = [_of_trial(trial, str(name), part) for name, part in cells.groupby("trial")] if len(cells) else []
    rows = [row for row in rows if row is not None]
    if not rows:
        return Overlaps(why_empty="No member was in another trial at the same time, as far as the cells say.")
    table = pd.DataFrame(rows)
    tests = ["p_together", "p_interaction"]
    adjusted = holm(table[tests].to_numpy(float).ravel()).reshape(-1, 2)
    return Overlaps(
        table.assign(**dict(zip(tests, adjusted.T, strict=True))), str(trial.meta.get("guarded", ""))
    )


def _of_trial(trial: Trial, name: str, rows: pd.DataFrame) -> dict[str, object] | None:
    n, k = (
        rows.pivot_table(index="other_scheme", columns="scheme", values=value, aggfunc="sum", fill_value=0)
        .reindex(columns=list(trial.schemes), fill_value=0)
        .to_numpy(float)
        for value in ("n", "k")
    )
    enough = (np.minimum(k, n - k) >= _ENOUGH).all(axis=1)
    if not enough.any():
        return None
    n, k = n[enough], k[enough]
    p, largest = interaction_p(n, k, blur(trial))
    return {
        "trial": name,
        "members": int(n.sum()),
        "p_together": independence_p(n, blur(trial)),
        "p_interaction": p,
        "largest": largest,
    }


def independence_p(counts: Floats, blur: float = 0.0) -> float:
    """Return the p-value of rows and columns being independent (chi-square).

    Parameters
    ----------
    counts : array (rows, columns)
        At least one in every column.
    blur : float
        What rounding adds to the variance of each count.
    """
    if len(counts) < 2:
        return 1.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    distance = float(((counts - expected) ** 2 / (expected + blur)).sum())
    return float(stats.chi2.sf(distance, (counts.shape[0] - 1) * (counts.shape[1] - 1)))


def interaction_p(n: Floats, k: Floats, blur: float = 0.0) -> tuple[float, float]:
    """Return the p-value of equal lifts under all other schemes, and the largest difference of two lifts.

    Parameters
    ----------
    n, k : array (other schemes, schemes)
        Members, and of whom it is true.
    blur : float
        What rounding adds to the variance of each count.

    Notes
    -----
    Weighted least squares of shares on scheme plus other scheme; the weighted sum of squared residuals is
    chi-square with (rows - 1)(columns - 1) degrees of freedom.
    """
    others, schemes = n.shape
    if others < 2:
        return 1.0, 0.0
    share = k / n
    smooth = (k + 0.5) / (n + 1)
    root = 1 / np.sqrt(smooth * (1 - smooth) / n + (1 + smooth**2) * blur / n**2)
    rows, columns = (index.ravel() for index in np.indices(n.shape))
    design = np.hstack([np.eye(others)[rows], np.eye(schemes)[columns][:, 1:]])
    weighted = design * root.reshape(-1, 1)
    left = (share * root).ravel()
    fitted = weighted @ np.linalg.lstsq(weighted, left, rcond=None)[0]
    distance = float(((left - fitted) ** 2).sum())
    lifts = share[:, 1:] - share[:, :1]
    return (
        float(stats.chi2.sf(distance, (others - 1) * (schemes - 1))),
        float(np.ptp(lifts, axis=0).max()),
    )
