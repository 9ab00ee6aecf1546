from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from sojourn.world.demo import world_parameters
from sojourn.world.hazards import Hazards, hazard_shape, kind_of, make_hazards, scheme_factor, segment_of
from sojourn.world.parameters import Churn

PARAMETERS = world_parameters()
HAZARDS = make_hazards(PARAMETERS, 400)


def test_the_hazard_peaks_on_the_stated_day_at_the_stated_multiple_of_its_level():
    shape = hazard_shape(Churn(level=0.002, peak=3.0, peak_day=38.5), 2_000)
    assert np.argmax(shape) == 38
    assert shape[38] == pytest.approx(0.006, rel=1e-12)
    assert shape[-1] == pytest.approx(0.002, rel=1e-12)
    assert shape[0] < 0.002 * 1.01


def test_survival_is_the_exponential_of_the_integrated_hazard():
    daily = HAZARDS.daily[2, 7]
    integral, _ = quad(lambda t: daily[int(t)], 0, 63.5, points=list(range(1, 64)), limit=200)
    at = np.exp(-integral)
    start = HAZARDS.survival[2, 7, 63]
    # quad is told of every step, so only rounding remains
    assert start * np.exp(-daily[63] / 2) == pytest.approx(at, rel=1e-9)


def test_mean_survival_within_a_day_is_its_integral():
    daily, start = HAZARDS.daily[1, 3, 40], HAZARDS.survival[1, 3, 40]
    integral, _ = quad(lambda t: start * np.exp(-daily * t), 0, 1)
    assert HAZARDS.mean_survival[1, 3, 40] == pytest.approx(integral, rel=1e-12)


@given(
    scheme=st.integers(0, 4),
    kind=st.integers(0, 44),
    exponential=st.floats(1e-9, 5.0),
)
@settings(deadline=None)
def test_leaving_time_inverts_the_integrated_hazard(scheme, kind, exponential):
    cumulative = HAZARDS.cumulative[scheme, kind]
    left = HAZARDS.leaving_time(np.array([scheme]), np.array([kind]), np.array([exponential]))[0]
    if exponential >= cumulative[-1]:
        assert left == np.inf
    else:
        assert np.interp(left, np.arange(len(cumulative)), cumulative) == pytest.approx(exponential, rel=1e-9)


def test_leaving_times_of_many_members_are_those_of_each():
    rng = np.random.default_rng(1)
    scheme, kind, drawn = rng.integers(5, size=200), rng.integers(45, size=200), rng.exponential(size=200)
    together = HAZARDS.leaving_time(scheme, kind, drawn)
    single = [HAZARDS.leaving_time(scheme[[i]], kind[[i]], drawn[[i]])[0] for i in range(200)]
    assert np.array_equal(together, single)


def test_a_scheme_acts_while_its_reward_runs_and_rebounds_after():
    trial = PARAMETERS.trial
    scheme = trial.schemes[4]
    factor = scheme_factor(scheme, trial, 120)
    first, end = trial.day, trial.day + trial.reward_days
    assert np.all(factor[:, :first] == 1)
    assert np.allclose(factor[:, first:end], np.array(scheme.hazard)[:, None], rtol=1e-12)
    assert np.allclose(
        factor[:, end : end + trial.rebound_days], np.array(scheme.rebound)[:, None], rtol=1e-12
    )
    assert np.all(factor[:, end + trial.rebound_days :] == 1)


def test_kinds_are_numbered_without_gaps_and_know_their_segment():
    grid = np.stack(np.meshgrid(range(3), range(3), range(5), indexing="ij"), -1).reshape(-1, 3)
    kinds = kind_of(PARAMETERS, *grid.T)
    assert np.array_equal(kinds, np.arange(45))
    assert np.array_equal(segment_of(PARAMETERS)[kinds], grid[:, 0])


def test_the_hazard_of_a_kind_is_the_product_of_its_factors():
    kind = int(kind_of(PARAMETERS, np.array([2]), np.array([1]), np.array([4]))[0])
    segment, plan, channel = PARAMETERS.segments[2], PARAMETERS.plans[1], PARAMETERS.channels[4]
    expected = hazard_shape(PARAMETERS.churn, 400) * segment.hazard * plan.hazard * channel.hazard
    assert np.allclose(HAZARDS.daily[0, kind], expected, rtol=1e-12)


def test_hazards_are_a_frozen_value():
    with pytest.raises(AttributeError):
        HAZARDS.daily = np.zeros(1)
    assert isinstance(HAZARDS, Hazards)
