"""What the intervals and the check of the forecast really do, over worlds whose future is known.

Each row: estimand, worlds and what they are like, nominal mass, goal, and the share of entries measured
inside their interval, with misses on both sides. Entries of one world belong together: the 99.9 % interval of
a measured share comes from the spread between worlds. Rows without a goal break the model on purpose and are
printed only. Counts of few members come in steps, and an interval that may end on a step covers more than it
says: worlds of the prior are judged by a place drawn at random within the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from sojourn.core.results.retention_forecast import Race
from sojourn.estimators.survival.ahead import kept_ahead
from sojourn.estimators.survival.laws import Law, beta_weibull
from sojourn.estimators.survival.shared_posterior import SPREAD_SCALE, UNREST_SCALE
from sojourn.estimators.survival.sharing import MONTHS_SCALE, fit_shared
from sojourn.estimators.survival.triangle import Triangle
from sojourn.studies.retention.forecast import posterior_draws
from sojourn.studies.retention.race import (
    PLAIN,
    PLAIN_SHARED,
    Model,
    coverage_verdict,
    held_verdict,
    models,
    run_race,
)

Floats = NDArray[np.float64]
SEED, MASS, AHEAD = 20_261_121, 0.95, 6
#: The planted fault of the check: odds of leaving so many times as high in the last steps.
FAULT = 1.5
GOAL, EXACT_GOAL = (0.93, 0.97), (0.94, 0.96)
#: Small counts come in steps: an interval of them may cover more than it says.
SMALL_GOAL = (0.93, 0.99)
#: Of totals, in which months that hit all cohorts are allowed for even where there are none.
TOTAL_GOAL = (0.93, 0.99)
#: Leaving goes up and down, as with trials and yearly renewals: logits of the share lost in each step.
UNEVEN = np.array([-2.2, -1.9, -2.3, -2.6, -2.8, -2.5] + [-3.0, -3.1, -3.2, -3.2, -3.3, -2.4] + [-3.4] * 40)
#: Logits of the beta-geometric with alpha 0.9, beta 6.
EVEN = np.log(0.9) - np.log(6 + np.arange(60))


@dataclass(frozen=True)
class World:
    """How a world is drawn: one cohort joins in every step, the newest has only joined.

    Attributes
    ----------
    cohorts : int
        Joining months seen.
    sizes : tuple of int
        Smallest and largest cohort (log-uniform).
    logits : array (steps,)
        Logit of the share lost in each step.
    spread, unrest : float
        Of cohorts' levels, and of entries beyond chance.
    shock : float
        Standard deviation of a level that all cohorts share in a step of the calendar.
    faster : float
        From `AHEAD` steps before the end on, everybody's odds of leaving are so many times as high.
    """

    cohorts: int
    sizes: tuple[int, int]
    logits: Floats
    spread: float = 0.12
    unrest: float = 0.02
    shock: float = 0.0
    faster: float = 1.0

    def draw(self, rng: np.random.Generator) -> tuple[Triangle, NDArray[np.int64]]:
        """Return what is known today, and what will be kept after every step (cohorts, steps)."""
        steps = self.cohorts - 1 + AHEAD
        low, high = np.log(self.sizes)
        members = np.exp(rng.uniform(low, high, self.cohorts)).astype(np.int64)
        level = self.spread * rng.standard_normal(self.cohorts)
        when = np.arange(self.cohorts)[:, None] + np.arange(steps)
        shock = (self.shock * rng.standard_normal(2 * self.cohorts + AHEAD))[when]
        later = np.log(self.faster) * (when >= self.cohorts - 1 - AHEAD)
        share = expit(self.logits[:steps] + level[:, None] + shock + later)
        steady = self.unrest**-2
        drawn = rng.beta(share * steady, (1 - share) * steady)
        kept, now = np.zeros((self.cohorts, steps), dtype=np.int64), members
        for step in range(steps):
            now = now - rng.binomial(now, drawn[:, step])
            kept[:, step] = now
        known = np.arange(self.cohorts - 1, -1, -1)
        return Triangle(members, kept[:, : self.cohorts - 1], known), kept


@dataclass(frozen=True)
class Covered:
    """Shares of the entries of one world inside their intervals, and missed on either side."""

    inside: float
    below: float
    above: float


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    return [
        *entries(40, SEED),
        prior_row(150, SEED),
        *totals(100, SEED),
        whole_row(6, SEED),
        *check_rates(40, SEED),
    ]


# --- coverage ----------------------------------------------------------------------------------------------


def entries(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the coverage of single entries one to six steps ahead, model by model."""
    many = World(36, (200, 2_000), EVEN)
    cases: list[tuple[World, str, str, tuple[float, float] | None]] = [
        (many, "36 cohorts of 200 to 2,000", "beta-geometric", GOAL),
        (World(36, (30, 80), EVEN), "36 cohorts of 30 to 80", "beta-geometric", SMALL_GOAL),
        (
            World(36, (20_000, 200_000), EVEN, 0.3),
            "36 cohorts of 20,000 to 200,000 that differ much",
            "beta-geometric",
            GOAL,
        ),
        (many, "36 cohorts of 200 to 2,000", "beta discrete Weibull", GOAL),
        (
            World(36, (200, 2_000), UNEVEN),
            "36 cohorts of 200 to 2,000; leaving goes up and down",
            PLAIN_SHARED,
            GOAL,
        ),
        (
            World(36, (200, 2_000), EVEN, 0.0, 0.01),
            "36 cohorts of 200 to 2,000 that are alike",
            "beta-geometric",
            GOAL,
        ),
        (
            replace(many, shock=0.15),
            "as the first, with months that hit all cohorts",
            "beta-geometric",
            GOAL,
        ),
        (World(36, (200, 2_000), UNEVEN), "leaving goes up and down (printed)", "beta-geometric", None),
    ]
    made = []
    for number, (world, like, model, goal) in enumerate(cases):
        found = _found(worlds, [seed, number], _one_model(world, _model(model), total=False))
        made.append(_row(f"share kept 1 to {AHEAD} steps ahead ({model})", like, found, goal))
    return made


