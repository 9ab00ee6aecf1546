"""Curves by interval, band and weights; quantiles; ratios; tests of groups that weigh days or strata."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ImmortalTimeError, ParameterError, UndefinedError
from sojourn.core.interval import KIND_WORDS

SCALES = ["log-log", "plain", "log", "logit", "arcsin"]


@pytest.fixture(scope="module")
def three_plans(make_retention_cells):
    """900 members; "a" leaves at rate 1 in 60 days, "b" 1 in 90, "c" as "a"; followed for 30 to 200 days."""
    rng = np.random.default_rng(7)
    plan = np.repeat(["a", "b", "c"], 300)
    life = np.ceil(rng.exponential(np.where(plan == "b", 90, 60))).astype(int)
    potential = rng.integers(30, 201, 900)
    exits, churned = np.minimum(life, potential), life <= potential
    return make_retention_cells(exits, churned, potential=potential, groups={"plan": plan})


# --- the curve ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_intervals_carry_the_name_they_were_asked_by(three_plans, scale):
    curve = sj.retention_curve(three_plans, interval=scale, mass=0.9)
    assert curve.retained(60).kind == curve.median().kind == scale
    assert curve.retained(60).label == f"90 % {KIND_WORDS[scale]}"
    assert scale in repr(curve)
    usual = sj.retention_curve(three_plans, mass=0.9)
    # With 900 members the scales differ in the third digit, and the estimate not at all.
    assert curve.retained(60).value == usual.retained(60).value
    assert curve.retained(60).low == pytest.approx(usual.retained(60).low, abs=0.005)
    assert scale == "log-log" or curve.retained(60).low != usual.retained(60).low


@pytest.mark.parametrize("band", ["equal precision", "hall-wellner"])
def test_a_band_stands_where_intervals_are_claimed(three_plans, band):
    curve = sj.retention_curve(three_plans, by="plan", band=band)
    table = curve.table
    assert (table["band_low"].notna() == table["claimed"]).all()
    claimed = table[table["claimed"]]
    assert (claimed["band_low"] < claimed["retained_low"]).all()
    assert (claimed["band_high"] > claimed["retained_high"]).all()
    assert {"band_low", "band_high"} <= set(curve.drawn().columns)


def test_a_band_is_made_on_the_scale_of_the_intervals(three_plans):
    one, other = (
        sj.retention_curve(three_plans, band="equal precision", interval=scale).table
        for scale in ("log-log", "plain")
    )
    here = one["claimed"]
    middle = (other["band_low"] + other["band_high"]) / 2
    np.testing.assert_allclose(middle[here], other["retained"][here], rtol=1e-9)
    assert (abs(one["band_low"] - other["band_low"])[here] > 1e-5).all()


def test_where_all_have_left_the_band_has_ended(make_retention_cells):
    cells = make_retention_cells(np.repeat([5, 9], 40), [True] * 80)
    table = sj.retention_curve(cells, band="equal precision").table
    assert table["claimed"].iloc[-1]
    assert np.isnan(table["band_low"].iloc[-1])
    assert table["band_low"].notna().sum() == 4


def test_without_a_band_there_is_none(three_plans):
    curve = sj.retention_curve(three_plans)
    assert curve.table[["band_low", "band_high"]].isna().all(axis=None)
    assert "band_low" not in curve.drawn().columns


def test_unknown_options_are_named(three_plans):
    for option, value in (("interval", "wilson"), ("band", "nair"), ("weights", "analytic")):
        with pytest.raises(ParameterError, match=option):
            sj.retention_curve(three_plans, **{option: value})
    with pytest.raises(ParameterError, match="count alike"):
        sj.retention_curve(three_plans, weights="probability", band="hall-wellner")


# --- quantiles ----------------------------------------------------------------------------------------------


def test_quantiles_are_read_off_curve_and_bounds(three_plans):
    curve = sj.retention_curve(three_plans)
    rows = curve.table.set_index("duration")
    for p in (0.1, 0.25, 0.5):
        found = curve.quantile(p)
        assert rows["retained"][int(found.value)] <= 1 - p < rows["retained"][int(found.value) - 1]
        assert rows["retained_low"][int(found.low)] <= 1 - p < rows["retained_low"][int(found.low) - 1]
        assert rows["retained_high"][int(found.high)] <= 1 - p < rows["retained_high"][int(found.high) - 1]
    assert curve.median() == curve.quantile(0.5)


def test_an_upper_bound_that_is_not_reached_is_infinite(make_retention_cells):
    cells = make_retention_cells([10] * 51 + [20] * 49, [True] * 51 + [False] * 49)
    assert sj.retention_curve(cells).quantile(0.5).high == np.inf


def test_a_level_stretch_has_a_first_day_and_a_middle(make_retention_cells):
    cells = make_retention_cells([10] * 50 + [20] * 50, [True] * 100)
    curve = sj.retention_curve(cells)
    assert curve.quantile(0.5).value == 10
    assert curve.quantile(0.5, flat="middle").value == 15


def test_a_quantile_beyond_the_follow_up_is_not_told(make_retention_cells):
    cells = make_retention_cells([10] * 40 + [20] * 60, [True] * 40 + [False] * 60)
    curve = sj.retention_curve(cells)
    assert curve.quantile(0.4).value == 10
    with pytest.raises(UndefinedError, match=r"0.7 quantile of 'all' is not reached: more than 30 %"):
        curve.quantile(0.7)
    with pytest.raises(ParameterError, match="'p' must be below 1"):
        curve.quantile(1.0)


# --- weights ------------------------------------------------------------------------------------------------


def weighted_cells(make, exits, churned, weight, plan):
    cells = make(exits, churned, groups={"plan": plan})
    rows = pd.DataFrame(
        {"day": exits, "churned": np.asarray(churned, dtype=int), "weight": weight, "plan": plan}
    )
    rows = rows.assign(squared=rows["weight"] ** 2, members=1, entry=0, all="all")
    tables = [
        rows.groupby([by, "entry", "day", "churned"], as_index=False)[["members", "weight", "squared"]]
        .sum()
        .rename(columns={by: "group"})
        .assign(by=by)
        for by in ("all", "plan")
    ]
    return Cells(cells.case, cells.study, {**cells.tables, "weighted": pd.concat(tables)}, cells.meta)


def test_members_who_stand_for_others_bring_back_the_whole(make_retention_cells):
    """Half of those who leave fast are left out at random, the others weigh two: the curve of all returns."""
    rng = np.random.default_rng(3)
    fast = np.arange(20_000) % 2 == 0
    life = np.ceil(rng.exponential(np.where(fast, 30, 120))).astype(int)
    exits, churned = np.minimum(life, 100), life <= 100
    kept = ~fast | (rng.random(20_000) < 0.5)
    weight, plan = np.where(fast, 2.0, 1.0)[kept], np.where(fast, "fast", "slow")[kept]
    cells = weighted_cells(make_retention_cells, exits[kept], churned[kept], weight, plan)
    whole = (life > 60).mean()
    naive, ours = (sj.retention_curve(cells, weights=w).retained(60) for w in ("frequency", "probability"))
    assert ours.value == pytest.approx(whole, abs=0.01)
    assert naive.value > whole + 0.05
    assert ours.low < whole < ours.high


def test_alike_weights_change_the_error_only_a_little_and_groups_not_at_all(make_retention_cells):
    rng = np.random.default_rng(4)
    life = np.ceil(rng.exponential(60, 600)).astype(int)
    exits, churned = np.minimum(life, 90), life <= 90
    plan = np.where(np.arange(600) % 3, "a", "b")
    cells = weighted_cells(make_retention_cells, exits, churned, np.full(600, 2.5), plan)
    one, other = (sj.retention_curve(cells, by="plan", weights=w) for w in ("frequency", "probability"))
    assert other.weights == "probability"
    assert one.groups == other.groups
    for column in ("at_risk", "churned", "claimed", "duration"):
        assert (one.table[column] == other.table[column]).all()
    np.testing.assert_allclose(other.table["retained"], one.table["retained"], rtol=1e-12)
    np.testing.assert_allclose(other.table["mean"], one.table["mean"], rtol=1e-12)
    # Nobody is censored before day 90: the robust error is Greenwood's, up to rounding.
    early = other.table["duration"] < 90
    np.testing.assert_allclose(
        other.table["mean_se"][early], one.table["mean_se"][early], rtol=1e-6, atol=1e-8
    )


def test_cells_without_weights_say_so(three_plans):
    with pytest.raises(UndefinedError, match="no table 'weighted'"):
        sj.retention_curve(three_plans, weights="probability")


# --- comparing -------------------------------------------------------------------------------------------


def test_the_ratio_of_means_stands_beside_their_difference(three_plans):
    curve = sj.retention_curve(three_plans, by="plan")
    found = sj.contrast(curve, "b", "a", until=60)
    mean = curve.rmst(60).set_index("group")
    assert found.ratio.value == pytest.approx(mean.loc["b", "mean"] / mean.loc["a", "mean"])
    relative = np.hypot(*(mean.loc[g, "mean_se"] / mean.loc[g, "mean"] for g in ("a", "b")))
    assert np.log(found.ratio.high / found.ratio.low) == pytest.approx(2 * 1.959963984540054 * relative)
    turned = sj.contrast(curve, "a", "b", until=60)
    assert turned.ratio.value == pytest.approx(1 / found.ratio.value)
    assert turned.ratio.low == pytest.approx(1 / found.ratio.high)
    assert turned.ratio_p_value == pytest.approx(found.ratio_p_value)
    assert found.ratio_p_value == pytest.approx(2 * norm.sf(np.log(found.ratio.value) / relative))
    assert found.ratio_p_value != found.p_value


def test_within_no_time_there_is_nothing_to_compare(three_plans):
    curve = sj.retention_curve(three_plans, by="plan")
    with pytest.raises(UndefinedError, match="nothing to compare"):
        sj.contrast(curve, "a", "b", until=0)


def test_tests_that_weigh_days_are_named_and_differ(three_plans):
    usual = sj.logrank(three_plans, by="plan")
    found = {
        w: sj.logrank(three_plans, by="plan", weights=w)
        for w in ("gehan-breslow", "tarone-ware", "peto-peto")
    }
    assert usual.weights == "log-rank"
    assert {one.weights for one in found.values()} == set(found)
    assert len({round(one.statistic, 6) for one in [usual, *found.values()]}) == 4
    powered = sj.logrank(three_plans, by="plan", weights="fleming-harrington", rho=1, gamma=0.5)
    assert powered.weights == "fleming-harrington (1, 0.5)"
    zero = sj.logrank(three_plans, by="plan", weights="fleming-harrington")
    assert zero.statistic == pytest.approx(usual.statistic, rel=1e-12)
    with pytest.raises(ParameterError, match="weights"):
        sj.logrank(three_plans, by="plan", weights="wilcoxon")
    with pytest.raises(ParameterError, match="rho"):
        sj.logrank(three_plans, by="plan", weights="fleming-harrington", rho=-1)


def test_pairs_allow_for_their_number(three_plans):
    found = sj.compare_pairs(three_plans, by="plan")
    assert found.table[["group", "other"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert (found.table["p_value"] >= found.table["alone_p_value"]).all()
    assert found.table["p_value"].min() == pytest.approx(3 * found.table["alone_p_value"].min())
    by_pair = found.table.set_index(["group", "other"])["p_value"]
    assert by_pair["a", "b"] < 0.01
    assert by_pair["b", "c"] < 0.01
    assert by_pair["a", "c"] > 0.05
    crossing = sj.compare_pairs(three_plans, by="plan", test="max-combo")
    assert crossing.test == "max-combo"
    assert (crossing.table["alone_p_value"] >= 0).all()


def test_pairs_that_nobody_left_are_left_out(make_retention_cells):
    plan = np.repeat(["a", "b", "c"], 30)
    exits = np.where(plan == "a", np.arange(90) % 9 + 1, 9)
    cells = make_retention_cells(exits, plan == "a", groups={"plan": plan})
    assert len(sj.compare_pairs(cells, by="plan").table) == 2
    nobody = make_retention_cells([9] * 90, [False] * 90, groups={"plan": plan})
    with pytest.raises(UndefinedError, match="nothing to test"):
        sj.compare_pairs(nobody, by="plan")


@pytest.fixture(scope="module")
def confounded(make_retention_cells):
    """4,000 members of two plans alike within each channel; the channel that leaves fast has more of "a"."""
    rng = np.random.default_rng(11)
    channel = np.where(np.arange(4_000) % 2, "ads", "friends")
    plan = np.where(rng.random(4_000) < np.where(channel == "ads", 0.8, 0.2), "a", "b")
    life = np.ceil(rng.exponential(np.where(channel == "ads", 30, 120))).astype(int)
    exits, churned = np.minimum(life, 100), (life <= 100).astype(int)
    cells = make_retention_cells(exits, churned, groups={"plan": plan, "channel": channel})
    one = pd.DataFrame({"plan": plan, "channel": channel, "known": "now", "entered": 0, "churned": churned})
    ends = one.assign(day=exits, censored=1 - churned)
    starts = one.assign(day=0, entered=1, churned=0, censored=0)
    later = ends.assign(known="then", churned=1, censored=0)  # must not be read
    patterns = (
        pd.concat([starts, ends, later]).groupby(["plan", "channel", "known", "day"], as_index=False).sum()
    )
    return Cells("test", "retention", {**cells.tables, "patterns": patterns}, cells.meta)


def test_members_alike_in_another_trait_are_compared(confounded):
    alone, within = (sj.logrank(confounded, by="plan", within=w) for w in ("", "channel"))
    assert alone.p_value < 1e-6
    assert within.p_value > 0.01
    assert within.within == "channel"
    assert (within.table["observed"] == alone.table["observed"]).all()
    assert within.table["observed"].sum() == pytest.approx(within.table["expected"].sum())


def test_within_needs_patterns_and_a_trait_known_at_joining(confounded, three_plans):
    with pytest.raises(UndefinedError, match="No patterns"):
        sj.logrank(three_plans, by="plan", within="channel")
    with pytest.raises(ImmortalTimeError, match="churn_reason"):
        sj.logrank(confounded, by="plan", within="churn_reason")


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_merging_cells_changes_no_option(make_retention_cells, data):
    n = data.draw(st.integers(20, 60))
    exits = np.array(data.draw(st.lists(st.integers(1, 20), min_size=n, max_size=n)))
    churned = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    cells = make_retention_cells(exits, churned)
    halves = pd.concat(
        [cells["risk"].assign(**{c: cells["risk"][c] // 2 for c in ("entered", "churned", "censored")})]
    )
    rest = cells["risk"].copy()
    for column in ("entered", "churned", "censored"):
        rest[column] -= halves[column]
    split = Cells("test", "retention", {"risk": pd.concat([rest, halves], ignore_index=True)}, cells.meta)
    how = {
        "interval": data.draw(st.sampled_from(SCALES)),
        "band": data.draw(st.sampled_from(["none", "equal precision", "hall-wellner"])),
        "min_group": 1,
    }
    one, other = sj.retention_curve(cells, **how), sj.retention_curve(split, **how)
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
