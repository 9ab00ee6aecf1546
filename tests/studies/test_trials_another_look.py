"""What another look is worth: the closed form of two arms, bounds by perfect information, and laws."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan
from sojourn.studies.trials.another_look import another_look
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.trial import trial

MONEY = LiftPrior.from_belief(low=-4, high=4, mass=0.9)
SD = 8.0


def make_plan(**changes):
    default = {
        "metric": "net_value", "guard": "net_value", "horizon_days": 90, "rope": 0.0, "threshold": 0.95,
        "tolerable_loss": 9.0, "guard_margin": 0.01, "guard_risk": 0.05, "looks": 4, "worthwhile": 1.0,
        "belief": MONEY, "belief_value": MONEY,
    }  # fmt: skip
    return TrialPlan(**{**default, **changes})


def make_trial(means=(12.0, 12.1), n=2000):
    names = ("none", "coupon", "points")[: len(means)]
    rows = [
        ("net_value", s, "all", "all", n, n * m, n * (m**2 + SD**2), n * (m**3 + 3 * m * SD**2))
        for s, m in zip(names, means, strict=True)
    ]
    columns = ["outcome", "scheme", "stratum", "period", "n", "total", "total_sq", "total_cube"]
    tables = {
        "binary": pd.DataFrame([("kept", s, "all", "all", n, 9) for s in names], columns=[*columns[:5], "k"]),
        "value": pd.DataFrame(rows, columns=columns),
        "split": pd.DataFrame(
            [(s, "all", n, n) for s in names], columns=["scheme", "period", "assigned", "matured"]
        ),
    }
    return trial(
        Cells("t", "trials", tables, {"trial": "m", "horizon_days": 90, "currency": "EUR"}), min_group=20
    )


def look(of, *, joining=2000, audience=100_000.0, cost=0.0, plan=None, draws=20_000):
    rng = np.random.default_rng(1)
    result = compare_schemes(of, "net_value", prior=MONEY, mass=0.95, rng=rng, draws=40_000)
    made = another_look(
        of, result, plan or make_plan(), joining=joining, audience=audience, rng=rng, cost=cost, draws=draws
    )
    return made, result.draws[:, 1:] - result.draws[:, :1]


@pytest.mark.parametrize("mean", [11.7, 12.0, 12.1, 12.6])
def test_two_arms_are_the_closed_form(mean):
    """Raiffa and Schlaifer: s (phi(u) - u (1 - Phi(u))), u = |m| / s; 200,000 looks leave 1 % of s."""
    made, lifts = look(make_trial((12.0, mean)), draws=200_000)
    m, v = float(lifts.mean()), float(lifts.var(ddof=1))
    for _, row in made.table.iterrows():
        sampling = 4 * SD**2 * 2000 / 1999 / row["members"]
        s = v / math.sqrt(v + sampling)
        u = abs(m) / s
        assert row["gain_per_member"] == pytest.approx(
            s * (stats.norm.pdf(u) - u * stats.norm.sf(u)), abs=0.01 * s
        )
        left = math.sqrt(v * sampling / (v + sampling))
        assert row["p_ship"] == pytest.approx(stats.norm.sf((1.645 * left - m) / s), abs=0.01)


def test_more_members_tell_more_but_never_more_than_the_truth_would():
    made, lifts = look(make_trial((12.0, 12.1, 12.2)))
    assert made.table["gain_per_member"].is_monotonic_increasing
    known = float(np.maximum(lifts.max(axis=1), 0).mean()) - max(0.0, float(lifts.mean(axis=0).max()))
    assert made.table["gain_per_member"].iloc[-1] < known + 0.003  # error of the draws


@given(means=st.lists(st.floats(11, 13), min_size=1, max_size=2), joining=st.integers(10, 5000))
@settings(deadline=None, max_examples=15)
def test_learning_is_never_worth_less_than_nothing(means, joining):
    made, _ = look(make_trial((12.0, *means)), joining=joining, draws=1000)
    assert (made.table["gain_per_member"] >= -1e-12).all()


def test_a_larger_audience_pays_for_what_a_small_one_does_not():
    small, large = (look(make_trial((12.0, 12.1)), audience=a)[0] for a in (3000, 1_000_000))
    assert not small.pays
    assert large.pays
    dear, _ = look(make_trial((12.0, 12.1)), audience=1_000_000, cost=1e6)
    assert not dear.pays
    assert dear.asked["price"] == pytest.approx(large.asked["price"] + 1e6)


def test_what_would_be_chosen_now_is_named_by_guess_and_by_rule():
    made, lifts = look(make_trial((12.0, 12.1, 12.05)))
    assert (made.now, made.by_rule, made.worth_by_rule) == ("coupon", "none", 0.0)
    assert made.worth_now == pytest.approx(float(lifts.mean(axis=0).max()))
    sure, _ = look(make_trial((12.0, 13.5, 12.05)))
    assert sure.now == sure.by_rule == "coupon"
    bad, _ = look(make_trial((12.0, 10.0)))
    assert (bad.now, bad.worth_now) == ("none", 0.0)


def test_keeping_to_the_rule_waits_for_what_the_best_guess_would_take_at_once():
    """Nothing passes yet, so by the rule the whole audience gains from waiting."""
    made, _ = look(make_trial((12.0, 12.35)))
    assert made.asked["rule_net_gain"] > made.asked["net_gain"]
    assert made.asked["rule_net_gain"] > 0
    sure, _ = look(make_trial((12.0, 14.0)))
    assert sure.asked["rule_net_gain"] == pytest.approx(-1000 * sure.worth_now, rel=0.01)


def test_only_looks_smaller_than_the_audience_are_shown():
    made, _ = look(make_trial(), joining=2000, audience=2500)
    assert list(made.table["members"]) == [1000, 2000]
    with pytest.raises(ParameterError, match="'audience' must be at least 2000"):
        look(make_trial(), joining=2000, audience=100)
