"""Designs beside closed forms (power, assurance, square-root rule), and laws."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.results.trial_design import Traffic
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.design import cheapest_shares, design_trial, next_trial, traffic_of

BELIEF = LiftPrior(-2, 4, 0.9)
SHARE = LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)
SD, WORLDS = 20.0, 40_000


def make_plan(**changes):
    default = {
        "metric": "net_value", "guard": "net_value", "horizon_days": 30, "rope": 0.3, "threshold": 0.9,
        "tolerable_loss": 100.0, "guard_margin": 100.0, "guard_risk": 0.05, "looks": 1, "worthwhile": 2.0,
        "belief": SHARE, "belief_value": BELIEF,
    }  # fmt: skip
    return TrialPlan(**{**default, **changes})


def make_traffic(**changes):
    default = {
        "per_day": 100.0,
        "days": 20,
        "base": 12.0,
        "sd": SD,
        "schemes": ("none", "coupon"),
        "currency": "EUR",
    }
    return Traffic(**{**default, **changes})


def designed(plan=None, traffic=None, worlds=4000, seed=1, **asked):
    rng = np.random.default_rng(seed)
    return design_trial(
        plan or make_plan(), traffic=traffic or make_traffic(), rng=rng, worlds=worlds, **asked
    )


def ships_above(n, rope, threshold):
    """Return the observed lift above which one look at n members ships, and its sampling variance."""
    v, m, s = 4 * SD**2 / n, BELIEF.mean, BELIEF.sd
    b = s**2 / (s**2 + v)
    return (rope + stats.norm.ppf(threshold) * math.sqrt(b * v) - (1 - b) * m) / b, v


def test_one_look_at_two_arms_is_the_closed_form():
    """Power, assurance, and assurance of what is worth it (bivariate normal); 3 errors of 40,000 worlds."""
    rope, threshold = 1.0, 0.6  # so easy a rule ships much that is worth less than the rope
    made = designed(make_plan(rope=rope, threshold=threshold), worlds=WORLDS, days=(10, 20, 60))
    for _, row in made.table.iterrows():
        least, v = ships_above(row["members"], rope, threshold)
        m, s = BELIEF.mean, BELIEF.sd
        total = math.sqrt(s**2 + v)
        covariance = [[s**2, s**2], [s**2, s**2 + v]]
        both = stats.multivariate_normal([-m, -m], covariance).cdf([-rope, -least])
        expected = {
            "assurance_rate": stats.norm.sf((least - m) / total),
            "right_rate": both,
            "found_rate": stats.norm.sf((least - 2.0) / math.sqrt(v)),
        }
        for name, rate in expected.items():
            assert row[name] == pytest.approx(rate, abs=3 * math.sqrt(rate * (1 - rate) / WORLDS) + 1e-6), (
                name
            )
        assert row["assurance_rate_low"] < row["assurance_rate"] < row["assurance_rate_high"]


def test_power_is_the_textbooks():
    """One-sided 5 %, power 80 %: 2 (1.645 + .842)^2 (sd / lift)^2 members an arm, 3,092 for a tenth of sd."""
    plan = make_plan(belief_value=LiftPrior(-1000, 1000, 0.9), rope=0.0, threshold=0.95, worthwhile=1.0)
    n = 2 * (1.6449 + 0.8416) ** 2 * SD**2
    made = designed(plan, make_traffic(per_day=n / 10), worlds=WORLDS, days=(20,))
    assert made.at(20)["found_rate"] == pytest.approx(0.8, abs=0.006)  # 3 simulation errors


def test_there_cannot_be_more_than_the_belief_says():
    one, four = (designed(traffic=make_traffic(schemes=tuple("abcde"[:k])), days=(20,)) for k in (2, 5))
    below = stats.norm.cdf(0.3, BELIEF.mean, BELIEF.sd)
    assert one.most == pytest.approx(1 - below)
    assert four.most == pytest.approx(1 - below**4)
    assert (four.table["right_rate"] <= four.most + 0.02).all()


def test_shares_are_believed_on_log_odds():
    """What ships is decided by the share's own prior; the most there is to find is on the same scale."""
    plan = make_plan(metric="kept", guard="kept", rope=0.005, worthwhile=0.02, guard_margin=0.5)
    made = designed(plan, make_traffic(base=0.3, sd=math.nan, per_day=1000), days=(5, 20, 400), worlds=10_000)
    assert made.kind == "binary"
    assert made.table["right_rate"].is_monotonic_increasing
    assert made.table["right_rate"].iloc[-1] == pytest.approx(made.most, abs=0.06)


