"""Landmark curves: what is known only later groups members from the day on which it was known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.retention_drivers import LandmarkCurves
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.estimators.survival.shares import holm
from sojourn.studies.retention.groups import read_risk_set

Floats = NDArray[np.float64]

#: What is known at the landmark; the groups of the first have an order of their own.
KNOWN = ("active_days", "plan_then")
#: The interval of a difference is claimed only where so many of both groups left.
LEAST_GONE = 10
_TABLE = ["group", "duration", "at_risk", "churned", "retained", "retained_low", "retained_high"]
_DIFFERENCES = [
    "group",
    "members",
    "retained",
    "difference_points",
    "difference_points_low",
    "difference_points_high",
    "p_value",
]


def landmark_curves(
    cells: Cells, *, by: str = "active_days", horizon: int, mass: float = 0.95, min_group: int = 20
) -> LandmarkCurves:
    """Return the share still with us from the landmark on, by what was known on that day.

    Who left before is in no group, and nobody is grouped by anything that happened later: so no group is
    credited with time that its members had to stay to get into it (Anderson, Cain & Gelber 1983, J. Clin.
    Oncol. 1, 710-719).

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        ``active_days`` (days with a sign of life up to the landmark) or ``plan_then`` (plan on that day).
    horizon : int
        Time since the landmark at which groups are compared, in the unit of the cells.
    mass : float
        Mass of the pointwise intervals, and of all differences together (Bonferroni), in (0, 1).
    min_group : int
        A group's curve ends where fewer members are at risk; groups that do not reach the horizon are left
        out.

    Returns
    -------
    LandmarkCurves
        With `why_empty` where the cells do not allow it.

    Raises
    ------
    ParameterError
        When `by` is nothing that is known at the landmark.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(horizon, "horizon", ge=1)
    one_of(by, "by", KNOWN)
    try:
        return _curves(cells, by, horizon, mass, min_group)
    except UndefinedError as reason:
        return _result(cells, by, (horizon, mass), why_empty=str(reason))


def _curves(cells: Cells, by: str, horizon: int, mass: float, min_group: int) -> LandmarkCurves:
    risk = _groups(cells, by)
    kept = {group: one for group, one in risk.items() if _reaches(one, horizon, min_group)}
    if len(kept) < 2:
        at = f"{horizon} {cells.meta['unit']}s after {cells.meta['unit']} {cells.meta['landmark']}"
        raise UndefinedError(f"Fewer than two groups have {min_group} members followed to {at}.")
    table = pd.concat([_table(group, one, mass, min_group) for group, one in kept.items()], ignore_index=True)
    against = max(kept, key=lambda group: int(kept[group].at_risk[0]))  # ties: the first
    return _result(
        cells,
        by,
        (horizon, mass),
        table=table,
        differences=_differences(kept, against, horizon, mass),
        against=against,
        too_small=len(risk) - len(kept),
    )


def _result(cells: Cells, by: str, at: tuple[int, float], **found: object) -> LandmarkCurves:
    nothing = {"table": pd.DataFrame(columns=_TABLE), "differences": pd.DataFrame(columns=_DIFFERENCES)}
    meta = cells.meta
    return LandmarkCurves(
        case=cells.case,
        by=by,
        unit=meta["unit"],
        landmark=int(meta.get("landmark") or 0),
        horizon=at[0],
        mass=at[1],
        leaving=meta["leaving"],
        **{**nothing, **found},  # type: ignore[arg-type]
    )


def _groups(cells: Cells, by: str) -> dict[str, RiskSet]:
    """Return the risk set of each group since the landmark: by activity from low to high, plans by size."""
    if "landmark" not in cells.tables:
        raise UndefinedError("The data do not say what members did, or had, some days after joining.")
    rows = cells["landmark"]
    rows = rows[rows["by"] == by]
    if rows.empty:
        raise UndefinedError(f"The data do not say {_MISSING[by]}.")
    members = rows.groupby("group")["entered"].sum()
    order = {
        group: (0 if by == "plan_then" else _lowest(group), -members[group], group) for group in members.index
    }
    return {
        str(group): read_risk_set(rows[rows["group"] == group])
        for group in sorted(members.index, key=lambda group: order[group])
    }


_MISSING = {
    "active_days": "on how many days members did something at first",
    "plan_then": "which plan members had some days after joining",
}


def _lowest(group: str) -> int:
    """Return the smallest number in the name of a group such as ``3-5`` or ``21+``."""
    return int(group.rstrip("+").split("-")[0])


def _reaches(risk: RiskSet, horizon: int, min_group: int) -> bool:
    return len(risk) > horizon and bool(risk.at_risk[horizon] >= min_group)


def _claimed(risk: RiskSet, horizon: int) -> bool:
    return int(risk.churned[: horizon + 1].sum()) >= LEAST_GONE


def _table(group: str, risk: RiskSet, mass: float, min_group: int) -> pd.DataFrame:
    risk = risk.while_at_least(min_group)
    found = kaplan_meier(risk, mass)
    return pd.DataFrame(
        {
            "group": group,
            "duration": np.arange(len(risk)),
            "at_risk": risk.at_risk,
            "churned": risk.churned,
            "retained": found.retained,
            "retained_low": found.low,
            "retained_high": found.high,
        }
    )


def _differences(risk: dict[str, RiskSet], against: str, horizon: int, mass: float) -> pd.DataFrame:
    """Return each group's share at the horizon less that of the largest, with normal intervals together."""
    at = {group: kaplan_meier(one.on(horizon + 1), mass) for group, one in risk.items()}
    kept = {group: float(found.retained[horizon]) for group, found in at.items()}
    spread = {group: float(np.nan_to_num(found.se[horizon])) for group, found in at.items()}
    others = [group for group in risk if group != against]
    claimed = np.array([_claimed(risk[group], horizon) for group in others]) & _claimed(
        risk[against], horizon
    )
    difference = np.array([kept[group] - kept[against] for group in others])
    se = np.array([np.hypot(spread[group], spread[against]) for group in others])
    se = np.where(claimed, se, np.nan)
    reach = float(norm.isf((1 - mass) / 2 / max(int(claimed.sum()), 1))) * se
    found = {
        "group": others,
        "members": [int(risk[group].at_risk[0]) for group in others],
        "retained": [kept[group] for group in others],
        "difference_points": difference,
        "difference_points_low": difference - reach,
        "difference_points_high": difference + reach,
        "p_value": _adjusted(difference, se),
    }
    return pd.DataFrame(found, columns=_DIFFERENCES)


def _adjusted(difference: Floats, se: Floats) -> Floats:
    """Return p-values (Holm) where a standard error is known."""
    p = np.full(len(se), np.nan)
    known = np.isfinite(se)
    p[known] = holm(2 * norm.sf(np.abs(difference[known]) / se[known]))
    return p
