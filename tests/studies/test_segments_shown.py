"""Numbers of a segment as they may be shown."""

import numpy as np
import pandas as pd
import pytest

from sojourn.studies.segments.shown import Shown

EXACT, PRIVATE = Shown(0, 0.95), Shown(20, 0.95)


def test_public_numbers_are_exact() -> None:
    values = np.array([1.0, 2.0, 6.0])
    assert EXACT.size(37) == 37
    assert EXACT.share(3, 8)[0] == 3 / 8
    assert EXACT.mean(values, values)[0] == 3.0


@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 45), (133, 400), (400, 400)])
def test_private_shares_are_of_multiples_and_their_intervals_are_wider(k, n) -> None:
    share, low, high = PRIVATE.share(k, n)
    told = PRIVATE.size(n)
    assert (share * told) % 20 == pytest.approx(0)
    assert 0 <= low <= share <= high <= 1
    assert high - low >= EXACT.share(k, n)[2] - EXACT.share(k, n)[1]


def test_one_member_moves_a_private_mean_by_nothing_or_a_whole_step() -> None:
    """Sums of shown means are multiples of base times cap: no member's own amount can be subtracted."""
    rng = np.random.default_rng(4)
    everyone = rng.exponential(30, 2_000)
    group = everyone[:400]
    full = PRIVATE.mean(group, everyone)[0] * PRIVATE.size(400)
    moved = []
    for i in range(100):
        fewer = np.delete(group, i)
        told = PRIVATE.mean(fewer, everyone)[0] * PRIVATE.size(399)
        moved.append(round(abs(told - full), 6))
    cap = 100.0  # the largest of 1, 2, 5 … that one in a hundred reach
    assert set(moved) <= {0.0, 20 * cap}
    assert np.mean(np.array(moved) > 0) <= 0.15
    assert EXACT.mean(group, everyone)[0] * 400 - EXACT.mean(group[1:], everyone)[0] * 399 == pytest.approx(
        group[0]
    )


def test_values_that_are_all_cut_at_one_cap_tell_no_difference() -> None:
    """5.0 to 5.9 are all 5 there: neither means nor what a member moves differ."""
    values = np.random.default_rng(7).uniform(5.0, 5.9, 200)
    difference, low, high = PRIVATE.difference(values, np.arange(200) < 80)
    assert PRIVATE.cap(values) == 5.0
    assert low <= difference <= high


def test_private_intervals_of_means_cover() -> None:
    """400 groups of 300: bounds hold the true mean of amounts cut at the cap as often as they say."""
    rng, inside = np.random.default_rng(5), 0
    for _ in range(400):
        everyone = rng.exponential(10, 1_000)
        _, low, high = PRIVATE.mean(everyone[:300], everyone)
        inside += low <= 10 * (1 - np.exp(-2)) <= high or low <= 10 * (1 - np.exp(-5)) <= high
    assert inside / 400 > 0.92


SCORES = pd.DataFrame(
    {"k": [2, 3], "depth": [0.41234, 0.2], "smallest_share": [0.0089, 0.4196], "separated": [True, False]}
)


def test_public_scores_are_exact():
    assert Shown(0, 0.95).scores(SCORES, 112) is SCORES


def test_private_scores_tell_no_count_of_fewer_than_the_base():
    told = Shown(20, 0.95).scores(SCORES, 112)
    assert told["depth"].tolist() == [0.41, 0.2]
    assert told["separated"].tolist() == [True, False]
    assert told["smallest_share"].tolist() == [0.0, 0.5]  # multiples of 20 of 120
    assert ((told["smallest_share"] * 120) % 20).eq(0).all()


def test_one_member_moves_a_private_middle_by_nothing_or_a_whole_step() -> None:
    values = np.random.default_rng(6).integers(5, 15, 100) * 1.0
    told = PRIVATE.middle(values)
    assert told == pytest.approx(values.mean(), abs=20 * 14 / 100 / 2)
    step = 20 * 14 / 100
    moved = {round(abs(PRIVATE.middle(np.delete(values, i)) - told) / step, 6) for i in range(100)}
    assert moved <= {0.0, 1.0}
    assert EXACT.middle(values) == values.mean()
    assert PRIVATE.middle(np.zeros(40)) == 0.0


def test_where_all_are_the_same_there_is_no_interval() -> None:
    """In private cases that would tell what each did: there the bounds are those of the rounding."""
    everyone = np.concatenate([np.full(100, 4.0), np.arange(100.0)])
    value, low, high = EXACT.mean(everyone[:100], everyone)
    assert (value, np.isnan(low), np.isnan(high)) == (4.0, True, True)
    _, low, high = PRIVATE.mean(everyone[:100], everyone)
    assert low < 4.0 < high
