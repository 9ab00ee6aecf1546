"""Equal to R survival: `tests/oracles/states.R` made the numbers, its session stands beside it.

Tolerance: R wrote 15 significant digits, both sides multiply the same few hundred matrices in double
precision, so 1e-8 relative (and absolute, for shares near 0) leaves room for the order of summation only.

Standard errors: R's are the infinitesimal jackknife over members. They equal the multinomial recursion
where all who are at risk in a state have the same past (one state that is left for good, nobody enters late);
elsewhere the two differ, and `HOW_FAR` says by how much at most.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn.estimators.survival.aalen_johansen import aalen_johansen, share_bounds, state_counts

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "states.json").read_text())
COMPETING = ("paper", "mgus2", "transplant")
#: Largest difference of standard errors to R's, as a share of R's largest there; measured, rounded up.
HOW_FAR = {
    "heart": 0.001,
    "colon": 0.007,
    "myeloid": 0.009,
    "mgus2_then_death": 0.011,
    "cgd": 0.020,
    "mgus2_by_age": 0.029,
    "pbcseq": 0.029,
    "bladder1": 0.030,
    "weekly": 0.031,
}


def numbers(values):
    return np.array([[np.nan if v is None else v for v in row] for row in values], dtype=float)


def counts_of(case):
    found = ORACLE[case]
    states, days = len(found["states"]), max(found["ended"]["day"]) + 1
    entered, ended = np.zeros((days, states), dtype=int), np.zeros((days, states), dtype=int)
    moves = np.zeros((days, states, states), dtype=int)
    # R's members are at risk after their start: those there from the beginning start at -1 and count on day 0
    np.add.at(
        entered, (np.maximum(found["entered"]["day"], 0), found["entered"]["state"]), found["entered"]["n"]
    )
    np.add.at(moves, tuple(found["moved"][name] for name in ("day", "state", "to")), found["moved"]["n"])
    np.add.at(ended, (found["ended"]["day"], found["ended"]["state"]), found["ended"]["n"])
    return state_counts(entered, moves, ended)


def fitted(case):
    counts = counts_of(case)
    start = np.eye(len(ORACLE[case]["states"]))[0]
    return counts, aalen_johansen(counts, start), np.array(ORACLE[case]["time"])


@pytest.mark.parametrize("case", ORACLE)
def test_shares_equal_survfit(case):
    counts, ours, at = fitted(case)
    assert counts.at_risk[at].tolist() == ORACLE[case]["n_risk"]
    np.testing.assert_allclose(ours.share[at], numbers(ORACLE[case]["share"]), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", COMPETING)
def test_standard_errors_of_competing_risks_equal_survfit(case):
    _, ours, at = fitted(case)
    np.testing.assert_allclose(ours.se[at], numbers(ORACLE[case]["se"]), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("case", HOW_FAR)
def test_other_standard_errors_are_as_near_to_survfit_as_stated(case):
    _, ours, at = fitted(case)
    theirs = numbers(ORACLE[case]["se"])
    assert np.abs(ours.se[at] - theirs).max() <= HOW_FAR[case] * theirs.max()


def test_every_data_set_has_its_standard_errors_judged():
    assert set(ORACLE) == {*COMPETING, *HOW_FAR}


@pytest.mark.parametrize(("scale", "prefix"), [("log-log", ""), ("logit", "logit_")])
@pytest.mark.parametrize("case", ORACLE)
def test_intervals_equal_survfit(case, scale, prefix):
    """From R's shares and errors, so that only the formula of the interval is compared."""
    theirs = ORACLE[case]
    share, se = numbers(theirs["share"]), numbers(theirs["se"])
    low, high = share_bounds(share, se, 0.95, scale)
    known = np.isfinite(low)
    assert known.sum() >= 6
    np.testing.assert_allclose(low[known], numbers(theirs[f"{prefix}low"])[known], rtol=1e-8)
    np.testing.assert_allclose(high[known], numbers(theirs[f"{prefix}high"])[known], rtol=1e-8)


@pytest.mark.parametrize("case", ORACLE)
def test_time_in_states_equals_survfit(case):
    """R's curves are steps, ours straight between days: they differ by half of what a share rose in all."""
    _, ours, _ = fitted(case)
    (until,) = ORACLE[case]["until"]
    rise = ours.share[until] - ours.share[0]
    theirs = np.array(ORACLE[case]["mean"], dtype=float)
    np.testing.assert_allclose(ours.time[until] - rise / 2, theirs, rtol=1e-8, atol=1e-8)
