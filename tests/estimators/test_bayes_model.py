"""The model on cells says what the members say one by one, and is the same however cells are laid out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.estimators.bayes.model import CellData, ModelPrior, deviations, expit, make_design

SHAPE = (3, 2)
etas = st.lists(st.floats(-6, 6), min_size=6, max_size=6).map(lambda x: np.array(x).reshape(SHAPE))


@settings(deadline=None)
@given(
    n=st.lists(st.integers(1, 40), min_size=6, max_size=6),
    share=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    eta=etas,
    other=etas,
)
def test_binary_cells_are_as_likely_as_their_members(n, share, eta, other):
    """Members are Bernoulli trials; the cell may differ by a constant only, so differences are compared."""
    n = np.array(n).reshape(SHAPE)
    k = np.floor(n * np.array(share).reshape(SHAPE)).astype(int)

    def by_member(at):
        p = expit(at)
        rows = [
            stats.bernoulli.logpmf(y, p[i])
            for i in np.ndindex(SHAPE)
            for y in [1] * k[i] + [0] * (n[i] - k[i])
        ]
        return float(np.sum(rows))

    data = CellData.binary(n, k)
    cells = data.log_likelihood(eta) - data.log_likelihood(other)
    # 1e-10 of the size of the sums (STATISTICS 2)
    assert cells == pytest.approx(by_member(eta) - by_member(other), rel=1e-10, abs=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 2**31), eta=etas, other=etas)
def test_value_cells_are_as_likely_as_their_members(seed, eta, other):
    rng = np.random.default_rng(seed)
    n, sd = rng.integers(2, 30, SHAPE), rng.uniform(0.5, 3, SHAPE)
    values = {i: rng.normal(1, 2, n[i]) for i in np.ndindex(SHAPE)}

    def by_member(at):
        return sum(stats.norm.logpdf(values[i], at[i], sd[i]).sum() for i in np.ndindex(SHAPE))

    mean = np.array([values[i].mean() for i in np.ndindex(SHAPE)]).reshape(SHAPE)
    data = CellData.value(mean, sd**2 / n, np.full(2, 0.5))
    cells = data.log_likelihood(eta) - data.log_likelihood(other)
    assert cells == pytest.approx(by_member(eta) - by_member(other), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("binary", [True, False])
def test_derivatives_are_those_of_the_likelihood(binary):
    rng = np.random.default_rng(1)
    n = np.full(SHAPE, 50.0)
    data = (
        CellData.binary(n, n * 0.3)
        if binary
        else CellData.value(rng.normal(size=SHAPE), 1 / n, np.full(2, 0.5))
    )
    eta, step = rng.normal(size=SHAPE), 1e-4
    for i in np.ndindex(SHAPE):
        move = np.zeros(SHAPE)
        move[i] = step
        up, here, down = (data.log_likelihood(eta + s * move) for s in (1, 0, -1))
        # central differences of a smooth function: error of order step^2 and rounding / step^2
        assert (up - down) / (2 * step) == pytest.approx(data.slope(eta)[i], abs=1e-5)
        assert -(up - 2 * here + down) / step**2 == pytest.approx(data.weight(eta)[i], rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.5], [0.1, 0.2, 0.3, 0.35, 0.05]])
def test_deviations_have_weighted_mean_zero_and_differ_alike(weights):
    weights = np.array(weights)
    basis, size = deviations(weights), weights.size
    assert basis.shape == (size, size - 1)
    np.testing.assert_allclose(weights @ basis, 0, atol=1e-12)
    covariance = basis @ basis.T
    apart = np.diag(covariance)[:, None] + np.diag(covariance) - 2 * covariance
    np.testing.assert_allclose(apart, 2 * (1 - np.eye(size)), atol=1e-12)


def test_the_design_adds_base_lift_and_deviation():
    prior = ModelPrior(base_mean=-1, base_sd=2, lift_mean=0.1, lift_sd=0.5, scale=0.2)
    design = make_design(2, np.array([0.75, 0.25]), prior)
    z = np.array([0.3, -0.4, 1.5, 2.0])  # two bases, one lift, one deviation
    eta = (design.offset + design.matrix(0.7) @ z).reshape(2, 2)
    apart = 0.7 * 2.0 * np.sqrt(2)  # of both strata, whatever their sizes
    np.testing.assert_allclose(eta[0], [-1 + 2 * 0.3, -1 - 2 * 0.4])
    np.testing.assert_allclose(eta[1] - eta[0], [0.85 + 0.25 * apart, 0.85 - 0.75 * apart])


def test_expit_does_not_overflow():
    np.testing.assert_allclose(expit(np.array([-800.0, 0.0, 800.0])), [0.0, 0.5, 1.0])
