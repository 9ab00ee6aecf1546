"""Protected tables of retention beside that of risk: whatever members do, the shown numbers fit together."""

from functools import cache

import pandas as pd
import pytest

from retention_worlds import AS_OF, DAY, GROUPS, PARAMS, SILENCE, draw, tidy
from sojourn.data.cells import make_cells
from sojourn.data.protection.retention_patterns import (
    PATTERN_BASES,
    PATTERN_KNOTS,
    patterns_kept,
    protect_exam,
    protect_patterns,
)
from sojourn.data.protection.retention_tables import protect

NEW = ("reasons", "moves", "away", "landmark", "patterns", "exam")
COUNTS = ("entered", "churned", "censored", "left", "back", "ended", "ended_away", "members")
BASES = (1, 3, 8)
ASKED = [pytest.param(PARAMS, id="cancellation"), pytest.param(SILENCE, id="silence")]


@cache
def exact(churn):
    asked = SILENCE if churn == "silence" else PARAMS
    return make_cells(tidy(draw(11, members=500), observed_from=AS_OF - 150 * DAY), "retention", asked)


@cache
def shown(churn, base):
    cells = exact(churn)
    return protect(cells.tables, cells.meta, base)


def counts_of(table):
    return [name for name in COUNTS if name in table]


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("base", BASES)
def test_every_count_is_a_multiple_and_columns_stay(base, params):
    cells, (made, _) = exact(params["churn"]), shown(params["churn"], base)
    for name in set(NEW) & set(cells.tables):
        table = made[name]
        assert list(table.columns) == list(cells[name].columns)
        assert table.dtypes.tolist() == cells[name].dtypes.tolist()
        if name not in ("patterns", "exam"):
            assert len(table) > 0
        assert (table[counts_of(table)] % base == 0).all(axis=None)
        assert (table[counts_of(table)] >= 0).all(axis=None)
        assert (table[counts_of(table)] > 0).any(axis=1).all()


@pytest.mark.parametrize("base", BASES)
def test_reasons_of_everybody_sum_to_who_left_and_are_near_their_own_counts(base):
    made, cells = shown("cancellation", base)[0], exact("cancellation")
    everybody = made["risk"].query("by == 'all'").groupby("day")["churned"].sum()
    reasons = made["reasons"].groupby("day")["churned"].sum()
    pd.testing.assert_series_equal(reasons, everybody[everybody > 0])
    assert set(made["reasons"]["by"]) == {"all"}
    told, own = (t["reasons"].query("by == 'all'").groupby("reason")["churned"].sum() for t in (made, cells))
    assert (told - own).abs().max() <= 2 * base  # a step each, and what was cut at the end


def test_reasons_of_few_are_unknown():
    cells = exact("cancellation")
    rows = cells["reasons"].query("by == 'all'").copy()
    rare = rows.index[rows["reason"] == "price"][:5]
    rows.loc[rare, "reason"] = "rare"
    rows = rows.groupby(["by", "group", "day", "reason"], as_index=False)["churned"].sum()
    few = int(rows.loc[rows["reason"] == "rare", "churned"].sum())
    tables = {**cells.tables, "reasons": rows}
    assert "rare" not in set(protect(tables, cells.meta, few + 1)[0]["reasons"]["reason"])
    assert "rare" in set(protect(tables, cells.meta, 1)[0]["reasons"]["reason"])


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("base", BASES)
def test_nobody_moves_who_is_not_there_and_all_end_somewhere(base, params):
    made = shown(params["churn"], base)[0]
    for key, rows in made["moves"].groupby(["by", "group"]):
        days = rows.set_index("day").reindex(range(int(rows["day"].max()) + 1), fill_value=0)
        here = (days["entered"] - days["left"] + days["back"] - days["ended"]).cumsum()
        away = (days["left"] - days["back"] - days["ended_away"]).cumsum()
        assert here.min() >= 0
        assert away.min() >= 0
        assert (here.iloc[-1], away.iloc[-1]) == (0, 0)
        assert (days["back"] <= away.shift(fill_value=0)).all()
        risk = made["risk"][(made["risk"]["by"] == key[0]) & (made["risk"]["group"] == key[1])]
        assert rows["entered"].sum() == risk.loc[risk["late"] == 0, "entered"].sum()


