"""Moments of a drawn world against its parameters, at 61,440 members.

Every comparison allows four standard errors of its own sampling error: with about 150 comparisons and a fixed
seed a right world fails one in a hundred seeds, and a fault of five standard errors is found nearly always.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sojourn.world.clock import DAY, local_clock
from sojourn.world.expectations import expect
from sojourn.world.lives import joined_in_window
from sojourn.world.make import world_hazards
from sojourn.world.members import joining_weights
from sojourn.world.money import mean_amount
from sojourn.world.parameters import EVENTS

SIGMAS = 4.0
BUY, VIEW, TASK, LOGIN = (EVENTS.index(name) for name in ("purchase", "view", "task", "login"))


def near(values: np.ndarray, expected: float) -> bool:
    """Whether the mean of independent values lies within four standard errors of what is expected."""
    return abs(values.mean() - expected) <= SIGMAS * values.std() / np.sqrt(len(values))


def shares_near(codes: np.ndarray, expected: Sequence[float]) -> bool:
    return all(near((codes == code).astype(float), share) for code, share in enumerate(expected))


def test_what_members_state_has_the_stated_shares(drawn):
    made, people = drawn.frame.parameters, drawn.people
    assert shares_near(people.channel, [c.share for c in made.channels])
    assert shares_near(people.plan, [p.share for p in made.plans])
    assert shares_near(people.gender, [share for _, share in made.joining.genders])
    assert shares_near(people.region, [share for _, share in made.joining.regions])
    assert near((people.birth_year < 0).astype(float), made.joining.birth_year_missing)


def test_more_than_seven_in_ten_are_18_to_35_and_bands_follow_the_year_of_birth(drawn):
    people = drawn.people
    stated = people.birth_year > 0
    year = people.joined.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    age = (year - people.birth_year)[stated]
    assert near(((age >= 18) & (age <= 35)).astype(float), 0.76)
    assert age.min() == 18
    assert np.array_equal(np.digitize(age, [25, 35, 45, 55]), people.age_band[stated])
    assert np.all(people.age_band[~stated] == 5)


def test_members_join_with_growth_and_season(drawn):
    weights = joining_weights(drawn.frame)
    day = (drawn.people.joined - drawn.frame.start) // DAY
    month = np.arange(len(weights)) // 30
    expected = np.bincount(month, weights=weights) / weights.sum()
    assert shares_near(day // 30, expected)
    # a year apart the season is the same, so the ratio is the growth
    assert weights[500] / weights[500 - 365] == pytest.approx(1.5, rel=0.02)


def test_segments_depend_on_channel_and_age_as_stated(drawn):
    made, people = drawn.frame.parameters, drawn.people
    young = people.age_band == 0
    for channel in range(len(made.channels)):
        odds = (
            np.log([s.share for s in made.segments]) + made.channel_tilt[channel] + np.array(made.young_tilt)
        )
        expected = np.exp(odds) / np.exp(odds).sum()
        assert shares_near(people.segment[young & (people.channel == channel)], expected)


def test_a_members_own_activity_has_mean_one_and_the_stated_spread(drawn):
    own, shape = drawn.people.activity, drawn.frame.parameters.activity.spread
    assert near(own, 1.0)
    assert near((own - 1) ** 2, 1 / shape)


def kaplan_meier(left: np.ndarray, followed: np.ndarray, day: float) -> tuple[float, float]:
    """Return the product-limit estimate and Greenwood's standard error at one day, from its definition."""
    time = np.minimum(left, followed)
    order = np.argsort(time, kind="stable")
    leaves = (left <= followed)[order] & (time[order] <= day)
    at_risk = len(time) - np.arange(len(time))
    factor = np.where(leaves, 1 - 1 / at_risk, 1.0)
    variance = np.where(leaves & (at_risk > 1), 1 / (at_risk * np.maximum(at_risk - 1.0, 1)), 0.0)
    estimate = factor.prod()
    return float(estimate), float(estimate * np.sqrt(variance.sum()))


def curves_of(drawn, truth, group):
    names = [row["level"] for row in truth if row["group"] == group]
    return list(dict.fromkeys(names))


