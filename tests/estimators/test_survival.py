"""Laws of the survival room: true for any valid counts, with arithmetic on paper and a peer beside them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.estimators.survival.kaplan_meier import kaplan_meier, product_limit
from sojourn.estimators.survival.log_rank import _quadratic, log_rank
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import risk_set
from sojourn.estimators.survival.shares import exact_share, holm

#: Sums and products of at most a few hundred terms in double precision.
RTOL = 1e-12


def of_members(exits, churned, entries=None):
    """Risk set of members who leave (or are censored) at `exits`; entry 0 means seen from joining."""
    exits, churned = np.asarray(exits), np.asarray(churned, dtype=np.int64)
    entries = np.zeros_like(exits) if entries is None else np.asarray(entries)
    one, none = np.ones_like(exits), np.zeros_like(exits)
    return risk_set(
        np.concatenate([entries, exits]),
        np.concatenate([one, none]),
        np.concatenate([none, churned]),
        np.concatenate([none, 1 - churned]),
    )


@st.composite
def members(draw, smallest=1):
    """Exits, whether they left, and entries (0, or later than joining but before the exit)."""
    n = draw(st.integers(smallest, 60))
    exits = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    churned = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(exits), np.array(churned)


def test_five_members_on_paper():
    """Leave on days 1, 2 and 4; are censored on days 2 and 5.

    S(1) = 4/5; S(2) = 4/5 x 3/4 = 3/5; S(4) = 3/5 x 1/2 = 3/10. Area to day 5: 1 + .8 + .6 + .6 + .3 = 3.3
    below the steps, .9 + .7 + .6 + .45 + .3 = 2.95 below straight lines between whole days.
    """
    risk = of_members([1, 2, 2, 4, 5], [1, 1, 0, 1, 0])
    assert risk.at_risk.tolist() == [5, 5, 4, 2, 2, 1]
    np.testing.assert_allclose(kaplan_meier(risk, 0.95).retained, [1, 0.8, 0.6, 0.6, 0.3, 0.3], rtol=RTOL)
    steps, straight = restricted_mean(risk, rule="step").mean, restricted_mean(risk).mean
    np.testing.assert_allclose(steps, [0, 1, 1.8, 2.4, 3.0, 3.3], rtol=RTOL)
    np.testing.assert_allclose(straight, [0, 0.9, 1.6, 2.2, 2.65, 2.95], rtol=RTOL)


def test_leaving_at_once_counts_at_0():
    risk = of_members([0, 0, 3, 3], [1, 1, 0, 0])
    assert product_limit(risk).tolist() == [0.5, 0.5, 0.5, 0.5]


def test_late_entrants_are_at_risk_only_after_they_enter():
    # Two from joining, of whom one leaves on day 1; two enter on day 2, of whom one leaves on day 3.
    risk = of_members([1, 5, 3, 5], [1, 0, 1, 0], entries=[0, 0, 2, 2])
    assert risk.at_risk.tolist() == [2, 2, 1, 3, 2, 2]
    np.testing.assert_allclose(product_limit(risk), [1, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3], rtol=RTOL)


@settings(deadline=None)
@given(members())
def test_starts_at_one_less_those_who_left_at_once_and_never_rises(drawn):
    exits, churned = drawn
    retained = kaplan_meier(of_members(exits, churned), 0.9).retained
    assert retained[0] == pytest.approx(1 - (churned & (exits == 0)).mean(), rel=RTOL)
    assert (np.diff(retained) <= 0).all()
    assert ((retained >= 0) & (retained <= 1)).all()


@settings(deadline=None)
@given(members(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(drawn, random):
    exits, churned = drawn
    order = list(range(len(exits)))
    random.shuffle(order)
    one, other = of_members(exits, churned), of_members(exits[order], churned[order])
    assert (one.at_risk == other.at_risk).all()
    assert (product_limit(one) == product_limit(other)).all()


@settings(deadline=None)
@given(members())
def test_without_censoring_it_is_the_share_left(drawn):
    exits, _ = drawn
    retained = product_limit(of_members(exits, np.ones_like(exits)))
    share = [(exits > day).mean() for day in range(len(retained))]
    np.testing.assert_allclose(retained, share, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(members())
def test_doubling_members_leaves_the_curve_and_narrows_the_interval(drawn):
    exits, churned = drawn
    once = kaplan_meier(of_members(exits, churned), 0.95)
    twice = kaplan_meier(of_members(np.tile(exits, 2), np.tile(churned, 2)), 0.95)
    np.testing.assert_allclose(twice.retained, once.retained, rtol=1e-9)
    inside = (once.retained > 0) & (once.retained < 1)
    np.testing.assert_allclose(twice.se[inside], once.se[inside] / np.sqrt(2), rtol=1e-9)
    assert (twice.high - twice.low < once.high - once.low)[inside].all()


@settings(deadline=None)
@given(members(), st.integers(2, 5))
def test_another_unit_rescales_the_restricted_mean(drawn, factor):
    exits, churned = drawn
    days, longer = (restricted_mean(of_members(exits * k, churned), rule="step") for k in (1, factor))
    places = np.arange(len(days.mean))
    np.testing.assert_allclose(longer.mean[places * factor], factor * days.mean, rtol=1e-9)
    np.testing.assert_allclose(longer.se[places * factor], factor * days.se, rtol=1e-9)


def test_days_begun_are_not_days():
    """Lives spread evenly over 10 days, rounded up to whole days: half of ten, not half of eleven.

    The steps count days begun, (1 - S) / 2 too many.
    """
    exits = np.tile(np.arange(1, 11), 4)
    risk = of_members(exits, np.ones_like(exits))
    assert restricted_mean(risk).mean[10] == pytest.approx(5, rel=RTOL)
    assert restricted_mean(risk, rule="step").mean[10] == pytest.approx(5.5, rel=RTOL)


@settings(deadline=None, max_examples=50)
@given(members(smallest=2))
def test_variance_of_the_mean_is_greenwoods_by_its_weights(drawn):
    """The mean is a weighted sum of S: its variance from the weights, term by term, without running sums."""
    exits, churned = drawn
    risk = of_members(exits, churned)
    end = len(risk) - 1
    weights = np.ones(end + 1)
    weights[[0, -1]] -= 0.5
    if end == 0:
        return
    area = np.array([(weights * product_limit(risk))[t:].sum() for t in range(end + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = risk.churned / (risk.at_risk * (risk.at_risk - risk.churned))
    terms = np.where(np.isfinite(terms), terms, 0.0)
    expected = np.sqrt((area**2 * terms).sum())
    np.testing.assert_allclose(restricted_mean(risk).se[end], expected, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(members(), st.integers(5, 30))
def test_later_leavers_change_earlier_times_only_through_the_risk_set(drawn, day):
    exits, churned = drawn
    more = of_members(np.append(exits, [day + 10] * 3), np.append(churned, [True] * 3))
    base = of_members(exits, churned).on(len(more))
    before = slice(0, day)
    assert (more.at_risk[before] == base.at_risk[before] + 3).all()
    assert (more.churned[before] == base.churned[before]).all()


@settings(deadline=None)
@given(members(smallest=4), st.randoms(use_true_random=False))
def test_log_rank_does_not_depend_on_the_order_of_groups(drawn, random):
    exits, churned = drawn
    group = np.array([random.randrange(3) for _ in exits])
    sets = [of_members(exits[group == g], churned[group == g]) for g in range(3) if (group == g).any()]
    forward, backward = log_rank(sets), log_rank(sets[::-1])
    assert forward.df == backward.df
    assert forward.observed.sum() == pytest.approx(forward.expected.sum(), rel=1e-9, abs=1e-12)
    if forward.df:
        assert forward.statistic == pytest.approx(backward.statistic, rel=1e-6, abs=1e-9)


def test_degrees_of_freedom_are_one_less_than_groups_however_rounding_falls():
    """The covariance is singular up to rounding; its rank at face value was 2 for 1 in 4 % of real cells."""
    for rounding in (-1e-14, 0.0, 1e-14):
        for size in (1e-3, 1.0, 1e6):
            variance = size * np.array([[1.0, -1.0], [-1.0, 1.0 + rounding]])
            statistic, df = _quadratic(np.sqrt(size) * np.array([2.0, -2.0]), variance)
            assert df == 1
            assert statistic == pytest.approx(4, rel=1e-9)


def test_groups_of_very_different_size_all_count():
    """20 members beside a million: the small group's variance is tiny, not zero."""
    sizes = np.array([1e6, 1e5, 20.0])
    share = sizes / sizes.sum()
    variance = 1e4 * (np.diag(share) - np.outer(share, share))
    assert _quadratic(np.array([1.0, -0.5, -0.5]), variance)[1] == 2


