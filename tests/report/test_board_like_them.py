"""Of what was tried it is said how many of today's members are as those of the trial were."""

from dataclasses import replace

import pytest

import sojourn as sj
from board_worlds import SEGMENTS, make_board
from sojourn.report.board_table import board_frame, describe_board_table


@pytest.fixture(scope="module")
def laid():
    cells = make_board(due=0.25)
    return sj.board(cells, sj.works_on(cells))


def test_where_a_trial_was_of_others_it_is_said_how_many_are_like_them(laid):
    """A quarter of the active quiet browsers is as long silent as the 800 of the trial."""
    said = board_frame(laid).set_index("who")["evidence"]
    assert laid.cell(SEGMENTS[1], "active")["act"] == "do nothing"
    assert "Trial: 800 members (like them now: 699 of 2,799); " in said[f"{SEGMENTS[1]}, active"]
    assert "Like them now: as long silent" in describe_board_table(laid)["note"]


def test_where_all_are_like_them_nothing_is_said_of_it():
    cells = make_board()
    laid = sj.board(cells, sj.works_on(cells))
    assert not board_frame(laid)["evidence"].str.contains("like them").any()
    assert "Like them now" not in describe_board_table(laid)["note"]


def test_what_all_get_anyway_is_kept_or_held_back_from_some():
    cells = make_board()
    arms = cells["arms"].assign(scheme=cells["arms"]["scheme"].replace("none", "held_out"))
    tables = {**cells.tables, "arms": arms}
    if "before" in tables:
        tables["before"] = tables["before"].assign(
            scheme=tables["before"]["scheme"].replace("none", "held_out")
        )
    held = replace(cells, tables=tables)
    plain, anyway = (sj.board(of, sj.works_on(of)) for of in (cells, held))
    said, before = board_frame(anyway)["do"], board_frame(plain)["do"]
    assert set(said.str.split().str[0]) <= {"keep", "hold", "do", "try"}
    for now, then in zip(said, before, strict=True):
        if then.startswith("give "):
            assert now == "keep " + then.removeprefix("give ")
        elif then.startswith("try ") and then != "try one":
            assert now == f"hold back {then.removeprefix('try ')}"
        else:
            assert now == then
    assert any(now.startswith("keep") for now in said)
    assert "Hold back: from some" in describe_board_table(anyway)["note"]
    assert "Hold back: from some" not in describe_board_table(plain)["note"]
