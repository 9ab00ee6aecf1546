"""The sampled posterior: that of the fast path, and the same bytes with cold and warm compile caches."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sojourn.estimators.bayes.graph import build, sample
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, make_design

PROJECT = Path(__file__).resolve().parents[2]
PRIOR = ModelPrior(base_mean=-1.4, base_sd=1.5, lift_mean=0.05, lift_sd=0.2, scale=0.1)
N = np.array([[900.0, 400.0], [850.0, 450.0]])
BINARY = CellData.binary(N, np.array([[180.0, 90.0], [200.0, 95.0]]))
VALUE = CellData.value(
    np.array([[2.0, 3.0], [2.3, 2.9]]), np.array([[0.01, 0.03], [0.01, 0.03]]), np.array([0.7, 0.3])
)
VALUE_PRIOR = ModelPrior(base_mean=2.5, base_sd=2.0, lift_mean=0.0, lift_sd=0.4, scale=0.2)


@pytest.fixture(scope="module")
def sampled():
    return {"binary": sample(BINARY, PRIOR, seed=1), "value": sample(VALUE, VALUE_PRIOR, seed=1)}


@pytest.mark.parametrize(
    ("kind", "data", "prior"), [("binary", BINARY, PRIOR), ("value", VALUE, VALUE_PRIOR)]
)
def test_it_converges_to_the_fast_path(sampled, kind, data, prior):
    drawn = sampled[kind]
    assert drawn.r_hat < 1.01
    assert drawn.ess_bulk >= 400
    assert drawn.divergences == 0
    mean, covariance = fit(data, prior).moments()
    sd = np.sqrt(np.diag(covariance))
    eta = drawn.eta.reshape(len(drawn.eta), -1)
    # at an effective size of 3,000 the mean is known to .02 sd; 5 errors, and .03 for the approximation
    np.testing.assert_array_less(np.abs(eta.mean(axis=0) - mean) / sd, 0.13)
    np.testing.assert_allclose(eta.std(axis=0), sd, rtol=0.08)


def test_the_same_seed_gives_the_same_draws_and_another_other_ones(sampled):
    again, other = sample(BINARY, PRIOR, seed=1), sample(BINARY, PRIOR, seed=2)
    np.testing.assert_array_equal(again.eta, sampled["binary"].eta)
    assert not np.array_equal(other.eta, again.eta)


def test_the_graph_has_the_density_of_the_cells():
    """The potential of the PyMC model is the likelihood of `CellData`, to 1e-10."""
    import pymc as pm

    model = build(2, 2)
    design = make_design(2, BINARY.weights, PRIOR)
    inputs = {name: getattr(BINARY, name).ravel() for name in ("n", "k", "mean", "precision")}
    maps = {"offset": design.offset, "fixed": design.fixed, "deviation": design.deviation}
    with model:
        pm.set_data({**inputs, **maps, "scale": np.float64(PRIOR.scale)})
    likelihood = model.compile_fn(model.potentiallogp, inputs=model.value_vars, mode="FAST_COMPILE")
    z, tau = np.array([0.3, -0.4, 0.8, 1.1]), 0.6
    eta = (design.offset + design.matrix(PRIOR.scale * tau) @ z).reshape(2, 2)
    found = likelihood({"z": z, "tau_log__": np.log(tau)})
    assert float(found) == pytest.approx(BINARY.log_likelihood(eta), rel=1e-10)


_SCRIPT = """
import hashlib, numpy as np
from sojourn.estimators.bayes.graph import sample
from sojourn.estimators.bayes.model import CellData, ModelPrior
n = np.array([[900.0], [850.0]])
data = CellData.binary(n, np.array([[180.0], [200.0]]))
drawn = sample(data, ModelPrior(-1.4, 1.5, 0.05, 0.2, 0.1), seed=7)
print(hashlib.sha256(drawn.eta.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_cold_and_warm_compile_caches_give_the_same_draws(tmp_path):
    environment = {
        **os.environ,
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "PYTHONPATH": str(PROJECT / "src"),
    }
    hashes = []
    for _ in ("cold", "warm"):
        ran = subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        hashes.append(ran.stdout.split()[-1])
    assert list((tmp_path / "pytensor").rglob("*")), "the first run must have filled its own cache"
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == len(hashlib.sha256().hexdigest())
