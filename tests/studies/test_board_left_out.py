"""Trials whose division changed, or that were assigned in groups, are left out, with the reason."""

import dataclasses

import pandas as pd

import sojourn as sj
from board_worlds import make_board
from sojourn.estimators.bayes.by_lot import NO_SPELLS, NOBODY


def divided(cells, late):
    rows = [
        ("main", scheme, month, number)
        for month, shares in (("2025-01", (500, 500, 500)), ("2025-02", late))
        for scheme, number in zip(("none", "coupon", "gift"), shares, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["trial", "scheme", "period", "assigned"])
    return dataclasses.replace(cells, tables={**cells.tables, "divisions": table})


def test_a_trial_whose_division_changed_is_left_out_by_name():
    cells = make_board()
    steady, changed = (sj.works_on(divided(cells, late)) for late in ((490, 510, 500), (100, 500, 900)))
    assert steady.trials == 1
    assert steady.left_out.empty
    assert changed.trials == 0
    left = changed.left_out.iloc[0]
    assert (left["trial"], left["by_lot"]) == ("main", True)
    assert left["why"].startswith("its division among schemes changed over time")


def test_a_trial_whose_members_were_assigned_together_is_left_out_by_name():
    """Whether or not they seem to differ before: members of a cluster are alike."""
    cells = make_board()
    steady = sj.drift(cells)
    before = cells.tables["before"]
    before = before.assign(together=[0, int(before["assigned"].iloc[1] / 10), 0])
    unlike = before.assign(before=before["before"] * [1, 1.2, 1])
    for table in (before, unlike):
        made = sj.works_on(dataclasses.replace(cells, tables={**cells.tables, "before": table}))
        assert made.trials == 0
        left = made.left_out.iloc[0]
        assert (left["trial"], left["by_lot"]) == ("main", True)
        assert left["why"].startswith("more than 1 in 20 of its members were assigned together")
        check = {check.name: check for check in sj.check_board(cells, sj.board(cells, made), made, steady)}
        assert check["Members of all schemes were alike before"].verdict == "cannot be judged"
    alone = dataclasses.replace(cells, tables={**cells.tables, "before": before.assign(together=0)})
    assert sj.works_on(alone).trials == 1


def test_trials_of_which_no_outcome_is_known_are_left_out_by_name():
    """A young trial, and one of members who had left and of whom nobody knows who is back; alone, or not."""
    cells = make_board()
    more = pd.DataFrame({"trial": ["young"] * 2 + ["win"] * 2, "scheme": ["none", "gift"] * 2})
    more = more.assign(aim=["kept"] * 2 + ["back"] * 2, matured=[0, 0, 90, 90], assigned=100)
    more = more.assign(before=300, before_sq=1_300)
    before = pd.concat([cells.tables["before"].assign(matured=100), more], ignore_index=True)
    beside = dataclasses.replace(cells, tables={**cells.tables, "before": before})
    arms = cells.tables["arms"]
    alone = dataclasses.replace(cells, tables={**cells.tables, "before": more, "arms": arms.iloc[:0]})
    for these, trials in ((beside, 1), (alone, 0)):
        works = sj.works_on(these)
        assert works.trials == trials
        assert works.left_out[["trial", "why", "by_lot"]].to_numpy().tolist() == [
            ["win", NO_SPELLS, True],
            ["young", NOBODY, True],
        ]
    assert works.why_empty.startswith("No trial has enough members")
    assert sj.works_on(make_board(trials=False)).why_empty.startswith("No scheme was ever tried")
