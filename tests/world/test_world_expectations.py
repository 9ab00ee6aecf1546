"""Closed forms: against paper where hazards are constant, and against redrawn lives where they are not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import exp

import numpy as np
import pytest
from scipy.integrate import quad

from sojourn.world.arrays import take
from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import apply_scheme
from sojourn.world.members.hazards import cumulative, integral_at
from sojourn.world.members.lives import draw_lives
from sojourn.world.members.population import Population, draw_population
from sojourn.world.parameters import Gradient, Scheme, Stages, Trial, WorldParameters
from sojourn.world.randomness import stream
from sojourn.world.tables.assignments import scheme_names
from sojourn.world.tables.costs import WHAT, make_costs
from sojourn.world.tables.events import draw_events
from sojourn.world.tables.money import mean_amount
from sojourn.world.tables.rollout import Chosen
from sojourn.world.tables.sessions import draw_sessions
from sojourn.world.truth.expectations import QUANTITIES, expect

HALF = (Scheme("none"), Scheme("half", hazard=(0.5,)))
KEPT, REVENUE, COST, REWARDED, DEADWEIGHT = range(len(QUANTITIES))


def flat(*trials: Trial, **changes) -> WorldParameters:
    """A world of constant hazards and constant activity, which one can integrate on paper."""
    made = world_parameters()
    still = ((0.0,) * 3,) * 3
    same = {
        "plans": tuple(replace(p, hazard=1.0, later=1.0) for p in made.plans),
        "segments": tuple(replace(s, takes_off=1.0, value_days=1e-9) for s in made.segments),
        "stages": Stages(hazard=(1.0,) * 5, sessions=(1.0,) * 5, faded=1.0),
        "spells": replace(made.spells, changes=still, pause_rate=0.0),
        "contact": replace(
            made.contact,
            tires=0.0,
            media=tuple(replace(m, hazard=1.0, sessions=1.0) for m in made.contact.media),
        ),
        "service": replace(made.service, satisfaction=0.0),
        "activity": replace(made.activity, novelty=0.0, refunds=0.0),
        "churn": replace(made.churn, level=0.01, peak=1.0, quiet=1.0, returns=0.0),
        "joining": replace(made.joining, before_days=0),
        "gradient": Gradient("gamma", spread=4.0),
        "rollout": None,
        "trials": trials or (Trial("main", HALF),),
    }
    changed = {
        name: replace(same[name], **change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return replace(made, **{**same, **changed})


def population(make_frame, parameters: WorldParameters, n: int = 400) -> tuple:
    frame = make_frame(n, seed=3, parameters=parameters)
    return frame, draw_population(frame, n, partial(stream, 3, block=0))


class Paper:
    """What the members of a flat world are by hand: hazard, money and purchases per day of each assigned."""

    def __init__(self, frame, block: Population, found) -> None:
        made, people = frame.parameters, take(block.people, found.rows)
        self.segment = people.segment
        channel = np.array([c.hazard for c in made.channels])[people.channel]
        segments = made.segments
        self.hazard = made.churn.level * np.array([s.hazard for s in segments])[people.segment] * channel
        sessions = np.array([s.sessions for s in segments])[people.segment] * people.own[:, 0]
        self.buys = sessions * np.array([s.buys for s in segments])[people.segment]
        price = np.array([s.price for s in segments])[people.segment]
        self.money = self.buys * mean_amount(made.activity, price)

    def same(self, found, code: int, what: int, expected: np.ndarray, rel: float = 1e-10) -> None:
        sums = np.bincount(self.segment, weights=expected, minlength=5)
        assert np.allclose(found.sums[code, :, what], sums, rtol=rel, atol=1e-12), (code, QUANTITIES[what])


def stay(hazard: np.ndarray, days: float) -> np.ndarray:
    """Return mean days of membership in so many days."""
    return (1 - np.exp(-days * hazard)) / hazard


def expected_of(make_frame, parameters: WorldParameters) -> tuple:
    frame, block = population(make_frame, parameters)
    found = expect(frame, block, block.enrolments[0])
    assert len(found.rows) > 100
    return found, Paper(frame, block, found), block


def test_with_a_constant_hazard_revenue_is_the_rate_times_the_mean_stay(make_frame):
    found, paper, _ = expected_of(make_frame, flat())
    assert np.allclose(found.kept[0], np.exp(-90 * paper.hazard), rtol=1e-12)
    paper.same(found, 0, KEPT, np.exp(-90 * paper.hazard))
    paper.same(found, 0, REVENUE, paper.money * stay(paper.hazard, 90))
    assert np.all(found.sums[:, :, COST] == 0)


def test_a_scheme_that_halves_the_hazard_for_56_days(make_frame):
    found, paper, _ = expected_of(make_frame, flat())
    h = paper.hazard
    assert np.allclose(found.kept[1], np.exp(-(28 + 34) * h), rtol=1e-12)
    paper.same(found, 1, REVENUE, paper.money * (stay(h / 2, 56) + np.exp(-28 * h) * stay(h, 34)))


def test_a_reward_that_rebounds_after_it_has_ended(make_frame):
    schemes = (Scheme("none"), Scheme("boomerang", hazard=(0.5,), rebound=(2.0,)))
    found, paper, _ = expected_of(make_frame, flat(Trial("main", schemes)))
    assert np.allclose(found.kept[1], np.exp(-(28 + 2 * 28 + 6) * paper.hazard), rtol=1e-12)


def test_a_scheme_that_takes_time_to_work(make_frame):
    found, paper, _ = expected_of(make_frame, flat(Trial("main", HALF, ramp_days=4)))
    days = 0.5**0.25 + 0.5**0.5 + 0.5**0.75 + 53 * 0.5 + 34
    assert np.allclose(found.kept[1], np.exp(-days * paper.hazard), rtol=1e-12)


def test_more_sessions_bring_more_money_while_the_reward_runs(make_frame):
    schemes = (Scheme("none"), Scheme("busy", sessions=(3.0,)))
    found, paper, _ = expected_of(make_frame, flat(Trial("main", schemes)))
    h = paper.hazard
    assert np.allclose(found.kept[1], found.kept[0], rtol=1e-12)
    paper.same(found, 1, REVENUE, paper.money * (3 * stay(h, 56) + np.exp(-56 * h) * stay(h, 34)))


def test_quiet_days_before_leaving_lose_their_share_of_revenue(make_frame):
    found, paper, _ = expected_of(make_frame, flat(churn={"quiet": 0.25, "quiet_days": 14}))
    # of the time a member is there, exp(-14 h) is more than 14 days before leaving
    factor = 0.25 + 0.75 * np.exp(-14 * paper.hazard)
    paper.same(found, 0, REVENUE, paper.money * stay(paper.hazard, 90) * factor)


def test_refunds_need_the_member_to_be_there_some_days_later(make_frame):
    found, paper, _ = expected_of(make_frame, flat(activity={"refunds": 0.5, "refund_days": (2,)}))
    # refunds in the horizon stem from days -2 to 88: two days of sure presence shifted to days 0 and 1
    paper.same(found, 0, REVENUE, paper.money * stay(paper.hazard, 90) * 0.5)


def test_costs_are_paid_at_the_start_and_on_rewarded_purchases(make_frame):
    paid = Scheme("paid", buys=(2.0,), at_start=(1.0, 2.0, 3.0, 4.0, 5.0), per_purchase=(0.5,))
    found, paper, _ = expected_of(make_frame, flat(Trial("main", (Scheme("none"), paid))))
    usual = paper.buys * stay(paper.hazard, 56)
    paper.same(found, 1, COST, np.arange(1.0, 6.0)[paper.segment] + 0.5 * 2 * usual)
    paper.same(found, 1, REWARDED, 2 * usual)
    # half of them would have been made anyway
    paper.same(found, 1, DEADWEIGHT, usual)
    for what in (COST, REWARDED, DEADWEIGHT):
        assert np.all(found.sums[0, :, what] == 0)


def test_a_scheme_that_only_pays_is_all_deadweight(make_frame):
    paid = Scheme("gift", per_purchase=(1.0,))
    found, _, _ = expected_of(make_frame, flat(Trial("main", (Scheme("none"), paid))))
    assert np.allclose(found.sums[1, :, DEADWEIGHT], found.sums[1, :, REWARDED], rtol=1e-12)
    assert np.all(found.sums[1, :, REWARDED] > 0)


def test_the_chance_of_a_purchase_in_a_session_has_a_highest_value(make_frame):
    bold = Scheme("bold", buys=(100.0,))
    found, paper, _ = expected_of(make_frame, flat(Trial("main", (Scheme("none"), bold))))
    buys = np.array([s.buys for s in world_parameters().segments])[paper.segment]
    h = paper.hazard
    paper.same(found, 1, REVENUE, paper.money * (0.95 / buys * stay(h, 56) + np.exp(-56 * h) * stay(h, 34)))


def test_nothing_is_bought_before_the_first_value_moment(make_frame):
    frame, block = population(make_frame, flat())
    # the moment comes at noon of the 21st day, or never
    moment = np.where(np.arange(400) % 2, 20.5, np.inf)
    block = replace(block, people=replace(block.people, value_day=moment))
    found = expect(frame, block, block.enrolments[0])
    paper = Paper(frame, block, found)
    h = paper.hazard
    # of day 13 since assignment half counts, at the day's mean presence
    day = (np.exp(-13 * h) - np.exp(-14 * h)) / h
    after = paper.money * (day / 2 + (np.exp(-14 * h) - np.exp(-90 * h)) / h)
    paper.same(found, 0, REVENUE, np.where(np.isfinite(moment[found.rows]), after, 0.0))


def test_who_leaves_and_returns_brings_money_again(make_frame):
    """Leaving at t, back at u by the closed form of one leaver: a double integral over the horizon."""
    changes = {"returns": 0.5, "return_days": 20.0, "again": 0.01}
    found, paper, _ = expected_of(make_frame, flat(churn=changes))
    hidden = world_parameters().segments

    def again(h: float, leaving_again: float) -> float:
        rate = 1 / 20.0

        def days_back(w: float) -> float:
            """Mean days back within w days of leaving."""
            chance = [(1 - exp(-k * w)) / k for k in (leaving_again, rate)]
            return 0.5 * rate * (chance[0] - chance[1]) / (rate - leaving_again)

        return quad(lambda t: h * exp(-h * t) * days_back(90 - t), 0, 90, epsabs=1e-12)[0]

    back = [again(h, 0.01 * hidden[s].hazard) for h, s in zip(paper.hazard, paper.segment, strict=True)]
    # the day of leaving counts as uniform within it: an error of the order of the hazard's square
    paper.same(found, 0, REVENUE, paper.money * (stay(paper.hazard, 90) + np.array(back)), rel=2e-5)
    assert min(back) > 0.5


def test_spill_over_counts_all_treated_against_none_treated(make_frame):
    """Under a scheme those who brought a member have it too, whatever they were given; under none, none."""
    schemes = (Scheme("none"), Scheme("offer", hazard=(0.6,)))
    trial = Trial("main", schemes, day=1, opens=500, reward_days=90, rebound_days=0, spill=0.5)
    found, paper, block = expected_of(make_frame, flat(trial))
    h = paper.hazard
    brought = block.referrer[found.rows] >= 0
    assert brought.sum() > 20
    assert np.allclose(found.kept[0], np.exp(-90 * h), rtol=1e-10)
    # the referrer's scheme acts from joining on, a day before assignment, and so ends a day earlier
    days = np.where(brought, 89 * 0.6 * 0.6**0.5 + 0.6, 90 * 0.6)
    assert np.allclose(found.kept[1], np.exp(-days * h), rtol=1e-10)


def test_what_another_trial_does_goes_on_under_every_scheme(make_frame):
    other = (Scheme("none"), Scheme("louder", hazard=(0.8,), buys=(2.0,)))
    trials = (Trial("main", HALF), Trial("other", other, layer=1, reward_days=30, rebound_days=0))
    found, paper, block = expected_of(make_frame, flat(*trials))
    louder = block.enrolments[1].scheme[found.rows] == 1
    assert 0.4 < louder.mean() < 0.6
    h = paper.hazard
    for code, factor in ((0, 1.0), (1, 0.5)):
        early, middle = h * factor * np.where(louder, 0.8, 1.0), h * factor
        kept = np.exp(-30 * early - 26 * middle - 34 * h)
        assert np.allclose(found.kept[code], kept, rtol=1e-10)
        days = stay(early, 30) * np.where(louder, 2.0, 1.0)
        days = days + np.exp(-30 * early) * (stay(middle, 26) + np.exp(-26 * middle) * stay(h, 34))
        paper.same(found, code, REVENUE, paper.money * days)


def test_without_effects_all_schemes_are_expected_to_do_the_same(make_frame):
    frame, block = population(make_frame, world_parameters(effects=0))
    for enrolment in block.enrolments:
        found = expect(frame, block, enrolment)
        for code in range(1, len(enrolment.trial.schemes)):
            assert np.array_equal(found.kept[code], found.kept[0])
            assert np.array_equal(found.sums[code], found.sums[0])


# --- redrawn lives ---


def repeated(block: Population, rows: np.ndarray) -> Population:
    """Return some members of a block as a block of their own; they may repeat."""
    enrolments = [
        replace(e, entitled=e.entitled[rows], scheme=e.scheme[rows], day=e.day[rows])
        for e in block.enrolments
    ]
    parts = {name: take(getattr(block, name), rows) for name in ("people", "course", "lives")}
    arrays = {name: getattr(block, name)[rows] for name in ("hazard", "sessions", "entry")}
    return replace(block, **parts, **arrays, enrolments=enrolments, referrer=np.full(len(rows), -1))


def under(frame, block: Population, number: int, code: int, rng: np.random.Generator) -> Population:
    """Redraw leaving after assignment, had everyone been given one scheme."""
    parameters, day = frame.parameters, block.enrolments[number].day
    given = block.enrolments[number].under(code)
    factors = []
    for enrolment in (block.enrolments[number], given):
        hazard, sessions = np.ones_like(block.hazard), np.ones_like(block.sessions)
        apply_scheme(enrolment, block.people, parameters, hazard=hazard, sessions=sessions)
        factors.append((hazard, sessions))
    hazard = block.hazard / factors[0][0] * factors[1][0]
    sessions = block.sessions / factors[0][1] * factors[1][1]
    total = cumulative(hazard)
    # a unit exponential has no memory: who was there at assignment begins anew
    exponential = integral_at(total, day.astype(float)) + rng.standard_exponential(len(day))
    lives = draw_lives(frame, block.people, total, exponential, rng)
    enrolments = [given if i == number else e for i, e in enumerate(block.enrolments)]
    return replace(block, hazard=hazard, sessions=sessions, lives=lives, enrolments=enrolments)


def outcomes(frame, block: Population, number: int, rng: np.random.Generator) -> np.ndarray:
    """Return what becomes of every member in the horizon, straight from drawn events and costs."""
    enrolment, n = block.enrolments[number], len(block)
    trial = enrolment.trial
    begins = block.people.joined + enrolment.day * DAY
    ends = begins + trial.horizon_days * DAY
    events = draw_events(frame, block, draw_sessions(frame, block, rng), rng)
    within = (events.at >= begins[events.member]) & (events.at < ends[events.member])
    revenue = np.bincount(events.member[within], weights=events.cents[within] / 100, minlength=n)
    none = np.zeros(0, dtype=np.int64)
    alone = replace(block, enrolments=[enrolment])
    costs = make_costs(frame, alone, events, Chosen(none, none))
    paid = costs.what == WHAT.index("incentive")
    cost = np.bincount(costs.member[paid], weights=costs.cents[paid] / 100, minlength=n)
    return np.stack([block.lives.left > ends, revenue, cost])


@pytest.mark.parametrize(
    ("number", "code"), [(0, 0), (0, 1), (0, 2), (0, 4), (1, 1)],
    ids=["none", "welcome_coupon", "bonus_points", "tier_trial", "gift"],
)  # fmt: skip
def test_what_is_expected_is_the_mean_of_redrawn_lives(drawn, ruler, number, code):
    """500 members of one block, each redrawn 20 times under one scheme: by segment, in standard errors.

    Fifteen comparisons a scheme; a common bias of one standard error in all would show in their squares.
    """
    frame, block, times = drawn.frame, drawn.blocks[3], 20
    rows = np.flatnonzero(block.assigned(block.enrolments[number]))[:500]
    expected = expect(frame, repeated(block, rows), repeated(block, rows).enrolments[number]).sums[code]
    rng = np.random.default_rng(100 * number + code)
    again = under(frame, repeated(block, np.tile(rows, times)), number, code, rng)
    found = outcomes(frame, again, number, rng).reshape(3, times, len(rows))
    distances = []
    for what in (KEPT, REVENUE, COST):
        mean, variance = found[what].mean(axis=0), found[what].var(axis=0, ddof=1) / times
        segment = block.people.segment[rows]
        for hidden in range(5):
            gap = mean[segment == hidden].sum() - expected[hidden, what]
            error = np.sqrt(variance[segment == hidden].sum())
            if error:
                distances.append(gap / error)
            else:
                assert gap == pytest.approx(0, abs=1e-9)
    assert np.max(np.abs(distances)) < ruler.sigmas
    # the 99.99 % point of a mean of ten squares is 3.6
    assert np.mean(np.square(distances)) < 3.6


def test_every_scheme_did_what_the_truth_says(drawn, summary, ruler):
    """Outcomes of 38,000 members, as they came, against the truth of each scheme and segment."""
    names = [s.name for s in drawn.frame.parameters.segments]
    distances = []
    for number, trial in enumerate(drawn.frame.parameters.trials):
        who, scheme, _ = drawn.trial(trial.name)
        found = np.concatenate(
            [outcomes_as_drawn(drawn, i, b, number) for i, b in enumerate(drawn.blocks)], axis=1
        )
        truth = summary["trials"][trial.name]
        found = np.append(found, trial.margin * found[1:2] - found[2:], axis=0)
        for row in [*truth["schemes"], *truth["by_segment"]]:
            chosen = who & (scheme == [s.name for s in trial.schemes].index(row["scheme"]))
            if "segment" in row:
                chosen &= drawn.people.segment == names.index(row["segment"])
            for values, what in zip(found, ("kept", "revenue", "cost", "net_value"), strict=True):
                assert ruler.mean(values[chosen], row[what]), (row, what)
                if values[chosen].std() and "segment" in row and what != "net_value":
                    error = values[chosen].std() / np.sqrt(chosen.sum())
                    distances.append((values[chosen].mean() - row[what]) / error)
    assert len(distances) >= 80
    # the 99.9 % point of a mean of 80 squares is 1.55
    assert np.mean(np.square(distances)) < 1.55


def outcomes_as_drawn(drawn, number_of_block: int, block: Population, number: int) -> np.ndarray:
    """Return what became of the members of one block, from the events and costs that were drawn."""
    enrolment, first = block.enrolments[number], number_of_block * 4096
    trial, events, costs = enrolment.trial, drawn.events, drawn.costs
    begins = block.people.joined + enrolment.day * DAY
    ends = begins + trial.horizon_days * DAY
    low, high = np.searchsorted(events.member, [first, first + 4096])
    member, at, cents = events.member[low:high] - first, events.at[low:high], events.cents[low:high]
    within = (at >= begins[member]) & (at < ends[member])
    revenue = np.bincount(member[within], weights=cents[within] / 100, minlength=4096)
    low, high = np.searchsorted(costs.member, [first, first + 4096])
    theirs = [s.name for s in trial.schemes if s.name != "none"]
    names = scheme_names(drawn.frame)
    paid = np.isin(costs.scheme[low:high], [names.index(name) for name in theirs])
    cost = np.bincount(
        (costs.member[low:high] - first)[paid], weights=costs.cents[low:high][paid] / 100, minlength=4096
    )
    return np.stack([block.lives.left > ends, revenue, cost])
