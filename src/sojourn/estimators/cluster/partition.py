"""k-means whose metric follows the groups: same centres for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from sojourn.core.results.segments import Floats, Ints, NearestCentre

#: Share of a round metric that is mixed into the pooled within-group covariance.
SHRINKAGE = 0.2

#: Variance (of 1) that every principal component is given before components are set on one scale, so that
#: those of hardly any spread do not decide where groups start.
_FLOOR = 0.02

#: One start is preferred to another where it is more likely by this (nats a member): not by rounding.
_CLEARLY = 1e-9

#: Steps of k-means at each start: what follows settles the rest.
_FIRST = 10

_ROUNDS, _STEPS = 5, 30

#: Groups have settled when this share of members stays where it is.
_SETTLED = 0.999


@contextmanager
def pinned() -> Iterator[None]:
    """Run inside with one thread, since the last bits of sums change with their number.

    scikit-learn is imported first: a limit holds only for libraries that are already loaded. Its checks of
    every call are left out, since thousands of small fits follow on data that were checked at the door.
    """
    import sklearn.cluster
    import sklearn.linear_model
    from threadpoolctl import threadpool_limits

    with (
        threadpool_limits(limits=1),
        sklearn.config_context(assume_finite=True, skip_parameter_validation=True),
    ):
        yield


def partition(x: Floats, k: int, *, rng: np.random.Generator, starts: int = 4) -> NearestCentre:
    """Return k centres and the metric in which groups are round.

    Parameters
    ----------
    x : array (n, p)
        Standardised features.
    k : int
        Number of groups, at least 2 and at most n.
    rng : numpy Generator
        Draws the starting centres.
    starts : int
        Number of k-means starts among principal components of equal spread, of which the best is kept; half
        as many among standardised features.

    Notes
    -----
    k-means, then alternately the pooled within-group covariance and k-means in its metric: the
    classification EM of a Gaussian mixture with one covariance and equal weights [1]_. Plain k-means on
    standardised features cuts at the wrong angle wherever groups differ in some features only.

    This climbs to the nearest summit only, and where all differ much in one thing that says nothing of groups
    (in how active they are), k-means on standardised features starts below the wrong one. So there are two
    starts, on standardised features and on principal components of equal spread, and the end of larger
    classification likelihood counts.

    .. [1] Celeux & Govaert (1992), A classification EM algorithm for clustering, CSDA 14, 315-332.
    """
    seed = int(rng.integers(2**31))
    found = _followed(x, _kmeans(x, k, seed, (starts + 1) // 2), k)
    other = _followed(x, _kmeans(_whitened(x), k, seed, starts), k)
    return other if _likelihood(x, other) > _likelihood(x, found) + _CLEARLY else found


def former(k: int, *, rng: np.random.Generator) -> Callable[[Floats], Callable[[Floats], Ints]]:
    """Return what forms k groups of the rows it is given, as `partition` does."""
    return lambda x: partition(x, k, rng=rng).assign


def _followed(x: Floats, labels: Ints, k: int) -> NearestCentre:
    """Return centres and metric to which groups lead when either follows the other."""
    metric = np.eye(x.shape[1])
    for _ in range(_ROUNDS):
        trial = _metric(x, labels, k)
        moved = _settled(x, trial, labels, k)
        if moved is None:
            break
        settled = float(np.mean(moved == labels)) > _SETTLED
        labels, metric = moved, trial
        if settled:
            break
    centres = _centres(x @ metric, labels, k)
    return NearestCentre(metric, centres[np.lexsort(centres.T[::-1])])


def _likelihood(x: Floats, rule: NearestCentre) -> float:
    """Return the classification log-likelihood per member, but for a constant.

    Groups are equally likely and normal with one covariance, whose inverse root is the metric.
    """
    y = x @ rule.metric
    nearest = (y**2).sum(axis=1) + ((rule.centres**2).sum(axis=1) - 2 * (y @ rule.centres.T)).min(axis=1)
    return float(np.linalg.slogdet(rule.metric)[1]) - float(nearest.mean()) / 2


def _whitened(x: Floats) -> Floats:
    """Return principal components of (nearly) equal spread."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))
    components: Floats = (x - x.mean(axis=0)) @ vectors / np.sqrt(values + _FLOOR)
    return components


def _settled(x: Floats, metric: Floats, labels: Ints, k: int) -> Ints | None:
    """Return the groups to which Lloyd's steps lead in a metric; None where a group loses all its members."""
    y, identity = x @ metric, np.eye(x.shape[1])
    for _ in range(_STEPS):
        moved = NearestCentre(identity, _centres(y, labels, k)).assign(y)
        if np.bincount(moved, minlength=k).min() == 0:
            return None
        still = float(np.mean(moved == labels)) > _SETTLED
        labels = moved
        if still:
            break
    return labels


def _kmeans(x: Floats, k: int, seed: int, starts: int) -> Ints:
    from sklearn.cluster import KMeans

    made = KMeans(k, n_init=starts, max_iter=_FIRST, random_state=seed, tol=1e-3).fit(x)
    return np.asarray(made.labels_, dtype=np.int64)


def _centres(x: Floats, labels: Ints, k: int) -> Floats:
    """Return the mean of every group; all k groups have members."""
    sums = np.column_stack([np.bincount(labels, column, minlength=k) for column in x.T])
    centres: Floats = sums / np.bincount(labels, minlength=k)[:, None]
    return centres


def _metric(x: Floats, labels: Ints, k: int) -> Floats:
    """Return the inverse root of the pooled within-group covariance, shrunk towards a round one."""
    rest = x - _centres(x, labels, k)[labels]
    within = rest.T @ rest / len(x)
    size = max(float(np.trace(within)) / len(within), 1e-12)
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * size * np.eye(len(within)))
    metric: Floats = (vectors / np.sqrt(values)) @ vectors.T
    return metric
