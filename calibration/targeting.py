"""What targeting claims where there is nothing to target, what it finds where there is, and who else is told.

Worlds are drawn as members and summed to the cells that the study's own functions read: choosing members,
gaps between groups, weeks after a reward, being reached, and being brought.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan
from sojourn.core.results.trial_targeting import EVERYONE, NO_ONE, POLICIES, RISK, UNDECIDED, UPLIFT
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.after_checks import CLIFF, GAP_PLANTED, TARGET_PLANTED, check_afterwards
from sojourn.studies.trials.afterwards import afterwards
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.compliance import compliance
from sojourn.studies.trials.fairness import fairness
from sojourn.studies.trials.policies import fold_of_blocks, policies, treatments
from sojourn.studies.trials.spill_over import spill_over
from sojourn.studies.trials.targeting import grams, learn, patterned
from sojourn.studies.trials.trial import trial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MASS, SEED, WORLDS = 0.95, 20_261_123, 400
SCHEMES = ("none", "offer")
#: Members of either scheme; blocks; splits and folds of a world.
EACH, BLOCKS, SPLITS, FOLDS, SHARE = 4_000, 40, 20, 5, 0.3
#: Factors on what members are worth by level of each of four features, of ten a member on average.
FACTORS = np.array([[0.3, 1.0, 1.7], [0.6, 1.0, 1.4], [0.9, 1.0, 1.1], [1.0, 1.0, 1.0]])
WORTH, PAYS, SHAPE = 10.0, 0.4, 0.8
#: Planted: the scheme raises what members are worth by so much, and costs so much a member.
RAISES, COSTS = 1.0, 10.0


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    return [*choosing(), *gaps(), *later(), *reached(), *brought()]


# --- choosing members ---------------------------------------------------------------------------------


def choosing() -> list[dict[str, Any]]:
    """Return how often choosing is claimed where all gain alike, how often where not, and coverage."""
    alike = ((0.0, WORLDS), (-1.0, WORLDS // 8), (1.0, WORLDS // 8))
    return [*(_alike(number, *world) for number, world in enumerate(alike)), *_unlike(WORLDS // 5)]


def _alike(number: int, shift: float, worlds: int) -> dict[str, Any]:
    rng = np.random.default_rng([SEED, number])
    claimed = [_chosen(_choose(0.0, -shift, rng)[0]) for _ in range(worlds)]
    what = f"all gain alike: {shift:+g} a member"
    return _share("choosing members is claimed", what, claimed, (0.0, 0.05))


def _unlike(worlds: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng([SEED, 9])
    found = [_with_truth(*_choose(RAISES, COSTS, rng)) for _ in range(worlds)]
    claimed = [_chosen(result) for result, _ in found]
    rows = [_share("choosing members is claimed", TARGET_PLANTED, claimed, (0.8, 1.0))]
    for policy, column, goal in (
        (EVERYONE, "amount_per_1000", (0.935, 0.965)),
        (RISK, "amount_per_1000", None),
        (UPLIFT, "amount_per_1000", None),
        (UPLIFT, "against_everyone_amount", None),
    ):
        of = POLICIES.index(policy)
        pairs = [
            (result.read(policy, column), 1000 * float(truth[of, int(column.startswith("against"))]))
            for result, truth in found
        ]
        what = f"{policy}, {'above everyone' if column.startswith('against') else 'above no one'}"
        rows.append(_covered(what, TARGET_PLANTED, pairs, goal))
    return rows


def _chosen(result: Any) -> bool:
    return result.best not in (EVERYONE, NO_ONE, UNDECIDED)


def _members(rng: np.random.Generator, size: int) -> tuple[Ints, Floats]:
    levels = rng.integers(0, 3, (size, len(FACTORS)))
    return levels, WORTH * np.prod(FACTORS[np.arange(len(FACTORS)), levels], axis=1)


def _choose(raises: float, costs: float, rng: np.random.Generator) -> tuple[Any, Trial, int]:
    """Return the result of one world, its trial, and the seed of its splits.

    Parameters
    ----------
    raises, costs : float
        Share by which the scheme raises what a member pays, and what it costs a member.
    rng : Generator
        Source of members and splits.
    """
    size = 2 * EACH
    levels, worth = _members(rng, size)
    given = rng.random(size) < 0.5
    paid = worth * np.where(rng.random(size) < PAYS, rng.gamma(SHAPE, 1 / (SHAPE * PAYS), size), 0.0)
    kept = rng.random(size) < 0.6 + 0.01 * worth
    made = _with_features(levels, given, paid * (1 + raises * given) - costs * given, kept)
    seed = int(rng.integers(2**31))
    result = policies(
        made, "offer", mass=MASS, rng=np.random.default_rng(seed), share=SHARE, splits=SPLITS, folds=FOLDS
    )
    return result, made, seed


def _with_features(levels: Ints, given: NDArray[np.bool_], value: Floats, kept: NDArray[np.bool_]) -> Trial:
    rows = pd.DataFrame(levels.astype(str), columns=["age_band", "region", "plan", "channel"])
    rows["scheme"] = np.where(given, *SCHEMES[::-1])
    rows["block"] = np.arange(len(rows)) % BLOCKS
    by = list(rows.columns)
    rows = rows.assign(n=1, kept=kept.astype(int), total=value, total_sq=value**2)
    return _trial(features=rows.groupby(by, as_index=False).sum())


def _with_truth(result: Any, made: Trial, seed: int) -> tuple[Any, Floats]:
    """Add what the policies of all splits and folds are truly worth where something is planted (policies, 2).

    They are learned again as they were; worth is above giving the scheme to no one, and to everyone.
    """
    data = patterned(made, "offer")
    assert data is not None
    rng = np.random.default_rng(seed)
    levels = data.traits.reshape(len(data.traits), len(FACTORS), 3).argmax(axis=2)
    uplift = RAISES * WORTH * np.prod(FACTORS[np.arange(len(FACTORS)), levels], axis=1) - COSTS
    sums, found = grams(data), []
    for _ in range(SPLITS):
        fold = fold_of_blocks(BLOCKS, FOLDS, rng)
        for number in range(FOLDS):
            rules = learn(sums, fold != number, data.chance)
            given = treatments(rules, data.n[fold != number].sum(axis=(0, 2)), SHARE)
            found.append(np.stack([given @ uplift, (given - 1) @ uplift], axis=1) / len(uplift))
    truth: Floats = np.mean(found, axis=0)
    return result, truth


# --- gaps between groups ------------------------------------------------------------------------------


def gaps() -> list[dict[str, Any]]:
    """Return how often a gap is called real where all groups gain alike, and where one gains more."""
    rows = []
    for number, (more, what, worlds, goal) in enumerate(
        ((0.0, "all groups gain 3 in 100", 60, (0.0, 0.05)), (0.13, GAP_PLANTED, 40, (0.8, 1.0)))
    ):
        rng = np.random.default_rng([SEED, 20 + number])
        claimed = [_gap(more, rng) for _ in range(worlds)]
        rows.append(_share("a gap between groups is called real", what, claimed, goal))
    return rows


def _gap(more: float, rng: np.random.Generator) -> bool:
    size = 2 * EACH
    levels, _ = _members(rng, size)
    given = rng.random(size) < 0.5
    kept = rng.random(size) < 0.6 + given * (0.03 + more * (levels[:, 1] == 2))
    made = _with_features(levels, given, np.zeros(size), kept)
    prior = LiftPrior.from_belief(low=-0.08, high=0.10, mass=0.9)
    result = compare_schemes(made, "kept_at_90", prior=prior, mass=MASS, rng=rng, draws=1_000)
    found = fairness(result, made, rng=rng, by=["age_band", "region"], draws=2_000)
    return bool((found.table["p_real"] > found.sure).any())


# --- weeks after a reward -----------------------------------------------------------------------------

_REWARD, _WASH_OUT, _LONGEST, _PACE = 8, 4, 13, 0.03
_WEEKS = np.arange(_LONGEST)
PLAN = TrialPlan.from_parameters(
    [-0.1, 0.1, 0.9], [-4, 4, 0.9], spread=0.5, metric="net_value", guard="kept_at_90", horizon_days=90,
    rope=0.5, threshold=0.95, tolerable_loss=0.5, guard_margin=0.01, guard_risk=0.05, looks=1,
    worthwhile=2.0, wash_out_days=7 * _WASH_OUT,
)  # fmt: skip


def later() -> list[dict[str, Any]]:
    """Return coverage of what is said of the weeks, and how often a cliff is told."""
    rng = np.random.default_rng([SEED, 40])
    found = [_weeks(1.0, rng) for _ in range(3 * WORLDS // 8)]
    like = "2 x 2,500 members, three in five as fast during the reward, alike after it"
    during, after = _shares(1.0)
    rows = [
        _covered(name, like, [(result.read("offer", column), truth) for result in found], (0.93, 0.97))
        for name, column, truth in (
            ("pace of leaving during the reward", "times_during", 0.6),
            ("pace of leaving after it", "times_after", 1.0),
            ("more kept at its end", "lift_at_end", during),
            ("more kept after the wash-out", "lift_after", after),
            ("lift lost in the wash-out", "lift_lost", during - after),
            ("paid more over both", "amount_both", _paid_more()),
        )
    ]
    slopes = [(_slope(result), 0.0) for result in found]
    rows.append(_covered("change each week of the lift in payments", like, slopes, (0.93, 1.0)))
    alarms = [_warned(result) for result in found]
    rows.append(_share("a cliff is told", like, alarms, (0.0, 0.045)))
    caught = [_warned(_weeks(CLIFF, rng)) for _ in range(WORLDS // 4)]
    rows.append(_share("a cliff is told", f"{CLIFF:g} times as fast after the reward", caught, (0.8, 1.0)))
    return rows


def _slope(result: Any) -> Interval:
    row = result.trends[result.trends["measure"] == "paid"].iloc[0]
    return Interval(row["per_week"], row["per_week_low"], row["per_week_high"], MASS, "wald")


def _warned(result: Any) -> bool:
    return check_afterwards(result, "offer")[0].verdict != "pass"


def _paces(after: float) -> Floats:
    """Return the weekly share that leaves (schemes, weeks)."""
    factor = np.where(_WEEKS < _REWARD, 0.6, np.where(_WEEKS < _REWARD + _WASH_OUT, after, 1.0))
    return _PACE * np.stack([np.ones(_LONGEST), factor])


def _shares(after: float) -> tuple[float, float]:
    """Return the true lift at the end of the reward and of the wash-out."""
    there = np.cumprod(1 - _paces(after), axis=1)
    lift = there[1] - there[0]
    return float(lift[_REWARD - 1]), float(lift[_REWARD + _WASH_OUT - 1])


#: What members pay in a week: in a share of weeks of their own, gamma(2) of mean 1 times their own level.
_BUYS, _DEARER = 0.3, 1.4


def _paid_more() -> float:
    there = np.cumprod(np.hstack([np.ones((2, 1)), 1 - _paces(1.0)[:, :-1]]), axis=1)
    dearer = np.where(_WEEKS < _REWARD, _DEARER, 1.0)
    until = _REWARD + _WASH_OUT
    return float(_BUYS * ((there[1] * dearer)[:until].sum() - there[0][:until].sum()))


def _weeks(after: float, rng: np.random.Generator, n: int = 2_500) -> Any:
    rows, sums = [], []
    for arm, scheme in enumerate(SCHEMES):
        gone = rng.random((n, _LONGEST)) < _paces(after)[arm]
        last = np.where(gone.any(axis=1), gone.argmax(axis=1), _LONGEST)
        there = last[:, None] >= _WEEKS
        own = rng.gamma(1.0, 1.0, (n, 1))
        paid = there * (rng.random((n, _LONGEST)) < _BUYS) * own * rng.gamma(2.0, 0.5, (n, _LONGEST))
        paid *= np.where((_WEEKS < _REWARD) & (arm == 1), _DEARER, 1.0)
        week = {
            "scheme": scheme,
            "week": _WEEKS,
            "at_risk": there.sum(axis=0),
            "left": (gone & there).sum(axis=0),
        }
        paying = {
            "active": (paid > 0).sum(axis=0),
            "paid": paid.sum(axis=0),
            "paid_sq": (paid**2).sum(axis=0),
        }
        rows.append(pd.DataFrame({**week, **paying, "paid_n": 0}))
        whole = paid.sum(axis=1)
        sums.append(
            {"outcome": "revenue", "scheme": scheme, "stratum": "all", "period": "all", "n": n,
             "total": whole.sum(), "total_sq": (whole**2).sum(), "total_cube": (whole**3).sum()}
        )  # fmt: skip
    made = _trial(after=pd.concat(rows, ignore_index=True), value=pd.DataFrame(sums))
    return afterwards(made, PLAN, mass=MASS, reward_days=7 * _REWARD)


# --- being reached, being brought ---------------------------------------------------------------------


def reached() -> list[dict[str, Any]]:
    """Return coverage of the effect on those who are reached: 4 in 10, of whom one in ten more stays."""
    rng, pairs, n = np.random.default_rng([SEED, 50]), [], 2_000
    for _ in range(WORLDS):
        takers = rng.binomial(n, 0.4)
        rows = [
            {"scheme": "none", "exposed": "no", "n": n, "k": rng.binomial(n, 0.6 * 0.5 + 0.4 * 0.6)},
            {"scheme": "offer", "exposed": "yes", "n": takers, "k": rng.binomial(takers, 0.7)},
            {"scheme": "offer", "exposed": "no", "n": n - takers, "k": rng.binomial(n - takers, 0.5)},
        ]
        cells = pd.DataFrame(rows).assign(stratum="all", outcome="kept_at_90")
        found = compliance(_trial(exposed=cells), "kept_at_90", mass=MASS)
        pairs.append((found.read("offer", "lift_of_reached"), 0.1))
    like = f"2 x {n:,} members, 4 in 10 reached, who stay more likely anyway"
    return [_covered("lift of those reached", like, pairs, (0.935, 0.965))]


def brought() -> list[dict[str, Any]]:
    """Return coverage of the difference that a scheme makes to those whom its members brought."""
    rng, pairs = np.random.default_rng([SEED, 60]), []
    for _ in range(WORLDS):
        n = rng.poisson([150, 200])
        k = rng.binomial(n, [0.7, 0.8])
        cells = pd.DataFrame({"scheme": SCHEMES, "own": "-", "n": n, "k": k})
        pairs.append((spill_over(_trial(neighbours=cells), mass=MASS).read("offer"), 0.1))
    like = "about 150 and 200 brought, one in ten more stays"
    return [_covered("more kept of those brought", like, pairs, (0.935, 0.965))]


# --- rows ---------------------------------------------------------------------------------------------


def _trial(**tables: pd.DataFrame) -> Trial:
    split = pd.DataFrame({"scheme": SCHEMES, "period": "all", "assigned": 1, "matured": 1})
    binary = pd.DataFrame(
        {"outcome": "kept_at_90", "scheme": SCHEMES, "stratum": "all", "period": "all", "n": 4000, "k": 2600}
    )
    about = {"trial": "world", "horizon_days": 90, "guarded": "kept_at_90"}
    return trial(Cells("world", "trials", {"split": split, "binary": binary, **tables}, about), min_group=20)


def _share(estimand: str, like: str, claimed: list[bool], goal: tuple[float, float]) -> dict[str, Any]:
    share = float(np.mean(claimed))
    return {
        "estimand": estimand,
        "worlds": len(claimed),
        "like": like,
        "nominal": None,
        "goal": list(goal),
        "measured": round(share, 4),
        "met": goal[0] <= share <= goal[1],
    }


def _covered(
    estimand: str, like: str, pairs: list[tuple[Interval, float]], goal: tuple[float, float] | None
) -> dict[str, Any]:
    """Return one row of coverage; the goal of a mean of few worlds is widened by its own error."""
    low, high, truth = (np.array(part) for part in zip(*((i.low, i.high, t) for i, t in pairs), strict=True))
    covered = float(((low <= truth) & (truth <= high)).mean())
    slack = 3 * (MASS * (1 - MASS) / len(pairs)) ** 0.5
    within = None if goal is None else goal[0] - slack <= covered <= goal[1] + slack
    return {
        "estimand": estimand,
        "worlds": len(pairs),
        "like": like,
        "nominal": MASS,
        "goal": None if goal is None else list(goal),
        "measured": round(covered, 4),
        "below": round(float((truth < low).mean()), 4),
        "above": round(float((truth > high).mean()), 4),
        "width": round(float((high - low).mean()), 4),
        "met": within,
    }
