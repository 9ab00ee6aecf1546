"""The coordinates of the sampler change nothing: same density, and standard normal where they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.estimators.bayes.coordinates import coordinates
from sojourn.estimators.bayes.model import CellData, ModelPrior, make_design

PRIOR = ModelPrior(base_mean=-1.4, base_sd=1.5, lift_mean=0.05, lift_sd=0.2, scale=0.1)
N = np.array([[900.0, 400.0, 30.0], [850.0, 450.0, 20.0], [100.0, 90.0, 10.0]])
BINARY = CellData.binary(N, np.round(N * np.array([[0.2, 0.3, 0.1], [0.25, 0.2, 0.0], [0.2, 0.3, 1.0]])))
VALUE = CellData.value(
    np.array([[2.0, 3.0], [2.3, 2.9]]), np.array([[0.01, 0.03], [0.01, 0.03]]), np.array([0.7, 0.3])
)
VALUE_PRIOR = ModelPrior(base_mean=2.5, base_sd=2.0, lift_mean=0.0, lift_sd=0.4, scale=0.2)


def unit(data, prior, z, tau):
    """Return u of a point of the model as it is written down: the inverse of the change, by least squares."""
    at, design = coordinates(data, prior), make_design(data.shape[0], data.weights, prior)
    eta = design.offset + design.matrix(prior.scale * tau) @ z
    x = np.linalg.solve(at.to_cells, eta - at.offset)
    variance = tau**2 / (tau**2 * (1 - at.kept) + at.kept)
    return at, eta, (x - variance * at.pull) / np.sqrt(variance)


def log_density(data, at, u, tau, eta):
    """Return the density of u and t as the head of `coordinates` states it."""
    variance = tau**2 / (tau**2 * (1 - at.kept) + at.kept)
    change = (variance * at.pull**2 + np.log(variance)).sum() / 2 - at.deviations * np.log(tau)
    rest = data.log_likelihood(eta.reshape(data.shape)) + at.weight @ (eta - at.seen) ** 2 / 2
    return -u @ u / 2 + change - tau**2 / 2 + rest


@pytest.mark.parametrize(("data", "prior"), [(BINARY, PRIOR), (VALUE, VALUE_PRIOR)], ids=["binary", "value"])
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31))
def test_the_density_is_that_of_the_model_as_it_is_written_down(data, prior, seed):
    """Densities of two points differ as in standard normals z, by the determinants of both maps to cells."""
    rng = np.random.default_rng(seed)
    design, found, expected = make_design(data.shape[0], data.weights, prior), [], []
    for tau in np.exp(rng.normal(0, 1, 2)):
        z = rng.standard_normal(design.unknowns)
        at, eta, u = unit(data, prior, z, tau)
        np.testing.assert_allclose(at.eta(u[None], np.array([tau]))[0], eta, rtol=1e-9, atol=1e-9)
        variance = tau**2 / (tau**2 * (1 - at.kept) + at.kept)
        of_map = np.linalg.slogdet(at.to_cells * np.sqrt(variance))[1]
        of_model = np.linalg.slogdet(design.matrix(prior.scale * tau))[1]
        found.append(log_density(data, at, u, tau, eta) - of_map)
        plain = data.log_likelihood(eta.reshape(data.shape)) - z @ z / 2 - tau**2 / 2
        expected.append(plain - of_model)
    # sums of about 1e3 in double precision, through one linear solve
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], rel=1e-8, abs=1e-7)


def test_values_are_standard_normal_and_independent_of_the_scale():
    """Given the scale the posterior of u is standard normal: the change alone has the density of tau."""
    at = coordinates(VALUE, VALUE_PRIOR)
    rng = np.random.default_rng(3)
    for tau in (0.1, 1.0, 3.0):
        u = rng.standard_normal((6, 4))
        heights = [log_density(VALUE, at, one, tau, at.eta(one[None], np.array([tau]))[0]) for one in u]
        np.testing.assert_allclose(np.diff(heights), np.diff(stats.norm.logpdf(u).sum(axis=1)), atol=1e-9)


def test_one_stratum_has_no_deviations():
    one = CellData.binary(N[:, :1], np.round(N[:, :1] * 0.2))
    at = coordinates(one, PRIOR)
    assert at.deviations == 0
    np.testing.assert_array_equal(at.kept, 0)


def test_deviations_are_kept_by_their_prior_where_nobody_was_counted():
    few = CellData.binary(np.full((2, 3), 2.0), np.ones((2, 3)))
    many = CellData.binary(np.full((2, 3), 2e6), np.full((2, 3), 1e6))
    assert coordinates(few, PRIOR).kept[-2:].min() > 0.95
    assert coordinates(many, PRIOR).kept.max() < 0.01
