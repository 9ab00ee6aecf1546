"""The race of models: each forecasts, from earlier dates, what has become known since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.results.check import Verdict
from sojourn.core.results.retention_forecast import Race
from sojourn.estimators.survival.ahead import kept_ahead
from sojourn.estimators.survival.laws import (
    Law,
    age_by_age,
    beta_geometric,
    beta_weibull,
    continuous,
    with_stayers,
)
from sojourn.estimators.survival.sharing import fit_shared
from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]

#: An earlier date is used when it knew at least so many cohorts, the oldest through so many steps.
LEAST_COHORTS, LEAST_STEPS = 5, 3
#: Fewer earlier dates or held-out entries than this, and no model can be judged.
LEAST_ORIGINS, LEAST_ENTRIES = 3, 30
MOST_ORIGINS = 8
#: A model beats the plain forecast when it is better by more than so many standard errors.
BEATS = 2.0
RACE_DRAWS = 1_000
#: Held-out coverage may fall short of the mass by so much before the check warns, and fails.
SHORT_WARN, SHORT_FAIL = 0.10, 0.15
PLAIN = "each age as in earlier cohorts"
#: The same with levels of cohorts: what forecasts when no law beats the plain one.
PLAIN_SHARED = f"{PLAIN}, each cohort at its own level"


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the race.

    Attributes
    ----------
    name : str
        In words.
    law : Law or None
        Law of the share lost in each step; None: age by age.
    shared : bool
        Whether cohorts have levels of their own that share strength.
    """

    name: str
    law: Law | None
    shared: bool

    def at(self, triangle: Triangle) -> Law:
        """Return the law, which without a form depends on how far the triangle reaches."""
        if self.law is not None:
            return self.law
        return age_by_age(triangle.lost, triangle.at_risk)


def models(*, stayers: bool) -> tuple[Model, ...]:
    """Return the models of the race: the plain one first, cohorts alike before those that share strength.

    Parameters
    ----------
    stayers : bool
        Whether follow-up is long enough for laws of which some members are exempt.
    """
    renewal = (beta_geometric(), beta_weibull())
    laws = (*renewal, *continuous(), *(with_stayers() if stayers else ()))
    return (
        Model(PLAIN, None, False),
        Model(PLAIN_SHARED, None, True),
        *(Model(f"{law.name}, cohorts alike", law, False) for law in renewal),
        *(Model(law.name, law, True) for law in laws),
    )


def origins(triangle: Triangle) -> list[int]:
    """Return how many steps ago a forecast can have been made, at most `MOST_ORIGINS` evenly spread."""
    usable = []
    for back in range(1, int(triangle.known.max(initial=0))):
        known = triangle.known - back
        if (known >= 1).sum() >= LEAST_COHORTS and known.max() >= LEAST_STEPS:
            usable.append(back)
    if not usable:
        return []
    picked = np.linspace(usable[0], usable[-1], min(MOST_ORIGINS, len(usable)))
    return sorted({round(place) for place in picked})


@dataclass(frozen=True, slots=True)
class Held:
    """What one model said, from one earlier date, of entries known since.

    Attributes
    ----------
    cohort : array of int (entries,)
        Which cohort each entry is of.
    score, width : array of float (entries,)
        Continuous ranked probability score and width of the interval, as shares.
    inside : array of bool (entries,)
        Whether the entry fell inside its interval.
    total_inside : bool
        Whether the total of members of all cohorts did, as far ahead as was forecast.
    """

    cohort: NDArray[np.int64]
    score: Floats
    width: Floats
    inside: NDArray[np.bool_]
    total_inside: bool


def run_race(
    triangle: Triangle, entrants: Sequence[Model], *, ahead: int, mass: float, rng: np.random.Generator
) -> Race | None:
    """Return how every model did on entries that earlier dates did not know; None when there are too few.

    Parameters
    ----------
    triangle : Triangle
        What is known now.
    entrants : sequence of Model
        From `models`.
    ahead : int
        Steps ahead that count.
    mass : float
        Mass of the intervals.
    rng : numpy Generator
        Source of randomness.
    """
    backs = origins(triangle)
    entries = sum(int(_held_out(triangle, back, ahead).sum()) for back in backs)
    if len(backs) < LEAST_ORIGINS or entries < LEAST_ENTRIES:
        return None
    found = {m.name: list(examine(triangle, m, backs, ahead=ahead, mass=mass, rng=rng)) for m in entrants}
    table = _scored(found)
    chosen, beaten = _choose(table, entrants)
    totals = [held.total_inside for held in found[chosen]]
    cohorts = len(np.unique(np.concatenate([held.cohort for held in found[chosen]])))
    counts = (entries, cohorts, len(backs), len(totals), sum(totals))
    return Race(table, chosen, PLAIN, beaten, *counts)


