"""Equal to R survival: `tests/oracles/survival.R` made the numbers, its session stands beside it.

Tolerance: R wrote 15 significant digits, both sides add the same few hundred terms in double precision,
so 1e-9 relative leaves room for the order of summation and for nothing else.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn.estimators.survival.kaplan_meier import kaplan_meier, product_limit
from sojourn.estimators.survival.log_rank import log_rank
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.estimators.survival.shares import exact_rate, exact_share, holm

RTOL = 1e-9
ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "survival.json").read_text())
CURVES = [(case, group) for case in ("lung", "weekly", "late", "paper") for group in ORACLE[case]["groups"]]


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def at_risk_of(case: str, group: str) -> RiskSet:
    data = {name: np.array(values) for name, values in ORACLE[case]["data"].items()}
    data = {name: values[data["group"] == group] for name, values in data.items()}
    n, zero = data["n"], np.zeros_like(data["n"])
    day = np.concatenate([np.maximum(data["start"], 0), data["stop"]])
    return risk_set(
        day,
        np.concatenate([n, zero]),
        np.concatenate([zero, n * data["event"]]),
        np.concatenate([zero, n * (1 - data["event"])]),
    )


@pytest.mark.parametrize(("case", "group"), CURVES)
def test_curve_equals_survfit(case, group):
    expected = ORACLE[case]["groups"][group]
    risk = at_risk_of(case, group)
    ours = kaplan_meier(risk, 0.95)
    at = np.array(expected["time"])
    assert risk.at_risk[at].tolist() == expected["n_risk"]
    assert risk.churned[at].tolist() == expected["n_event"]
    for column, theirs in (("retained", "surv"), ("low", "low"), ("high", "high"), ("se", "std_err")):
        np.testing.assert_allclose(
            getattr(ours, column)[at], numbers(expected[theirs]), rtol=RTOL, err_msg=column
        )


@pytest.mark.parametrize(("case", "group"), CURVES)
def test_curve_between_its_steps_equals_survfit(case, group):
    expected = ORACLE[case]["groups"][group]
    risk = at_risk_of(case, group)
    at = np.array([d for d in expected["horizons"] if d < len(risk)])
    theirs = numbers(expected["surv_at"])[: len(at)]
    np.testing.assert_allclose(kaplan_meier(risk, 0.95).retained[at], theirs, rtol=RTOL)


@pytest.mark.parametrize(("case", "group"), [pair for pair in CURVES if pair[0] != "late"])
def test_restricted_mean_equals_survfit(case, group):
    expected = ORACLE[case]["groups"][group]
    risk = at_risk_of(case, group)
    # survfit carries the last value on to tau; the same grid is made longer here, the study refuses to.
    risk = risk.on(max(expected["until"]) + 1)
    ours, straight = restricted_mean(risk, rule="step"), restricted_mean(risk)
    until = np.array(expected["until"])
    np.testing.assert_allclose(ours.mean[until], numbers(expected["rmean"]), rtol=RTOL)
    np.testing.assert_allclose(ours.se[until], numbers(expected["rmean_se"]), rtol=RTOL)
    # The rule of the study differs by what is known: half of what was lost, and nothing else.
    lost = (product_limit(risk)[0] - product_limit(risk)[until]) / 2
    np.testing.assert_allclose(straight.mean[until], numbers(expected["rmean"]) - lost, rtol=RTOL)


@pytest.mark.parametrize("case", ["lung", "weekly", "late"])
def test_log_rank_equals_survdiff(case):
    expected = ORACLE[case]["log_rank"]
    ours = log_rank([at_risk_of(case, group) for group in ORACLE[case]["groups"]])
    assert ours.df == expected["df"]
    assert ours.statistic == pytest.approx(expected["statistic"], rel=RTOL)
    if "observed" in expected:
        np.testing.assert_allclose(ours.observed, expected["observed"], rtol=RTOL)
        np.testing.assert_allclose(ours.expected, expected["expected"], rtol=RTOL)


def test_exact_intervals_equal_r():
    exact = {name: np.array(values) for name, values in ORACLE["exact"].items()}
    low, high = exact_share(exact["k"], exact["n"], 0.95)
    np.testing.assert_allclose(low, exact["share_low"], rtol=RTOL)
    np.testing.assert_allclose(high, exact["share_high"], rtol=RTOL)
    low, high = exact_rate(exact["k"], exact["n"].astype(float), 0.95)
    np.testing.assert_allclose(low, exact["rate_low"], rtol=RTOL)
    np.testing.assert_allclose(high, exact["rate_high"], rtol=RTOL)


def test_holm_equals_r():
    np.testing.assert_allclose(holm(np.array(ORACLE["holm"]["p"])), ORACLE["holm"]["adjusted"], rtol=RTOL)
