"""Frozen results of setting groups of members beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sojourn.core.interval import Interval


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much longer members of one group stay than those of another, within a horizon.

    Attributes
    ----------
    a, b, unit : str
        The two groups, and the unit of everything.
    until : int
        Horizon of the restricted means.
    mean_a, mean_b : Interval
        Restricted means.
    difference : Interval
        ``mean_a - mean_b`` with a normal interval (independent groups).
    p_value : float
        Two-sided, for no difference.
    leaving : str
        As in the curve.
    """

    a: str
    b: str
    unit: str
    until: int
    mean_a: Interval
    mean_b: Interval
    difference: Interval
    p_value: float
    leaving: str = "cancellation"


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Every group set against the largest one; intervals and p-values allow for the number of comparisons.

    Attributes
    ----------
    by, unit : str
        Grouping, and unit of everything.
    until : int
        Horizon of the restricted means.
    against : str
        The largest group.
    mass : float
        Mass of all intervals of differences together (Bonferroni).
    table : DataFrame, one row per other group
        ``group``, ``mean``, ``mean_low``, ``mean_high`` (each alone), ``difference`` to `against` with
        ``_low`` and ``_high``, ``p_value`` (Holm).
    short : tuple of str
        Groups not followed for `until`, left out.
    why_empty : str
        Why nothing can be compared; empty when something can.
    unchanged : int
        How many groups followed so long are left out because nobody left them.
    leaving : str
        As in the curve.
    """

    by: str
    unit: str
    until: int
    against: str
    mass: float
    table: pd.DataFrame
    short: tuple[str, ...] = ()
    why_empty: str = ""
    unchanged: int = 0
    leaving: str = "cancellation"


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether groups leave alike over the whole time followed.

    Attributes
    ----------
    by : str
        Grouping.
    statistic, p_value : float
        Chi-squared statistic, and the probability of at least that much when all leave alike.
    df : int
        Degrees of freedom.
    table : DataFrame, one row per group
        ``group``, ``members``, ``observed`` and ``expected`` leavers.
    leaving : str
        As in the curve.
    """

    by: str
    statistic: float
    df: int
    p_value: float
    table: pd.DataFrame
    leaving: str = "cancellation"
