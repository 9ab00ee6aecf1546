"""Whether hazard ratios hold over the whole time with us, and what they are period by period when not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.core.normal import standard_errors
from sojourn.core.results.retention_drivers import ProportionalHazards
from sojourn.estimators.survival.cox import CoxFit, cox
from sojourn.estimators.survival.proportional import Transform, changing_effect, proportional_test
from sojourn.estimators.survival.shares import holm
from sojourn.studies.retention.patterned import Patterned

#: Periods over which a changing hazard ratio is stated, by unit: up to the first, to the second, and after.
PERIODS = {"day": (30, 90), "month": (3, 12)}
#: A column changes when its p-value (Holm over columns) is below this, also if all others may change.
LEVEL = 0.01
TRANSFORM: Transform = "km"
#: A hazard ratio of a period needs so many leavers in it.
LEAST_GONE = 10
#: Smoothed effects are shown at so many places, and of so many levels, those with most leavers.
_PLACES, _LEVELS = 40, 4

_TESTED = ["column", "statistic", "df", "p_value", "given_others_p_value", "changes"]
_SMOOTH = ["level", "duration", "hazard_ratio", "hazard_ratio_low", "hazard_ratio_high"]
_PERIODS = ["column", "level", "against", "duration_from", "duration", "churned", *_SMOOTH[2:]]


def proportional_hazards(
    data: Patterned, fit: CoxFit, *, unit: str, leaving: str, mass: float
) -> ProportionalHazards:
    """Return the test of every column, and the effects of those that change.

    Parameters
    ----------
    data : Patterned
        Cells and their design.
    fit : CoxFit
        Cox model of them.
    unit, leaving : str
        Of the cells.
    mass : float
        Mass of bands and of intervals by period.
    """
    design = data.design
    columns = [column for column in design.columns if design.terms_of(column)]
    groups = {column: design.terms_of(column) for column in columns}
    tests = proportional_test(fit, data.counts, design.matrix, groups, transform=TRANSFORM)
    adjusted = holm(np.array([tests[column].p for column in columns]))
    rows = [
        (column, tests[column].statistic, tests[column].df, p, tests[column].p_given_others)
        for column, p in zip(columns, adjusted, strict=True)
    ]
    table = pd.DataFrame(rows, columns=_TESTED[:-1])
    table["changes"] = table[["p_value", "given_others_p_value"]].max(axis=1) < LEVEL
    table = table.sort_values(["changes", "p_value", "column"], ascending=[False, True, True])
    return ProportionalHazards(
        unit=unit,
        mass=mass,
        level=LEVEL,
        transform=TRANSFORM,
        table=table.reset_index(drop=True),
        periods=_by_period(data, list(table.loc[table["changes"], "column"]), unit, mass),
        smooth=_smooth(data, fit, groups[table["column"].iloc[0]], mass),
        smooth_against=design.levels[table["column"].iloc[0]][0],
        leaving=leaving,
    )


def nothing_tested(unit: str, leaving: str, mass: float, why: str) -> ProportionalHazards:
    """Return the empty result."""
    tested = pd.DataFrame(columns=_TESTED)
    periods, smooth = pd.DataFrame(columns=_PERIODS), pd.DataFrame(columns=_SMOOTH)
    return ProportionalHazards(
        unit, mass, LEVEL, TRANSFORM, tested, periods, smooth, leaving=leaving, why_empty=why
    )


def _smooth(data: Patterned, fit: CoxFit, terms: Sequence[int], mass: float) -> pd.DataFrame:
    """Return smoothed hazard ratios at places with about equally many leavers between them."""
    found = changing_effect(fit, data.counts, data.design.matrix)
    places = np.unique(np.linspace(0, len(found.days) - 1, min(_PLACES, len(found.days))).astype(int))
    z = standard_errors(mass)
    parts, left = [], _left(data)
    for term in sorted(sorted(terms, key=lambda term: -left[term])[:_LEVELS]):
        log, se = found.effect[places, term], found.se[places, term]
        rows = {"level": data.design.terms[term][1], "duration": found.days[places]}
        parts.append(pd.DataFrame({**rows, **ratio_columns(log, se, z)}))
    return pd.concat(parts, ignore_index=True)[_SMOOTH]


def _left(data: Patterned) -> NDArray[Any]:
    """Return leavers by term."""
    gone = np.bincount(data.counts.pattern, data.counts.churned, minlength=len(data.frame))
    return np.asarray(gone @ data.design.matrix)


def ratio_columns(log: NDArray[Any], se: NDArray[Any], z: float) -> dict[str, NDArray[Any]]:
    """Return hazard ratios with bounds from logarithms and their standard errors."""
    ends = {"hazard_ratio": 0.0, "hazard_ratio_low": -z, "hazard_ratio_high": z}
    return {name: np.exp(log + reach * se) for name, reach in ends.items()}


def _by_period(data: Patterned, columns: Sequence[str], unit: str, mass: float) -> pd.DataFrame:
    """Return the hazard ratios of changing columns, period by period."""
    if not columns:
        return pd.DataFrame(columns=_PERIODS)
    last = int(data.counts.day[data.counts.churned > 0].max())
    edges = [-1, *(day for day in PERIODS[unit] if day < last), last]
    parts = [_period(data, columns, span, mass) for span in pairwise(edges)]
    periods = pd.concat(parts, ignore_index=True)
    order = {name: place for place, name in enumerate(data.design.terms)}
    place = [order[pair] for pair in zip(periods["column"], periods["level"], strict=True)]
    return periods.assign(place=place).sort_values(["place", "duration"]).drop(columns="place")[_PERIODS]


def _period(data: Patterned, columns: Sequence[str], span: tuple[int, int], mass: float) -> pd.DataFrame:
    """Return the hazard ratios of one period; none where too few left or there is no finite one."""
    design, empty = data.design, pd.DataFrame(columns=_PERIODS)
    try:
        fit = cox(data.counts, design.matrix, names=data.names, days=span)
    except UndefinedError:
        return empty
    z = standard_errors(mass)
    here = (data.counts.day > span[0]) & (data.counts.day <= span[1])
    gone = np.bincount(data.counts.pattern[here], data.counts.churned[here], minlength=len(data.frame))
    rows = [
        {
            "column": column,
            "level": design.terms[term][1],
            "against": design.levels[column][0],
            "duration_from": max(span[0], 0),
            "duration": span[1],
            "churned": int(gone @ design.matrix[:, term]),
            **ratio_columns(fit.coefficients[term], fit.se[term], z),
        }
        for column in columns
        for term in design.terms_of(column)
    ]
    found = pd.DataFrame(rows, columns=_PERIODS)
    return found[found["churned"] >= LEAST_GONE]
