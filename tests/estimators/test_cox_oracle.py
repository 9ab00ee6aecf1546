"""Equal to R survival on the expanded rows: `tests/oracles/cox.R` made the numbers, its session beside it.

Tolerance: R stops when the likelihood moves by less than 1e-13 of itself, which leaves coefficients within
about 1e-10 standard errors; both sides add the same terms in double precision. So 1e-8 relative (of a
standard error, where a number may be near 0) leaves room for the order of summation and for nothing else.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn.estimators.survival.cox import cox
from sojourn.estimators.survival.design import PatternCells
from sojourn.estimators.survival.hazard_model import exposure, hazard_model
from sojourn.estimators.survival.proportional import GLOBAL, changing_effect, proportional_test

RTOL = 1e-8
ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "cox.json").read_text())
CASES = list(ORACLE["cases"])
TIES = ("efron", "breslow")
#: Where somebody left on day 0, time has no logarithm.
TESTED = [
    (case, transform)
    for case in CASES
    for transform, test in ORACLE["cases"][case]["efron"]["zph"].items()
    if test["chisq"]
]


def cells_of(case):
    """Return cells, design matrix, strata and groups of terms of one data set."""
    data = ORACLE["cases"][case]
    columns = np.column_stack([data["columns"][name] for name in data["columns"]]).astype(float)
    keyed = np.column_stack([data["stratum"], columns])
    unique, pattern = np.unique(keyed, axis=0, return_inverse=True)
    pattern, n = pattern.ravel(), np.array(data["n"])
    start, stop, event = (np.array(data[name]) for name in ("start", "stop", "event"))
    zero = np.zeros_like(n)
    cells = PatternCells(
        np.concatenate([pattern, pattern]),
        np.concatenate([np.maximum(start, 0), stop]),
        np.concatenate([n, zero]),
        np.concatenate([zero, n * event]),
        np.concatenate([zero, n * (1 - event)]),
    )
    assign = np.array(data["assign"])
    groups = {
        name: list(np.flatnonzero(assign == place))
        for name, place in zip(data["terms"], np.unique(assign), strict=True)
    }
    return cells, unique[:, 1:], unique[:, 0].astype(int), groups


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("case", CASES)
def test_cox_equals_coxph(case, ties):
    expected = ORACLE["cases"][case][ties]
    cells, x, strata, _ = cells_of(case)
    fit = cox(cells, x, ties=ties, strata=strata)
    k = len(fit.coefficients)
    variance = np.array(expected["var"]).reshape(k, k)
    se = np.sqrt(np.diag(variance))
    np.testing.assert_allclose((fit.coefficients - expected["coef"]) / se, 0, atol=RTOL)
    np.testing.assert_allclose(fit.covariance / np.outer(se, se), variance / np.outer(se, se), atol=RTOL)
    np.testing.assert_allclose([fit.log_likelihood_null, fit.log_likelihood], expected["loglik"], rtol=RTOL)
    assert fit.score_test == pytest.approx(expected["score"][0], rel=RTOL)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("case", CASES)
def test_baseline_equals_basehaz(case, ties):
    expected = ORACLE["cases"][case][ties]
    cells, x, strata, _ = cells_of(case)
    baselines = cox(cells, x, ties=ties, strata=strata).baselines
    names = np.unique(strata)
    for stratum, time, hazard in zip(expected["stratum"], expected["time"], expected["hazard"], strict=True):
        ours = baselines[list(names).index(stratum)]
        assert ours.cumulative[np.searchsorted(ours.days, time)] == pytest.approx(hazard, rel=RTOL)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize(("case", "transform"), TESTED)
def test_proportional_test_equals_cox_zph(case, transform, ties):
    expected = ORACLE["cases"][case][ties]["zph"][transform]
    cells, x, strata, groups = cells_of(case)
    fit = cox(cells, x, ties=ties, strata=strata)
    found = proportional_test(fit, cells, x, groups, transform=transform, strata=strata)
    ours = [found[name] for name in (*groups, GLOBAL)]
    # Statistics are squares of scores in standard errors: 1e-8 of one standard error where they are near 0.
    np.testing.assert_allclose(
        np.sqrt([test.statistic for test in ours]), np.sqrt(expected["chisq"]), rtol=RTOL, atol=RTOL
    )
    assert [test.df for test in ours] == expected["df"]
    np.testing.assert_allclose([test.p for test in ours], expected["p"], rtol=1e-7)


@pytest.mark.parametrize("case", [case for case in CASES if ORACLE["cases"][case]["efron"]["residual"]])
def test_scaled_residuals_equal_cox_zph(case):
    expected = ORACLE["cases"][case]["breslow"]
    cells, x, strata, _ = cells_of(case)
    fit = cox(cells, x, ties="breslow", strata=strata)
    found = changing_effect(fit, cells, x)
    at = np.searchsorted(found.days, expected["residual_time"])
    theirs = np.array(expected["residual"]).reshape(len(fit.coefficients), -1).T
    scale = np.abs(found.residual).max(axis=0)
    np.testing.assert_allclose(found.residual[at] / scale, theirs / scale, atol=RTOL)


def test_weights_are_no_frequencies_under_efron():
    # STATISTICS 4: Efron with weights on cells is something else, in R as in lifelines.
    expected = ORACLE["cases"]["weekly"]
    cells, x, _, _ = cells_of("weekly")
    assert expected["largest_tie"][0] >= 500
    fit = cox(cells, x)
    off = (np.array(expected["weighted"]) - fit.coefficients) / fit.se
    assert np.abs(off).max() > 0.2


def test_effects_by_period_equal_coxph_on_split_rows():
    cells, x, _, groups = cells_of("veteran")
    kept = [*groups["trt"], *groups["karno"]]
    spans = [(-1, 30), (30, 90), (90, 1_000)]
    fits = [cox(cells, x[:, kept], days=span) for span in spans]
    ours = np.array([fit.coefficients for fit in fits]).T.ravel()
    se = np.array([fit.se for fit in fits]).T.ravel()
    np.testing.assert_allclose((ours - ORACLE["periods"]["coef"]) / se, 0, atol=RTOL)
    np.testing.assert_allclose(se, ORACLE["periods"]["se"], rtol=RTOL)


def test_hazard_model_equals_cloglog_on_days():
    # glm stops when its deviance moves by less than 1e-15 of itself but weighs by the expected information:
    # it converges linearly, so its coefficients are good to about 1e-7 standard errors, and its standard
    # errors (expected information) differ from ours (observed) by under two in a hundred.
    expected = ORACLE["hazard"]
    cells, x, _, groups = cells_of("veteran")
    kept = [*groups["trt"], *groups["karno"]]
    found = exposure(cells, len(x), width=28)
    model = hazard_model(_cut(found, expected["edges"]), x[:, kept])
    assert model.edges.tolist() == expected["edges"]
    np.testing.assert_allclose((model.coefficients - expected["coef"]) / expected["se"], 0, atol=1e-6)
    np.testing.assert_allclose(model.theta[: len(model.edges) - 1], expected["baseline"], atol=1e-6)
    np.testing.assert_allclose(model.se, expected["se"], rtol=0.02)
    assert model.log_likelihood == pytest.approx(expected["loglik"][0], rel=1e-9)


def _cut(found, edges):
    """Return exposure with only some of its edges."""
    starts = np.searchsorted(found.edges, edges[:-1])
    churned, at_risk = (np.add.reduceat(m, starts, axis=1) for m in (found.churned, found.at_risk))
    return type(found)(found.edges[[*starts, len(found.edges) - 1]], churned, at_risk)