@pytest.mark.parametrize("group", ["all", "plan", "channel", "region", "age_band"])
def test_the_true_curve_is_what_kaplan_meier_recovers(drawn, summary, group):
    people, lives, frame = drawn.people, drawn.lives, drawn.frame
    left = (lives.left - people.joined) / DAY
    followed = (frame.as_of - people.joined) / DAY
    rows = [row for row in summary["retention"]["survival"] if row["group"] == group]
    for row in rows:
        code = curves_of(drawn, rows, group).index(row["level"])
        chosen = np.full(len(left), True) if group == "all" else getattr(people, group) == code
        estimate, error = kaplan_meier(left[chosen], followed[chosen], row["day"])
        assert abs(estimate - row["seen"]) <= SIGMAS * error, row
        # members followed longer were more often in the trial: two members in a thousand, and in small levels
        # what happens to be drawn comes on top
        assert abs(row["seen"] - row["survival"]) < (0.002 if group == "all" else 0.01), row


def test_followed_to_the_end_everyone_leaves_as_the_truth_says(drawn, summary):
    left = (drawn.lives.left - drawn.people.joined) / DAY
    for row in [row for row in summary["retention"]["survival"] if row["group"] == "all"]:
        assert near((left > row["day"]).astype(float), row["survival"]), row
    whole = next(row for row in summary["retention"]["restricted_mean"] if row["group"] == "all")
    assert near(np.minimum(left, 180), whole["days"])


def test_most_members_leave_in_the_second_month(drawn, summary):
    left = (drawn.lives.left - drawn.people.joined) / DAY
    edges = np.arange(0, 361, 10)
    there = np.array([(left > edge).sum() for edge in edges])
    rate = -np.diff(np.log(there)) / 10
    assert 20 <= edges[np.argmax(rate)] <= 50
    later = rate[edges[:-1] >= 180].mean()
    # the rate of the busiest ten days: about 1,300 of 55,000 leave, so its error is 3 %
    assert rate.max() / later == pytest.approx(summary["retention"]["hazard_peak_ratio"], rel=0.15)
    assert 30 <= summary["retention"]["hazard_peak_day"] <= 45
    assert 1.7 <= summary["retention"]["hazard_peak_ratio"] <= 2.6


def test_reasons_follow_the_segment(drawn):
    for code, segment in enumerate(drawn.frame.parameters.segments):
        assert shares_near(drawn.lives.reason[drawn.people.segment == code], segment.reasons)


