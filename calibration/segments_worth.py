"""What the usual signs of groups are worth where there are none, and what intervals of segments cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from common import measured
from numpy.typing import NDArray

from sojourn.core.results.segments import Floats
from sojourn.estimators.cluster.intervals import mean_interval
from sojourn.estimators.cluster.mixture import best_mixture, single_density
from sojourn.estimators.cluster.partition import former, partition, pinned
from sojourn.estimators.cluster.stability import returns
from sojourn.studies.segments.features import halves
from sojourn.studies.segments.methods import apart_next
from sojourn.studies.segments.worlds import gaussian

#: Members of worlds that show what signs are worth; half of them form groups.
MANY = 20_000

#: Correlation of features of one population, and spread of the logarithms where tails are heavy.
TOGETHER, HEAVY = 0.8, 0.75

#: The hardest case for intervals: many segments of few members, told by what sets each apart most.
_MEMBERS, _FEATURES, _SEGMENTS, _ALIKE = 1_200, 14, 8, 0.2

#: Members drawn to know what is so.
_TRUTH = 50_000

Over = Callable[[Callable[[int], Mapping[str, float]], int], list[Mapping[str, float]]]


def one_population(members: int, features: int, alike: float, rng: np.random.Generator) -> Floats:
    """Return features of one population with equal correlations."""
    activity = rng.standard_normal((members, 1))
    rest = rng.standard_normal((members, features))
    return np.asarray(alike**0.5 * activity + (1 - alike) ** 0.5 * rest)


def worth(worlds: int, seed: int, over: Over) -> list[dict[str, Any]]:
    """Return how high stability, gain and later differences are in one population without groups."""
    found = over(partial(signs, seed), worlds)
    median = {name: float(np.median([one[name] for one in found])) for name in found[0]} | {"worlds": worlds}
    of = f"one population, {MANY:,} members"
    return [
        _sign(
            f"half of a correlated Gaussian (r = .8) that comes back, worse half, {of}",
            median,
            "gaussian",
            0.98,
        ),
        _sign(f"half of heavy-tailed RFM features that comes back, worse half, {of}", median, "heavy", 0.9),
        _sign(
            f"nats a member that a mixture gains of heavy-tailed RFM features, held out, {of}",
            median,
            "gain",
            1.0,
        ),
        _sign(
            "standard errors by which halves of a correlated Gaussian differ next, 2,400 members",
            median,
            "t_next",
            12.0,
        ),
    ]


def _sign(claim: str, median: Mapping[str, float], name: str, least: float) -> dict[str, Any]:
    """Return the row of a sign of groups that is there without groups: it is shown where it is as high."""
    goal = f"at least {least:g}: as high as is usually taken for groups"
    return {
        "claim": claim,
        "worlds": int(median["worlds"]),
        "goal": goal,
        "measured": round(median[name], 3),
        "met": median[name] >= least,
    }


def signs(seed: int, world: int) -> Mapping[str, float]:
    """Return the usual signs of groups in one world without any."""
    rng = np.random.default_rng([seed, 11, world])
    normal = one_population(MANY, 3, TOGETHER, rng)
    fit = halves(MANY)
    heavy = np.exp(HEAVY * normal)
    heavy = (heavy - heavy[fit].mean(axis=0)) / heavy[fit].std(axis=0)
    with pinned():
        mixed = best_mixture(heavy[fit], range(2, 9), rng=rng)
        made = gaussian(2_400, rng=rng)
        cut = partition(made.x[made.fit], 2, rng=rng)
        did = np.log1p(made.next["active_days"].to_numpy()[~made.fit])
        return {
            "gaussian": _comes_back(normal[fit], rng),
            "heavy": _comes_back(heavy[fit], rng),
            "gain": float(mixed.score(heavy[~fit])) - single_density(heavy[fit], heavy[~fit]),
            "t_next": apart_next(did, cut.assign(made.x[~made.fit]), 20),
        }


def _comes_back(x: Floats, rng: np.random.Generator) -> float:
    rule = partition(x, 2, rng=rng)
    form = former(2, rng=rng)
    return float(returns(x, rule.assign(x), form, k=2, resamples=10, rng=rng).jaccard.min())


def coverage(worlds: int, seed: int, over: Over) -> list[dict[str, Any]]:
    """Return how often intervals of what sets a segment apart cover the truth: of judges, and of fitters."""
    found = over(partial(covered, seed), worlds)
    of = f"mean of the feature that sets a segment apart most, {_SEGMENTS} segments, {_FEATURES} features"
    inside = {name: np.array([one[name] for one in found]) > 0 for name in ("judges", "fitters")}
    there = np.ones(worlds, dtype=np.bool_)
    rows = [
        measured(of, f"{_MEMBERS:,} members who formed nothing, by the frozen rule", inside["judges"], there),
        measured(of, f"{_MEMBERS:,} members who formed the segments (not used)", inside["fitters"], there),
    ]
    return [rows[0], _fails(rows[1], inside["fitters"])]


def _fails(row: dict[str, Any], inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the row of what must not be used: shown where it fails, as it is said to."""
    return {**row, "goal": "below 0.9: why judges form nothing", "met": bool(inside.mean() < 0.9)}


def covered(seed: int, world: int) -> Mapping[str, float]:
    """Return whether the intervals of one segment, chosen at random, cover its mean (1: yes)."""
    rng = np.random.default_rng([seed, 12, world])
    fitters, judges, all_of = (
        one_population(n, _FEATURES, _ALIKE, rng) for n in (_MEMBERS, _MEMBERS, _TRUTH)
    )
    with pinned():
        rule = partition(fitters, _SEGMENTS, rng=rng)
    segment = int(rng.integers(_SEGMENTS))
    own = fitters[rule.assign(fitters) == segment]
    apart = int(np.abs(own.mean(axis=0) - fitters.mean(axis=0)).argmax())
    truth = float(all_of[rule.assign(all_of) == segment, apart].mean())
    theirs = judges[rule.assign(judges) == segment]
    bounds = {"fitters": mean_interval(own[:, apart], 0.95), "judges": mean_interval(theirs[:, apart], 0.95)}
    return {name: float(low <= truth <= high) for name, (_, low, high) in bounds.items()}
