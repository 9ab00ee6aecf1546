"""Whether a scheme reaches those whom its members brought, and what that does to its own lift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.normal import two_sided
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_after import SpillOver
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.normal_bounds import Floats, bounded
from sojourn.studies.trials.told import told_of

#: In the cells: nobody of the trial brought them.
NOBODY = "-"
#: Ways of counting a scheme's own lift.
EVERYBODY, WITHOUT, ALL = "everybody", "no treated neighbour", "all or nobody"


def spill_over(trial: Trial, *, mass: float, scheme: str | None = None) -> SpillOver:
    """Compare those brought by members under a scheme with those brought by members under control.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``neighbours``; with the table ``brought`` lifts are counted without
        neighbours too.
    mass : float
        Probability mass of every interval, in (0, 1).
    scheme : str, optional
        The scheme that is told of; the one with the surest difference when not given.

    Returns
    -------
    SpillOver
        Empty, with the reason, where too few were brought.

    Notes
    -----
    Who brought them was assigned by lot, so a plain difference of shares is the effect on them, whatever
    their own scheme. They are counted one by one, whoever brought them. "All or nobody" averages, over
    members with and without a neighbour in the trial, the lift among those whose neighbour has their own
    scheme and the lift among those without: the effect of giving the scheme to all instead of to nobody.
    """
    in_range(mass, "mass", gt=0, lt=1)
    guarded = str(trial.meta.get("guarded", ""))
    about = (trial.name, trial.control, trial.words(guarded), mass)
    empty = SpillOver(*about, scheme=told_of(trial, scheme))
    if trial.wins_back:
        return replace(empty, why_empty="This trial is of members who had left, and they bring nobody.")
    cells = trial.other("neighbours")
    if cells.empty:
        return replace(empty, why_empty="These cells do not say who brought whom.")
    sums = cells.groupby("scheme")[["n", "k"]].sum().reindex(list(trial.schemes), fill_value=0)
    if sums["n"].min() < trial.min_group:
        return replace(
            empty,
            why_empty=f"Members of a scheme brought fewer than {trial.min_group} others: too few to compare.",
        )
    difference = _difference(sums["n"].to_numpy(float), sums["k"].to_numpy(float), mass)
    brought = sums["n"].to_numpy()
    table = pd.DataFrame(
        {
            "scheme": trial.schemes[1:],
            "brought_members": brought[1:],
            "brought_by_control_members": brought[0],
            **difference,
        }
    )
    share, without = _without(trial, mass)
    return replace(empty, table=table, without=without, neighbours_share=share)


def _difference(n: np.ndarray, k: np.ndarray, mass: float) -> dict[str, np.ndarray]:
    share, variance = _rate(n, k)
    lift = share[1:] - share[0]
    error = np.sqrt(variance[1:] + variance[0])
    p_value = np.array([two_sided(z) for z in lift / error])
    return {**bounded("lift", lift, error**2, mass), "p_value": p_value}


def _rate(n: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a share and its variance, that of half a member away from 0 and 1 at least."""
    share = k / n
    inside = np.clip(share, 0.5 / n, 1 - 0.5 / n)
    return share, inside * (1 - inside) / n


def _without(trial: Trial, mass: float) -> tuple[float, pd.DataFrame]:
    """Return the share of members with a neighbour, and every scheme's own lift by each way of counting."""
    cells = trial.other("brought")
    if cells.empty:
        return float("nan"), pd.DataFrame()
    grid = {name: _by_neighbour(trial, cells, name) for name in ("n", "k")}
    n, k = grid["n"], grid["k"]
    share = float(1 - n[:, 0].sum() / n.sum())
    rows = []
    for place, scheme in enumerate(trial.schemes[1:], start=1):
        pair = [0, place]
        for counted, parts in _ways(n.shape[1], place, share).items():
            if all(n[0, of[0]].sum() and n[place, of[1]].sum() for _, of in parts):
                told = _weighted(n[pair], k[pair], parts, mass)
                rows.append({"scheme": scheme, "counted": counted, **told})
    return share, pd.DataFrame(rows)


def _by_neighbour(trial: Trial, cells: pd.DataFrame, name: str) -> Floats:
    """Return counts by scheme and by who brought them: nobody of the trial, control, every scheme."""
    wide = cells.pivot_table(index="scheme", columns="referrer", values=name, aggfunc="sum", fill_value=0)
    columns = [NOBODY, *trial.schemes]
    grid: Floats = wide.reindex(index=list(trial.schemes), columns=columns, fill_value=0).to_numpy(float)
    return grid


type _Part = tuple[float, tuple[list[int], list[int]]]


def _ways(neighbours: int, place: int, share: float) -> Mapping[str, list[_Part]]:
    """Return, by way of counting, weights and the neighbours that members of control and scheme may have."""
    every, apart = list(range(neighbours)), [0, 1]
    return {
        EVERYBODY: [(1.0, (every, every))],
        WITHOUT: [(1.0, (apart, apart))],
        ALL: [(1 - share, ([0], [0])), (share, ([1], [1 + place]))],
    }


def _weighted(n: Floats, k: Floats, parts: list[_Part], mass: float) -> dict[str, float]:
    """Return a weighted mean of lifts, each among members with certain neighbours.

    Parameters
    ----------
    n, k : array (control and scheme, neighbours)
        Members, and of whom it is true.
    parts : list of (float, (list, list))
        See `_ways`.
    mass : float
        Probability mass of the interval.
    """
    lift = variance = members = 0.0
    for weight, of in parts:
        sizes, kept = (np.array([grid[arm, of[arm]].sum() for arm in (0, 1)]) for grid in (n, k))
        rate, error = _rate(sizes, kept)
        lift += weight * float(rate[1] - rate[0])
        variance += weight**2 * float(error.sum())
        members += float(sizes.sum())
    told = bounded("lift", lift, variance, mass)
    return {"n": int(members), **{name: float(value) for name, value in told.items()}}
