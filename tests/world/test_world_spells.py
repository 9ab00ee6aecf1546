"""Table `spells`: stretches on one plan follow courses and lives, and tile membership."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.world.clock import DAY
from sojourn.world.tables.spells import DOWNGRADE, ENDS, PAUSE, UPGRADE


@pytest.fixture(scope="module")
def first(drawn) -> np.ndarray:
    """Return which spells belong to first stays."""
    return drawn.spells.started < drawn.lives.returned[drawn.spells.member]


def neighbours(spells, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows that follow each other in one member's life."""
    same = spells.member[rows[1:]] == spells.member[rows[:-1]]
    return rows[:-1][same], rows[1:][same]


def test_spells_of_a_member_do_not_overlap_and_last_some_time(drawn):
    spells = drawn.spells
    rows = np.arange(len(spells.member))
    before, after = neighbours(spells, rows)
    assert np.all(spells.ended[before] <= spells.started[after])
    assert np.all(spells.ended > spells.started)
    assert np.isfinite(spells.ended[before]).all()
    assert len(before) > 10_000


def test_everyone_begins_with_joining_on_the_plan_stated(drawn):
    spells = drawn.spells
    member, row = np.unique(spells.member, return_index=True)
    assert np.array_equal(member, np.arange(len(drawn)))
    assert np.array_equal(spells.started[row], drawn.people.joined)
    assert np.array_equal(spells.plan[row], drawn.people.plan)


def test_between_spells_of_one_stay_there_is_nothing_but_pauses(drawn, first):
    spells = drawn.spells
    before, after = neighbours(spells, np.flatnonzero(first))
    gap = spells.started[after] - spells.ended[before]
    paused = spells.end[before] == PAUSE
    assert np.all(gap[~paused] == 0)
    assert np.all((gap[paused] >= 14 * DAY) & (gap[paused] <= 45 * DAY))
    assert paused.sum() > 3_000


def test_every_day_of_a_first_stay_lies_on_the_plan_of_the_course_or_in_a_pause(drawn):
    """Day by day for 500 members: on the plan of the day while not paused and still there, else in none."""
    block, spells = drawn.blocks[0], drawn.spells
    for member in range(500):
        joined, left = block.people.joined[member], block.lives.left[member]
        days = np.arange(int((min(left, drawn.frame.as_of) - joined) // DAY))
        at = joined + days * DAY
        rows = np.flatnonzero(spells.member == member)
        inside = (spells.started[rows] <= at[:, None]) & (at[:, None] < spells.ended[rows])
        assert inside.sum(axis=1).max(initial=0) <= 1
        resting = block.course.paused[member, days]
        assert np.array_equal(inside.any(axis=1), ~resting)
        plan = spells.plan[rows][inside.argmax(axis=1)]
        assert np.array_equal(plan[~resting], block.course.plan[member, days][~resting])


def test_the_last_spell_of_a_first_stay_ends_with_leaving_for_its_reason(drawn, first):
    spells, lives = drawn.spells, drawn.lives
    rows = np.flatnonzero(first)
    last = rows[np.append(spells.member[rows][1:] != spells.member[rows][:-1], True)]
    member = spells.member[last]
    paused = drawn.each(lambda b: b.course.paused)
    gone = lives.left[member] < drawn.frame.as_of
    whole = np.minimum(lives.left[member], drawn.frame.as_of).astype(np.int64)
    # the day before an instant on which a day begins
    resting = paused[member, (whole - drawn.people.joined[member] - 1) // DAY]
    ends = gone & ~resting
    assert np.array_equal(spells.ended[last][ends], lives.left[member][ends])
    assert np.array_equal(spells.end[last][ends], lives.reason[member][ends])
    assert np.array_equal(spells.voluntary[last][ends], lives.voluntary[member][ends])
    assert np.isinf(spells.ended[last][~gone & ~resting]).all()
    assert np.all(spells.end[last][resting] == PAUSE)


def test_second_stays_are_on_the_plan_that_was_left_for_as_long_as_they_last(drawn, first):
    spells, lives, as_of = drawn.spells, drawn.lives, drawn.frame.as_of
    rows = np.flatnonzero(~first)
    member = spells.member[rows]
    back = np.flatnonzero(lives.returned < as_of)
    assert np.array_equal(member, back)
    assert np.array_equal(spells.started[rows], lives.returned[back])
    again = lives.left_again[back]
    assert np.array_equal(spells.ended[rows], np.where(again < as_of, again, np.inf))
    assert np.array_equal(spells.plan[rows], spells.plan[rows - 1])
    assert len(rows) > 3_000


def test_ends_say_whether_the_next_plan_is_dearer(drawn, first):
    spells = drawn.spells
    before, after = neighbours(spells, np.flatnonzero(first))
    dearer = spells.cents[after] > spells.cents[before]
    changed = (spells.started[after] == spells.ended[before]) & (spells.end[before] != PAUSE)
    expected = np.where(dearer, UPGRADE, DOWNGRADE)
    assert np.array_equal(spells.end[before][changed], expected[changed])
    assert changed.sum() > 5_000
    assert set(np.unique(spells.end)) <= set(range(len(ENDS)))


def test_the_price_is_that_of_the_plan_and_a_tenth_more_after_a_rise(drawn, draw):
    price = np.array([999, 799, 1499])
    assert np.array_equal(drawn.spells.cents, price[drawn.spells.plan])
    risen = draw(1, world="price_rise")
    late = risen.spells.started >= risen.frame.as_of - 200 * DAY
    assert np.array_equal(risen.spells.cents[~late], price[risen.spells.plan[~late]])
    assert np.array_equal(risen.spells.cents[late], np.array([1099, 879, 1649])[risen.spells.plan[late]])


def test_a_member_who_leaves_without_a_word_stays_in_the_books_but_changes_nothing(draw):
    drawn = draw(1, world="silent_churn")
    spells, lives = drawn.spells, drawn.lives
    assert np.all(spells.started < lives.left[spells.member])
    last = np.append(spells.member[1:] != spells.member[:-1], True)
    gone = last & (lives.left[spells.member] < drawn.frame.as_of)
    assert not np.isin(spells.end[np.isfinite(spells.ended)], range(5)).any()
    open_ended = np.isinf(spells.ended[gone])
    # but for those who left while they paused
    assert open_ended.mean() > 0.95
    assert np.all(spells.end[gone][~open_ended] == PAUSE)
