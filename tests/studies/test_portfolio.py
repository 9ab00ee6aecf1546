"""All trials together: effects by hand, shrinkage, winners, sums, and what cannot be laid side by side."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import sojourn as sj
from portfolio_worlds import make_portfolio
from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.studies.portfolio.effects import odd_trials

RULE = {"rope": 0.0, "threshold": 0.9}


def laid(cells, **more):
    return sj.portfolio(cells, "net_value", **RULE, rng=np.random.default_rng(0), **more)


@pytest.fixture(scope="module")
def world():
    return make_portfolio()


@pytest.fixture(scope="module")
def made(world):
    return laid(world)


def small(rows, outcome="kept_at_90", **meta):
    table = pd.DataFrame(
        rows, columns=["trial", "scheme", "n", "total", "total_sq", "early", "early_sq", "cross"]
    )
    return Cells("test", "trials", {"trials": table.assign(outcome=outcome)}, {"horizon_days": 90, **meta})


def test_effects_are_differences_of_means_with_the_variances_of_means():
    """Four and three members on paper: late 1 0 1 1 | 0 1 0, early 2 0 1 3 | 1 1 0.

    Means .75 and 1/3, variances .25 and 1/3; early 1.5 and 2/3, variances 5/3 and 1/3; covariances (4.5/4 ..)
    """
    rows = [("a", "new", 4, 3, 3, 6, 14, 6), ("a", "none", 3, 1, 1, 2, 2, 1)]
    row = sj.trial_effects(small(rows), "kept_at_90").iloc[0]
    y, x = [1, 0, 1, 1], [2, 0, 1, 3]
    y0, x0 = [0, 1, 0], [1, 1, 0]
    assert row["effect"] == pytest.approx(np.mean(y) - np.mean(y0))
    assert row["error"] == pytest.approx(np.sqrt(np.var(y, ddof=1) / 4 + np.var(y0, ddof=1) / 3))
    assert row["early"] == pytest.approx(np.mean(x) - np.mean(x0))
    assert row["early_error"] == pytest.approx(np.sqrt(np.var(x, ddof=1) / 4 + np.var(x0, ddof=1) / 3))
    assert row["covariance"] == pytest.approx(np.cov(x, y)[0, 1] / 4 + np.cov(x0, y0)[0, 1] / 3)
    assert row["members"] == 7


def test_a_count_of_members_is_its_own_square():
    rows = [("a", "new", 40, 30, 30, 6, 14, 6), ("a", "none", 30, 10, 10, 2, 2, 1)]
    by_total = sj.trial_effects(small(rows), "kept_at_90")
    counted = small(rows).tables["trials"].rename(columns={"total": "k"}).drop(columns="total_sq")
    by_count = sj.trial_effects(Cells("test", "trials", {"trials": counted}, {}), "kept_at_90")
    pd.testing.assert_frame_equal(by_total, by_count)
    belief = sj.LiftPrior.from_belief(low=-0.1, high=0.1, mass=0.9)
    more = {**RULE, "rng": np.random.default_rng(0), "belief": belief}
    assert sj.portfolio(small(rows), "kept_at_90", **more).kind == "binary"
    paid = small([("a", "new", 4, 3.0, 5.0, 6, 14, 6), ("a", "none", 3, 1.0, 2.0, 2, 2, 1)], "net_value")
    assert sj.portfolio(paid, "net_value", **more).kind == "value"


def test_rounded_counts_carry_the_error_of_rounding():
    rows = [("a", "new", 400, 300, 300, 0, 0, 0), ("a", "none", 300, 100, 100, 0, 0, 0)]
    plain, rounded = (
        sj.trial_effects(small(rows, protected={"base": base}), "kept_at_90")["error"].iloc[0]
        for base in (0, 20)
    )
    assert rounded**2 - plain**2 == pytest.approx(20**2 / 12 * (1 / 400**2 + 1 / 300**2))


def test_trials_in_which_nothing_can_be_compared_are_named():
    rows = [
        ("a", "new", 400, 300, 300, 0, 0, 0),
        ("a", "none", 300, 100, 100, 0, 0, 0),
        ("alone", "new", 400, 300, 300, 0, 0, 0),
        ("tiny", "new", 1, 1, 1, 0, 0, 0),
        ("tiny", "none", 300, 100, 100, 0, 0, 0),
        ("unused", "none", 300, 100, 100, 0, 0, 0),
    ]
    belief = sj.LiftPrior.from_belief(low=-0.5, high=0.5, mass=0.9)
    made = sj.portfolio(small(rows), "kept_at_90", **RULE, rng=np.random.default_rng(0), belief=belief)
    assert made.left_out["trial"].tolist() == ["alone", "tiny", "unused"]
    assert made.left_out["why"].str.split(":").str[0].tolist() == [
        "no control",
        "too few members who were followed long enough, or all of whom did the same",
        "one scheme alone, with nothing beside it",
    ]
    assert made.left_out["by_lot"].all()
    assert made.trials == 1
    assert made.table["verdict"].tolist() == ["ship"]


def drawn(seed, months, effect=0.0):
    """Return members of a trial whose division and whose outcomes change from month to month.

    `months`: members, share who get the scheme, mean of the outcome.
    """
    rng, parts = np.random.default_rng(seed), []
    for number, (n, share, mean) in enumerate(months):
        given = rng.random(n) < share
        early = rng.normal(mean / 4, 1, n)
        late = mean + effect * given + early + rng.normal(0, 3, n)
        parts.append(pd.DataFrame({"period": f"m{number}", "given": given, "late": late, "early": early}))
    return pd.concat(parts, ignore_index=True)


def summed(rows):
    rows = rows.assign(
        scheme=np.where(rows["given"], "new", "none"),
        n=1, total=rows["late"], total_sq=rows["late"] ** 2,
        early_sq=rows["early"] ** 2, cross=rows["early"] * rows["late"],
    )  # fmt: skip
    columns = ["n", "total", "total_sq", "early", "early_sq", "cross"]
    table = rows.groupby(["scheme", "period"], as_index=False)[columns].sum().assign(trial="a", outcome="x")
    return Cells("test", "trials", {"trials": table}, {"horizon_days": 90})


@given(seed=st.integers(0, 1000), share=st.floats(0.1, 0.9))
@settings(max_examples=10, deadline=None)
def test_over_months_an_effect_is_the_coefficient_of_a_regression_on_months(seed, share):
    """Least squares on the scheme and the months, of members: the same to rounding."""
    rows = drawn(seed, [(300, share, 10), (200, 0.5, 14), (100, 0.3, 6)], effect=1.0)
    found = sj.trial_effects(summed(rows), "x").iloc[0]
    design = np.column_stack([rows["given"], pd.get_dummies(rows["period"])]).astype(float)
    for name, effect in (("late", "effect"), ("early", "early")):
        by_members = np.linalg.lstsq(design, rows[name].to_numpy(), rcond=None)[0][0]
        assert found[effect] == pytest.approx(by_members, abs=1e-9)
    assert found["members"] == 600


def test_a_division_that_changed_over_time_makes_no_effect():
    """Of later members, who pay less, more get the scheme: together they seem to lose 4.7 by it, truly none.

    By months each of 40 worlds errs by .18, their mean by .028 (here up to 2.5 of it); 95 of 100 intervals
    hold 0, of 40 all but 2, give or take 4 (3 standard deviations).
    """
    months = [(1000, 0.1, 16.0), (1000, 0.5, 8.0)]
    pooled, told, held = [], [], []
    for seed in range(40):
        cells = summed(drawn(seed, months))
        row = sj.trial_effects(cells, "x").iloc[0]
        together = dataclasses.replace(cells, tables={"trials": cells["trials"].drop(columns="period")})
        pooled.append(sj.trial_effects(together, "x")["effect"].iloc[0])
        told.append(row["effect"])
        held.append(abs(row["effect"]) < 1.96 * row["error"])
    assert np.mean(pooled) == pytest.approx(-4.7, abs=0.3)
    assert abs(np.mean(told)) < 0.07
    assert 40 - sum(held) <= 6


def test_schemes_that_were_never_given_beside_their_control_are_named():
    rows = drawn(1, [(200, 1.0, 10), (200, 0.0, 10)])
    belief = sj.LiftPrior.from_belief(low=-1, high=1, mass=0.9)
    made = sj.portfolio(summed(rows), "x", **RULE, rng=np.random.default_rng(0), belief=belief)
    assert made.left_out["why"].tolist() == ["its schemes were never given in the same month as its control"]


def test_trials_of_which_nothing_is_known_are_named(world):
    more = [("young", "kept", 0), ("young", "kept", 0), ("gone", "back", 90), ("gone", "back", 90)]
    arms = pd.DataFrame(more, columns=["trial", "aim", "matured"])
    arms = arms.assign(scheme=["none", "new"] * 2, assigned=100, month="2025-06")
    made = laid(dataclasses.replace(world, tables={**world.tables, "arms": arms}))
    assert made.left_out[["trial", "by_lot"]].to_numpy().tolist() == [["gone", True], ["young", True]]
    assert made.left_out["why"].tolist() == [
        "of members who had left, and the case has no table `spells` that says who is back",
        "nobody was followed long enough yet",
    ]
    assert made.trials == 40
    alone = laid(dataclasses.replace(world, tables={"arms": arms}))
    assert alone.left_out["trial"].tolist() == ["gone", "young"]


def with_arms(cells, chosen=(), shift=0.4):
    """Return cells that know what members did before: 3 days each with a deviation of 2, `chosen` less."""
    rows = cells["trials"][["trial", "scheme", "n"]].rename(columns={"n": "assigned"})
    less = shift * (rows["trial"].isin(chosen) & (rows["scheme"] != "none"))
    n, mean = rows["assigned"], 3 - less
    arms = rows.assign(before=n * mean, before_sq=n * (mean**2 + 4), month="2025-01")
    return dataclasses.replace(cells, tables={**cells.tables, "arms": arms})


def test_trials_that_were_assigned_in_groups_are_left_out(world):
    """Nothing is learned of them either, and no early outcome judged by them."""
    table = world["trials"]
    arms = table[["trial", "scheme"]].assign(together=0, assigned=400, month="2025-01", matured=1)
    grouped = sorted(set(table["trial"]))[:3]
    arms.loc[arms["trial"].isin(grouped), "together"] = 40
    cells = dataclasses.replace(world, tables={**world.tables, "arms": arms})
    left = laid(cells).left_out
    assert left["trial"].tolist() == grouped
    assert left["by_lot"].all()
    assert left["why"].str.startswith("more than 1 in 20 of its members were assigned together").all()
    assert not set(grouped) & set(sj.trial_effects(cells, "net_value")["trial"])


def test_trials_whose_members_were_chosen_are_left_out(world):
    """2,000 members a scheme with a deviation of 2: a difference of .4 is 6.3 standard errors, .1 is 1.6."""
    chosen = ("trial 003", "trial 017")
    made = laid(with_arms(world, chosen))
    assert made.trials == 38
    odd = made.left_out.set_index("trial")
    assert tuple(odd.index) == chosen
    assert not odd["by_lot"].any()
    assert odd["why"].iloc[0].endswith("had come on 2.6 days before, those of its control on 3.0")
    assert laid(with_arms(world, chosen, shift=0.1)).trials == 40
    for study in (sj.past_lifts(with_arms(world, chosen), "net_value"),):
        assert study.trials == 38
    check = sj.check_portfolio(made)[0]
    assert check.verdict == "warn"
    assert check.finding.startswith("In trial 003 and trial 017, members of the schemes had not come")
    assert sj.check_portfolio(laid(with_arms(world)))[0].verdict == "pass"
    assert "is not known" in sj.check_portfolio(laid(world))[0].finding


@pytest.mark.parametrize("size", [2, 20])
def test_a_few_members_who_never_came_do_not_condemn_a_trial(size):
    """One member in twenty had come before: of 20 drawn by lot none has in 36 % of trials, of 2 in 90 %."""
    arms = pd.DataFrame(
        [("a", "none", 2000, 100, 100, "2025-01"), ("a", "debug", size, 0, 0, "2025-01")],
        columns=["trial", "scheme", "assigned", "before", "before_sq", "month"],
    )
    cells = Cells("test", "portfolio", {"arms": arms}, {})
    assert odd_trials(cells).empty
    grown = arms.assign(assigned=[2000, 1000])  # of 1,000 it would be no chance
    assert odd_trials(dataclasses.replace(cells, tables={"arms": grown}))["trial"].tolist() == ["a"]
    assert odd_trials(dataclasses.replace(cells, tables={"arms": grown}), min_group=1001).empty


def test_nobody_who_came_before_or_everybody_alike_is_no_difference():
    rows = [("a", s, 40, 30, 30, 6, 14, 6) for s in ("new", "none")]
    arms = pd.DataFrame(
        {"trial": "a", "scheme": ["new", "none"], "assigned": 40, "before": 0, "before_sq": 0}
    )
    cells = small(rows)
    assert odd_trials(dataclasses.replace(cells, tables={**cells.tables, "arms": arms})).empty
    constant = arms.assign(before=[40, 80], before_sq=[40, 160])  # one day each, two days each
    found = odd_trials(dataclasses.replace(cells, tables={**cells.tables, "arms": constant}))
    assert found[["before", "before_of_control", "p"]].to_numpy().tolist() == [[1.0, 2.0, 0.0]]


def test_trials_stand_in_the_order_of_time(world):
    cells = with_arms(world)
    arms = cells["arms"]
    late = arms["trial"].isin(["trial 001", "trial 002"])
    dated = arms.assign(month=np.where(late, "2025-03", "2025-02"))
    made = laid(dataclasses.replace(cells, tables={**cells.tables, "arms": dated}))
    assert made.running["trial"].iloc[[0, -2, -1]].tolist() == ["trial 003", "trial 001", "trial 002"]


def test_a_planted_gain_is_compared_only_over_the_same_days(world):
    assert laid(world).table["truth"].notna().all()
    other = dataclasses.replace(world, meta={**world.meta, "horizon_days": 60})
    assert "truth" not in laid(other).table


def test_a_belief_is_stated_by_its_bounds_or_learned(world):
    stated = laid(world, belief=[-2.0, 2.0, 0.9])
    assert stated.belief == sj.LiftPrior.from_belief(low=-2, high=2, mass=0.9)
    pd.testing.assert_frame_equal(laid(world, belief=[]).table, laid(world).table)


def test_small_groups_are_not_compared(world):
    assert "There is no trial" in laid(world, belief=[-2.0, 2.0, 0.9], min_group=2001).why_empty
    assert sj.proxy_exam(world, "net_value", rng=np.random.default_rng(0), min_group=2001).trials == 0


def test_of_what_is_worth_it_some_is_expected_not_to_be(made):
    assert made.wrong == pytest.approx((1 - made.shipped["p_worth"]).sum())
    assert 0 < made.wrong < 0.1 * len(made.shipped)


def test_under_a_frozen_belief_lifts_are_conjugate_normals(world):
    """Posterior of every lift in closed form; the belief is on lifts, so nothing is mapped."""
    belief = sj.LiftPrior.from_belief(low=-1.0, high=1.4, mass=0.9)
    made = laid(world, belief=belief).table
    kept = belief.sd**2 / (belief.sd**2 + made["error"] ** 2)
    mean, sd = belief.mean + kept * (made["raw_lift"] - belief.mean), np.sqrt(kept) * made["error"]
    assert made["lift"].to_numpy() == pytest.approx(mean.to_numpy(), abs=1e-9)
    assert made["p_worth"].to_numpy() == pytest.approx(stats.norm.sf(0, mean, sd), abs=1e-9)
    low = stats.norm.ppf(0.025, mean, sd)
    assert made["lift_low"].to_numpy() == pytest.approx(low, abs=1e-6)  # found by bisection
    assert set(made["verdict"][made["p_worth"] > 0.9]) == {"ship"}
    assert set(made["verdict"][made["p_worth"] < 0.1]) == {"drop"}


def test_a_learned_law_shrinks_by_how_little_trials_differ(made):
    """40 trials that spread by 1.2 and err by .6: planted truth inside, errors smaller than as counted."""
    table = made.table
    assert made.spread.low < 1.2 < made.spread.high
    error = {name: np.sqrt(((table[name] - table["truth"]) ** 2).mean()) for name in ("raw_lift", "lift")}
    assert error["lift"] < error["raw_lift"]
    inside = (table["lift_low"] <= table["truth"]) & (table["truth"] <= table["lift_high"])
    assert inside.mean() >= 0.8  # 40 trials of 95 %: fewer than 32 happen once in 100,000
    assert 0 < made.shrunk < 0.6
    assert made.p_fit > 0.01


def test_winners_are_expected_to_be_less_than_they_were_counted(made):
    row = made.curse.iloc[0]
    assert row["shipped"] == len(made.shipped) > 3
    assert row["lift"] < row["raw_lift"]
    assert row["lift_low"] < row["truth"] < row["lift_high"]
    assert row["lift"] == pytest.approx(made.shipped["lift"].mean(), abs=0.02)  # 4,000 draws


def test_sums_are_those_of_what_ships(made):
    """4,000 draws of a sum whose standard deviation is about 10 thousand: within 1 % of it times 4."""
    ships = made.shipped
    assert made.total().value == pytest.approx((ships["lift"] * ships["members"]).sum(), rel=0.02)
    claimed = made.running["raw_amount"].iloc[-1]
    assert claimed == pytest.approx((ships["raw_lift"] * ships["members"]).sum())
    assert made.running["shipped"].tolist() == sorted(made.running["shipped"])
    alone = np.sqrt((((ships["lift_high"] - ships["lift_low"]) / 3.92 * ships["members"]) ** 2).sum())
    width = (made.total().high - made.total().low) / 3.92
    assert width > 0.95 * alone  # what is shared by trials can only widen it


def test_reach_replaces_the_members_of_the_trial(world, made):
    thousand = laid(world, reach=1000.0)
    assert thousand.total().value == pytest.approx(made.total().value / 4, rel=1e-9)


def test_of_several_schemes_of_a_trial_the_best_ships():
    arms = [("none", 2000), ("good", 2600), ("better", 3000), ("bad", 1500)]
    rows = [("a", scheme, 10_000, k, k, 0, 0, 0) for scheme, k in arms]
    belief = sj.LiftPrior.from_belief(low=-0.2, high=0.2, mass=0.9)
    made = sj.portfolio(small(rows), "kept_at_90", **RULE, rng=np.random.default_rng(0), belief=belief)
    verdicts = dict(zip(made.table["scheme"], made.table["verdict"], strict=True))
    assert verdicts == {"bad": "drop", "better": "ship", "good": "worth it, another is better"}


def test_too_few_trials_say_so_and_a_frozen_belief_needs_none():
    cells = make_portfolio(4)
    assert "4 trials" in laid(cells).why_empty
    belief = sj.LiftPrior.from_belief(low=-2, high=2, mass=0.9)
    assert laid(cells, belief=belief).trials == 4


def test_cells_without_the_table_or_the_outcome_say_so(world):
    assert laid(Cells("test", "trials", {}, {})).why_empty
    assert sj.portfolio(world, "kept_at_30", **RULE, rng=np.random.default_rng(0)).why_empty
    with pytest.raises(DataError, match="kept_at_30"):
        sj.trial_effects(world, "kept_at_30")
    with pytest.raises(DataError, match="scheme"):
        sj.trial_effects(
            Cells("test", "trials", {"trials": world["trials"].drop(columns="scheme")}, {}), "net_value"
        )


def test_a_belief_that_trials_speak_against_is_found(world):
    for low, high in (
        (-12, 12),
        (-0.2, 0.2),
        (3, 6),
    ):  # too wide, too narrow, elsewhere; the truth spreads by 1.2
        belief = sj.LiftPrior.from_belief(low=low, high=high, mass=0.9)
        assert laid(world, belief=belief).p_fit < 0.01
        check = sj.check_portfolio(laid(world, belief=belief))[-1]
        assert check.verdict == "warn"
    right = sj.LiftPrior.from_belief(low=-2, high=2, mass=0.9)
    assert sj.check_portfolio(laid(world, belief=right))[-1].verdict == "pass"
    assert sj.check_portfolio(laid(make_portfolio(4))) == []


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_order_of_rows_and_currency_change_nothing(seed, unit):
    cells = make_portfolio(12, seed=3, members=200)
    table = cells.tables["trials"].sample(frac=1, random_state=seed)
    table = table.assign(
        total=unit * table["total"], total_sq=unit**2 * table["total_sq"], cross=unit * table["cross"]
    )
    other = laid(dataclasses.replace(cells, tables={"trials": table}))
    first = laid(cells)
    assert other.table["lift"].to_numpy() == pytest.approx(
        unit * first.table["lift"].to_numpy(), rel=1e-3, abs=1e-3 * unit
    )
    assert other.table["verdict"].tolist() == first.table["verdict"].tolist()
    assert other.total().value == pytest.approx(unit * first.total().value, rel=0.05, abs=50 * unit)
