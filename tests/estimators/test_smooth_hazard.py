"""Laws of the smooth hazard and of its peak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.peak import STANDS_OUT, hazard_peak
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.estimators.survival.smooth_hazard import (
    SMOOTHNESS,
    SmoothHazard,
    _points,
    fit_all,
    smooth_hazard,
    spline,
)


def expected(hazard, members, censored=0.002):
    """Return whole numbers at risk and gone as close as can be to what a hazard per unit of time makes."""
    at_risk, churned, lost, present = [members], [0], [0], members
    for rate in hazard:
        at_risk.append(present)
        churned.append(round(present * -np.expm1(-rate)))
        present -= churned[-1]
        lost.append(round(present * censored))
        present -= lost[-1]
    return RiskSet(*(np.array(column, dtype=np.int64) for column in (at_risk, churned, lost)))


def bump(days, peak=42.0, level=0.003):
    x = (np.arange(days) + 0.5) / peak
    return level * (1 + (x * np.exp(1 - x)) ** 2)


def test_a_constant_share_leaving_is_met_exactly_at_any_smoothness():
    at_risk, churned = np.full(60, 1000), np.full(60, 30)
    columns = spline(np.arange(60) + 0.5, 60)
    for fit in fit_all(columns, at_risk, churned):
        # a constant lies in every spline; the ridge that keeps far ends finite moves it by less than 1e-6
        assert np.exp(columns @ fit.coefficients) == pytest.approx(-np.log1p(-0.03), rel=1e-6)


def test_another_unit_of_time_gives_the_same_spline():
    duration = np.arange(1, 200) - 0.5
    assert spline(duration * 24, 200 * 24) == pytest.approx(spline(duration, 200), abs=1e-10)


def test_weeks_find_the_peak_of_days():
    by_day = expected(bump(364), 60_000)
    days = np.arange(1, 365).reshape(-1, 7)
    weeks = RiskSet(
        np.r_[60_000, by_day.at_risk[days[:, 0]]],
        np.r_[0, by_day.churned[days].sum(axis=1)],
        np.r_[0, by_day.censored[days].sum(axis=1)],
    )
    found, coarse = (hazard_peak(smooth_hazard(risk), 0.9) for risk in (by_day, weeks))
    assert found.shape == coarse.shape == "peak"
    # a week's mean is flatter than its days: the top may move by a part of a week
    assert 7 * coarse.at == pytest.approx(found.at, abs=3)


def test_the_true_curve_lies_in_the_band_and_the_peak_in_its_interval():
    smooth = smooth_hazard(expected(bump(365), 20_000))
    low, high = smooth.bounds(0.95)
    truth = bump(365)
    # counts are the expected ones, so only the smoothing could lead away
    assert ((low <= truth) & (truth <= high)).mean() > 0.97
    peak = hazard_peak(smooth, 0.9)
    assert peak.shape == "peak"
    assert peak.low < 42 < peak.high


def test_more_members_narrow_the_band_and_the_interval():
    few, many = (smooth_hazard(expected(bump(365), n)) for n in (5_000, 80_000))
    spreads = [
        float((np.log(high) - np.log(low)).mean()) for low, high in (few.bounds(0.95), many.bounds(0.95))
    ]
    # sixteen times the members: a quarter of the width, less what a wigglier curve costs
    assert spreads[1] < 0.5 * spreads[0]
    wide, narrow = (hazard_peak(one, 0.9) for one in (few, many))
    assert narrow.high - narrow.low < wide.high - wide.low


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(120)), st.integers(2, 5))
def test_split_and_shuffled_rows_change_nothing(order, parts):
    risk = expected(bump(120), 3_000)
    entered = np.zeros(121, dtype=np.int64)
    entered[0] = 3_000
    rows = np.column_stack([np.arange(121), entered, risk.churned, risk.censored])
    split = np.concatenate(
        [np.column_stack([rows[:, 0], rows[:, 1:] // parts])] * (parts - 1)
        + [np.column_stack([rows[:, 0], rows[:, 1:] - (parts - 1) * (rows[:, 1:] // parts)])]
    )
    shuffled = split[np.argsort([*order, *range(120, len(split))], kind="stable")]
    whole, again = smooth_hazard(risk), smooth_hazard(risk_set(*shuffled.T))
    assert np.array_equal(whole.log_hazard, again.log_hazard)


def test_late_entry_counts_from_its_day_on():
    """Twice as many at risk and gone from day 60 on, half of whom enter late: the hazard is the same."""
    hazard = np.full(200, 0.01)
    plain = expected(hazard, 10_000, censored=0)
    late = RiskSet(
        np.where(np.arange(201) > 60, 2 * plain.at_risk, plain.at_risk),
        np.where(np.arange(201) > 60, 2 * plain.churned, plain.churned),
        plain.censored,
    )
    # rounding to whole leavers is all that keeps the estimate from 0.01
    assert smooth_hazard(late).median() == pytest.approx(hazard, rel=0.03)


def test_it_is_the_same_every_time_and_leaves_the_global_generator_alone():
    risk = expected(bump(200), 3_000)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (that nobody touches it)
    first = smooth_hazard(risk)
    _points.cache_clear()  # as in another process
    second = smooth_hazard(risk)
    assert np.array_equal(first.log_hazard, second.log_hazard)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_smoothness_is_between_a_line_and_a_wiggle():
    straight = smooth_hazard(expected(np.full(365, 0.004), 20_000))
    curved = smooth_hazard(expected(bump(365), 20_000))
    assert 1.9 < straight.edf < 4
    assert curved.edf > 4.5
    assert SMOOTHNESS[0] > SMOOTHNESS[-1]


def test_too_few_leavers_are_no_curve():
    with pytest.raises(UndefinedError, match="10 who left"):
        smooth_hazard(expected(np.full(30, 0.0001), 1_000))


# --- the peak of curves drawn by hand ---------------------------------------------------------------


def drawn(*curves):
    log_hazard = np.log(np.array(curves, dtype=float))
    return SmoothHazard(np.arange(log_hazard.shape[1]) + 0.5, log_hazard, log_hazard, 3.0)


def test_the_top_of_a_parabola_is_found_between_units():
    time = np.arange(100) + 0.5
    curve = np.exp(1 - ((time - 30.3) / 20) ** 2)
    found = hazard_peak(drawn(curve, curve), 0.9)
    # the logarithm is a parabola, and its top needs no approximation
    assert (found.at, found.low, found.high) == pytest.approx((30.3, 30.3, 30.3), abs=1e-9)


def test_the_peak_is_compared_with_long_before_and_long_after():
    curve = np.ones(100)
    curve[20], curve[:10], curve[60:] = 4.0, 2.0, 0.5
    found = hazard_peak(drawn(curve), 0.9)
    assert found.at == pytest.approx(20.5)  # even on both sides
    assert found.before[0] == pytest.approx(2.0)  # units 0 to 9, the first half of 0 to 20
    assert found.after[0] == pytest.approx(8.0)  # units 60 to 99, the second half of 21 to 99


@pytest.mark.parametrize(
    ("curve", "shape"),
    [
        (np.linspace(3, 1, 60), "falling"),
        (np.linspace(1, 3, 60), "rising"),
        (np.ones(60), "level"),
        (np.r_[1.05, np.full(58, 1.06), 1.05], "level"),
    ],
)
def test_no_peak_at_an_end_nor_a_hardly_visible_one(curve, shape):
    found = hazard_peak(drawn(curve), 0.9)
    assert found.shape == shape
    assert np.isnan(found.at)


@pytest.mark.parametrize(("share", "claimed"), [(89, False), (91, True)])
def test_a_peak_is_claimed_when_nine_in_ten_curves_have_it(share, claimed):
    peaked, flat = np.ones(50), np.ones(50)
    peaked[20] = 1.01 * STANDS_OUT
    found = hazard_peak(drawn(*[peaked] * share, *[flat] * (100 - share)), 0.9)
    assert (found.shape == "peak") == claimed
    assert found.sure == pytest.approx(share / 100)


def test_the_place_comes_from_curves_that_stand_out():
    peaked, falling = np.ones(50), np.linspace(3, 1, 50)
    peaked[20] = 2.0
    found = hazard_peak(drawn(*[peaked] * 92, *[falling] * 8), 0.9)
    assert (found.low, found.at, found.high) == pytest.approx((20.5, 20.5, 20.5))


# --- what is enough, and how far draws are apart ----------------------------------------------------


def leavers(*days):
    """Return 1,000 members over 40 days of whom one leaves on each of the days."""
    churned = np.bincount(days, minlength=41)
    return RiskSet(1_000 - np.r_[0, np.cumsum(churned)[:-1]], churned, np.zeros(41, dtype=np.int64))


def test_ten_leavers_in_four_units_of_time_are_enough():
    assert smooth_hazard(leavers(3, 3, 3, 9, 9, 9, 20, 20, 30, 30)).edf > 1
    with pytest.raises(UndefinedError, match="10 who left"):
        smooth_hazard(leavers(3, 3, 3, 9, 9, 9, 20, 20, 30))
    with pytest.raises(UndefinedError, match="no curve"):
        smooth_hazard(leavers(3, 3, 3, 9, 9, 9, 20, 20, 20, 20))


def test_durations_are_middles_of_units_of_time():
    assert smooth_hazard(expected(bump(60), 3_000)).duration.tolist() == [day + 0.5 for day in range(60)]


def test_draws_vary_as_the_posterior_and_those_for_places_less():
    """Mixture over smoothing parameters of normals, by matrices inverted outright.

    With information I and penalty P: (I + P)^-1, and (I + P)^-1 (I + P / 2) (I + P)^-1 for places. 1,024
    Sobol points give a variance to some per cent; the wrong triangle of a factor, or a penalty left out,
    is off by a third.
    """
    risk = expected(bump(120), 4_000)
    smooth, at_risk, churned = smooth_hazard(risk), risk.at_risk[1:], risk.churned[1:]
    columns = spline(smooth.duration, 120)
    fits = fit_all(columns, at_risk, churned)
    weight = np.exp([fit.evidence - max(fit.evidence for fit in fits) for fit in fits])
    weight /= weight.sum()
    differences = np.diff(np.eye(columns.shape[1]), 2, axis=0)
    middles, within = [], []
    for fit, log_smoothing in zip(fits, SMOOTHNESS, strict=True):
        penalty = np.exp(log_smoothing) * differences.T @ differences + 1e-7 * np.eye(columns.shape[1])
        hazard = np.exp(columns @ fit.coefficients)
        known = columns.T @ (columns * (at_risk * hazard**2 / np.expm1(hazard))[:, None])
        inverse = np.linalg.inv(known + penalty)
        milder = inverse @ (known + penalty / 2) @ inverse
        middles.append(np.log(hazard))
        within.append([((columns @ one) * columns).sum(axis=1) for one in (inverse, milder)])
    between = weight @ np.square(middles) - (weight @ np.array(middles)) ** 2
    for drawn_curves, which in ((smooth.log_hazard, 0), (smooth.for_places, 1)):
        expected_variance = weight @ np.array([pair[which] for pair in within]) + between
        ratio = drawn_curves.var(axis=0) / expected_variance
        assert np.median(ratio) == pytest.approx(1, abs=0.05)
        assert ratio == pytest.approx(np.ones(120), abs=0.2)
