from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.world.demo import world_parameters
from sojourn.world.parameters import FEATURES, REASONS

NUMBERS = ("hazard", "sessions", "views", "buys", "tasks", "price")


def test_without_separation_the_segments_are_one_distribution():
    made = world_parameters(separation=0)
    for name in (*NUMBERS, "taste", "reasons"):
        values = np.array([getattr(segment, name) for segment in made.segments])
        assert np.allclose(values, values[0], rtol=1e-12), name
    for scheme in made.trial.schemes:
        for name in ("hazard", "rebound", "buys", "tasks", "at_start", "per_purchase"):
            assert np.ptp(getattr(scheme, name)) < 1e-12, (scheme.name, name)


@given(separation=st.floats(0, 1.25))
@settings(deadline=None)
def test_separation_scales_distances_and_keeps_the_centre(separation):
    whole, made = world_parameters(), world_parameters(separation=separation)
    shares = [segment.share for segment in whole.segments]
    for name in NUMBERS:
        before = np.log([getattr(s, name) for s in whole.segments])
        after = np.log([getattr(s, name) for s in made.segments])
        assert np.average(after, weights=shares) == pytest.approx(
            np.average(before, weights=shares), abs=1e-9
        )
        assert np.ptp(after) == pytest.approx(separation * np.ptp(before), abs=1e-9)
    for segment in made.segments:
        assert sum(segment.taste) == pytest.approx(1, abs=1e-12)
        assert sum(segment.reasons) == pytest.approx(1, abs=1e-12)


@given(effects=st.floats(0, 1.5))
@settings(deadline=None)
def test_effects_scale_logarithms_of_factors_and_costs(effects):
    whole, made = world_parameters(), world_parameters(effects=effects)
    for before, after in zip(whole.trial.schemes, made.trial.schemes, strict=True):
        for name in ("hazard", "rebound", "buys", "tasks"):
            scaled = effects * np.log(getattr(before, name))
            assert np.allclose(np.log(getattr(after, name)), scaled, atol=1e-9)
        # costs are whole cents
        assert np.allclose(after.at_start, effects * np.array(before.at_start), atol=0.00501)


def test_without_effects_every_scheme_is_the_control_under_another_name():
    control, *others = world_parameters(effects=0).trial.schemes
    assert all(replace(other, name="none") == control for other in others)


@pytest.mark.parametrize(
    "switch", [{"effects": -0.1}, {"effects": 2.0}, {"separation": -1}, {"separation": 3}]
)
def test_switches_out_of_range_are_refused_by_name(switch):
    with pytest.raises(ParameterError, match=f"'{next(iter(switch))}' must be"):
        world_parameters(**switch)


def test_a_probability_of_a_purchase_above_one_is_refused():
    made = world_parameters()
    greedy = replace(made.segments[0], buys=0.9)
    with pytest.raises(ParameterError, match="probability of a purchase per session"):
        replace(made, segments=(greedy, *made.segments[1:]))


def test_a_refund_later_than_the_quiet_days_is_refused():
    made = world_parameters()
    with pytest.raises(ParameterError, match="'refund_days' must be"):
        replace(made, activity=replace(made.activity, refund_days=(1, 8)))


def test_shares_and_weights_are_whole():
    made = world_parameters()
    joining = made.joining
    shares = [
        [c.share for c in made.channels],
        [p.share for p in made.plans],
        [s.share for s in made.segments],
    ]
    shares += [
        [s for _, s in joining.genders],
        [s for _, s in joining.regions],
        [s for *_, s in joining.ages],
    ]
    assert all(sum(row) == pytest.approx(1, abs=1e-12) for row in shares)
    assert np.mean(made.activity.weekdays) == pytest.approx(1, abs=1e-12)
    assert all(len(s.taste) == 5 < len(FEATURES) and len(s.reasons) == len(REASONS) for s in made.segments)


def test_a_scheme_pays_one_harms_one_is_null():
    names = [scheme.name for scheme in world_parameters().trial.schemes]
    assert names == ["none", "welcome_coupon", "bonus_points", "daily_tasks", "tier_trial"]
