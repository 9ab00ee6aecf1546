"""Ratios of two means beside rows, the delta method and Fieller's bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import UndefinedError
from sojourn.estimators.bayes.ratios import TwoMeans, two_means


def rows(members=800, seed=1):
    rng = np.random.default_rng(seed)
    bottom = rng.negative_binomial(1.2, 0.12, members).astype(float)
    return 3 * bottom * rng.gamma(2, 0.5, members) + rng.gamma(1, 1, members), bottom


def sums(top, bottom):
    parts = (top, bottom, top**2, bottom**2, top * bottom)
    names = ("top", "bottom", "top_sq", "bottom_sq", "cross")
    return {name: np.array([part.sum()]) for name, part in zip(names, parts, strict=True)}


def test_sums_give_the_covariance_of_the_rows():
    top, bottom = rows()
    made = two_means(np.array([800.0]), sums(top, bottom), np.ones(1))
    covariance = np.cov(top, bottom) / 800
    found = [[made.top_variance, made.covariance], [made.covariance, made.bottom_variance]]
    np.testing.assert_allclose(found, covariance, rtol=1e-10)
    assert made.ratio == pytest.approx(top.sum() / bottom.sum())


def test_the_delta_method_is_the_variance_of_the_residuals():
    """Cochran (1977): that of top - ratio * bottom, over n and the squared mean of bottoms."""
    top, bottom = rows()
    made = two_means(np.array([800.0]), sums(top, bottom), np.ones(1))
    residual = top - made.ratio * bottom
    assert made.variance == pytest.approx(residual.var(ddof=1) / 800 / bottom.mean() ** 2, rel=1e-10)


@settings(deadline=None, max_examples=15)
@given(st.floats(-3, 3), st.floats(6, 40), st.floats(-0.9, 0.9))
def test_bounds_are_the_quantiles_of_the_draws(top, errors, correlation):
    """With denominators from 6 standard errors above 0 on, in units of their standard error."""
    means = TwoMeans(top, errors, 0.8, 1.0, correlation * np.sqrt(0.8))
    drawn = means.draw(100_000, rng=np.random.default_rng(2))
    low, high = means.bounds(0.9)
    # simulation error of a tail of .05: .0007; denominators below 0 are rarer than 1e-9
    assert (drawn < low).mean() == pytest.approx(0.05, abs=0.003)
    assert (drawn > high).mean() == pytest.approx(0.05, abs=0.003)


def test_strata_are_averaged_part_by_part():
    (a, b), (c, d) = rows(500, 3), rows(300, 4)
    parts = {name: np.r_[one, sums(c, d)[name]] for name, one in sums(a, b).items()}
    made = two_means(np.array([500.0, 300]), parts, np.array([0.25, 0.75]))
    assert made.top == pytest.approx(0.25 * a.mean() + 0.75 * c.mean())
    assert made.bottom == pytest.approx(0.25 * b.mean() + 0.75 * d.mean())
    variance = 0.25**2 * b.var(ddof=1) / 500 + 0.75**2 * d.var(ddof=1) / 300
    assert made.bottom_variance == pytest.approx(variance, rel=1e-10)


@pytest.mark.parametrize("bottom", [0.0, -2.0, 0.05])
def test_a_denominator_near_zero_is_an_error(bottom):
    with pytest.raises(UndefinedError, match=r"denominator is .* within 5 standard errors of 0"):
        TwoMeans(1.0, bottom, 0.01, 0.01**2, 0.0)


def test_a_denominator_that_never_varies_divides():
    means = TwoMeans(3.0, 2.0, 0.04, 0.0, 0.0)
    drawn = means.draw(50_000, rng=np.random.default_rng(5))
    assert means.variance == pytest.approx(0.01)
    assert drawn.std() == pytest.approx(0.1, rel=0.02)  # simulation error .003
