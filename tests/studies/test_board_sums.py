"""Sums over the board are of all members whom they are said to be of, or say of how many."""

import dataclasses

import numpy as np
import pytest

import sojourn as sj
from board_worlds import SEGMENTS, make_board
from sojourn.core.results.board import CHURNED
from sojourn.core.text import count


@pytest.fixture(scope="module")
def cells():
    """A coupon that pays for the first segment, and a gift that pays for the second."""
    effects = {}
    for place, scheme in enumerate(("coupon", "gift")):
        effects[scheme] = np.full((4, 5), np.nan)
        effects[scheme][:3] = 0.0
        effects[scheme][place] = 6.0
    return make_board(effects=effects, size=2_000)


def laid_of(cells):
    return sj.board(cells, sj.works_on(cells))


def with_table(cells, name, table):
    return dataclasses.replace(cells, tables={**cells.tables, name: table})


def test_members_kept_are_not_added_up_where_one_scheme_s_are_not_known(cells):
    """Of the gift only money was counted: what the coupon keeps is not what both keep."""
    arms = cells["arms"]
    known = arms[(arms["scheme"] != "gift") | (arms["outcome"] != "there")]
    whole, part = laid_of(cells), laid_of(with_table(cells, "arms", known))
    for laid in (whole, part):
        assert set(laid.acting("give")["called"]) == {"coupon", "gift"}
        assert "net_value" in laid.sums
    assert "lift" in whole.sums
    assert "lift" not in part.sums


def leavers(cells):
    laid = laid_of(cells)
    figures = {figure.label: figure for figure in sj.key_figures_board(laid, sj.drift(cells))}
    return laid, figures["Members with us who will leave within 90 days"]


def test_who_will_leave_is_told_of_how_many(cells):
    """Nobody was in one cell at the landmark: who will leave of it is not in the sum."""
    laid, whole = leavers(cells)
    with_us = laid.table[laid.table["stage"] != CHURNED]
    assert laid.foretold == (with_us["members"].sum(), with_us["members"].sum())
    assert "members with us" not in whole.interval
    since = cells["since"]
    there = since[(since["segment"] != 1) | (since["stage"] != "silent")]
    laid, part = leavers(with_table(cells, "since", there))
    missing = laid.cell(SEGMENTS[1], "silent")["members"]
    told, all_with_us = laid.foretold
    assert (told, all_with_us) == (with_us["members"].sum() - missing, with_us["members"].sum())
    assert part.interval.endswith(f"; of {count(told)} of {count(all_with_us)} members with us")
