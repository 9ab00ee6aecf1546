"""Whether a share of members never leaves, and how large it is."""

from __future__ import annotations

import math

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.retention_lifetimes import Reason, Stayers
from sojourn.estimators.survival.cure import CURE_MODELS, CureFit, fit_cure
from sojourn.estimators.survival.follow_up import FollowUp, follow_up
from sojourn.estimators.survival.goodness import goodness
from sojourn.estimators.survival.interval_cells import IntervalCells, daily_cells
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.parametric import MODELS, fit_lifetime
from sojourn.estimators.survival.risk_set import RiskSet

#: A law whose leavers are as far from those counted in fewer than so many worlds does not describe them.
POOR_FIT = 0.05


def stayers(risk: RiskSet, *, mass: float = 0.95, min_group: int = 20) -> Stayers:
    """Return the share that never leaves, or its bounds and the reason why no more is known.

    Parameters
    ----------
    risk : RiskSet
        Of everybody.
    mass : float
        Mass of the interval.
    min_group : int
        Durations with fewer members at risk are not looked at.

    Notes
    -----
    A share is claimed when all of this holds: follow-up is sufficient (`follow_up`); some law with stayers
    has a lower AIC than every law without; and its interval lies above 0. Where that law does not describe
    the counts (`goodness`), the share is the last level of the Kaplan-Meier curve, and its lower bound allows
    for all who may still leave within as long again. Else the share lies between 0 and the upper bound of
    the curve's last level (Maller & Zhou 1996, chapter 4).
    """
    seen = risk.while_at_least(min_group)
    upper = _upper(seen, mass)
    try:
        reach = follow_up(seen)
    except UndefinedError:
        return _bounded("too few followed", upper, mass, None)
    if not reach.sufficient:
        return _bounded("not slowing down" if reach.rising else "followed too briefly", upper, mass, reach)
    cells = daily_cells(seen)
    best = _best(cells, mass)
    if best is None or best.stays.low <= 0 or best.fit.aic >= _plain(cells):
        return _bounded("not needed", upper, mass, reach)
    close = goodness(best.fit.survival, seen, best.fit.free).p >= POOR_FIT
    stays, model = (best.stays, best.fit.model) if close else (_last_level(seen, reach, mass), "Kaplan-Meier")
    if stays.low <= 0:
        return _bounded("not needed", upper, mass, reach)
    return Stayers(stays, "", model, reach.end, reach.share_to_come)


def _upper(seen: RiskSet, mass: float) -> float:
    """Return the upper bound of the last level of the curve; 1 where nobody left."""
    if not len(seen):
        return 1.0
    curve = kaplan_meier(seen, mass)
    level, high = float(curve.retained[-1]), float(curve.high[-1])
    return high if math.isfinite(high) else level


def _bounded(reason: Reason, upper: float, mass: float, reach: FollowUp | None) -> Stayers:
    to_come = reach.share_to_come if reach else float("nan")
    bounds = Interval(0.0, 0.0, upper, mass, "log-log")
    return Stayers(bounds, reason, "", reach.end if reach else 0, to_come)


def _best(cells: IntervalCells, mass: float) -> CureFit | None:
    """Return the law with stayers of lowest AIC; None where none can be fitted."""
    found = []
    for model in CURE_MODELS:
        try:
            found.append(fit_cure(model, cells, mass=mass))
        except UndefinedError:
            continue
    return min(found, key=lambda one: one.fit.aic, default=None)


def _plain(cells: IntervalCells) -> float:
    """Return the lowest AIC of all laws without stayers."""
    found = [float("inf")]
    for model in MODELS:
        try:
            found.append(fit_lifetime(model, cells).aic)
        except UndefinedError:
            continue
    return min(found)


def _last_level(seen: RiskSet, reach: FollowUp, mass: float) -> Interval:
    """Return the last level of the curve; its lower bound allows for those who may still leave."""
    curve = kaplan_meier(seen, mass)
    low, high = float(curve.low[-1]) - reach.to_come, float(curve.high[-1])
    return Interval(float(curve.retained[-1]), max(low, 0.0), high, mass, "log-log")
