"""How many will leave: as wide as periods differ, and what would have been said before."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.studies.board.leaving import leaving

STAGES = ("active", "silent")
NOW = pd.DataFrame([("a", stage, 5_000) for stage in STAGES], columns=["segment", "stage", "members"])


def told(*left, n=5_000):
    """Return who will leave, after landmarks at which so many of `n` members left, the latest first."""
    rows = [
        (90 * (i + 1), 0, stage, n, k)
        for i, pair in enumerate(left)
        for stage, k in zip(STAGES, pair, strict=True)
    ]
    since = pd.DataFrame(rows, columns=["days_ago", "segment", "stage", "n", "left_90"])
    cells = Cells("test", "board", {"since": since}, {"segments": ["a"], "leave_days": [90]})
    return leaving(cells, NOW, 0.95, 20)


def width(of):
    total = of.sums["leave_90"]
    return total.high - total.low


def test_the_total_is_that_of_the_latest_landmark():
    assert told((500, 1_000), (700, 1_400)).sums["leave_90"].value == pytest.approx(1_500)


def test_periods_that_differ_widen_and_periods_alike_narrow():
    alike = told((500, 1_000), (500, 1_000), (500, 1_000))
    differ = told((500, 1_000), (700, 1_400), (500, 1_000))
    one = told((500, 1_000))
    assert width(alike) < width(one) < width(differ)
    binomial = 2 * 1.96 * np.sqrt(2 * 10_000 * 0.15 * 0.85)
    assert width(alike) > binomial  # two periods alike do not show that all are
    shares = [of.table["leave_90_share_high"].iloc[0] for of in (alike, one, differ)]
    assert shares == sorted(shares)


def test_cells_move_together():
    """A total is not surer than its cells: its width is nearly the sum of theirs, not the root of squares."""
    of = told((500, 1_000), (700, 1_400), (500, 1_000))
    parts = 5_000 * (of.table["leave_90_share_high"] - of.table["leave_90_share_low"])
    assert width(of) > 0.9 * parts.sum()
    assert width(of) > 1.2 * np.sqrt((parts**2).sum())


def test_what_would_have_been_predicted_uses_only_what_was_known_then():
    """The earlier landmark's shares of the members at the later one; later periods change nothing."""
    of, other = told((500, 1_000), (700, 1_400), (600, 1_200)), told((900, 1_000), (700, 1_400), (600, 1_200))
    assert of.forward["days_ago"].tolist() == [90, 180]
    assert of.forward["predicted"].tolist() == pytest.approx([2_100, 1_800])
    assert of.forward["came"].tolist() == [1_500, 2_100]
    pd.testing.assert_frame_equal(of.forward.iloc[1:], other.forward.iloc[1:])


def test_one_landmark_has_nothing_to_set_beside():
    of = told((500, 1_000))
    assert of.forward.empty
    assert len(of.sums) == 1
