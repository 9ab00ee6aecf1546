"""What goes with staying: standardised differences, the verdict on constant effects, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from drawn_patterns import members_of, pattern_cells
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import risk_set
from sojourn.estimators.survival.standardise import standardised
from sojourn.studies.retention.drivers import drivers, horizon_model
from sojourn.studies.retention.drivers_checks import check_drivers
from sojourn.studies.retention.patterned import patterned


@pytest.fixture(scope="module")
def members():
    return members_of(1)


@pytest.fixture(scope="module")
def cells(members):
    return pattern_cells(members)


@pytest.fixture(scope="module")
def found(cells):
    return drivers(cells, horizon=90)


def changed(cells, table=None, **meta):
    """Return the same cells with another table or other meta."""
    patterns = cells.tables["patterns"] if table is None else table
    return Cells(cells.case, cells.study, {"patterns": patterns}, {**cells.meta, **meta})


def true_difference(members, early=0.5, after=0.5):
    """Return annual less monthly at day 90 over the observed mix of channels, from the parameters drawn."""
    level = 0.008 * np.where(members.loc[members["entry"] == 0, "channel"] == "partner", 0.6, 1.0)
    annual = np.exp(-level * (30 * early + 60 * after)).mean()
    return float(annual - np.exp(-level * 90).mean())


def row(result, column, level):
    rows = result.table[(result.table["column"] == column) & (result.table["level"] == level)]
    return rows.iloc[0]


def test_each_level_is_set_against_the_largest_of_its_column(found, members):
    assert not found.why_empty
    assert found.table["column"].tolist() == ["channel", "plan"]
    for column, level, against in zip(*(found.table[c] for c in ("column", "level", "against")), strict=True):
        assert [against, level] == members[column].value_counts().index.tolist()


def test_the_difference_is_the_truth_where_the_crude_one_is_not(members):
    # 40,000 members: the standard error is about half a point, the confounding about four.
    many = members_of(2, n=40_000)
    plan = drivers(pattern_cells(many), horizon=90).table.set_index("column").loc["plan"]
    sign = 1 if plan["level"] == "annual" else -1
    se = (plan["difference_points_high"] - plan["difference_points"]) / norm.isf(0.025 / 2)
    truth = sign * true_difference(many)
    assert abs(plan["difference_points"] - truth) < 3.5 * se
    assert abs(plan["crude_points"] - truth) > 5 * se
    assert plan["ratio_to_crude"] == pytest.approx(plan["difference_points"] / plan["crude_points"])


def test_intervals_hold_together_over_the_mix_of_those_seen_from_joining_on():
    cells = pattern_cells(members_of(6, late=0.5))
    table = drivers(cells, horizon=90).table.set_index("column")
    data = patterned(cells, min_group=20)
    rows = cells["patterns"]
    joined = rows[rows["day"] == 0].groupby(["channel", "plan"])["entered"].sum()
    model = horizon_model(data, 90, (30, 90))
    place = data.design.terms_of("plan")
    share = standardised(model, data.design.matrix, joined.to_numpy(), place, 90)
    plan = table.loc["plan"]
    assert plan["difference_points"] == pytest.approx(share.difference[1], rel=1e-9)
    # Two differences: each bound leaves out half of half of 5 %.
    reach = norm.isf(0.05 / 4) * share.difference_se[1]
    assert plan["difference_points_high"] - plan["difference_points"] == pytest.approx(reach, rel=1e-9)
    assert plan["p_value"] <= 2 * 2 * norm.sf(abs(share.difference[1]) / share.difference_se[1])


def test_own_share_is_the_curve_of_the_level(found, members):
    level = row(found, "plan", found.table.set_index("column").loc["plan", "level"])
    own = members[members["plan"] == level["level"]]
    one, zero = np.ones(len(own), int), np.zeros(len(own), int)
    risk = risk_set(
        np.r_[own["entry"], own["exit"]],
        np.r_[one, zero],
        np.r_[zero, own["churned"]],
        np.r_[zero, 1 - own["churned"]],
    )
    assert level["retained"] == pytest.approx(product_limit(risk)[90], rel=1e-12)
    assert level["members"] == len(own)


def test_rows_may_be_split_and_stand_in_any_order(cells, found):
    table = cells.tables["patterns"].sample(frac=1, random_state=3)
    half = table.assign(**{name: table[name] // 2 for name in ("entered", "churned", "censored")})
    rest = table.assign(**{name: table[name] - half[name] for name in ("entered", "churned", "censored")})
    again = drivers(changed(cells, pd.concat([half, rest])), horizon=90)
    pd.testing.assert_frame_equal(again.table, found.table, rtol=1e-9)


def test_what_was_known_then_does_not_count(cells, found):
    table = cells.tables["patterns"]
    both = pd.concat([table, table.assign(known="then", churned=0)])
    pd.testing.assert_frame_equal(drivers(changed(cells, both), horizon=90).table, found.table)


def test_what_happens_after_the_horizon_moves_no_difference(members):
    later = members.assign(churned=members["churned"] * (members["exit"] <= 90))
    now, then = (drivers(pattern_cells(one), horizon=90).table for one in (members, later))
    np.testing.assert_allclose(now["difference_points"], then["difference_points"], rtol=1e-8)


def test_no_random_number_is_drawn(cells):
    np.random.seed(5)  # noqa: NPY002 (it is the global state that must not be touched)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    drivers(cells, horizon=90)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_constant_effects_are_found_constant(found):
    assert found.proportional.changing == ()
    assert found.proportional.periods.empty
    assert found.table["hazard_ratio"].notna().all()
    (check,) = check_drivers(found)
    assert check.verdict == "pass"
    assert "No change is sure enough to give differences period by period" in check.meaning


def test_an_effect_that_turns_is_told_period_by_period():
    members = members_of(4, n=12_000, early=0.35, after=1.6)
    result = drivers(pattern_cells(members), horizon=90)
    assert result.proportional.changing == ("plan",)
    plan = result.table.set_index("column").loc["plan"]
    assert np.isnan(plan["hazard_ratio"])
    sign = 1 if plan["level"] == "annual" else -1
    se = (plan["difference_points_high"] - plan["difference_points"]) / norm.isf(0.025 / 2)
    assert abs(plan["difference_points"] - sign * true_difference(members, 0.35, 1.6)) < 3.5 * se
    periods = result.proportional.periods
    assert periods["duration_from"].tolist() == [0, 30, 90]
    ratio = periods["hazard_ratio"] if sign == 1 else 1 / periods["hazard_ratio"]
    log_se = np.log(periods["hazard_ratio_high"] / periods["hazard_ratio"]) / norm.isf(0.025)
    assert log_se.iloc[:2].max() < 0.1
    assert abs(np.log(ratio.iloc[0] / 0.35)) < 3.5 * log_se.iloc[0]
    assert abs(np.log(ratio.iloc[1] / 1.6)) < 3.5 * log_se.iloc[1]
    (check,) = check_drivers(result)
    assert check.verdict == "warn"
    assert "plan" in check.finding


def test_members_seen_late_count(members):
    late = members_of(5, n=20_000, late=0.5)
    plan = drivers(pattern_cells(late), horizon=90).table.set_index("column").loc["plan"]
    sign = 1 if plan["level"] == "annual" else -1
    se = (plan["difference_points_high"] - plan["difference_points"]) / norm.isf(0.025 / 2)
    assert abs(plan["difference_points"] - sign * true_difference(late)) < 3.5 * se


def test_levels_of_few_members_are_merged_and_said(members):
    few = members.copy()
    few.loc[few.index[:15], "plan"] = "gift"
    few.loc[few.index[15:45], "plan"] = "trial"
    result = drivers(pattern_cells(few), horizon=90, min_group=20)
    assert result.merged["plan"] == ("gift", "trial")
    assert (result.table["members"] >= 20).all()


def test_a_column_that_follows_from_another_is_left_out(members):
    twice = members.assign(price=members["plan"].map({"annual": "low", "monthly": "high"}))
    result = drivers(pattern_cells(twice), horizon=90)
    assert len(result.left_out) == 1
    assert result.left_out[0].startswith("price")
    assert set(result.table["column"]) == {"channel", "plan"}


TRUTH = {
    "retention": {
        "survival": [
            {"group": "plan", "level": level, "day": 90, "survival": share}
            for level, share in (("annual", 0.7), ("monthly", 0.5))
        ]
    }
}


def test_truth_stands_beside_where_it_is_known(cells):
    result = drivers(changed(cells, truth=TRUTH), horizon=90)
    plan = result.table.set_index("column")
    sign = 1 if plan.loc["plan", "level"] == "annual" else -1
    assert plan.loc["plan", "true_points"] == pytest.approx(sign * 0.2)
    assert np.isnan(plan.loc["channel", "true_points"])
    assert "true_points" not in drivers(changed(cells, truth=TRUTH), horizon=60).table


def test_a_world_that_contradicts_the_estimate_fails_the_check(cells):
    far = {"retention": {"survival": [{**row, "survival": 0.9 - row["survival"]} for row in SURVIVAL]}}
    good, bad = (check_drivers(drivers(changed(cells, truth=t), horizon=90))[1] for t in (NEAR, far))
    assert (good.verdict, bad.verdict) == ("pass", "fail")


def near_truth():
    members = members_of(1)
    level = 0.008 * np.where(members["channel"] == "partner", 0.6, 1.0)
    shares = (("annual", np.exp(-level * 45).mean()), ("monthly", np.exp(-level * 90).mean()))
    return [{"group": "plan", "level": level, "day": 90, "survival": share} for level, share in shares]


SURVIVAL = near_truth()
NEAR = {"retention": {"survival": SURVIVAL}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: Cells("test", "retention", {}, c.meta), "do not say which members share"),
        (lambda c: changed(c, patterns={"found": 7_321, "limit": 5_000}), "7,321 combinations"),
        (lambda c: changed(c, patterns_kept=0.55), "Only 55 % of members"),
        (lambda c: changed(c, c.tables["patterns"].drop(columns=["plan", "channel"])), "Nothing is known"),
        (lambda c: changed(c, c.tables["patterns"].assign(churned=0)), "Nobody has left"),
        (lambda c: changed(c, c.tables["patterns"].assign(plan="one", channel="one")), "one group only"),
    ],
)
def test_why_there_is_nothing_is_said(cells, change, says):
    result = drivers(change(cells), horizon=90)
    assert says in result.why_empty
    assert result.table.empty
    assert result.proportional.why_empty
    assert check_drivers(result) == []
    with pytest.raises(UndefinedError):
        result.difference("plan", "annual")


def test_a_horizon_nobody_reached_is_said(cells):
    assert "followed for 5000 days" in drivers(cells, horizon=5_000).why_empty


def test_nobody_seen_from_joining_on_is_said(cells):
    table = cells.tables["patterns"]
    moved = table.assign(day=table["day"] + 1)
    assert "seen from joining on" in drivers(changed(cells, moved), horizon=90).why_empty


@pytest.mark.parametrize("bad", [{"mass": 1.0}, {"horizon": 0}])
def test_a_parameter_out_of_range_is_an_error(cells, bad):
    with pytest.raises(ParameterError):
        drivers(cells, **{"horizon": 90, **bad})


def test_results_are_read_as_they_print(found):
    assert repr(found) == "Drivers of test (2 levels at 90 days; 95 % together)"
    assert repr(found.proportional) == "ProportionalHazards of 2 columns (changing: none)"
    assert len(found.drawn()) == 2
    first = found.clear().iloc[0]
    assert found.difference(first["column"], first["level"]).mass == 0.95
