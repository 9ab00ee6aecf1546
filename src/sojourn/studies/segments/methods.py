"""Ways of grouping side by side, on the same members and on members without any structure.

All of them return groups, whether there are any or not. The table shows what the usual proofs of groups -
that they come back, that they describe other members better, that they differ afterwards - are worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.methods import DENSITY, GRID, HALVES, KMEANS, MIXTURE, PAGE, Methods
from sojourn.core.results.segments import Features, Floats, Ints, Rule, Segmentation
from sojourn.estimators.cluster.copula import structureless
from sojourn.estimators.cluster.density import crowds
from sojourn.estimators.cluster.mixture import best_mixture, grouped_density, mixture, single_density
from sojourn.estimators.cluster.partition import former, pinned
from sojourn.estimators.cluster.silhouette import best_partition
from sojourn.estimators.cluster.stability import Former, Returns, adjusted_rand, returns
from sojourn.studies.segments.bands import bands_of, rule_former
from sojourn.studies.segments.features import features
from sojourn.studies.segments.rfm import rfm_cells
from sojourn.studies.segments.shown import Shown
from sojourn.studies.segments.structure import SMALLEST_SHARE

#: At most so many members form the groups compared, and at most so many judge them.
AT_MOST = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Formed:
    """Groups one way has made of some rows.

    Attributes
    ----------
    assign : callable
        Gives any rows the number of their group; -1: none.
    again : callable
        Makes as many groups of a resample.
    density : callable or None
        Mean log-density of other rows; None where groups themselves are to say it.
    """

    assign: Callable[[Floats], Ints]
    again: Former
    density: Callable[[Floats], float] | None = None


#: Makes groups of rows, by the way's own criterion.
Way = Callable[[Floats], Formed]


def compare_methods(
    source: Cells | Features,
    found: Segmentation,
    *,
    ks: Sequence[int] = (2, 3, 4, 5, 6, 7, 8),
    resamples: int = 10,
    twins: int = 1,
    rng: np.random.Generator,
) -> Methods:
    """Set the segments beside k-means, Gaussian mixtures, density clustering, the RFM grid and a mere cut.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result.
    ks : sequence of int
        Numbers of groups that k-means and mixtures try, each at least 2.
    resamples : int
        Bootstrap samples for the stability of groups; at least 2.
    twins : int
        Structureless twins (same margins and rank correlations) on which all ways are tried as well.
    rng : numpy Generator
        Source of all randomness; the result does not depend on the order of rows.

    Returns
    -------
    result : Methods
        One row per way, one row per group.

    Raises
    ------
    UndefinedError
        When there are too few members, or nothing to tell them apart by.
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    k-means takes the number with the largest silhouette (Rousseeuw 1987), in the metric of `partition`;
    mixtures the lowest Bayesian information criterion; HDBSCAN its excess of mass, a crowd being 5 in 100
    members. At most 2,000 members form the groups (HDBSCAN's time grows with their square), 2,000 others
    judge them.
    """
    in_range(min(ks), "ks", ge=2)
    in_range(resamples, "resamples", ge=2)
    in_range(twins, "twins", ge=1)
    seen = source if isinstance(source, Features) else features(source)
    shown = Shown.of(seen.meta, found.mass)
    least = max(shown.base, found.min_group)
    with pinned():
        fits, judges = (rng.permutation(np.flatnonzero(part))[:AT_MOST] for part in (seen.fit, ~seen.fit))
        x, others, did = seen.x[fits], seen.x[judges], seen.next["active_days"].to_numpy()[judges]
        ways = _ways(seen.names, found.rule, ks, rng)
        here = {
            name: _measured(way, x, others, resamples, least=least, rng=rng) for name, way in ways.items()
        }
        there = [_twin(ways, x, others, least=least, rng=rng) for _ in range(twins)]
    page = found.rule.assign(x)
    rows = [
        {"method": name, **_row(of, page, np.log1p(did), others, least), **_medians(there, name)}
        for name, of in here.items()
    ]
    table = pd.DataFrame(rows)
    table.loc[table["method"].isin([PAGE, GRID, HALVES]), "twin_groups"] = np.nan  # told, not found
    return Methods(
        seen.case,
        shown.scores(table, len(x), shares=("noise_share",)),
        shown.scores(_clusters(here), len(x), shares=("share",)),
        shown.size(len(x)),
        shown.size(len(others)),
        least,
        twins,
        resamples,
    )


def _ways(
    names: tuple[str, ...], rule: Rule, ks: Sequence[int], rng: np.random.Generator
) -> Mapping[str, Way]:
    """Return the ways, each by its own criterion; the page's own as it was found."""

    def told(form: Former) -> Way:
        return lambda x: Formed(form(x), form)

    return {
        PAGE: told(rule_former(rule, names, rng=rng)),
        KMEANS: lambda x: _kmeans(x, ks, rng),
        MIXTURE: lambda x: _mixture(x, ks, rng),
        DENSITY: told(lambda x: crowds(x, SMALLEST_SHARE).assign),
        GRID: told(lambda x: rfm_cells(x, names)),
        HALVES: told(lambda x: bands_of(x, names, 2).assign),
    }


def _kmeans(x: Floats, ks: Sequence[int], rng: np.random.Generator) -> Formed:
    """Return k-means at the number of groups with the largest silhouette."""
    best = best_partition(x, ks, rng=rng)
    return Formed(best.assign, former(best.k, rng=rng))


def _mixture(x: Floats, ks: Sequence[int], rng: np.random.Generator) -> Formed:
    """Return the mixture with the lowest BIC."""
    best = best_mixture(x, ks, rng=rng)
    k = int(best.n_components)
    return Formed(
        best.predict, lambda rows: mixture(rows, k, rng=rng).predict, lambda o: float(best.score(o))
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """What one way made of some rows: its groups, how they come back, and what they say of other rows.

    Groups that count (`there`) are those with members enough to be shown, largest first.
    """

    formed: Formed
    labels: Ints
    back: Returns
    gain: float
    there: Ints

    @property
    def groups(self) -> int:
        return len(self.there)

    @property
    def worst(self) -> float:
        """What returns of the group that comes back worst; not a number below two groups."""
        return float(self.back.jaccard[self.there].min()) if self.groups > 1 else np.nan


def _measured(
    way: Way, x: Floats, others: Floats, resamples: int, *, least: int, rng: np.random.Generator
) -> _Measured:
    formed = way(x)
    labels = formed.assign(x)
    back = returns(x, labels, formed.again, k=int(labels.max()) + 1, resamples=resamples, rng=rng)
    density = formed.density(others) if formed.density else grouped_density(x, labels, others)
    sizes = np.bincount(labels[labels >= 0], minlength=len(back.jaccard))
    order = np.argsort(-sizes, kind="stable")
    return _Measured(formed, labels, back, density - single_density(x, others), order[sizes[order] >= least])


def _twin(
    ways: Mapping[str, Way], x: Floats, others: Floats, *, least: int, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Return groups, returns and gain of every way in one structureless twin."""
    twin = structureless(x, rng=rng)
    own, new = twin.draw(len(x), rng=rng), twin.draw(len(others), rng=rng)
    seen = {name: _measured(way, own, new, 2, least=least, rng=rng) for name, way in ways.items()}
    return {
        name: {"twin_groups": of.groups, "twin_jaccard": of.worst, "twin_gain": of.gain}
        for name, of in seen.items()
    }


def _medians(twins: Sequence[Mapping[str, Mapping[str, float]]], name: str) -> dict[str, float]:
    return {what: float(np.median([twin[name][what] for twin in twins])) for what in twins[0][name]}


def _row(of: _Measured, page: Ints, did: Floats, others: Floats, least: int) -> dict[str, float]:
    return {
        "groups": of.groups,
        "noise_share": float(np.mean(of.labels < 0)),
        "jaccard": of.worst,
        "rand": of.back.rand if of.groups > 1 else np.nan,
        "agreement": adjusted_rand(page, of.labels),
        "gain": of.gain,
        "t_next": apart_next(did, of.formed.assign(others), least),
    }


def apart_next(did: Floats, labels: Ints, least: int) -> float:
    """Return by how many standard errors (Welch) the two groups furthest apart differ in what they did.

    Parameters
    ----------
    did : array (n,)
        What members did.
    labels : array (n,)
        Their groups; those of -1 are left out.
    least : int
        Groups of fewer members are left out too, and always those of one.

    Returns
    -------
    float
        The largest absolute t over all pairs; not a number with fewer than two groups.
    """
    groups = [did[labels == group] for group in np.unique(labels[labels >= 0])]
    told = [(own.mean(), own.var(ddof=1) / len(own)) for own in groups if len(own) >= max(least, 2)]
    apart = [abs(a - b) / np.sqrt(va + vb) for (a, va), (b, vb) in combinations(told, 2) if va + vb > 0]
    return float(max(apart, default=np.nan))


def _clusters(here: Mapping[str, _Measured]) -> pd.DataFrame:
    """Return every group of every way with its size and how much of it comes back, largest first."""
    rows = [
        (name, place, float(np.mean(of.labels == group)), float(of.back.jaccard[group]))
        for name, of in here.items()
        for place, group in enumerate(of.there, start=1)
    ]
    return pd.DataFrame(rows, columns=["method", "group", "share", "jaccard"])
