"""A ratio of two means per member under every scheme, such as revenue per active day."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.trial_outcomes import Floats, RatioResult
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.ratios import TwoMeans, two_means
from sojourn.studies.trials.drawn import above_control, chance_above, frozen, intervals, over_control

_SUMS = ("top", "bottom", "top_sq", "bottom_sq", "cross")


def ratio(
    trial: Trial,
    outcome: str = "",
    *,
    mass: float,
    rng: np.random.Generator,
    draws: int = 40_000,
) -> RatioResult:
    """Estimate a ratio of two means per member, and its difference from control.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``ratio``.
    outcome : str
        One of its ratios; the first by name when not given.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    draws : int
        Number of posterior draws.

    Returns
    -------
    RatioResult
        Both means over strata as they occur among all members; empty, with the reason, where nothing was
        summed or a denominator is not clearly above 0.

    Raises
    ------
    ParameterError
        When the cells have ratios but not this one.

    Notes
    -----
    The ratio of the means, not the mean of the members' ratios. Both means are normal around what was counted
    (`sojourn.estimators.bayes.ratios`).
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(draws, "draws", ge=1000)
    cells = trial.other("ratio")
    horizon = int(trial.meta["horizon_days"])
    empty = RatioResult(trial.name, trial.control, outcome, trial.words(outcome), horizon, mass)
    if cells.empty:
        return replace(empty, why_empty="These cells sum no ratios, so there is none to compare.")
    outcome = one_of(outcome or min(cells["outcome"]), "outcome", sorted(set(cells["outcome"])))
    empty = replace(empty, outcome=outcome, words=trial.words(outcome))
    try:
        members, means = _means(cells[cells["outcome"] == outcome], trial)
    except UndefinedError as undefined:
        return replace(empty, why_empty=f"{trial.words(outcome).capitalize()}: {undefined}")
    drawn = np.stack([one.draw(draws, rng=rng) for one in means], axis=1)
    return replace(empty, table=_table(trial, members, means, drawn, mass), draws=frozen(drawn))


def _means(cells: pd.DataFrame, trial: Trial) -> tuple[Floats, list[TwoMeans]]:
    """Return members and both means of every scheme, control first."""
    strata = sorted(set(cells["stratum"]))
    grids = {name: _grid(cells, name, trial, strata) for name in ("n", *_SUMS)}
    n = grids["n"]
    if (n < 2).any():
        raise UndefinedError("a scheme has fewer than two members in a stratum.")
    weights = n.sum(axis=0) / n.sum()
    means = [two_means(n[j], {name: grids[name][j] for name in _SUMS}, weights) for j in range(len(n))]
    return n.sum(axis=1), means


def _grid(cells: pd.DataFrame, name: str, trial: Trial, strata: list[str]) -> Floats:
    summed = cells.pivot_table(index="scheme", columns="stratum", values=name, aggfunc="sum", fill_value=0)
    grid: Floats = summed.reindex(index=list(trial.schemes), columns=strata, fill_value=0).to_numpy(float)
    return grid


def _table(trial: Trial, members: Floats, means: list[TwoMeans], drawn: Floats, mass: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scheme": trial.schemes,
            "n": members.astype(int),
            "top": [one.top for one in means],
            "bottom": [one.bottom for one in means],
            "bottom_se": [math.sqrt(one.bottom_variance) for one in means],
            **intervals("ratio", drawn, mass),
            **above_control("more", drawn, mass),
            **over_control("times", drawn, mass),
            "p_more": chance_above(drawn),
        }
    )
