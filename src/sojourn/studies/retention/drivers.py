"""What goes with staying: members in 100 more or fewer at a horizon, level by level, all else alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range
from sojourn.core.results.retention_drivers import Drivers
from sojourn.estimators.survival.cox import CoxFit, cox
from sojourn.estimators.survival.hazard_model import HazardModel, exposure, hazard_model
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import risk_set
from sojourn.estimators.survival.shares import holm
from sojourn.estimators.survival.standardise import Standardised, standardised
from sojourn.studies.retention.patterned import Patterned, patterned
from sojourn.studies.retention.proportional import (
    LEAST_GONE,
    PERIODS,
    nothing_tested,
    proportional_hazards,
    ratio_columns,
)
from sojourn.studies.retention.truth import true_curve

Floats = NDArray[np.float64]

#: Below this crude difference (a share) the ratio of the standardised one to it says nothing.
LEAST_CRUDE = 0.005
_COLUMNS = [
    "column",
    "level",
    "against",
    "members",
    "retained",
    "difference_points",
    "difference_points_low",
    "difference_points_high",
    "crude_points",
    "ratio_to_crude",
    "hazard_ratio",
    "hazard_ratio_low",
    "hazard_ratio_high",
    "p_value",
]


def drivers(cells: Cells, *, horizon: int, mass: float = 0.95, min_group: int = 20) -> Drivers:
    """Return standardised differences in members still there, for every level known at joining.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    horizon : int
        Duration at which shares are compared, in the unit of the cells.
    mass : float
        Mass of all intervals of differences together, in (0, 1).
    min_group : int
        Levels with fewer members, or fewer than `LEAST_GONE` leavers, are merged into "other".

    Returns
    -------
    Drivers
        With `why_empty` where the cells do not allow it.

    Notes
    -----
    A discrete-time hazard model with a free baseline per week, fitted on what happened up to the horizon, so
    that nothing later moves the answer; columns whose hazard ratios change with time (score test over all
    time) have an effect per period. Each level is set against the largest of its column by the g-formula over
    the observed mix of the other columns; intervals by the delta method, widened for their number
    (Bonferroni). Observational: members of one level differ from others in what is not recorded too.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(horizon, "horizon", ge=1)
    try:
        return _drivers(cells, horizon, mass, min_group)
    except UndefinedError as reason:
        return _empty(cells, horizon, mass, str(reason))


def _empty(cells: Cells, horizon: int, mass: float, why: str) -> Drivers:
    unit, leaving = cells.meta["unit"], cells.meta["leaving"]
    untested = nothing_tested(unit, leaving, mass, "There are no differences to follow over time.")
    table = pd.DataFrame(columns=_COLUMNS)
    return Drivers(cells.case, unit, horizon, mass, 0, 0, table, untested, leaving=leaving, why_empty=why)


def _drivers(cells: Cells, horizon: int, mass: float, min_group: int) -> Drivers:
    unit, leaving = cells.meta["unit"], cells.meta["leaving"]
    data = patterned(cells, min_group=min_group, least_gone=LEAST_GONE)
    _check_followed(data, horizon, unit, min_group)
    fit = cox(data.counts, data.design.matrix, names=data.names)
    tested = proportional_hazards(data, fit, unit=unit, leaving=leaving, mass=mass)
    model = horizon_model(data, horizon, PERIODS[unit], tested.changing)
    table = _table(data, model, fit, tested.changing, (horizon, mass))
    true = true_points(cells, table, horizon)
    return Drivers(
        case=cells.case,
        unit=unit,
        horizon=horizon,
        mass=mass,
        members=int(data.counts.entered.sum()),
        churned=int(data.counts.churned.sum()),
        table=table if true is None else table.assign(true_points=true),
        proportional=tested,
        merged=dict(data.design.merged),
        left_out=(*data.design.dropped, *(f"{column}: {level}" for column, level in data.design.aliased)),
        leaving=leaving,
    )


def _check_followed(data: Patterned, horizon: int, unit: str, min_group: int) -> None:
    counts = data.counts
    risk = risk_set(counts.day, counts.entered, counts.churned, counts.censored)
    if len(risk) <= horizon or risk.at_risk[horizon] < min_group:
        raise UndefinedError(f"Fewer than {min_group} members have been followed for {horizon} {unit}s.")
    if data.joined.sum() < min_group:
        raise UndefinedError(f"Fewer than {min_group} members are seen from joining on.")


