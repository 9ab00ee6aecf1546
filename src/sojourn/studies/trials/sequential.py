"""The split of members looked at every day, with a p-value that is valid however often one looks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from sojourn.core.results.trial_assignment import SplitByDay
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.split import units
from sojourn.studies.trials.told import not_told

Floats = NDArray[np.float64]
#: Below this p-value a day raises an alarm: at most so often over all days of a sound trial.
ALARM = 0.01
#: Weights of the planned shares in the laws that are mixed: faults of about 1.6 and of about half a point.
_WEIGHTS = (1_000.0, 10_000.0)


def split_by_day(trial: Trial) -> SplitByDay:
    """Compare the division of members with the plan after every day of assignment.

    Returns
    -------
    SplitByDay
        Empty where the cells do not say when members were assigned, or not one by one.
    """
    arrivals = trial.other("arrivals")
    if arrivals.empty:
        otherwise = "The cells do not say on which day members were assigned."
        return SplitByDay(
            why_empty=not_told(trial, "arrivals", "on which day members were assigned", otherwise)
        )
    if units(trial) is not None:
        return SplitByDay(why_empty="Units were assigned as a whole, so members do not come one by one.")
    daily = arrivals.pivot_table(
        index="day", columns="scheme", values="assigned", aggfunc="sum", fill_value=0
    )
    so_far = daily.reindex(columns=list(trial.schemes), fill_value=0).cumsum()
    planned = np.array([trial.allocation[scheme] for scheme in trial.schemes])
    counts = so_far.to_numpy(float)
    p_values = anytime_p_values(counts, planned)
    shares = counts / counts.sum(axis=1, keepdims=True)
    apart = np.abs(shares - planned).argmax(axis=1)
    table = pd.DataFrame(
        {
            "day": so_far.index.astype("int64"),
            "assigned": counts.sum(axis=1).astype("int64"),
            "p_value": p_values,
            "scheme": [trial.schemes[place] for place in apart],
            "share": np.take_along_axis(shares, apart[:, None], axis=1)[:, 0],
            "planned_share": planned[apart],
        }
    )
    alarmed = table.loc[table["p_value"] < ALARM, "day"]
    first = None if alarmed.empty else int(alarmed.iloc[0])
    return SplitByDay(table, float(p_values[-1]), first)


def anytime_p_values(counts: Floats, planned: Floats) -> Floats:
    """Return p-values of counts so far that hold at all looks together.

    Parameters
    ----------
    counts : array (…, looks, schemes)
        Members so far at every look.
    planned : array (schemes,)
        Planned shares.

    Returns
    -------
    array (…, looks)
        Inverse of the largest mixture odds so far, at most 1 [1]_.

    Notes
    -----
    Mean of the odds of two Dirichlet-multinomial laws, whose mean is the plan and whose weights are
    `_WEIGHTS`: a mean of non-negative martingales of mean 1 is one, and Ville's inequality bounds the chance
    that it ever exceeds 1 / p.

    .. [1] Lindon, M., Malek, A. (2022). Anytime-valid inference for multinomial count data. NeurIPS 35, (9).
    """
    odds = [_log_odds(counts, planned, weight) for weight in _WEIGHTS]
    mixed = logsumexp(np.stack(odds), axis=0) - np.log(len(_WEIGHTS))
    best: Floats = np.exp(-np.maximum(np.maximum.accumulate(mixed, axis=-1), 0.0))
    return best


def _log_odds(counts: Floats, planned: Floats, weight: float) -> Floats:
    """Return the logarithm of the Dirichlet-multinomial likelihood over that of the planned shares."""
    before = planned * weight
    total = counts.sum(axis=-1)
    spread = gammaln(weight) - gammaln(weight + total)
    spread = spread + (gammaln(before + counts) - gammaln(before)).sum(axis=-1)
    fixed: Floats = spread - (counts * np.log(planned)).sum(axis=-1)
    return fixed
