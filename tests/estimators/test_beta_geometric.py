"""The beta-geometric family equals its published example and its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta as beta_law

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.estimators.survival.beta_geometric import (
    BetaGeometric,
    fit_beta_geometric,
    fit_beta_weibull,
)

#: Fader & Hardie (2007), J. Interactive Marketing 21(1), "High End", years 1 to 7, and their forecast.
KEPT = np.array([0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491])
NEXT = [0.460, 0.436, 0.414, 0.395, 0.378]


def counts(kept, members=1000):
    left = members * np.concatenate([[1.0], kept])
    return left[:-1] - left[1:], left[:-1]


def test_the_published_example():
    """Printed to three decimals: rounding is the tolerance."""
    fit = fit_beta_geometric(*counts(KEPT))
    assert (round(fit.alpha, 3), round(fit.beta, 3)) == (0.668, 3.806)
    assert fit.kept(np.arange(8, 13)).round(3).tolist() == NEXT
    assert not fit.alike


def test_cohorts_add_up():
    """The likelihood is a product over cohorts, so two halves are the cohort; 1e-4 is the search's."""
    lost, at_risk = counts(KEPT)
    halves = np.array([lost, lost]) / 2, np.array([at_risk, at_risk]) / 2
    one, two = fit_beta_geometric(lost, at_risk), fit_beta_geometric(*halves)
    assert (two.alpha, two.beta) == pytest.approx((one.alpha, one.beta), rel=1e-4)


def test_steps_nobody_was_seen_through_change_nothing():
    lost, at_risk = counts(KEPT)
    longer = np.append(lost, [0, 0]), np.append(at_risk, [0, 0])
    one, other = fit_beta_geometric(lost, at_risk), fit_beta_geometric(*longer)
    assert (other.alpha, other.beta) == pytest.approx((one.alpha, one.beta), rel=1e-4)


def test_the_shape_is_found_again():
    """Counts without chance from a known law: its parameters but for what a flat maximum leaves open."""
    true = BetaGeometric(1.2, 5.0, 1.4, 0.0, alike=False)
    fit = fit_beta_weibull(*counts(true.kept(np.arange(1, 13)), members=1e7))
    assert (fit.alpha, fit.beta, fit.shape) == pytest.approx((1.2, 5.0, 1.4), rel=0.01)
    plain = fit_beta_geometric(*counts(true.kept(np.arange(1, 13)), members=1e7))
    assert plain.log_likelihood < fit.log_likelihood


@settings(deadline=None, max_examples=25)
@given(alpha=st.floats(0.3, 20), beta=st.floats(0.3, 20), age=st.integers(1, 30))
def test_the_curve_is_the_mean_over_members(alpha, beta, age):
    """Integral of (1 - p)^age over the beta law; quadrature is good to 1e-7 of such smooth functions."""
    law = BetaGeometric(alpha, beta, 1.0, 0.0, alike=False)
    mean, _ = quad(lambda p: (1 - p) ** age * beta_law.pdf(p, alpha, beta), 0, 1, limit=400)
    assert float(law.kept(age)) == pytest.approx(mean, rel=1e-5, abs=1e-9)
    renewal = float(law.renewal(np.array([age]))[0])
    assert renewal == pytest.approx((beta + age - 1) / (alpha + beta + age - 1), rel=1e-9)


def test_a_constant_rate_leaves_members_alike():
    at_risk = 1000 * 0.9 ** np.arange(6)
    fit = fit_beta_geometric(0.1 * at_risk, at_risk)
    assert fit.alike
    # near its limit the law is the geometric one to how flat the likelihood is there
    assert fit.renewal(np.arange(1, 10)) == pytest.approx(np.full(9, 0.9), abs=2e-3)


def test_the_mean_is_defined_only_above_alpha_1():
    fit = fit_beta_geometric(*counts(KEPT))
    with pytest.raises(UndefinedError, match="infinite"):
        fit.mean()
    with pytest.raises(UndefinedError, match="shape 1 only"):
        BetaGeometric(3.0, 4.0, 1.2, 0.0, alike=False).mean()
    law = BetaGeometric(5.0, 6.0, 1.0, 0.0, alike=False)
    steps = np.arange(100_000)
    # steps begun: the sum of S from age 0; what lies beyond 100,000 steps is below 1e-12
    assert law.mean() == pytest.approx(float(law.kept(steps).sum()), rel=1e-9)


def test_time_still_to_come_is_the_area_ahead():
    law = BetaGeometric(1.0, 1.0, 1.0, 0.0, alike=False)  # S(age) = 1 / (1 + age)
    assert law.remaining(0, within=2) == pytest.approx((1 + 1 / 2) / 2 + (1 / 2 + 1 / 3) / 2)
    assert law.remaining(1, within=1) == pytest.approx((1 + 2 / 3) / 2)
    with pytest.raises(ParameterError):
        law.remaining(0, within=0)


def test_nothing_to_fit_is_said():
    with pytest.raises(UndefinedError, match="Nobody is lost"):
        fit_beta_geometric(np.zeros(3), np.full(3, 10.0))
    with pytest.raises(UndefinedError, match="Nobody is lost"):
        fit_beta_geometric(np.array([10.0]), np.array([10.0]))
    with pytest.raises(UndefinedError, match="3 unknowns"):
        fit_beta_weibull(np.array([1.0, 1.0]), np.array([10.0, 9.0]))
    with pytest.raises(UndefinedError, match="from 1"):
        BetaGeometric(1.0, 1.0, 1.0, 0.0, alike=False).renewal([0])


def test_the_mean_is_infinite_from_alpha_one_down():
    with pytest.raises(UndefinedError, match="infinite"):
        BetaGeometric(1.0, 5.0, 1.0, 0.0, alike=False).mean()
