"""What is planted in a world is found in its tables by R and by closed forms, not by estimators of ours.

`tests/oracles/world_export.py` drew the worlds and ran `world.R` on their tables; `world.json` holds what R
found. Here it is compared with the parameters. Tolerance: `SIGMAS` of R's standard errors; of some 120
comparisons one lies beyond 4 by chance in one regeneration of 130. Each effect has a rival (no effect, half
of it, or the contrary, by what one world of its size can tell) that the same ruler refuses: none can pass by
being wide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
import world_export
from scipy.stats import chi2

from sojourn.world.catalogue import WORLDS, portfolio, world_parameters
from sojourn.world.truth.planted import planted

SIGMAS = 4.0
FOUND = json.loads((Path(__file__).parents[1] / "oracles" / "world.json").read_text())
SOUND = FOUND["sound"]
AGAIN = "Run `python tests/oracles/world_export.py` (R with package survival) and look at what has changed."


@dataclass(frozen=True)
class Recovery:
    """A planted effect, where R looks for it, and a value that R must be able to refuse.

    Attributes
    ----------
    world, effect : str
        World, and name of the effect in `planted`.
    found : str
        Name in `world.json`.
    rival : float or None
        On the scale of the planted value: what it is told apart from. None where the effect is too weak for
        that in one world; it then counts in `test_errors_are_as_large_as_stated` only.
    scale : str
        Scale on which R states it.
    """

    world: str
    effect: str
    found: str
    rival: float | None
    scale: str = "log"

    def on_scale(self, value: float) -> float:
        """Return a value on the scale of R's estimate."""
        return {"log": log, "odds": lambda p: log(p / (1 - p)), "plain": float}[self.scale](value)


R = Recovery
RECOVERIES = [
    R("demo", "risk peak", "demo/risk peak", 33.0),
    R("demo", "return", "demo/return (log-odds)", 0.20, "odds"),
    R("demo", "plan annual", "demo/plan annual", 0.60),
    R("demo", "plan family", "demo/plan family", 0.86),
    R("demo", "slow pages", "demo/slow pages", 1.11),
    R("demo", "satisfaction", "demo/satisfaction", 0.84),
    R("demo", "messages by push", "demo/messages: 1", 1.0),
    R("demo", "messages by e-mail", "demo/messages: 2", 1.05),
    R("demo", "messages by SMS", "demo/messages: 3", 1.05),
    R("demo", "messages by messaging app", "demo/messages: 4", 0.90),
    R("demo", "tiring", "demo/tiring", 1.0),
    R("demo", "we miss you", "demo/we miss you", 1.2),
    R("demo", "main: welcome_coupon", "demo/main: welcome_coupon", 0.90),
    R("demo", "main: bonus_points", "demo/main: bonus_points", 0.90),
    R("demo", "main: daily_tasks", "demo/main: daily_tasks", 0.78),
    R("demo", "main: tier_trial", "demo/main: tier_trial", 0.68),
    R("demo", "main: tier_trial afterwards", "demo/main: tier_trial afterwards", None),
    R("demo", "win_back: gift", "demo/win_back: gift", 1.1),
    R("demo", "challenge: daily_challenge", "demo/challenge", 2.0),
    R("non_proportional", "plan annual", "non_proportional/annual before day 90", 0.59),
    R("non_proportional", "plan annual later", "non_proportional/annual from day 90", 1.4),
    R("informative_censoring", "trend of cohorts", "informative_censoring/trend", 1.7),
    R("immortal_time", "plan annual", "immortal_time/annual", 0.85),
    R("calendar_shock", "shock 200 days before as_of", "calendar_shock/shock", 3.5),
    R("price_rise", "rise of prices: frequent buyers", "price_rise/frequent buyers", None),
    R("price_rise", "rise of prices: quiet browsers", "price_rise/quiet browsers", 1.1),
    R("price_rise", "rise of prices: bargain hunters", "price_rise/bargain hunters", 1.82),
    R("price_rise", "rise of prices: social members", "price_rise/social members", 1.0),
    R("price_rise", "rise of prices: never take off", "price_rise/never take off", 1.49),
    R("heavy_tails", "own sessions", "heavy_tails/power of own sessions", -0.15, "plain"),
    R("correlated", "own sessions", "correlated/power of own sessions", -0.15, "plain"),
    R("curved", "own sessions", "curved/power of own sessions", -0.15, "plain"),
    R("spill_over", "main: offer", "spill_over/own scheme", 0.77),
    R("spill_over", "main: referrer with offer", "spill_over/scheme of the referrer", 1.0),
    R("clusters", "main: offer", "clusters/offer", 0.78),
    R("changing_allocation", "main: offer", "changing_allocation/offer", 0.88),
    R("sample_ratio", "main: offer", "sample_ratio/offer", 0.77),
    R("sample_ratio", "main: offer lost", "sample_ratio/lost (share)", 0.0, "plain"),
    R("unequal_missing", "main: offer withdrawn", "unequal_missing/withdrawn (share)", 0.15, "plain"),
    R("two_arms", "main: offer", "two_arms/offer", 0.77),
    R("two_arms", "main: twice", "two_arms/twice (share)", 0.015, "plain"),
    R("late_ramp", "main: offer", "late_ramp/offer", 0.63),
    R("late_ramp", "main: offer afterwards", "late_ramp/offer afterwards", 1.34),
]
#: Effects that are recovered elsewhere: in numbers below, or in a test beside this one.
ELSEWHERE = {
    "joined before": "demo/retention at 365 (share)", "announced": "silent_churn/retention at 90 (share)",
    "trial ": "portfolio/correlation",
    "main: purchases with": "demo/purchases: welcome_coupon: bargain hunters",
    "waiting": "test_world_voices.py", "being helped": "test_world_voices.py",
    "closed desk": "test_world_voices.py", "score and satisfaction": "test_world_voices.py",
    "answering": "test_world_voices.py", "advertising by": "test_world_touches.py",
    "points ": "test_world_ledger.py", "redeeming": "test_world_ledger.py",
    "claims for tasks": "test_world_ledger.py", "goodwill": "test_world_ledger.py",
    "view of an item": "test_world_revenue.py", "creators' share": "test_world_revenue.py",
    "services": "test_world_revenue.py",
}  # fmt: skip


