"""Smooth hazards equal mgcv of R, and age-period-cohort models equal glm, on published data."""

import json
from pathlib import Path

import numpy as np
import pytest

import sojourn.estimators.survival.age_period_cohort as apc
from sojourn.estimators.survival import smooth_hazard
from sojourn.estimators.survival.smooth_hazard import penalised, spline

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "when.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["lung", "colon"])
def fitted(request, monkeypatch):
    """Return R's numbers and ours, at three smoothing parameters."""
    monkeypatch.setattr(smooth_hazard, "_RIDGE", 0.0)  # mgcv knows none; it moves the curve by 1e-5
    told = {name: np.array(value) for name, value in ORACLE["splines"][request.param].items()}
    longest = len(told["at_risk"])
    columns = spline(np.arange(longest) + 0.5, longest)
    start = np.full(columns.shape[1], np.log(told["churned"].sum() / told["at_risk"].sum()))
    fits = [penalised(columns, told["at_risk"], told["churned"], at, start) for at in told["smoothing"]]
    return told, columns, fits


def test_the_curve_is_that_of_mgcv(fitted):
    told, columns, fits = fitted
    ours = np.concatenate([columns @ fit.coefficients for fit in fits])
    # both iterate until steps are small; what is left of the smaller one is below 1e-6
    assert ours == pytest.approx(told["log_hazard"], abs=1e-6)


def test_its_standard_error_is_that_of_mgcv(fitted):
    # we take the expected information, mgcv the observed one: they differ where few are at risk
    told, columns, fits = fitted
    roots = [np.linalg.solve(fit.factor, columns.T) for fit in fits]
    ours = np.concatenate([np.sqrt((root**2).sum(axis=0)) for root in roots])
    assert ours == pytest.approx(told["se"], rel=5e-3)


def test_its_degrees_of_freedom_are_those_of_mgcv(fitted):
    told, _, fits = fitted
    assert [fit.edf for fit in fits] == pytest.approx(told["edf"], rel=5e-3)


def test_the_evidence_tells_smoothing_parameters_apart_as_reml_does(fitted):
    # differences of several units of log likelihood; expected against observed information, as above
    told, _, fits = fitted
    ours = np.array([-fit.evidence for fit in fits])
    assert np.diff(ours) == pytest.approx(np.diff(told["reml"]), abs=0.01)


@pytest.fixture
def triangle(monkeypatch):
    """Return a published triangle, with every cell wholly in its calendar month as glm takes it."""
    monkeypatch.setattr(apc, "SPREAD", (0.0, 1.0, 0.0))
    monkeypatch.setattr(apc, "SPREAD_FIRST", (0.0, 1.0, 0.0))
    monkeypatch.setattr(apc, "ALPHA", 0.0)  # no month is set apart: glm knows no such thing
    told = ORACLE["triangle"]
    cells = [np.array(told[name]) for name in ("cohort", "age", "churned", "exposure")]
    found = apc.age_period_cohort(apc.MonthCells(cells[0], cells[1], cells[2] * 1.0, cells[3] * 1.0))
    return told, found


def test_the_triangle_is_the_published_one(triangle):
    told, _ = triangle
    # Pearson's chi-square of the chain ladder over 36 degrees of freedom is the published 52,601
    # (England & Verrall 2002, Br. Actuar. J. 8, 443-518, table of results for these data)
    assert told["pearson_chain_ladder"] / 36 == pytest.approx(52_601, abs=1)


def test_dispersion_and_tests_are_those_of_glm(triangle):
    told, found = triangle
    assert found.dispersion == pytest.approx(told["pearson"] / told["df"], rel=1e-8)
    for axis, test in found.tests.items():
        dropped = (told[f"without_{axis}"] - told["deviance"]) / found.dispersion
        assert test.statistic == pytest.approx(dropped, rel=1e-7)  # differences of deviances of 1e7
        assert test.df == 8


def test_bends_are_those_of_glm(triangle):
    told, found = triangle
    assert np.diff(found.period.departure, 2) == pytest.approx(told["period_bends"], abs=1e-8)
    assert np.diff(found.cohort.departure, 2) == pytest.approx(told["cohort_bends"], abs=1e-8)
