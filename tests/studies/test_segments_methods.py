"""Ways of grouping side by side: what they return where there are groups, and where there are none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.results.methods import DENSITY, GRID, HALVES, KMEANS, MIXTURE, PAGE
from sojourn.report.segments_methods import (
    agreement_frame,
    describe_agreement,
    describe_methods,
    describe_returns,
    methods_frame,
    returns_frame,
)
from sojourn.studies.segments.methods import apart_next
from sojourn.studies.segments.rfm import rfm_bands, rfm_cells
from sojourn.studies.segments.worlds import as_cells, gaussian, planted, planted_features, population, skewed

QUICK = {"ks": (2, 3, 4), "null_draws": 19, "resamples": 3}


def rng(seed=1):
    return np.random.default_rng(seed)


def compared(world, seed=2, **asked):
    found = sj.find_segments(world, rng=rng(seed), **QUICK)
    return found, sj.compare_methods(world, found, **{"ks": (2, 3, 4), "rng": rng(seed), **asked})


@pytest.fixture(scope="module")
def three():
    world, _ = planted(1_600, 3, error=0.005, rng=rng(2))
    return world, *compared(world)


@pytest.fixture(scope="module")
def shop():
    world = skewed(1_600, rng=rng(3))
    return world, *compared(world)


def test_all_ways_find_groups_that_are_there(three):
    _, found, ways = three
    for name in (PAGE, KMEANS, MIXTURE):
        assert ways.of(name)["groups"] == 3
        assert ways.of(name)["jaccard"] > 0.8
    assert ways.of(PAGE)["agreement"] == 1
    for name in (KMEANS, MIXTURE):
        assert ways.of(name)["agreement"] > 0.95  # 1 in 200 members stands on the wrong side
    assert ways.of(DENSITY)["groups"] > 1
    assert ways.of(GRID)["agreement"] < 0.5
    assert ways.of(DENSITY)["noise_share"] > ways.of(KMEANS)["noise_share"] == 0
    assert len(ways.clusters[ways.clusters["method"] == PAGE]) == found.k


def test_without_structure_the_usual_numbers_look_the_same(shop):
    _, found, ways = shop
    assert not found.has_groups
    cut, mixed = ways.of(HALVES), ways.of(MIXTURE)
    assert cut["jaccard"] > 0.9
    assert cut["t_next"] > 5
    assert mixed["gain"] > 0.5
    assert mixed["twin_gain"] == pytest.approx(mixed["gain"], abs=0.5 * mixed["gain"])
    assert mixed["twin_groups"] > 1


def test_the_order_of_rows_changes_nothing():
    cells = population(600, zeros=0.3, rng=rng(11))
    turned = cells["sample"].iloc[rng(12).permutation(600)]
    tables = []
    for rows in (cells["sample"], turned):
        world = sj.features(as_cells(rows))
        tables.append(compared(world)[1].table)
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_judges_form_nothing(three):
    world, found, ways = three
    turned = world.x.copy()
    turned[~world.fit] = turned[~world.fit][::-1]
    moved = sj.compare_methods(replace(world, x=turned), found, ks=(2, 3, 4), rng=rng(2))
    pd.testing.assert_frame_equal(ways.clusters, moved.clusters, check_exact=True)


def test_groups_of_few_members_do_not_count(shop):
    world, found, ways = shop
    shown = ways.clusters[ways.clusters["method"] == GRID]["share"] * int(world.fit.sum())
    assert ways.least == found.min_group == 20
    assert shown.min() >= 19.5
    every = sj.compare_methods(world, replace(found, min_group=1), ks=(2, 3), rng=rng(2))
    assert every.of(GRID)["groups"] > ways.of(GRID)["groups"]
    frame = returns_frame(every)  # of many groups the ends are shown
    grid = frame[frame["way"] == GRID]["comes_back"]
    all_of = every.clusters[every.clusters["method"] == GRID]["jaccard"]
    assert len(all_of) > 12
    assert (len(grid), grid.max(), grid.min()) == (3, all_of.max(), all_of.min())


def test_private_numbers_come_in_steps_of_the_smallest_group(shop):
    world, found, _ = shop
    private = replace(world, meta={**world.meta, "protected": {"base": 30}})
    ways = sj.compare_methods(private, found, ks=(2, 3), rng=rng(2))
    assert ways.least == 30
    assert ways.fitted % 30 == ways.judged % 30 == 0
    for shares in (ways.clusters["share"], ways.table["noise_share"]):
        steps = shares * ways.fitted / 30
        assert steps.to_numpy() == pytest.approx(steps.round().to_numpy(), abs=1e-9)
    assert ways.table["gain"].tolist() == ways.table["gain"].round(2).tolist()


@pytest.mark.parametrize(
    ("wrong", "said"), [({"ks": (1, 2)}, "ks"), ({"resamples": 1}, "resamples"), ({"twins": 0}, "twins")]
)
def test_parameters_out_of_range_are_refused(three, wrong, said):
    world, found, _ = three
    with pytest.raises(ParameterError, match=said):
        sj.compare_methods(world, found, rng=rng(), **wrong)


def test_the_largest_difference_is_welchs():
    draw = rng(4)
    did, labels = draw.standard_normal(300), np.repeat([0, 1, 2, -1], [100, 100, 90, 10])
    did[labels == 2] += 1
    pairs = [
        stats.ttest_ind(did[labels == a], did[labels == b], equal_var=False) for a, b in ((0, 2), (1, 2))
    ]
    assert apart_next(did, labels, 20) == pytest.approx(max(abs(pair.statistic) for pair in pairs))
    assert np.isnan(apart_next(did, np.zeros(300, dtype=int), 20))
    assert apart_next(did, labels, 95) < 3  # the third group is too small to be set against others


def test_the_grid_has_fifths_of_three_features():
    world = planted_features(rng(5).standard_normal((4_000, 6)), gaussian(4_000, rng=rng(5)).next)
    cells = rfm_cells(world.x, world.names)(world.x)
    assert set(cells) == set(range(125))  # independent columns: 32 members a cell
    assert np.bincount(cells // 25).tolist() == [800] * 5


def test_ties_cost_the_grid_none_of_its_bands():
    draw = rng(6)
    world = planted_features(draw.standard_normal((1_000, 6)), gaussian(1_000, rng=draw).next)
    x = np.where(np.arange(6) == 1, world.x, 0.0)  # all alike but in how often they come: five scores
    sizes = np.bincount(rfm_bands(replace(world, x=x), 8)[world.fit], minlength=8)
    assert sizes.tolist() == pytest.approx([world.fit.sum() / 8] * 8, abs=1.5)


def test_words_say_what_the_numbers_are_worth(shop):
    _, _, ways = shop
    said = describe_methods(ways)
    assert said["title"].endswith("of the three usual ways find groups")
    assert "None of these numbers shows groups." in said["note"]
    assert "valleys" in sj.say(ways)
    assert f"{ways.of(HALVES)['t_next']:.1f}" in said["note"]
    frame = methods_frame(ways)
    assert frame["groups"].tolist() == ways.table["groups"].tolist()
    assert frame["groups_without_structure"].isna().tolist() == [True, False, False, False, True, True]
    assert agreement_frame(ways)["agrees_with_this_page"].iloc[0] == 1
    nearest = ways.table.iloc[1:4].sort_values("agreement").iloc[-1]["method"]
    assert nearest in describe_agreement(ways)["title"]


def test_every_view_is_a_table(shop):
    _, _, ways = shop
    worst = ways.clusters[ways.clusters["method"] == PAGE]["jaccard"].min()
    assert f"{100 * worst:.0f} %" in describe_returns(ways)["title"]
    for view in ("", "agreement", "returns"):
        assert sj.show(ways, name="ways", view=view).kind == "table"
