"""Weeks after a reward: by hand, beside peers, in worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from after_worlds import PLAN, make_trial, members_of, revenue_of, weeks, weeks_of
from sojourn.core.errors import ParameterError
from sojourn.core.normal import standard_errors
from sojourn.studies.trials.after_checks import check_afterwards
from sojourn.studies.trials.afterwards import afterwards
from sojourn.studies.trials.weekly import weekly
from sojourn.world import make_world

#: Two weeks of reward, two of wash-out: 100 and 200 members, of whom 10, 0, 9, 9 and 10, 10, 36, 0 leave.
RISK, LEFT = [[100, 90, 90, 81], [200, 190, 180, 144]], [[10, 0, 9, 9], [10, 10, 36, 0]]
SHORT = replace(PLAN, wash_out_days=14)


def by_hand(**more):
    return afterwards(make_trial(after=weeks(RISK, LEFT, **more)), SHORT, mass=0.95, reward_days=14)


def test_paces_and_lifts_are_those_counted_by_hand():
    row = by_hand().row("offer")
    assert row["times_during"] == pytest.approx((20 / 390) / (10 / 190))
    assert row["times_after"] == pytest.approx((36 / 324) / (18 / 171))
    assert row["lift_at_end"] == pytest.approx(180 / 200 - 90 / 100)
    assert row["lift_after"] == pytest.approx(144 / 200 - 72 / 100)
    assert row["lift_lost"] == pytest.approx(row["lift_at_end"] - row["lift_after"])
    assert row["n"] == 300


def test_errors_of_lifts_are_binomial_where_all_are_followed():
    """Greenwood's variance without censoring is p (1 - p) / n, also of those who leave within weeks."""
    row, reach = by_hand().row("offer"), standard_errors(0.95)
    shares = {"lift_at_end": (0.9, 0.9), "lift_after": (0.72, 0.72), "lift_lost": (0.18, 0.18)}
    for name, (p, q) in shares.items():
        error = np.sqrt(p * (1 - p) / 200 + q * (1 - q) / 100)
        assert (row[f"{name}_high"] - row[f"{name}_low"]) / 2 == pytest.approx(reach * error)


def test_errors_of_paces_are_those_of_counts_of_leavers():
    """The logarithm of left / at risk errs by (1 - rate) / left in each week, weighted by leavers."""
    row = by_hand().row("offer")
    offer = (10 * (1 - 10 / 200) + 10 * (1 - 10 / 190)) / 20**2
    none = 10 * (1 - 10 / 100) / 10**2
    reach = standard_errors(0.95) * np.sqrt(offer + none)
    assert np.log(row["times_during_high"] / row["times_during"]) == pytest.approx(reach)
    assert np.log(row["times_during"] / row["times_during_low"]) == pytest.approx(reach)


def test_a_scheme_without_leavers_gets_half_a_one():
    result = afterwards(
        make_trial(after=weeks([[100, 90], [100, 100]], [[10, 5], [0, 5]])),
        replace(PLAN, wash_out_days=7), mass=0.95, reward_days=7,
    )  # fmt: skip
    row = result.row("offer")
    assert row["times_during"] == pytest.approx((0.5 / 100) / (10.5 / 100))
    assert 0 < row["times_during_low"] < row["times_during"] < row["times_during_high"] < np.inf


def test_a_week_in_which_the_reward_ends_belongs_to_neither_side():
    whole = make_trial(after=weeks(RISK, LEFT))
    result = afterwards(whole, SHORT, mass=0.95, reward_days=10)
    row = result.row("offer")
    assert row["times_during"] == pytest.approx((10 / 200) / (10 / 100))
    assert row["times_after"] == pytest.approx((36 / 180) / (9 / 90))


def simulated(rng, n=3_000, longest=13):
    rows = pd.DataFrame({"scheme": np.repeat(["none", "offer"], n), "life": rng.exponential(150, 2 * n)})
    own = rng.gamma(1.5, 1, (2 * n, 1)) * (1 + 0.2 * (rows["scheme"] == "offer").to_numpy()[:, None])
    return rows, own * rng.gamma(2.0, 0.5, (2 * n, longest))


