"""Courses of members' lives against the parameters: stages as a semi-Markov process, plans, pauses.

Lengths are drawn in days and rounded up, so a length is at most k exactly when what was drawn is: all shares
here are exact, and restricted means are sums of such shares.
"""

from __future__ import annotations

from math import gamma

import numpy as np
import pytest

from sojourn.world.members.course import ACTIVE, GROWING, NEW, RETURNED, SILENT, stage_pace, walk
from sojourn.world.parameters import STAGES, Stages


@pytest.fixture(scope="module")
def chosen(drawn) -> np.ndarray:
    """Return who of the members of `courses` joined under observation and so is not selected by staying."""
    return np.concatenate([b.people.joined >= drawn.frame.start for b in drawn.blocks[:5]])


@pytest.fixture(scope="module")
def segment(drawn) -> np.ndarray:
    return np.concatenate([b.people.segment for b in drawn.blocks[:5]])


def runs(states: np.ndarray) -> dict[str, np.ndarray]:
    """Return runs of equal states (rows, days) as columns; `length` is -1 and `next` too where it is cut."""
    begins = np.ones(states.shape, dtype=bool)
    begins[:, 1:] = states[:, 1:] != states[:, :-1]
    row, start = np.nonzero(begins)
    whole = np.append(row[1:] == row[:-1], False)
    length = np.where(whole, np.append(start[1:], 0) - start, -1)
    state = states[row, start].astype(int)
    following = np.where(whole, np.append(state[1:], -1), -1)
    return {"row": row, "start": start, "state": state, "length": length, "next": following}


@pytest.fixture(scope="module")
def stages(courses, chosen) -> dict[str, np.ndarray]:
    """Return the runs of stages of members not selected, that begin early enough to be seen for 200 days."""
    found = runs(courses.stage)
    kept = chosen[found["row"]] & (found["start"] <= courses.stage.shape[1] - 201)
    return {name: column[kept] for name, column in found.items()}


def lengths_near(ruler, length: np.ndarray, mean: float, shape: float) -> None:
    """Compare lengths (-1: longer than 200) with a Weibull distribution of a mean, rounded up."""
    scale = mean / gamma(1 + 1 / shape)
    for k in (3, 10, 30, 90, 200):
        at_most = (length > 0) & (length <= k)
        assert ruler.share(at_most, 1 - np.exp(-((k / scale) ** shape))), k
    expected = sum(np.exp(-((j / scale) ** shape)) for j in range(200))
    assert ruler.mean(np.where((length < 0) | (length > 200), 200, length), expected)


@pytest.mark.parametrize("name", ["new", "growing", "silent", "returned"])
def test_stages_last_as_stated(drawn, stages, ruler, name):
    parameters, code = drawn.frame.parameters.stages, STAGES.index(name)
    length = stages["length"][stages["state"] == code]
    assert len(length) > 10_000
    lengths_near(ruler, length, parameters.days[code], parameters.shape[code])


@pytest.mark.parametrize("code", range(5))
def test_the_active_stage_lasts_as_long_as_is_the_segments_own(drawn, stages, segment, ruler, code):
    theirs = (stages["state"] == ACTIVE) & (segment[stages["row"]] == code)
    hidden = drawn.frame.parameters.segments[code]
    lengths_near(
        ruler, stages["length"][theirs], hidden.active_days, drawn.frame.parameters.stages.shape[ACTIVE]
    )


def test_lives_begin_new_and_who_takes_off_grows(drawn, courses, stages):
    assert np.all(courses.stage[:, 0] == NEW)
    takes_off = np.concatenate([b.people.takes_off for b in drawn.blocks[:5]])
    first = (stages["state"] == NEW) & (stages["next"] >= 0)
    expected = np.where(takes_off[stages["row"][first]], GROWING, SILENT)
    assert np.array_equal(stages["next"][first], expected)
    assert np.all(stages["start"][stages["state"] == NEW] == 0)


