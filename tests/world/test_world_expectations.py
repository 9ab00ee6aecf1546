"""Closed forms against arithmetic that shares no code with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.world.demo import world_parameters
from sojourn.world.expectations import expect
from sojourn.world.hazards import make_hazards, segment_of
from sojourn.world.money import draw_amounts, mean_amount
from sojourn.world.parameters import Churn, Scheme, WorldParameters


def plain(**changes) -> WorldParameters:
    """A world of constant hazards and constant activity, which one can integrate on paper."""
    made = world_parameters()
    activity = replace(made.activity, novelty=0.0, refunds=0.0)
    trial = replace(made.trial, schemes=(Scheme("none"), Scheme("half", hazard=(0.5, 0.5, 0.5))))
    churn = Churn(level=0.01, peak=1.0, quiet=1.0)
    return replace(made, **{"activity": activity, "trial": trial, "churn": churn, **changes})


def kinds_hazard(parameters: WorldParameters) -> np.ndarray:
    return make_hazards(parameters, 400).daily[0, :, 0]


def rates(parameters: WorldParameters) -> np.ndarray:
    per_day = [s.sessions * s.buys * mean_amount(parameters.activity, s.price) for s in parameters.segments]
    return np.array(per_day)[segment_of(parameters)]


def test_with_a_constant_hazard_revenue_is_the_rate_times_the_mean_stay():
    parameters = plain()
    found = expect(parameters, make_hazards(parameters, 400))
    hazard = kinds_hazard(parameters)
    stay = (1 - np.exp(-90 * hazard)) / hazard
    assert np.allclose(found.kept[0], np.exp(-90 * hazard), rtol=1e-12)
    assert np.allclose(found.revenue[0], rates(parameters) * stay, rtol=1e-12)
    assert np.allclose(found.value, 0.3 * found.revenue, rtol=1e-12)


def test_a_scheme_that_halves_the_hazard_for_56_days():
    parameters = plain()
    found = expect(parameters, make_hazards(parameters, 400))
    hazard = kinds_hazard(parameters)
    stay = (1 - np.exp(-28 * hazard)) / (hazard / 2)
    stay += np.exp(-28 * hazard) * (1 - np.exp(-34 * hazard)) / hazard
    assert np.allclose(found.kept[1], np.exp(-(28 + 34) * hazard), rtol=1e-12)
    assert np.allclose(found.revenue[1], rates(parameters) * stay, rtol=1e-12)


def test_quiet_days_before_leaving_lose_their_share_of_revenue():
    parameters = plain(churn=Churn(level=0.01, peak=1.0, quiet=0.25, quiet_days=14))
    found = expect(parameters, make_hazards(parameters, 400))
    hazard = kinds_hazard(parameters)
    stay = (1 - np.exp(-90 * hazard)) / hazard
    # of the time a member is there, exp(-14 h) is more than 14 days before leaving
    factor = 0.25 + 0.75 * np.exp(-14 * hazard)
    assert np.allclose(found.revenue[0], rates(parameters) * stay * factor, rtol=1e-12)


def test_refunds_need_the_member_to_be_there_some_days_later():
    made = world_parameters()
    activity = replace(made.activity, novelty=0.0, refunds=0.5, refund_days=(2,))
    parameters = plain(activity=activity)
    found = expect(parameters, make_hazards(parameters, 400))
    hazard = kinds_hazard(parameters)
    bought = (1 - np.exp(-90 * hazard)) / hazard
    # refunds in the horizon stem from days -2 to 88: two days of sure presence shifted to days 0 and 1
    assert np.allclose(found.revenue[0], rates(parameters) * bought * 0.5, rtol=1e-12)


def test_costs_are_paid_at_the_start_and_on_rewarded_purchases():
    scheme = Scheme("paid", buys=(2.0, 2.0, 2.0), at_start=(1.0, 2.0, 3.0), per_purchase=(0.5, 0.5, 0.5))
    parameters = plain()
    parameters = replace(parameters, trial=replace(parameters.trial, schemes=(Scheme("none"), scheme)))
    found = expect(parameters, make_hazards(parameters, 400))
    hazard, hidden = kinds_hazard(parameters), segment_of(parameters)
    per_day = np.array([s.sessions * s.buys for s in parameters.segments])[hidden]
    rewarded = 2 * per_day * (1 - np.exp(-56 * hazard)) / hazard
    assert np.allclose(found.cost[1], np.array([1.0, 2.0, 3.0])[hidden] + 0.5 * rewarded, rtol=1e-12)
    assert np.all(found.cost[0] == 0)


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_the_mean_amount_is_that_of_drawn_purchases(segment):
    parameters = world_parameters()
    cents = draw_amounts(parameters, np.full(400_000, segment), np.random.default_rng(segment))
    expected = mean_amount(parameters.activity, parameters.segments[segment].price)
    # four standard errors; rounding to hundredths has mean 0
    assert abs(cents.mean() / 100 - expected) < 4 * cents.std() / 100 / np.sqrt(400_000)
