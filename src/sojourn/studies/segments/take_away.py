"""A segmentation made short: a shallow tree or a scorecard on counts, and how faithful it is.

The rule is taught by the members that formed the segments, with the labels of the frozen rule. All bounds are
round numbers before anything is learned, so nothing is lost by rounding afterwards. Its size is the smallest
whose agreement, as other members of those show it, lies within one standard error of the best (Breiman et al.
1984, section 3.4.3). How faithful it is, only the others say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.measures import Measure
from sojourn.core.ranges import in_range
from sojourn.core.readable import readable_bounds
from sojourn.core.results.segments import Features, Floats, Ints, ScoreBands, Segmentation
from sojourn.core.results.take_away import Condition, Leaf, Points, TakeAway
from sojourn.estimators.cluster.scorecard import Ranked, card_agreements, scorecard, telling_columns
from sojourn.estimators.cluster.shallow import Way, agreements, shallow_tree
from sojourn.studies.segments.features import features
from sojourn.studies.segments.fidelity import NOT_MEASURED, fidelity
from sojourn.studies.segments.names import segment_names
from sojourn.studies.segments.shown import Shown

#: Bounds that a tree may choose from, and ranges of a scorecard, per measure.
_TREE_PARTS, _CARD_PARTS = 40, 8


def take_away(
    source: Cells | Features,
    found: Segmentation,
    *,
    leaves: int = 12,
    most_measures: int = 5,
    min_group: int = 20,
) -> TakeAway:
    """Return a short rule that puts members into the same segments, as far as it can.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result. Groups become a tree, bands a scorecard.
    leaves : int
        The tree has at most so many ends; at least 2.
    most_measures : int
        The scorecard reads at most so many measures.
    min_group : int
        Every end of the tree, and every band where sums of points allow it, holds at least so many of the
        members that teach the rule; in a private case at least its smallest group.

    Returns
    -------
    TakeAway
        The same for any order of rows.

    Raises
    ------
    UndefinedError
        When nothing that is counted tells the segments apart.
    ParameterError
        When a parameter is out of range.
    """
    in_range(leaves, "leaves", ge=2)
    in_range(most_measures, "most_measures", ge=1)
    in_range(min_group, "min_group", ge=1)
    seen = source if isinstance(source, Features) else features(source)
    if not seen.measures:
        raise UndefinedError(f"Of {seen.case} there are features but no counts, so no rule to take away.")
    taught = _Taught.of(seen, found)
    smallest = max(min_group, taught.shown.base)
    parts = (
        _card(taught, found, most_measures, smallest)
        if isinstance(found.rule, ScoreBands)
        else _tree(taught, found, leaves, smallest)
    )
    rule = TakeAway(
        case=seen.case,
        kind="tree" if parts.leaves else "scorecard",
        segments=segment_names(seen, found.rule),
        counting=seen.counting,
        measures=parts.measures,
        leaves=parts.leaves,
        card=parts.card,
        cuts=parts.cuts,
        learned_at=str(seen.meta["cut"]),
        currency=str(seen.meta.get("currency", "")),
        fidelity=NOT_MEASURED,
    )
    return fidelity(rule, seen, found)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What decides, with the measures numbered anew."""

    measures: tuple[Measure, ...]
    leaves: tuple[Leaf, ...] = ()
    card: tuple[Points, ...] = ()
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Taught:
    """Members that teach: their measures (one column each), labels, features, and how shares are shown."""

    measures: tuple[Measure, ...]
    values: Floats
    labels: Ints
    x: Floats
    shown: Shown

    @classmethod
    def of(cls, seen: Features, found: Segmentation) -> _Taught:
        counts, x = seen.counts[seen.fit], seen.x[seen.fit]
        values = np.column_stack([measure.of(counts) for measure in seen.measures])
        order = np.lexsort((*x.T, *values.T))  # by content, so that parts of them do not hang on their order
        x = x[order]
        return cls(seen.measures, values[order], found.rule.assign(x), x, Shown.of(seen.meta, found.mass))

    def bounds(self, parts: int) -> list[tuple[float, ...]]:
        return [readable_bounds(column, parts) for column in self.values.T]

    def ranges(self, bounds: Sequence[Sequence[float]]) -> Ints:
        """Return in which range between bounds every value lies."""
        each = zip(self.values.T, bounds, strict=True)
        return np.column_stack([np.searchsorted(at, column, side="right") for column, at in each])