@pytest.mark.parametrize("code", [GROWING, ACTIVE, SILENT, RETURNED])
def test_stages_follow_each_other_as_stated_however_long_they_lasted(drawn, stages, ruler, code):
    expected = drawn.frame.parameters.stages.follows[code]
    ended = (stages["state"] == code) & (stages["length"] > 0) & (stages["length"] <= 200)
    length, following = stages["length"][ended], stages["next"][ended]
    middle = np.median(length)
    # semi-Markov: what follows does not depend on the length
    for part in (length <= middle, length > middle):
        assert ruler.shares(following[part], expected), STAGES[code]


def test_members_change_plans_at_the_stated_rates(drawn, courses, chosen, ruler):
    found = runs(courses.plan)
    rates = np.array(drawn.frame.parameters.spells.changes)
    for plan in range(3):
        theirs = (
            (found["state"] == plan) & (found["start"] <= courses.plan.shape[1] - 401) & chosen[found["row"]]
        )
        length, total = found["length"][theirs], rates[plan].sum()
        for k in (30, 120, 400):
            assert ruler.share((length > 0) & (length <= k), 1 - np.exp(-total * k)), (plan, k)
        changed = (length > 0) & (length <= 400)
        assert ruler.shares(found["next"][theirs][changed], rates[plan] / total)


def test_the_first_plan_is_the_one_at_joining(drawn, courses):
    plan = np.concatenate([b.people.plan for b in drawn.blocks[:5]])
    assert np.array_equal(courses.plan[:, 0], plan)


def test_pauses_come_at_the_stated_rate_and_last_from_14_to_45_days(drawn, courses, ruler):
    found = runs(courses.paused.astype(np.int8))
    running = (found["state"] == 0) & (found["start"] <= courses.paused.shape[1] - 301)
    length = found["length"][running]
    for k in (50, 300):
        assert ruler.share((length > 0) & (length <= k), 1 - np.exp(-0.0006 * k)), k
    resting = (found["state"] == 1) & (found["start"] <= courses.paused.shape[1] - 46)
    assert ruler.shares(found["length"][resting] - 14, [1 / 32] * 32)
    assert resting.sum() > 5_000


def test_pauses_do_not_depend_on_anything(courses, segment, ruler):
    paused = courses.paused.mean(axis=1)
    for code in range(5):
        theirs = paused[segment == code]
        # the long-run share would be 29.5 / (29.5 + 1667); members begin without a pause
        assert ruler.mean(theirs, paused.mean())
    assert 0.010 < paused.mean() < 0.0174


def test_the_pace_of_every_stage_by_hand():
    stages = Stages(sessions=(0.9, 0.6, 1.0, 0.02, 0.7), fade_days=4, faded=0.4)
    stage = np.array([[NEW, GROWING, GROWING, ACTIVE, ACTIVE, ACTIVE, ACTIVE, ACTIVE, SILENT, RETURNED]])
    elapsed = np.array([[0, 0, 1, 0, 1, 2, 3, 4, 0, 0]])
    length = np.array([[1, 2, 2, 5, 5, 5, 5, 5, 1, 1]])
    # growing: from .6 to 1 at the middles of two halves; active: from 1 to .4 over the last four days
    expected = [0.9, 0.7, 0.9, 1.0, 0.925, 0.775, 0.625, 0.475, 0.02, 0.7]
    assert np.allclose(stage_pace(stages, stage, elapsed, length)[0], expected, rtol=0, atol=1e-12)


def test_a_paused_member_does_not_come(courses):
    assert np.all(courses.pace[courses.paused] == 0)
    assert np.all(courses.pace[~courses.paused] > 0)


def test_a_walk_fills_every_day_with_the_states_in_their_order():
    script = iter([([2, 1], [1, 2]), ([3, 9], [0, 1]), ([9, 9], [1, 1])])

    def step(state):
        length, following = next(script)
        return np.array(length), np.array(following)

    state, elapsed, length = walk(np.array([0, 0]), 6, step)
    assert state.tolist() == [[0, 0, 1, 1, 1, 0], [0, 2, 2, 2, 2, 2]]
    assert elapsed.tolist() == [[0, 1, 0, 1, 2, 0], [0, 0, 1, 2, 3, 4]]
    assert length.tolist() == [[2, 2, 3, 3, 3, 9], [1, 9, 9, 9, 9, 9]]
