"""Numbers that say nothing of one member: laws of the primitives, for any counts and amounts."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.privacy import (
    cap_of,
    coarse,
    nearest,
    pooled,
    reaching,
    round_down,
    round_number,
    shared_out,
    staircase,
    sum_in_steps,
    to_multiples,
    top_coded,
)

BASES = st.integers(1, 50)
COUNTS = st.lists(st.integers(0, 500), max_size=40)
AMOUNTS = st.lists(st.decimals(-5_000, 5_000, places=4), min_size=1, max_size=60)


@given(COUNTS, BASES)
@settings(deadline=None)
def test_counts_are_multiples_and_fewer_than_the_base_are_nobody(counts, base) -> None:
    shown = to_multiples(counts, base)
    assert all(n % base == 0 for n in shown)
    for exact, n in zip(counts, shown, strict=True):
        assert n == 0 if exact < base else abs(n - exact) <= base / 2


@given(COUNTS, BASES)
@settings(deadline=None)
def test_larger_groups_never_show_as_smaller(counts, base) -> None:
    ordered = sorted(counts)
    for shown in (to_multiples(ordered, base), nearest(ordered, base)):
        assert all(np.diff(shown) >= 0)


@given(COUNTS, BASES)
@settings(deadline=None)
def test_a_staircase_keeps_its_running_sum_and_never_goes_down(counts, base) -> None:
    steps = staircase(counts, base)
    assert len(steps) == len(counts)
    assert all(steps >= 0)
    assert all(steps % base == 0)
    assert all(np.abs(np.cumsum(steps) - np.cumsum(counts)) <= base / 2)


def test_rounding_is_unbiased_over_a_whole_step() -> None:
    """Halves go up: the mean error over all residues is half a member for an even base, 0 for an odd one."""
    for base, mean in ((20, 0.5), (21, 0.0)):
        exact = np.arange(base, 2 * base)
        assert np.mean(nearest(exact, base) - exact) == mean


@given(COUNTS.filter(sum), st.integers(0, 1_000))
@settings(deadline=None)
def test_counts_shared_out_add_up_and_stay_near_their_part(counts, total) -> None:
    shared = shared_out(counts, total)
    assert shared.sum() == total
    for exact, n in zip(counts, shared, strict=True):
        assert abs(Fraction(int(n)) - Fraction(exact * total, sum(counts))) < 1


@given(st.decimals("0.0001", 1_000_000, places=4))
@settings(deadline=None)
def test_round_numbers_lie_around_their_value(value) -> None:
    low, high = round_down(value), round_number(value)
    assert low <= value <= high
    assert high <= low * Decimal("2.5")
    assert {str(n).strip("0.").rstrip("0") or "0" for n in (low, high)} <= {"1", "2", "5"}


@given(AMOUNTS, st.integers(1, 20))
@settings(deadline=None)
def test_a_cap_is_reached_by_as_many_as_it_says(amounts, base) -> None:
    sizes = [abs(amount) for amount in amounts]
    cap, some = cap_of(sizes, base), sum(size > 0 for size in sizes)
    assert (cap == 0) == (some < base)
    if cap:
        assert sum(size >= cap for size in sizes) >= reaching(some, base) >= base
    assert max(map(abs, top_coded(amounts, cap))) <= cap


@given(AMOUNTS, st.integers(2, 20))
@settings(deadline=None)
def test_one_member_moves_a_sum_in_steps_by_one_step_at_most(amounts, base) -> None:
    cap = Decimal(100)
    cut = top_coded(amounts, cap)
    with_all, without = (sum_in_steps(sum(part, Decimal(0)), base * cap) for part in (cut, cut[1:]))
    assert abs(with_all - without) in (0, base * cap)


@given(st.decimals(-10_000, 10_000, places=4), st.integers(1, 500))
@settings(deadline=None)
def test_sums_in_steps_are_near_and_never_below_when_rounded_up(total, step) -> None:
    near, above = (sum_in_steps(total, Decimal(step), up=up) for up in (False, True))
    assert near % step == 0
    assert above % step == 0
    assert abs(near - total) <= Decimal(step) / 2
    assert 0 <= above - total < step


@given(st.lists(st.integers(0, 5_000), min_size=5, max_size=80), st.integers(1, 5), st.randoms())
@settings(deadline=None)
def test_pooled_values_are_each_shared_by_the_base_in_any_order(values, base, random) -> None:
    found = pooled(values, base)
    assert min(Counter(found).values()) >= base
    by_value = dict(zip(values, found, strict=True))
    random.shuffle(values)
    assert pooled(values, base) == [by_value[value] for value in values]
    assert [by_value[value] for value in sorted(values)] == sorted(found)


@given(st.integers(0, 10**9), BASES)
@settings(deadline=None)
def test_coarse_counts_are_multiples_near_the_exact_one(count, base) -> None:
    shown = coarse(count, base)
    assert shown % base == 0
    assert abs(shown - count) <= max(base / 2, 0.1 * count)


@given(COUNTS.filter(bool), BASES, st.integers(1, 9))
@settings(deadline=None)
def test_a_staircase_is_near_at_its_marks(counts, base, every) -> None:
    marks = sorted({*range(every - 1, len(counts), every), len(counts) - 1})
    off = np.cumsum(staircase(counts, base, marks)) - np.cumsum(counts)
    assert all(np.abs(off[marks]) <= base / 2)