def totals(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the coverage of the total of members six steps ahead."""
    made = []
    for number, shock in enumerate((0.0, 0.15)):
        world = World(36, (200, 2_000), EVEN, shock=shock)
        found = _found(worlds, [seed, 100 + number], _one_model(world, _model("beta-geometric"), total=True))
        like = "36 cohorts of 200 to 2,000" + (" with months that hit all cohorts" if shock else "")
        made.append(
            _row(f"members of all cohorts {AHEAD} steps ahead (beta-geometric)", like, found, TOTAL_GOAL)
        )
    return made


def prior_row(worlds: int, seed: int) -> dict[str, Any]:
    """Return the coverage over worlds drawn from the prior of the model itself."""
    law, rng = beta_weibull(), np.random.default_rng([seed, 200])
    found = [_from_prior(law, rng) for _ in range(worlds)]
    like = "drawn from the prior: 20 cohorts of 100 to 3,000, any beta discrete Weibull"
    usable = [one for one in found if one is not None]
    return _row(f"share kept 1 to {AHEAD} steps ahead (its own prior)", like, usable, EXACT_GOAL)


def _from_prior(law: Law, rng: np.random.Generator) -> Covered | None:
    """Return the coverage in one world of the prior; None where nobody, or everybody, is lost."""
    logits = law.logits(rng.normal(law.centre, law.spread), 60)
    spread, unrest = (abs(rng.normal(0, scale)) for scale in (SPREAD_SCALE, UNREST_SCALE))
    months = abs(rng.normal(0, MONTHS_SCALE))
    world = World(20, (100, 3_000), logits, spread, max(unrest, 1e-4), months)
    triangle, kept = world.draw(rng)
    if not 0 < triangle.lost.sum() < triangle.at_risk.sum():
        return None
    return _covered(triangle, kept, Model(law.name, law, True), rng, total=False, places=rng)


def _found(worlds: int, seed: list[int], one: Callable[[np.random.Generator], Covered]) -> list[Covered]:
    rng = np.random.default_rng(seed)
    return [one(rng) for _ in range(worlds)]


def _model(name: str) -> Model:
    return next(model for model in models(stayers=False) if model.name == name)


def _one_model(world: World, model: Model, *, total: bool) -> Callable[[np.random.Generator], Covered]:
    def one(rng: np.random.Generator) -> Covered:
        triangle, kept = world.draw(rng)
        return _covered(triangle, kept, model, rng, total=total)

    return one


def _covered(
    triangle: Triangle,
    kept: NDArray[np.int64],
    model: Model,
    rng: np.random.Generator,
    *,
    total: bool,
    places: np.random.Generator | None = None,
) -> Covered:
    """Return how many of the entries to come fell inside the intervals of a model."""
    fit = fit_shared(triangle, model.at(triangle), shared=model.shared)
    drawn = kept_ahead(triangle, fit.draw(1_000, kept.shape[1], rng=rng), most=AHEAD, rng=rng)
    return _inside(triangle, kept, drawn, total=total, places=places)


def _inside(
    triangle: Triangle,
    kept: NDArray[np.int64],
    drawn: Floats,
    *,
    total: bool,
    places: np.random.Generator | None = None,
) -> Covered:
    """Return the coverage of one world; with `places`, ties are broken at random."""
    cohorts = np.arange(len(triangle.known))[:, None]
    ahead = triangle.known[:, None] + np.arange(AHEAD)
    actual, ours = kept[cohorts, ahead], drawn[:, cohorts, ahead]
    if total:
        actual, ours = actual[:, -1].sum(), ours[:, :, -1].sum(axis=1)
    if places is not None:
        place = (ours < actual).mean(axis=0) + places.random(actual.shape) * (ours == actual).mean(axis=0)
        return _missed(place > (1 + MASS) / 2, place < (1 - MASS) / 2)
    low, high = np.quantile(ours, [(1 - MASS) / 2, (1 + MASS) / 2], axis=0)
    return _missed(actual > high, actual < low)


def _missed(below: Any, above: Any) -> Covered:
    """Return shares from which entries the interval was below, and above."""
    shares = float(np.mean(below)), float(np.mean(above))
    return Covered(1 - sum(shares), *shares)


def whole_row(worlds: int, seed: int) -> dict[str, Any]:
    """Return the coverage of the whole procedure: the race picks the model, which then forecasts."""
    rng, found, won = np.random.default_rng([seed, 300]), [], []
    entrants = models(stayers=False)
    for _ in range(worlds):
        triangle, kept = World(36, (200, 2_000), UNEVEN).draw(rng)
        race = _raced(triangle, entrants, rng)
        model = next(model for model in entrants if model.name == race.chosen)
        drawn = kept_ahead(triangle, posterior_draws(triangle, model, kept.shape[1], rng=rng), rng=rng)
        found.append(_inside(triangle, kept, drawn, total=False))
        won.append(race.chosen)
    like = "36 cohorts of 200 to 2,000; leaving goes up and down; the race picks the model"
    row = _row(f"share kept 1 to {AHEAD} steps ahead (whole procedure)", like, found, GOAL)
    return {**row, "age_by_age_forecasts": round(float(np.mean([name == PLAIN_SHARED for name in won])), 3)}


def _raced(triangle: Triangle, entrants: tuple[Model, ...], rng: np.random.Generator) -> Race:
    race = run_race(triangle, entrants, ahead=AHEAD, mass=MASS, rng=rng)
    if race is None:
        raise AssertionError("These worlds have cohorts enough.")
    return race


def _row(estimand: str, like: str, found: list[Covered], goal: tuple[float, float] | None) -> dict[str, Any]:
    inside = np.array([one.inside for one in found])
    share = float(inside.mean())
    reach = float(norm.ppf(0.9995)) * float(inside.std(ddof=1)) / len(found) ** 0.5
    row: dict[str, Any] = {
        "estimand": estimand,
        "worlds": len(found),
        "like": like,
        "nominal": MASS,
        "goal": list(goal) if goal else None,
        "measured": round(share, 4),
        "below": round(float(np.mean([one.below for one in found])), 4),
        "above": round(float(np.mean([one.above for one in found])), 4),
    }
    return {**row, "met": share + reach >= goal[0] and share - reach <= goal[1]} if goal else row


# --- the check of held-out coverage -------------------------------------------------------------------------


def check_rates(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the check alarms on sound worlds, and on a planted fault.

    The fault: everybody's odds of leaving are half as high again in the last six steps. Race of the two
    rules without a law. False alarms have a goal as far as single entries go. That the total missed from at
    least two of eight earlier dates is warned of as well, without a goal: those dates knew few cohorts, and
    their intervals of the total really are too narrow (`totals_inside`).
    """
    sound, faulty = (
        _races(worlds, [seed, 400 + number], faster) for number, faster in enumerate((1.0, FAULT))
    )
    like = "18 cohorts of 200 to 2,000"
    fault = f"{like}; odds of leaving {FAULT} times as high in the last {AHEAD} steps"
    inside = float(np.mean([race.totals_inside / race.totals for race in sound]))
    return [
        _alarms("false alarms of single entries", like, sound, coverage_verdict, (0.0, 0.1)),
        {**_alarms("false alarms", like, sound, held_verdict, None), "totals_inside": round(inside, 3)},
        _alarms("faults found", fault, faulty, held_verdict, (0.8, 1.0)),
    ]


def _races(worlds: int, seed: list[int], faster: float) -> list[Race]:
    entrants = tuple(model for model in models(stayers=False) if model.name in {PLAIN, PLAIN_SHARED})
    rng, world = np.random.default_rng(seed), World(18, (200, 2_000), UNEVEN, faster=faster)
    return [_raced(world.draw(rng)[0], entrants, rng) for _ in range(worlds)]


def _alarms(
    what: str,
    like: str,
    races: list[Race],
    verdict: Callable[[Race, float], str],
    goal: tuple[float, float] | None,
) -> dict[str, Any]:
    share = float(np.mean([verdict(race, MASS) != "pass" for race in races]))
    row: dict[str, Any] = {
        "estimand": f"the forecast held on later months: {what}",
        "worlds": len(races),
        "like": like,
        "nominal": None,
        "goal": list(goal) if goal else None,
        "measured": round(share, 4),
    }
    return {**row, "met": goal[0] <= share <= goal[1]} if goal else row
