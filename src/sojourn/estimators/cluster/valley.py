"""How deep the valley is between groups: they are separated where few members stand between them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sojourn.core.results.segments import Floats, NearestCentre

#: Groups with fewer members have no density worth looking at.
SMALLEST = 20

#: A ball holds about so many neighbours.
_NEIGHBOURS = 15

#: Share of the members of two groups that stand next to their border.
_BORDER = 0.05

#: Crowded places are compared with crowded places: this quantile of the neighbours' counts.
_CROWDED = 0.9

#: What is shallower is no valley: densities are not known so well.
NO_VALLEY = 0.05

_PLANE = 4
_BINS = 256

#: Groups whose spread is below this share of their distance are points.
_POINT = 1e-3


def shallowest_valley(x: Floats, rule: NearestCentre) -> float:
    """Return the depth of the shallowest valley between any two groups (0-1).

    Parameters
    ----------
    x : array (n, p)
        Standardised features of members that did not form the groups.
    rule : NearestCentre
        The groups.

    Returns
    -------
    float
        0 where some pair has no valley (or a group fewer than `SMALLEST` members), 1 where nobody stands
        between any two groups.

    Notes
    -----
    A valley has to show in two ways, and the lesser counts: along the line through both centres
    (`valley_depth`), and in the crowd around each member (`border_depth`). Each alone can be fooled: a bent
    but unbroken crowd has a valley along the line, a spike of equal members has a crowd of its own.
    """
    labels = rule.assign(x)
    if np.bincount(labels, minlength=rule.k).min() < SMALLEST:
        return 0.0
    y = x @ rule.metric
    groups = [labels == group for group in range(rule.k)]
    pairs = [(a, b, _along(y, rule, a, b)) for a, b in combinations(range(rule.k), 2)]
    line = min(valley_depth(along[groups[a]], along[groups[b]]) for a, b, along in pairs)
    if line < NO_VALLEY:
        return 0.0
    crowd = neighbours(_main_plane(y, max(_PLANE, rule.k - 1)))
    border = min(
        border_depth(along[groups[a]], crowd[groups[a]], along[groups[b]], crowd[groups[b]])
        for a, b, along in pairs
    )
    return min(line, border) if border >= NO_VALLEY else 0.0


def _along(y: Floats, rule: NearestCentre, a: int, b: int) -> Floats:
    """Return positions along the line through two centres, 0 on the border of the two groups."""
    towards = rule.centres[b] - rule.centres[a]
    return np.asarray((y - (rule.centres[a] + rule.centres[b]) / 2) @ towards, dtype=np.float64)


def border_depth(low: Floats, low_crowd: Floats, high: Floats, high_crowd: Floats) -> float:
    """Return how much thinner the crowd is on the border of two groups than in the less crowded one.

    Parameters
    ----------
    low, high : array
        Distance from the border of every member of either group, with a sign.
    low_crowd, high_crowd : array
        How many neighbours each of them has.

    Notes
    -----
    On the border stand the 5 % of both groups' members that are nearest to it. Crowded places are compared
    with crowded places (90 % quantiles): what counts is whether the border is crowded anywhere.
    """
    distance, crowd = np.abs(np.concatenate([low, high])), np.concatenate([low_crowd, high_crowd])
    nearest = np.argsort(distance, kind="stable")[: max(10, int(_BORDER * len(crowd)))]
    cores = min(np.quantile(low_crowd, _CROWDED), np.quantile(high_crowd, _CROWDED))
    return float(1 - np.quantile(crowd[nearest], _CROWDED) / cores)


def valley_depth(low: Floats, high: Floats) -> float:
    """Return how far the density of two groups on one line falls between their peaks.

    Parameters
    ----------
    low, high : array
        Positions of both groups; `low` has the smaller mean.

    Returns
    -------
    float
        1 minus the density at its lowest point between both means over the lower of the two peaks on either
        side of it: 0 without a valley, 1 where nobody stands between.

    Notes
    -----
    Gaussian kernel; bandwidth 1.06 s n^(-1/5) with s the spread within groups (Silverman 1986, eq. 3.28).
    """
    both = np.concatenate([low, high])
    spread = float(np.sqrt((low.var() * len(low) + high.var() * len(high)) / len(both)))
    if spread < _POINT * float(np.ptp(both)):
        return 1.0
    density, first, last = _density(both, 1.06 * spread * len(both) ** -0.2, low.mean(), high.mean())
    peak = np.minimum(np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1])
    between = slice(first, last + 1)
    return float(1 - (density[between] / peak[between]).min())


def _density(values: Floats, bandwidth: float, low: float, high: float) -> tuple[Floats, int, int]:
    """Return a smoothed histogram, and the bins of the two positions."""
    from scipy.ndimage import gaussian_filter1d

    start, end = values.min() - 3 * bandwidth, values.max() + 3 * bandwidth
    step = (end - start) / _BINS
    counts = np.bincount(((values - start) / step).astype(int), minlength=_BINS).astype(float)
    smooth = gaussian_filter1d(counts, max(bandwidth / step, 1.0), mode="constant")
    return smooth, int((low - start) / step), int((high - start) / step)


def neighbours(z: Floats) -> Floats:
    """Return how many members (oneself included) stand within one distance of each.

    The distance is the median of those to the fifteenth neighbour.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(z)
    radius = float(np.median(tree.query(z, k=_NEIGHBOURS + 1)[0][:, -1]))
    return np.asarray(tree.query_ball_point(z, radius, return_length=True), dtype=np.float64)


def _main_plane(y: Floats, directions: int) -> Floats:
    """Return the first principal components: in the groups' own metric, where they differ most."""
    vectors: Floats = np.linalg.eigh(np.atleast_2d(np.cov(y.T)))[1][:, ::-1]
    return np.asarray((y - y.mean(axis=0)) @ vectors[:, :directions], dtype=np.float64)
