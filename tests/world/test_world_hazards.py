"""Hazards and what follows from them in closed form, against integrals and products made by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import scheme_hazard
from sojourn.world.members.hazards import (
    back_by,
    cumulative,
    hazard_shape,
    integral_at,
    leaving_day,
    mean_presence,
)
from sojourn.world.parameters import Churn, Scheme, Trial

HAZARDS = np.random.default_rng(5).gamma(2.0, 0.01, size=(20, 60))
TOTAL = cumulative(HAZARDS)


def test_the_hazard_peaks_on_the_stated_day_at_the_stated_multiple_of_its_level():
    shape = hazard_shape(Churn(level=0.002, peak=3.0, peak_day=38.5), 2_000)
    assert np.argmax(shape) == 38
    assert shape[38] == pytest.approx(0.006, rel=1e-12)
    assert shape[-1] == pytest.approx(0.002, rel=1e-12)
    assert shape[0] < 0.002 * 1.01


@given(row=st.integers(0, 19), day=st.floats(0, 60))
@settings(deadline=None)
def test_the_integral_up_to_a_day_is_that_of_a_step_function(row, day):
    steps = [HAZARDS[row, d] * min(max(day - d, 0), 1) for d in range(60)]
    assert integral_at(TOTAL, np.full(20, day))[row] == pytest.approx(sum(steps), rel=1e-12, abs=1e-15)


def test_mean_presence_within_a_day_is_its_integral():
    there = mean_presence(TOTAL)
    for row, day in ((0, 0), (7, 31), (19, 59)):
        integral, _ = quad(lambda t, r=row, d=day: exp(-TOTAL[r, d] - HAZARDS[r, d] * t), 0, 1)
        assert there[row, day] == pytest.approx(integral, rel=1e-12)


@given(row=st.integers(0, 19), exponential=st.floats(1e-9, 5.0))
@settings(deadline=None)
def test_the_day_of_leaving_inverts_the_integral(row, exponential):
    left = leaving_day(TOTAL, np.full(20, exponential))[row]
    if exponential >= TOTAL[row, -1]:
        assert left == np.inf
    else:
        assert np.interp(left, np.arange(61), TOTAL[row]) == pytest.approx(exponential, rel=1e-9)


def test_a_scheme_ramps_up_acts_while_its_reward_runs_and_rebounds():
    parameters = world_parameters()
    scheme = Scheme("s", hazard=(0.5,), rebound=(1.2, 1.3, 1.4, 1.5, 1.6))
    found = scheme_hazard(scheme, Trial("t", (scheme,), reward_days=56, rebound_days=28), parameters)
    assert np.allclose(found[:, :56], 0.5, rtol=1e-12)
    assert np.allclose(found[:, 56:], np.array([[1.2], [1.3], [1.4], [1.5], [1.6]]), rtol=1e-12)
    assert found.shape == (5, 84)
    slow = scheme_hazard(scheme, Trial("t", (scheme,), ramp_days=4, rebound_days=0), parameters)
    assert np.allclose(slow[0, :6], [0.5**0.25, 0.5**0.5, 0.5**0.75, 0.5, 0.5, 0.5], rtol=1e-12)


def hazard_by_hand(frame, block, i: int, day: int) -> float:
    """Return the hazard of one member on one day, factor by factor from the parameters."""
    made, people, programme = frame.parameters, block.people, block.programme
    churn = made.churn
    x = (day + 0.5) / churn.peak_day
    hazard = churn.level * (1 + (churn.peak - 1) * (x * exp(1 - x)) ** 2)
    hazard *= made.segments[people.segment[i]].hazard * made.channels[people.channel[i]].hazard
    hazard *= exp(-0.35 * people.satisfaction[i])
    plan = made.plans[block.course.plan[i, day]]
    hazard *= plan.hazard if day < churn.turn_day else plan.later
    hazard *= made.stages.hazard[block.course.stage[i, day]]
    if day >= programme.begins[i]:
        for code, medium in enumerate(made.contact.media):
            if not programme.held_out[i, code] and day <= programme.until[i, code]:
                hazard *= medium.hazard
        sent = programme.day[programme.member == i] // 7 == day // 7
        hazard *= exp(0.12 * max(sent.sum() - 2, 0))
    for enrolment in block.enrolments:
        trial, since = enrolment.trial, day - enrolment.day[i]
        if enrolment.entitled[i] and since >= 0:
            scheme, code = trial.schemes[enrolment.scheme[i]], people.segment[i]
            if since < trial.reward_days:
                hazard *= scheme.hazard[code]
            elif since < trial.reward_days + trial.rebound_days:
                hazard *= scheme.rebound[code]
    return hazard


def test_the_hazard_of_a_member_on_a_day_is_the_product_of_the_stated_factors(drawn):
    rng = np.random.default_rng(1)
    block = drawn.blocks[2]
    rows, days = rng.integers(len(block), size=400), rng.integers(block.hazard.shape[1], size=400)
    # some at the begin of follow-up of those who joined before observation
    rows[:60] = np.flatnonzero(block.entry > 0)[:60]
    days[:60] = rng.integers(70, size=60)
    expected = [hazard_by_hand(drawn.frame, block, *at) for at in zip(rows, days, strict=True)]
    assert np.allclose(block.hazard[rows, days], expected, rtol=1e-10)


def test_before_observation_begins_nothing_but_what_is_lasting_acts(draw):
    """Who tires of messages cannot have tired before the first one: being seen depends on the rest alone."""
    made = world_parameters()
    tiring = replace(made.contact, tires=2.0, cadence=(("heavy", 1.0, 4.0),))
    joining = replace(made.joining, before_days=200)
    drawn = draw(1, parameters=replace(made, contact=tiring, joining=joining))
    assert (drawn.people.joined < drawn.frame.start).sum() > 500
    assert (drawn.lives.left > drawn.frame.start).all()


@pytest.mark.parametrize("again", [0.0005, 0.004, 0.0068, 0.05])
def test_the_chance_of_being_back_is_that_of_its_integral(again):
    """Over a uniform instant u of leaving within a day and a uniform instant v of the day asked for."""
    churn = Churn(returns=0.22, return_days=45.0)
    found = back_by(churn, np.array([again]), 120)[0]
    rate = 1 / 45.0

    def back_after(w: float) -> float:
        # back at some instant s after leaving, and not gone again by w
        if w <= 0:
            return 0.0
        return 0.22 * quad(lambda s: rate * exp(-rate * s) * exp(-again * (w - s)), 0, w, epsabs=1e-14)[0]

    for lag in (0, 1, 10, 119):
        # the difference of two uniform instants has a triangular density around the lag
        whole = quad(lambda x, k=lag: (1 - abs(x)) * back_after(k + x), -1, 1, points=[0], epsabs=1e-13)[0]
        # at the smallest hazards eight digits of the closed form cancel
        assert found[lag] == pytest.approx(whole, rel=1e-7), lag


def test_a_shock_acts_on_the_days_that_begin_in_it(draw):
    shocked, quiet = draw(1, world="calendar_shock", seed=2), world_parameters("calendar_shock")
    calm = draw(1, parameters=replace(quiet, churn=replace(quiet.churn, shocks=())), seed=2)
    ratio = shocked.blocks[0].hazard / calm.blocks[0].hazard
    begins = shocked.people.joined[:, None] + np.arange(ratio.shape[1]) * DAY
    from_instant = shocked.frame.as_of - 200 * DAY
    inside = (begins >= from_instant) & (begins < from_instant + 14 * DAY)
    # a member who joined during the shock: its day 0 begins in it too
    assert np.allclose(ratio, np.where(inside, 5.0, 1.0), rtol=1e-12)
    sessions = shocked.blocks[0].sessions, calm.blocks[0].sessions
    assert np.allclose(sessions[0], sessions[1] * np.where(inside, 0.5, 1.0), rtol=1e-12)
