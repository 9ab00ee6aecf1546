"""Intervals of retention hold their mass over many worlds of known truth; `calibration/` has the long run."""

import pytest

import calibrations

WORLDS = 1_000


@pytest.fixture(scope="module")
def calibration():
    return calibrations.load("retention")


@pytest.mark.slow
def test_intervals_cover_as_they_say_on_a_seed_of_their_own(calibration):
    """The 99.9 % interval of each measured coverage (2.3 points either way) has to meet the goal."""
    rows = calibration.coverage(WORLDS, seed=7)
    assert len(rows) == 9
    assert [row for row in rows if not row["met"]] == []
    assert all(row["worlds"] == WORLDS and row["below"] + row["above"] < 0.08 for row in rows)


@pytest.mark.slow
def test_the_drift_check_keeps_its_rates_on_a_seed_of_its_own(calibration):
    assert [row for row in calibration.drift_rates(300, seed=7) if not row["met"]] == []


def test_a_wrong_interval_misses_the_goal(calibration):
    """Intervals half as wide as they should be cover about 67 %, and the row says so."""
    half = [calibration.Interval(0.5 - w, 0.5 + w) for w in (0.1, 0.1, -0.1)] * 400
    row = calibration.covered("half", "made up", half, 0.5)
    assert row["measured"] == pytest.approx(2 / 3, abs=1e-4)
    assert not row["met"]


def test_undefined_counts_as_a_miss(calibration):
    nan = float("nan")
    found = [calibration.Interval(0.4, 0.6)] * 970 + [calibration.Interval(nan, nan)] * 30
    row = calibration.covered("some", "made up", found, 0.5)
    assert row["measured"] == 0.97
    assert row["undefined"] == 0.03
    assert not row["met"]


def test_silence_is_drawn_as_it_is_defined(calibration):
    """One in e^3 gaps is over 30 days, so that many lapse at once; exponential gaps of mean 10 days."""
    import numpy as np

    start = calibration.first_gap(200_000, np.random.default_rng(3))
    # Standard error .0005; 4 of them.
    assert (start == 0).mean() == pytest.approx(np.exp(-3), abs=0.002)