def _choose(table: pd.DataFrame, entrants: Sequence[Model]) -> tuple[str, bool]:
    """Return the model that forecasts, and whether it beat the plain one.

    Only models whose cohorts have levels of their own may forecast: intervals hold how cohorts differ.
    """
    may = {model.name for model in entrants if model.shared}
    best = table[table["model"].isin(may)].iloc[0]
    beaten = bool(best["against"] < -BEATS * best["against_se"])
    return (str(best["model"]) if beaten else PLAIN_SHARED), beaten


def examine(
    triangle: Triangle, model: Model, backs: list[int], *, ahead: int, mass: float, rng: np.random.Generator
) -> Iterator[Held]:
    """Yield what a model said from each earlier date, fitted on what that date knew."""
    start: dict[int, Floats] = {}
    for back in backs:
        then = triangle.as_known(triangle.known - back)
        law = model.at(then)
        fit = fit_shared(then, law, shared=model.shared, start=start.get(law.centre.size))
        start = {law.centre.size: fit.mode} if model.law is not None else {}
        draws = fit.draw(RACE_DRAWS, int(then.known.max()) + min(ahead, back), rng=rng)
        kept = kept_ahead(then, draws, most=min(ahead, back), rng=rng)
        yield _compared(triangle, kept, back, ahead=ahead, mass=mass)


def _held_out(triangle: Triangle, back: int, ahead: int) -> NDArray[np.bool_]:
    """Return which entries a date `back` steps ago did not know, up to `ahead` steps on (cohorts, steps)."""
    steps = np.arange(1, triangle.kept.shape[1] + 1)
    known = (triangle.known - back)[:, None]
    return (known >= 0) & (steps > known) & (steps <= known + ahead) & triangle.mask


def _compared(triangle: Triangle, kept: Floats, back: int, *, ahead: int, mass: float) -> Held:
    held = _held_out(triangle, back, ahead)
    here = np.flatnonzero(triangle.known - back >= 0)
    cohort, step = np.nonzero(held)
    drawn = kept[:, np.searchsorted(here, cohort), step]
    members = triangle.members[cohort]
    actual = triangle.kept[cohort, step]
    low, high = np.quantile(drawn, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    last = (triangle.known[here] - back) + min(ahead, back) - 1
    total = kept[:, np.arange(len(here)), last].sum(axis=1)
    bounds = np.quantile(total, [(1 - mass) / 2, (1 + mass) / 2])
    truth = triangle.kept[here, last].sum()
    return Held(
        cohort,
        crps(drawn / members, actual / members),
        (high - low) / members,
        (low <= actual) & (actual <= high),
        bool(bounds[0] <= truth <= bounds[1]),
    )


def coverage_verdict(race: Race, mass: float) -> Verdict:
    """Return the verdict on the share of held-out entries inside the intervals of the chosen model."""
    short = mass - race.coverage
    return "fail" if short > SHORT_FAIL else "warn" if short > SHORT_WARN else "pass"


def held_verdict(race: Race, mass: float) -> Verdict:
    """Return the verdict on entries, and at least a warning where the total of members missed too often.

    Totals of earlier dates overlap, so that one miss more than the mass allows for tells nothing yet.
    """
    of_entries = coverage_verdict(race, mass)
    missed = race.totals_inside < mass * race.totals - 1
    return "warn" if missed and of_entries == "pass" else of_entries


def crps(drawn: Floats, actual: Floats) -> Floats:
    """Return the continuous ranked probability score of draws (draws, entries); smaller is better.

    ``E|X - y| - E|X - X'| / 2`` over the empirical distribution: Gneiting & Raftery (2007), J. Am. Stat.
    Assoc. 102, 359-378, eq. 21.
    """
    size = len(drawn)
    ordered = np.sort(drawn, axis=0)
    weights = (2 * np.arange(1, size + 1) - size - 1) / size**2
    score: Floats = np.abs(drawn - actual).mean(axis=0) - weights @ ordered
    return score


def _scored(found: dict[str, list[Held]]) -> pd.DataFrame:
    """Return the table of the race, best first; ties stand in the order of `models`."""
    plain = np.concatenate([held.score for held in found[PLAIN]])
    rows = []
    for name, helds in found.items():
        score, cohort = (np.concatenate([getattr(h, what) for h in helds]) for what in ("score", "cohort"))
        difference = 100 * (score - plain)
        rows.append(
            {
                "model": name,
                "score": 100 * float(score.mean()),
                "against": float(difference.mean()),
                "against_se": _clustered(difference, cohort),
                "coverage": float(np.concatenate([held.inside for held in helds]).mean()),
                "width": 100 * float(np.concatenate([held.width for held in helds]).mean()),
            }
        )
    return pd.DataFrame(rows).sort_values("score", kind="stable", ignore_index=True)


def _clustered(values: Floats, cluster: NDArray[np.int64]) -> float:
    """Return the standard error of a mean whose values belong together by cluster."""
    sums = np.bincount(cluster, weights=values - values.mean())
    clusters = len(np.unique(cluster))
    return float(np.sqrt((sums**2).sum() * clusters / max(clusters - 1, 1)) / len(values))
