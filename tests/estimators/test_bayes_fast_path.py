"""The fast path beside closed forms, and the laws that it has to keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from sojourn.core.errors import ConvergenceError
from sojourn.estimators.bayes import laplace
from sojourn.estimators.bayes.closed_form import against_control, p_best
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, expit

WIDE = ModelPrior(base_mean=-1.5, base_sd=10, lift_mean=0, lift_sd=10, scale=0.1)


def some_cells(rng, schemes=4, strata=3, size=900):
    n = rng.integers(size // 2, size, (schemes, strata)).astype(float)
    p = expit(rng.normal(-1.5, 0.3, strata) + rng.normal(0, 0.15, (schemes, 1)))
    return CellData.binary(n, rng.binomial(n.astype(int), p).astype(float))


PRIOR = ModelPrior(base_mean=-1.5, base_sd=1.5, lift_mean=0.05, lift_sd=0.2, scale=0.1)


@pytest.mark.parametrize(
    ("k", "n"), [((100, 130), (1000, 1000)), ((30, 25), (400, 350)), ((8502, 8279), (44700, 45489))]
)
def test_two_arms_agree_with_the_exact_beta_binomial(k, n):
    """Flat on the share and wide on the log-odds differ by about a success per arm: .01 at 30 successes."""
    first, second = (stats.beta(1 + a, 1 + b - a) for a, b in zip(k, n, strict=True))
    low, high = first.ppf([1e-9, 1 - 1e-9])
    exact = integrate.quad(lambda x: first.pdf(x) * second.sf(x), low, high, limit=400, epsabs=1e-9)[0]
    data = CellData.binary(np.array(n, float)[:, None], np.array(k, float)[:, None])
    p = expit(fit(data, WIDE).draw(200_000, rng=np.random.default_rng(1))[..., 0])
    # simulation error of 200,000 draws is .001
    assert (p[:, 1] > p[:, 0]).mean() == pytest.approx(exact, abs=0.012)
    assert (p[:, 1] - p[:, 0]).mean() == pytest.approx(second.mean() - first.mean(), abs=1e-3)


def test_one_stratum_of_values_is_the_conjugate_normal():
    """Exact: y = (a, a + d), a and d normal, variances known; by the rule of conditioning."""
    y, v = np.array([2.0, 2.6]), np.array([0.04, 0.09])
    prior = ModelPrior(base_mean=1.0, base_sd=3.0, lift_mean=0.1, lift_sd=0.5, scale=1.0)
    mapped = np.array([[1.0, 0.0], [1.0, 1.0]])
    mean, covariance = np.array([1.0, 0.1]), np.diag([9.0, 0.25])
    gain = covariance @ mapped.T @ np.linalg.inv(mapped @ covariance @ mapped.T + np.diag(v))
    exact = mean + gain @ (y - mapped @ mean)
    spread = covariance - gain @ mapped @ covariance
    found, around = fit(CellData.value(y[:, None], v[:, None], np.ones(1)), prior).moments()
    np.testing.assert_allclose(found, mapped @ exact, rtol=1e-9)
    np.testing.assert_allclose(around, mapped @ spread @ mapped.T, rtol=1e-9)


def test_the_scale_is_integrated_as_by_numerical_integration():
    """For values the evidence of y given tau is a normal density: integrate over tau."""
    rng = np.random.default_rng(5)
    y, v = rng.normal(0, 0.4, (2, 3)), np.full((2, 3), 0.02)
    prior = ModelPrior(base_mean=0, base_sd=1, lift_mean=0, lift_sd=0.3, scale=0.3)
    mixture = fit(CellData.value(y, v, np.array([0.2, 0.3, 0.5])), prior)
    design = mixture.design

    def weighted(tau, power):
        matrix = design.matrix(tau)
        covariance = matrix @ matrix.T + np.diag(v.ravel())
        density = stats.multivariate_normal(design.offset, covariance).pdf(y.ravel())
        return density * stats.halfnorm(scale=prior.scale).pdf(tau) * tau**power

    top, bottom = (integrate.quad(weighted, 0, 2.4, args=(power,), epsrel=1e-9)[0] for power in (1, 0))
    grid = sum(m.tau * w for m, w in zip(mixture.modes, mixture.weights, strict=True))
    # trapezium rule on 41 uneven points
    assert grid == pytest.approx(top / bottom, rel=0.005)


def test_draws_have_the_moments_of_the_mixture():
    mixture = fit(some_cells(np.random.default_rng(2)), PRIOR)
    mean, covariance = mixture.moments()
    drawn = mixture.draw(100_000, rng=np.random.default_rng(3)).reshape(100_000, -1)
    sd = np.sqrt(np.diag(covariance))
    # 5 standard errors of a mean and of a standard deviation
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=float(5 * sd.max() / np.sqrt(100_000)))
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=5 / np.sqrt(2 * 100_000))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31))
def test_names_of_schemes_and_strata_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    data = some_cells(rng)
    schemes = np.r_[0, 1 + rng.permutation(3)]
    strata = rng.permutation(3)
    where = np.ix_(schemes, strata)
    renamed = CellData.binary(data.n[where], data.k[where])
    mean, covariance = fit(data, PRIOR).moments()
    other, around = fit(renamed, PRIOR).moments()
    order = np.arange(12).reshape(4, 3)[where].ravel()
    np.testing.assert_allclose(other, mean[order], atol=1e-7)
    np.testing.assert_allclose(around, covariance[np.ix_(order, order)], atol=1e-7)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31))
def test_twice_the_members_narrow_every_cell(seed):
    data = some_cells(np.random.default_rng(seed))
    once = fit(data, PRIOR).moments()[1]
    twice = fit(CellData.binary(2 * data.n, 2 * data.k), PRIOR).moments()[1]
    assert (np.diag(twice) < np.diag(once)).all()


def test_pooling_draws_strata_towards_each_other():
    n = np.full((2, 4), 300.0)
    data = CellData.binary(n, n * np.array([[0.2] * 4, [0.16, 0.2, 0.24, 0.30]]))
    mean, _ = fit(data, PRIOR).moments()
    lift = mean.reshape(2, 4)[1] - mean.reshape(2, 4)[0]
    raw = np.log(data.k / (n - data.k))
    assert np.ptp(lift) < 0.6 * np.ptp(raw[1] - raw[0])


def test_a_mode_that_is_not_found_is_no_answer(monkeypatch):
    monkeypatch.setattr(laplace, "_NEWTON_STEPS", 1)
    with pytest.raises(ConvergenceError, match="no mode within 1 steps"):
        fit(some_cells(np.random.default_rng(0)), PRIOR)


def test_a_lift_is_conditioned_on_control_and_its_own_scheme():
    """Against the rule of conditioning, with the level of control nearly flat; pair by pair."""
    means, variances = np.array([1.0, 1.4, 0.7]), np.array([0.02, 0.05, 0.03])
    mapped, prior, covariance = np.array([[1.0, 0], [1.0, 1]]), np.array([0.0, 0.1]), np.diag([1e6, 0.09])
    mean, sd = against_control(means, variances, lift_mean=0.1, lift_sd=0.3)
    for scheme in (1, 2):
        of = [0, scheme]
        gain = covariance @ mapped.T @ np.linalg.inv(mapped @ covariance @ mapped.T + np.diag(variances[of]))
        exact = prior + gain @ (means[of] - mapped @ prior)
        spread = np.sqrt(np.diag(covariance - gain @ mapped @ covariance))
        np.testing.assert_allclose(mean[scheme - 1], exact[1], rtol=1e-6)
        np.testing.assert_allclose(sd[scheme - 1], spread[1], rtol=1e-5)


def test_the_chance_to_be_best():
    """Equal arms share it; two arms have the closed form; all chances together are one."""
    np.testing.assert_allclose(p_best(np.zeros((1, 5)), np.ones((1, 5))), np.full((1, 5), 0.2), atol=1e-6)
    means, sds = np.array([[0.0, 0.5]]), np.array([[1.0, 0.7]])
    exact = stats.norm.cdf(0.5 / np.hypot(1.0, 0.7))
    assert p_best(means, sds)[0, 1] == pytest.approx(exact, abs=1e-5)
    rng = np.random.default_rng(4)
    chances = p_best(rng.normal(size=(50, 4)), rng.uniform(0.5, 2, (50, 4)))
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=2e-3)  # 48 nodes, widths up to 1 : 4
