"""The retention curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import in_range
from sojourn.core.results.retention import RetentionCurve
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.studies.retention.groups import read_groups
from sojourn.studies.retention.truth import true_curve, true_means

#: An interval is claimed to hold its mass only with so many at risk, and so many gone (STATISTICS 1).
LEAST_AT_RISK, LEAST_GONE = 20, 10


def retention_curve(
    cells: Cells, *, by: str = "all", mass: float = 0.95, min_group: int = 20
) -> RetentionCurve:
    """Return the share still with us after each whole duration, by groups known at joining.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        ``all``, ``cohort``, or a column of ``members`` known at joining.
    mass : float
        Mass of the pointwise intervals, in (0, 1).
    min_group : int
        The curve of a group ends where fewer members are at risk.

    Raises
    ------
    ImmortalTimeError
        When `by` is known only later.
    ParameterError
        When it is no grouping of these cells.
    UndefinedError
        When no group has `min_group` members at risk from joining on.
    """
    in_range(mass, "mass", gt=0, lt=1)
    groups = read_groups(cells, by, min_group)
    if not groups.risk:
        raise UndefinedError(
            f"No group of {cells.case} by '{by}' has {min_group} members followed from joining on: "
            "there is no curve."
        )
    tables = [_table(group, risk, mass, min_group) for group, risk in groups.risk.items()]
    meta = cells.meta
    return RetentionCurve(
        case=cells.case,
        by=by,
        unit=meta["unit"],
        leaving=meta["leaving"],
        lapse=meta.get("lapse"),
        as_of=str(meta["as_of"]),
        mass=mass,
        min_group=min_group,
        table=pd.concat(tables, ignore_index=True),
        members=groups.members,
        too_small=groups.too_small,
        since=meta.get("since", "joining"),
        truth=true_curve(cells, by),
        true_means=true_means(cells, by),
    )


def _table(group: str, risk: RiskSet, mass: float, min_group: int) -> pd.DataFrame:
    """Return the rows of one group, up to the last duration before fewer than `min_group` are at risk."""
    few = np.flatnonzero(risk.at_risk < min_group)
    risk = risk.on(int(few[0])) if len(few) else risk
    survival, mean = kaplan_meier(risk, mass), restricted_mean(risk)
    reach = norm.ppf(0.5 + mass / 2) * mean.se
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
            "claimed": (risk.at_risk >= LEAST_AT_RISK) & (np.cumsum(risk.churned) >= LEAST_GONE),
        }
    )
