"""Leaving, given each member's own hazards; why members leave, who is seen, and who comes back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sojourn.world.clock import DAY
from sojourn.world.members.hazards import cumulative, integral_at


@pytest.fixture(scope="module")
def integrals(drawn) -> dict[str, np.ndarray]:
    """Return integrated hazards of every member at entry, at the end of follow-up and at leaving."""
    found: dict[str, list[np.ndarray]] = {"entry": [], "end": [], "left": []}
    for block in drawn.blocks:
        total = cumulative(block.hazard)
        last = total.shape[1] - 1
        left = (block.lives.left - block.people.joined) / DAY
        found["entry"].append(integral_at(total, block.entry))
        found["end"].append(integral_at(total, (drawn.frame.as_of - block.people.joined) / DAY))
        found["left"].append(np.where(left <= last, integral_at(total, np.minimum(left, last)), np.inf))
    return {name: np.concatenate(parts) for name, parts in found.items()}


@pytest.fixture(scope="module")
def gone(drawn) -> np.ndarray:
    return drawn.lives.left < drawn.frame.as_of


def test_as_many_leave_as_their_hazards_say(drawn, integrals, gone, ruler):
    chance = -np.expm1(-(integrals["end"] - integrals["entry"]))
    assert ruler.share(gone, chance)
    for groups in (drawn.people.segment, drawn.people.channel, drawn.people.plan):
        for code in np.unique(groups):
            assert ruler.share(gone[groups == code], chance[groups == code])
    early = drawn.people.joined < drawn.frame.start
    assert ruler.share(gone[early], chance[early])


def test_the_integrated_hazard_at_leaving_is_exponential(integrals, gone):
    """Of who leaves within follow-up, what is integrated since entry is a cut exponential: uniform when
    transformed. At 30,000 leavers a Kolmogorov-Smirnov distance of 1.3 points has p below 0.0001."""
    since, until = (integrals[name] - integrals["entry"] for name in ("left", "end"))
    uniform = np.expm1(-since[gone]) / np.expm1(-until[gone])
    assert gone.sum() > 20_000
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4


def test_it_is_exponential_for_members_who_joined_before_observation_too(drawn, integrals, gone):
    early = gone & (drawn.people.joined < drawn.frame.start)
    since, until = ((integrals[name] - integrals["entry"])[early] for name in ("left", "end"))
    assert early.sum() > 1_000
    assert stats.kstest(np.expm1(-since) / np.expm1(-until), "uniform").pvalue > 1e-4


def test_nobody_is_in_the_tables_who_had_left_before_observation(drawn):
    assert (drawn.lives.left > drawn.frame.start).all()
    assert (drawn.lives.left > drawn.people.joined).all()


def test_members_who_joined_before_are_seen_with_the_probability_of_having_stayed(drawn, integrals, ruler):
    """Weighted by one over that probability they are like all joiners; unweighted they are not."""
    people, made = drawn.people, drawn.frame.parameters
    early = people.joined < drawn.frame.start
    weight = np.exp(integrals["entry"])[early]
    assert early.sum() > 3_000
    satisfaction = people.satisfaction[early]
    assert ruler.mean(weight * satisfaction)
    assert not ruler.mean(satisfaction)
    # plans are drawn independently of all else
    for code, plan in enumerate(made.plans):
        assert ruler.mean(weight * ((people.plan[early] == code) - plan.share)), plan.name
    # the average over ages of the shares by channel is not stated; the later joiners have it
    for code, segment in enumerate(made.segments):
        later = (people.segment[~early] == code).mean()
        assert ruler.mean(weight * ((people.segment[early] == code) - later)), segment.name
    never = people.segment[early] == 4
    assert ruler.mean(weight * (never - (people.segment[~early] == 4).mean()))
    assert never.mean() < (people.segment[~early] == 4).mean() - 0.01


def test_as_many_joined_before_observation_as_the_growth_of_joiners_says(drawn, integrals, ruler):
    early = drawn.people.joined < drawn.frame.start
    day = np.arange(-60, 548)
    # observation begins on the 31st of December, the 365th day of its year
    weights = 1.5 ** (day / 365.25) * (1 + 0.25 * np.cos(2 * np.pi * (365 + day - 15) / 365.25))
    assert drawn.frame.as_of - drawn.frame.start == 548 * DAY
    bursts = np.ones(608)
    bursts[60 + 548 - 420 : 60 + 548 - 410] = 2.2
    bursts[60 + 548 - 160 : 60 + 548 - 153] = 1.8
    weights = weights * bursts
    expected = (~early).sum() * weights[:60].sum() / weights[60:].sum()
    found = np.exp(integrals["entry"])[early].sum()
    error = np.sqrt((np.exp(integrals["entry"])[early] ** 2).sum())
    assert abs(found - expected) < ruler.sigmas * error


def test_reasons_follow_the_segment(drawn, ruler):
    for code, segment in enumerate(drawn.frame.parameters.segments):
        assert ruler.shares(drawn.lives.reason[drawn.people.segment == code], segment.reasons), segment.name


def test_only_unknown_reasons_are_ever_involuntary(drawn, ruler):
    lives = drawn.lives
    unknown = lives.reason == 4
    assert lives.voluntary[~unknown].all()
    assert ruler.share(~lives.voluntary[unknown], 0.3)


def test_all_leaving_is_announced_and_in_a_silent_world_none(drawn, draw):
    assert drawn.lives.announced.all()
    assert not draw(1, world="silent_churn").lives.announced.any()


def test_more_than_a_fifth_of_leavers_come_back_after_the_stated_time(drawn, ruler):
    lives, churn = drawn.lives, drawn.frame.parameters.churn
    leaves = np.isfinite(lives.left)
    back = np.isfinite(lives.returned)
    assert ruler.share(back[leaves], churn.returns)
    assert not back[~leaves].any()
    away = (lives.returned[back] - lives.left[back]) / DAY
    assert stats.kstest(away, stats.expon(scale=45.0).cdf).pvalue > 1e-4
    # coming back does not depend on who one is
    for code in range(5):
        theirs = leaves & (drawn.people.segment == code)
        assert ruler.share(back[theirs], churn.returns)


def test_the_second_stay_lasts_by_the_segments_own_hazard(drawn, ruler):
    lives, made = drawn.lives, drawn.frame.parameters
    back = np.isfinite(lives.returned)
    for code, segment in enumerate(made.segments):
        theirs = back & (drawn.people.segment == code)
        stay = (lives.left_again[theirs] - lives.returned[theirs]) / DAY
        assert stats.kstest(stay, stats.expon(scale=1 / (0.004 * segment.hazard)).cdf).pvalue > 1e-4


def test_the_rate_of_leaving_is_highest_in_the_second_month(drawn, summary):
    """The ten days with the highest rate lie where the truth has its peak, and the peak is as high."""
    after = drawn.people.joined >= drawn.frame.start
    left = (drawn.lives.left - drawn.people.joined)[after] / DAY
    edges = np.arange(0, 361, 10)
    there = np.array([(left > edge).sum() for edge in edges])
    rate = -np.diff(np.log(there)) / 10
    truth = summary["retention"]
    assert abs(edges[np.argmax(rate)] + 5 - truth["hazard_peak_day"]) < 16
    # about 1,500 leave in the busiest ten days, so the rate has an error of 3 %; its mean over ten days of a
    # peak of some weeks is 1 % lower
    assert rate.max() / rate[edges[:-1] >= 180].mean() == pytest.approx(truth["hazard_peak_ratio"], rel=0.13)
