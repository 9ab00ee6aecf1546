"""Trials whose division changed, or that were assigned in groups, are left out, with the reason."""

import dataclasses

import pandas as pd

import sojourn as sj
from board_worlds import make_board


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
    before = cells.tables["before"].assign(together=[0, 40, 0])
    unlike = before.assign(before=before["before"] * [1, 1.2, 1])
    for table in (before, unlike):
        made = sj.works_on(dataclasses.replace(cells, tables={**cells.tables, "before": table}))
        assert made.trials == 0
        left = made.left_out.iloc[0]
        assert (left["trial"], left["by_lot"]) == ("main", True)
        assert left["why"].startswith("its members were assigned in groups")
    alone = dataclasses.replace(cells, tables={**cells.tables, "before": before.assign(together=0)})
    assert sj.works_on(alone).trials == 1
