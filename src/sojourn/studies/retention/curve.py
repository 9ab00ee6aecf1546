"""The retention curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.interval import Scale
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.retention import RetentionCurve
from sojourn.estimators.survival.bands import BandKind, survival_band
from sojourn.estimators.survival.intervals import SCALES
from sojourn.estimators.survival.kaplan_meier import Survival, kaplan_meier
from sojourn.estimators.survival.restricted_mean import RestrictedMean, restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.estimators.survival.weighted import WeightedSpells, weighted_mean, weighted_survival
from sojourn.studies.retention.groups import Groups, read_groups
from sojourn.studies.retention.truth import true_curve, true_means
from sojourn.studies.retention.weighted import read_spells

Floats = NDArray[np.float64]

#: An interval is claimed to hold its mass only with so many at risk, and so many gone (STATISTICS 1).
LEAST_AT_RISK, LEAST_GONE = 20, 10


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked of every group's curve."""

    mass: float
    min_group: int
    interval: Scale
    band: BandKind | Literal["none"]


def retention_curve(
    cells: Cells,
    *,
    by: str = "all",
    mass: float = 0.95,
    min_group: int = 20,
    interval: Scale = "log-log",
    band: BandKind | Literal["none"] = "none",
    weights: Literal["frequency", "probability"] = "frequency",
) -> RetentionCurve:
    """Return the share still with us after each whole duration, by groups known at joining.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        ``all``, ``cohort``, or a column of ``members`` known at joining.
    mass : float
        Mass of the pointwise intervals and of the band, in (0, 1).
    min_group : int
        The curve of a group ends where fewer members are at risk.
    interval : str
        Scale of intervals and band: ``log-log``, ``plain``, ``log``, ``logit`` or ``arcsin``.
    band : str
        ``equal precision`` or ``hall-wellner``: hold the whole curve at once, from where 10 have left to
        where 20 are at risk. ``none``: pointwise intervals only.
    weights : str
        ``frequency``: every member counts once, Greenwood's variance. ``probability``: members stand for more
        than themselves, robust variance; reads the table ``weighted`` (see `read_spells`).

    Raises
    ------
    ImmortalTimeError
        When `by` is known only later.
    ParameterError
        When it is no grouping of these cells, an option is unknown, or a band is asked for weighted members.
    UndefinedError
        When no group has `min_group` members at risk from joining on, or these cells have no weights.
    """
    in_range(mass, "mass", gt=0, lt=1)
    one_of(interval, "interval", SCALES)
    one_of(band, "band", ("none", "equal precision", "hall-wellner"))
    one_of(weights, "weights", ("frequency", "probability"))
    if weights == "probability" and band != "none":
        raise ParameterError("A band is known for members who all count alike. Ask for `band='none'`.")
    spells = read_spells(cells, by) if weights == "probability" else {}
    groups = read_groups(cells, by, min_group)
    if not groups.risk:
        raise UndefinedError(_why_no_curve(cells, by, min_group))
    ask = _Ask(mass, min_group, interval, band)
    tables = [_table(group, risk, ask, spells.get(group)) for group, risk in groups.risk.items()]
    table = pd.concat(tables, ignore_index=True)
    return _described(cells, groups, table, ask, weights)


def _why_no_curve(cells: Cells, by: str, min_group: int) -> str:
    if cells["risk"].empty:
        return f"Nobody of {cells.case} is followed, or too few to be shown: no curve."
    return (
        f"No group of {cells.case} by '{by}' has {min_group} members followed from joining on: there is no "
        "curve."
    )


def _described(cells: Cells, groups: Groups, table: pd.DataFrame, ask: _Ask, weights: str) -> RetentionCurve:
    meta = cells.meta
    return RetentionCurve(
        case=cells.case,
        by=groups.by,
        unit=meta["unit"],
        leaving=meta["leaving"],
        lapse=meta.get("lapse"),
        as_of=str(meta["as_of"]),
        mass=ask.mass,
        min_group=ask.min_group,
        table=table,
        members=groups.members,
        too_small=groups.too_small,
        since=meta.get("since", "joining"),
        truth=true_curve(cells, groups.by),
        true_means=true_means(cells, groups.by),
        interval=ask.interval,
        band=ask.band,
        weights=weights,
    )


def _table(group: str, risk: RiskSet, ask: _Ask, spells: WeightedSpells | None) -> pd.DataFrame:
    """Return the rows of one group, up to the last duration before fewer than `min_group` are at risk."""
    risk = risk.while_at_least(ask.min_group)
    survival, mean = _estimates(risk, ask, spells)
    claimed = (risk.at_risk >= LEAST_AT_RISK) & (np.cumsum(risk.churned) >= LEAST_GONE)
    band_low, band_high = _band(risk, ask, np.flatnonzero(claimed))
    reach = standard_errors(ask.mass) * mean.se
    return pd.DataFrame(
        {
            "group": group,
            "duration": np.arange(len(risk)),
            "at_risk": risk.at_risk,
            "churned": risk.churned,
            "censored": risk.censored,
            "retained": survival.retained,
            "retained_low": survival.low,
            "retained_high": survival.high,
            "retained_se": survival.se,
            "mean": mean.mean,
            "mean_low": mean.mean - reach,
            "mean_high": mean.mean + reach,
            "mean_se": mean.se,
            "claimed": claimed,
            "band_low": band_low,
            "band_high": band_high,
        }
    )


def _estimates(risk: RiskSet, ask: _Ask, spells: WeightedSpells | None) -> tuple[Survival, RestrictedMean]:
    if spells is None:
        return kaplan_meier(risk, ask.mass, ask.interval), restricted_mean(risk)
    curve, mean, shown = weighted_survival(spells, ask.mass, ask.interval), weighted_mean(spells), len(risk)
    parts = (curve.retained, curve.se, curve.low, curve.high)
    return Survival(*(part[:shown] for part in parts)), RestrictedMean(mean.mean[:shown], mean.se[:shown])


def _band(risk: RiskSet, ask: _Ask, claimed: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the band over the durations at which intervals are claimed; nothing but missing without one."""
    nothing = np.full(len(risk), np.nan)
    if ask.band == "none" or not len(claimed):
        return nothing, nothing
    ends = {"first": int(claimed[0]), "last": int(claimed[-1])}
    band = survival_band(risk, ask.mass, kind=ask.band, scale=ask.interval, **ends)
    return band.low, band.high
