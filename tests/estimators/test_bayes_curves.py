"""The curve's posterior beside closed forms and Kaplan-Meier, and the laws that it has to keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.errors import ParameterError
from sojourn.estimators.bayes.curves import CurvePrior, LeavingShares, averaged, leaving_shares, trapezium
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet

PRIOR = CurvePrior(kept=0.6, horizon=90)


def seen_to_the_end(gone):
    """Numbers at risk where nobody is censored; the last entry of `gone` are those who stay."""
    gone = np.asarray(gone, dtype=float)
    return gone.sum() - np.r_[0, np.cumsum(gone[:-2])], gone[:-1]


def made_of(life, follow_up, days):
    """Numbers at risk and gone by day, from whole days of life and follow-up."""
    end, churned = np.minimum(life, follow_up), life <= follow_up
    by_day = [np.bincount(end[which].astype(int), minlength=days + 2) for which in (churned, ~churned)]
    at_risk = len(life) - np.r_[0, np.cumsum(by_day[0] + by_day[1])[:-1]]
    return at_risk[1 : days + 1].astype(float), by_day[0][1 : days + 1].astype(float)


# closed forms --------------------------------------------------------------------------------------------


def test_without_censoring_the_share_kept_is_a_beta():
    """A Dirichlet process with whole observations: S(t) ~ Beta(prior above t + seen above t, the rest)."""
    at_risk, gone = seen_to_the_end([4, 0, 9, 2, 35])
    ends = np.array([10.0, 20, 45, 90])
    mean, variance = leaving_shares(at_risk, gone, ends, PRIOR).moments()
    above = 50 - np.cumsum([4, 0, 9, 2]) + 0.6 ** (ends / 90)
    exact = stats.beta(above, 51 - above)
    # sums of products of 16 digits: a relative error of 1e-12 leaves room
    np.testing.assert_allclose(mean[1:], exact.mean(), rtol=1e-12)
    np.testing.assert_allclose(variance[1:], exact.var(), rtol=1e-10)


def test_with_nothing_seen_the_curve_is_the_belief():
    ends = np.arange(1.0, 91)
    none = np.zeros(90)
    mean, variance = leaving_shares(none, none, ends, CurvePrior(0.6, 90, weight=0.5)).moments()
    np.testing.assert_allclose(mean, 0.6 ** (np.r_[0, ends] / 90), rtol=1e-12)
    # a share with prior weight 1/2 is a Beta(S / 2, (1 - S) / 2): variance S (1 - S) / (1 + 1 / 2)
    np.testing.assert_allclose(variance, mean * (1 - mean) / 1.5, rtol=1e-10, atol=1e-15)


def test_the_belief_weighs_as_much_as_one_member_however_time_is_cut():
    for ends in (np.arange(1.0, 91), np.array([7.0, 90]), np.array([90.0])):
        leave, stay = PRIOR.counts(ends)
        assert leave.sum() + stay[-1] == pytest.approx(1, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_cutting_time_elsewhere_changes_nothing(data):
    """Without censoring inside cells; the days of leaving are known either way at the ends that both have."""
    gone = data.draw(st.lists(st.integers(0, 5), min_size=4, max_size=30))
    ends = np.arange(1.0, len(gone) + 1)
    fine = leaving_shares(*seen_to_the_end([*gone, 3]), ends, PRIOR)
    cut = sorted(data.draw(st.sets(st.integers(1, len(gone)), min_size=1)) | {len(gone)})
    wide_gone = [sum(gone[a:b]) for a, b in zip([0, *cut[:-1]], cut, strict=True)]
    wide = leaving_shares(*seen_to_the_end([*wide_gone, 3]), ends[np.array(cut) - 1], PRIOR)
    for one, other in zip(fine.moments(), wide.moments(), strict=True):
        np.testing.assert_allclose(one[np.r_[0, cut]], other, rtol=1e-9, atol=1e-13)


def test_one_beta_a_day_would_bias_the_curve_and_the_belief_does_not():
    """STATISTICS 2: Beta(1, 1) on each of 90 days. Here 200 members of whom 60 % stay, seen to the end."""
    rng = np.random.default_rng(1)
    life = np.ceil(rng.exponential(90 / -np.log(0.6), 200))
    at_risk, gone = made_of(life, np.full(200, 90), 90)
    ends, truth = np.arange(1.0, 91), (life > 90).mean()
    flat = LeavingShares(ends, gone + 1, at_risk - gone + 1).moments()[0][-1]
    ours = leaving_shares(at_risk, gone, ends, PRIOR).moments()[0][-1]
    assert flat - truth < -0.2
    assert abs(ours - truth) < 0.002  # one member in 200, whose belief is off by less than .4


# Kaplan-Meier --------------------------------------------------------------------------------------------


def test_with_many_members_it_is_kaplan_meier_with_greenwood():
    """200,000 members, most of them censored: the belief is one member of them, so agreement is to 1e-5."""
    rng = np.random.default_rng(2)
    size, days = 200_000, 90
    life, follow_up = np.ceil(rng.exponential(200, size)), np.floor(rng.uniform(0, 130, size))
    at_risk, gone = made_of(life, follow_up, days)
    ends = np.arange(1.0, days + 1)
    ours = leaving_shares(at_risk, gone, ends, PRIOR)
    lost = at_risk - gone - np.r_[at_risk[1:], 0]
    risk = RiskSet(
        *(np.r_[first, counts].astype(int) for first, counts in ((size, at_risk), (0, gone), (0, lost)))
    )
    curve, areas = kaplan_meier(risk, 0.95), restricted_mean(risk)
    mean, variance = ours.moments()
    np.testing.assert_allclose(mean, curve.retained, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(variance[1:]), curve.se[1:], rtol=2e-3)
    area, spread = ours.mean_time()
    assert area == pytest.approx(areas.mean[-1], abs=1e-3)
    assert np.sqrt(spread) == pytest.approx(areas.se[-1], rel=2e-3)


# drawing -------------------------------------------------------------------------------------------------


def some_shares(rng, *groups):
    at_risk = np.sort(rng.integers(30, 60, (*groups, 12)), axis=-1)[..., ::-1].astype(float)
    gone = rng.binomial(at_risk.astype(int), 0.06).astype(float)
    return leaving_shares(at_risk, gone, np.arange(5.0, 65, 5), PRIOR)


def test_draws_have_the_moments_in_closed_form():
    shares = some_shares(np.random.default_rng(3), 2)
    drawn = shares.draw(40_000, rng=np.random.default_rng(4))
    mean, variance = shares.moments()
    area, spread = shares.mean_time()
    assert drawn.shape == (40_000, 2, 13)
    assert (drawn[..., 0] == 1).all()
    # simulation error: sd / 200 of a mean, 1 / 140 of a standard deviation; four of them
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - mean), 4 * np.sqrt(variance) / 200 + 1e-12)
    np.testing.assert_allclose(drawn.std(axis=0)[:, 1:], np.sqrt(variance[:, 1:]), rtol=0.03)
    days = drawn @ trapezium(shares.ends)
    np.testing.assert_allclose(days.mean(axis=0), area, atol=4 * np.sqrt(spread.max()) / 200)
    np.testing.assert_allclose(days.std(axis=0), np.sqrt(spread), rtol=0.03)


def test_an_average_of_one_part_is_that_part():
    shares = some_shares(np.random.default_rng(5), 3, 1)
    one = averaged(shares, np.ones_like(shares.gone))
    np.testing.assert_allclose(one.gone, shares.gone[:, 0], rtol=1e-9)
    np.testing.assert_allclose(one.stayed, shares.stayed[:, 0], rtol=1e-9)


def test_parts_that_weigh_as_they_are_large_are_as_good_as_put_together():
    rng = np.random.default_rng(6)
    at_risk = np.tile(np.linspace(400, 300, 12), (4, 1)) * np.array([[1.0], [0.3], [0.05], [0.02]])
    gone = rng.binomial(np.round(at_risk).astype(int), 0.02) + 0.0
    ends = np.arange(5.0, 65, 5)
    parts = leaving_shares(at_risk, gone, ends, PRIOR, part=at_risk[:, 0] / at_risk[:, 0].sum())
    one = leaving_shares(at_risk.sum(axis=0), gone.sum(axis=0), ends, PRIOR)
    total = parts.gone + parts.stayed
    whole = averaged(parts, total / total.sum(axis=0))
    np.testing.assert_allclose(whole.moments()[0], one.moments()[0], rtol=1e-9)
    # the smallest part expects one or two leavers in all: its pace is known to about a half
    np.testing.assert_allclose(whole.moments()[1][1:], one.moments()[1][1:], rtol=0.1)


def test_the_variance_of_an_average_is_that_of_its_sampling():
    """Two parts of very different size and pace, equal weights: what 4,000 worlds of them do."""
    rng = np.random.default_rng(8)
    size, pace, cells = np.array([[40.0], [400.0]]), np.array([[0.01], [0.02]]), 20
    at_risk = np.tile(size, (1, cells))
    weights = np.full((2, cells), 0.5)
    found, told = [], []
    for _ in range(4_000):
        gone = rng.binomial(at_risk.astype(int), pace).astype(float)
        shares = leaving_shares(
            at_risk, gone, np.arange(1.0, cells + 1), CurvePrior(0.7, cells, 0.01), part=0.5
        )
        whole = averaged(shares, weights)
        curve, variance = whole.moments()
        found.append(curve[-1])
        told.append(variance[-1])
    # simulation error of the ratio of variances 2 %; the pace of the small part, of 8 leavers, is shrunk
    assert np.mean(told) == pytest.approx(np.var(found), rel=0.12)


def test_a_part_without_anybody_changes_nothing():
    shares = some_shares(np.random.default_rng(7), 2)
    empty = LeavingShares(shares.ends, *(np.vstack([a, np.zeros(12)]) for a in (shares.gone, shares.stayed)))
    weights = np.broadcast_to(np.array([[0.4], [0.6], [0.0]]), empty.gone.shape)
    one, other = averaged(shares, weights[:2]), averaged(empty, weights)
    np.testing.assert_allclose(one.gone, other.gone, rtol=1e-12)
    np.testing.assert_allclose(one.stayed, other.stayed, rtol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_more_members_alike_narrow_the_curve_and_it_never_rises(seed, times):
    shares = some_shares(np.random.default_rng(seed))
    leave, stay = PRIOR.counts(shares.ends)
    gone, stayed = times * (shares.gone - leave), times * (shares.stayed - stay)
    more = leaving_shares(gone + stayed, gone, shares.ends, PRIOR)
    assert (more.moments()[1][1:] < shares.moments()[1][1:]).all()
    assert (np.diff(shares.moments()[0]) <= 0).all()


def test_a_group_gets_its_part_of_the_belief():
    none = np.zeros((2, 3))
    shares = leaving_shares(none, none, np.array([30.0, 60, 90]), PRIOR, part=np.array([0.25, 0.75]))
    np.testing.assert_allclose(shares.gone.sum(axis=1) + shares.stayed[:, -1], [0.25, 0.75])


@pytest.mark.parametrize("wrong", [{"kept": 0}, {"kept": 1}, {"horizon": 0}, {"weight": 0}, {"weight": 1.5}])
def test_an_impossible_belief_is_refused(wrong):
    name = next(iter(wrong))
    with pytest.raises(ParameterError, match=f"'{name}' must be"):
        CurvePrior(**{"kept": 0.5, "horizon": 90, **wrong})
