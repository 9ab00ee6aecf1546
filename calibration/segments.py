"""How often the verdict on groups is right: worlds without groups, planted groups, lopsided samples."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import adjusted_rand_score

from sojourn.core.results.segments import Features, Segmentation
from sojourn.estimators.cluster.partition import pinned
from sojourn.studies.segments.checks import FAR, sample_distance
from sojourn.studies.segments.find import find_segments
from sojourn.studies.segments.structure import DEEP_ENOUGH, FIT_AT_MOST, SMALLEST_SHARE, SPLITS, measured
from sojourn.studies.segments.worlds import NO_GROUPS, as_cells, planted, population

SEED = 20261121
KS = (2, 3, 4, 5, 6, 7, 8)

#: Members of a world: as many as CDNOW has in the study.
MEMBERS = 2_400

#: At most such a share of worlds without groups may claim groups; planted ones must be found in such a share.
FALSE, FOUND = 0.05, 0.9

#: Bayes error of the planted groups that must be found; for larger ones the decline is reported.
ERROR, LARGER = 0.02, (0.05, 0.1, 0.2)

#: Mass of the one-sided bound of a measured share, with which few worlds are held against a goal.
SURE = 0.999

Claim = Callable[[int], Mapping[str, float]]


def calibrate() -> list[dict[str, Any]]:
    """Return all rows; as many worlds as fit into four minutes of two cores."""
    with _cores() as over:
        return [
            *false_claims(50, SEED, over),
            *found_again(5, SEED, over),
            *sample_rates(200, SEED),
        ]


@contextmanager
def _cores() -> Iterator[Callable[[Claim, int], list[Mapping[str, float]]]]:
    """Give a function that works out worlds on two cores; each has a seed of its own, so order is nothing."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        yield lambda claim, worlds: list(pool.map(claim, range(worlds)))


def at_least(share: float, worlds: int) -> float:
    """Return the lower 99.9 % bound of a measured share (Clopper and Pearson)."""
    return float(binomtest(round(share * worlds), worlds).proportion_ci(2 * SURE - 1, "exact").low)


def at_most(share: float, worlds: int) -> float:
    """Return the upper 99.9 % bound of a measured share."""
    return 1 - at_least(1 - share, worlds)


def false_claims(worlds: int, seed: int, over: Any) -> list[dict[str, Any]]:
    """Return per kind of world without groups how often groups are claimed."""
    return [_false_claims(kind, i, worlds=worlds, seed=seed, over=over) for i, kind in enumerate(NO_GROUPS)]


def _false_claims(kind: str, place: int, *, worlds: int, seed: int, over: Any) -> dict[str, Any]:
    claimed = over(partial(claims, kind, place, seed), worlds)
    apart, groups = (float(np.mean([row[name] for row in claimed])) for name in ("apart", "groups"))
    return {
        "claim": f"groups are claimed in a world without groups: {kind}, {MEMBERS} members",
        "worlds": worlds,
        "goal": f"at most {FALSE}; fails where the lower 99.9 % bound of the share is above",
        "measured": round(groups, 4),
        "lower_bound": round(at_least(groups, worlds), 4),
        "stands_apart_before_the_exam": round(apart, 4),
        "met": at_least(groups, worlds) <= FALSE,
    }


def claims(kind: str, place: int, seed: int, world: int) -> Mapping[str, float]:
    """Return whether groups stand apart in one world, and whether they are claimed."""
    rng = np.random.default_rng([seed, place, world])
    made = NO_GROUPS[kind](MEMBERS, rng=rng)
    if not possible(made, rng):
        return {"apart": False, "groups": False}
    found = find_segments(made, ks=KS, rng=rng)
    return {"apart": bool(found.stability["separated"].any()), "groups": found.has_groups}


def possible(world: Features, rng: np.random.Generator) -> bool:
    """Return whether some number of groups has valleys that are deep enough in themselves.

    Where none has, the verdict is known without the twins: the draws of the data come before theirs, and the
    generator is left as it was. A median fails once more than half of the halvings have.
    """
    state = rng.bit_generator.state
    with pinned():
        x = world.x[rng.permutation(np.flatnonzero(world.fit))[:FIT_AT_MOST]]
        missed = np.zeros((2, len(KS)))
        for _ in range(SPLITS):
            half = measured(x, KS, splits=1, resamples=0, rng=rng)
            missed += [half.depth < DEEP_ENOUGH, half.smallest < SMALLEST_SHARE]
            if (missed.max(axis=0) > SPLITS / 2).all():
                break
    rng.bit_generator.state = state
    return not bool((missed.max(axis=0) > SPLITS / 2).all())


