"""Scores of predictions equal what slow loops over rows, a peer library and closed forms give.

Tolerance 1e-12 where the same few hundred terms are added in another order, stated otherwise.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import mannwhitneyu, norm

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.scores import (
    Held,
    auc,
    brier,
    calibration_curve,
    d_calibration,
    ici,
    ici_of_the_right_model,
    integrated_brier,
    known_after,
    observed_long_enough,
    observed_share,
    predicted_share,
)

STEPS = 5


def drawn(seed: int, members: int, kinds: int = 7, *, censored: bool = True) -> tuple[Held, list[tuple]]:
    """Return held-out cells and the same members as rows (kind, step, left)."""
    rng = np.random.default_rng(seed)
    hazard = rng.uniform(0.05, 0.4, (kinds, 1)) * np.linspace(1.5, 0.5, STEPS)
    stay = np.exp(-np.cumsum(hazard, axis=1))
    kind = rng.integers(0, kinds, members)
    life = (rng.random((members, STEPS)) < -np.expm1(-hazard[kind])).cumsum(axis=1)
    step = np.where(life[:, -1] > 0, (life == 0).sum(axis=1) + 1, STEPS + 1)
    end = rng.integers(1, STEPS + 1, members) if censored else np.full(members, STEPS)
    left = step <= end
    at = np.where(left, step, end)
    table = np.zeros((2, kinds, STEPS), dtype=np.int64)
    np.add.at(table, (left.astype(int), kind, at - 1), 1)
    return Held(stay, table[1], table[0]), list(zip(kind, at, left, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_the_peers_curve_of_the_end_of_observation(seed):
    from lifelines import KaplanMeierFitter

    held, rows = drawn(seed, 300)
    at, left = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    # leavers leave before observation ends on the same step
    peer = KaplanMeierFitter().fit(at - 0.1 * left, ~left)
    lasts = [float(peer.predict(step - 0.05)) for step in range(1, STEPS + 1)]
    np.testing.assert_allclose(observed_long_enough(held), lasts, rtol=1e-12)


@pytest.mark.parametrize(("seed", "step"), list(itertools.product(range(3), (1, 3, 5))))
def test_brier_equals_a_loop_over_rows(seed, step):
    held, rows = drawn(seed, 200)
    lasts = observed_long_enough(held)
    total = 0.0
    for kind, at, left in rows:
        risk = 1 - held.stay[kind, step - 1]
        if left and at <= step:
            total += (1 - risk) ** 2 / lasts[at - 1]
        elif at >= step:
            total += risk**2 / lasts[step - 1]
    assert brier(held, step) == pytest.approx(total / len(rows), rel=1e-12)


def test_without_censoring_everything_is_counting():
    held, rows = drawn(5, 500, censored=False)
    gone = np.array([left and at <= 3 for _, at, left in rows])
    risk = np.array([1 - held.stay[kind, 2] for kind, _, _ in rows])
    assert brier(held, 3) == pytest.approx(((gone - risk) ** 2).mean(), rel=1e-12)
    assert observed_share(held, 3) == pytest.approx(gone.mean(), rel=1e-12)
    assert predicted_share(held, 3) == pytest.approx(risk.mean(), rel=1e-12)
    pairs = mannwhitneyu(risk[gone], risk[~gone]).statistic / (gone.sum() * (~gone).sum())
    assert auc(held, 3).value == pytest.approx(pairs, rel=1e-12)


def test_integrated_brier_is_the_trapezium_over_steps():
    held, _ = drawn(6, 400)
    scores = [0.0, *(brier(held, step) for step in range(1, STEPS + 1))]
    assert integrated_brier(held) == pytest.approx(np.trapezoid(scores) / STEPS, rel=1e-12)


def test_brier_of_the_share_itself_is_share_times_rest():
    left = np.array([[30, 20]])
    held = Held(np.array([[0.7, 0.5]]), left, np.array([[0, 50]]))
    assert brier(held, 2) == pytest.approx(0.25, rel=1e-12)
    assert brier(held, 1) == pytest.approx(0.21, rel=1e-12)


def test_interval_of_the_auc_is_delongs():
    held, rows = drawn(7, 150, censored=False)
    gone = np.array([left and at <= 2 for _, at, left in rows])
    risk = np.round([1 - held.stay[kind, 1] for kind, _, _ in rows], 12)
    wins = (risk[gone][:, None] > risk[~gone]) + 0.5 * (risk[gone][:, None] == risk[~gone])
    # DeLong's structural components with n in place of n - 1
    variance = wins.mean(axis=1).var() / gone.sum() + wins.mean(axis=0).var() / (~gone).sum()
    found = auc(held, 2)
    assert (found.high - found.low) / 2 == pytest.approx(1.959963984540054 * variance**0.5, rel=1e-9)


def test_d_calibration_spreads_members_over_what_was_predicted():
    # 10 leave while the prediction falls from 1 to .75, 30 are followed on below .75: by hand
    held = Held(np.array([[0.75]]), np.array([[10]]), np.array([[30]]))
    found = d_calibration(held, bins=4)
    np.testing.assert_allclose(found.shares, [0.25] * 4, rtol=1e-9)
    assert found.p == pytest.approx(1.0)
    wrong = d_calibration(Held(np.array([[0.75]]), np.array([[30]]), np.array([[10]])), bins=4)
    np.testing.assert_allclose(wrong.shares, [1 / 12, 1 / 12, 1 / 12, 0.75], rtol=1e-9)
    assert wrong.p < 1e-9


def test_a_right_model_is_close_and_a_wrong_one_is_not():
    held, _ = drawn(8, 200_000, censored=False)
    assert ici(held, 3).high < 0.01
    wrong = Held(held.stay**1.5, held.left, held.followed)
    off = predicted_share(wrong, 3) - observed_share(wrong, 3)
    # all are predicted too high, so the index is the mean gap; .004 for the bend of the curve
    assert ici(wrong, 3).value == pytest.approx(off, abs=0.004)
    assert ici(wrong, 3).low > 0.02


def test_the_curve_allows_for_weights_by_rows():
    """Sandwich covariance equals the sum over members' scores, one by one."""
    held, _ = drawn(9, 400)
    known = known_after(held, 4)
    curve = calibration_curve(known)
    x, mean = curve.terms(known.risk), curve.observed(known.risk)
    bread, meat = np.zeros((3, 3)), np.zeros((3, 3))
    for row, mu, gone, n, weight in zip(x, mean, known.gone, known.n, known.weight, strict=True):
        for _ in range(int(n)):
            bread += weight * mu * (1 - mu) * np.outer(row, row)
            meat += (weight * (gone - mu)) ** 2 * np.outer(row, row)
    expected = np.linalg.inv(bread) @ meat @ np.linalg.inv(bread)
    np.testing.assert_allclose(curve.covariance, expected, rtol=1e-8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_splitting_cells_changes_nothing(seed, parts):
    held, _ = drawn(seed, 120)
    rng = np.random.default_rng(seed)
    left = rng.multinomial(held.left.ravel(), [1 / parts] * parts).T.reshape(parts, *held.left.shape)
    rest = rng.multinomial(held.followed.ravel(), [1 / parts] * parts).T.reshape(parts, *held.left.shape)
    split = Held(np.concatenate([held.stay] * parts), np.concatenate(left), np.concatenate(rest))
    for score in (brier, observed_share, predicted_share):
        assert score(split, 2) == pytest.approx(score(held, 2), rel=1e-9)
    assert auc(split, 2).value == pytest.approx(auc(held, 2).value, rel=1e-9)
    np.testing.assert_allclose(d_calibration(split).shares, d_calibration(held).shares, atol=1e-12)


def test_one_prediction_for_all_needs_one_term():
    held = Held(np.full((2, 1), 0.7), np.array([[14], [16]]), np.array([[36], [34]]))
    assert len(calibration_curve(known_after(held, 1)).coefficients) == 1
    assert ici(held, 1).value == pytest.approx(0.0, abs=1e-9)
    assert auc(held, 1).value == 0.5


def test_few_members_have_a_wide_bound_even_if_right():
    few, many = (drawn(3, n, censored=False)[0] for n in (300, 30_000))
    bounds = [ici_of_the_right_model(calibration_curve(known_after(h, 3)), h, 3) for h in (few, many)]
    assert bounds[0] > 0.04
    assert bounds[1] < 0.01


@pytest.mark.parametrize(
    ("held", "step", "says"),
    [
        (Held(np.full((1, 2), 0.5), np.array([[1, 0]]), np.array([[1, 0]])), 2, "still observed after 2"),
        (Held(np.full((1, 1), 0.5), np.array([[0]]), np.array([[5]])), 1, "nothing to calibrate"),
        (Held(np.full((1, 1), 0.5), np.array([[2]]), np.array([[5]])), 3, "asked for 3"),
    ],
)
def test_what_is_not_defined_raises(held, step, says):
    with pytest.raises(UndefinedError, match=says):
        ici(held, step)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        Held(np.zeros((1, 2)), np.zeros((1, 1), dtype=int), np.zeros((1, 2), dtype=int))


def test_no_global_random_state_is_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (that is what must not move)
    held, _ = drawn(1, 300)
    ici(held, 2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# --- bounds in closed form ---

#: One prediction for all, so that the curve has one term, whose standard error is 1 / sqrt(1,000 x .25).
ONE_SE = 250**-0.5


def half_left(predicted: float) -> Held:
    return Held(np.full((1, 1), 1 - predicted), np.array([[500]]), np.array([[500]]))


def test_the_bounds_of_the_ici_leave_so_much_above_and_below():
    """Half left where 30 in 100 were predicted: the index is expit(normal) less .3, its quantiles are known.

    Tolerance: three standard errors of a quantile of 2,000 draws, .25 at 1 in 100 and .12 at 9 in 10.
    """
    found = ici(half_left(0.3), 1, mass=0.90)
    low, high = (logit(bound + 0.3) / ONE_SE for bound in (found.low, found.high))
    assert low == pytest.approx(norm.ppf(0.01), abs=0.25)
    assert high == pytest.approx(norm.ppf(0.90), abs=0.12)


def test_the_bound_of_a_right_model_has_twice_the_variance_of_the_curve():
    """The estimate and its draws are off both; three standard errors of a quantile of 2,000 draws: .10."""
    held = half_left(0.5)
    bound = ici_of_the_right_model(calibration_curve(known_after(held, 1)), held, 1, mass=0.90)
    assert logit(bound + 0.5) / (ONE_SE * 2**0.5) == pytest.approx(norm.ppf(0.95), abs=0.10)


def test_p_of_two_bins_is_that_of_one_degree_of_freedom():
    found = d_calibration(Held(np.array([[0.5]]), np.array([[30]]), np.array([[20]])), bins=2)
    assert found.statistic == pytest.approx(2.0, rel=1e-9)  # (30 - 25)^2 / 25, twice
    assert found.p == pytest.approx(math.erfc(1.0), rel=1e-9)


def test_interval_of_the_auc_counts_heavy_members_by_the_square_of_their_weight():
    """DeLong's components row by row, each with its weight for the end of observation."""
    held, rows = drawn(11, 160)
    lasts, step = observed_long_enough(held), 3
    known = [(kind, at, left) for kind, at, left in rows if (left and at <= step) or at >= step]
    gone = np.array([left and at <= step for _, at, left in known])
    risk = np.round([1 - held.stay[kind, step - 1] for kind, _, _ in known], 12)
    weight = np.array([1 / lasts[min(at, step) - 1] for _, at, _ in known])
    wins = (risk[gone][:, None] > risk[~gone]) + 0.5 * (risk[gone][:, None] == risk[~gone])
    case, control = weight[gone], weight[~gone]
    value = case @ wins @ control / (case.sum() * control.sum())
    over_controls, over_cases = wins @ control / control.sum(), case @ wins / case.sum()
    variance = ((case * (over_controls - value)) ** 2).sum() / case.sum() ** 2
    variance += ((control * (over_cases - value)) ** 2).sum() / control.sum() ** 2
    found = auc(held, step)
    assert found.value == pytest.approx(value, rel=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(1.959963984540054 * variance**0.5, rel=1e-9)
