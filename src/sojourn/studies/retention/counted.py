"""Counting without a model: day-N retention, the cohort triangle and the rate of leaving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.retention import CohortTriangle, DayN, LossRate
from sojourn.core.text import plural
from sojourn.estimators.survival.shares import exact_rate, exact_share
from sojourn.studies.retention.groups import (
    COHORT,
    NO_DATES,
    everyone,
    read_groups,
    rows_by,
    why_no_cohorts,
)


def day_n(
    cells: Cells, *, days: Sequence[int], by: str = "all", mass: float = 0.95, min_group: int = 20
) -> DayN:
    """Return the share kept to day N among members whose full follow-up reaches day N.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    days : sequence of int
        Durations N, in the unit of the cells.
    by : str
        Grouping known at joining.
    mass : float
        Mass of the exact intervals.
    min_group : int
        Nothing is shown for fewer matured members.

    Notes
    -----
    Only members seen from joining on count. Whoever is still observed after day N has matured, so those kept
    are all who leave later than N or are censored at N or later.
    """
    if not cells.meta.get("potential_known", True):
        return DayN(by, cells.meta["unit"], mass, pd.DataFrame(), NO_DATES, cells.meta["leaving"])
    order = list(read_groups(cells, by, min_group).risk)
    table = _kept(rows_by(cells, by), days)
    table = table[table["matured"] >= min_group].drop(columns="members")
    table = table.sort_values(
        "group", key=lambda g: g.map({name: i for i, name in enumerate(order)}), kind="stable"
    )
    followed = f"followed for {plural(min(days), cells.meta['unit'])}"
    why = "" if len(table) else f"No group has {min_group} members who have been {followed}."
    table = _with_interval(table, "matured", mass)
    return DayN(by, cells.meta["unit"], mass, table, why, cells.meta["leaving"])


def cohort_triangle(
    cells: Cells, *, step: int = 30, mass: float = 0.95, min_group: int = 20
) -> CohortTriangle:
    """Return the share kept by joining month and age, where every member of the cohort has reached the age.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    step : int
        Distance of two ages, in the unit of the cells.
    mass : float
        Mass of the exact intervals.
    min_group : int
        Cohorts with fewer members are left out.
    """
    in_range(step, "step", ge=1)
    unit = cells.meta["unit"]
    if why := why_no_cohorts(cells):
        return CohortTriangle(unit, step, mass, pd.DataFrame(), why, cells.meta["leaving"])
    rows = rows_by(cells, COHORT)
    table = _kept(rows, range(step, int(rows["day"].max()) + 1, step)).rename(columns={"group": "cohort"})
    table = table[(table["matured"] == table["members"]) & (table["members"] >= min_group)]
    table = _with_interval(table.drop(columns="matured"), "members", mass)
    followed = f"followed for {plural(step, unit)}"
    why = "" if len(table) else f"No month of joining with {min_group} members or more has been {followed}."
    return CohortTriangle(unit, step, mass, table, why, cells.meta["leaving"])


def loss_rate(cells: Cells, *, width: int = 7, mass: float = 0.95, min_group: int = 20) -> LossRate:
    """Return how fast all members leave, by period of their time with us.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    width : int
        Length of a period, in the unit of the cells.
    mass : float
        Mass of the exact intervals.
    min_group : int
        Periods end where fewer members are at risk.

    Notes
    -----
    Leavers over time at risk: the estimate of a constant rate within the period.
    """
    in_range(width, "width", ge=1)
    risk = everyone(cells)
    periods = max(len(risk.while_at_least(min_group)) - 1, 0) // width
    ends = width * np.arange(1, periods + 1)
    churned = risk.churned[1 : periods * width + 1].reshape(periods, width).sum(axis=1)
    exposure = risk.at_risk[1 : periods * width + 1].reshape(periods, width).sum(axis=1)
    low, high = exact_rate(churned, exposure / width, mass)
    table = pd.DataFrame(
        {
            "duration_from": ends - width,
            "duration": ends,
            "churned": churned,
            "exposure": exposure,
            "rate": churned / exposure * width,
            "rate_low": low,
            "rate_high": high,
        }
    )
    at_once, members, meta = int(risk.churned[0]), int(risk.at_risk[0]), cells.meta
    said = (meta["leaving"], meta.get("since", "joining"), meta.get("lapse"))
    rate = LossRate(meta["unit"], width, mass, at_once, table, members, *said)
    return replace(rate, alike=_alike(rate.drawn()))


def _alike(periods: pd.DataFrame) -> float:
    """Return the p-value of Pearson's test that all periods have one rate."""
    churned = periods["churned"].sum()
    if churned == 0:
        return 1.0
    expected = periods["exposure"] * churned / periods["exposure"].sum()
    return float(chi2.sf(((periods["churned"] - expected) ** 2 / expected).sum(), max(len(periods) - 1, 1)))


def _kept(rows: pd.DataFrame, days: Iterable[int]) -> pd.DataFrame:
    """Return ``group``, ``members``, ``duration``, ``matured``, ``kept`` of members seen from joining on."""
    seen = rows[rows["late"] == 0]
    found = []
    for group, of in seen.groupby("group"):
        for day in days:
            found.append(
                {
                    "group": group,
                    "members": int(of["entered"].sum()),
                    "duration": day,
                    "matured": int(of.loc[of["day"] >= day, "potential"].sum()),
                    "kept": int(
                        of.loc[of["day"] > day, "churned"].sum() + of.loc[of["day"] >= day, "censored"].sum()
                    ),
                }
            )
    return pd.DataFrame(found, columns=["group", "members", "duration", "matured", "kept"])


def _with_interval(table: pd.DataFrame, n: str, mass: float) -> pd.DataFrame:
    low, high = exact_share(table["kept"].to_numpy(), table[n].to_numpy(), mass)
    share = table["kept"] / table[n]
    return table.assign(retained=share, retained_low=low, retained_high=high).reset_index(drop=True)
