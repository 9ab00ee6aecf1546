"""Counts beside quadrature, other libraries and the rows themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from sojourn.estimators.bayes import counts
from sojourn.estimators.bayes.counts import (
    Histogram,
    distances,
    draw_means,
    fit_counts,
    log_posterior,
    share_up_to,
)


def histogram(rows):
    count, n = np.unique(rows, return_counts=True)
    return Histogram(count.astype(float), n.astype(float))


def drawn(mean, size, members, seed=1):
    return np.random.default_rng(seed).negative_binomial(size, size / (size + mean), members)


def test_a_histogram_knows_what_the_rows_know():
    """The likelihood of the cells is that of the rows, to 1e-10 (STATISTICS 2); constants drop out."""
    rows = drawn(8, 1.3, 400)
    at, other = np.log([7.0, 1.1]), np.log([9.0, 2.0])

    def by_row(x):
        mean, size = np.exp(x)
        prior = -(x[0] ** 2) / (2 * counts.MEAN_SD**2) - x[1] ** 2 / (2 * counts.SIZE_SD**2)
        return stats.nbinom.logpmf(rows, size, size / (size + mean)).sum() + prior

    cells = log_posterior(at, histogram(rows)) - log_posterior(other, histogram(rows))
    assert cells == pytest.approx(by_row(at) - by_row(other), rel=1e-10)


@settings(deadline=None, max_examples=25)
@given(st.floats(-1, 3), st.floats(-1.5, 3), st.integers(0, 99))
def test_derivatives_are_those_of_the_posterior(log_mean, log_size, seed):
    seen, at = histogram(drawn(6, 1.0, 60, seed)), np.array([log_mean, log_size])
    slope = optimize.approx_fprime(at, lambda x: log_posterior(x, seen), 1e-6)
    # forward differences with steps of 1e-6 are exact to about 1e-6 of the curvature
    np.testing.assert_allclose(counts._slope(at, seen), slope, rtol=2e-4, atol=2e-3)
    curvature = np.array(
        [optimize.approx_fprime(at, lambda x, i=i: counts._slope(x, seen)[i], 1e-6) for i in (0, 1)]
    )
    np.testing.assert_allclose(counts._curvature(at, seen), curvature, rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize(("mean", "size", "members"), [(10, 1.2, 60), (3, 0.5, 300), (0.4, 2.0, 500)])
def test_the_mean_has_the_posterior_found_by_quadrature(mean, size, members):
    seen = histogram(drawn(mean, size, members))
    fit = fit_counts(seen)
    reach = 8 * np.sqrt(np.diag(fit.covariance))
    axes = [np.linspace(fit.mode[i] - reach[i], fit.mode[i] + reach[i], 241) for i in (0, 1)]
    height = np.array([[log_posterior(np.array([a, b]), seen) for b in axes[1]] for a in axes[0]])
    weight = np.exp(height - height.max()).sum(axis=1)
    weight /= weight.sum()
    exact = float(np.exp(axes[0]) @ weight)
    spread = float(np.sqrt(np.exp(axes[0]) ** 2 @ weight - exact**2))
    means = fit.draw(100_000, rng=np.random.default_rng(2))[0]
    # Laplace's error is of order 1 / members; a tenth of a standard deviation, 5 % of its size
    assert means.mean() == pytest.approx(exact, abs=0.1 * spread)
    assert means.std() == pytest.approx(spread, rel=0.08)


def test_shares_are_those_of_scipy():
    count = np.array([-1.0, 0, 1, 5, 40])
    ours = share_up_to(count, np.array(7.0), np.array(1.3))
    np.testing.assert_allclose(ours, stats.nbinom.cdf(count, 1.3, 1.3 / 8.3), rtol=1e-12, atol=1e-15)


def p_of(rows, seed=3):
    seen = histogram(rows)
    observed, replicated = distances(seen, fit_counts(seen), 2_000, rng=np.random.default_rng(seed))
    return (replicated >= observed).mean()


def test_counts_of_the_law_fit_and_others_do_not():
    # 40 worlds at a level of 1 %: more than three alarms have a probability below 1e-3
    found = [p_of(drawn(8, 1.3, 1_500, seed)) for seed in range(40)]
    assert sum(p < 0.01 for p in found) <= 3
    rng = np.random.default_rng(4)
    rows = np.minimum(drawn(15, 1.0, 1_500), 30) * (rng.random(1_500) < 0.7)
    assert p_of(rows) < 0.001


def test_without_a_law_the_mean_is_as_counted():
    """Rubin's bootstrap: mean of the counts, variance theirs over n + 1."""
    rows = drawn(8, 0.4, 700)
    means = draw_means(histogram(rows), 100_000, rng=np.random.default_rng(5))
    sd = np.sqrt(rows.var() / 701)
    assert means.mean() == pytest.approx(rows.mean(), abs=4 * sd / np.sqrt(100_000))
    assert means.std() == pytest.approx(sd, rel=0.01)  # simulation error .0022


@pytest.mark.parametrize("rows", [np.zeros(30, int), np.r_[np.zeros(29, int), 1], np.full(40, 7)])
def test_extreme_counts_have_a_posterior(rows):
    means, sizes = fit_counts(histogram(rows)).draw(1_000, rng=np.random.default_rng(6))
    assert np.isfinite(means).all()
    assert np.isfinite(sizes).all()
    assert abs(np.median(means) - rows.mean()) < 0.7


def test_moments_of_a_histogram_are_those_of_the_rows():
    rows = drawn(5, 1.0, 300)
    seen = histogram(rows)
    assert (seen.members, seen.mean) == (300, pytest.approx(rows.mean()))
    assert seen.variance == pytest.approx(rows.var())
