"""The board: what pays is found on whom it pays, nothing is borrowed across the question of a trial."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sojourn as sj
from board_worlds import KEPT, SEGMENTS, left_shares, make_board, planted
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.core.results.board import CHURNED, TOO_NEW
from sojourn.studies.board.leaving import predicted_share


@pytest.fixture(scope="module")
def cells():
    return make_board()


@pytest.fixture(scope="module")
def works(cells):
    return sj.works_on(cells)


@pytest.fixture(scope="module")
def laid(cells, works):
    return sj.board(cells, works)


def with_tables(cells, **tables):
    return dataclasses.replace(cells, tables={**cells.tables, **tables})


def truth(row):
    return planted()[row.scheme][SEGMENTS.index(row.segment), KEPT.index(row.stage)]


# --- what works on whom ------------------------------------------------------------------------------


def test_planted_net_values_are_found(works):
    """Of 28 intervals of 95 % at most four miss; pooled estimates err less than raw ones."""
    rows = works.table[works.table["evidence"] == "trial"]
    true = np.array([truth(row) for row in rows.itertuples()])
    inside = (rows["net_value_low"] <= true) & (true <= rows["net_value_high"])
    assert len(rows) == 28
    assert inside.sum() >= 24
    assert np.abs(rows["net_value"] - true).mean() < 0.7 * np.abs(rows["raw_net_value"] - true).mean()


def test_segments_and_all_members_are_means_of_their_cells(works):
    """Weighted by members, and exact: means of a posterior are linear."""
    rows = works.table[works.table["n"] > 0]
    for by, told in ((["scheme", "segment"], works.segments), (["scheme"], works.overall)):
        sums = rows.assign(total=rows["net_value"] * rows["n"]).groupby(by)[["total", "n"]].sum()
        means = sums["total"] / sums["n"]
        assert told.set_index(by)["net_value"].to_dict() == pytest.approx(means.to_dict())


def test_a_cell_without_members_borrows_and_is_less_sure(works):
    rows = works.table[(works.table["scheme"] == "coupon") & (works.table["segment"] == SEGMENTS[0])]
    borrowed = rows[rows["stage"] == "new"].iloc[0]
    assert (borrowed["evidence"], borrowed["n"]) == ("observational", 0)
    assert np.isnan(borrowed["raw_net_value"])
    width = rows["net_value_high"] - rows["net_value_low"]
    assert width.idxmax() == borrowed.name
    assert borrowed["net_value_low"] < 6 < borrowed["net_value_high"]


def test_trials_of_members_with_us_say_nothing_of_those_who_left(works, laid):
    assert CHURNED not in set(works.table["stage"])
    gone = laid.table[laid.table["stage"] == CHURNED]
    assert set(gone["act"]) == {"try one"}
    assert set(gone["evidence"]) == {"none"}


def test_trials_to_win_back_say_nothing_of_members_with_us(cells):
    cells = make_board(effects={"coupon": np.where(np.isnan(planted()["coupon"]), np.nan, 4.0)})
    arms = cells["arms"].assign(aim="back", stage=CHURNED)
    arms = arms.groupby(["trial", "scheme", "aim", "segment", "stage", "outcome"], as_index=False).sum()
    works = sj.works_on(with_tables(cells, arms=arms))
    assert set(works.table["stage"]) == {CHURNED}
    given = sj.board(cells, works).acting("give")
    assert set(given["stage"]) == {CHURNED}
    assert set(given["segment"]) >= set(SEGMENTS)


def test_a_trial_that_was_not_by_lot_is_left_out_by_name(cells):
    before = cells["before"].assign(before=[15_000, 17_000, 15_000])
    works = sj.works_on(with_tables(cells, before=before))
    assert works.left_out[["trial", "by_lot"]].to_numpy().tolist() == [["main", False]]
    assert works.why_empty
    checks = {
        check.name: check for check in sj.check_board(cells, sj.board(cells, works), works, sj.drift(cells))
    }
    assert checks["Members of all schemes were alike before"].verdict == "warn"


def test_rows_of_other_segments_at_assignment_are_a_group_of_their_own(cells):
    """Who was too new for a segment when assigned tells of members who are too new now."""
    arms = cells["arms"].assign(segment=cells["arms"]["segment"].replace(0, -1))
    works = sj.works_on(with_tables(cells, arms=arms))
    best = works.segments[works.segments["scheme"] == "coupon"].set_index("segment")["net_value"]
    assert best.idxmax() == TOO_NEW
    assert SEGMENTS[0] not in best


def test_order_of_rows_and_numbers_of_segments_change_nothing(cells, works):
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in cells.tables.items()}
    again = sj.works_on(with_tables(cells, **shuffled))
    pd.testing.assert_frame_equal(again.table, works.table)
    pd.testing.assert_frame_equal(
        sj.board(with_tables(cells, **shuffled), again).table, sj.board(cells, works).table
    )


def test_another_unit_of_money_scales_everything(cells, works):
    """Cents: belief, rope and sums times 100; tolerance of the grid of scales, which scales too."""
    arms = cells["arms"].copy()
    money = arms["outcome"] == "net_value"
    arms.loc[money, "total"] *= 100
    arms.loc[money, "total_sq"] *= 10_000
    cents = sj.works_on(with_tables(cells, arms=arms), belief_value=(-400, 400, 0.9), rope=50)
    np.testing.assert_allclose(cents.table["net_value"], 100 * works.table["net_value"], rtol=1e-7)
    np.testing.assert_allclose(cents.table["p_worth"], works.table["p_worth"], atol=1e-7)


def test_without_a_trial_it_says_so(cells):
    bare = Cells("test", "board", {"now": cells["now"], "since": cells["since"]}, cells.meta)
    works = sj.works_on(bare)
    assert works.why_empty == "No scheme was ever tried on these members."
    assert set(sj.board(bare, works).table["act"]) == {"try one"}


# --- the board ---------------------------------------------------------------------------------------


def test_what_pays_is_given_to_whom_it_pays(laid):
    given = laid.acting("give")
    assert set(given["segment"]) == {SEGMENTS[0]}
    assert set(given["called"]) == {"coupon"}
    still = laid.acting("do nothing")
    assert set(still["segment"]) == set(SEGMENTS[1:])
    assert (still["p_wrong"] < 0.2).all()


def test_sums_are_those_of_the_cells_and_hold_the_truth(laid):
    given = laid.acting("give")
    total = laid.sums["net_value"]
    assert total.value == pytest.approx(given["total_net_value"].sum())
    assert total.low < 6 * given["members"].sum() < total.high
    apart = ((given["total_net_value_high"] - given["total_net_value_low"]) ** 2).sum() ** 0.5
    assert total.high - total.low > apart  # cells of one scheme share what is not known of it


def test_borrowed_effects_that_do_not_tell_enough_give_no_advice(laid):
    new = laid.table[(laid.table["segment"] == TOO_NEW) & (laid.table["stage"] != CHURNED)]
    assert set(new["evidence"]) == {"observational"}
    assert set(new["act"]) == {"try one"}
    assert new["p_wrong"].isna().all()


def test_what_is_not_done_is_judged_by_what_was_tried_on_such_members(cells, works, laid):
    """1 - prod(1 - p) over all schemes that any trial tells something of."""
    row = laid.cell(SEGMENTS[1], "active")
    own = works.table[(works.table["segment"] == SEGMENTS[1]) & (works.table["stage"] == "active")]
    assert row["p_wrong"] == pytest.approx(1 - np.prod(1 - own["p_worth"]))
    assert (row["n_tried"], row["n_schemes"]) == (800, 2)


def test_small_cells_are_left_out_and_counted(cells, works):
    shown = sj.board(cells, works, min_group=200)
    assert shown.table["members"].min() >= 200
    assert shown.left_out + shown.members == cells["now"]["members"].sum()
    assert sj.board(cells, works, min_group=10_000).why_empty


def test_a_stricter_rule_gives_no_more(cells, works):
    few, many = (len(sj.board(cells, works, threshold=t).acting("give")) for t in (0.9999, 0.9))
    assert few <= many
    with pytest.raises(ParameterError, match="'threshold' must be"):
        sj.board(cells, works, threshold=1.0)


def test_one_decisive_threshold(works, laid):
    given = laid.acting("give")[["segment", "stage", "scheme"]]
    chances = works.table.merge(given, on=["segment", "stage", "scheme"])["p_worth"]
    assert (chances > laid.threshold).all()


# --- who is due --------------------------------------------------------------------------------------


def test_money_and_members_are_of_those_who_are_due(laid):
    """A quarter of every cell is due: what schemes bring is a quarter, and which are given is the same."""
    cells = make_board(due=0.25)
    few = sj.board(cells, sj.works_on(cells))
    given, whole = few.acting("give"), laid.acting("give")
    assert given[["segment", "stage", "called", "members"]].equals(
        whole[["segment", "stage", "called", "members"]]
    )
    assert (given["due"] == (given["members"] * 0.25).astype(int)).all()
    np.testing.assert_allclose(given["total_net_value"], given["net_value"] * given["due"])
    np.testing.assert_allclose(given["total_net_value_low"], given["net_value_low"] * given["due"])
    for name in ("net_value", "lift"):
        for end in ("value", "low", "high"):
            assert getattr(few.sums[name], end) == pytest.approx(getattr(laid.sums[name], end) / 4, rel=0.02)
    assert few.sums["net_value"].value == pytest.approx(given["total_net_value"].sum())
    assert few.sums["lift"].value == pytest.approx((given["lift"] * given["due"]).sum())


def test_what_is_not_given_is_told_of_all_members(laid):
    cells = make_board(due=0.25)
    rows = sj.board(cells, sj.works_on(cells)).table.query("act != 'give' and evidence != 'none'")
    np.testing.assert_allclose(rows["total_net_value"], rows["net_value"] * rows["members"])
    assert (rows["due"] < rows["members"]).all()
    assert laid.acting("try one").query("evidence == 'none'")["due"].isna().all()


def test_a_scheme_is_not_borrowed_for_members_who_are_past_its_time():
    """It pays everywhere and was tried in all cells but one: given there only while twenty are due."""
    everywhere = np.where(np.isnan(planted()["coupon"]), np.nan, 8.0)
    cells = make_board(effects={"coupon": everywhere})
    works = sj.works_on(cells)
    for due, act in ((20, "give"), (19, "try one")):
        few = cells["due"].assign(due=due)
        found = sj.board(with_tables(cells, due=few), works, min_group=20)
        borrowed, tried = (found.cell(SEGMENTS[0], stage) for stage in ("new", "active"))
        assert (borrowed["evidence"], borrowed["act"]) == ("observational", act)
        assert (tried["act"], tried["due"]) == ("give", due)


def test_a_scheme_that_is_given_brings_nothing_while_nobody_is_due(cells, works):
    found = sj.board(with_tables(cells, due=cells["due"].assign(due=0)), works)
    assert (found.acting("give")["total_net_value"] == 0).all()
    assert found.sum_of_schemes is None


def test_where_it_is_not_told_who_is_due_all_are(cells, works, laid):
    bare = sj.board(with_tables(cells, due=cells["due"].iloc[:0]), works)
    pd.testing.assert_frame_equal(bare.table, laid.table)


def test_the_check_of_what_is_borrowed_counts_who_is_due():
    """Borrowed for 20 of 120 who are due, though those are fewer than the members of their groups."""
    everywhere = np.where(np.isnan(planted()["coupon"]), np.nan, 8.0)
    cells = make_board(effects={"coupon": everywhere})
    works = sj.works_on(cells)
    due = cells["due"].assign(due=0)
    due.loc[(due["segment"] == 0) & (due["stage"] == "new"), "due"] = 20
    due.loc[(due["segment"] == 0) & (due["stage"] == "active"), "due"] = 100
    few = with_tables(cells, due=due)
    checks = sj.check_board(few, sj.board(few, works), works, sj.drift(few))
    found = {check.name: check for check in checks}["Recommendations rest on the members themselves"]
    assert "Of 120 members who can be given" in found.finding
    assert "17 % are in groups" in found.finding


# --- who leaves --------------------------------------------------------------------------------------


def test_planted_shares_of_leaving_are_found(laid):
    """Of 20 intervals of 95 % at most three miss; the latest landmark is used."""
    rows = laid.table[laid.table["stage"] != CHURNED]
    places = [(*SEGMENTS, TOO_NEW).index(name) for name in rows["segment"]]
    true = left_shares()[places, [KEPT.index(stage) for stage in rows["stage"]]]
    assert ((rows["leave_30_share_low"] <= true) & (true <= rows["leave_30_share_high"])).sum() >= 17


def test_shares_on_paper_are_jeffreys_where_all_are_counted_and_wider_for_few_members():
    """7 of 50 followed; with very many members now it is Jeffreys' interval, with 50 that of 25 followed."""
    k, n = np.array([7.0]), np.array([50.0])
    value, low, high = predicted_share(k, n, np.array([1e12]), 0.95)
    assert value == pytest.approx(0.14)
    assert (low, high) == (
        pytest.approx(stats.beta(7.5, 43.5).ppf(0.025)),
        pytest.approx(stats.beta(7.5, 43.5).ppf(0.975)),
    )
    _, low, high = predicted_share(k, n, np.array([50.0]), 0.95)
    assert (low, high) == (
        pytest.approx(stats.beta(4.0, 22.0).ppf(0.025)),
        pytest.approx(stats.beta(4.0, 22.0).ppf(0.975)),
    )


def test_steps_of_private_cases_widen_what_is_told():
    k, n, now = (np.array([value]) for value in (40.0, 200.0, 1000.0))
    exact, blurred = predicted_share(k, n, now, 0.95), predicted_share(k, n, now, 0.95, base=20)
    assert blurred[0] == exact[0]
    assert blurred[1] < exact[1] < exact[2] < blurred[2]


def test_where_nobody_is_known_to_leave_it_tells_who_comes():
    cells = make_board(leaving=False, trials=False)
    laid = sj.board(cells, sj.works_on(cells))
    assert laid.told == "come"
    assert laid.table["come_30_share"].between(0.2, 0.45).mean() > 0.9
    assert "leave_90" not in laid.sums


def test_fewer_followed_than_may_be_shown_tell_nothing(cells, works):
    shown = sj.board(cells, works, min_group=121)
    few = sj.board(with_tables(cells, since=cells["since"].assign(n=10)), works, min_group=20)
    assert shown.table["leave_30_share"].notna().all()
    assert few.table["leave_30_share"].isna().all()
