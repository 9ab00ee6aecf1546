"""Intervals: read from a row, turned round, and named."""

import doctest

import pandas as pd
import pytest

from sojourn.core import interval
from sojourn.core.errors import ParameterError
from sojourn.core.interval import Interval


def test_a_row_holds_an_estimate_with_its_bounds():
    row = pd.Series({"mean": 3, "mean_low": 1, "mean_high": 7, "median": 2})
    assert Interval.of(row, "mean", 0.9, "wald") == Interval(3.0, 1.0, 7.0, 0.9, "wald")
    with pytest.raises(KeyError, match="median_low"):
        Interval.of(row, "median", 0.9, "wald")


@pytest.mark.parametrize(
    ("given", "size"), [((-3, -7, -1), (3, 1, 7)), ((-1, -3, 2), (1, -2, 3)), ((0, -1, 2), (0, -1, 2))]
)
def test_the_size_of_a_difference_turns_its_bounds_with_it(given, size):
    assert Interval(*given, 0.95, "wald").size() == Interval(*size, 0.95, "wald")


def test_an_interval_has_a_mass():
    with pytest.raises(ParameterError, match="mass"):
        Interval.of({"x": 1, "x_low": 0, "x_high": 2}, "x", 1.0, "wald")


def test_examples_in_docstrings():
    assert doctest.testmod(interval) == (0, 1)
