"""How many will leave: as wide as periods differ, and what would have been said before."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.core.results.board import Board, Drift, WorksOn
from sojourn.studies.board.checks import check_board
from sojourn.studies.board.leaving import came_true, leaving

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


def judged(of, **about):
    """Return the check of earlier predictions on a board that has them, and nothing else that matters."""
    cells = Cells("test", "board", {}, {})
    table = NOW.assign(act="try one", evidence="none")
    laid = Board("test", "EUR", 0.95, 0.5, 0.97, table=table, forward=of.forward, leave_days=(90,), **about)
    works, moved = WorksOn("test", "EUR", 0.95, 0.5, why_empty="-"), Drift("test", 0.95, 0.05, why_empty="-")
    checks = check_board(cells, laid, works, moved)
    return next(check for check in checks if check.name == "Earlier predictions came true")


def test_the_chance_is_below_that_of_the_interval_where_it_misses():
    """5 in 100 outside an interval of 95 %, on either side."""
    for latest in (100, 400, 600, 680, 760, 1_100):
        row = told((latest, 2 * latest), (700, 1_400), (700, 1_400)).forward.iloc[0]
        assert (row["p_came"] < 0.05) == (not row["predicted_low"] <= row["came"] <= row["predicted_high"])


def test_every_earlier_prediction_is_judged():
    """What went wrong a period before the last is told of, though the last came true."""
    right, early = told((500, 1_000), (510, 1_020), (500, 1_000)), told((505, 990), (500, 1_000), (30, 60))
    last, before = early.forward["p_came"]
    assert last > 0.1 > before
    assert judged(right).verdict == "pass"
    check = judged(early)
    assert check.verdict == "warn"
    assert check.finding.startswith("180 days ago ")
    assert check.finding.endswith("1 lay inside their intervals.")
    assert "predicted to leave within 90 days" in check.finding
    assert "predicted to come within 90 days" in judged(early, told="come").finding


def test_one_miss_of_many_is_chance():
    """As many predictions as there are, so much less likely has each of them to be."""
    row = told((500, 1_000), (510, 1_020)).forward.assign(p_came=0.02)
    assert not came_true(row)
    assert came_true(pd.concat([row, row.assign(p_came=0.5)]))


def test_one_outside_that_chance_explains_is_told_as_that():
    rows = told((500, 1_000), (510, 1_020), (500, 1_000))
    out = rows.forward["predicted_high"].iloc[0] + 1
    forward = rows.forward.assign(came=[out, rows.forward["came"].iloc[1]], p_came=[0.04, 0.9])
    check = judged(replace(rows, forward=forward))
    assert check.verdict == "pass"
    assert check.finding.endswith("1 lay inside their intervals.")
    assert check.meaning == "1 of 2 outside is no more than chance explains."
    both = rows.forward.assign(came=rows.forward["predicted_high"] + 1, p_came=0.04)
    assert judged(replace(rows, forward=both)).meaning == "2 of 2 outside is no more than chance explains."
    assert judged(rows).meaning == "Periods differed no more than the intervals allow for."
