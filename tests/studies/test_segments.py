"""Groups where there are groups, a gradient where there is none, and nothing that order or units change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import sojourn as sj
from sojourn.core.bands import band_names
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.results.segments import CEILING, OURS, RFM, SMOOTH, Features, NearestCentre, ScoreBands
from sojourn.estimators.cluster.intervals import jeffreys, mean_interval
from sojourn.estimators.cluster.partition import pinned
from sojourn.studies.segments.bands import activity_bands
from sojourn.studies.segments.checks import check_segments, sample_distance
from sojourn.studies.segments.exam import exam_table, group_means
from sojourn.studies.segments.features import LIMIT, features, halves
from sojourn.studies.segments.forming import symmetric_log
from sojourn.studies.segments.rfm import rfm_bands
from sojourn.studies.segments.structure import chosen_k, stability_table
from sojourn.studies.segments.worlds import (
    as_cells,
    curved,
    gaussian,
    partly_silent,
    planted,
    planted_counts,
    planted_features,
    population,
    zero_inflated,
)

#: Small and quick: three numbers of groups, the fewest twins allowed.
QUICK = {"ks": (2, 3, 4), "null_draws": 19, "resamples": 3}


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def three():
    """Return a world of three clear groups, the group of every member, and what is found."""
    world, group = planted(1_600, 3, error=0.005, rng=rng(1))
    return world, group, sj.find_segments(world, rng=rng(2), **QUICK)


@pytest.fixture(scope="module")
def shop():
    """Return cells of one skewed population, and what is found."""
    cells = population(1_200, zeros=0.0, rng=rng(3))
    return cells, sj.find_segments(cells, rng=rng(4), **QUICK)


def test_three_planted_groups_are_found(three):
    world, group, found = three
    judged = ~world.fit
    assert found.verdict == "groups"
    assert found.reason == "useful"
    assert found.k == len(found.table) == found.most_apart == 3
    assert isinstance(found.rule, NearestCentre)
    assert adjusted_rand_score(group[judged], found.rule.assign(world.x[judged])) >= 0.9


@pytest.mark.parametrize("world", [gaussian, curved, zero_inflated])
def test_one_population_is_a_gradient_and_no_groups(world):
    found = sj.find_segments(world(1_200, rng=rng(5)), rng=rng(6), **QUICK)
    assert found.verdict == "a gradient, not groups"
    assert found.reason == "no valley"
    assert not found.stability["separated"].any()
    assert isinstance(found.rule, ScoreBands)
    assert found.segments == band_names(4)


def test_a_correlated_gaussian_is_stable_and_still_a_gradient():
    found = sj.find_segments(gaussian(1_200, rng=rng(7)), rng=rng(8), **QUICK)
    assert found.tried(2)["jaccard"] > 0.9  # why stability alone shows nothing (Hennig's threshold is .75)
    assert not found.has_groups


def test_a_skewed_population_through_the_real_transforms_is_a_gradient(shop):
    _, found = shop
    assert found.verdict == "a gradient, not groups"
    shares = found.table["share"]
    # bands are quarters of the members that fit; 600 others fall into them with a standard error of .018
    assert shares.to_numpy() == pytest.approx(0.25, abs=0.08)
    assert shares.sum() == pytest.approx(1)


def test_groups_that_say_nothing_about_what_comes_next_are_no_use():
    world, _ = planted(1_600, 3, error=0.005, rng=rng(1))
    after = world.next.sample(frac=1, random_state=1, ignore_index=True)  # outcomes of somebody else
    found = sj.find_segments(replace(world, next=after), rng=rng(2), **QUICK)
    assert found.stability["separated"].any()
    assert found.reason == "no use"
    assert found.verdict == "a gradient, not groups"
    assert found.exam_k == 3
    assert isinstance(found.rule, ScoreBands)


def test_members_who_did_nothing_form_no_groups():
    # one population of whom 9 in 100 stand on one point: together with the others they look like two groups
    world = partly_silent(1_200, rng=rng(21))
    nothing = world.counts["events"].to_numpy() == 0
    assert nothing.mean() > 0.08
    found = sj.find_segments(world, rng=rng(22), **QUICK)
    assert found.reason == "no valley"
    assert found.silent == int((nothing & world.fit).sum())
    assert found.fitted + found.silent == int(world.fit.sum())
    moved = world.x.copy()
    moved[nothing & world.fit] = 4.0  # wherever they stand, valleys are the same
    again = sj.find_segments(replace(world, x=moved), rng=rng(22), **QUICK)
    pd.testing.assert_frame_equal(found.stability, again.stability, check_exact=True)
    cells = population(400, zeros=0.0, rng=rng(23))
    told = next(c for c in check_segments(cells, found) if c.name == "Enough members").finding
    assert f"{found.silent} who did nothing up to the cut are told by that" in told


def test_groups_planted_in_counts_are_found_through_the_real_transforms():
    world, group, error = planted_counts(2_400, 3, rng=rng(24))
    assert 0.003 < error < 0.02
    found = sj.find_segments(world, rng=rng(25), **{**QUICK, "resamples": 5})
    assert (found.verdict, found.k) == ("groups", 3)
    judged = ~world.fit
    assert adjusted_rand_score(group[judged], found.rule.assign(world.x[judged])) >= 0.9


def test_the_same_seed_gives_the_same_result(three):
    world, _, found = three
    again = sj.find_segments(world, rng=rng(2), **QUICK)
    pd.testing.assert_frame_equal(found.table, again.table, check_exact=True)
    pd.testing.assert_frame_equal(found.stability, again.stability, check_exact=True)
    pd.testing.assert_frame_equal(found.exam, again.exam, check_exact=True)


def with_sample(cells: Cells, sample: pd.DataFrame) -> Cells:
    return replace(cells, tables={**cells.tables, "sample": sample})


def test_order_of_rows_changes_nothing(shop):
    cells, found = shop
    shuffled = cells.tables["sample"].sample(frac=1, random_state=3, ignore_index=True)
    again = sj.find_segments(with_sample(cells, shuffled), rng=rng(4), **QUICK)
    pd.testing.assert_frame_equal(found.table, again.table, check_exact=True)
    pd.testing.assert_frame_equal(found.stability, again.stability, check_exact=True)


def test_units_of_money_change_nothing_but_the_money(shop):
    cells, found = shop
    sample = cells.tables["sample"]
    cents = sample.assign(value=sample["value"] * 100, value_next=sample["value_next"] * 100)
    again = sj.find_segments(with_sample(cells, cents), rng=rng(4), **QUICK)
    # amounts times 100 are no exact binary multiples, so features move in the last bits
    same = {"check_exact": False, "rtol": 1e-9, "atol": 1e-9}
    pd.testing.assert_frame_equal(
        found.table.drop(columns="sentence"), again.table.drop(columns="sentence"), **same
    )
    pd.testing.assert_frame_equal(found.stability, again.stability, **same)
    pd.testing.assert_frame_equal(found.exam, again.exam, **same)
    spend, in_cents = (
        sj.what_next(cells, found).table["spend"],
        sj.what_next(with_sample(cells, cents), again),
    )
    assert in_cents.table["spend"].to_numpy() == pytest.approx(100 * spend.to_numpy())


def test_labels_of_the_kinds_of_events_change_names_only(shop):
    cells, found = shop
    renamed = replace(cells, meta={**cells.meta, "kinds": ["zebra", "apple", "mango"]})
    again = sj.find_segments(renamed, rng=rng(4), **QUICK)
    assert again.names[6:9] == ("zebra", "apple", "mango")
    pd.testing.assert_frame_equal(found.stability, again.stability, check_exact=True)


def test_everything_told_comes_from_members_who_formed_nothing(three):
    world, _, found = three
    spoilt_now, spoilt_next = world.now.copy(), world.next.copy()
    spoilt_now.loc[world.fit] = 1e6
    spoilt_next.loc[world.fit, ["spend", "active_days"]] = 1e6
    spoilt_next.loc[world.fit, "active"] = 0.0
    spoilt = replace(world, now=spoilt_now, next=spoilt_next)
    pd.testing.assert_frame_equal(sj.profile(world, found).table, sj.profile(spoilt, found).table)
    pd.testing.assert_frame_equal(sj.what_next(world, found).table, sj.what_next(spoilt, found).table)
    assert found.table["n"].sum() == found.judged == int((~world.fit).sum())
    judged_otherwise = world.x.copy()
    judged_otherwise[~world.fit] = world.x[~world.fit][::-1]
    moved = sj.find_segments(replace(world, x=judged_otherwise), rng=rng(2), **QUICK)
    pd.testing.assert_frame_equal(found.stability, moved.stability, check_exact=True)  # judges form nothing


def test_shares_and_means_are_those_of_the_judged_members(three):
    world, _, found = three
    judged = ~world.fit
    labels = found.rule.assign(world.x[judged])
    after, who = sj.what_next(world, found), sj.profile(world, found)
    for i, name in enumerate(found.segments):
        inside = labels == i
        row = found.table.iloc[i]
        n = int(inside.sum())
        assert (row["n"], row["share"]) == (n, n / judged.sum())
        assert (row["share_low"], row["share_high"]) == jeffreys(n, int(judged.sum()), 0.95)
        active = world.next.loc[judged, "active"].to_numpy()[inside]
        share = after.share(name)
        assert (share.low, share.high) == jeffreys(int(active.sum()), n, 0.95)
        assert (share.value, share.mass, share.kind) == (active.mean(), 0.95, "eti")
        spend = mean_interval(world.next.loc[judged, "spend"].to_numpy()[inside], 0.95)
        assert after.table.loc[i, ["spend", "spend_low", "spend_high"]].tolist() == pytest.approx(spend)
        mine = who.table[(who.table["segment"] == name) & (who.table["feature"] == "spend a month")].iloc[0]
        values = world.now.loc[judged, "monetary"].to_numpy()
        assert mine["value"] == pytest.approx(values[inside].mean())
        assert mine["difference"] == pytest.approx((values[inside].mean() - values.mean()) / values.std())
    assert "stayed_share" not in after.table  # everyone stayed: nothing to tell
    assert after.everyone["n"].iloc[0] == judged.sum()


def test_segments_below_min_group_are_not_shown(three):
    world, _, found = three
    smallest = int(found.table["n"].min())
    found = sj.find_segments(world, rng=rng(2), min_group=smallest + 1, **QUICK)
    assert len(found.table) == 2
    assert (found.table["n"] > smallest).all()
    for table in (sj.what_next(world, found).table, sj.profile(world, found).table):
        assert set(table["segment"]) == set(found.segments)
        assert (table["n"] > smallest).all()


def test_no_result_holds_a_key(shop):
    cells, found = shop
    tables = [
        found.table,
        found.stability,
        found.exam,
        sj.profile(cells, found).table,
        sj.what_next(cells, found).table,
    ]
    assert all(len(table) < 200 for table in tables)  # of 600 members judged
    assert not {"member", "member_id"} & {name for table in tables for name in table.columns}


def test_too_few_members_have_no_answer():
    cells = population(199, zeros=0.0, rng=rng(9))
    with pytest.raises(UndefinedError, match=r"Only 199 members of world.*fewer than 200"):
        sj.find_segments(cells, rng=rng(), **QUICK)


def test_members_who_are_all_alike_have_no_answer():
    cells = population(300, zeros=0.0, rng=rng(9))
    alike = pd.concat([cells.tables["sample"].head(1)] * 300, ignore_index=True)
    with pytest.raises(UndefinedError, match="Nothing the members of world did"):
        features(with_sample(cells, alike))


def test_members_who_all_did_the_same_next_have_no_exam(three):
    world, _, found = three
    same = world.next.assign(active=1.0, stayed=1.0, active_days=3.0, spend=0.0)
    with pytest.raises(UndefinedError, match="did the same after the cut"):
        exam_table(replace(world, next=same), found.rule, mass=0.95)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ks": (1, 2)}, "ks"),
        ({"mass": 1.0}, "mass"),
        ({"bands": 1}, "bands"),
        ({"null_draws": 18}, "null_draws"),
        ({"resamples": 0}, "resamples"),
    ],
)
def test_parameters_out_of_range_are_refused(three, wrong, said):
    with pytest.raises(ParameterError, match=said):
        sj.find_segments(three[0], rng=rng(), **{**QUICK, **wrong})


def test_an_unknown_segment_is_refused(three):
    world, _, found = three
    with pytest.raises(ParameterError, match="No 'active_share' of segment 'nobody'"):
        sj.what_next(world, found).share("nobody")


def a_table(separated, k=(2, 3, 4)):
    return pd.DataFrame({"k": k, "separated": separated})


def test_the_largest_number_that_stands_apart_is_chosen():
    assert chosen_k(a_table([True, True, False])) == 3
    assert chosen_k(a_table([True, False, True])) == 4
    assert chosen_k(a_table([False, False, False])) is None


def test_valleys_must_be_deeper_than_without_structure(three):
    _, _, found = three
    row = found.tried(3)
    assert row["depth"] > row["null_depth_high"] > row["null_depth"]
    assert row["excess"] > row["needed"]
    table = found.stability
    apart = (table["excess"] > table["needed"]) & (table["depth"] >= 0.25)
    apart &= (table["jaccard"] >= 0.75) & (table["smallest_share"] >= 0.05)
    assert table["separated"].tolist() == apart.tolist()


def test_a_handful_of_outliers_is_no_group():
    x = rng(10).standard_normal((1_000, 3))
    x[::50] += 15.0  # 2 in 100 members, far away from all others
    with pinned():
        table = stability_table(x, (2,), draws=19, resamples=2, rng=rng(11))
    assert table["smallest_share"].iloc[0] < 0.05
    assert not table["separated"].any()


def two_outcomes(active, x):
    """Return a world of three features whose outcome is given."""
    after = pd.DataFrame({"active": active * 1.0, "stayed": 1.0, "active_days": active * 2.0, "spend": 0.0})
    return planted_features(np.column_stack([x] * 2), after)


def test_the_exam_is_won_by_what_predicts():
    draw = rng(12)
    group = draw.integers(3, size=3_000)
    x = np.column_stack([group == 1, group == 2, draw.standard_normal((2, 3_000)).T[:, 0]]) * 6.0
    active = draw.random(3_000) < np.array([0.1, 0.9, 0.1])[group]
    world = two_outcomes(active, x + 0.3 * draw.standard_normal((3_000, 3)))
    seen = planted_groups_rule(world, group)
    exam = exam_table(world, seen, mass=0.95).set_index("rival")
    assert list(exam.index) == [OURS, RFM, SMOOTH, CEILING]
    assert exam.loc[OURS, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
    # the outcome's variance within groups is .09, and between them .1422: groups explain 61 in 100 of it
    assert exam.loc[OURS, "explained"] == pytest.approx(1 - 0.09 / (0.09 + np.var([0.1, 0.9, 0.1])), abs=0.04)
    assert exam.loc[RFM, "beaten"]
    nothing = replace(world, next=world.next.sample(frac=1, random_state=1, ignore_index=True))
    assert not exam_table(nothing, seen, mass=0.95)["beaten"].any()


def planted_groups_rule(world: Features, group) -> NearestCentre:
    return NearestCentre(
        np.eye(world.x.shape[1]), np.array([world.x[group == j].mean(axis=0) for j in range(3)])
    )


def test_an_empty_group_predicts_the_mean_of_all():
    labels, y = np.array([0, 0, 1]), np.array([[1.0], [3.0], [8.0]])
    assert group_means(labels, y, np.array([0, 1, 2]), 3)[:, 0].tolist() == [2.0, 8.0, 4.0]


def test_rfm_adds_up_fifths():
    draw = rng(13)
    world = planted_features(draw.standard_normal((1_000, 6)), gaussian(1_000, rng=draw).next)
    best = world.x[:, 1] + world.x[:, 2] - world.x[:, 0]
    bands = rfm_bands(world, 4)
    assert set(bands) == {0, 1, 2, 3}
    means = [best[bands == b].mean() for b in range(4)]
    assert means == sorted(means)
    assert means[3] - means[0] > 2.5  # three independent normal columns: outer quarters differ by 4.4 at most


def test_bands_rise_with_activity():
    world = gaussian(1_000, rng=rng(14))
    turned = replace(world, x=-world.x)
    for one in (world, turned):
        rule = activity_bands(one, 4)
        labels = rule.assign(one.x)
        often = [one.x[labels == b, world.names.index("frequency")].mean() for b in range(4)]
        assert often == sorted(often)
        assert np.bincount(labels[one.fit]).tolist() == pytest.approx([one.fit.sum() / 4] * 4, abs=1)


def test_features_by_hand():
    cells = population(400, zeros=0.3, rng=rng(16))
    seen = features(cells)
    table = cells.tables["sample"].astype(float)
    table = table.sort_values(sorted(table.columns), ignore_index=True)
    months = table["observed_days"] / 30
    by_hand = {
        "recency": np.log1p(table["recency_days"]),
        "frequency": np.log((table["active_days"] + 0.5) / (months + 0.5)),
        "intensity": np.log(table["events"] / table["active_days"]),
        "trend": np.log((table["active_last"] + 1) / (table["active_before"] + 1)),
    }
    for name, raw in by_hand.items():
        values = raw.to_numpy()
        expected = (values - values[seen.fit].mean()) / values[seen.fit].std()
        mine = seen.x[:, seen.names.index(name)]
        assert mine == pytest.approx(expected.clip(-LIMIT, LIMIT), abs=1e-12)
    assert seen.now["monetary"].to_numpy() == pytest.approx((table["value"] / months).to_numpy())
    assert seen.next["active_days"].tolist() == table["active_days_next"].tolist()


def test_a_feature_that_all_share_is_left_out(shop):
    cells, _ = shop
    one_kind = cells.tables["sample"].assign(kinds=2)
    seen = features(with_sample(cells, one_kind))
    assert seen.left_out == ("breadth",)
    assert "breadth" not in seen.names


def test_halves_are_about_equal_and_do_not_alternate():
    fit = halves(100_000)
    # 4 standard errors of a fair coin, for the share and for runs of two
    assert fit.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(100_000))
    assert (fit[1:] == fit[:-1]).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(100_000))
    assert (halves(50) == fit[:50]).all()


def test_money_is_linear_near_nothing_and_keeps_its_sign():
    values = np.array([-100.0, -1e-6, 0.0, 1e-6, 100.0])
    scaled = symmetric_log(values, 2.0)
    assert scaled == pytest.approx([-np.arcsinh(50), -5e-7, 0, 5e-7, np.arcsinh(50)])
    assert symmetric_log(values, 0.0).tolist() == [0] * 5


def test_the_checks_of_a_sound_page_pass(shop):
    cells, found = shop
    checks = {check.name: check for check in check_segments(cells, found)}
    assert checks["Groups or a gradient"].verdict == "pass"
    assert checks["Enough members"].verdict == "warn"  # 1,200 members, of whom half form groups
    assert checks["The sample stands for all members"].finding.startswith("All 1,200 members")
    assert "The known truth" not in checks
    told = replace(found, meta={**found.meta, "truth": {"count": 3}})
    assert {c.name: c.verdict for c in check_segments(cells, told)}["The known truth"] == "warn"
    one = replace(found, meta={**found.meta, "truth": {"count": 1}})
    assert {c.name: c.verdict for c in check_segments(cells, one)}["The known truth"] == "pass"


def test_a_sample_that_misses_the_least_active_is_caught():
    everyone = population(4_000, zeros=0.0, rng=rng(17))
    table = everyone.tables["sample"]
    part = table.iloc[rng(18).permutation(4_000)[:1_000]]
    active = table[table["active_days"] > table["active_days"].quantile(0.1)].iloc[:1_000]
    found = sj.find_segments(with_sample(everyone, part), rng=rng(19), **QUICK)
    verdicts = []
    for rows in (part, active):
        checks = check_segments(with_sample(everyone, rows), found)
        verdicts += [c.verdict for c in checks if c.name == "The sample stands for all members"]
    assert verdicts == ["pass", "fail"]
    assert sample_distance(with_sample(everyone, table)) == pytest.approx(0, abs=1e-6)
    assert as_cells(part)["moments"]["members"].iloc[0] == 1_000