def test_log_rank_of_equal_groups_is_zero():
    one = of_members([1, 2, 2, 4, 5], [1, 1, 0, 1, 0])
    test = log_rank([one, one])
    assert test.statistic == pytest.approx(0, abs=1e-12)
    assert test.p == pytest.approx(1)


def test_log_rank_has_nothing_to_say_when_nobody_leaves():
    one = of_members([3, 4], [0, 0])
    test = log_rank([one, one])
    assert test.df == 0
    assert np.isnan(test.p)


def test_bounds_are_undefined_at_certainty():
    survival = kaplan_meier(of_members([1, 2, 3], [0, 1, 1]), 0.95)
    assert np.isnan(survival.low[0])  # nobody has left: S = 1
    assert np.isnan(survival.high[3])  # nobody is left: S = 0
    assert np.isfinite(survival.low[2])


@settings(deadline=None)
@given(members(), st.floats(0.5, 0.99))
def test_peer_lifelines_agrees(drawn, mass):
    from lifelines import KaplanMeierFitter

    exits, churned = drawn
    exits = exits + 1  # lifelines starts the curve at 0 and takes no events there
    ours = kaplan_meier(of_members(exits, churned), mass)
    theirs = KaplanMeierFitter(alpha=1 - mass).fit(exits, churned)
    at = theirs.survival_function_.index.to_numpy(dtype=int)
    np.testing.assert_allclose(ours.retained[at], theirs.survival_function_.iloc[:, 0], rtol=1e-9, atol=1e-12)
    inside = (ours.retained[at] > 1e-9) & (ours.retained[at] < 1)
    bounds = theirs.confidence_interval_.to_numpy()
    np.testing.assert_allclose(ours.low[at][inside], bounds[inside, 0], rtol=1e-7)
    np.testing.assert_allclose(ours.high[at][inside], bounds[inside, 1], rtol=1e-7)


def test_exact_share_covers_at_least_its_mass():
    n, mass = 60, 0.9
    low, high = exact_share(np.arange(n + 1), np.full(n + 1, n), mass)
    from scipy.stats import binom

    for p in (0.02, 0.3, 0.5, 0.97):
        inside = (low <= p) & (p <= high)
        assert binom.pmf(np.arange(n + 1), n, p)[inside].sum() >= mass


def test_holm_keeps_the_order_given_and_never_exceeds_one():
    # 3 x .01; 2 x .02, not below .03; .9
    np.testing.assert_allclose(holm(np.array([0.9, 0.01, 0.02])), [0.9, 0.03, 0.04], rtol=RTOL)
    assert holm(np.array([0.8, 0.9])).max() == 1.0
