"""Regression on the past from sums: least squares on rows, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.estimators.bayes.covariate import Crossed, regress


def rows(rng, n=((60, 40), (50, 70)), slopes=(0.8, 1.1), strata=(0.0, 3.0), lift=0.5):
    """Members one by one: scheme, stratum, past, outcome."""
    made = []
    for j, sizes in enumerate(n):
        for s, size in enumerate(sizes):
            x = rng.gamma(2, 2, size) + s
            y = strata[s] + lift * j + slopes[j] * x + rng.normal(0, 2, size)
            made.append(np.c_[np.full(size, j), np.full(size, s), x, y])
    return np.concatenate(made)


def sums(table, schemes=2, strata=2):
    grid = [np.zeros((schemes, strata)) for _ in range(6)]
    for j, s, x, y in table:
        for total, term in zip(grid, (1, y, y**2, x, x**2, x * y), strict=True):
            total[int(j), int(s)] += term
    return Crossed(*grid)


def least_squares(table):
    """Fit by scheme the outcome on strata and past centred within strata over all members; by lstsq on rows.

    Returns means of scheme and stratum where all members stand, and their classical standard errors.
    """
    _, stratum, x, _ = table.T
    centre = np.array([x[stratum == s].mean() for s in range(2)])
    means, errors = np.zeros((2, 2)), np.zeros((2, 2))
    for j in range(2):
        own = table[table[:, 0] == j]
        design = np.c_[own[:, 1] == 0, own[:, 1] == 1, own[:, 2] - centre[own[:, 1].astype(int)]].astype(
            float
        )
        fit, residual, *_ = np.linalg.lstsq(design, own[:, 3], rcond=None)
        means[j] = fit[:2]
        covariance = np.linalg.inv(design.T @ design) * residual[0] / (len(own) - 3)
        errors[j] = np.sqrt(np.diag(covariance)[:2])
    return means, errors


@pytest.mark.parametrize("seed", range(5))
def test_means_are_those_of_least_squares_on_rows(seed):
    table = rows(np.random.default_rng(seed))
    means, _ = least_squares(table)
    np.testing.assert_allclose(regress(sums(table)).mean, means, rtol=1e-9)


def test_the_error_of_control_is_that_of_least_squares_where_pasts_are_alike():
    """One stratum and the same past in both schemes: s^2 / n with n - 2 degrees of freedom, exactly."""
    rng = np.random.default_rng(5)
    past = rng.gamma(2, 2, 30)
    own = [1 + 0.7 * past + rng.normal(0, 2, 30) for _ in range(2)]
    table = np.concatenate([np.c_[np.full(30, j), np.zeros(30), past, own[j]] for j in range(2)])
    left = own[0] - np.polyval(np.polyfit(past, own[0], 1), past)
    found = regress(sums(table, strata=1))
    assert found.variance[0, 0] / 30 == pytest.approx((left**2).sum() / 28 / 30, rel=1e-9)


def test_errors_are_those_of_least_squares_where_slopes_are_equal():
    """Classical errors assume one variance and a known past; with 5,000 members both agree to 3 %."""
    table = rows(np.random.default_rng(6), n=((5000, 4000), (5000, 6000)), slopes=(0.9, 0.9))
    found, (_, errors) = regress(sums(table)), least_squares(table)
    np.testing.assert_allclose(np.sqrt(found.variance / sums(table).n), errors, rtol=0.03)


def test_the_error_of_a_lift_is_that_of_repeated_trials():
    """2,000 trials with slopes that differ by scheme, where the past of all members is itself a chance."""
    rng = np.random.default_rng(7)
    lifts, errors = [], []
    for _ in range(2000):
        table = rows(rng, n=((60, 60), (60, 60)), slopes=(0.5, 1.5))
        s = sums(table)
        found, weights = regress(s), s.n.sum(axis=0) / s.n.sum()
        lifts.append((found.mean[1] - found.mean[0]) @ weights)
        errors.append(((found.variance / s.n).sum(axis=0)) @ weights**2)
    truth = 0.5 + 1.0 * (4 + 5) / 2  # the past has mean 4 in the first stratum and 5 in the second
    # 2,000 trials: 2.2 % of the mean's error and 1.6 % of a standard deviation, three times over
    assert np.mean(lifts) == pytest.approx(truth, abs=3 * np.std(lifts) / np.sqrt(2000))
    assert np.sqrt(np.mean(errors)) == pytest.approx(np.std(lifts), rel=0.06)


def test_what_is_left_of_the_variance_is_one_minus_r_squared():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((2, 50_000))
    y = 0.6 * x + 0.8 * rng.standard_normal((2, 50_000))  # r = .6
    s = Crossed(
        *(
            t[:, None]
            for t in (np.full(2, 5e4), y.sum(1), (y**2).sum(1), x.sum(1), (x**2).sum(1), (x * y).sum(1))
        )
    )
    found = regress(s)
    np.testing.assert_allclose(found.explained, 0.36, atol=0.015)
    np.testing.assert_allclose(found.variance, 0.64, atol=0.015)  # 4 standard errors of a variance


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shift=st.floats(-50, 50),
    factor=st.floats(0.1, 10),
    sign=st.sampled_from([-1, 1]),
)
def test_another_unit_of_the_past_changes_nothing(seed, shift, factor, sign):
    table = rows(np.random.default_rng(seed))
    other = table.copy()
    other[:, 2] = shift + sign * factor * other[:, 2]
    one, two = regress(sums(table)), regress(sums(other))
    for name in ("mean", "variance", "explained"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.abs(two.gap / two.gap_sd), np.abs(one.gap / one.gap_sd), atol=1e-4)


@settings(deadline=None)
@given(seed=st.integers(0, 2**31))
def test_names_of_strata_and_order_of_members_change_nothing(seed):
    rng = np.random.default_rng(seed)
    table = rows(rng)
    other = rng.permutation(table)
    other[:, 1] = 1 - other[:, 1]
    one, two = regress(sums(table)), regress(sums(other))
    np.testing.assert_allclose(two.mean[:, ::-1], one.mean, rtol=1e-9)
    np.testing.assert_allclose(two.variance[:, ::-1], one.variance, rtol=1e-9)


def test_a_past_that_is_the_same_for_all_takes_nothing_away():
    table = rows(np.random.default_rng(9))
    table[:, 2] = 3
    found, s = regress(sums(table)), sums(table)
    np.testing.assert_allclose(found.mean, s.total / s.n)
    np.testing.assert_allclose(found.explained, 0)


def test_it_is_what_tea_tasting_says_up_to_its_one_slope():
    """tea-tasting adjusts both groups by one slope (Deng et al. 2013), we each by its own (Lin 2013)."""
    tea, frames = pytest.importorskip("tea_tasting"), pytest.importorskip("pandas")
    rng, n = np.random.default_rng(10), 4000
    past, group = rng.gamma(2, 2, 2 * n), np.repeat([0, 1], n)
    outcome = 3 + 0.8 * past + 0.5 * group + rng.normal(0, 2, 2 * n)
    data = frames.DataFrame({"variant": group, "y": outcome, "x": past})
    metric = tea.Mean("y", covariate="x", use_t=False, equal_var=False)
    peer = tea.Experiment({"y": metric}).analyze(data)["y"]
    table = np.c_[group, np.zeros(2 * n), past, outcome]
    s = sums(table, strata=1)
    found = regress(s)
    lift, error = (found.mean[1] - found.mean[0])[0], np.sqrt((found.variance / s.n).sum())
    # slopes differ by chance (.792 and .803 or so), and with them the lifts by far less than their error
    assert lift == pytest.approx(peer.effect_size, abs=0.02 * error)
    width = (peer.effect_size_ci_upper - peer.effect_size_ci_lower) / (2 * 1.959964)
    assert error == pytest.approx(width, rel=2e-3)