def _within_one_error(agreement: Floats, members: int, possible: NDArray[np.bool_]) -> int:
    """Return the first possible place whose agreement lies within one standard error of the best."""
    best = float(agreement[possible].max())
    error = (best * (1 - best) / members) ** 0.5
    return int(np.flatnonzero(possible & (agreement >= best - error))[0])


def _tree(taught: _Taught, found: Segmentation, leaves: int, smallest: int) -> _Parts:
    bounds = taught.bounds(_TREE_PARTS)
    bins, sizes = taught.ranges(bounds), range(2, leaves + 1)
    trees = [shallow_tree(bins, taught.labels, leaves=size, smallest=smallest) for size in sizes]
    reached = np.array([len({way.label for way in tree}) for tree in trees])
    if reached.max() < 2:
        raise UndefinedError(
            f"Nothing that is counted of the members of {found.case} tells their segments apart in groups of "
            f"{smallest}, so there is no rule to take away."
        )
    agreement = agreements(bins, taught.labels, sizes, smallest=smallest)
    size = _within_one_error(agreement, len(bins), reached == reached.max())
    return _as_leaves(trees[size], taught, bins, bounds)


def _as_leaves(ways: Sequence[Way], taught: _Taught, bins: Ints, bounds: Sequence[Sequence[float]]) -> _Parts:
    asked = list(dict.fromkeys(column for way in ways for column in way.ranges))

    def bound(column: int, place: int | None) -> float | None:
        return None if place is None else bounds[column][place - 1]

    leaves = []
    for way in ways:
        here = _inside(way, bins)
        n, same = int(here.sum()), int((taught.labels[here] == way.label).sum())
        conditions = tuple(
            Condition(asked.index(column), bound(column, low), bound(column, high))
            for column, (low, high) in way.ranges.items()
        )
        share = round(taught.shown.share(same, n)[0], 4)
        leaves.append(Leaf(conditions, way.label, taught.shown.size(n), share))
    leaves.sort(key=lambda leaf: leaf.segment)  # those of a segment keep the order of the tree
    return _Parts(tuple(taught.measures[column] for column in asked), leaves=tuple(leaves))


def _inside(way: Way, bins: Ints) -> NDArray[np.bool_]:
    here = np.ones(len(bins), dtype=np.bool_)
    for column, (low, high) in way.ranges.items():
        here &= (bins[:, column] >= (low or 0)) & (high is None or bins[:, column] < high)
    return here


def _card(taught: _Taught, found: Segmentation, most: int, smallest: int) -> _Parts:
    assert isinstance(found.rule, ScoreBands)
    bounds = taught.bounds(_CARD_PARTS)
    levels = tuple(len(at) + 1 for at in bounds)
    score = np.round(taught.x @ found.rule.weights, 9)
    ranked = Ranked(taught.ranges(bounds), score, taught.labels, levels)
    columns = telling_columns(ranked, most)
    if not columns:
        raise UndefinedError(f"All members of {found.case} are counted alike: there is no rule to take away.")
    agreement = card_agreements(ranked, columns, bands=found.k, smallest=smallest)
    kept = columns[: _within_one_error(agreement, len(score), np.ones(len(columns), dtype=np.bool_)) + 1]
    card = scorecard(ranked, kept, bands=found.k, smallest=smallest)
    told = [(c, *_merged(bounds[c], points)) for c, points in zip(card.columns, card.points, strict=True)]
    told = [(c, at, points) for c, at, points in told if at]  # the others give everybody the same
    measures = tuple(taught.measures[c] for c, _, _ in told)
    points = tuple(Points(i, at, points) for i, (_, at, points) in enumerate(told))
    return _Parts(measures, card=points, cuts=card.cuts)


def _merged(bounds: Sequence[float], points: Sequence[int]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return ranges of which those beside each other that give the same are one."""
    kept = [i for i, (one, other) in enumerate(pairwise(points)) if one != other]
    return tuple(bounds[i] for i in kept), (points[0], *(points[i + 1] for i in kept))
