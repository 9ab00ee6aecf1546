"""What rules do over many whole trials: those of common use, the calibrated one, the decision simulated.

`calibrate` returns one row per claim of STATISTICS 5 about rules: worlds, what is expected, what was found,
and whether the goal was met (None where a number is only shown).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sojourn.core.cells import Cells
from sojourn.core.results.trial_design import Traffic
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.arms import Arms
from sojourn.studies.trials.compare import compare_arms
from sojourn.studies.trials.decide import decide
from sojourn.studies.trials.error_rates import error_rates, rate, wrong_ships
from sojourn.studies.trials.rule import calibrate_rule
from sojourn.studies.trials.rule_checks import check_rule
from sojourn.studies.trials.rule_named import RuleName, named_rule_rate
from sojourn.studies.trials.rule_nulls import NullWorld, null_world
from sojourn.studies.trials.rule_paths import Guarded, How, all_ends, ends, guarded_by, paths
from sojourn.studies.trials.rule_subject import Subject, course_of, subject_of
from sojourn.studies.trials.rule_worlds import Course
from sojourn.studies.trials.trial import trial

SHARE = LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)
MONEY = LiftPrior.from_belief(low=-4, high=4, mass=0.9)
PLAN = TrialPlan(
    metric="net_value",
    guard="net_value",
    horizon_days=90,
    rope=0.0,
    threshold=0.95,
    tolerable_loss=100.0,
    guard_margin=0.02,
    guard_risk=0.3,
    looks=20,
    worthwhile=1.0,
    belief=SHARE,
    belief_value=MONEY,
)
NAMES = ("none", "coupon", "points", "tasks", "tiers")
#: Two arms judged by value, five by share; 10,000 members an arm, 20 looks.
SUBJECTS: dict[str, tuple[TrialPlan, Traffic]] = {
    "two arms, value": (
        PLAN,
        Traffic(per_day=1000, days=20, base=12.0, sd=20.0, schemes=NAMES[:2], currency="EUR"),
    ),
    "five arms, share": (
        replace(PLAN, metric="kept", guard="kept", worthwhile=0.02),
        Traffic(per_day=2500, days=20, base=0.3, schemes=NAMES),
    ),
}
FRESH, ASKED = 40_000, 0.05


def calibrate() -> list[dict[str, Any]]:
    """Return every row; takes about two minutes of one core."""
    return [
        *named(seed=2),
        *promises(seed=3),
        *agreement(500, seed=5),
        *winners(20_000, seed=6),
        *alarms(60, seed=7),
    ]


def named(seed: int) -> list[dict[str, Any]]:
    """Return how often rules of common use ship a null scheme, beside published figures (10 % base)."""
    twenty = 20_000
    published: list[tuple[RuleName, int, int, int, float, float]] = [
        *(("R1", 2, k, twenty, p, 0.005) for k, p in ((1, 0.05), (5, 0.13), (20, 0.22), (100, 0.30))),
        *(("R1", 5, k, twenty, p, 0.005) for k, p in ((1, 0.16), (5, 0.33), (20, 0.49), (100, 0.62))),
        *(("R2", 5, k, twenty, p, 0.005) for k, p in ((5, 0.02), (20, 0.035), (100, 0.05))),
        ("R2", 5, 1, twenty, 0.004, 0.0005),
        *(("expected loss", 2, 1, n, p, 0.005) for n, p in ((5000, 0.44), (twenty, 0.68), (100_000, 0.93))),
        ("lift above rope", 2, 1, twenty, 0.0005, 0.00005),
    ]
    rng, rows = np.random.default_rng(seed), []
    for rule, arms, looks, n, expected, digit in published:
        worlds = 40_000 if rule in ("expected loss", "lift above rope") else 4000
        found = named_rule_rate(rule, arms=arms, looks=looks, n=n, base=0.1, worlds=worlds, rng=rng)
        error = 3 * math.sqrt(expected * (1 - expected) / worlds) + digit
        rows.append(
            {
                "estimand": f"{rule} ships a null, {arms} arms, {looks} looks, {n} an arm",
                "worlds": worlds,
                "n": n * arms,
                "goal": f"{expected:g} within {error:.4f}",
                "found": round(found, 5),
                "met": abs(found - expected) <= error,
            }
        )
    return [*rows, _dunnett(rng)]


def _dunnett(rng: np.random.Generator) -> dict[str, Any]:
    """Return R1 at one look of five arms beside the exact integral, since 16 % was itself simulated."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    none = ndtr(ndtri(0.95) * math.sqrt(2) + nodes) ** 4
    exact, worlds = 1 - float(none @ weights / weights.sum()), 40_000
    found = named_rule_rate("R1", arms=5, looks=1, n=20_000, base=0.1, worlds=worlds, rng=rng)
    error = 3 * math.sqrt(exact * (1 - exact) / worlds)
    goal = f"{exact:.4f} (exact, Dunnett 1955) within {error:.4f}"
    return _found(
        "R1 ships a null, 5 arms, one look, exactly", worlds, found, goal, abs(found - exact) <= error
    )


