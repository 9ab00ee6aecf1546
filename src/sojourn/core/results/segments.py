"""Frozen results of the study `segments`: features of members, rules that sort them, what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.measures import Counting, Measure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The two answers of the study.
Verdict = Literal["groups", "a gradient, not groups"]

#: Why: no valley between groups, groups that tell nothing more about what comes next, or groups that do.
Reason = Literal["no valley", "no use", "useful"]

#: Share of its members that the least stable group keeps in a resample (Hennig 2007: "stable" from .75).
STABLE = 0.75

#: Rows of the exam: the segmentation itself, the rivals with as many degrees of freedom, and what a free
#: model of the same features can do.
OURS = "the segments"
RFM = "the RFM score in as many bands"
SMOOTH = "a smooth score of the same features, as simple"
CEILING = "a smooth score as free as it likes"


@dataclass(frozen=True, slots=True, eq=False)
class NearestCentre:
    """The rule that gives a member the nearest of k centres.

    Attributes
    ----------
    metric : array (p, p)
        Matrix by which standardised features are multiplied before distances are taken.
    centres : array (k, p)
        Centres after that multiplication.
    """

    metric: Floats
    centres: Floats

    @property
    def k(self) -> int:
        """Number of groups."""
        return len(self.centres)

    def assign(self, x: Floats) -> Ints:
        """Return the number (from 0) of the nearest centre for every row of standardised features."""
        y = x @ self.metric
        distances = (self.centres**2).sum(axis=1) - 2 * (y @ self.centres.T)
        return np.asarray(distances.argmin(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBands:
    """The rule that cuts one activity score into bands.

    Attributes
    ----------
    weights : array (p,)
        Weight of every standardised feature in the score.
    cuts : array (k - 1,)
        Rising bounds between bands; a score on a bound belongs to the band above.
    """

    weights: Floats
    cuts: Floats

    @property
    def k(self) -> int:
        """Number of bands."""
        return len(self.cuts) + 1

    def assign(self, x: Floats) -> Ints:
        """Return the number (from 0, least active first) of the band for every row."""
        return np.searchsorted(self.cuts, x @ self.weights, side="right").astype(np.int64)


Rule = NearestCentre | ScoreBands

#: Of features that were never counted.
NOTHING_COUNTED = Counting(trend_days=0, min_tenure_days=0)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What a sample of members did up to the cut and after it: one row per member, without any key.

    Attributes
    ----------
    case : str
        Name of the case.
    names : tuple of str
        Features that form groups, in the order of the columns of `x`.
    x : array (n, p)
        Features on a transformed scale: mean 0 and standard deviation 1 over the members that fit, cut at 4.
    fit : array (n,) of bool
        Members that may form groups; the others judge them. About half each.
    now : DataFrame (n rows)
        The same members in natural units, up to the cut: days, active days a month, money a month.
    next : DataFrame (n rows)
        What they did after the cut, in natural units: ``active``, ``stayed``, ``active_days``, ``spend``,
        ``left_after`` (day after the cut on which they left; 0: still there at ``as_of``) and, where there
        are messages, ``sent`` and ``opened``.
    left_out : tuple of str
        Features that are the same for (nearly) everybody and so form nothing.
    members : int
        Members of the whole population, of whom the rows are a sample.
    meta : mapping
        ``as_of``, ``cut``, ``outcome_days``, ``currency`` and, for a simulated world, ``truth``.
    traits : DataFrame (n rows)
        What was known of the same members at joining, as far as the case has it: ``channel``, ``plan``,
        ``region``, ``age_band``; text, missing where not known. No columns where nothing is.
    counts : DataFrame (n rows)
        What was counted of the same members up to the cut: whole numbers, and `value`, money.
    measures : tuple of Measure
        What makes the columns of `now` of `counts`, in their order.
    counting : Counting
        How was counted; with a rule it serves any other instant.
    """

    case: str
    names: tuple[str, ...]
    x: Floats
    fit: NDArray[np.bool_]
    now: pd.DataFrame
    next: pd.DataFrame
    left_out: tuple[str, ...]
    members: int
    meta: Mapping[str, Any]
    traits: pd.DataFrame = field(default_factory=pd.DataFrame)
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    measures: tuple[Measure, ...] = ()
    counting: Counting = NOTHING_COUNTED

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Features of {self.case}: {len(self):,} of {self.members:,} members, {', '.join(self.names)}"


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Groups where there are groups, labelled bands of one score elsewhere.

    Attributes
    ----------
    case : str
        Name of the case.
    verdict : str
        ``groups`` or ``a gradient, not groups``.
    reason : str
        ``useful`` (groups that can be told apart and tell more of what members do next than a rival as
        simple), ``no use`` (they can be told apart, but tell nothing more about what members do next) or
        ``no valley`` (no deeper valleys than in structureless data).
    k : int
        Number of groups or bands.
    table : DataFrame, one row per segment
        ``segment`` (its name), ``n`` (members judged), ``share`` with ``share_low``, ``share_high``
        (Jeffreys), ``sentence``, ``comes_back``: how much of it comes back when members are drawn again
        (mean Jaccard similarity, 0-1). Only members that were not used to fit; segments below `min_group` are
        not shown.
    rand : float
        Adjusted Rand index of the segments of two resamples, on average over all pairs of resamples (1: the
        same, 0: as by chance); not a number with one resample.
    stability : DataFrame, one row per k tried
        ``k``; ``depth``: depth of the shallowest valley between any two groups (0-1); ``null_depth`` and
        ``null_depth_high``: its median and 95 % quantile in structureless data; ``excess``: standard
        deviations above the structureless mean; ``needed``: excess that 5 in 100 structureless worlds reach
        at any k; ``jaccard``: how much of the worst group comes back in a resample (0-1), ``rand``: the
        adjusted Rand index of two resamples, ``null_jaccard``: the worst group's
        without structure; ``smallest_share``; ``separated``: whether all four demands are met.
    exam : DataFrame, one row per rival
        ``rival``, ``explained`` (share of what members did next that it predicts, out of sample), ``gain``
        of the segmentation over it with ``gain_low``, ``gain_high``, ``beaten``.
    exam_k : int
        Number of segments that sat the exam: groups where any stand apart, else the bands.
    rule : NearestCentre or ScoreBands
        The frozen rule.
    names : tuple of str
        Features the rule reads, in order.
    mass : float
        Mass of all intervals.
    min_group : int
        Smallest segment that is shown.
    fitted, judged, members : int
        Members that formed the groups, members that judge them, members in all.
    meta : mapping
        As in `Features`.
    silent : int
        Members that would form the groups but did nothing up to the cut: one point, which would look like a
        group of its own. They are kept out of the search; the rule puts them where they come nearest.
    """

    case: str
    verdict: Verdict
    reason: Reason
    k: int
    table: pd.DataFrame
    rand: float
    stability: pd.DataFrame
    exam: pd.DataFrame
    exam_k: int
    rule: Rule
    names: tuple[str, ...]
    mass: float
    min_group: int
    fitted: int
    judged: int
    members: int
    meta: Mapping[str, Any]
    silent: int = 0

    @property
    def has_groups(self) -> bool:
        """Whether groups can be told apart that tell more about what comes next than a rival as simple."""
        return self.verdict == "groups"

    @property
    def most_apart(self) -> int:
        """The largest number of groups that stand apart, else the number with the deepest valleys."""
        apart = self.stability.loc[self.stability["separated"], "k"]
        return int(
            apart.max() if len(apart) else self.stability["k"].iloc[int(self.stability["depth"].argmax())]
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments shown."""
        return tuple(self.table["segment"])

    def examined(self, rival: str) -> Mapping[str, float]:
        """Return one row of the exam: ``explained``, ``gain``, ``gain_low``, ``gain_high``."""
        row = self.exam[self.exam["rival"] == rival].iloc[0]
        return {name: float(row[name]) for name in ("explained", "gain", "gain_low", "gain_high")}

    @property
    def beaten(self) -> tuple[str, ...]:
        """The rivals of the exam that the segments beat with the whole interval."""
        return tuple(self.exam.loc[self.exam["beaten"], "rival"])

    def tried(self, k: int) -> Mapping[str, float]:
        """Return one row of `stability`, as numbers."""
        row = self.stability[self.stability["k"] == k].iloc[0]
        return {str(name): float(row[name]) for name in self.stability.columns}

    def __repr__(self) -> str:
        return f"Segmentation of {self.case}: {self.verdict} (k = {self.k}; {self.judged:,} members judged)"
