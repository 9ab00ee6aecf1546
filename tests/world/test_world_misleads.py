"""The comparison that suggests itself misleads wherever the truth says so, and by how much.

R made both answers from the same tables (see `test_world_recovery.py`). A naive answer counts as misleading
when it lies beyond the truth by `SIGMAS` of its standard errors and by a stated distance that would matter,
on the side on which `planted` says it errs. So more members make it no better.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import pytest
import world_export

from sojourn.world.catalogue import world_parameters
from sojourn.world.truth.planted import planted

SIGMAS = 4.0
FOUND = json.loads((Path(__file__).parents[1] / "oracles" / "world.json").read_text())
SOUND, NAIVE, TRUTH = (FOUND[part] for part in ("sound", "naive", "truth"))


def odds(share: float) -> float:
    """Logarithm of the odds."""
    return log(share / (1 - share))


@dataclass(frozen=True)
class Misleads:
    """A naive answer, the truth, and by how much the answer is beyond it (signed; above 0: too high).

    Attributes
    ----------
    name : str
        Name in `world.json`.
    truth : float
        On the scale of R's estimate.
    beyond : float
        Smallest distance, on that scale.
    effect : str
        World and name of the effect in `planted` whose `naive` tells of it; empty for none.
    """

    name: str
    truth: float
    beyond: float
    effect: str = ""


M = Misleads
CHURN = world_parameters("demo").churn
DEARER = sum(s.share * s.price_sensitivity for s in world_parameters("price_rise").segments)
LEFT = TRUTH["demo"]["left_for"]
COHORTS = TRUTH["informative_censoring"]["survival"]
ALL = [
    M("demo/tiring", 0.12, -0.12, "demo: tiring"),  # the wrong sign
    M("demo/messages: clicks", log(0.90), -1.0, "demo: messages by push"),
    M("demo/messages: clicks", 0.0, -1.0, "demo: messages by messaging app"),
    M("demo/we miss you", 0.0, 0.5, "demo: we miss you"),
    M("demo/slow pages", 0.21, -0.21, "demo: slow pages"),  # the wrong sign
    M("demo/plan annual", log(0.60 / 1.15), -0.10, "demo: plan annual"),
    M("demo/plan family", log(0.85 / 1.15), -0.10, "demo: plan family"),
    M("demo/return (log-odds)", odds(CHURN.returns), -0.10, "demo: return"),
    M("demo/risk peak", log(CHURN.peak_day), -0.03, "demo: risk peak"),
    M("demo/retention at 90 of who joined before (share)", TRUTH["demo"]["seen"]["90"], 0.05,
      "demo: joined before"),
    *(M(f"demo/left for {reason} by 365 (share)", share, 0.01) for reason, share in LEFT.items()),
    M("demo/challenge", 0.0, 0.7, "demo: challenge: daily_challenge"),
    M("non_proportional/annual", log(0.40 / 1.15), 0.5, "non_proportional: plan annual later"),
    M("non_proportional/annual", log(2.2 / 1.15), -0.5, "non_proportional: plan annual later"),
    M("informative_censoring/retention at 365 (share)", COHORTS["365"], 0.01,
      "informative_censoring: trend of cohorts"),
    M("immortal_time/annual", 0.0, -0.7, "immortal_time: plan annual"),
    M("calendar_shock/cohort", 0.0, 0.1, "calendar_shock: shock 200 days before as_of"),
    M("price_rise/all", DEARER, -0.1, "price_rise: rise of prices: bargain hunters"),
    M("silent_churn/retention at 90 (share)", TRUTH["silent_churn"]["survival"]["90"], -0.005,
      "silent_churn: announced"),
    M("spill_over/lift (share)", TRUTH["spill_over"]["lifts"]["main"]["offer"], -0.01,
      "spill_over: main: offer"),
    M("changing_allocation/offer", 0.0, 0.08, "changing_allocation: main: offer"),
    M("unequal_missing/lift (share)", 0.0, 0.05, "unequal_missing: main: offer"),
    M("unequal_missing/lift (share)", 0.0, 0.05, "unequal_missing: main: offer withdrawn"),
    M("late_ramp/offer", log(0.4), 0.4, "late_ramp: main: offer afterwards"),
    M("portfolio_null/correlation", 0.0, 0.05),
]  # fmt: skip


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.name} {case.truth:.2f}")
def test_naive_answer_misleads(case):
    found = NAIVE[case.name]
    distance = (found["estimate"] - case.truth) * np.sign(case.beyond)
    assert distance > max(abs(case.beyond), SIGMAS * found["se"])


@pytest.mark.parametrize("effect", sorted({case.effect for case in ALL} - {""}))
def test_truth_warns_of_it(effect):
    world, name = effect.split(": ", 1)
    frame = world_export.frame_of(world_export.SPECS[world], 1)
    assert next(e for e in planted(frame) if e["name"] == name)["naive"]


def test_every_naive_answer_is_compared():
    assert {case.name for case in ALL} | ASIDE == set(NAIVE)


#: Naive answers that are parts of others, or compared below.
ASIDE = {
    "demo/level of the hazard", "demo/height of the peak", "clusters/variance of z",
    "demo/retention at 90 (share)", "demo/retention at 365 (share)",
}  # fmt: skip


def test_naive_error_of_a_null_by_club_is_too_small():
    """Over 24 trials of a null the naive z has a variance of about 4; that of R's cluster-robust one is 1."""
    naive, sound = NAIVE["clusters/variance of z"], SOUND["clusters/variance of z"]
    assert naive["estimate"] > 2 > sound["estimate"]
    assert naive["trials"] == sound["trials"] == 24


def test_proportional_hazards_are_refused_where_they_cross():
    assert FOUND["non_proportional_p"] < 1e-6
    assert FOUND["late_ramp_p"] < 1e-6


def test_silence_is_no_cancellation():
    """Nobody cancels: by `churned_at` nobody ever leaves."""
    assert FOUND["silent_churn_cancelled"] == 0


def test_lost_rows_show_in_the_sample_ratio():
    assert FOUND["sample_ratio_p"] < 0.001