def test_more_members_tell_more_and_a_stricter_rule_less():
    """The same random numbers; 3 errors of a difference of 4,000 worlds are .03."""
    made = designed()
    for name in ("assurance_rate", "right_rate", "found_rate"):
        assert (np.diff(made.table[name]) > -0.03).all()
    assert made.table["right_rate"].iloc[-1] > made.table["right_rate"].iloc[0] + 0.1
    strict = designed(make_plan(threshold=0.99))
    assert (strict.table["assurance_rate"] < made.table["assurance_rate"] + 0.01).all()
    quiet = designed(traffic=make_traffic(sd=10.0))
    assert (quiet.table["right_rate"] > made.table["right_rate"] - 0.01).all()


def test_looks_save_members_and_one_look_saves_none():
    once, often = (designed(make_plan(looks=k, horizon_days=1), days=(200,)).at(200) for k in (1, 10))
    assert once["expected_members"] == 20_000
    assert once["expected_days"] == 201
    assert often["expected_members"] < 14_000
    assert often["expected_days"] < 141


def test_members_go_on_being_assigned_while_the_last_ones_are_followed():
    """Decided at half-time, with a follow-up of 5 of 20 days: three quarters have been assigned."""
    plan = make_plan(looks=2, horizon_days=5, worthwhile=40.0, belief_value=LiftPrior(39.9, 40.1, 0.9))
    row = designed(plan, days=(20,)).at(20)
    assert row["expected_members"] == pytest.approx(0.75 * row["members"])
    assert row["expected_days"] == pytest.approx(15)


def test_the_shortest_trial_that_finds_enough_is_named():
    made = designed(days=(5, 20, 80, 2000))
    assert made.days == 80
    found = made.table.set_index("days")["right_rate"] / made.most
    assert found[80] >= 0.8 > found[20]
    assert designed(days=(5,)).days == 0
    assert made.at(50)["days"] == 80
    with pytest.raises(ParameterError, match="'days' must be at most 2000"):
        made.at(3000)


# the cheapest division ------------------------------------------------------------------------------------


def test_equal_costs_are_dunnetts_square_root_rule():
    shares = cheapest_shares(np.ones(5), np.ones(5))
    np.testing.assert_allclose(shares[0] / shares[1:], 2.0)


@given(
    costs=st.lists(st.floats(0.05, 20), min_size=2, max_size=5),
    other=st.lists(st.floats(0.02, 1), min_size=5, max_size=5),
    noise=st.lists(st.floats(0.5, 3), min_size=5, max_size=5),
)
@settings(deadline=None)
def test_no_other_division_of_the_same_precision_is_cheaper(costs, other, noise):
    c, k = np.array(costs), len(costs)
    sds, rival = np.array(noise[:k]), np.array(other[:k])

    def price(members):
        variance = ((sds[0] ** 2 / members[0]) + sds[1:] ** 2 / members[1:]).mean()
        return float(members @ c) * variance  # members scale as 1 / variance

    assert price(cheapest_shares(c, sds)) <= price(rival) * (1 + 1e-9)


def test_the_cheapest_division_is_as_precise_and_saves_what_it_says():
    traffic = make_traffic(schemes=("none", "coupon", "points"), cost_per_member=(0.5, 4.0, 2.0))
    made = designed(traffic=traffic, days=(20,))
    table = made.allocation
    n = table["members"].to_numpy(float)
    planned = np.full(3, 2000 / 3)
    variances = [(1 / m[0] + 1 / m[1:]).mean() for m in (n, planned)]
    assert variances[0] == pytest.approx(variances[1], rel=2e-3)  # whole members
    assert made.saved == pytest.approx(1 - table["cost"].sum() / (planned @ [0.5, 4.0, 2.0]))
    assert made.saved > 0.1
    assert made.cheapest_days == pytest.approx(n.sum() / 100, rel=2e-3)
    assert made.table["expected_cost"].iloc[0] == pytest.approx(2000 * 6.5 / 3)


def test_a_control_that_costs_nothing_does_not_take_all_members():
    """Its members take places: no more than half as long again as planned."""
    made = designed(traffic=make_traffic(cost_per_member=(0.0, 3.0)), days=(20,))
    assert made.cheapest_days == pytest.approx(30, rel=1e-3)
    assert 0 < made.saved < 1


def test_without_costs_there_is_no_cheapest():
    made = designed(days=(20,))
    assert made.allocation.empty
    assert math.isnan(made.saved)
    assert made.table["expected_cost"].isna().all()
    with pytest.raises(ParameterError, match="leave it out where nothing is known"):
        designed(traffic=make_traffic(cost_per_member=(0.0, 0.0)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"per_day": 0}, "'per_day' must be above 0"),
        ({"allocation": (0.5, 0.4)}, "shares above 0 that sum to 1"),
        ({"allocation": (1.0,)}, "'allocation' has 1 values for the schemes none, coupon"),
        ({"base": 1.2, "sd": math.nan}, "'base' must be below 1, got 1.2"),
        ({"cost_per_member": (1.0, -1.0)}, "'cost_per_member' must be at least 0"),
        ({"schemes": ("none",)}, "'number of schemes' must be at least 2"),
    ],
)
def test_traffic_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        make_traffic(**changes)


