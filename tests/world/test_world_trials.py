"""Trials and the roll-out: who takes part, what is listed in `assignments`, what is paid in `costs`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.course import SILENT
from sojourn.world.parameters import Scheme, Trial
from sojourn.world.tables.assignments import scheme_names, trial_names
from sojourn.world.tables.costs import WHAT

ACQUISITION, INCENTIVE = range(len(WHAT))


def listed(drawn, trial: str) -> dict[str, np.ndarray]:
    """Return the assignments of one trial, as they were drawn."""
    rows = drawn.assignments.trial == trial_names(drawn.frame).index(trial)
    return {name: getattr(drawn.assignments, name)[rows] for name in ("member", "scheme", "at", "club")}


def test_members_who_join_in_the_window_and_stay_a_week_are_in_the_main_trial(drawn):
    who, _, day = drawn.trial("main")
    people, as_of = drawn.people, drawn.frame.as_of
    at = people.joined + 7 * DAY
    expected = (at >= as_of - 473 * DAY) & (at < as_of - 98 * DAY) & (drawn.lives.left > at)
    assert np.array_equal(who, expected)
    assert set(day[who]) == {7}
    # the demo has 20,000 members: more than 9,000 of them take part, and all of them long enough
    assert who.mean() * 20_000 > 9_000
    assert (people.joined[who] + (7 + 90) * DAY).max() <= as_of


def test_members_are_won_back_on_the_tenth_silent_day_of_their_lives(drawn):
    as_of = drawn.frame.as_of
    for block in drawn.blocks[:3]:
        enrolment = block.enrolments[1]
        for member in range(1_500):
            silent = np.flatnonzero(block.course.stage[member] == SILENT)
            at = block.people.joined[member] + silent[9] * DAY if silent.size >= 10 else np.inf
            within = max(as_of - 400 * DAY, drawn.frame.start) <= at < as_of - 68 * DAY
            assert enrolment.entitled[member] == within
            assert not within or enrolment.day[member] == silent[9]


@pytest.mark.parametrize(("name", "shares"), [("main", [0.2] * 5), ("win_back", [0.5] * 2)])
def test_schemes_are_drawn_by_lot_whoever_a_member_is(drawn, ruler, name, shares):
    who, scheme, _ = drawn.trial(name)
    assert ruler.shares(scheme[who], shares)
    people = drawn.people
    for groups in (people.segment, people.channel, people.plan, people.club):
        for code in np.unique(groups):
            assert ruler.shares(scheme[who & (groups == code)], shares)
    assert ruler.mean(people.satisfaction[who & (scheme == 1)] - people.satisfaction[who].mean())


def test_lots_of_one_trial_say_nothing_of_the_other(drawn, ruler):
    one, other = drawn.trial("main"), drawn.trial("win_back")
    both = one[0] & other[0]
    for code in range(5):
        assert ruler.share(other[1][both & (one[1] == code)] == 1, 0.5)
    cadence = drawn.each(lambda b: b.programme.cadence)
    assert ruler.shares(cadence[one[0] & (one[1] == 1)], [0.3, 0.5, 0.2])


def test_trials_in_lanes_of_one_layer_share_no_member_and_layers_cut_independently(draw, ruler):
    schemes = (Scheme("none"), Scheme("new"))
    trials = (
        Trial("left", schemes, lane=(0.0, 0.4)),
        Trial("right", schemes, lane=(0.4, 1.0)),
        Trial("across", schemes, lane=(0.0, 0.5), layer=1),
    )
    drawn = draw(1, parameters=replace(world_parameters(), trials=trials))
    left, right, across = (drawn.trial(trial.name)[0] for trial in trials)
    assert not (left & right).any()
    takes_part = left | right
    assert ruler.share(left[takes_part], 0.4)
    assert ruler.share(across[left], 0.5)
    assert ruler.share(across[right], 0.5)
    assert not across[~takes_part].any()


def test_the_allocation_changes_in_equally_long_phases(draw, ruler):
    schemes = (Scheme("none"), Scheme("new"))
    trial = Trial("main", schemes, allocation=((0.9, 0.1), (0.2, 0.8), (0.5, 0.5)))
    drawn = draw(2, parameters=replace(world_parameters(), trials=(trial,)))
    who, scheme, _ = drawn.trial("main")
    at = (drawn.people.joined + 7 * DAY - drawn.frame.as_of) / DAY + 473
    for phase, share in enumerate((0.1, 0.8, 0.5)):
        inside = who & (at >= phase * 125) & (at < (phase + 1) * 125)
        assert ruler.share(scheme[inside] == 1, share), phase
        # to the day
        edge = who & (at >= phase * 125) & (at < phase * 125 + 20)
        assert ruler.share(scheme[edge] == 1, share), phase


# --- assignments ---


@pytest.mark.parametrize("name", ["main", "win_back"])
def test_every_assignment_is_listed_once_with_its_scheme_and_instant(drawn, name):
    who, scheme, day = drawn.trial(name)
    rows = listed(drawn, name)
    order = np.argsort(rows["member"], kind="stable")
    member = rows["member"][order]
    assert np.array_equal(member, np.flatnonzero(who))
    names = scheme_names(drawn.frame)
    trial = next(t for t in drawn.frame.parameters.trials if t.name == name)
    codes = np.array([names.index(s.name) for s in trial.schemes])
    assert np.array_equal(rows["scheme"][order], codes[scheme[member]])
    assert np.array_equal(rows["at"][order], drawn.people.joined[member] + day[member] * DAY)
    assert np.all(rows["club"] == -1)


def test_hold_outs_and_cadences_are_listed_for_all_who_are_seen_in_the_programme(drawn):
    begins = drawn.people.joined + drawn.each(lambda b: b.programme.begins) * DAY
    seen = np.flatnonzero((drawn.lives.left > begins) & (begins < drawn.frame.as_of))
    names = np.array(scheme_names(drawn.frame))
    held_out = drawn.each(lambda b: b.programme.held_out)
    for code, medium in enumerate(drawn.frame.parameters.contact.media):
        rows = listed(drawn, f"holdout {medium.name}")
        assert np.array_equal(rows["member"], seen)
        assert np.array_equal(rows["at"], begins[seen])
        assert np.array_equal(names[rows["scheme"]] == "held_out", held_out[seen, code])
    cadence = np.array(["light", "normal", "heavy"])[drawn.each(lambda b: b.programme.cadence)]
    rows = listed(drawn, "cadence")
    assert np.array_equal(names[rows["scheme"]], cadence[seen])


def test_assignments_lie_in_the_time_observed(drawn):
    at = drawn.assignments.at
    assert at.min() >= drawn.frame.start
    assert at.max() < drawn.frame.as_of


# --- costs ---


def test_every_member_who_joined_under_observation_cost_what_the_channel_costs(drawn):
    costs, people = drawn.costs, drawn.people
    rows = costs.what == ACQUISITION
    after = np.flatnonzero(people.joined >= drawn.frame.start)
    cents = np.array([400, 250, 300, 500, 700])
    assert np.array_equal(costs.member[rows], after)
    assert np.array_equal(costs.cents[rows], cents[people.channel[after]])
    assert np.array_equal(costs.channel[rows], people.channel[after])
    assert np.array_equal(costs.at[rows], people.joined[after])
    assert np.all(costs.channel[~rows] == -1)


@pytest.mark.parametrize(("name", "at_start", "per_purchase"), [
    ("none", 0, 0), ("welcome_coupon", 0, 50), ("bonus_points", 400, 120), ("daily_tasks", 0, 0),
    ("tier_trial", 300, 0),
])  # fmt: skip
def test_costs_of_a_scheme_are_its_start_and_its_purchases(drawn, name, at_start, per_purchase):
    """One row at assignment, and one per purchase in a session of the 56 days after; to the cent."""
    who, scheme, day = drawn.trial("main")
    code = [s.name for s in drawn.frame.parameters.trials[0].schemes].index(name)
    theirs = who & (scheme == code)
    events = drawn.events
    bought = events.of("purchase")
    bought = bought[(events.cents[bought] > 0) & theirs[events.member[bought]] & ~events.back[bought]]
    since = events.day[bought] - day[events.member[bought]]
    rewarded = bought[(since >= 0) & (since < 56)]
    costs = drawn.costs
    if name == "none":
        paid = np.zeros(len(costs.member), dtype=bool)
    else:
        paid = costs.scheme == scheme_names(drawn.frame).index(name)
    expected = theirs.sum() * at_start + len(rewarded) * per_purchase
    assert costs.cents[paid].sum() == expected
    if per_purchase:
        amounts = costs.cents[paid] == per_purchase
        assert np.array_equal(np.sort(costs.at[paid][amounts]), np.sort(events.at[rewarded]))
        assert np.array_equal(np.sort(costs.member[paid][amounts]), np.sort(events.member[rewarded]))


def test_a_gift_to_win_members_back_costs_two_each(drawn):
    who, scheme, day = drawn.trial("win_back")
    paid = drawn.costs.scheme == scheme_names(drawn.frame).index("gift")
    theirs = np.flatnonzero(who & (scheme == 1))
    assert np.array_equal(drawn.costs.member[paid], theirs)
    assert set(drawn.costs.cents[paid]) == {200}
    assert np.array_equal(drawn.costs.at[paid], drawn.people.joined[theirs] + day[theirs] * DAY)


def test_costs_lie_in_the_time_observed_and_above_zero(drawn):
    assert drawn.costs.at.min() >= drawn.frame.start
    assert drawn.costs.at.max() < drawn.frame.as_of
    assert drawn.costs.cents.min() > 0


# --- the roll-out ---


def sessions_between(drawn, first: int, last: int) -> np.ndarray:
    inside = (drawn.sessions.at >= first) & (drawn.sessions.at < last)
    return np.bincount(drawn.sessions.member[inside], minlength=len(drawn))


def test_the_roll_out_goes_to_the_members_with_the_fewest_sessions(drawn):
    at = drawn.frame.as_of - 120 * DAY
    count = sessions_between(drawn, at - 28 * DAY, at)
    for number, chosen in enumerate(drawn.chosen):
        there = (drawn.people.joined < at - 28 * DAY) & (drawn.lives.left > at)
        there = np.flatnonzero(there[number * 4096 : (number + 1) * 4096])
        assert np.array_equal(np.sort(np.concatenate([chosen.offered, chosen.others])), there)
        assert len(chosen.offered) == int(0.3 * len(there))
        theirs = count[number * 4096 :]
        assert theirs[chosen.offered].max() <= theirs[chosen.others].min()


def test_members_of_the_roll_out_come_more_often_afterwards_by_regression_to_the_mean(drawn, ruler):
    """The offer does nothing: to the same members no offer would bring as much, which a lot shows."""
    at = drawn.frame.as_of - 120 * DAY
    offered = np.concatenate([chosen.offered + i * 4096 for i, chosen in enumerate(drawn.chosen)])
    before, after = sessions_between(drawn, at - 28 * DAY, at), sessions_between(drawn, at, at + 28 * DAY)
    gain = after[offered] - before[offered]
    error = gain.std() / np.sqrt(len(offered))
    assert gain.mean() > ruler.sigmas * error
    assert after[offered].mean() > 2 * before[offered].mean()
    rows = listed(drawn, "challenge")
    names = np.array(scheme_names(drawn.frame))[rows["scheme"]]
    assert np.array_equal(rows["member"][names == "daily_challenge"], np.sort(offered))
    assert set(rows["at"]) == {at}
    paid = drawn.costs.scheme == scheme_names(drawn.frame).index("daily_challenge")
    assert np.array_equal(drawn.costs.member[paid], np.sort(offered))
    assert set(drawn.costs.cents[paid]) == {50}
