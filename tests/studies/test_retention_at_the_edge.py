"""What is just enough is told, and what falls one short of it is not."""

import math

import numpy as np
import pandas as pd
import pytest

from sojourn.estimators.survival.aalen_johansen import Occupation
from sojourn.estimators.survival.kaplan_meier import Survival
from sojourn.studies.retention import silence
from sojourn.studies.retention.counted import _alike
from sojourn.studies.retention.states import back_among_left


def test_ten_returns_are_enough_for_bounds_of_those_who_are_back():
    """Half have left, three in ten are away, so two in five of those who left are back, told either way."""
    both, none = np.array([1.0, 1.0]), np.full(2, np.nan)
    first = Survival(0.5 * both, 0.05 * both, none, none)
    covariance = 0.06**2 * np.array([[[1.0, -1.0], [-1.0, 1.0]]] * 2)
    found = Occupation(np.array([[0.7, 0.3]] * 2), covariance, np.zeros((2, 2)), np.zeros((2, 2)))
    told = back_among_left(first, found, np.array([True, True]), np.array([9, 10]), 0.95)
    assert told["back_share"] == pytest.approx([0.4, 0.4], rel=1e-12)
    assert np.isfinite(told["back_share_low"]).tolist() == [False, True]
    assert np.isfinite(told["back_share_high"]).tolist() == [False, True]


@pytest.mark.parametrize(("followed", "judged"), [(60, True), (59, False)])
def test_a_window_is_judged_where_silences_were_followed_twice_as_long(followed, judged):
    windows = pd.DataFrame(
        {
            "window": 30,
            "day": [0, 9],
            "entered": [50, 0],
            "churned": [0, 30],
            "censored": [0, 20],
            "came_back": [0, 3],
        }
    )
    table = silence._table(windows, np.linspace(1, 0.1, followed + 1), 5, 0.95, 20)
    assert table["judged"].tolist() == [judged]
    assert np.isfinite(table["back_share"]).tolist() == [judged]


def test_two_periods_have_one_degree_of_freedom():
    """20 and 30 leavers of as many at risk: (5 of 25) squared twice is 2."""
    periods = pd.DataFrame({"churned": [20, 30], "exposure": [100.0, 100.0]})
    assert _alike(periods) == pytest.approx(math.erfc(1.0), rel=1e-12)