def test_weeks_together_have_the_variance_of_what_members_paid_in_all():
    rows, payments = simulated(np.random.default_rng(3))
    after = weeks_of(rows, payments=payments)
    amount = (payments * (rows["life"].to_numpy()[:, None] // 7 >= np.arange(13))).sum(axis=1)
    made = weekly(make_trial(after=after, value=revenue_of(rows, amount)))
    mean, variance = made.amounts(slice(0, 13))
    by_member = pd.Series(amount).groupby(rows["scheme"].to_numpy())
    np.testing.assert_allclose(mean, by_member.mean(), rtol=1e-9)
    # one correlation for both schemes: their sum is exact, each by itself nearly so
    np.testing.assert_allclose(variance.sum(), (by_member.var(ddof=0) / 3_000).sum(), rtol=1e-9)
    np.testing.assert_allclose(variance, by_member.var(ddof=0) / 3_000, rtol=0.1)
    first = (payments * (rows["life"].to_numpy()[:, None] // 7 >= np.arange(13)))[:, :8].sum(axis=1)
    exact = pd.Series(first).groupby(rows["scheme"].to_numpy()).var(ddof=0) / 3_000
    # weeks near each other go together more than weeks apart, as members leave in between
    np.testing.assert_allclose(made.amounts(slice(0, 8))[1], exact, rtol=0.2)


def test_without_the_whole_amount_weeks_are_taken_to_go_together():
    rows, payments = simulated(np.random.default_rng(4), n=500)
    assert weekly(make_trial(after=weeks_of(rows, payments=payments))).together == 1.0


def test_the_trend_is_the_line_of_weighted_least_squares():
    rng = np.random.default_rng(5)
    at_risk = np.full((2, 8), 1_000)
    active = rng.binomial(1_000, [[0.4] * 8, list(np.linspace(0.55, 0.42, 8))])
    after = weeks(at_risk, np.full((2, 8), 2), active=active)
    result = afterwards(make_trial(after=after), replace(PLAN, wash_out_days=7), mass=0.95, reward_days=49)
    row = result.trends.iloc[0]
    share = active[:, :7] / 1_000
    error = np.sqrt((share * (1 - share) / 1_000).sum(axis=0))
    slope, level = np.polyfit(np.arange(7), share[1] - share[0], 1, w=1 / error)
    assert row["measure"] == "came"
    assert (row["per_week"], row["first"]) == pytest.approx((slope, level))
    assert row["last"] == pytest.approx(level + 6 * slope)
    assert row["per_week_high"] < 0
    assert row["p_fading"] > 0.99


@pytest.mark.parametrize(
    ("tables", "reward", "wash_out", "why"),
    [
        ({}, 14, 14, "do not tell weeks"),
        ({"after": weeks(RISK, LEFT)}, None, 14, "How long the reward runs is not known"),
        ({"after": weeks(RISK, LEFT)}, 14, 3, "No wash-out of a week"),
        ({"after": weeks(RISK, LEFT)}, 14, 28, "have not been followed to the end of the wash-out"),
    ],
)
def test_what_cannot_be_told_says_why(tables, reward, wash_out, why):
    result = afterwards(
        make_trial(**tables), replace(PLAN, wash_out_days=wash_out), mass=0.95, reward_days=reward
    )
    assert why in result.why_empty
    assert result.table.empty
    assert check_afterwards(result, "offer") == []


def test_the_length_of_the_reward_is_that_of_the_cells():
    result = afterwards(
        make_trial(after=weeks(RISK, LEFT), meta={"reward_days": 14}), SHORT, mass=0.95, scheme="offer"
    )
    assert result.reward_days == 14
    assert result.best == "offer"
    with pytest.raises(ParameterError, match="scheme"):
        afterwards(make_trial(), PLAN, mass=0.95, scheme="gift")


def test_weeks_end_where_too_few_are_left():
    few = make_trial(after=weeks(RISK, LEFT), min_group=85)
    assert weekly(few).weeks == 3


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 50), st.permutations(range(8)))
def test_more_members_of_the_same_kind_only_make_intervals_narrower(factor, order):
    after = weeks(RISK, LEFT).iloc[order]
    more = after.assign(at_risk=after["at_risk"] * factor, left=after["left"] * factor)
    one, many = (
        afterwards(make_trial(after=table), SHORT, mass=0.95, reward_days=14).row("offer")
        for table in (after, more)
    )
    for name in ("times_during", "lift_at_end", "lift_after", "lift_lost"):
        assert many[name] == pytest.approx(one[name])
    wide, narrow = (row["lift_after_high"] - row["lift_after_low"] for row in (one, many))
    assert narrow == pytest.approx(wide / np.sqrt(factor))


def test_a_planted_rebound_is_found():
    """The world's offer makes members leave .4 times as fast once it works, and 1.8 times after it ends.

    Members still there then are the same kind under both schemes but for chance, as all are of one group.
    """
    rows = members_of(make_world(members=5_000, seed=7, as_of="2025-07-01T00:00:00Z", world="late_ramp"))
    result = afterwards(make_trial(after=weeks_of(rows)), PLAN, mass=0.99, reward_days=56)
    row = result.row("offer")
    assert row["times_after_low"] < 1.8 < row["times_after_high"]
    assert row["times_after_low"] > 1.2
    assert row["times_during_high"] < 0.8
    assert row["lift_lost_low"] > 0
    found = check_afterwards(result, "offer")[0]
    assert found.verdict == "warn"
    assert found.catch_rate > 0.9
