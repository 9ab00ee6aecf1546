"""The hazard model: its cells are sufficient, its effects are those of Cox, its predictions add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn_patterns import counted, drawn
from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.cox import cox
from sojourn.estimators.survival.hazard_model import exposure, hazard_model, leaves_within, stays
from sojourn.estimators.survival.standardise import standardised

SEEDS = st.integers(0, 10_000)


def row_log_likelihood(model, x, entry, exits, churned):
    """Return the log-likelihood member by member and day by day, from nothing but the definition."""
    total = 0.0
    for covariates, first, last, left in zip(x, entry, exits, churned, strict=True):
        hazards = model.hazards(covariates[None, :])[0]
        for day in range(first + 1 if first else 0, last + 1):
            piece = int(np.searchsorted(model.edges, day)) - 1
            if piece < 0:
                continue  # nobody left on day 0: it has no hazard
            gone = left and day == last
            total += np.log(-np.expm1(-hazards[piece])) if gone else -hazards[piece]
    return total


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.sampled_from([1, 5, 7]), st.booleans())
def test_likelihood_of_cells_is_that_of_rows(seed, width, at_once):
    # STATISTICS 2: a model may only run on cells whose likelihood equals that of the rows to 1e-10.
    x, entry, exits, churned = drawn(seed, n=150)
    if at_once:
        entry[:4], exits[:4], churned[:4] = 0, 0, 1
    cells, patterns = counted(x, entry, exits, churned)
    model = hazard_model(exposure(cells, len(patterns), width=width), patterns)
    rows = row_log_likelihood(model, x, entry, exits, churned)
    assert model.log_likelihood == pytest.approx(rows, rel=1e-10)


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_effects_are_those_of_cox(seed):
    # The promise: within 0.25 standard errors of exact Cox, also with weekly pieces.
    cells, x = counted(*drawn(seed, n=1_500))
    model, fit = hazard_model(exposure(cells, len(x)), x), cox(cells, x)
    assert np.abs((model.coefficients - fit.coefficients) / fit.se).max() < 0.25
    np.testing.assert_allclose(model.se, fit.se, rtol=0.05)


def test_effects_by_period_are_those_of_cox_within_periods():
    cells, x = counted(*drawn(8, n=4_000, longest=300))
    periods = (14, 60)
    found = exposure(cells, len(x), periods=periods)
    model = hazard_model(found, x, periods=periods, changing=[0, 1])
    spans = [(-1, 14), (14, 60), (60, 1_000)]
    for period, span in enumerate(spans):
        fit = cox(cells, x, days=span)
        off = (model.coefficients.reshape(2, 3)[:, period] - fit.coefficients) / fit.se
        assert np.abs(off).max() < 0.25


def test_one_changing_effect_leaves_the_other_as_it_is():
    cells, x = counted(*drawn(8, n=4_000, longest=300))
    found = exposure(cells, len(x), periods=(14,))
    model = hazard_model(found, x, names=["a", "b"], periods=(14,), changing=[0])
    assert model.effects[0].tolist() != model.effects[-1].tolist()
    assert model.effects[0, 1] == model.effects[-1, 1]
    assert len(model.coefficients) == 3


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_exposure_counts_every_day_at_risk(seed):
    x, entry, exits, churned = drawn(seed, n=100)
    cells, patterns = counted(x, entry, exits, churned)
    found = exposure(cells, len(patterns), cuts=(10,))
    assert found.churned.sum() == churned.sum()
    assert found.at_risk.sum() == (exits - entry).sum()
    assert (found.churned.sum(axis=0) > 0).all()


def test_weeks_without_leavers_are_joined_with_the_next():
    x, entry, exits, churned = drawn(9, n=300, late=0.0)
    churned = churned * ((exits > 21) & (exits % 14 < 7))  # nobody leaves in the first three weeks
    cells, patterns = counted(x, entry, exits, churned)
    found = exposure(cells, len(patterns))
    assert found.edges[:2].tolist() == [0, 28]
    assert found.at_risk.sum() == exits.sum()
    assert (found.churned.sum(axis=0) > 0).all()


def test_errors_of_predictions_hang_on_no_coding():
    cells, x = counted(*drawn(6, n=2_000))
    turned = np.column_stack([1 - x[:, 0], x[:, 1]])
    mix = np.array([10, 20, 30, 40])
    both = [
        standardised(hazard_model(exposure(cells, len(x)), coded), coded, mix, [1], 60)
        for coded in (x, turned)
    ]
    np.testing.assert_allclose(both[0].retained, both[1].retained, rtol=1e-9)
    np.testing.assert_allclose(both[0].covariance, both[1].covariance, rtol=1e-7)


def test_members_censored_within_a_week_count_for_the_days_seen():
    # STATISTICS 4: wide cells with censored members read S(90) far too high or low; days do not.
    rng = np.random.default_rng(7)
    n = 20_000
    life, seen = rng.exponential(150, n), rng.uniform(0, 100, n)
    leaves, until = np.ceil(life).astype(int), np.floor(seen).astype(int)
    churned = (leaves <= until).astype(int)
    cells, x = counted(np.zeros((n, 1)), np.zeros(n, int), np.minimum(leaves, until), churned)
    model = hazard_model(exposure(cells, 1, width=30), x[:, :0])
    # 3.5 standard errors of a share of about one half estimated on some 2,000 effective members.
    assert float(stays(model, x[:, :0], 90)[0]) == pytest.approx(np.exp(-90 / 150), abs=0.03)


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.integers(0, 60), st.integers(1, 30))
def test_leaving_within_a_time_follows_from_staying(seed, age, days):
    cells, x = counted(*drawn(seed, n=600))
    model = hazard_model(exposure(cells, len(x)), x)
    before, after = stays(model, x, age), stays(model, x, age + days)
    np.testing.assert_allclose(
        leaves_within(model, x, np.full(len(x), age), days), 1 - after / before, rtol=1e-9, atol=1e-14
    )
    assert ((before >= after) & (after > 0)).all()


def test_beyond_the_days_followed_is_refused():
    cells, x = counted(*drawn(1))
    model = hazard_model(exposure(cells, len(x)), x)
    with pytest.raises(UndefinedError, match="lies beyond"):
        leaves_within(model, x, np.array([model.followed_to] * len(x)), 1)


def test_a_period_without_leavers_is_refused():
    cells, x = counted(*drawn(1))
    with pytest.raises(UndefinedError, match="no effect of that time"):
        exposure(cells, len(x), periods=(int(cells.day[cells.churned > 0].max()),))


def test_separation_is_named():
    x, entry, exits, churned = drawn(2)
    cells, patterns = counted(x, entry, exits, churned * (x[:, 1] == 0))
    with pytest.raises(UndefinedError, match="b has no finite effect"):
        hazard_model(exposure(cells, len(patterns)), patterns, names=["a", "b"])


@pytest.mark.parametrize("changing", [[], [0]])
def test_standard_error_is_that_of_the_derivative(changing):
    cells, x = counted(*drawn(6, n=2_000))
    periods = (14,) if changing else ()
    found = exposure(cells, len(x), periods=periods)
    model = hazard_model(found, x, periods=periods, changing=changing)
    mix = np.array([10, 20, 30, 40])
    share = standardised(model, x, mix, [0], 60)
    step = 1e-5
    gradient = []
    for place in range(len(model.theta)):
        moved = []
        for way in (step, -step):
            theta = model.theta.copy()
            theta[place] += way
            shifted = type(model)(
                model.edges, theta, model.covariance, model.effects, model.log_likelihood, model.churned
            )
            moved.append(standardised(shifted, x, mix, [0], 60).difference[1])
        gradient.append((moved[0] - moved[1]) / (2 * step))
    expected = np.sqrt(np.array(gradient) @ model.covariance @ np.array(gradient))
    # Central differences of step 1e-5 are exact to about 1e-9.
    assert share.difference_se[1] == pytest.approx(expected, rel=1e-6)
    assert share.difference_se[0] == 0


def test_standardised_share_is_the_mean_over_the_mix():
    cells, x = counted(*drawn(6, n=2_000))
    model = hazard_model(exposure(cells, len(x)), x)
    mix = np.array([10, 20, 30, 40])
    share = standardised(model, x, mix, [0], 60)
    for place, level in enumerate((0.0, 1.0)):
        as_if = np.column_stack([np.full(4, level), x[:, 1]])
        assert share.retained[place] == pytest.approx(np.average(stays(model, as_if, 60), weights=mix))


def test_nobody_in_the_mix_is_refused():
    cells, x = counted(*drawn(6))
    model = hazard_model(exposure(cells, len(x)), x)
    with pytest.raises(UndefinedError, match="no mix"):
        standardised(model, x, np.zeros(len(x)), [0], 30)


def test_weeks_in_which_nobody_left_are_joined_with_the_next_and_the_last_with_the_one_before():
    """Somebody leaves in weeks 1 and 3 of four: week 2 goes with 3, and so does 4."""
    exits, churned = np.array([3, 17, 28, 28]), np.array([1, 1, 0, 0])
    cells, x = counted(np.zeros((4, 1)), np.zeros(4, int), exits, churned)
    found = exposure(cells, len(x))
    assert found.edges.tolist() == [0, 7, 28]
    assert found.churned.sum(axis=0).tolist() == [1, 1]
    # days at risk: 3 + 7 + 7 + 7 in the first week, 10 + 21 + 21 afterwards
    assert found.at_risk.sum(axis=0).tolist() == [24, 52]
