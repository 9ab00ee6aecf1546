"""What is just enough is told, and what falls one short of it is not."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.estimators.survival.aalen_johansen import Occupation
from sojourn.estimators.survival.kaplan_meier import Survival
from sojourn.estimators.survival.risk_set import risk_set
from sojourn.studies.retention import landmark, silence
from sojourn.studies.retention.cohorts import _observed, number_of
from sojourn.studies.retention.counted import _alike
from sojourn.studies.retention.reasons import lost_bounds
from sojourn.studies.retention.states import _told_at, back_among_left


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


def test_a_window_after_which_exactly_the_share_of_the_rule_comes_back_suits():
    table = pd.DataFrame({"window": [30, 60, 90], "judged": True, "back_share": [0.11, 0.10, 0.05]})
    assert silence._chosen(table, 0.10) == 60


def test_days_lost_are_told_with_bounds_that_are_even_in_logarithms():
    """4 days with a standard error of .5: e to the power of plus and minus 1.96 x .5 / 4 times as many."""
    low, high = lost_bounds(np.array([4.0, 0.0]), np.array([0.5, 0.0]), 0.95)
    times = math.exp(1.959963984540054 * 0.5 / 4)
    assert (low[0], high[0]) == pytest.approx((4 / times, 4 * times), rel=1e-12)
    assert np.isnan([low[1], high[1]]).all()


@pytest.mark.parametrize(("own", "said"), [(60, "needlessly long"), (59, "nearly always the end")])
def test_a_window_twice_the_one_by_the_rule_is_needlessly_long(own, said):
    found = SimpleNamespace(lapse=own, chosen=30, most_back=0.10)
    assert said in silence._judged(found, 0.05)[1]


@pytest.mark.parametrize(("there", "claimed"), [(19, False), (20, True)])
def test_an_interval_under_a_window_is_claimed_with_twenty_at_risk(there, claimed):
    none, churned = np.zeros(6, dtype=int), np.array([0, 15, 0, 0, 0, 0])
    entered = np.where(np.arange(6) == 0, 15 + there, 0)
    risk = risk_set(np.arange(6), entered, churned, none)
    assert silence.headline_under(risk, 4, 0.95, 5)[-1] == claimed


@pytest.mark.parametrize(
    ("as_of", "lapse", "last"),
    [
        ("2025-07-01T12:00:00+00:00", None, "2025-06"),
        ("2025-07-02T12:00:00+00:00", None, "2025-07"),
        ("2025-07-20T00:00:00+00:00", 30, "2025-06"),
    ],
)
def test_a_calendar_month_that_has_only_begun_is_not_observed(as_of, lapse, last):
    meta = {"observed_from": "2025-01-15T00:00:00+00:00", "as_of": as_of, "lapse": lapse}
    assert _observed(Cells("x", "retention", {}, meta)) == (number_of("2025-01"), number_of(last))


@pytest.mark.parametrize(
    ("horizon", "lapse", "at"), [(30, 30, 60), (31, 30, 31), (7, 30, 60), (30, None, 30), (90, 30, 50)]
)
def test_who_is_with_us_is_told_where_silence_leaves_time_to_come_back(horizon, lapse, at):
    assert _told_at(horizon, lapse, 50 if at == 50 else 365) == at


def test_a_landmark_interval_is_claimed_by_who_left_up_to_the_horizon_only():
    churned = np.array([0, 4, 5, 40])
    risk = risk_set(np.arange(4), np.array([100, 0, 0, 0]), churned, np.array([0, 0, 0, 51]))
    assert [landmark._claimed(risk, horizon) for horizon in (1, 2, 3)] == [False, False, True]
    assert landmark._reaches(risk, 3, 91)
    assert not landmark._reaches(risk, 3, 92)
    assert not landmark._reaches(risk, 4, 1)


@pytest.mark.parametrize(("lapsed", "told"), [(20, True), (19, False)])
def test_the_share_back_so_far_is_told_of_twenty_who_lapsed(lapsed, told):
    windows = pd.DataFrame(
        {
            "window": 30,
            "day": [0, 9],
            "entered": [50, 0],
            "churned": [0, lapsed],
            "censored": 0,
            "came_back": [0, 3],
        }
    )
    windows.loc[1, "censored"] = 50 - lapsed
    table = silence._table(windows, np.linspace(1, 0.1, 61), 5, 0.95, 20)
    assert np.isfinite(table["so_far_share"]).tolist() == [told]
