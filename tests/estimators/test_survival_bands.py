"""Laws of intervals, bands and quantiles of a curve: true for any members."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sojourn.estimators.survival.bands import critical_value, survival_band
from sojourn.estimators.survival.intervals import SCALES, bounds
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.quantiles import quantile
from sojourn.estimators.survival.risk_set import risk_set


def of_members(exits, churned, entries=None):
    exits, churned = np.asarray(exits), np.asarray(churned, dtype=np.int64)
    entries = np.zeros_like(exits) if entries is None else np.asarray(entries)
    one, none = np.ones_like(exits), np.zeros_like(exits)
    return risk_set(np.r_[entries, exits], np.r_[one, none], np.r_[none, churned], np.r_[none, 1 - churned])


@st.composite
def members(draw, smallest=2):
    n = draw(st.integers(smallest, 60))
    exits = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    churned = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return of_members(exits, churned)


@settings(deadline=None)
@given(st.floats(0.001, 0.999), st.floats(0.0, 3.0), st.sampled_from(list(SCALES)))
def test_bounds_hold_the_estimate_within_0_and_1_and_grow_with_reach(retained, reach, scale):
    low, high = bounds(np.array([retained] * 2), np.array([reach, reach * 1.1]), scale)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= retained * (1 + 1e-12)).all()
    assert (retained <= high * (1 + 1e-12)).all()
    assert low[1] <= low[0] * (1 + 1e-9)
    assert high[1] >= high[0] * (1 - 1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_scales_agree_where_much_is_known(scale):
    """All are the same to first order: with a standard error of 1 in 10,000, to about its square (1e-8)."""
    low, high = bounds(np.array([0.3]), np.array([1e-4]), scale)
    assert low[0] == pytest.approx(0.3 * (1 - 1e-4), abs=2e-8)
    assert high[0] == pytest.approx(0.3 * (1 + 1e-4), abs=2e-8)


@settings(deadline=None)
@given(members(), st.sampled_from(["equal precision", "hall-wellner"]), st.sampled_from(list(SCALES)))
def test_a_band_holds_the_pointwise_intervals(risk, kind, scale):
    band, point = survival_band(risk, 0.9, kind=kind, scale=scale), kaplan_meier(risk, 0.9, scale)
    here = np.isfinite(band.low)
    assert here.sum() == max(0, band.last - band.first + 1)
    assert (band.low[here] <= point.low[here] * (1 + 1e-9)).all()
    assert (band.high[here] >= point.high[here] * (1 - 1e-9)).all()


@settings(deadline=None, max_examples=40)
@given(members(smallest=5), st.floats(0.5, 0.98))
def test_equal_precision_reaches_as_many_standard_errors_everywhere(risk, mass):
    band, plain = survival_band(risk, mass, scale="log"), kaplan_meier(risk, mass)
    here = np.isfinite(band.low)
    assume(here.any())
    reach = np.log(plain.retained[here] / band.low[here]) / (plain.se[here] / plain.retained[here])
    np.testing.assert_allclose(reach, band.critical, rtol=1e-9)
    assert band.critical >= norm.ppf(0.5 + mass / 2) - 0.005


@settings(deadline=None, max_examples=30)
@given(st.floats(0.02, 0.9), st.floats(0.01, 0.09), st.floats(0.5, 0.99))
def test_longer_stretches_and_more_mass_need_wider_bands(a, step, mass):
    for kind in ("equal precision", "hall-wellner"):
        base = critical_value(kind, a, a + step / 2, mass)
        assert critical_value(kind, a, a + step, mass) >= base - 1e-9
        assert critical_value(kind, a, a + step / 2, mass + (1 - mass) / 2) > base


def test_a_stretch_of_no_length_is_one_point():
    z = norm.ppf(0.975)
    assert critical_value("equal precision", 0.3, 0.3, 0.95) == pytest.approx(z, rel=1e-12)
    assert critical_value("hall-wellner", 0.3, 0.3, 0.95) == pytest.approx(z * np.sqrt(0.3 * 0.7), rel=1e-12)
    # Nearly no length: the bridge moves by about the root of it, a hundredth.
    assert z < critical_value("equal precision", 0.3, 0.3001, 0.95) < z + 0.03
    assert 0 <= critical_value("hall-wellner", 0.3, 0.3001, 0.95) - z * np.sqrt(0.3 * 0.7) < 0.02


def test_where_nobody_has_left_or_nobody_is_left_there_is_no_band():
    stays = survival_band(of_members([3, 4], [0, 0]), 0.95)
    assert np.isnan(stays.low).all()
    assert stays.last < stays.first
    leaves = survival_band(of_members([1, 2, 3, 3], [1, 1, 1, 1]), 0.95)
    assert (leaves.first, leaves.last) == (1, 2)
    assert np.isnan(leaves.low[3])
    asked = survival_band(of_members([1, 2, 3, 3], [1, 1, 1, 1]), 0.95, first=0, last=3)
    assert (asked.first, asked.last) == (1, 2)
    assert survival_band(of_members([1, 2, 3, 3], [1, 1, 1, 1]), 0.95, first=3).last < 0


# --- quantiles --------------------------------------------------------------------------------------------


def test_a_curve_level_at_the_share_asked_for():
    """Four members leave on days 2, 4, 6 and 8: half are left from day 4 to day 6."""
    curve = kaplan_meier(of_members([2, 4, 6, 8], [1, 1, 1, 1]), 0.95)
    args = curve.retained, curve.low, curve.high
    assert quantile(*args, 0.5, flat="middle").value == 5
    assert quantile(*args, 0.5, flat="first").value == 4
    assert quantile(*args, 0.4).value == 4
    assert np.isinf(quantile(*args, 0.9).high)


def test_a_share_that_has_not_left_has_no_time():
    curve = kaplan_meier(of_members([5] * 3 + [9] * 7, [1] * 3 + [0] * 7), 0.95)
    assert np.isnan(quantile(curve.retained, curve.low, curve.high, 0.5).value)
    assert (
        quantile(curve.retained, curve.low, curve.high, 0.3).value == 7
    )  # level from day 5 to the end, day 9


@settings(deadline=None)
@given(members(smallest=5), st.floats(0.05, 0.95), st.sampled_from(list(SCALES)))
def test_quantiles_are_when_the_curve_has_come_down(risk, p, scale):
    curve = kaplan_meier(risk, 0.9, scale)
    found = quantile(curve.retained, curve.low, curve.high, p, flat="first")
    assume(np.isfinite(found.value))
    day = int(found.value)
    assert curve.retained[day] <= 1 - p + 1e-7
    assert day == 0 or curve.retained[day - 1] > 1 - p
    assert not found.low > found.value
    assert found.high >= found.value
    more = quantile(curve.retained, curve.low, curve.high, min(p + 0.02, 0.99), flat="first")
    assert not more.value < found.value


def test_a_band_of_a_million_members_is_defined_from_the_first_loss_on():
    """Hall-Wellner reaches over a thousand standard errors there, beyond what an exponential can hold."""
    n = 1_000_000
    risk = risk_set(
        np.array([0, 1, 2]), np.array([n, 0, 0]), np.array([0, 1, 400_000]), np.array([0, 0, 599_999])
    )
    band = survival_band(risk, 0.95, kind="hall-wellner")
    assert (band.first, band.low[1], band.high[1]) == (1, 0.0, 1.0)
    assert 0.59 < band.low[2] < 0.6 < band.high[2] < 0.61
