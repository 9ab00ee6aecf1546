"""A belief beside a trial: what it made likely, how far the answer is its own, and conflicts."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.studies.trials.prior_checks import check_prior


def make_trial(share=0.34, n=600, value=False, schemes=("gift",)):
    rows = []
    for scheme, p in (("none", 0.30), *((s, share) for s in schemes)):
        for stratum, shift in (("east", 0.03), ("west", -0.03)):
            if value:
                mean = 100 * (p + shift)
                rows.append((scheme, stratum, n, n * mean, n * (mean**2 + 400), n * (mean**3 + 1200 * mean)))
            else:
                rows.append((scheme, stratum, n, round(n * (p + shift))))
    keys, sums = ["scheme", "stratum", "n"], ["total", "total_sq", "total_cube"] if value else ["k"]
    table = pd.DataFrame(rows, columns=[*keys, *sums]).assign(outcome="of_it", period="2025-01")
    split = pd.DataFrame(
        {"scheme": ["none", *schemes], "period": "2025-01", "assigned": 2 * n, "matured": 2 * n}
    )
    cells = {"value" if value else "binary": table, "split": split}
    return sj.trial(Cells("test", "trials", cells, {"trial": "main", "horizon_days": 90, "currency": "EUR"}))


def examined(trial, low=-0.03, high=0.05, **more):
    belief = sj.LiftPrior.from_belief(low=low, high=high, mass=0.9)
    result = sj.compare_schemes(trial, "of_it", prior=belief, mass=0.95, rng=np.random.default_rng(0))
    return result, sj.prior_check(result, trial, rng=np.random.default_rng(1), **more)


def test_what_is_likely_of_a_value_is_the_normal_predictive():
    """Belief N(.5, 1.22) and an error of 20 sqrt(2 / 1200), by hand; standardised over equal strata."""
    trial = make_trial(value=True)
    _, made = examined(trial, low=-1.5, high=2.5)
    row, sd = made.table.iloc[0], 4 / (2 * stats.norm.ppf(0.95))
    error = np.sqrt(2 * 400 * 600 / 599 / 1200)
    low, high = stats.norm.interval(0.95, 0.5, np.hypot(sd, error))
    assert (row["expected_low"], row["expected_high"]) == pytest.approx((low, high))
    assert (row["belief_low"], row["belief_high"]) == pytest.approx(stats.norm.interval(0.95, 0.5, sd))
    assert row["seen"] == pytest.approx(4.0)
    assert row["p_seen"] == pytest.approx(2 * stats.norm.sf(3.5 / np.hypot(sd, error)))
    assert (row["outcome"], row["outcome_high"]) == pytest.approx((34.0, 30 + high))


def test_shares_that_the_belief_makes_likely_are_those_of_simulated_trials():
    """40,000 trials drawn from the belief in log-odds: quantiles within .3 members in 100."""
    trial = make_trial()
    result, made = examined(trial)
    rng, row = np.random.default_rng(2), made.table.iloc[0]
    mean, sd = result.prior_link
    base = np.array([0.33, 0.27])
    lift = rng.normal(mean, sd, 40_000)[:, None]
    odds = base / (1 - base) * np.exp(lift)
    seen = rng.binomial(600, odds / (1 + odds)) - rng.binomial(600, np.broadcast_to(base, (40_000, 2)))
    low, high = np.quantile(seen.mean(axis=1) / 600, [0.025, 0.975])
    assert (row["expected_low"], row["expected_high"]) == pytest.approx((low, high), abs=0.003)


def test_the_answer_is_that_of_the_result_and_moves_with_the_belief():
    """8,000 draws against 20,000: within 4 standard errors of the lift (sd .015)."""
    trial = make_trial()
    result, made = examined(trial)
    row = made.table.iloc[0]
    assert row["lift"] == pytest.approx(result.lift("gift").value, abs=0.001)
    assert row["doubled_lift"] < row["lift"] < row["halved_lift"] < row["seen"]
    assert (
        row["doubled_lift_high"] - row["doubled_lift_low"] < row["halved_lift_high"] - row["halved_lift_low"]
    )
    assert row["reading"] == "the belief matters"
    assert made.p_conflict > 0.01


def test_half_a_belief_is_a_belief_of_twice_the_variance():
    """The same as asking again with wider bounds: 8,000 weighted draws against 20,000 (4 standard errors)."""
    trial = make_trial(value=True, share=0.32)
    _, made = examined(trial, low=-1.5, high=2.5)
    wider = sj.LiftPrior.from_belief(low=0.5 - 2 * 2**0.5, high=0.5 + 2 * 2**0.5, mass=0.9)
    other = sj.compare_schemes(trial, "of_it", prior=wider, mass=0.95, rng=np.random.default_rng(3)).lift(
        "gift"
    )
    row = made.table.iloc[0]
    assert row["halved_lift"] == pytest.approx(other.value, abs=0.05)
    assert row["halved_lift_high"] == pytest.approx(other.high, abs=0.1)


@pytest.mark.parametrize(
    ("trial", "belief", "reading"),
    [
        (make_trial(share=0.34, n=20_000), (-0.03, 0.05), "the data decide"),
        (make_trial(share=0.31, n=600), (-0.02, 0.04), "belief and data agree"),
        (make_trial(share=0.31, n=60), (-0.002, 0.004), "the belief decides"),
        (make_trial(share=0.55, n=600), (-0.03, 0.05), "belief and data disagree"),
        (make_trial(share=0.38, n=150), (-0.02, 0.02), "the belief matters"),
    ],
)
def test_readings(trial, belief, reading):
    _, made = examined(trial, *belief)
    assert made.table["reading"].tolist() == [reading]
    (check,) = check_prior(made)
    warned = reading in ("belief and data disagree", "the belief decides") or bool(made.hanging)
    assert (check.verdict == "warn") is warned


def test_a_decision_that_hangs_on_the_belief_is_warned_of():
    trial = make_trial(share=0.345, n=700)
    _, made = examined(trial, low=-0.02, high=0.02, threshold=0.9)
    assert made.hanging == ("gift",)
    (check,) = check_prior(made)
    assert check.verdict == "warn"
    assert "gift" in check.meaning


def test_every_scheme_has_a_row_and_a_result_of_another_trial_is_refused():
    trial = make_trial(schemes=("coupon", "gift"))
    result, made = examined(trial)
    assert made.table["scheme"].tolist() == ["coupon", "gift"]
    with pytest.raises(ParameterError, match="coupon"):
        sj.prior_check(result, make_trial(), rng=np.random.default_rng(0))
