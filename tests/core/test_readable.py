"""Bounds that people can read."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sojourn.core.readable import readable_between, readable_bounds

numbers = st.one_of(st.integers(-(10**9), 10**9).map(float), st.floats(-1e9, 1e9))


@pytest.mark.parametrize(
    ("low", "high", "bound"),
    [
        (3.2, 11.9, 10.0),
        (0.31, 0.38, 0.35),
        (-0.4, 0.3, 0.0),
        (3, 4, 4.0),
        (4, 5, 5.0),
        (0, 1, 1.0),
        (-3, -2, -2.0),
        (12, 19, 15.0),
        (101, 199, 150.0),
        (1 / 3, 1 / 2, 0.5),
        (0, 1e-6, 1e-6),
    ],
)
def test_the_roundest_number_between_is_taken(low, high, bound):
    assert readable_between(low, high) == bound


@given(numbers, numbers)
def test_a_bound_lies_above_the_lower_and_at_most_at_the_higher(a, b):
    low, high = sorted((a, b))
    assume(low < high)
    assert low < readable_between(low, high) <= high


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_between_whole_numbers_lies_a_whole_number(low, wide):
    assert readable_between(low, low + wide).is_integer()


@given(st.lists(st.one_of(st.integers(0, 50).map(float), st.floats(-100, 100)), min_size=1, max_size=80))
def test_bounds_rise_and_have_values_on_both_sides(values):
    x = np.array(values)
    bounds = readable_bounds(x, 10)
    assert list(bounds) == sorted(set(bounds))
    for bound in bounds:
        assert (x < bound).any()
        assert (x >= bound).any()
        assert bound.is_integer() or len(Decimal(repr(bound)).normalize().as_tuple().digits) <= 3


def test_bounds_do_not_depend_on_the_order_of_values():
    x = np.random.default_rng(3).gamma(2, size=500)
    assert readable_bounds(x, 20) == readable_bounds(x[::-1], 20)


def test_bounds_lie_about_every_part():
    x = np.arange(1000.0)
    bounds = readable_bounds(x, 10)
    assert bounds == (100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0)