@pytest.mark.parametrize("params", ASKED)
def test_moves_of_a_base_of_one_are_exact_on_the_days_read_off(params):
    cells, made = exact(params["churn"]), shown(params["churn"], 1)[0]
    told, own = (
        t["moves"].query("by == 'all'").groupby("day")[["left", "back", "ended_away"]].sum().cumsum()
        for t in (made, cells)
    )
    for day in (14, 28, 60, 90):
        if day < told.index.max():
            pd.testing.assert_series_equal(told.loc[:day].iloc[-1], own.loc[:day].iloc[-1], check_names=False)


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("base", BASES)
def test_risk_sets_of_time_away_and_landmarks_close(base, params):
    made = shown(params["churn"], base)[0]
    for name, gone in (("away", ["back", "censored"]), ("landmark", ["churned", "censored"])):
        for _, rows in made[name].groupby(["by", "group"]):
            assert rows["entered"].sum() == rows[gone].to_numpy().sum()
            assert rows.loc[rows["day"] > 0, "entered"].sum() == 0


def many(cells, name):
    """A table of patterns or of the examination, its counts made large."""
    table = cells[name]
    return table.assign(**{column: table[column] * 50 for column in counts_of(table)})


@pytest.mark.parametrize("params", ASKED)
def test_patterns_close_and_few_vanish(params):
    cells, base = exact(params["churn"]), 20
    table = many(cells, "patterns")
    made = protect_patterns(table, base)
    assert (made[counts_of(made)] % (base * PATTERN_BASES) == 0).all(axis=None)
    keys = [*GROUPS, "known"]
    for key, rows in made.groupby(keys):
        assert rows["entered"].sum() == rows["churned"].sum() + rows["censored"].sum()
        own = table[(table[keys] == list(key)).all(axis=1)]
        end = int(rows["day"].max())
        for day in (day for day in PATTERN_KNOTS if day < end):
            off = rows.loc[rows["day"] <= day, "churned"].sum() - own.loc[own["day"] <= day, "churned"].sum()
            assert abs(off) <= base * PATTERN_BASES / 2
        at_risk = (rows["entered"] - rows["churned"] - rows["censored"]).cumsum()
        assert at_risk.min() >= 0
    sizes = table.groupby(keys)["entered"].sum()
    few = int(sizes.min()) + 1
    assert len(protect_patterns(table, few).groupby(keys)) < len(sizes)


def test_the_share_that_is_kept_is_told_in_steps_of_shown_counts():
    cells = exact("cancellation")
    assert patterns_kept(cells["patterns"], cells["risk"]) == 1
    half = cells["patterns"][cells["patterns"]["plan"] == "monthly"]
    share = (
        half.query("known == 'now'")["entered"].sum() / cells["risk"].query("by == 'all'")["entered"].sum()
    )
    assert 0 <= share - patterns_kept(half, cells["risk"]) < 0.05
    assert patterns_kept(half, cells["risk"].iloc[:0]) == 0
    assert shown("cancellation", 8)[1]["patterns_kept"] < 1


@pytest.mark.parametrize("params", ASKED)
def test_the_examination_is_right_in_total(params):
    table, base = many(exact(params["churn"]), "exam"), 20
    made = protect_exam(table, base)
    step = base * PATTERN_BASES
    assert (made["members"] % step == 0).all()
    for key, rows in made.groupby(list(GROUPS)):
        own = table[(table[list(GROUPS)] == list(key)).all(axis=1)]
        assert abs(rows["members"].sum() - own["members"].sum()) <= step / 2
        left, own_left = (t.loc[t["after"] > 0, "members"].sum() for t in (rows, own))
        assert abs(left - own_left) <= 3 * step
    assert (made["age"] % 7 == 0).all()
