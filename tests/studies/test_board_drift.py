"""Drift of segments: planted moves and shifts are found; month ends share members and are not independent."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from board_worlds import MOVES, SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.core.results.board import GONE, TOO_NEW
from sojourn.estimators.cluster.intervals import jeffreys


@pytest.fixture(scope="module")
def cells():
    return make_board()


@pytest.fixture(scope="module")
def moved(cells):
    return sj.drift(cells)


def moves_of(rows, months, names=("a", "b"), repeated=(), **meta):
    tables = {"moves": pd.DataFrame(rows, columns=["month", "from_segment", "to_segment", "n"])}
    if repeated:
        names_of = ["from_segment", "to_segment", "n", "n_sq", "n_begun"]
        tables["repeated"] = pd.DataFrame(repeated, columns=names_of)
    return Cells("test", "board", tables, {"segments": list(names), "months": list(months), **meta})


def test_the_planted_matrix_is_found(moved):
    """All nine moves between segments lie in intervals of 95 % but for one at most, and within a point."""
    rows = moved.migration.set_index(["from_segment", "to_segment"])
    inside = 0
    for s, start in enumerate(SEGMENTS):
        for e, end in enumerate(SEGMENTS):
            row = rows.loc[(start, end)]
            inside += row["share_low"] <= MOVES[s, e] <= row["share_high"]
            assert row["share"] == pytest.approx(MOVES[s, e], abs=0.01)
    assert inside >= 8


def test_rows_of_the_matrix_add_up(moved):
    assert moved.migration.groupby("from_segment")["share"].sum().to_numpy() == pytest.approx(1)
    ends = set(moved.migration["to_segment"])
    assert ends == {*SEGMENTS, TOO_NEW, GONE}
    back = moved.migration[(moved.migration["to_segment"] == TOO_NEW)]
    assert set(back["from_segment"]) == {TOO_NEW}  # who has a segment is not too new again


def test_on_paper():
    """Two segments of 10 and 30; then 12 (9 + 3) and 26; then 12 and 26 again.

    Shares of a: 10/40, 12/38 and 12/38; the last less the mean of both before is 3/95 = 12/38 - 43/152 ...
    """
    rows = [("1", 0, 0, 9), ("1", 0, 1, 1), ("1", 1, 0, 3), ("1", 1, 1, 25), ("1", 1, -2, 2)]
    rows += [("2", 0, 0, 12), ("2", 1, 1, 26)]
    moved = sj.drift(moves_of(rows, "123"), min_group=1)
    assert moved.shares["n"].tolist() == [10, 30, 12, 26, 12, 26]
    row = moved.changes.iloc[0]
    assert row["share_before"] == pytest.approx((10 / 40 + 12 / 38) / 2)
    assert row["change_points"] == pytest.approx(12 / 38 - (10 / 40 + 12 / 38) / 2)
    assert moved.changes["change_points"].sum() == pytest.approx(0)
    assert moved.months_before == 2


def test_members_who_stay_make_no_chance():
    """Nobody moves: shares are the same people, so their change has no error at all."""
    rows = [(str(t), s, s, n) for t in range(4) for s, n in ((0, 30), (1, 70))]
    moved = sj.drift(moves_of(rows, "01234"))
    assert moved.changes[["change_points_low", "change_points_high"]].to_numpy() == pytest.approx(0, abs=1e-9)
    assert moved.verdict == "steady"


def test_the_variance_is_that_of_many_worlds():
    """Change of the first share over 100 worlds of 2,000 members; its deviation errs by 7 % (one sigma)."""
    found = [
        sj.drift(make_board(seed=seed, members=2_000, trials=False)).changes.iloc[0] for seed in range(100)
    ]
    change = np.array([row["change_points"] for row in found])
    error = np.mean([(row["change_points_high"] - row["change_points_low"]) / 3.92 for row in found])
    assert error == pytest.approx(change.std(), rel=0.2)
    independent = np.sqrt(0.3 * 0.7 / 1_800 * (1 + 1 / 6))
    assert error < 0.8 * independent  # what independent samples would have


def test_a_shift_alarms_and_standing_still_does_not(moved):
    assert moved.verdict == "steady"
    shifted = MOVES.copy()
    shifted[1:, 0] += 0.15
    shifted[1:, 1:] *= 0.83
    assert sj.drift(make_board(members=4_000, last_moves=shifted)).verdict == "moved"
    assert sj.drift(make_board(members=300)).verdict != "moved"


def test_an_alarm_needs_more_than_the_margin():
    shifted = MOVES.copy()
    shifted[1:, 0] += 0.15
    shifted[1:, 1:] *= 0.83
    cells = make_board(members=20_000, last_moves=shifted)
    assert sj.drift(cells, margin=0.3).verdict == "steady"
    assert sj.drift(cells, margin=0.05).verdict == "moved"


def test_months_that_differ_widen_the_matrix(cells):
    """The same moves put together unevenly over the months: the same shares, wider intervals."""
    moves = cells["moves"].copy()
    uneven = moves.assign(n=moves["n"])
    months = sorted(set(moves["month"]))
    for t, month in enumerate(months):
        for s in range(3):
            a, b = (
                (uneven["month"] == month) & (uneven["from_segment"] == s) & (uneven["to_segment"] == e)
                for e in (s, (s + 1) % 3)
            )
            shift = (1 if t % 2 else -1) * int(
                min(uneven.loc[a, "n"].item(), uneven.loc[b, "n"].item()) * 0.4
            )
            uneven.loc[a, "n"] += shift
            uneven.loc[b, "n"] -= shift
    wide, narrow = (
        sj.drift(dataclasses.replace(cells, tables={"moves": table})).migration for table in (uneven, moves)
    )
    assert wide.loc[0, "share_high"] - wide.loc[0, "share_low"] > 1.5 * (
        narrow.loc[0, "share_high"] - narrow.loc[0, "share_low"]
    )


#: From a, b and back: one member begins two months in a and leaves it twice, one begins three and stays.
TWO = [("1", 0, 0, 2), ("1", 0, 1, 1), ("2", 0, 0, 1), ("2", 0, 1, 1), ("1", 1, 1, 9), ("2", 1, 1, 9)]
#: Over both members: moves, their squares, and moves times months begun.
TWO_REPEATED = [(0, 1, 2, 4, 4), (0, 0, 3, 9, 9), (1, 1, 18, 36, 36)]


def test_moves_of_one_member_go_together_on_paper():
    """p = 2/5: (2 - 2 p)² + (0 - 3 p)² = 2.88, by chance 5 p (1 - p) = 1.2: counts are worth 1 in 2.4."""
    together = sj.drift(moves_of(TWO, "123", repeated=TWO_REPEATED, leaving=False), min_group=1)
    apart = sj.drift(moves_of(TWO, "123", leaving=False), min_group=1)
    assert (together.by_member, apart.by_member) == (True, False)
    for moved, worth in ((together, 2.4), (apart, 1.0)):
        row = moved.migration.set_index(["from_segment", "to_segment"]).loc[("a", "b")]
        low, high = jeffreys([2 / worth], [5 / worth], 0.95)
        assert row["share"] == pytest.approx(2 / 5)
        assert (row["share_low"], row["share_high"]) == pytest.approx((low[0], high[0]))
    pd.testing.assert_frame_equal(together.changes, apart.changes)


def test_where_nobody_moves_the_others_of_the_row_say_how_unlike_members_are():
    """Nobody left: that is worth no more than a move that was counted."""
    moved = sj.drift(moves_of(TWO, "123", repeated=TWO_REPEATED), min_group=1)
    gone = moved.migration.set_index(["from_segment", "to_segment"]).loc[("a", GONE)]
    assert gone["share_high"] == pytest.approx(jeffreys([0], [5 / 2.4], 0.95, places=3)[1][0])


def test_members_who_are_each_another_make_no_difference(cells):
    alone = dataclasses.replace(cells, tables={"moves": cells["moves"]})
    pd.testing.assert_frame_equal(sj.drift(alone).migration, sj.drift(cells).migration)


def test_members_and_months_that_differ_both_widen():
    """Errors of both add up, chance counted once."""
    rows = [("1", 0, 0, 160), ("1", 0, 1, 40), ("2", 0, 0, 120), ("2", 0, 1, 80)]
    rows += [(month, 1, 1, 200) for month in "12"]
    unlike = [(0, 1, 120, 240, 240), (0, 0, 280, 560, 560)]  # every member twice the same: 2
    plain, both = (
        sj.drift(moves_of(rows, "123", repeated=of, leaving=False)).migration.loc[1] for of in ((), unlike)
    )
    months = (20**2 / 60 + 20**2 / 140) * 2  # Pearson's X² of both months, over one degree of freedom
    for row, worth in ((plain, months), (both, months + 2 - 1)):
        low, high = jeffreys([120 / worth], [400 / worth], 0.95)
        assert (row["share_low"], row["share_high"]) == pytest.approx((low[0], high[0]))


def test_where_leaving_is_not_recorded_nobody_is_said_to_have_stayed():
    moved = sj.drift(moves_of(TWO, "123", leaving=False), min_group=1)
    assert set(moved.migration["to_segment"]) == {"a", "b"}
    assert moved.monthly["left_share"].isna().all()
    assert GONE in set(sj.drift(moves_of(TWO, "123"), min_group=1).migration["to_segment"])


def test_who_joined_in_between_is_in_no_row_and_in_the_stock_after():
    """Of 20 who were too new, 5 are gone; 40 more joined, 10 of whom are gone, and are none of the 20."""
    rows = [(month, 0, 0, 50) for month in "12"] + [("2", -1, -1, 15), ("2", -1, -2, 5)]
    rows += [("2", -3, -1, 20), ("2", -3, -2, 10), ("2", -3, 1, 10)]
    moved = sj.drift(moves_of(rows, "123"))
    assert moved.joined == 40
    new = moved.migration[moved.migration["from_segment"] == TOO_NEW].set_index("to_segment")
    assert (new["n"].sum(), new.loc[GONE, "share"]) == (20, 0.25)
    assert moved.shares["n"].tolist() == [50, 0, 50, 0, 50, 10]


def test_who_comes_back_enters_and_is_counted():
    rows = [("1", 0, 0, 50), ("1", 1, 1, 50), ("2", 0, 0, 50), ("2", 1, 1, 50), ("2", -2, 0, 25)]
    moved = sj.drift(moves_of(rows, "123"))
    assert moved.shares["n"].tolist()[-2:] == [75, 50]
    assert GONE not in set(moved.migration["from_segment"])


def test_two_month_ends_are_too_few():
    moved = sj.drift(moves_of([("1", 0, 0, 50)], "12"))
    assert moved.why_empty == "Segments are known at 2 month ends; moves are told from 3 on."


def test_a_month_without_members_is_told():
    """As in a small private case, whose counts below the smallest group are 0."""
    rows = [("1", -1, -1, 20), ("2", 0, 0, 20), ("2", 1, 1, 20)]
    assert sj.drift(moves_of(rows, "123")).why_empty == "At some month end too few members are in a segment."


def test_small_groups_are_left_out(cells):
    few = sj.drift(make_board(members=100, months=4), min_group=1_000)
    assert few.migration.empty
    assert few.monthly.empty


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(3)))
def test_other_numbers_of_segments_permute_rows_only(cells, moved, order):
    code = {old: new for new, old in enumerate(order)} | {-1: -1, -2: -2, -3: -3}
    moves = cells["moves"].assign(
        from_segment=cells["moves"]["from_segment"].map(code),
        to_segment=cells["moves"]["to_segment"].map(code),
    )
    about = {**cells.meta, "segments": [SEGMENTS[old] for old in order]}
    again = sj.drift(dataclasses.replace(cells, tables={"moves": moves}, meta=about))
    by = moved.changes.set_index("segment").drop(columns="verdict")
    pd.testing.assert_frame_equal(
        again.changes.set_index("segment").drop(columns="verdict").loc[by.index], by
    )
    assert again.verdict == moved.verdict
