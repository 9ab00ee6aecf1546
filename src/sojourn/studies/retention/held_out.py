"""Members held out in time: predicted from what was known earlier, set beside what they did since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.results.retention_gate import Gate
from sojourn.core.text import count
from sojourn.estimators.survival.hazard_model import WEEK, HazardModel, exposure, hazard_model
from sojourn.estimators.survival.scores import Held
from sojourn.studies.retention.gate import MASS, examine
from sojourn.studies.retention.patterned import patterned

Floats = NDArray[np.float64]

#: Ages of the exam are whole weeks, rounded down: members are half a week older on average.
_HALF_WEEK = 3


def gate(cells: Cells, *, horizons: Sequence[int], ici_max: float = 0.02, min_group: int = 20) -> Gate:
    """Return whether a hazard model, fitted to what was known ``exam_days`` before `as_of`, held since.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the tables ``patterns`` and ``exam``.
    horizons : sequence of int
        Durations for which predictions are used, in days; those beyond the exam are left out.
    ici_max : float
        Largest mean difference allowed between predicted and observed shares.
    min_group : int
        Levels with fewer members are merged.

    Notes
    -----
    The model has a free hazard in every week and proportional effects of what is known at joining. It sees
    nothing of the time it is examined on, neither of these members nor of others.
    """
    try:
        held, too_old = held_out(cells, min_group=min_group)
    except UndefinedError as reason:
        why = str(reason)
        return Gate(cells.meta["unit"], "", "cannot be judged", ici_max, MASS, why_empty=why)
    longest = held.stay.shape[1] * WEEK
    days = [day for day in horizons if day + 2 * WEEK <= longest]
    model = (
        f"Predicted {count(longest)} days before the date of the data, from what was known at joining and a "
        f"hazard of every week{_left_out(too_old, longest)}."
    )
    found = examine(
        held,
        days=[*days, longest],
        step=WEEK,
        unit="day",
        model=model,
        ici_max=ici_max,
        leaving=cells.meta["leaving"],
    )
    return replace(found, not_followed=tuple(sorted(day for day in horizons if day > longest)))


def _left_out(members: int, days: int) -> str:
    if not members:
        return ""
    return (
        f"; {count(members)} members whose next {count(days)} days reached beyond the longest time anybody "
        "had been followed then could not be predicted"
    )


def held_out(cells: Cells, *, min_group: int = 20) -> tuple[Held, int]:
    """Return members of the exam with predictions, and how many were too old to be predicted.

    Raises
    ------
    UndefinedError
        When there are no such cells, or nobody to examine.
    """
    known = patterned(cells, min_group=min_group, known="then")
    model = hazard_model(exposure(known.counts, len(known.frame)), known.design.matrix, names=known.names)
    exam, weeks = cells["exam"], int(cells.meta["exam_days"]) // WEEK
    young = exam["age"] + _HALF_WEEK + weeks * WEEK <= model.followed_to
    if weeks == 0 or not young.any():
        raise UndefinedError("Nobody had been followed long enough before to be predicted.")
    some: pd.DataFrame = exam[young]
    return _held(some, known.design.encode(some), model, weeks), int(exam.loc[~young, "members"].sum())


def _held(exam: pd.DataFrame, x: Floats, model: HazardModel, weeks: int) -> Held:
    """Return members by pattern and age, with what was predicted of them and when they left."""
    kinds, place = np.unique(np.column_stack([x, exam["age"]]), axis=0, return_inverse=True)
    covariates, age = kinds[:, :-1], kinds[:, -1].astype(np.int64) + _HALF_WEEK
    hazards, before = model.hazards(covariates), model.days(age)
    stay = np.column_stack(
        [
            np.exp(-(hazards * (model.days(age + WEEK * week) - before)).sum(axis=1))
            for week in range(1, weeks + 1)
        ]
    )
    week = exam["after"].to_numpy() // WEEK  # 0: still there
    members = exam["members"].to_numpy()
    stayed = (week == 0) | (week > weeks)
    left, followed = np.zeros(stay.shape, dtype=np.int64), np.zeros(stay.shape, dtype=np.int64)
    np.add.at(left, (place[~stayed], week[~stayed] - 1), members[~stayed])
    np.add.at(followed, (place[stayed], weeks - 1), members[stayed])
    return Held(stay, left, followed)