def promises(seed: int) -> list[dict[str, Any]]:
    """Return wrong ships of calibrated rules on fresh seeds, by kind of null; and what no rule promises."""
    rows = []
    for i, (name, (plan, traffic)) in enumerate(SUBJECTS.items()):
        rng = np.random.default_rng([seed, i])
        rule = calibrate_rule(plan, traffic, rng=rng, wrong_ship=ASKED)
        kept, subject = replace(plan, threshold=rule.threshold), subject_of(plan, traffic)
        rows.append(_found(f"{name}: calibrated threshold", rule.worlds, rule.threshold, "shown", None))
        for divided in ("as planned", "half under control", "late ramp", "changing allocation"):
            for doing in ("all_null", "one_good", "late_effect"):
                world = null_world(plan, subject.course, 1.0, divided, doing)
                if world is not None:
                    wrong = _wrong(kept, world, rng)
                    goal, met = f"at most {ASKED + 0.005:g}", wrong <= ASKED + 0.005
                    rows.append(
                        _found(
                            f"{name}, calibrated: wrong ships, {divided}, {doing}", FRESH, wrong, goal, met
                        )
                    )
        rows += _unpromised(name, plan, kept, subject, rng)
    return rows


def _unpromised(
    name: str, plan: TrialPlan, kept: TrialPlan, subject: Subject, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return wrong ships as planned, of an effect that wears off, and where entry is not looked at."""
    late = null_world(plan, subject.course, 1.0, "as planned", "late_effect")
    changing = null_world(plan, subject.course, 1.0, "changing allocation", "all_null")
    plain = null_world(plan, subject.course, 1.0, "as planned", "all_null")
    assert late is not None
    assert changing is not None
    assert plain is not None
    rising = replace(changing.course, base=changing.course.base[::-1].copy(), by_entry=False)
    shown = {
        f"threshold {plan.threshold:g} instead": _wrong(plan, plain, rng),
        "an effect that wears off, 0 over all": _wrong(kept, replace(late, effects=-late.effects), rng),
        "changing allocation, not compared by entry": _wrong(kept, replace(changing, course=rising), rng),
    }
    return [_found(f"{name}: wrong ships, {of}", FRESH, value, "shown", None) for of, value in shown.items()]


def _wrong(plan: TrialPlan, world: NullWorld, rng: np.random.Generator) -> float:
    freely: How = {"loss": False, "guards": False}
    return float(wrong_ships(plan, world, {"found": freely}, worlds=FRESH, rng=rng)["found"].mean())


def _found(estimand: str, worlds: int, found: float, goal: str, met: bool | None) -> dict[str, Any]:
    return {"estimand": estimand, "worlds": worlds, "goal": goal, "found": round(found, 4), "met": met}


def agreement(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the simulated decision is the decision: two strata, every veto at work."""
    plan = replace(PLAN, guard="kept_at_90", rope=0.2, threshold=0.9, tolerable_loss=0.25, looks=1)
    rng, of, agreed = np.random.default_rng(seed), _frame(), 0
    for _ in range(worlds):
        arms = {"net_value": _value_arms(rng), "kept_at_90": _share_arms(rng)}
        results = [
            compare_arms(of, name, seen, prior=plan.prior(of.kind(name)), mass=0.95, rng=rng, draws=8000)
            for name, seen in arms.items()
        ]
        decision = decide(results[0], plan, guard=results[1])
        guarded = [Guarded(guarded_by(plan)[0], _Seen.of(arms["kept_at_90"], SHARE))]
        course = _Seen.of(arms["net_value"], MONEY)
        made = ends(paths(plan, course, np.zeros(3), worlds=1, rng=rng, guarded=guarded))
        chosen = NAMES.index(decision.scheme) if decision.verdict == "ship" else 0
        agreed += int(chosen == made.scheme[0])
    found = agreed / worlds
    return [
        _found(
            "the simulated decision is that of the fast path", worlds, found, "at least 0.99", found >= 0.99
        )
    ]


class _Seen(Course):
    """A course that shows what one trial has shown."""

    shown: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, arms: Arms, belief: LiftPrior) -> _Seen:
        course = course_of(arms, belief, looks=1)
        made = cls(course.kind, course.joined, course.base, course.sd, course.prior)
        mean, variance = arms.standardised()
        object.__setattr__(made, "shown", (mean[None], variance[None]))
        return made

    def seen(self, *_: Any) -> Any:
        yield self.shown


