"""The study's main verb: look for groups, let them sit the exam, freeze the rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import in_range
from sojourn.core.results.segments import (
    Features,
    Floats,
    Ints,
    NearestCentre,
    Reason,
    Rule,
    Segmentation,
)
from sojourn.core.text import count
from sojourn.estimators.cluster.partition import partition, pinned
from sojourn.estimators.cluster.stability import Returns, returns
from sojourn.studies.segments.bands import activity_bands, rule_former
from sojourn.studies.segments.describe import segment_table
from sojourn.studies.segments.exam import exam_table, passed
from sojourn.studies.segments.features import features
from sojourn.studies.segments.names import segment_names
from sojourn.studies.segments.shown import Shown
from sojourn.studies.segments.structure import FIT_AT_MOST, chosen_k, stability_table

#: Different rows that are needed per group, so that every resample can form them.
_ROWS_PER_GROUP = 10


def find_segments(
    source: Cells | Features,
    *,
    ks: Sequence[int] = (2, 3, 4, 5, 6, 7, 8),
    bands: int = 4,
    mass: float = 0.95,
    min_group: int = 20,
    null_draws: int = 39,
    resamples: int = 20,
    rng: np.random.Generator,
) -> Segmentation:
    """Find groups of members where there are groups, else labelled bands of one activity score.

    Parameters
    ----------
    source : Cells or Features
        Cells of the study `segments`, or what `features` made of them.
    ks : sequence of int
        Numbers of groups to try, each at least 2.
    bands : int
        Number of bands where there are no groups.
    mass : float
        Mass of all intervals.
    min_group : int
        Segments with fewer members judged are not shown.
    null_draws : int
        Structureless twins of the data with which the valleys are compared; at least 19.
    resamples : int
        Bootstrap samples for the Jaccard similarity.
    rng : numpy Generator
        Source of all randomness; the result does not depend on the order of rows.

    Returns
    -------
    Segmentation
        Frozen: verdict, rule, tables.

    Raises
    ------
    UndefinedError
        When there are too few members, or nothing to tell them apart by.
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    k groups are claimed if (1) the shallowest valley between any two of them is deeper than in 95 of 100
    structureless worlds (same margins and rank correlations) and deep enough in itself, (2) none is a handful
    and all come back in resamples, and (3) for members who did not form them they predict the next period
    better than the RFM score in k bands or a smooth score of equal degrees of freedom. Otherwise the answer
    is "a gradient, not groups".

    Members without any event up to the cut stand on one point in all features at once. They are told by that,
    not found: they form no groups and enter no twin, and the rule puts them where they come nearest.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(min(ks), "ks", ge=2)
    in_range(bands, "bands", ge=2)
    in_range(null_draws, "null_draws", ge=19)
    in_range(resamples, "resamples", ge=1)
    found = source if isinstance(source, Features) else features(source)
    shown = Shown.of(found.meta, mass)
    with pinned():
        rows, acting = searched(found, rng)
        x = _telling(found.x[rows[acting]], max(ks), found.case)
        stability = stability_table(x, ks, draws=null_draws, resamples=resamples, rng=rng)
        k, ranked = chosen_k(stability), activity_bands(found, bands)
        tried: Rule = partition(x, k, rng=rng, starts=10) if k else ranked
        exam = exam_table(found, tried, mass=mass)
        reason: Reason = "no valley" if k is None else "useful" if passed(exam) else "no use"
        rule = tried if reason == "useful" else ranked
        formed = x if isinstance(rule, NearestCentre) else found.x[rows]  # bands are of all who fit
        back = _returns(formed, rule, found.names, resamples=resamples, rng=rng)
        table = _with_returns(
            segment_table(found, rule, mass=mass, min_group=min_group),
            segment_names(found, rule),
            back.jaccard,
            shown,
        )
    return Segmentation(
        case=found.case,
        verdict="groups" if reason == "useful" else "a gradient, not groups",
        reason=reason,
        k=rule.k,
        table=table,
        rand=shown.score(back.rand),
        stability=shown.scores(stability, len(x)),
        exam=shown.scores(exam, int((~found.fit).sum())),
        exam_k=tried.k,
        rule=rule,
        names=found.names,
        mass=mass,
        min_group=min_group,
        fitted=shown.size(len(x)),
        judged=shown.size(int((~found.fit).sum())),
        members=found.members,
        meta=found.meta,
        silent=shown.size(int((~acting).sum())),
    )


def searched(found: Features, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    """Return rows of members who fit, in random order, and which of them did anything up to the cut."""
    rows = rng.permutation(np.flatnonzero(found.fit))[:FIT_AT_MOST]
    if "events" not in found.counts:
        return rows, np.ones(len(rows), dtype=np.bool_)
    return rows, found.counts["events"].to_numpy()[rows] > 0


def _returns(
    x: Floats, rule: Rule, names: tuple[str, ...], *, resamples: int, rng: np.random.Generator
) -> Returns:
    """Return how well the segments of a rule come back, made again as they were made."""
    form = rule_former(rule, names, rng=rng)
    return returns(x, rule.assign(x), form, k=rule.k, resamples=resamples, rng=rng)


def _with_returns(table: pd.DataFrame, names: tuple[str, ...], jaccard: Floats, shown: Shown) -> pd.DataFrame:
    """Return the table of segments with how much of each comes back."""
    each = dict(zip(names, jaccard, strict=True))
    return table.assign(comes_back=[shown.score(float(each[name])) for name in table["segment"]])


def _telling(x: Floats, k: int, case: str) -> Floats:
    """Return `x`, if it has enough different rows to form k groups many times over."""
    different = len(np.unique(x, axis=0))
    if different < _ROWS_PER_GROUP * k:
        raise UndefinedError(
            f"The members of {case} show only {count(different)} different patterns of behaviour, too few "
            f"to look for {k} groups. Ask for fewer, or record more of what members do."
        )
    return x
