"""The two switches of every world, and values that are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.world.catalogue import WORLDS, world_parameters
from sojourn.world.members.enrolment import by_segment

LOGS = ("hazard", "value_days", "active_days", "sessions", "views", "buys", "tasks", "social", "price")
FACTORS = ("hazard", "rebound", "sessions", "buys", "tasks")


def test_without_separation_the_segments_are_one_distribution():
    made = world_parameters(separation=0)
    for name in (*LOGS, "price_sensitivity", "takes_off", "taste", "reasons"):
        values = np.array([getattr(segment, name) for segment in made.segments])
        assert np.allclose(values, values[0], rtol=1e-12), name
    assert np.allclose(made.offers.tastes, made.offers.tastes[0], rtol=1e-12)
    for trial in made.trials:
        for scheme in trial.schemes:
            for name in (*FACTORS, "at_start", "per_purchase"):
                assert np.ptp(getattr(scheme, name)) < 1e-12, (scheme.name, name)


@given(separation=st.floats(0, 1.25))
@settings(deadline=None)
def test_separation_scales_distances_and_keeps_the_centre(separation):
    whole, made = WORLDS["demo"](), world_parameters(separation=separation)
    shares = [segment.share for segment in whole.segments]
    for name in LOGS:
        before = np.log([getattr(s, name) for s in whole.segments])
        after = np.log([getattr(s, name) for s in made.segments])
        assert np.average(after, weights=shares) == pytest.approx(
            np.average(before, weights=shares), abs=1e-9
        )
        assert np.ptp(after) == pytest.approx(separation * np.ptp(before), abs=1e-9)
    before, after = (np.array([s.takes_off for s in w.segments]) for w in (whole, made))
    odds = [np.log(p / (1 - p)) for p in (before, after)]
    assert np.ptp(odds[1]) == pytest.approx(separation * np.ptp(odds[0]), abs=1e-9)
    for segment in made.segments:
        assert sum(segment.taste) == pytest.approx(1, abs=1e-12)
        assert sum(segment.reasons) == pytest.approx(1, abs=1e-12)


@given(effects=st.floats(0, 1.5))
@settings(deadline=None)
def test_effects_scale_logarithms_of_factors_and_costs(effects):
    whole, made = WORLDS["demo"](), world_parameters(effects=effects)
    for trial, other in zip(whole.trials, made.trials, strict=True):
        for before, after in zip(trial.schemes, other.schemes, strict=True):
            for name in FACTORS:
                scaled = effects * np.log(by_segment(getattr(before, name), whole))
                assert np.allclose(np.log(getattr(after, name)), scaled, atol=1e-9)
            assert after.opt_out == pytest.approx(before.opt_out**effects)
            # costs are whole cents
            assert np.allclose(after.at_start, effects * np.array(before.at_start), atol=0.00501)


@pytest.mark.parametrize("world", list(WORLDS))
def test_without_effects_every_scheme_is_the_control_under_another_name(world):
    """But for the faults of a log: lost rows and withdrawn consent are not effects."""
    for trial in world_parameters(world, effects=0).trials:
        control, *others = trial.schemes
        for other in others:
            assert replace(other, name=control.name, lost=0.0, withdraws=(0.0, 0.0)) == control


@pytest.mark.parametrize("world", list(WORLDS))
def test_both_switches_at_one_leave_a_world_as_it_is_planned(world):
    planned, made = WORLDS[world](), world_parameters(world)
    for name in LOGS:
        values = [[getattr(s, name) for s in w.segments] for w in (planned, made)]
        assert np.allclose(*values, rtol=1e-12), name
    assert made.churn == planned.churn
    assert made.contact == planned.contact


@pytest.mark.parametrize(
    "switch", [{"effects": -0.1}, {"effects": 2.0}, {"separation": -1}, {"separation": 3}]
)
def test_switches_out_of_range_are_refused_by_name(switch):
    with pytest.raises(ParameterError, match=f"'{next(iter(switch))}' must be"):
        world_parameters(**switch)


def test_a_world_that_does_not_exist_is_refused_with_a_hint():
    with pytest.raises(ParameterError, match=r"calendar_shok.*Did you mean 'calendar_shock'"):
        world_parameters("calendar_shok")


def test_a_refund_later_than_the_quiet_days_is_refused():
    made = world_parameters()
    with pytest.raises(ParameterError, match="'refund_days' must be"):
        replace(made, activity=replace(made.activity, refund_days=(1, 15)))


def test_two_trials_of_one_name_are_refused():
    made = world_parameters()
    with pytest.raises(ParameterError, match="Trials must have different names, got main, main"):
        replace(made, trials=(made.trials[0], made.trials[0]))
