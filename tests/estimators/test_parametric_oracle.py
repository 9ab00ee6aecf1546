"""Equal to survreg of R: `tests/oracles/parametric.R` made the numbers, its session stands beside it.

Tolerance 1e-8, relative, of log-likelihoods, locations and scales. R stops when the log-likelihood changes by
less than 1e-13 of itself; Newton's last step then leaves parameters right to about 1e-9 of a standard error.
Covariances are second derivatives of survreg at the same place: 1e-6.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn.estimators.survival.interval_cells import IntervalCells
from sojourn.estimators.survival.parametric import MODELS, fit_lifetime

RTOL = 1e-8
ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "parametric.json").read_text())
SEEN = [(name, kind, model) for name in ORACLE for kind in ("exact", "spans") for model in MODELS[:-1]]


def numbers(values, missing):
    return np.array([missing if value is None else value for value in values], dtype=float)


def cells_of(name: str, kind: str) -> IntervalCells:
    data = ORACLE[name][kind]
    n = np.array(data["n"], dtype=float)
    joined = np.full(len(n), -1.0)
    if kind == "spans":
        return IntervalCells(np.array(data["left"]), numbers(data["right"], np.inf), joined, n)
    time = np.array(data["time"], dtype=float)
    return IntervalCells(time, np.where(np.array(data["event"]) == 1, time, np.inf), joined, n)


@pytest.mark.parametrize(("name", "kind", "model"), SEEN)
def test_fits_equal_survreg(name, kind, model):
    expected = ORACLE[name][kind]["fits"][model]
    fit = fit_lifetime(model, cells_of(name, kind))
    assert fit.loglik == pytest.approx(expected["loglik"], rel=RTOL)
    assert fit.parameters["location"] == pytest.approx(expected["location"], rel=RTOL)
    assert fit.parameters["scale"] == pytest.approx(expected["scale"], rel=RTOL)
    size = 1 if model == "exponential" else 2
    theirs = np.reshape(expected["covariance"], (size, size))
    np.testing.assert_allclose(fit.covariance[1 : size + 1, 1 : size + 1], theirs, rtol=1e-6, atol=1e-12)
