"""Whether months of joining, or months of the calendar, are unlike the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range
from sojourn.core.results.retention_when import CohortEffects
from sojourn.estimators.survival.age_period_cohort import (
    ALPHA,
    AgePeriodCohort,
    MonthCells,
    age_period_cohort,
)
from sojourn.estimators.survival.bends import Bends
from sojourn.studies.retention.groups import COHORT, read_risk_set, rows_by, why_no_cohorts

#: Days of a month, on average; months of age are counted so, half a month around whole numbers.
DAYS = 365.25 / 12


def cohort_effects(cells: Cells, *, mass: float = 0.95, min_group: int = 20) -> CohortEffects:
    """Return how leaving departs from straight lines by month of joining and by calendar month.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the grouping ``cohort``.
    mass : float
        Mass of the intervals, in (0, 1).
    min_group : int
        Months of joining with fewer members, and ages at which fewer of them are at risk, are left out.

    Returns
    -------
    CohortEffects
        Empty, with the reason, where there are too few months or leavers.
    """
    in_range(mass, "mass", gt=0, lt=1)
    result = CohortEffects(cells.meta["unit"], mass, cells.meta["leaving"], pd.DataFrame(), pd.DataFrame())
    if why := why_no_cohorts(cells):
        return replace(result, why_empty=why)
    months = month_cells(cells, min_group)
    try:
        return _filled(result, age_period_cohort(months))
    except UndefinedError as reason:
        return replace(result, why_empty=str(reason))


def month_cells(cells: Cells, min_group: int) -> MonthCells:
    """Return leavers and days at risk by month of joining and age in months, months numbered from year 0.

    Notes
    -----
    Age 0 is the first half month after the day of joining, age a the month around a x 30.44 days. Who leaves
    is at risk for half of that day. Cells whose middle lies outside the time observed are left out.
    """
    rows = rows_by(cells, COHORT)
    groups = sorted(rows["group"].unique())
    parts = [part for group in groups for part in _ages(rows[rows["group"] == group], group, min_group)]
    table = np.array(parts, dtype=np.float64).reshape(-1, 4)
    found = MonthCells(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3])
    first, last = _observed(cells)
    return found.where((found.period >= first) & (found.period <= last))


def _ages(rows: pd.DataFrame, group: str, min_group: int) -> Iterator[tuple[float, ...]]:
    """Return cohort, age, leavers and days at risk of each age of one month of joining."""
    if rows["entered"].sum() < min_group:
        return
    risk = read_risk_set(rows)
    day = np.arange(1, len(risk))
    age = np.floor((day - 0.5) / DAYS + 0.5).astype(np.int64)
    for one in np.unique(age):
        here = day[age == one]
        at_risk, churned = risk.at_risk[here], risk.churned[here]
        if at_risk.max() >= min_group:
            yield number_of(group), one, churned.sum(), at_risk.sum() - churned.sum() / 2


def number_of(month: str) -> int:
    """Return the number of a month, counted from year 0.

    Examples
    --------
    >>> number_of("2025-03"), name_of(number_of("2025-03"))
    (24302, '2025-03')
    """
    return 12 * int(month[:4]) + int(month[5:7]) - 1


def name_of(month: int) -> str:
    """Return a month's name, as in the table ``risk``."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def _observed(cells: Cells) -> tuple[int, int]:
    """Return the first and the last calendar month in which leaving is observed."""
    start, end = (datetime.fromisoformat(cells.meta[key]) for key in ("observed_from", "as_of"))
    end -= timedelta(days=cells.meta.get("lapse") or 0, hours=36)  # a month that has only begun is none
    return 12 * start.year + start.month - 1, 12 * end.year + end.month - 1


def _filled(result: CohortEffects, found: AgePeriodCohort) -> CohortEffects:
    reach = standard_errors(result.mass)
    value, low, high = (
        float(np.exp(12 * (found.drift + off * found.drift_se))) for off in (0, -reach, reach)
    )
    tests = pd.DataFrame(
        {
            "what": list(found.tests),
            "statistic": [test.statistic for test in found.tests.values()],
            "df": [test.df for test in found.tests.values()],
            "p_value": [test.p for test in found.tests.values()],
        }
    )
    ages = pd.DataFrame(
        {
            "age": found.age,
            "rate_if_cohorts": _in_100(found.by_age),
            "rate_if_calendar": _in_100(found.by_age_if_calendar()),
        }
    )
    parts = [
        _departures("joined in", found.cohort, reach),
        _departures("calendar month", found.period, reach),
    ]
    return replace(
        result,
        table=pd.concat(parts, ignore_index=True),
        ages=ages,
        tests=tests,
        drift=Interval(value, low, high, result.mass, "wald"),
        dispersion=found.dispersion,
        level=ALPHA,
    )


def _in_100(log_rate: np.ndarray) -> np.ndarray:
    """Return the share leaving within a month at a constant log rate per day."""
    return np.asarray(-np.expm1(-DAYS * np.exp(log_rate)))


def _departures(what: str, bends: Bends, reach: float) -> pd.DataFrame:
    """Return each month's rate over the straight line, with bounds, p-value and whether it stands apart."""
    return pd.DataFrame(
        {
            "what": what,
            "month": [name_of(int(level)) for level in bends.level],
            "churned": bends.churned.astype(np.int64),
            "times": np.exp(bends.departure),
            "times_low": np.exp(bends.departure - reach * bends.se),
            "times_high": np.exp(bends.departure + reach * bends.se),
            "p_value": bends.p,
            "apart": bends.apart,
        }
    )
