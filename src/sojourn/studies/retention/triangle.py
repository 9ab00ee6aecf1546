"""The triangle of cohorts by ages as counts, and as it was known at earlier dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.estimators.survival.triangle import Triangle
from sojourn.studies.retention.groups import COHORT, rows_by

#: Older cohorts than so many say little of the coming months, and cost time.
MOST_COHORTS = 36


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Joining months with enough members, oldest first.

    Attributes
    ----------
    names : tuple of str
        Joining months (YYYY-MM, local time).
    triangle : Triangle
        Their members after whole steps.
    """

    names: tuple[str, ...]
    triangle: Triangle


def read_cohorts(cells: Cells, *, step: int, min_group: int) -> Cohorts:
    """Return the newest cohorts of members seen from joining on.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the grouping ``cohort``.
    step : int
        Distance of two ages, in the unit of the cells.
    min_group : int
        Cohorts with fewer members are left out.

    Notes
    -----
    An entry is known when the last who joined in the month has been followed to its age. Kept counts never
    change afterwards, so a date ``k`` steps earlier knew ``k`` ages less of every cohort, and that is all.
    """
    rows = rows_by(cells, COHORT)
    rows = rows[rows["late"] == 0]
    members = rows.groupby("group")["entered"].sum()
    names = sorted(members.index[members >= min_group])[-MOST_COHORTS:]
    followed = rows[rows["potential"] > 0].groupby("group")["day"].min()
    known = (followed.reindex(names, fill_value=0) // step).to_numpy(dtype=np.int64)
    ages = step * np.arange(1, max(int(known.max(initial=0)), 1) + 1)
    kept = [_kept(rows[rows["group"] == name], ages) for name in names]
    counts = np.array(kept, dtype=np.int64).reshape(len(names), len(ages))
    return Cohorts(tuple(names), Triangle(members[names].to_numpy(dtype=np.int64), counts, known))


def _kept(rows: pd.DataFrame, ages: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Return how many leave later than each age, or are still observed at it."""
    day, churned, censored = (rows[name].to_numpy() for name in ("day", "churned", "censored"))
    return [int(churned[day > age].sum() + censored[day >= age].sum()) for age in ages]
