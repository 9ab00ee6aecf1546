"""When members leave: the smooth rate of leaving and its peak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.retention_when import Peak, RiskPeak
from sojourn.core.text import plural
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.peak import HazardPeak, hazard_peak
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.estimators.survival.smooth_hazard import SmoothHazard, smooth_hazard
from sojourn.studies.retention.groups import everyone

#: The curve is drawn at about so many durations, and at most so many periods are counted.
_POINTS, _PERIODS = 90, 120
#: Mass of the interval of the peak.
PEAK_MASS = 0.90


def risk_peak(
    cells: Cells, *, width: int = 7, mass: float = 0.95, peak_mass: float = PEAK_MASS, min_group: int = 20
) -> RiskPeak:
    """Return how fast all members leave by their time with us, and when they leave fastest.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    width : int
        Rates are per so many units of the cells, and counted in periods of this length.
    mass : float
        Mass of the pointwise intervals of the smooth rate, in (0, 1).
    peak_mass : float
        Mass of the interval of the peak.
    min_group : int
        The curve ends where fewer members are at risk.

    Returns
    -------
    RiskPeak
        Empty, with the reason, where too few have left or nobody is followed for one period.
    """
    in_range(width, "width", ge=1)
    in_range(mass, "mass", gt=0, lt=1)
    in_range(peak_mass, "peak_mass", gt=0, lt=1)
    risk, meta = everyone(cells), cells.meta
    result = RiskPeak(
        unit=meta["unit"],
        width=width,
        mass=mass,
        leaving=meta["leaving"],
        since=meta.get("since", "joining"),
        lapse=meta.get("lapse"),
        members=int(risk.at_risk[0]),
        at_once=int(risk.churned[0]),
        events=0,
        table=pd.DataFrame(),
    )
    risk = risk.while_at_least(min_group)
    if len(risk) - 1 < width:
        return replace(result, why_empty=f"Too few have been followed for {plural(width, meta['unit'])}.")
    try:
        smooth = smooth_hazard(risk)
    except UndefinedError as reason:
        return replace(result, why_empty=str(reason))
    return _filled(result, cells, risk, smooth, peak_mass)


def _filled(
    result: RiskPeak, cells: Cells, risk: RiskSet, smooth: SmoothHazard, peak_mass: float
) -> RiskPeak:
    found = hazard_peak(smooth, peak_mass)
    truth = cells.meta.get("truth", {}).get("retention", {}).get("hazard_peak_day")
    return replace(
        result,
        events=int(risk.churned[1:].sum()),
        table=_table(risk, smooth, result.width, result.mass),
        shape=found.shape,
        sure=found.sure,
        peak=_peak(found, peak_mass) if found.shape == "peak" else None,
        true_peak=None if truth is None else float(truth),
    )


def _peak(found: HazardPeak, mass: float) -> Peak:
    bounds = ((found.at, found.low, found.high), found.before, found.after)
    return Peak(*(Interval(float(at), float(low), float(high), mass, "eti") for at, low, high in bounds))


def _table(risk: RiskSet, smooth: SmoothHazard, width: int, mass: float) -> pd.DataFrame:
    """Return the smooth rate at some durations, and what was counted at the middles of the periods."""
    counted = _counted(risk, width)
    at = _places(len(smooth.duration), counted["duration"].to_numpy())
    low, high = smooth.bounds(mass)
    rates = (-np.expm1(-width * hazard)[at - 1] for hazard in (smooth.median(), low, high))
    table = pd.DataFrame({"duration": at, "at_risk": risk.at_risk[at]})
    for name, rate in zip(("rate", "rate_low", "rate_high"), rates, strict=True):
        table[name] = rate
    return table.merge(counted, on="duration", how="left")


def _counted(risk: RiskSet, width: int) -> pd.DataFrame:
    """Return leavers, and the share of those there who leave, of whole periods (or every so many of them)."""
    periods = (len(risk) - 1) // width
    ends = width * np.arange(periods + 1)
    kept = product_limit(risk)
    with np.errstate(invalid="ignore"):
        lost = 1 - kept[ends[1:]] / kept[ends[:-1]]
    churned = risk.churned[1 : ends[-1] + 1].reshape(periods, width).sum(axis=1)
    middles = ends[:-1] + (width + 1) // 2
    table = pd.DataFrame({"duration": middles, "churned": churned, "rate_counted": lost})
    return table.iloc[:: -(-periods // _PERIODS)]


def _places(longest: int, middles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return durations to draw: middles of periods, both ends, and more between where these are far apart."""
    step = -(-longest // _POINTS)
    between = np.arange(1, longest + 1, step) if len(middles) < _POINTS / 2 else np.array([1])
    return np.unique(np.concatenate([middles, between, [longest]]).astype(np.int64))
