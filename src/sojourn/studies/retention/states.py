"""Who has never left, who is with us, and how soon those who left come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.retention import EVERYONE
from sojourn.core.results.retention_states import TimeToReturn, WithUs
from sojourn.estimators.survival.aalen_johansen import (
    Occupation,
    StateCounts,
    aalen_johansen,
    share_bounds,
    state_counts,
)
from sojourn.estimators.survival.kaplan_meier import Survival, kaplan_meier
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.studies.retention.curve import LEAST_AT_RISK, LEAST_GONE
from sojourn.studies.retention.groups import read_risk_set, rows_by
from sojourn.studies.retention.truth import true_returns, true_with_us

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: States of `moves`, in the order of the arrays.
_WITH_US, _AWAY = 0, 1
_NOT_RECORDED = "The data do not say when members who left came back."
_NOBODY_BACK = "Nobody who left has come back so far: those who never left are all who are with us."
_NOBODY_LEFT = "Nobody has left yet, so nobody can come back."


def with_us(cells: Cells, *, horizon: int = 90, mass: float = 0.95, min_group: int = 20) -> WithUs:
    """Return the share who have never left beside the share who are with us, returns counted.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``; its table ``moves`` says who left and came back.
    horizon : int
        Duration at which sentences read both curves; the longest followed, where that is shorter.
    mass : float
        Mass of the pointwise intervals, in (0, 1).
    min_group : int
        Both curves end where fewer members are observed.

    Returns
    -------
    WithUs
        With `why_empty` where coming back is not recorded, or nobody has.

    Notes
    -----
    Members seen from joining on. Never left: Kaplan-Meier from ``risk``, up to the first leaving. With us:
    Aalen-Johansen from ``moves``, all followed to the end. Of those who left, the share still away is
    ``A / D`` with ``A`` the share away and ``D`` that who ever left; its relative variance is
    ``var(A) / A^2 - var(D) / D^2``, exact without censoring (the share of a share is independent of it).
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(min_group, "min_group", ge=1)
    read = {"unit": cells.meta["unit"], "mass": mass, "leaving": cells.meta["leaving"]}
    read |= {"lapse": cells.meta.get("lapse"), "min_group": min_group}
    if "moves" not in cells.tables:
        return WithUs(**read, horizon=0, table=pd.DataFrame(), why_empty=_NOT_RECORDED)
    counts, never = _followed(cells, min_group)
    why = _why_not(counts, never, min_group)
    if why:
        return WithUs(**read, horizon=0, table=pd.DataFrame(), why_empty=why)
    table = _table(counts, never, mass, min_group)
    members = int(counts.at_risk[0].sum())
    last = int(table["duration"].iloc[-1])
    at = _told_at(horizon, cells.meta.get("lapse"), last)
    return WithUs(**read, horizon=at, table=table, members=members, truth=true_with_us(cells, last))


def _told_at(horizon: int, lapse: int | None, last: int) -> int:
    """Return where sentences read the curves: where silence leaves no time to come back, twice as late."""
    return min(horizon if lapse is None or horizon > lapse else 2 * lapse, last)


def _followed(cells: Cells, min_group: int) -> tuple[StateCounts, RiskSet]:
    """Return moves, and first leavings of the same members, up to where `min_group` have never left."""
    counts = read_moves(_everyone(cells["moves"]))
    first = rows_by(cells, EVERYONE)
    never = read_risk_set(first[first["late"] == 0]).on(len(counts))
    never = never.while_at_least(min_group)
    return StateCounts(counts.at_risk[: len(never)], counts.moves[: len(never)]), never


def read_moves(moves: pd.DataFrame) -> StateCounts:
    """Return numbers at risk and moves between with us (0) and away (1) from the table ``moves``."""
    length = int(moves["day"].max()) + 1 if len(moves) else 1
    names = ("entered", "left", "back", "ended", "ended_away")
    by_day = moves.groupby("day")[list(names)].sum().reindex(range(length), fill_value=0)
    columns = {name: by_day[name].to_numpy(dtype=np.int64) for name in names}
    between = np.zeros((length, 2, 2), dtype=np.int64)
    between[:, _WITH_US, _AWAY], between[:, _AWAY, _WITH_US] = columns["left"], columns["back"]
    entered = np.column_stack([columns["entered"], np.zeros(length, dtype=np.int64)])
    return state_counts(entered, between, np.column_stack([columns["ended"], columns["ended_away"]]))


def _everyone(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["by"] == EVERYONE]


def _why_not(counts: StateCounts, never: RiskSet, min_group: int) -> str:
    if not len(counts):
        return f"Fewer than {min_group} members have been followed from joining on."
    if not never.churned.sum():
        return _NOBODY_LEFT
    return "" if counts.moves[:, _AWAY, _WITH_US].sum() else _NOBODY_BACK


