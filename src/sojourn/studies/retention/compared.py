"""Groups set beside each other: difference of restricted means, and the log-rank test."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.retention import EVERYONE, RetentionCurve
from sojourn.core.results.retention_groups import Contrast, Contrasts, LogRank
from sojourn.estimators.survival.log_rank import log_rank
from sojourn.estimators.survival.shares import holm
from sojourn.studies.retention.groups import read_groups


def contrast(curve: RetentionCurve, a: str, b: str, *, until: int, mass: float | None = None) -> Contrast:
    """Return how much longer members of `a` stay than those of `b` within the first `until`.

    Parameters
    ----------
    curve : RetentionCurve
        With both groups.
    a, b : str
        Two of its groups.
    until : int
        Horizon of the restricted means, in the curve's unit.
    mass : float, optional
        Mass of the interval of the difference; that of the curve when not stated.

    Raises
    ------
    ParameterError
        When a group does not exist.
    UndefinedError
        When one of them is not followed so long, or nobody of both has left.

    Notes
    -----
    Normal interval with the sum of both variances (Royston & Parmar 2013, BMC Med. Res. Methodol. 13, 152).
    An association: who chose a group differs in other ways as well.
    """
    mass = curve.mass if mass is None else mass
    rows = [curve.only([group]).rmst(until).iloc[0] for group in (a, b)]
    difference = float(rows[0]["mean"] - rows[1]["mean"])
    se = float(np.hypot(rows[0]["mean_se"], rows[1]["mean_se"]))
    if se == 0:
        raise UndefinedError(
            f"Nobody of '{a}' or '{b}' left within {until} {curve.unit}s: nothing to compare."
        )
    reach = float(norm.ppf(0.5 + mass / 2)) * se
    return Contrast(
        a=a,
        b=b,
        unit=curve.unit,
        until=until,
        mean_a=curve.mean(until, a),
        mean_b=curve.mean(until, b),
        difference=Interval(difference, difference - reach, difference + reach, mass, "wald"),
        p_value=float(2 * norm.sf(abs(difference) / se)),
        leaving=curve.leaving,
    )


def contrasts(curve: RetentionCurve, *, until: int) -> Contrasts:
    """Return every group against the largest one, allowing for the number of comparisons.

    Parameters
    ----------
    curve : RetentionCurve
        Groups that are not followed for `until` are left out and named; those that nobody left are counted.
    until : int
        Horizon of the restricted means, in the curve's unit.

    Notes
    -----
    Intervals hold together with the curve's mass (Bonferroni); p-values are Holm's.
    """
    longest = curve.followed_to
    short = tuple(group for group in curve.groups if longest[group] < until)
    able = curve.readings([until]).set_index("group")["mean_se"]
    unchanged = int((~(able > 0)).sum())
    able = able[able > 0]
    if len(able) < 2:
        why, nothing = _why_nothing(curve, until), pd.DataFrame()
        left_out = (short, why, unchanged, curve.leaving)
        return Contrasts(curve.by, curve.unit, until, "", curve.mass, nothing, *left_out)
    largest = max(able.index, key=lambda group: (curve.members[group], group))
    others = [group for group in able.index if group != largest]
    each = 1 - (1 - curve.mass) / len(others)
    made = [contrast(curve, group, largest, until=until, mass=each) for group in others]
    left_out = (short, "", unchanged, curve.leaving)
    return Contrasts(curve.by, curve.unit, until, largest, curve.mass, _side_by_side(made), *left_out)


def _why_nothing(curve: RetentionCurve, until: int) -> str:
    if curve.by == EVERYONE:
        return "No trait known at joining, so there are no groups to compare."
    followed = f"are followed for {until} {curve.unit}s"
    return f"Fewer than two groups lost members and {followed}: there is nothing to compare."


def _side_by_side(made: list[Contrast]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": [one.a for one in made],
            "mean": [one.mean_a.value for one in made],
            "mean_low": [one.mean_a.low for one in made],
            "mean_high": [one.mean_a.high for one in made],
            "difference": [one.difference.value for one in made],
            "difference_low": [one.difference.low for one in made],
            "difference_high": [one.difference.high for one in made],
            "p_value": holm(np.array([one.p_value for one in made])),
        }
    )


def logrank(cells: Cells, *, by: str, min_group: int = 20) -> LogRank:
    """Return whether groups leave alike over the whole time followed.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        Grouping known at joining.
    min_group : int
        Smaller groups are left out.

    Raises
    ------
    UndefinedError
        When fewer than two groups are left, or nobody leaves.
    """
    groups = read_groups(cells, by, min_group)
    if len(groups.risk) < 2:
        raise UndefinedError(
            f"Fewer than two groups by '{by}' have {min_group} members, so there is nothing to test."
        )
    test = log_rank(list(groups.risk.values()))
    if test.df == 0:
        raise UndefinedError(
            f"Nobody left while two groups by '{by}' were observed, so there is nothing to test."
        )
    members = groups.members.to_numpy()
    beside = {"members": members, "observed": test.observed.astype(int), "expected": test.expected}
    table = pd.DataFrame({"group": list(groups.risk), **beside})
    return LogRank(by, test.statistic, test.df, test.p, table, cells.meta["leaving"])
