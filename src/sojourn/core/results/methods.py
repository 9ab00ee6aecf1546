"""Frozen result of setting ways of grouping members side by side."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

#: The ways: what the page uses, the peers by their own usual criteria, the grid everyone knows, and a cut
#: that is no grouping at all.
PAGE = "the segments of this page"
KMEANS = "k-means"
MIXTURE = "Gaussian mixture"
DENSITY = "density clustering"
GRID = "RFM grid"
HALVES = "one score, cut in half"

#: How each way arrives at its number of groups.
CRITERIA = {
    PAGE: "valleys, returns and the exam",
    KMEANS: "largest silhouette",
    MIXTURE: "lowest BIC",
    DENSITY: "HDBSCAN, excess of mass",
    GRID: "fifths of three features",
    HALVES: "two, whatever the data",
}


@dataclass(frozen=True, slots=True, eq=False)
class Methods:
    """What ways of grouping make of the same members, and of members without any structure.

    Attributes
    ----------
    case : str
        Name of the case.
    table : DataFrame, one row per way
        ``method``, ``groups`` (how many it returns that count), ``noise_share`` (members it puts into none),
        ``jaccard``: how much of the group that comes back worst does so in a resample (0-1), ``rand``:
        adjusted Rand index of two resamples, ``agreement``: the same with the segments of the page,
        ``gain``: how much better its groups describe members who formed nothing than one Gaussian does (nats
        a member), ``t_next``: by how many standard errors the two groups furthest apart differ in active days
        after the cut; ``twin_groups``, ``twin_jaccard``, ``twin_gain``: the same in structureless twins
        (medians). Not a number where there are fewer than two groups, or nothing to compare.
    clusters : DataFrame, one row per way and group
        ``method``, ``group`` (from 1, largest first), ``share`` (of the rows that formed it), ``jaccard``.
    fitted, judged : int
        Members whose groups these are, and members on whom gain and differences are judged.
    least : int
        Groups of fewer members do not count.
    twins, resamples : int
        How many structureless twins and bootstrap samples were drawn.
    """

    case: str
    table: pd.DataFrame
    clusters: pd.DataFrame
    fitted: int
    judged: int
    least: int
    twins: int
    resamples: int

    def of(self, method: str) -> dict[str, float]:
        """Return the numbers of one way."""
        row = self.table[self.table["method"] == method].iloc[0]
        return {str(name): float(row[name]) for name in self.table.columns if name != "method"}

    def __repr__(self) -> str:
        groups = ", ".join(f"{row.method} {row.groups}" for row in self.table.itertuples())
        return f"Methods of {self.case}: {groups}"