def _table(counts: StateCounts, never: RiskSet, mass: float, min_group: int) -> pd.DataFrame:
    first, found = kaplan_meier(never, mass), aalen_johansen(counts, np.array([1.0, 0.0]))
    observed = counts.at_risk.sum(axis=1)
    share, se = found.share[:, _WITH_US], found.se[:, _WITH_US]
    low, high = share_bounds(share, se, mass, "log-log")
    returned = np.cumsum(counts.moves[:, _AWAY, _WITH_US])
    enough = (observed - never.at_risk >= min_group) & (returned > 0)
    return pd.DataFrame(
        {
            "duration": np.arange(len(counts)),
            "at_risk": observed,
            "left": counts.moves[:, _WITH_US, _AWAY],
            "back": counts.moves[:, _AWAY, _WITH_US],
            "never_left_share": first.retained,
            "never_left_share_low": first.low,
            "never_left_share_high": first.high,
            "never_left_share_se": first.se,
            "with_us_share": share,
            "with_us_share_low": low,
            "with_us_share_high": high,
            "with_us_share_se": se,
            **back_among_left(first, found, enough, returned, mass),
            "claimed": (observed >= LEAST_AT_RISK) & (np.cumsum(never.churned) >= LEAST_GONE),
        }
    )


def back_among_left(
    first: Survival, found: Occupation, enough: Bools, returned: Counts, mass: float
) -> dict[str, Floats]:
    """Return, of those who left, the share who are back; with bounds where `LEAST_GONE` have come back."""
    away, left = found.share[:, _AWAY], 1 - first.retained
    known = enough & (away > 0) & (away < left)
    away, left = np.where(known, away, 0.5), np.where(known, left, 1.0)
    relative = (found.se[:, _AWAY] / away) ** 2 - (first.se / left) ** 2
    share = np.where(known, 1 - away / left, np.nan)
    se = np.where(known & (returned >= LEAST_GONE), away / left * np.sqrt(np.maximum(relative, 0.0)), np.nan)
    low, high = share_bounds(share, se, mass, "log-log")
    return {"back_share": share, "back_share_low": low, "back_share_high": high}


def time_to_return(
    cells: Cells,
    *,
    days: Sequence[int] = (7, 30, 90, 180, 365),
    horizon: int = 90,
    mass: float = 0.95,
    min_group: int = 20,
) -> TimeToReturn:
    """Return how many of those who left came back within so many days of leaving for the first time.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``; its table ``away`` says how long members were away.
    days : sequence of int
        Durations at which the curve is read off.
    horizon : int
        Duration at which sentences read it.
    mass : float
        Mass of the pointwise intervals, in (0, 1).
    min_group : int
        The curve ends where fewer members are away and observed.

    Returns
    -------
    TimeToReturn
        With `why_empty` where coming back is not recorded, or too few left.

    Notes
    -----
    One less Kaplan-Meier over the time away: those still away when follow-up ends are censored. Where leaving
    is a silence of more than the lapse, nobody can come back sooner, so the curve begins after it.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(min_group, "min_group", ge=1)
    lapse = cells.meta.get("lapse")
    begin = 0 if lapse is None else int(lapse) + 1
    read = {"unit": cells.meta["unit"], "mass": mass, "leaving": cells.meta["leaving"]}
    read |= {"lapse": lapse, "min_group": min_group}
    if "away" not in cells.tables:
        why, risk = _NOT_RECORDED, None
    else:
        risk = _away(cells, min_group)
        why = _why_no_returns(risk, begin, min_group)
    if why or risk is None:
        return TimeToReturn(**read, horizon=0, days=(), table=pd.DataFrame(), why_empty=why)
    table = _returned(risk, begin, mass)
    first, last = int(table["duration"].iloc[0]), int(table["duration"].iloc[-1])
    reached = tuple(day for day in days if first <= day <= last) or (last,)
    shown = next((day for day in reached if day >= horizon), reached[-1])
    left, truth = int(risk.at_risk[0]), true_returns(cells, reached)
    return TimeToReturn(**read, horizon=shown, days=reached, table=table, left=left, truth=truth)


def _away(cells: Cells, min_group: int) -> RiskSet:
    """Return the risk set of coming back, up to where `min_group` are away and observed."""
    risk = read_risk_set(_everyone(cells["away"]).rename(columns={"back": "churned"}))
    return risk.while_at_least(min_group)


def _why_no_returns(risk: RiskSet, begin: int, min_group: int) -> str:
    if not len(risk):
        return f"Fewer than {min_group} members have left so far: too few to say how soon they come back."
    if len(risk) <= begin:
        return (
            f"Fewer than {min_group} of those who fell silent have been observed for longer than the lapse."
        )
    return "" if risk.churned.sum() else _NOBODY_BACK


def _returned(risk: RiskSet, begin: int, mass: float) -> pd.DataFrame:
    survival = kaplan_meier(risk, mass)
    table = pd.DataFrame(
        {
            "duration": np.arange(len(risk)),
            "at_risk": risk.at_risk,
            "returned": risk.churned,
            "back_share": 1 - survival.retained,
            "back_share_low": 1 - survival.high,
            "back_share_high": 1 - survival.low,
            "claimed": (risk.at_risk >= LEAST_AT_RISK) & (np.cumsum(risk.churned) >= LEAST_GONE),
        }
    )
    return table[begin:].reset_index(drop=True)