def horizon_model(
    data: Patterned, horizon: int, periods: Sequence[int], changing: Sequence[str] = ()
) -> HazardModel:
    """Return the hazard model of what happened up to the horizon.

    Parameters
    ----------
    data : Patterned
        Cells and their design.
    horizon : int
        Everybody is censored then.
    periods : sequence of int
        Days at which the effects of changing columns change.
    changing : sequence of str
        Columns with one effect per period. Where too few left in one for that, they have one for all.
    """
    design, until = data.design, data.counts.until(horizon)
    terms = [term for column in changing for term in design.terms_of(column)]
    inner = [day for day in periods if day < horizon] if terms else []
    size = len(data.frame)
    try:
        cells = exposure(until, size, periods=inner)
        return hazard_model(cells, design.matrix, names=data.names, periods=inner, changing=terms)
    except UndefinedError:
        if not inner:
            raise
        return hazard_model(exposure(until, size), design.matrix, names=data.names)


def _table(
    data: Patterned, model: HazardModel, fit: CoxFit, changing: Sequence[str], at: tuple[int, float]
) -> pd.DataFrame:
    """Return the table of `Drivers`, `at` a horizon and with the mass of its intervals."""
    (horizon, mass), design = at, data.design
    parts = [
        _rows(data, column, standardised(model, design.matrix, data.joined, terms, horizon), fit, horizon)
        for column in design.columns
        if (terms := design.terms_of(column))
    ]
    table = pd.concat(parts, ignore_index=True)
    z_all = float(norm.isf((1 - mass) / 2 / len(table)))
    z_one = standard_errors(mass)
    se, log, log_se = (table.pop(name).to_numpy() for name in ("se", "log", "log_se"))
    difference = table["difference_points"].to_numpy()
    ratios = pd.DataFrame(ratio_columns(log, log_se, z_one))
    table = table.assign(
        difference_points_low=difference - z_all * se,
        difference_points_high=difference + z_all * se,
        p_value=holm(2 * norm.sf(np.abs(difference) / se)),
        **ratios.where(~table["column"].isin(changing), np.nan),
    )
    return table[_COLUMNS]


def _rows(data: Patterned, column: str, share: Standardised, fit: CoxFit, horizon: int) -> pd.DataFrame:
    """Return the rows of one column, with standard errors beside."""
    design, terms = data.design, data.design.terms_of(column)
    levels = [design.terms[term][1] for term in terms]
    own = {level: _own_share(data, column, level, horizon) for level in (design.levels[column][0], *levels)}
    reference = own[design.levels[column][0]][1]
    crude = np.array([own[level][1] - reference for level in levels])
    told = np.abs(crude) >= LEAST_CRUDE
    return pd.DataFrame(
        {
            "column": column,
            "level": levels,
            "against": design.levels[column][0],
            "members": [own[level][0] for level in levels],
            "retained": [own[level][1] for level in levels],
            "difference_points": share.difference[1:],
            "crude_points": crude,
            "ratio_to_crude": np.where(told, share.difference[1:] / np.where(told, crude, 1.0), np.nan),
            "se": share.difference_se[1:],
            "log": fit.coefficients[terms],
            "log_se": fit.se[terms],
        }
    )


def _own_share(data: Patterned, column: str, level: str, horizon: int) -> tuple[int, float]:
    """Return members of a level, and their own Kaplan-Meier share at the horizon."""
    design, counts = data.design, data.counts
    place = design.columns.index(column)
    there = design.codes[counts.pattern, place] == design.levels[column].index(level)
    marks = (counts.day, counts.entered, counts.churned, counts.censored)
    risk = risk_set(*(mark[there] for mark in marks)).on(horizon + 1)
    return int(counts.entered[there].sum()), float(product_limit(risk)[horizon])


def true_points(cells: Cells, table: pd.DataFrame, horizon: int) -> Floats | None:
    """Return true differences of a simulated world, where they are those that are estimated; else None.

    The worlds draw what is known at joining column by column, independently, so that the difference between
    all who have one level and all who have another is the one with the other columns alike.
    """
    known: Mapping[tuple[str, str], float] = {
        (str(column), str(row["group"])): float(row["retained"])
        for column in table["column"].unique()
        if (curve := true_curve(cells, column)) is not None
        for _, row in curve[curve["duration"] == horizon].iterrows()
    }
    missing = float("nan")
    columns, levels, against = (table[name] for name in ("column", "level", "against"))
    true = [
        known.get((column, level), missing) - known.get((column, other), missing)
        for column, level, other in zip(columns, levels, against, strict=True)
    ]
    return np.array(true) if known else None
