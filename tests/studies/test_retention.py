"""Who stays: curves, counting and comparing on cells."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ImmortalTimeError, ParameterError, UndefinedError

PROJECT = Path(__file__).parents[2]
PUBLISHED = PROJECT.parent / "shared" / "data" / "telco" / "Telco-Customer-Churn.csv.gz"


@pytest.fixture(scope="module")
def two_plans(make_retention_cells):
    """400 members: monthly members leave at twice the rate of annual ones; followed for 60 to 200 days."""
    rng = np.random.default_rng(1)
    plan = np.repeat(["monthly", "annual"], 200)
    life = np.ceil(rng.exponential(np.where(plan == "monthly", 60, 120)))
    potential = rng.integers(60, 201, 400)
    exits, churned = np.minimum(life, potential).astype(int), life <= potential
    cohort = np.where(potential > 130, "2025-01", "2025-02")
    return make_retention_cells(exits, churned, potential=potential, groups={"plan": plan, "cohort": cohort})


@pytest.fixture(scope="module")
def telco():
    folder = PROJECT / "data" / "casebook" / "telco" / "retention"
    meta = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    return Cells("telco", "retention", {"risk": pd.read_csv(folder / "risk.csv")}, meta)


# --- the curve ------------------------------------------------------------------------------------


def test_telco_reads_as_published(telco):
    """Known to four decimals from the published file (shared/data/README.md): rounding is the tolerance."""
    read = sj.retention_curve(telco).at([12, 24, 36, 48, 60])
    assert read["retained"].round(4).tolist() == [0.8432, 0.7887, 0.7485, 0.7088, 0.6644]
    assert telco.meta["rows_seen"] == 7043
    assert telco.meta["rows_with_tenure_0"] == 11


def test_the_committed_cells_of_telco_are_those_of_the_published_file(telco):
    if not PUBLISHED.is_file():
        assert not os.environ.get("CI"), "the published file is needed in CI"
        pytest.skip("the published file shared/data/telco is not beside the project")
    rows = pd.read_csv(PUBLISHED)
    risk = telco["risk"].set_index("day")
    left = rows[rows["Churn"] == "Yes"].groupby("tenure").size()
    stayed = rows[rows["Churn"] == "No"].groupby("tenure").size()
    assert risk["churned"][risk["churned"] > 0].to_dict() == left.to_dict()
    assert risk["censored"][risk["censored"] > 0].to_dict() == stayed.to_dict()
    assert risk["entered"].sum() == len(rows)


def test_contract_of_telco_is_the_future(telco):
    with pytest.raises(ImmortalTimeError, match="snapshot"):
        sj.retention_curve(telco, by="contract")


def test_a_curve_ends_where_too_few_are_at_risk(make_retention_cells):
    cells = make_retention_cells([5] * 25 + [9] * 15, [False] * 40)
    assert sj.retention_curve(cells, min_group=20).followed_to["all"] == 5
    assert sj.retention_curve(cells, min_group=15).followed_to["all"] == 9


def test_beyond_the_follow_up_there_is_no_number(two_plans):
    curve = sj.retention_curve(two_plans, by="plan")
    end = int(curve.followed_to.max())
    for ask in (lambda: curve.at([end + 1]), lambda: curve.rmst(end + 1), lambda: curve.followed(end + 1)):
        with pytest.raises(UndefinedError):
            ask()
    with pytest.raises(UndefinedError, match="from 0 to"):
        curve.at([-1])
    assert curve.readings([end + 1]).empty


def test_the_median_is_not_given_when_it_is_not_reached(make_retention_cells):
    stays = make_retention_cells([100] * 90 + [50] * 10, [False] * 90 + [True] * 10)
    with pytest.raises(UndefinedError, match="more than half are left after 100 days"):
        sj.retention_curve(stays).median()
    leaves = make_retention_cells(list(range(1, 101)), [True] * 100)
    assert sj.retention_curve(leaves).median().value == 50


def test_an_interval_is_claimed_only_with_20_at_risk_and_10_gone(make_retention_cells):
    cells = make_retention_cells(list(range(1, 41)), [True] * 40)
    table = sj.retention_curve(cells, min_group=1).table.set_index("duration")
    assert not table["claimed"][9]
    assert table["claimed"][10]
    assert table["claimed"][21]  # 20 are at risk just before day 21
    assert not table["claimed"][22]


def test_grouping_by_the_future_or_by_nothing_known_is_refused(two_plans):
    with pytest.raises(ImmortalTimeError, match="churn_reason"):
        sj.retention_curve(two_plans, by="churn_reason")
    with pytest.raises(ImmortalTimeError, match=r"spells\.plan"):
        sj.retention_curve(two_plans, by="spells.plan")
    with pytest.raises(ParameterError, match="Did you mean 'plan'"):
        sj.retention_curve(two_plans, by="plans")
    with pytest.raises(ParameterError, match=r"cells\.groups"):
        sj.retention_curve(two_plans, by="region")


def test_small_groups_are_counted_not_named(make_retention_cells):
    cells = make_retention_cells([30] * 50, [True] * 50, groups={"plan": ["a"] * 45 + ["b"] * 5})
    curve = sj.retention_curve(cells, by="plan", min_group=20)
    assert curve.groups == ("a",)
    assert curve.too_small == 1
    said = str(sj.describe_retention(curve, horizon=20))
    assert "1 group is too small to show" in said
    assert "b members" not in said
    with pytest.raises(UndefinedError, match="there is no curve"):
        sj.retention_curve(cells, by="plan", min_group=60)


def test_groups_stand_by_size_and_cohorts_by_time(make_retention_cells):
    groups = {"plan": ["x"] * 20 + ["a"] * 30, "cohort": ["2025-02"] * 30 + ["2025-01"] * 20}
    cells = make_retention_cells([9] * 50, [True] * 50, groups=groups)
    assert sj.retention_curve(cells, by="plan").groups == ("a", "x")
    assert sj.retention_curve(cells, by="cohort").groups == ("2025-01", "2025-02")


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_relabelling_groups_permutes_rows_only(make_retention_cells, data):
    n = data.draw(st.integers(4, 60))
    exits = data.draw(st.lists(st.integers(1, 30), min_size=n, max_size=n))
    churned = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    plan = np.array(data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n)))
    renamed = np.where(plan == "a", "z", "y")
    one, other = (
        sj.retention_curve(make_retention_cells(exits, churned, groups={"plan": p}), by="plan", min_group=1)
        for p in (plan, renamed)
    )
    for old, new in (("a", "z"), ("b", "y")):
        if old in one.groups:
            theirs = other.table[other.table["group"] == new].drop(columns="group").reset_index(drop=True)
            ours = one.table[one.table["group"] == old].drop(columns="group").reset_index(drop=True)
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_merging_or_splitting_rows_of_cells_changes_nothing(two_plans):
    risk = two_plans["risk"]
    split = risk.copy()
    split[["entered", "churned", "censored", "potential"]] //= 2
    rest = risk.copy()
    rest[split.columns[3:7]] = risk[split.columns[3:7]] - split[split.columns[3:7]]
    doubled = pd.concat([split, rest]).sample(frac=1, random_state=1, ignore_index=True)
    other = Cells("test", "retention", {"risk": doubled}, two_plans.meta)
    for by in ("all", "plan"):
        ours, theirs = sj.retention_curve(two_plans, by=by), sj.retention_curve(other, by=by)
        pd.testing.assert_frame_equal(ours.table, theirs.table, check_exact=True)


def test_a_curve_of_immortal_time_would_mislead_and_ours_does_not(make_retention_cells):
    """Members upgrade to "annual" after a random time if they are still there; the plan does nothing.

    The naive gap at 180 days is made by construction; by the plan at joining there is none to see.
    """
    rng = np.random.default_rng(2)
    n = 4_000
    life, upgrade = np.ceil(rng.exponential(200, n)).astype(int), rng.exponential(200, n)
    now = np.where(upgrade < life, "annual", "monthly")
    then = rng.choice(["annual", "monthly"], n)
    naive = make_retention_cells(np.minimum(life, 365), life <= 365, groups={"plan": now})
    honest = make_retention_cells(np.minimum(life, 365), life <= 365, groups={"plan": then})
    gap = {}
    for name, cells in (("naive", naive), ("honest", honest)):
        found = sj.contrast(sj.retention_curve(cells, by="plan"), "annual", "monthly", until=180).difference
        gap[name] = (found.low, found.high)
    assert gap["naive"][0] > 30
    assert gap["honest"][0] < 0 < gap["honest"][1]


def test_late_entry_is_counted_from_entry_on(make_retention_cells):
    """Three of four members joined up to 300 days before observation and are seen only if they lasted.

    Truth: 37 in 100 are left after 100 days (exponential with mean 100). Three standard errors of 5,000
    members are about 2.5 points; counting late members from day 0 reads more than 10 points too high.
    """
    rng = np.random.default_rng(3)
    n = 5_000
    life = np.ceil(rng.exponential(100, n)).astype(int)
    entry = np.where(np.arange(n) % 4, rng.integers(1, 300, n), 0)
    seen = life > entry
    truth = np.exp(-1)
    args = (np.minimum(life, 400)[seen], (life <= 400)[seen])
    honest = sj.retention_curve(make_retention_cells(*args, entries=entry[seen])).retained(100).value
    naive = sj.retention_curve(make_retention_cells(*args)).retained(100).value
    assert honest == pytest.approx(truth, abs=0.025)
    assert naive > truth + 0.1


# --- counting ----------------------------------------------------------------------------------------


def test_day_n_counts_matured_members_only(make_retention_cells):
    """Three followed for 10 days (leave on days 4 and 8, one stays), two for 5 days (one leaves on day 3)."""
    cells = make_retention_cells([4, 8, 10, 3, 5], [1, 1, 0, 1, 0], potential=[10, 10, 10, 5, 5])
    table = sj.day_n(cells, days=[3, 5, 6, 9, 10], min_group=1).table
    assert table["matured"].tolist() == [5, 5, 3, 3, 3]
    assert table["kept"].tolist() == [4, 3, 2, 1, 1]
    assert table["retained"].tolist() == pytest.approx([4 / 5, 3 / 5, 2 / 3, 1 / 3, 1 / 3])
    assert (
        (table["retained_low"] <= table["retained"]) & (table["retained"] <= table["retained_high"])
    ).all()


def test_day_n_leaves_out_members_seen_late(make_retention_cells):
    cells = make_retention_cells([10, 10], [0, 0], potential=[10, 10], entries=[0, 4])
    assert sj.day_n(cells, days=[5], min_group=1).table["matured"].tolist() == [1]


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_day_n_equals_counting_members(make_retention_cells, data):
    n = data.draw(st.integers(1, 40))
    potential = np.array(data.draw(st.lists(st.integers(0, 20), min_size=n, max_size=n)))
    life = np.array(data.draw(st.lists(st.integers(0, 25), min_size=n, max_size=n)))
    cells = make_retention_cells(np.minimum(life, potential), life <= potential, potential=potential)
    table = sj.day_n(cells, days=range(20), min_group=1).table
    for row in table.itertuples():
        matured = potential >= row.duration
        assert row.matured == matured.sum()
        assert row.kept == (matured & (life > row.duration)).sum()


def test_day_n_of_small_groups_is_not_shown(make_retention_cells):
    cells = make_retention_cells([10] * 30, [0] * 30, potential=[10] * 19 + [5] * 11)
    assert sj.day_n(cells, days=[4, 8], min_group=20).table["duration"].tolist() == [4]


def test_the_triangle_shows_whole_cohorts_only(make_retention_cells):
    potential = [65] * 20 + [61] * 20 + [45] * 10 + [29] * 10
    cohort = ["2025-01"] * 40 + ["2025-02"] * 20
    cells = make_retention_cells([20] * 60, [True] * 60, potential=potential, groups={"cohort": cohort})
    triangle = sj.cohort_triangle(cells, step=20, min_group=20)
    assert triangle.wide().columns.tolist() == [
        "cohort",
        "members",
        "retained_20",
        "retained_40",
        "retained_60",
    ]
    shown = {(r.cohort, r.duration) for r in triangle.table.itertuples()}
    assert shown == {("2025-01", 20), ("2025-01", 40), ("2025-01", 60), ("2025-02", 20)}


def test_without_dates_of_joining_neither_counts_nor_triangle(telco):
    assert "not when they joined" in sj.day_n(telco, days=[12]).why_empty
    assert "not when they joined" in sj.cohort_triangle(telco, step=12).why_empty
    rng = np.random.default_rng(1)
    said = {sj.cohort_effects(telco).why_empty, sj.forecast(telco, rng=rng).why_empty}
    assert said == {sj.cohort_triangle(telco, step=12).why_empty}  # so that a page says it once


def test_loss_rate_is_leavers_over_time_at_risk(make_retention_cells):
    """Ten members; two leave on day 1, three on day 6: at risk 10 on day 1, then 8 to day 6, then 5."""
    cells = make_retention_cells([1, 1, 6, 6, 6, *[9] * 5], [True] * 5 + [False] * 5)
    table = sj.loss_rate(cells, width=3, min_group=1).table
    assert table["churned"].tolist() == [2, 3, 0]
    assert table["exposure"].tolist() == [26, 24, 15]
    assert table["rate"].tolist() == pytest.approx([2 / 26 * 3, 3 / 24 * 3, 0])
    assert sj.loss_rate(make_retention_cells([0, 5], [1, 0]), width=2, min_group=1).at_once == 1


# --- comparing ---------------------------------------------------------------------------------------


def test_a_contrast_is_the_difference_of_both_means(two_plans):
    curve = sj.retention_curve(two_plans, by="plan")
    found = sj.contrast(curve, "annual", "monthly", until=60)
    mean = curve.rmst(60).set_index("group")
    assert found.difference.value == pytest.approx(mean.loc["annual", "mean"] - mean.loc["monthly", "mean"])
    se = np.hypot(mean.loc["annual", "mean_se"], mean.loc["monthly", "mean_se"])
    assert found.difference.high - found.difference.low == pytest.approx(2 * 1.959963984540054 * se)
    assert found.difference.low > 0
    turned = sj.contrast(curve, "monthly", "annual", until=60)
    assert turned.difference.value == pytest.approx(-found.difference.value)
    assert turned.p_value == pytest.approx(found.p_value)


def test_contrasts_allow_for_their_number(make_retention_cells):
    rng = np.random.default_rng(4)
    plan = np.array(["a"] * 300 + ["b"] * 200 + ["c"] * 100)
    life = np.ceil(rng.exponential(50, 600)).astype(int)
    cells = make_retention_cells(np.minimum(life, 90), life <= 90, groups={"plan": plan})
    curve = sj.retention_curve(cells, by="plan")
    found = sj.contrasts(curve, until=60)
    assert found.against == "a"
    assert found.table["group"].tolist() == ["b", "c"]
    alone = sj.contrast(curve, "b", "a", until=60)
    assert found.table["difference_low"][0] < alone.difference.low
    assert found.table["p_value"].min() >= min(alone.p_value, sj.contrast(curve, "c", "a", until=60).p_value)


def test_contrasts_name_groups_that_are_not_followed_long_enough(make_retention_cells):
    cells = make_retention_cells(
        [*range(1, 31), *[90] * 30, *range(1, 31), *[30] * 30],
        [*[True] * 30, *[False] * 30] * 2,
        groups={"plan": ["a"] * 60 + ["b"] * 60},
    )
    found = sj.contrasts(sj.retention_curve(cells, by="plan"), until=60)
    assert found.short == ("b",)
    assert "nothing to compare" in found.why_empty
    assert found.table.empty


def test_groups_that_nobody_left_are_counted(make_retention_cells):
    exits = [*range(1, 31), *[90] * 30, *range(2, 32), *[90] * 30, *[90] * 40]
    churned = ([True] * 30 + [False] * 30) * 2 + [False] * 40
    groups = {"plan": ["a"] * 60 + ["b"] * 60 + ["c"] * 40}
    cells = make_retention_cells(exits, churned, groups=groups)
    found = sj.contrasts(sj.retention_curve(cells, by="plan"), until=60)
    assert found.unchanged == 1
    note = sj.describe_contrasts(found, sj.logrank(cells, by="plan"))["note"]
    assert "Left out: 1 group in which nobody left." in note


def test_without_traits_there_are_no_groups_to_compare(telco):
    why = sj.contrasts(sj.retention_curve(telco), until=60).why_empty
    assert why == "No trait known at joining, so there are no groups to compare."


def test_nobody_leaving_cannot_be_compared(make_retention_cells):
    cells = make_retention_cells([90] * 60, [False] * 60, groups={"plan": ["a"] * 30 + ["b"] * 30})
    with pytest.raises(UndefinedError, match="nothing to compare"):
        sj.contrast(sj.retention_curve(cells, by="plan"), "a", "b", until=60)
    with pytest.raises(UndefinedError, match="Nobody left"):
        sj.logrank(cells, by="plan")
    with pytest.raises(UndefinedError, match="Fewer than two groups"):
        sj.logrank(cells, by="all")


def test_log_rank_of_the_plans(two_plans):
    test = sj.logrank(two_plans, by="plan")
    assert test.p_value < 0.001
    assert test.table["observed"].sum() == pytest.approx(test.table["expected"].sum())
    monthly = test.table.set_index("group").loc["monthly"]
    assert monthly["observed"] > monthly["expected"]


def test_cells_in_which_nobody_is_counted_have_no_curve():
    columns = ["by", "group", "late", "day", "entered", "churned", "censored", "potential"]
    empty = pd.DataFrame(columns=columns)
    with pytest.raises(UndefinedError, match="too few to be shown"):
        sj.retention_curve(Cells("tiny", "retention", {"risk": empty}, {"leaving": "cancellation"}))