def found_again(worlds: int, seed: int, over: Any) -> list[dict[str, Any]]:
    """Return how often planted groups are found: by their number, over all numbers, and for larger errors."""
    each = {k: over(partial(found_one, k, ERROR, seed), worlds) for k in (2, 3, 4, 5)}
    rows = [_found_row(f"{k} planted groups", ERROR, found) for k, found in each.items()]
    together = _found_row("2 to 5 planted groups", ERROR, [one for found in each.values() for one in found])
    bound = at_most(together["measured"], together["worlds"])
    goal = (
        f"right k and adjusted Rand of .9 or more in at least {FOUND}; fails where the upper 99.9 % bound of "
        f"the share among {together['worlds']} worlds is below"
    )
    together |= {"goal": goal, "upper_bound": round(bound, 4), "met": bound >= FOUND}
    larger = [
        _found_row("3 planted groups", error, over(partial(found_one, 3, error, seed), worlds))
        for error in LARGER
    ]
    return [*rows, together, *larger]


def _found_row(what: str, error: float, found: list[Mapping[str, float]]) -> dict[str, Any]:
    both = [one["right"] and one["agreement"] >= 0.9 for one in found]
    return {
        "claim": f"{what} at a Bayes error of {error} are found, {MEMBERS} members",
        "worlds": len(found),
        "goal": "reported",
        "measured": round(float(np.mean(both)), 4),
        "right_k": round(float(np.mean([one["right"] for one in found])), 4),
        "median_adjusted_rand": round(float(np.median([one["agreement"] for one in found])), 4),
        "met": None,
    }


def found_one(k: int, error: float, seed: int, world: int) -> Mapping[str, float]:
    """Return whether so many groups are found in one world, and how well their members agree."""
    rng = np.random.default_rng([seed, k, int(1000 * error), world])
    made, group = planted(MEMBERS, k, error=error, rng=rng)
    found = find_segments(made, ks=KS, rng=rng) if possible(made, rng) else None
    right = found is not None and found.has_groups and found.k == k
    return {"right": right, "agreement": _agreement(found, made, group)}


def _agreement(found: Segmentation | None, made: Features, group: np.ndarray) -> float:
    """Return the adjusted Rand index over the members who judge; 0 where no groups are claimed."""
    if found is None or not found.has_groups:
        return 0.0
    judged = ~made.fit
    return float(adjusted_rand_score(group[judged], found.rule.assign(made.x[judged])))


def sample_rates(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the check of the sample finds a sample without the least active tenth, and alarms."""
    distances: dict[str, list[float]] = {"sound": [], "faulty": []}
    for world in range(worlds):
        rng = np.random.default_rng([seed, 99, world])
        everyone = population(20_000, zeros=0.0, rng=rng)
        table = everyone.tables["sample"]
        active = table[table["active_days"] > table["active_days"].quantile(0.1)]
        for kind, part in (("sound", table), ("faulty", active)):
            rows = part.iloc[rng.permutation(len(part))[:2_000]]
            tables = {"sample": rows, "moments": everyone.tables["moments"]}
            distances[kind].append(sample_distance(_with(tables, rows)))
    alarm, catch = (float(np.mean(np.array(distances[kind]) > FAR)) for kind in ("sound", "faulty"))
    return [
        _rate(
            "a sound sample of 2,000 in 20,000 is called unsound",
            worlds,
            "at most 0.01",
            alarm,
            alarm <= 0.01,
        ),
        _rate(
            "a sample without the least active tenth is found", worlds, "at least 0.95", catch, catch >= 0.95
        ),
    ]


def _with(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> Any:
    from dataclasses import replace

    return replace(as_cells(rows), tables=tables)


def _rate(claim: str, worlds: int, goal: str, measured_rate: float, met: bool) -> dict[str, Any]:
    return {"claim": claim, "worlds": worlds, "goal": goal, "measured": round(measured_rate, 4), "met": met}