@cache
def effects(world: str) -> dict[str, float]:
    """Planted effects of a world by name."""
    return {effect["name"]: effect["value"] for effect in planted(frame(world))}


def frame(world: str):
    """Frame of a world as the oracle draws it."""
    return world_export.frame_of(world_export.SPECS[world], 1)


# --- the numbers are of today's world -----------------------------------------------------------------------


@pytest.mark.parametrize("name", world_export.SPECS)
def test_numbers_are_of_the_world_as_it_is(name):
    assert FOUND["fingerprints"][name] == world_export.fingerprint(name), AGAIN


def test_numbers_are_of_the_script_as_it_is():
    assert FOUND["script"] == world_export.script(), AGAIN


def test_every_world_is_looked_at():
    assert {spec.world for spec in world_export.SPECS.values()} == set(WORLDS)


# --- planted effects, one by one ----------------------------------------------------------------------------


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda r: f"{r.world}-{r.effect}")
def test_planted_effect_is_recovered(recovery):
    found = SOUND[recovery.found]
    value = recovery.on_scale(effects(recovery.world)[recovery.effect])
    assert abs(found["estimate"] - value) < SIGMAS * found["se"]


@pytest.mark.parametrize(
    "recovery", [r for r in RECOVERIES if r.rival is not None], ids=lambda r: f"{r.world}-{r.effect}"
)
def test_rival_of_a_planted_effect_is_refused(recovery):
    found = SOUND[recovery.found]
    assert abs(found["estimate"] - recovery.on_scale(recovery.rival)) > SIGMAS * found["se"]


@pytest.mark.parametrize("world", WORLDS)
def test_no_effect_is_planted_without_a_proof(world):
    """A new effect needs a row in `RECOVERIES`, or the test that shows it in `ELSEWHERE`."""
    known = {recovery.effect for recovery in RECOVERIES}
    assert [e for e in effects(world) if e not in known and not e.startswith(tuple(ELSEWHERE))] == []


@pytest.mark.parametrize("where", sorted(set(ELSEWHERE.values())))
def test_proof_elsewhere_is_there(where):
    assert where in SOUND or (Path(__file__).parent / where).exists()


# --- and what is not one number in `planted` ----------------------------------------------------------------


def by_segment() -> dict[str, float]:
    """Logarithms of the schemes' hazard ratios and of their factors on purchases, by hidden segment."""
    demo, made = world_parameters("demo"), {}
    for trial in demo.trials:
        for scheme in trial.schemes[1:]:
            for segment, *values in zip(
                demo.segments, scheme.hazard, scheme.rebound, scheme.buys, strict=True
            ):
                during, after, buys = (log(value) for value in values)
                name = f"{scheme.name}: {segment.name}"
                made[f"demo/{trial.name}: {name}"] = during
                made[f"demo/{trial.name}: {name} afterwards"] = after
                made[f"demo/purchases: {name}"] = buys
    return {name: value for name, value in made.items() if name in SOUND}


def realised_correlation() -> float:
    """Correlation of the eighty pairs of effects as they were drawn."""
    schemes = [trial.schemes[1] for trial in portfolio(80, seed=1, correlation=0.9)]
    early, late = np.log([s.sessions[0] for s in schemes]), -np.log([s.hazard[0] for s in schemes])
    return float(np.corrcoef(early, late)[0, 1])