def ran(periods=("2025-01", "2025-02"), **tables):
    """Return a trial of 300 members under control and 100 under a coupon in two strata of unlike size."""
    rows = [
        ("none", "east", 200, 2000.0, 4.0), ("none", "west", 100, 400.0, 9.0),
        ("coupon", "east", 66, 726.0, 4.0), ("coupon", "west", 34, 170.0, 9.0),
    ]  # fmt: skip
    value = pd.DataFrame(
        [
            ("net_value", scheme, stratum, periods[0], n, total, total**2 / n + (n - 1) * variance, 0.0)
            for scheme, stratum, n, total, variance in rows
        ],
        columns=["outcome", "scheme", "stratum", "period", "n", "total", "total_sq", "total_cube"],
    )
    binary = value[["scheme", "stratum", "period", "n"]].assign(outcome="kept", k=value["n"] // 2)
    split = pd.DataFrame(
        [("none", periods[0], 300, 300), ("coupon", periods[1], 100, 100)],
        columns=["scheme", "period", "assigned", "matured"],
    )
    planned = {"none": 0.75, "coupon": 0.25}
    said = {"cost_per_member": {"coupon": 1.5}, "currency": "EUR"}
    schemes, strata = ("none", "coupon"), ("east", "west")
    return Trial("shop", "spring", "none", schemes, strata, binary, value, split, planned, 20, said, tables)


ARRIVALS = pd.DataFrame(
    {"day": [0, 0, 15], "scheme": ["none", "coupon", "none"], "assigned": [150, 100, 150]}
)


def test_the_traffic_of_a_trial_is_what_ran():
    """On paper: 400 members in 16 days; control 10 in east, 4 in west, 266 and 134 of 400 members."""
    found = traffic_of(ran(arrivals=ARRIVALS), make_plan(guard="kept"))
    assert (found.days, found.per_day) == (16, 25.0)
    assert found.base == pytest.approx((266 * 10 + 134 * 4) / 400)
    assert found.sd == pytest.approx(math.sqrt((266 * 4 + 134 * 9) / 400))
    assert found.shares == (0.75, 0.25)
    assert found.guard_base == {"kept": pytest.approx(0.5)}
    assert found.cost_per_member == (0.0, 1.5)
    assert (found.schemes, found.currency) == (("none", "coupon"), "EUR")


def test_the_traffic_of_a_share_has_no_spread():
    found = traffic_of(ran(arrivals=ARRIVALS), make_plan(metric="kept", guard="kept", worthwhile=0.4))
    assert found.kind == "binary"
    assert found.base == pytest.approx(0.5)


def test_what_schemes_cost_is_margin_on_revenue_less_net_value():
    trial = ran(arrivals=ARRIVALS)
    costs = trial.value["scheme"].map({"none": 0.0, "coupon": 3.0}) * trial.value["n"]
    revenue = trial.value.assign(outcome="revenue", total=(trial.value["total"] + costs) / 0.3)
    revenue["total_sq"] = revenue["total"] ** 2 / revenue["n"] + revenue["n"]
    booked = replace(
        trial,
        value=pd.concat([trial.value, revenue], ignore_index=True),
        meta={**trial.meta, "margin": 0.3},
    )
    assert traffic_of(booked, make_plan(guard="kept")).cost_per_member == pytest.approx((0.0, 3.0))


@pytest.mark.parametrize(
    ("periods", "days"),
    [(("2025-01", "2025-02"), 59), (("2024-12 to 2025-01", "2025-02"), 90), (("2025-03", "2025-03"), 31)],
)
def test_where_only_months_are_told_whole_months_count(periods, days):
    found = traffic_of(ran(periods), make_plan(guard="kept"))
    assert (found.days, found.per_day) == (days, pytest.approx(400 / days))
    assert traffic_of(ran(periods), make_plan(guard="kept"), days=20).per_day == 20


def test_another_trial_is_designed_on_the_traffic_of_the_one_that_ran():
    plan, trial = make_plan(guard="kept"), ran(arrivals=ARRIVALS)
    made = next_trial(trial, plan, rng=np.random.default_rng(3), worlds=200)
    same = designed(plan, traffic_of(trial, plan), worlds=200, seed=3)
    pd.testing.assert_frame_equal(made.table, same.table)
    assert made.planned_days == 16


def test_a_trial_without_times_leads_to_no_design_and_says_why():
    made = next_trial(ran(("all", "all")), make_plan(guard="kept"), rng=np.random.default_rng(1))
    assert made.table.empty
    assert "is not told" in made.why_empty
    with pytest.raises(UndefinedError, match="is not told"):
        traffic_of(ran(("all", "all")), make_plan(guard="kept"))
