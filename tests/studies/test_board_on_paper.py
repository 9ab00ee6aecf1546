"""Numbers of the board on paper: errors of few and of rounded members, widths, corrected chances."""

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from board_worlds import KEPT, SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.studies.board.estimates import NET, THERE, estimates
from sojourn.studies.board.leaving import _step
from sojourn.studies.board.works_on import _joined

#: A variance that is counted in few members is drawn to that of both arms by so many.
DRAWN = 30
ROUNDED = {"protected": {"base": 20}}


def error_of(outcome, coupon, none, **meta):
    """Return the error of one cell's estimate, of arms as members, their total and the sum of squares."""
    rows = [
        ("main", scheme, "kept", 0, "active", n, outcome, total, squares)
        for scheme, (n, total, squares) in (("coupon", coupon), ("none", none))
    ]
    names = ["trial", "scheme", "aim", "segment", "stage", "n", "outcome", "total", "total_sq"]
    cells = Cells("test", "board", {"arms": pd.DataFrame(rows, columns=names)}, {"segments": ["a"], **meta})
    return estimates(cells, outcome, (), "none", 1)["error"].item()


def drawn_error(squares, n):
    """Return the error whose variances are drawn to that of both arms together."""
    both = sum(squares) / (sum(n) - 2)
    return sum((DRAWN * both + own) / (DRAWN + m - 1) / m for own, m in zip(squares, n, strict=True)) ** 0.5


def test_a_variance_of_few_members_is_drawn_to_that_of_both_arms():
    """Values 1, 2, 3, 6 have squares of 14 about their mean 3; ten of mean 1, squares 40, have 30."""
    found = error_of(NET, (4, 12, 50), (10, 10, 40))
    assert found**2 == pytest.approx((30 * 44 / 12 + 14) / 33 / 4 + (30 * 44 / 12 + 30) / 39 / 10)
    assert found == pytest.approx(drawn_error((14, 30), (4, 10)))


def test_rounded_members_widen_an_effect():
    """A number rounded to multiples of 20 errs by 20 ** 2 / 12 in variance, per member by n ** 2 less."""
    exact, rounded = (error_of(NET, (40, 120, 500), (100, 100, 400), **meta) for meta in ({}, ROUNDED))
    assert rounded**2 - exact**2 == pytest.approx(400 / 12 * (1 / 40**2 + 1 / 100**2))


def test_a_group_of_whom_all_stayed_is_not_certain():
    """Half a member more who stayed and half who left: 9.5 of 10, and 19.5 of 20."""
    found = error_of(THERE, (9, 9, 9), (19, 19, 19))
    assert found == pytest.approx(drawn_error((9 * 0.95 * 0.05, 19 * 0.975 * 0.025), (9, 19)))


def stepped(k, base=0):
    """Return what 40 members of whom k left say of 40 later ones."""
    old = pd.DataFrame({"n": [40.0], "k": [float(k)], "with_us": [True]})
    return _step(old, pd.Series([40.0]), base)


def test_rounded_members_widen_who_will_leave():
    """Half of 40: chance then and now, each 40 / 4; rounding both, each 20 ** 2 / 12."""
    assert stepped(20).variance == pytest.approx(10 + 10)
    assert stepped(20, base=20).variance == pytest.approx(10 + 10 + 400 / 12 + 400 / 12)


def test_where_nobody_left_somebody_may():
    """As if half a member had left, or half of the smallest group where numbers are rounded."""
    assert stepped(0).variance == pytest.approx(2 * 40 * (0.5 / 40) * (39.5 / 40))
    assert stepped(0, base=20).variance == pytest.approx(2 * 40 * 0.25 * 0.75 + 2 * 400 / 12)
    assert stepped(0).value == 0


def test_rounded_members_widen_how_far_a_share_moved():
    """Nobody moves among 100: the last share less the mean of three, each rounded, weighs 1 + 1 / 3."""
    rows = [(str(t), s, s, n) for t in range(3) for s, n in ((0, 40), (1, 60))]
    moves = pd.DataFrame(rows, columns=["month", "from_segment", "to_segment", "n"])
    about = {"segments": ["a", "b"], "months": list("0123"), **ROUNDED}
    moved = sj.drift(Cells("test", "board", {"moves": moves}, about))
    error = (400 / 12 * (1 + 1 / 3)) ** 0.5 / 100
    assert moved.changes["change_points"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert moved.changes["change_points_high"].to_numpy() == pytest.approx(1.959964 * error)


def test_differences_between_groups_are_as_wide_as_believed():
    """Of a trial that tells nothing: all cells share the belief, three kinds of differences half of it.

    The belief -4 to 4 in nine of ten has a variance of (4 / 1.645) ** 2; a quarter of it, for strata that
    deviate by half a standard deviation, is shared by segment, by stage and by both. Tolerance of the grid.
    """
    works = sj.works_on(make_board(sd=1e6))
    told = works.table[works.table["scheme"] == "coupon"].reset_index(drop=True)
    found = works.covariances["main", "coupon", "net_value"] / (4 / 1.644854) ** 2
    place = {(row.segment, row.stage): row.Index for row in told.itertuples()}
    one = place[SEGMENTS[0], KEPT[1]]
    same_row, same_column = place[SEGMENTS[0], KEPT[2]], place[SEGMENTS[1], KEPT[1]]
    neither = place[SEGMENTS[1], KEPT[2]]
    assert found[one, [one, same_row, same_column, neither]] == pytest.approx(
        [1 + 3 / 12, 1 + 1 / 12, 1 + 1 / 12, 1], abs=0.04
    )


def test_chances_are_corrected_for_all_cells():
    """Holm: the smallest of five times 5, the next times 4, none below the one before it; 1 at most."""
    tables = [pd.DataFrame({"p_odd": chances}) for chances in ([0.012, np.nan, 0.009], [0.9, 0.02, 0.5])]
    joined = _joined(tables)
    assert joined["p_odd"].tolist() == pytest.approx([0.048, np.nan, 0.045, 1, 0.06, 1], nan_ok=True)
    assert not joined["odd"].any()  # uncorrected, three of them would be