def closed_forms() -> dict[str, float]:
    """What follows from the parameters with pencil and paper, and from the truth's closed forms."""
    churn = world_parameters("demo").churn
    truth = FOUND["truth"]
    bent, flat = 1.8**2 * (1 / 12 + 0.01), 1 / 12 / (1 / 12 + 0.01)
    return {
        "demo/return after days": log(churn.return_days),
        "demo/return by the curve at 250 days (share)": churn.returns
        * (1 - np.exp(-250 / churn.return_days)),
        "demo/level of the hazard": log(churn.level),
        "demo/height of the peak": log(churn.peak - 1),
        "demo/retention at 90 (share)": truth["demo"]["seen"]["90"],
        "demo/retention at 365 (share)": truth["demo"]["seen"]["365"],
        **{f"demo/left for {r} by 365 (share)": share for r, share in truth["demo"]["left_for"].items()},
        **{
            f"demo/{trial}: {scheme} lift (share)": lift
            for trial, lifts in truth["demo"]["lifts"].items()
            for scheme, lift in lifts.items()
            if scheme != "none"
        },
        "informative_censoring/retention at 365 (share)": truth["informative_censoring"]["survival"]["365"],
        "price_rise/all": sum(s.share * s.price_sensitivity for s in world_parameters("price_rise").segments),
        "silent_churn/retention at 90 (share)": truth["silent_churn"]["survival"]["90"],
        "heavy_tails/mean of the logarithm": -(1.2**2) / 2,
        "heavy_tails/variance of the logarithm": 1.2**2,
        "correlated/mean of the logarithm": -(0.6**2) / 2,
        "correlated/variance of the logarithm": 0.6**2,
        "correlated/correlation": 0.8,
        "curved/mean of the logarithm": 0.0,
        "curved/variance of the logarithm": bent,
        "curved/correlation": -flat,
        "clusters/variance of z": 1.0,
        "unequal_missing/lift with the withdrawn (share)": 0.0,
        "portfolio/correlation": realised_correlation(),
        "portfolio_null/covariance": 0.0,
    }


@pytest.mark.parametrize("name", [*by_segment(), *closed_forms()])
def test_further_number_is_recovered(name):
    value = {**by_segment(), **closed_forms()}[name]
    assert abs(SOUND[name]["estimate"] - value) < SIGMAS * SOUND[name]["se"]


def test_effects_differ_by_segment_as_planted():
    """The coupon does least for those who never take off and most for bargain hunters."""
    a, b = (SOUND[f"demo/main: welcome_coupon: {s}"] for s in ("bargain hunters", "never take off"))
    assert b["estimate"] - a["estimate"] > SIGMAS * sqrt(a["se"] ** 2 + b["se"] ** 2) * 0.75


def test_errors_are_as_large_as_stated():
    """The squared distances add up to what independent errors of the stated size give.

    Not all are independent (one control, one world), which widens the range; 99.9 % of a chi-square with
    half as many degrees of freedom, on both sides, is allowed for it. Standard errors that are a third too
    large or too small fail.
    """
    parts = {**by_segment(), **closed_forms()}
    parts |= {r.found: r.on_scale(effects(r.world)[r.effect]) for r in RECOVERIES}
    z = np.array([(SOUND[name]["estimate"] - value) / SOUND[name]["se"] for name, value in parts.items()])
    low, high = chi2.ppf([0.0005, 0.9995], len(z) / 2) / (len(z) / 2)
    assert low < np.mean(z**2) < high


def test_everything_found_is_compared():
    compared = {r.found for r in RECOVERIES} | set(by_segment()) | set(closed_forms())
    assert {name for name in set(SOUND) - compared if "by lot" not in name} == BESIDE


#: Bounds (below), sums of other numbers, and steps on the way to one.
BESIDE = {
    "unequal_missing/lift at least (share)", "unequal_missing/lift at most (share)",
    "demo/main: welcome_coupon afterwards", "demo/main: bonus_points afterwards",
    "demo/main: daily_tasks afterwards", "demo/cadence: heavy against light",
}  # fmt: skip


@pytest.mark.parametrize("medium", world_parameters("demo").contact.media, ids=lambda medium: medium.name)
def test_lot_alone_shows_no_more_than_is_planted(medium):
    """Who opts out goes on counting as served: what the lot shows lies between no effect and the effect."""
    number = 1 + world_parameters("demo").contact.media.index(medium)
    found = SOUND[f"demo/messages by lot: {number}"]
    low, high = sorted([log(medium.hazard), 0.0])
    assert low - SIGMAS * found["se"] < found["estimate"] < high + SIGMAS * found["se"]


def test_bounds_hold_the_truth():
    low, high = (SOUND[f"unequal_missing/lift at {which} (share)"] for which in ("least", "most"))
    assert low["estimate"] - SIGMAS * low["se"] < 0 < high["estimate"] + SIGMAS * high["se"]