def test_sessions_come_at_the_hours_stated(drawn):
    activity, events = drawn.frame.parameters.activity, drawn.events
    at = events.at[events.event == LOGIN]
    clock = local_clock(drawn.frame.time_zone, drawn.frame.start, drawn.frame.as_of)
    hours = np.array(activity.hours) / sum(activity.hours)
    # sessions share dates but not hours; a quarter of a permille is for changes of the clock
    found = np.bincount(clock.time_of_day(at) // 3600, minlength=24) / len(at)
    assert np.all(np.abs(found - hours) <= SIGMAS * np.sqrt(hours / len(at)) + 0.00025)
    busiest = np.argsort(-found)[:4]
    assert sorted(busiest) == [9, 10, 17, 18]


def whole_weeks(drawn, first: int, days: int) -> np.ndarray:
    """Return who is followed, and far from leaving, over some days since joining (a multiple of seven)."""
    people, lives, churn = drawn.people, drawn.lives, drawn.frame.parameters.churn
    stays = (lives.left - people.joined) / DAY > first + days + churn.quiet_days
    return stays & ((drawn.frame.as_of - people.joined) / DAY > first + days)


def test_sessions_come_on_the_weekdays_stated(drawn):
    events, stays = drawn.events, whole_weeks(drawn, 120, 56)
    theirs = stays[events.member] & (events.event == LOGIN) & (events.day >= 120) & (events.day < 176)
    clock = local_clock(drawn.frame.time_zone, drawn.frame.start, drawn.frame.as_of)
    # in whole weeks of a member every weekday is there equally often, so weekdays are drawn by their factors
    factors = np.array(drawn.frame.parameters.activity.weekdays)
    assert shares_near(clock.weekday(events.at[theirs]), factors / 7)


def test_long_after_joining_sessions_and_what_happens_in_them_have_the_stated_rates(drawn):
    people, events, made = drawn.people, drawn.events, drawn.frame.parameters
    first, days = 200, 28
    stays = whole_weeks(drawn, first, days)
    within = (events.day >= first) & (events.day < first + days)
    for code, segment in enumerate(made.segments):
        chosen = stays & (people.segment == code)
        counts = [
            np.bincount(
                events.member[within & (events.event == kind) & (events.cents >= 0)], minlength=len(stays)
            )
            for kind in (LOGIN, VIEW, TASK, BUY)
        ]
        rates = (1.0, segment.views, segment.tasks, segment.buys)
        for count, rate in zip(counts, rates, strict=True):
            assert near(count[chosen], segment.sessions * rate * days), (segment.name, rate)
        # members differ: the variance of a Poisson number whose mean is gamma distributed
        mean = segment.sessions * days
        sessions = counts[0][chosen]
        assert near((sessions - mean) ** 2, mean + mean**2 / made.activity.spread), segment.name


def test_new_members_come_more_often(drawn):
    people, lives, events, made = drawn.people, drawn.lives, drawn.events, drawn.frame.parameters
    stays = (lives.left - people.joined) / DAY > 10 + made.churn.quiet_days
    stays &= (drawn.frame.as_of - people.joined) / DAY > 10
    per_day = np.array([s.sessions for s in made.segments])[people.segment[stays]]
    factor = (1 + np.exp(-np.arange(10) / 20)).sum()
    count = np.bincount(events.member[(events.day < 10) & (events.event == LOGIN)], minlength=len(stays))[
        stays
    ]
    assert near(count - per_day * factor, 0.0)


def test_members_about_to_leave_are_half_as_active(drawn):
    people, lives, events, made = drawn.people, drawn.lives, drawn.events, drawn.frame.parameters
    known = (lives.left < drawn.frame.as_of) & ((lives.left - people.joined) / DAY > 150)
    per_day = np.array([s.sessions for s in made.segments])[people.segment]
    before = (lives.left[events.member] - events.at) / DAY
    for earliest, latest, share in ((0, 14, 0.5), (14, 28, 1.0)):
        rows = (before > earliest) & (before <= latest) & (events.event == LOGIN)
        count = np.bincount(events.member[rows], minlength=len(known))
        # novelty is below half a percent after 122 days
        assert near((count - share * 14 * per_day)[known], 0.0), latest


def test_amounts_and_refunds(drawn):
    events, made = drawn.events, drawn.frame.parameters
    bought, refunded = events.cents > 0, events.cents < 0
    for code, segment in enumerate(made.segments):
        theirs = bought & (drawn.people.segment[events.member] == code)
        assert near(events.cents[theirs] / 100, mean_amount(made.activity, segment.price)), segment.name
    # refunds are lost when the member leaves first: less than one in twenty of them
    share = refunded.sum() / bought.sum()
    assert made.activity.refunds * 0.95 < share < made.activity.refunds * 1.02


def test_the_trial_is_balanced_and_all_of_it_matured(drawn):
    lives, people, frame = drawn.lives, drawn.people, drawn.frame
    trial = frame.parameters.trial
    scheme = lives.scheme[lives.assigned]
    assert shares_near(scheme, [0.2] * 5)
    for code in range(3):
        assert shares_near(scheme[people.segment[lives.assigned] == code], [0.2] * 5)
    ends = people.joined[lives.assigned] + (trial.day + trial.horizon_days) * DAY
    assert ends.max() <= frame.as_of
    # the demo has 20,000 members: at least 9,000 of them take part
    assert lives.assigned.mean() * 20_000 > 9_000


def test_outside_the_trial_nobody_has_a_scheme(drawn):
    lives, people = drawn.lives, drawn.people
    assert np.all(lives.scheme[~joined_in_window(drawn.frame, people.joined)] == 0)
    gone = (lives.left - people.joined) <= drawn.frame.parameters.trial.day * DAY
    assert not lives.assigned[gone].any()


def outcomes(drawn) -> dict[str, np.ndarray]:
    """Return what became of every member between assignment and horizon, straight from the events."""
    people, events, costs = drawn.people, drawn.events, drawn.costs
    trial = drawn.frame.parameters.trial
    start = people.joined + trial.day * DAY
    end = start + trial.horizon_days * DAY
    within = (events.at >= start[events.member]) & (events.at < end[events.member])
    n = len(people)
    revenue = np.bincount(events.member[within], weights=events.cents[within] / 100, minlength=n)
    cost = np.bincount(costs.member, weights=costs.cents / 100, minlength=n)
    kept = (drawn.lives.left > end).astype(float)
    return {"kept": kept, "revenue": revenue, "cost": cost, "net_value": trial.margin * revenue - cost}


def test_every_scheme_does_what_the_truth_says(drawn, summary):
    lives, people, found = drawn.lives, drawn.people, outcomes(drawn)
    truth = summary["trials"]["main"]
    names = [segment.name for segment in drawn.frame.parameters.segments]
    for row in [*truth["schemes"], *truth["by_segment"]]:
        scheme = [s["scheme"] for s in truth["schemes"]].index(row["scheme"])
        chosen = lives.assigned & (lives.scheme == scheme)
        if "segment" in row:
            chosen &= people.segment == names.index(row["segment"])
        for what in ("kept", "revenue", "cost", "net_value"):
            assert near(found[what][chosen], row[what]) or found[what][chosen].std() < 1e-9, (row, what)


def test_outcomes_agree_with_the_truth_on_the_whole_and_not_only_within_bounds(drawn):
    """Squared distances in standard errors average 1: over 60 of them a common shift of 1 would show."""
    lives, people, found = drawn.lives, drawn.people, outcomes(drawn)
    expected = expect(drawn.frame.parameters, world_hazards(drawn.frame))
    squares = []
    for scheme in range(5):
        for segment in range(3):
            rows = np.flatnonzero(lives.assigned & (lives.scheme == scheme) & (people.segment == segment))
            for what, name in (("kept", "kept"), ("revenue", "revenue"), ("net_value", "value")):
                gap = found[what][rows] - getattr(expected, name)[scheme, people.kind[rows]]
                squares.append(gap.mean() ** 2 / gap.var() * len(rows))
    # 45 squares, revenue and value together: the 99.9 % point of a chi-square of 30 over 30 is 2.0
    assert np.mean(squares) < 2.0


def test_one_scheme_pays_one_harms_one_does_nothing(drawn, summary):
    gain = {row["scheme"]: row["net_gain"] for row in summary["trials"]["main"]["schemes"]}
    lift = {row["scheme"]: row["lift"] for row in summary["trials"]["main"]["schemes"]}
    assert gain["welcome_coupon"] > 3.0
    assert lift["welcome_coupon"] > 0.05
    assert gain["bonus_points"] < -3.0
    assert lift["bonus_points"] > 0.05
    assert gain["daily_tasks"] == lift["daily_tasks"] == 0
    by_segment = {
        row["segment"]: row["net_gain"]
        for row in summary["trials"]["main"]["by_segment"]
        if row["scheme"] == "tier_trial"
    }
    assert by_segment["regulars"] > 3.0
    assert by_segment["browsers"] < 0
    # at the demo's 20,000 members the coupon's gain is more than four standard errors
    found = outcomes(drawn)["net_value"][drawn.lives.assigned]
    per_arm = drawn.lives.assigned.mean() * 20_000 / 5
    assert gain["welcome_coupon"] > 4 * found.std() * np.sqrt(2 / per_arm)


def test_daily_tasks_bring_tasks_and_nothing_else(drawn):
    lives, events, people = drawn.lives, drawn.events, drawn.people
    rewarded = (events.day >= 7) & (events.day < 63) & (events.event == TASK)
    count = np.bincount(events.member[rewarded], minlength=len(people))
    with_scheme, without = (count[lives.assigned & (lives.scheme == code)] for code in (3, 0))
    ratio = with_scheme.mean() / without.mean()
    # the ratio of two means of about 8,000 members with a relative error of 1.6 % each
    assert ratio == pytest.approx(1.6, rel=4 * 0.016 * np.sqrt(2))
