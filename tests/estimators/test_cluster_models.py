"""Intervals and smooth models of segments against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.estimators.cluster.intervals import jeffreys, mean_interval
from sojourn.estimators.cluster.smooth import KNOTS, components, curve, least_squares, smooth_predictions


@settings(deadline=None)
@given(st.integers(1, 5_000), st.floats(0, 1), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_a_share_has_the_quantiles_of_its_beta(n, part, mass):
    k = round(part * n)
    low, high = jeffreys(k, n, mass)
    beta = stats.beta(k + 0.5, n - k + 0.5)
    # both invert the same function; they agree to twelve digits
    assert low == (0 if k == 0 else pytest.approx(beta.ppf((1 - mass) / 2), rel=1e-9))
    assert high == (1 if k == n else pytest.approx(beta.ppf((1 + mass) / 2), rel=1e-9))
    assert low <= k / n <= high


@pytest.mark.parametrize(("k", "n"), [(400, 1_000), (50, 2_000), (1_900, 2_000)])
def test_a_share_of_many_has_the_wilson_interval_too(k, n):
    wilson = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    # both are the normal interval plus terms of order 1/n; a tenth of the half-width is more than their gap
    reach = (wilson.high - wilson.low) / 2
    assert jeffreys(k, n, 0.95) == pytest.approx((wilson.low, wilson.high), abs=reach / 10)


def test_one_share_of_several_is_that_of_their_dirichlet_distribution():
    counts, draws = np.array([3.0, 40, 157]), 200_000
    drawn = np.random.default_rng(4).dirichlet(counts + 0.5, draws)
    low, high = jeffreys(counts, counts.sum(), 0.9, places=len(counts))
    # the share of draws below a bound has a standard error of .0005
    assert (drawn < low).mean(axis=0) == pytest.approx([0.05] * 3, abs=0.002)
    assert (drawn < high).mean(axis=0) == pytest.approx([0.95] * 3, abs=0.002)


def test_a_share_is_covered_as_often_as_said():
    n, mass = 60, 0.95
    low, high = jeffreys(np.arange(n + 1), n, mass)
    grid = np.linspace(0.05, 0.95, 181)
    covered = [stats.binom.pmf(np.flatnonzero((low <= p) & (p <= high)), n, p).sum() for p in grid]
    assert np.mean(covered) == pytest.approx(mass, abs=0.01)  # exact sums; Brown, Cai & DasGupta (2001)
    assert min(covered) > 0.9


def test_the_interval_of_a_mean_is_that_of_the_normal():
    values = np.array([-1.0, 4.0, 2.0, 8.0, 5.0])
    for same in (np.zeros(20), np.full(20, 3.0), np.array([-3.0])):  # it is not known how others would differ
        assert np.isnan(mean_interval(same, 0.9)[1:]).all()
    mean, low, high = mean_interval(values, 0.9)
    expected = stats.norm(values.mean(), stats.sem(values)).interval(0.9)
    assert (mean, low, high) == pytest.approx((3.6, *expected), rel=1e-12)


def test_the_interval_of_amounts_is_that_of_their_logarithm_with_as_many_as_are_there():
    amounts = np.array([0.0] * 30 + [1.0, 4, 2, 8, 5, 3, 3, 9, 1, 2])
    mean, low, high = mean_interval(amounts, 0.9)
    reach = stats.t(9).ppf(0.95) * stats.sem(amounts) / mean
    assert (np.log(low), np.log(high)) == pytest.approx(
        (np.log(mean) - reach, np.log(mean) + reach), rel=1e-12
    )
    assert mean_interval(100 * amounts, 0.9) == pytest.approx((100 * mean, 100 * low, 100 * high), rel=1e-12)
    assert np.isnan(mean_interval(amounts[:-1], 0.9)[1:]).all()  # nine are not zero


@pytest.mark.parametrize(("spread", "payers", "least"), [(0.8, 10, 0.95), (1.2, 10, 0.90), (1.2, 100, 0.90)])
def test_means_of_payments_are_covered_though_few_pay(spread, payers, least):
    """A plain interval covers .87, .79 and .90; 2,000 worlds have a standard error of .006."""
    rng, n, worlds = np.random.default_rng(6), 10 * payers, 2_000
    truth, covered, told = 0.1 * np.exp(spread**2 / 2), 0, 0
    for _ in range(worlds):
        paid = np.where(rng.random(n) < 0.1, rng.lognormal(0, spread, n), 0.0)
        low, high = mean_interval(paid, 0.95)[1:]
        told += np.isfinite(low)
        covered += low <= truth <= high
    assert covered / told > least


def test_a_curve_fits_what_is_straight_and_what_bends():
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (600, 2))
    new = rng.uniform(-2, 2, (300, 2))

    def signal(rows):
        return np.column_stack([np.sin(rows[:, 0]) + rows[:, 1] ** 2, 3.0 * rows[:, 0]])

    guess = smooth_predictions(x, signal(x) + 0.3 * rng.standard_normal((600, 2)), new)
    errors = ((guess - signal(new)) ** 2).mean(axis=0)
    constant = ((signal(x).mean(axis=0) - signal(new)) ** 2).mean(axis=0)
    assert guess.shape == (300, 2)
    # noise of variance .09 spread over 10 columns and 600 rows, and the spline's own error
    assert (errors < 0.03 * constant).all()
    line = least_squares(x, signal(x), new)
    assert errors[0] < 0.2 * ((line - signal(new))[:, 0] ** 2).mean()  # what bends is no line's business


def test_without_a_signal_it_says_the_mean():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((500, 3)), rng.standard_normal((500, 1)) + 5
    guess = smooth_predictions(x, y, rng.standard_normal((500, 3)))
    # a mean of 500 has a standard error of .045; a ridge leaves little more
    assert np.sqrt(((guess - 5) ** 2).mean()) < 0.2


def test_many_equal_values_get_a_level_of_their_own():
    rng = np.random.default_rng(3)
    x = np.where(rng.random(800) < 0.5, 0.0, rng.uniform(0, 1, 800))[:, None]
    y = np.where(x == 0, 2.0, -x)
    made = curve(x[:, 0])
    assert made.atoms.tolist() == [0.0]
    guess = smooth_predictions(x, y, np.array([[0.0], [0.02], [0.5]]))
    # a spline alone would have to climb 2 within a hundredth
    assert guess[:, 0] == pytest.approx([2.0, -0.02, -0.5], abs=0.05)


def test_a_curve_is_straight_beyond_its_outer_knots():
    values = np.linspace(-1, 1, 401)
    made = curve(values)
    assert made.knots == pytest.approx(np.quantile(values, KNOTS))
    beyond = made.columns(np.array([2.0, 3.0, 4.0, -2.0, -3.0, -4.0]))
    assert np.diff(beyond[:3], 2, axis=0) == pytest.approx(0, abs=1e-9)
    assert np.diff(beyond[3:], 2, axis=0) == pytest.approx(0, abs=1e-9)
    assert beyond.shape == (6, 4)  # the value, and one bend fewer than two less than the knots


def test_a_feature_of_few_values_is_a_step_or_a_line():
    made = curve(np.repeat([0.0, 1.0], 50))
    assert made.columns(np.array([0.0, 1.0])).shape == (2, 3)
    assert smooth_predictions(
        np.repeat([[0.0], [1.0]], 50, axis=0), np.repeat([[3.0], [9.0]], 50, axis=0), np.array([[0.0], [1.0]])
    )[:, 0] == pytest.approx([3, 9], abs=0.01)


def test_components_are_those_of_the_singular_values():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((200, 4)) * [4.0, 2.0, 1.0, 0.5]
    x -= x.mean(axis=0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    mine = components(x, 2)
    for j in range(2):
        assert abs(mine[:, j]) == pytest.approx(abs(u[:, j] * s[j]), abs=1e-9)
    assert components(x, 2, x[:5]) == pytest.approx(mine[:5])


def test_least_squares_is_numpys():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((50, 1)), rng.standard_normal((50, 1))
    slope, level = np.polyfit(x[:, 0], y[:, 0], 1)
    assert least_squares(x, y, np.array([[2.0]]))[0, 0] == pytest.approx(level + 2 * slope)