def _value_arms(rng: np.random.Generator, n: float = 700.0, spread: float = 8.0) -> Arms:
    gains = np.r_[0, MONEY.mean + MONEY.sd * rng.standard_normal(2)][:, None]
    size = np.full((3, 2), n)
    mean = np.array([12.0, 14.0]) + gains + spread / math.sqrt(n) * rng.standard_normal((3, 2))
    return Arms("value", size, mean, np.full((3, 2), spread**2), np.zeros((3, 2)))


def _share_arms(rng: np.random.Generator, n: int = 700) -> Arms:
    lifts = np.r_[0, SHARE.mean + SHARE.sd * rng.standard_normal(2)][:, None]
    p = rng.binomial(n, np.array([0.3, 0.4]) + lifts) / n
    return Arms("binary", np.full((3, 2), float(n)), p, p * (1 - p), p * (1 - p) * (1 - 2 * p))


def _frame() -> Trial:
    """Return a trial that lends its names; its numbers are not used."""
    by = ["outcome", "scheme", "stratum", "period", "n"]
    cells = [(s, stratum, "all", 99) for s in NAMES[:3] for stratum in "ab"]
    tables = {
        "binary": pd.DataFrame([("kept_at_90", *cell, 9) for cell in cells], columns=[*by, "k"]),
        "value": pd.DataFrame(
            [("net_value", *cell, 9, 9, 9) for cell in cells],
            columns=[*by, "total", "total_sq", "total_cube"],
        ),
        "split": pd.DataFrame(
            [(s, "all", 198, 198) for s in NAMES[:3]], columns=["scheme", "period", "assigned", "matured"]
        ),
    }
    about = {"trial": "main", "horizon_days": 90, "currency": "EUR"}
    return trial(Cells("calibration", "trials", tables, about), min_group=20)


def winners(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the mean error of estimates among what ships, as a share of the truth, by belief."""
    plan, traffic = SUBJECTS["two arms, value"]
    rows = []
    for factor, goal in ((1.0, 0.1), (2.0, None)):
        rng = np.random.default_rng([seed, int(factor)])
        wide = replace(plan, belief_value=LiftPrior(factor * MONEY.low, factor * MONEY.high, MONEY.mass))
        true = subject_of(plan, traffic).believed(worlds, rng)
        left = iter(np.array_split(true, np.arange(10_000, worlds, 10_000)))
        course = subject_of(wide, replace(traffic, days=1)).course
        made = all_ends(wide, course, lambda _, left=left: next(left), worlds=worlds, rng=rng)
        ships = made.scheme > 0
        got = true[np.arange(worlds), made.scheme][ships]
        error = float((made.lift[ships] - got).mean() / got.mean())
        words = "the frozen belief" if goal else "a belief twice too wide"
        met = None if goal is None else abs(error) <= goal
        rows.append(
            _found(
                f"winner's curse among ships, {words}", worlds, error, "within 0.1" if goal else "shown", met
            )
        )
    return rows


def alarms(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the check of the rule warns of a calibrated rule, and of the same at .95."""
    plan, traffic = SUBJECTS["two arms, value"]
    plan, rng = replace(plan, looks=4), np.random.default_rng(seed)
    rule = calibrate_rule(plan, traffic, rng=rng, wrong_ship=ASKED)
    rows = []
    for threshold, words, goal in (
        (rule.threshold, "false alarms", "at most 0.1"),
        (plan.threshold, "catches .95", "at least 0.95"),
    ):
        judged = replace(plan, threshold=threshold)
        cards = (error_rates(judged, traffic, rng=rng, worlds=2000) for _ in range(worlds))
        warned = np.array([check_rule(card, allowed=ASKED)[0].verdict != "pass" for card in cards])
        found = rate("found", warned)["found"]
        met = found <= 0.1 if words == "false alarms" else found >= 0.95
        rows.append(_found(f"The rule is seldom wrong: {words}, four looks", worlds, found, goal, met))
    return rows
