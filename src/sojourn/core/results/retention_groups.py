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
    ratio : Interval
        ``mean_a / mean_b``, interval on the scale of logarithms.
    ratio_p_value : float
        Two-sided, for a ratio of one.
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
    ratio: Interval
    ratio_p_value: float
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
    against_mean : Interval or None
        Restricted mean of the largest group, alone; None where nothing is compared.
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
    against_mean: Interval | None = None


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
    weights : str
        Which days count more: ``log-rank`` (all alike), ``gehan-breslow``, ``tarone-ware``, ``peto-peto``
        (early ones), or ``fleming-harrington`` with its powers.
    within : str
        Trait within whose groups members were compared; empty when all were.
    """

    by: str
    statistic: float
    df: int
    p_value: float
    table: pd.DataFrame
    leaving: str = "cancellation"
    weights: str = "log-rank"
    within: str = ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every group tested against every other; p-values allow for the number of pairs.

    Attributes
    ----------
    by : str
        Grouping.
    test : str
        Weights of the log-rank test, or ``max-combo``.
    table : DataFrame, one row per pair
        ``group``, ``other``, ``statistic`` (chi-squared with one degree of freedom; the largest of three
        normal ones for ``max-combo``), ``alone_p_value`` of the pair by itself, ``p_value`` of all together
        (Holm).
    leaving : str
        As in the curve.
    """

    by: str
    test: str
    table: pd.DataFrame
    leaving: str = "cancellation"
