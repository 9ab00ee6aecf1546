"""Differences between schemes and their control, in every segment and stage, from sums over members."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.privacy import base_of
from sojourn.core.results.board import CHURNED
from sojourn.estimators.bayes.by_lot import LEAST, beside_control
from sojourn.studies.board.names import with_names

#: Outcomes: whether a member is kept (or back) at the horizon, and money per member.
THERE, NET = "there", "net_value"
ARMS, BEFORE, DIVISIONS = "arms", "before", "divisions"
#: A variance counted in a few members is drawn to that of both arms, as if so many more had been seen.
_STEADY = 30
_CELL = ["trial", "aim", "segment", "stage"]


def estimates(
    cells: Cells, outcome: str, unfit: Collection[str], control: str | Sequence[str], min_group: int
) -> pd.DataFrame:
    """Return the difference of every scheme from its control, by segment and stage at assignment.

    Parameters
    ----------
    cells : Cells
        With the table ``arms``: ``trial``, ``scheme``, ``aim``, ``outcome``, ``segment``, ``stage``, ``n``,
        ``total``, ``total_sq`` (sums over members).
    outcome : str
        `THERE` or `NET`.
    unfit : collection of str
        Trials that are left out: not by lot, of a division that changed, or assigned in groups.
    control : str or sequence of str
        What a control may be called.
    min_group : int
        Cells with fewer members in one of both arms are left out.

    Returns
    -------
    DataFrame
        ``trial``, ``aim``, ``segment``, ``stage``, ``scheme``, ``control``, ``n`` (both arms), ``estimate``,
        ``error``.
    """
    arms = with_names(cells, ARMS)
    arms = arms[(arms["outcome"] == outcome) & ~arms["trial"].isin(unfit)]
    arms = arms[(arms["stage"] == CHURNED) == (arms["aim"] == "back")]  # whom the trial was not for
    arms = arms.astype(dict.fromkeys(("n", "total", "total_sq"), float))
    arms = arms[arms["n"] >= max(min_group, LEAST)]
    n = arms["n"]
    arms = arms.assign(mean=arms["total"] / n)
    arms["squares"] = (arms["total_sq"] - n * arms["mean"] ** 2).clip(lower=0)
    if outcome == THERE:  # so that a group all of whom stayed does not count as certain
        smooth = (arms["total"] + 0.5) / (n + 1)
        arms["squares"] = n * smooth * (1 - smooth)
    found = beside_control(arms, control, within=_CELL[1:])
    both = (found["squares"] + found["squares_of_control"]) / (found["n"] + found["n_of_control"] - 2)
    variance = sum(
        (_STEADY * both + found[f"squares{of}"]) / (_STEADY + found[f"n{of}"] - 1) / found[f"n{of}"]
        + base_of(cells.meta) ** 2 / 12 / found[f"n{of}"] ** 2
        for of in ("", "_of_control")
    )
    made = found[[*_CELL, "scheme"]].assign(
        control=found["scheme_of_control"],
        n=(found["n"] + found["n_of_control"]).astype(int),
        estimate=found["mean"] - found["mean_of_control"],
        error=np.sqrt(variance),
    )
    return made[made["error"] > 0].reset_index(drop=True)
