"""Shallow trees over measures that were cut into few ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sojourn.core.results.segments import Floats, Ints
from sojourn.estimators.cluster.partition import pinned

#: Members are divided into so many parts; each is judged by what the others teach.
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Way:
    """A way through a tree.

    Attributes
    ----------
    ranges : mapping of column to (low, high)
        In the order in which the tree asks; the number of the range is at least `low` and below `high`, None:
        no bound.
    label : int
        What members who come here mostly are.
    """

    ranges: dict[int, tuple[int | None, int | None]]
    label: int


def shallow_tree(bins: Ints, labels: Ints, *, leaves: int, smallest: int) -> list[Way]:
    """Return the ways through the tree that tells labels apart best with at most so many leaves.

    Parameters
    ----------
    bins : array (n, p)
        Numbers of ranges, from 0.
    labels : array (n,)
        What is to be told apart.
    leaves : int
        At most so many ends, at least 2; those beside each other that say the same are one.
    smallest : int
        Every end holds at least so many rows.

    Notes
    -----
    Classification tree by Gini impurity, grown best first (Breiman et al. 1984). It splits whole numbers,
    so its single-precision thresholds lose nothing.
    """
    tree = _grown(bins, labels, leaves, smallest)
    return _ways(tree.tree_, tree.classes_, 0, {})


def agreements(bins: Ints, labels: Ints, sizes: Sequence[int], *, smallest: int) -> Floats:
    """Return the share of rows (0-1) whose label other rows taught, for trees of each size."""
    fold = np.arange(len(bins)) % FOLDS
    same = np.zeros(len(sizes))
    for i in range(FOLDS):
        taught, judged = fold != i, fold == i
        for j, leaves in enumerate(sizes):
            tree = _grown(bins[taught], labels[taught], leaves, smallest)
            same[j] += float((tree.predict(bins[judged]) == labels[judged]).sum())
    return same / len(bins)


def _grown(bins: Ints, labels: Ints, leaves: int, smallest: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    with pinned():
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=smallest, random_state=0)
        return tree.fit(bins, labels)


type _Ranges = dict[int, tuple[int | None, int | None]]


def _ways(tree: Any, classes: Ints, node: int, ranges: _Ranges) -> list[Way]:
    """Return the ways through a node; one where all of them say the same."""
    below, above = int(tree.children_left[node]), int(tree.children_right[node])
    if below == above:  # an end has neither
        return [Way(ranges, int(classes[int(tree.value[node][0].argmax())]))]
    column, cut = int(tree.feature[node]), int(np.floor(tree.threshold[node])) + 1
    low, high = ranges.get(column, (None, None))
    sides = [
        *_ways(tree, classes, below, {**ranges, column: (low, cut)}),
        *_ways(tree, classes, above, {**ranges, column: (cut, high)}),
    ]
    return sides if len({way.label for way in sides}) > 1 else [Way(ranges, sides[0].label)]
