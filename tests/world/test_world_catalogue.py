"""Named worlds: each can be drawn, and has the fault that it is there for.

What studies make of them is tested elsewhere; here it is only shown that the fault is in the data, as large
as stated. One block each, so comparisons are wide; four standard errors as everywhere.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from sojourn.core.errors import ParameterError
from sojourn.world import make_world
from sojourn.world.catalogue import WORLDS, portfolio, world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import scheme_hazard
from sojourn.world.members.hazards import back_by, hazard_shape, member_factor
from sojourn.world.members.population import club_factors
from sojourn.world.randomness import stream
from sojourn.world.tables.assignments import scheme_names, withdrawn


@pytest.fixture(scope="module")
def of(draw):
    """Return a function that draws one block of a world by name, once."""
    return cache(partial(_draw, draw))


def _draw(draw, world: str, blocks: int = 1):
    return draw(blocks, seed=11, world=world)


def days_to_leaving(drawn) -> np.ndarray:
    return (drawn.lives.left - drawn.people.joined) / DAY


def untreated(drawn) -> np.ndarray:
    """Return who never has any scheme but the control."""
    who = [e.entitled & (e.scheme > 0) for e in drawn.blocks[0].enrolments]
    return ~np.any(who, axis=0)


def rest_of_hazard(drawn) -> np.ndarray:
    """Return hazards (members, days) without what is lasting, stage and day: plan, calendar and trials."""
    block, made = drawn.blocks[0], drawn.frame.parameters
    clubs = club_factors(drawn.frame, partial(stream, drawn.frame.seed, block=0))
    lasting = member_factor(drawn.frame, block.people, clubs)[:, None]
    shape = hazard_shape(made.churn, block.hazard.shape[1])
    return block.hazard / lasting / shape / np.array(made.stages.hazard)[block.course.stage]


def rate(drawn, first: int, last: int, members: np.ndarray | None = None) -> tuple[float, float]:
    """Return the rate of leaving per day between two instants, and its standard error."""
    chosen = np.ones(len(drawn), dtype=bool) if members is None else members
    left, joined = drawn.lives.left[chosen], drawn.people.joined[chosen]
    there = np.clip(np.minimum(left, last) - np.maximum(joined, first), 0, None).sum() / DAY
    gone = ((left >= first) & (left < last)).sum()
    return gone / there, np.sqrt(gone) / there


@pytest.mark.parametrize("name", list(WORLDS))
def test_every_world_says_what_it_is_for_and_can_be_made_with_its_truth(name):
    asked = {"members": 120, "seed": 2, "as_of": "2025-07-01T00:00:00Z", "start": "2024-10-01T00:00:00Z"}
    world = make_world(world=name, **asked)
    assert WORLDS[name].__doc__
    assert world.frame.parameters.name == name
    summary = world.truth.summary
    assert summary["world"]["name"] == name
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert len(world.events) > 1_000


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "demo"])
def test_only_the_demo_has_members_from_before_messages_that_matter_and_a_roll_out(name):
    made = world_parameters(name)
    assert made.joining.before_days == 0
    assert made.rollout is None
    assert {(m.hazard, m.sessions) for m in made.contact.media} == {(1.0, 1.0)}
    assert made.contact.tires == made.contact.care == 0


def test_non_proportional_plans_cross(of):
    drawn = of("non_proportional")
    rest, plan, calm = rest_of_hazard(drawn), drawn.people.plan, untreated(drawn)
    assert np.all(drawn.blocks[0].course.plan == plan[:, None])
    for code, (early, late) in enumerate([(1.15, 1.15), (0.40, 2.2), (1.15, 1.15)]):
        theirs = rest[calm & (plan == code)]
        assert np.allclose(theirs[:, :90], early, rtol=1e-9)
        assert np.allclose(theirs[:, 90:], late, rtol=1e-9)
    left = days_to_leaving(drawn)
    curves = [[(left[plan == code] > day).mean() for day in (90, 500)] for code in (0, 1)]
    assert curves[1][0] > curves[0][0] + 0.1
    assert curves[1][1] < curves[0][1]


def test_informative_censoring_later_cohorts_leave_faster_and_are_followed_for_less(of):
    drawn = of("informative_censoring")
    left, joined = days_to_leaving(drawn), drawn.people.joined
    early, late = joined < np.quantile(joined, 1 / 3), joined > np.quantile(joined, 2 / 3)
    kept = [(left[part] > 60) for part in (early, late)]
    error = np.sqrt(sum(k.var() / k.size for k in kept))
    assert kept[0].mean() - kept[1].mean() > 4 * error
    trend = np.polyfit(joined / DAY / 365.25, np.log(drawn.blocks[0].hazard[:, 0]), 1)[0]
    # 4,096 logarithms of standard deviation 0.7 over 18 months: an error of 0.027
    assert trend == pytest.approx(np.log(3), abs=4 * 0.027)


def test_immortal_time_the_plan_does_nothing_but_takes_time_to_change_to(of):
    drawn = of("immortal_time")
    assert np.allclose(rest_of_hazard(drawn)[untreated(drawn)], 1.0, rtol=1e-9)
    block, left = drawn.blocks[0], days_to_leaving(drawn)
    last = block.course.plan[np.arange(4096), np.minimum(left, 562).astype(int)]
    changed = (drawn.people.plan == 0) & (last == 1)
    stayed = (drawn.people.plan == 0) & (last == 0)
    # by the last plan the annual one looks like a reason to stay
    assert np.median(left[changed]) > 1.5 * np.median(left[stayed])
    assert set(np.unique(block.course.plan[drawn.people.plan == 0])) == {0, 1}


def test_calendar_shock_everyone_leaves_five_times_as_fast_for_two_weeks(of):
    drawn = of("calendar_shock", blocks=2)
    begins = drawn.frame.as_of - 200 * DAY
    inside, error = rate(drawn, begins, begins + 14 * DAY)
    before, _ = rate(drawn, begins - 60 * DAY, begins)
    after, _ = rate(drawn, begins + 15 * DAY, begins + 75 * DAY)
    # who leaves in a shock was more likely to leave: a ratio a little below the planted one
    assert abs(inside / before - 5) < 4 * error / before + 0.4
    assert after < 1.2 * before


def test_price_rise_segments_take_it_differently(of):
    drawn = of("price_rise", blocks=2)
    begins = drawn.frame.as_of - 200 * DAY
    ratios = {}
    for code, segment in enumerate(drawn.frame.parameters.segments):
        theirs = drawn.people.segment == code
        before, low = rate(drawn, begins - 150 * DAY, begins, theirs)
        after, high = rate(drawn, begins + DAY, begins + 100 * DAY, theirs)
        ratios[segment.name] = (np.log(after / before), np.hypot(low / before, high / after))
    hunters, buyers = ratios["bargain hunters"], ratios["frequent buyers"]
    assert hunters[0] - buyers[0] > 4 * np.hypot(hunters[1], buyers[1]) / 2
    assert abs(hunters[0] - 1.2) < 4 * hunters[1] + 0.25


def test_silent_churn_nobody_cancels_and_leavers_just_stop_coming(of):
    drawn = of("silent_churn")
    world = make_world(members=300, seed=2, as_of="2025-07-01T00:00:00Z", world="silent_churn")
    assert world.members.churned_at.isna().all()
    assert world.truth.members.left_after_days.notna().any()
    left, events = drawn.lives.left, drawn.events
    first = ~events.back
    assert np.all(events.at[first] < left[events.member[first]])
    assert (left < drawn.frame.as_of).mean() > 0.4


@pytest.mark.parametrize("name", ["heavy_tails", "correlated", "curved"])
def test_gradients_have_no_groups_and_go_with_staying(of, name):
    drawn = of(name)
    segments = drawn.frame.parameters.segments
    for number in ("hazard", "sessions", "buys", "price"):
        assert np.ptp([getattr(s, number) for s in segments]) < 1e-12
    own, left = drawn.people.own[:, 0], days_to_leaving(drawn)
    slope = np.polyfit(np.log(own), np.log(drawn.blocks[0].hazard[:, 0]), 1)[0]
    # 4,096 logarithms of standard deviation 0.5 around the line: an error of 0.008 / the spread of own
    assert slope == pytest.approx(-0.3, abs=4 * 0.008 / np.log(own).std())
    assert np.median(left[own > np.median(own)]) > np.median(left[own < np.median(own)])


def test_heavy_tails_activity_spreads_over_a_hundredfold(of):
    own = of("heavy_tails").people.own[:, 0]
    assert np.quantile(own, 0.99) / np.quantile(own, 0.01) > 100


def test_correlated_five_properties_go_together(of):
    correlation = np.corrcoef(np.log(of("correlated").people.own), rowvar=False)
    # an error of 0.36 / 64
    assert np.allclose(correlation[~np.eye(5, dtype=bool)], 0.8, atol=4 * 0.006)


def test_curved_members_lie_along_a_bent_line(of):
    logs = np.log(of("curved").people.own) / 1.8
    u = logs[:, 0] + 0.5
    for column, line in ((1, u**2 - 1 / 3), (2, 0.5 - u), (4, u - 0.5)):
        assert np.corrcoef(logs[:, column], line)[0, 1] > 0.8
    bend = np.polyfit(u, logs[:, 1], 2)[0]
    # noise of a tenth in u flattens the square
    assert 0.4 < bend < 1.2


def test_spill_over_whom_the_treated_bring_leave_less(of):
    drawn = of("spill_over")
    block = drawn.blocks[0]
    enrolment, rest = block.enrolments[0], rest_of_hazard(drawn)
    plan = np.array([p.hazard for p in drawn.frame.parameters.plans])[block.course.plan]
    factor = (rest / plan)[:, 30]
    brought = block.referrer >= 0
    treated = enrolment.entitled & (enrolment.scheme == 1)
    by_treated = brought & treated[block.referrer]
    own = treated & (enrolment.day <= 30)
    expected = np.where(own, 0.6, 1.0) * np.where(by_treated, 0.6**0.5, 1.0)
    assert np.allclose(factor, expected, rtol=1e-9)
    assert by_treated.mean() > 0.2


def test_clusters_clubs_are_assigned_together_and_are_alike(of):
    drawn = of("clusters")
    who, scheme, _ = drawn.trial("main")
    club = drawn.people.club
    assert all(len(set(scheme[who & (club == c)])) == 1 for c in range(80))
    assert 0.3 < np.mean([scheme[who & (club == c)][0] for c in range(80)]) < 0.7
    logs = np.log(drawn.blocks[0].hazard[:, 0])
    means = np.array([logs[club == c].mean() for c in range(80)])
    # the variance of 80 normal numbers has a relative error of 0.16; means of 50 members add 0.01
    assert means.var() == pytest.approx(0.49, rel=4 * 0.16)
    assert drawn.assignments.club.max() == 79


def test_changing_allocation_a_tenth_and_later_half(of, ruler):
    drawn = of("changing_allocation")
    who, scheme, day = drawn.trial("main")
    at = drawn.people.joined + day * DAY
    middle = drawn.frame.as_of - (473 + 98) / 2 * DAY
    assert ruler.share(scheme[who & (at < middle)] == 1, 0.1)
    assert ruler.share(scheme[who & (at >= middle)] == 1, 0.5)
    assert drawn.frame.parameters.churn.trend == 3.0


def test_unequal_missing_leavers_of_the_offer_withdraw_consent(of, ruler):
    drawn = of("unequal_missing")
    gone = withdrawn(drawn.blocks[0], np.random.default_rng(1))
    who, scheme, day = drawn.trial("main")
    leaves = drawn.lives.left <= drawn.people.joined + (day + 90) * DAY
    for code, shares in enumerate([(0.0, 0.0), (0.02, 0.30)]):
        for late, share in enumerate(shares):
            assert ruler.share(gone[who & (scheme == code) & (leaves == late)], share), (code, late)
    assert not gone[~who].any()


def listed(drawn) -> dict[str, int]:
    names = scheme_names(drawn.frame)
    rows = drawn.assignments.trial == 0
    return {
        name: int((drawn.assignments.scheme[rows] == names.index(name)).sum()) for name in ("none", "offer")
    }


def test_sample_ratio_one_assignment_in_twelve_of_the_offer_is_lost(of, ruler):
    drawn = of("sample_ratio", blocks=2)
    who, scheme, _ = drawn.trial("main")
    assert listed(drawn)["none"] == (who & (scheme == 0)).sum()
    lost = np.arange((who & (scheme == 1)).sum()) >= listed(drawn)["offer"]
    assert ruler.share(lost, 1 / 12)
    assert lost.any()


def test_two_arms_three_in_a_hundred_are_listed_in_both_schemes(of, ruler):
    drawn = of("two_arms")
    rows = np.flatnonzero(drawn.assignments.trial == 0)
    member, count = np.unique(drawn.assignments.member[rows], return_counts=True)
    assert ruler.share(count == 2, 0.03)
    twice = np.isin(drawn.assignments.member[rows], member[count == 2])
    at = drawn.assignments.at[rows][twice].reshape(-1, 2)
    scheme = drawn.assignments.scheme[rows][twice].reshape(-1, 2)
    assert np.all(at[:, 1] - at[:, 0] == DAY)
    assert np.all(scheme[:, 0] != scheme[:, 1])


def test_late_ramp_the_offer_needs_four_weeks_and_rebounds(of):
    drawn = of("late_ramp")
    trial = drawn.frame.parameters.trials[0]
    factor = scheme_hazard(trial.schemes[1], trial, drawn.frame.parameters)[0]
    assert factor[0] == pytest.approx(0.4 ** (1 / 28))
    assert np.all(np.diff(factor[:28]) < 0)
    assert np.allclose(factor[28:56], 0.4)
    assert np.allclose(factor[56:84], 1.8)


def test_portfolio_eighty_trials_share_no_member_and_their_effects_go_together(of):
    drawn = of("portfolio")
    taken = np.sum([e.entitled for e in drawn.blocks[0].enrolments], axis=0)
    assert taken.max() == 1
    assert len(drawn.frame.parameters.trials) == 80
    for correlation in (0.9, 0.0):
        trials = portfolio(2_000, seed=3, correlation=correlation)
        logs = np.log([(t.schemes[1].sessions[0], t.schemes[1].hazard[0]) for t in trials])
        # an error of at most 1 / sqrt(2,000)
        assert np.corrcoef(logs, rowvar=False)[0, 1] == pytest.approx(-correlation, abs=4 / np.sqrt(2_000))
        assert logs.std(axis=0) == pytest.approx([0.15, 0.25], rel=4 / np.sqrt(4_000))
    own = drawn.people.own[:, 0]
    assert np.corrcoef(np.log(own), np.log(drawn.blocks[0].hazard[:, 0]))[0, 1] < -0.3


@pytest.mark.parametrize("name", ["changing_allocation", "unequal_missing", "clusters"])
def test_offers_without_effect_have_none(of, name):
    for trial in of(name).frame.parameters.trials:
        for scheme in trial.schemes:
            assert set(scheme.hazard) == set(scheme.sessions) == set(scheme.buys) == {1.0}


def test_a_trial_whose_horizon_is_not_over_at_as_of_is_refused():
    with pytest.raises(ParameterError, match="'closes of trial main' must be at least 90, got 20"):
        replace(WORLDS["demo"]().trials[0], closes=20)


def test_spill_over_with_members_from_before_observation_is_refused():
    spilling = WORLDS["spill_over"]()
    with pytest.raises(ParameterError, match="nobody may have joined before: set before_days to 0"):
        replace(spilling, joining=replace(spilling.joining, before_days=30))


def test_hazards_of_leaving_again_equal_to_the_rate_of_return_have_a_finite_chance():
    demo = WORLDS["demo"]()
    chance = back_by(
        demo.churn, np.array([1 / demo.churn.return_days, 1 / demo.churn.return_days + 1e-4]), 60
    )
    assert np.allclose(chance[0], chance[1], rtol=5e-3)
