"""Groups set beside each other: difference and ratio of restricted means."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.retention import EVERYONE, RetentionCurve
from sojourn.core.results.retention_groups import Contrast, Contrasts
from sojourn.estimators.survival.restricted_mean import difference, ratio
from sojourn.estimators.survival.shares import holm


def contrast(curve: RetentionCurve, a: str, b: str, *, until: int, mass: float | None = None) -> Contrast:
    """Return how much, and how many times, longer members of `a` stay than those of `b` within `until`.

    Parameters
    ----------
    curve : RetentionCurve
        With both groups.
    a, b : str
        Two of its groups.
    until : int
        Horizon of the restricted means, in the curve's unit.
    mass : float, optional
        Mass of the intervals of difference and ratio; that of the curve when not stated.

    Raises
    ------
    ParameterError
        When a group does not exist.
    UndefinedError
        When one of them is not followed so long, or nobody of both has left.

    Notes
    -----
    Normal intervals with the sum of both variances (Royston & Parmar 2013, BMC Med. Res. Methodol. 13,
    152), of the ratio on the scale of logarithms (Uno et al. 2014, J. Clin. Oncol. 32, 2380-2385). An
    association: who chose a group differs in other ways as well.
    """
    mass = curve.mass if mass is None else mass
    means = [curve.only([group]).rmst(until).iloc[0] for group in (a, b)]
    both = *(float(row["mean"]) for row in means), *(float(row["mean_se"]) for row in means), mass
    if not max(both[2:4]) > 0:
        raise UndefinedError(
            f"Nobody of '{a}' or '{b}' left within {until} {curve.unit}s: nothing to compare."
        )
    apart, times = difference(*both), ratio(*both)
    return Contrast(
        a=a,
        b=b,
        unit=curve.unit,
        until=until,
        mean_a=curve.mean(until, a),
        mean_b=curve.mean(until, b),
        difference=Interval(apart.value, apart.low, apart.high, mass, "wald"),
        p_value=apart.p,
        ratio=Interval(times.value, times.low, times.high, mass, "log"),
        ratio_p_value=times.p,
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
    more = (short, "", unchanged, curve.leaving, curve.mean(until, largest))
    return Contrasts(curve.by, curve.unit, until, largest, curve.mass, _side_by_side(made), *more)


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
