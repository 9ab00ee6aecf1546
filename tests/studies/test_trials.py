"""The study of trials: known numbers, laws, the rule's branches, and checks that find planted faults."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.cells import Cells
from sojourn.core.errors import ConvergenceError, DataError, ParameterError, UndefinedError
from sojourn.core.params import read_params
from sojourn.core.results.check import Check
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan
from sojourn.core.results.trials import Audit
from sojourn.data.casebook import casebook_cells
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.checks import check_trial
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.conflict import conflict_p
from sojourn.studies.trials.decide import decide
from sojourn.studies.trials.split import check_split, smallest_fault, split_p_value, verdict
from sojourn.studies.trials.trial import trial

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared" / "data"
BELIEF = LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.90)
MONEY = LiftPrior.from_belief(low=-4, high=4, mass=0.90)
SCHEMES = ("none", "coupon", "points")


def make_cells(
    seed=1, *, lift=(0.0, 0.03, 0.0), value=(0.0, 1.5, 0.0), months=4, n=500, strata=("a", "b"), **meta
):
    """Return cells of a trial: three schemes, two strata, kept about .3, value about 10."""
    rng = np.random.default_rng(seed)
    binary, values, split = [], [], []
    for i, scheme in enumerate(SCHEMES):
        for month in range(months):
            period = f"2025-{month + 1:02d}"
            split.append((scheme, period, n * len(strata), n * len(strata)))
            for j, stratum in enumerate(strata):
                k = rng.binomial(n, 0.3 + 0.1 * j + lift[i])
                binary.append(("kept_at_90", scheme, stratum, period, n, k))
                x = rng.gamma(2, 5, n) + 2 * j + value[i]
                values.append(("net_value", scheme, stratum, period, n, x.sum(), (x**2).sum(), (x**3).sum()))
    by = ["outcome", "scheme", "stratum", "period", "n"]
    tables = {
        "binary": pd.DataFrame(binary, columns=[*by, "k"]),
        "value": pd.DataFrame(values, columns=[*by, "total", "total_sq", "total_cube"]),
        "split": pd.DataFrame(split, columns=["scheme", "period", "assigned", "matured"]),
    }
    about = {"trial": "main", "horizon_days": 90, "currency": "EUR", "allocation": {}, "historic": False}
    return Cells("test", "trials", tables, {**about, **meta})


def make_trial(seed=1, **more):
    return trial(make_cells(seed, **more), min_group=20)


def compare(of, outcome="kept_at_90", seed=2, **more):
    prior = BELIEF if of.kind(outcome) == "binary" else MONEY
    return compare_schemes(of, outcome, prior=prior, mass=0.95, rng=np.random.default_rng(seed), **more)


def make_plan(**changes):
    default = {
        "metric": "net_value", "guard": "kept_at_90", "horizon_days": 90, "rope": 0.2, "threshold": 0.95,
        "tolerable_loss": 0.5, "guard_margin": 0.01, "guard_risk": 0.05, "looks": 2, "worthwhile": 1.0,
        "belief": BELIEF, "belief_value": MONEY,
    }  # fmt: skip
    return TrialPlan(**{**default, **changes})


# known numbers -------------------------------------------------------------------------------------------


@pytest.fixture
def published(monkeypatch):
    """Trials of the casebook by case and control."""
    monkeypatch.setenv("SOJOURN_ROOT", str(PROJECT))

    def made(case, control):
        return trial(casebook_cells(read_params(), case, "trials"), control=control, min_group=20)

    return made


def test_cookie_cats_is_split_unevenly_and_keeps_fewer_at_the_later_gate(published):
    cookie = published("cookie_cats", "gate_30")
    split = check_split(cookie)
    assert split.verdict == "warn"
    assert round(split.p_value, 4) == 0.0087
    result = compare(cookie, "kept_at_7")
    np.testing.assert_allclose(result.table["raw_mean"], [0.190201, 0.182000], atol=5e-7)
    assert cookie.historic


def test_hillstrom_has_its_published_rates(published):
    mail = published("hillstrom", "No E-Mail")
    for outcome, rates in {
        "visit": (0.1828, 0.1062, 0.1514),
        "conversion": (0.01253, 0.00573, 0.00884),
    }.items():
        sums = mail.cells(outcome).groupby("scheme")[["n", "k"]].sum()
        found = (sums["k"] / sums["n"])[["Mens E-Mail", "No E-Mail", "Womens E-Mail"]]
        np.testing.assert_allclose(found, rates, atol=5e-5)
    spend = mail.cells("spend").groupby("scheme")[["n", "total"]].sum()
    found = (spend["total"] / spend["n"])[["Mens E-Mail", "No E-Mail", "Womens E-Mail"]]
    np.testing.assert_allclose(found, (1.4226, 0.6528, 1.0772), atol=5e-5)


@pytest.mark.parametrize("case", ["hillstrom", "cookie_cats"])
def test_committed_cells_are_those_of_the_published_file(case, tmp_path):
    folder = PROJECT / "data" / "casebook" / case / "trials"
    published_file = SHARED / case / f"{case}.csv.gz"
    if not published_file.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{published_file.name} must be there in CI")
        pytest.skip(f"the published file of {case} is not beside the project")
    there = tmp_path / "data" / "casebook" / case / "trials"
    there.mkdir(parents=True)
    (there / "make.py").write_text((folder / "make.py").read_text())
    environment = {**os.environ, "SOJOURN_ROOT": str(PROJECT), "PYTHONPATH": str(PROJECT / "src")}
    command = [sys.executable, str(there / "make.py"), str(published_file)]
    subprocess.run(command, env=environment, check=True)
    for made in [*sorted(there.glob("*.csv")), there / "cells.json"]:
        assert made.read_bytes() == (folder / made.name).read_bytes(), made.name


def test_assumed_margin_and_cost_are_those_of_params():
    about = json.loads((PROJECT / "data/casebook/hillstrom/trials/cells.json").read_text())
    stated = read_params().for_cells("hillstrom", "trials")
    assert {name: about[name] for name in about["assumed"]} == {
        name: stated[name] for name in about["assumed"]
    }


# split ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "word"), [((5000, 5000), "pass"), ((5000, 5270), "warn"), ((5000, 5400), "fail")]
)
def test_verdicts_of_the_split(n, word):
    p = split_p_value(np.array(n), np.array([0.5, 0.5]))
    assert p == pytest.approx(stats.binomtest(n[0], sum(n)).pvalue)
    assert verdict(p) == word


def test_more_than_two_schemes_use_chi_square_and_the_planned_shares():
    n, shares = np.array([5100, 2400, 2500]), np.array([0.5, 0.25, 0.25])
    assert split_p_value(n, shares) == pytest.approx(stats.chisquare(n, shares * n.sum()).pvalue)
    of = make_trial(allocation={"none": 2, "coupon": 1, "points": 1})
    assert check_split(of).verdict == "fail"
    assert dict(of.allocation) == {"none": 0.5, "coupon": 0.25, "points": 0.25}


def test_the_stated_catch_rate_is_the_simulated_one():
    """50 to 51 at 100,000 an arm is caught in at least 95 % (STATISTICS 5); the formula says so too."""
    rng = np.random.default_rng(3)
    shares = np.array([50, 51]) / 101
    drawn = rng.multinomial(200_000, shares, size=400)
    caught = np.mean([split_p_value(row, np.array([0.5, 0.5])) < 0.01 for row in drawn])
    cells = make_cells()
    two = {name: table[table["scheme"] != "points"] for name, table in cells.tables.items()}
    each = 100_000 / 4
    two["split"] = two["split"].assign(assigned=each, matured=each).astype({"assigned": int, "matured": int})
    stated = check_split(trial(Cells("t", "trials", two, cells.meta), min_group=20)).catch_rate
    assert caught >= 0.95
    assert stated == pytest.approx(caught, abs=0.04)  # 400 trials: 3 errors at .96 are .03


def test_an_allocation_that_changes_over_time_is_found():
    cells = make_cells(months=4)
    split = cells.tables["split"]
    late = split["period"] > "2025-02"
    split.loc[late & (split["scheme"] == "none"), "assigned"] //= 2
    split.loc[~late & (split["scheme"] == "none"), "assigned"] *= 3
    split.loc[~late & (split["scheme"] == "none"), "assigned"] //= 2
    found = trial(cells, min_group=20)
    check = next(c for c in check_trial(found, [], []) if c.name == "Same division at all times")
    assert check.verdict == "fail"
    assert "compare within months" in check.meaning


# trial ----------------------------------------------------------------------------------------------------


def test_control_comes_first_and_the_others_by_name():
    assert make_trial().schemes == ("none", "coupon", "points")
    assert trial(make_cells(), control="points", min_group=20).schemes == ("points", "coupon", "none")


def test_strata_can_be_months_or_nothing():
    assert trial(make_cells(), strata="period", min_group=20).strata[:2] == ("2025-01", "2025-02")
    assert trial(make_cells(), strata="none", min_group=20).strata == ("all",)


def test_small_strata_are_put_together():
    cells = make_cells(strata=("a", "b", "c"), months=1)
    for name in ("binary", "value"):
        small = cells.tables[name]["stratum"] == "c"
        cells.tables[name].loc[small, "n"] = 15
    cells.tables["binary"]["k"] = cells.tables["binary"][["n", "k"]].min(axis=1)
    assert trial(cells, min_group=10).strata == ("a", "b", "c")
    merged = trial(cells, min_group=20)
    assert merged.strata in (("a", "other"), ("b", "other"))
    assert merged.cells("kept_at_90")["n"].sum() == cells["binary"]["n"].sum()


def test_too_few_members_are_not_compared():
    with pytest.raises(UndefinedError, match="fewer than 5000 members"):
        trial(make_cells(), min_group=5000)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: trial(make_cells(), control="nobody", min_group=20),
            ParameterError,
            "'control' must be one of 'coupon', 'none', 'points', got 'nobody'",
        ),
        (lambda: trial(make_cells(), "other", min_group=20), DataError, "of trial 'main', not of 'other'"),
        (lambda: trial(Cells("c", "retention", {}, {}), min_group=20), DataError, "not cells of a trial"),
        (
            lambda: make_trial(allocation={"none": 1.0}),
            ParameterError,
            "must name every scheme once; coupon, points",
        ),
        (
            lambda: make_trial().kind("kept"),
            ParameterError,
            "'outcome' must be one of 'kept_at_90', 'net_value', got 'kept'",
        ),
        (lambda: make_plan(threshold=0.4), ParameterError, "'threshold' must be above 0.5"),
        (lambda: make_plan(worthwhile=0.1), ParameterError, "'worthwhile' must be above 0.2"),
        (lambda: LiftPrior.from_belief(low=1, high=0, mass=0.9), ParameterError, "'high' must be above 1"),
        (lambda: BELIEF.on_logit(0.02), ParameterError, "not possible at a base rate of 0.02"),
    ],
)
def test_bad_input_has_one_clear_error(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_an_outcome_that_never_varies_is_not_compared():
    cells = make_cells()
    cells.tables["binary"]["k"] = 0
    with pytest.raises(UndefinedError, match="the same for every member"):
        compare(trial(cells, min_group=20))


# comparison -----------------------------------------------------------------------------------------------


def test_the_belief_is_kept_by_the_prior():
    drawn = stats.norm(BELIEF.mean, BELIEF.sd)
    assert drawn.cdf(0.05) - drawn.cdf(-0.03) == pytest.approx(0.9)
    mean, sd = BELIEF.on_logit(0.3)
    ends = [1 / (1 + np.exp(-(np.log(0.3 / 0.7) + mean + s * BELIEF.sds * sd))) - 0.3 for s in (-1, 1)]
    np.testing.assert_allclose(ends, [-0.03, 0.05])


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_cut_of_cells_change_nothing(seed):
    cells = make_cells(seed)
    rng = np.random.default_rng(seed)
    halves = {}
    for name in ("binary", "value"):
        table = cells.tables[name]
        sums = [c for c in table.columns if c not in ("outcome", "scheme", "stratum", "period")]
        part = table.assign(**{c: table[c] // 3 for c in sums})
        rest = table.assign(**{c: table[c] - part[c] for c in sums})
        halves[name] = pd.concat([part, rest]).sample(frac=1, random_state=np.random.RandomState(seed))
    shuffled = Cells(
        "test", "trials", {**halves, "split": cells.tables["split"].iloc[rng.permutation(12)]}, cells.meta
    )
    for outcome in ("kept_at_90", "net_value"):
        once, again = (compare(trial(c, min_group=20), outcome, draws=2000) for c in (cells, shuffled))
        # the sums differ in their order of addition only
        pd.testing.assert_frame_equal(once.table, again.table, rtol=1e-7)
        pd.testing.assert_frame_equal(once.strata, again.strata, rtol=1e-7)


def test_chances_add_up_and_lifts_are_antisymmetric():
    result = compare(make_trial())
    assert result.table["p_best"].sum() == pytest.approx(1)
    np.testing.assert_allclose(result.lift_draws("coupon", "points"), -result.lift_draws("points", "coupon"))
    assert result.table["expected_loss"].min() >= 0
    best = result.draws.max(axis=1).mean()
    np.testing.assert_allclose(result.table["mean"] + result.table["expected_loss"], best)


def test_names_of_schemes_only_permute_rows():
    """The draws differ, so means are compared within 5 simulation errors of 20,000 draws."""
    cells = make_cells(7)
    names = {"none": "none", "coupon": "points", "points": "coupon"}
    renamed = {t: table.assign(scheme=table["scheme"].map(names)) for t, table in cells.tables.items()}
    once = compare(trial(cells, min_group=20)).table.set_index("scheme")
    again = compare(trial(Cells("test", "trials", renamed, cells.meta), min_group=20)).table.set_index(
        "scheme"
    )
    tolerance = 5 * (once["lift_high"] - once["lift_low"]).max() / 4 / np.sqrt(20_000)
    for name, other in names.items():
        assert again.loc[other, "mean"] == pytest.approx(once.loc[name, "mean"], abs=tolerance)


def test_more_members_narrow_the_interval():
    small, large = (compare(make_trial(months=m), "net_value").lift("coupon") for m in (2, 8))
    # four times the members: half the width, but for the prior's share
    assert 0.4 < (large.high - large.low) / (small.high - small.low) < 0.65


def test_moments_of_values_are_those_of_the_members():
    rng = np.random.default_rng(0)
    x = rng.gamma(0.7, 10, 400)
    cells = make_cells(months=1, strata=("a",))
    row = cells.tables["value"].index[0]
    columns = ["n", "total", "total_sq", "total_cube"]
    cells.tables["value"]["n"] = cells.tables["value"]["n"].astype(float)
    cells.tables["value"].loc[row, columns] = [400.0, x.sum(), (x**2).sum(), (x**3).sum()]
    arms = make_arms(trial(cells, min_group=20), "net_value")
    assert arms.mean[0, 0] == pytest.approx(x.mean())
    assert arms.variance[0, 0] == pytest.approx(x.var(ddof=1))
    assert arms.third[0, 0] == pytest.approx(stats.moment(x, 3))


def test_small_strata_shrink_towards_the_whole():
    result = compare(make_trial(lift=(0, 0.03, 0), n=60))
    assert 0.3 < result.shrunk <= 1
    alone, pooled = (result.strata[c].std() for c in ("raw_lift", "lift"))
    assert pooled < alone


def test_one_stratum_has_nothing_to_shrink():
    result = compare(trial(make_cells(), strata="none", min_group=20))
    assert np.isnan(result.shrunk)


# decision -------------------------------------------------------------------------------------------------


def judged(plan=None, checks=(), **world):
    of = make_trial(**world)
    return decide(compare(of, "net_value"), plan or make_plan(), guard=compare(of), checks=checks)


def test_a_good_scheme_ships():
    decision = judged(value=(0, 2.5, 0))
    assert (decision.verdict, decision.scheme) == ("ship", "coupon")


def test_useless_schemes_stop():
    decision = judged(make_plan(rope=1.5, worthwhile=3.0), value=(0, 0.6, -3))
    assert (decision.verdict, decision.scheme) == ("stop", "coupon")
    assert decision.reasons[1].startswith("Points does harm: it is worse than control with a chance of")


def test_harmful_schemes_are_stopped():
    decision = judged(value=(0, -2, -3))
    assert decision.verdict == "stop for harm"
    assert [reason.split()[0] for reason in decision.reasons] == ["Points", "Coupon"]


def test_small_differences_within_the_rope_are_not_worth_having():
    decision = judged(make_plan(rope=1.5, worthwhile=3.0), value=(0, 0, 0), months=12)
    assert decision.verdict == "no difference worth having"


def test_too_little_evidence_waits():
    decision = judged(value=(0, 0.4, 0), n=60)
    assert decision.verdict == "wait"
    assert "chance that" in decision.reasons[0]


def test_a_scheme_that_loses_members_is_vetoed_by_the_guard():
    decision = judged(value=(0, 2.5, 0), lift=(0, -0.02, 0))
    assert decision.verdict == "wait"
    assert decision.reasons == ("coupon is vetoed by the guard.",)


def test_a_scheme_that_surely_loses_members_does_harm_whatever_it_earns():
    decision = judged(value=(0, 2.5, 0), lift=(0, -0.12, 0))
    assert dict(zip(decision.table["scheme"], decision.table["verdict"], strict=True))["coupon"] == "harms"
    assert any(r.startswith("Coupon does harm: it makes the guard worse") for r in decision.reasons)


def test_expected_loss_vetoes():
    decision = judged(make_plan(tolerable_loss=0.0), value=(0, 2.5, 2.4))
    assert decision.verdict == "wait"
    assert "expected loss" in decision.reasons[0]


@pytest.mark.parametrize("word", ["fail", "cannot be judged"])
def test_a_failed_check_blocks(word):
    check = Check("Members divided as planned", word, "p = 0.0000.", "")
    decision = judged(checks=[check], value=(0, 2.5, 0))
    assert decision.verdict == "blocked"
    assert decision.reasons == ("Members divided as planned: p = 0.0000.",)


def test_a_warning_does_not_block():
    assert judged(checks=[Check("x", "warn", "", "")], value=(0, 2.5, 0)).verdict == "ship"


def test_the_plan_must_be_of_the_result():
    of = make_trial()
    with pytest.raises(ParameterError, match="pass its result as `guard`"):
        decide(compare(of, "net_value"), make_plan())
    with pytest.raises(ParameterError, match="is for 'net_value' after 30 days"):
        decide(compare(of, "net_value"), make_plan(horizon_days=30), guard=compare(of))


def test_every_change_of_the_plan_changes_its_fingerprint():
    changes = [{"rope": 0.3}, {"threshold": 0.9}, {"looks": 3}, {"belief": MONEY}, {"guard_risk": 0.1}]
    assert len({make_plan(**change).fingerprint for change in [{}, *changes]}) == 6


# checks ---------------------------------------------------------------------------------------------------


def verdicts(of, results=(), audits=()):
    return {check.name: check.verdict for check in check_trial(of, results, audits)}


def make_audit(**changes):
    default = {
        "outcome": "kept_at_90", "sampler": "NUTS", "r_hat": 1.001, "ess_bulk": 3000.0, "divergences": 0,
        "gap_sd": 0.02, "gap_p": 0.004, "comparison": pd.DataFrame(),
    }  # fmt: skip
    return Audit(**{**default, **changes})


def test_a_sound_trial_passes_every_check():
    of = make_trial()
    found = verdicts(of, [compare(of), compare(of, "net_value")], [make_audit()])
    assert set(found.values()) == {"pass"}
    assert len(found) == 13


@pytest.mark.parametrize("fault", [{"r_hat": 1.02}, {"ess_bulk": 300.0}, {"divergences": 1}])
def test_a_sampler_that_did_not_converge_blocks_and_gives_no_numbers(fault):
    of, bad = make_trial(), make_audit(**fault)
    found = check_trial(of, [compare(of)], [bad])
    assert {c.name.split(" (")[0] for c in found if c.blocks} == {
        "The full model could be sampled",
        "Quick and full computation agree",
    }
    with pytest.raises(ConvergenceError, match="did not converge on 'kept_at_90'"):
        _ = bad.table


@pytest.mark.parametrize("fault", [{"gap_sd": 0.2}, {"gap_p": 0.05}])
def test_disagreement_blocks(fault):
    of = make_trial()
    found = check_trial(of, [compare(of)], [make_audit(**fault)])
    assert [c.name.split(" (")[0] for c in found if c.blocks] == ["Quick and full computation agree"]


def test_unequal_follow_up_fails_and_little_follow_up_warns():
    cells = make_cells()
    cells.tables["split"].loc[:3, "matured"] = 600
    assert verdicts(trial(cells, min_group=20))["Follow-up complete"] == "fail"
    cells.tables["split"]["matured"] = 400
    assert verdicts(trial(cells, min_group=20))["Follow-up complete"] == "warn"


def test_an_effect_that_fades_over_months_is_found():
    cells = make_cells(months=4, lift=(0, 0, 0))
    binary = cells.tables["binary"]
    early = (binary["period"] < "2025-03") & (binary["scheme"] == "coupon")
    binary.loc[early, "k"] += 70
    of = trial(cells, min_group=20)
    assert verdicts(of, [compare(of)])["Same effect in every month (kept at 90)"] == "fail"


def test_an_outlying_stratum_raises_a_conflict():
    cells = make_cells(lift=(0, 0, 0))
    binary = cells.tables["binary"]
    binary.loc[(binary["stratum"] == "b") & (binary["scheme"] == "coupon"), "k"] += 80
    of = trial(cells, min_group=20)
    assert verdicts(of, [compare(of)])["Belief and data agree (kept at 90)"] == "warn"


def test_a_few_huge_amounts_are_not_normal():
    cells = make_cells(months=1, n=40)
    value = cells.tables["value"]
    value.loc[0, ["total", "total_sq", "total_cube"]] += [2e3, 4e6, 8e9]
    of = trial(cells, min_group=20)
    assert (
        verdicts(of, [compare(of, "net_value")])["Enough members for a normal interval (net value)"] == "fail"
    )


def test_a_historic_trial_says_so():
    checks = check_trial(make_trial(historic=True), [], [], make_plan())
    assert {check.name: check.verdict for check in checks}["Rule written before the data"] == "warn"


def test_a_few_large_amounts_are_found_in_a_small_arm_that_holds_none():
    """Log-normal amounts of 1 % payers, 18,000 against 2,000: the small arm alone would look harmless."""
    rng, blocked = np.random.default_rng(4), 0
    for _ in range(40):
        arms = {}
        for scheme, n in (("none", 18_000), ("coupon", 2_000)):
            arms[scheme] = np.where(rng.random(n) < 0.01, rng.lognormal(4, 1.5, n), 0.0)
        rows = [
            ("net_value", s, "a", "2025-01", len(x), x.sum(), (x**2).sum(), (x**3).sum())
            for s, x in arms.items()
        ]
        cells = make_cells(months=1, strata=("a",))
        cells.tables["value"] = pd.DataFrame(rows, columns=cells.tables["value"].columns)
        cells.tables["binary"] = cells.tables["binary"].query("scheme != 'points'")
        cells.tables["split"] = cells.tables["split"].query("scheme != 'points'")
        of = trial(cells, min_group=20)
        found = check_trial(of, [compare(of, "net_value", draws=1000)], [])
        blocked += any(c.blocks and c.name.startswith("Enough members") for c in found)
    assert blocked >= 38


def test_the_smallest_fault_is_found_as_often_as_stated():
    shares = np.full(4, 0.25)
    factor = smallest_fault(8000, shares)
    faulty = shares * np.array([1, 1, 1, factor])
    drawn = np.random.default_rng(5).multinomial(8000, faulty / faulty.sum(), size=2000)
    caught = np.mean([split_p_value(row, shares) < 0.01 for row in drawn])
    assert caught == pytest.approx(0.8, abs=0.03)  # 3 simulation errors
    assert smallest_fault(5, shares) == np.inf


def test_verdicts_that_differ_by_the_way_of_computing_block():
    of = make_trial(value=(0, 2.5, 0))
    results, plan = [compare(of), compare(of, "net_value")], make_plan()
    same = [make_audit(outcome=r.outcome, sampled=r) for r in results]
    name = "Both ways of computing decide alike"
    assert {c.name: c.verdict for c in check_trial(of, results, same, plan)}[name] == "pass"
    lower = replace(results[1], draws=results[1].draws - np.array([0, 2.4, 0]))
    other = [same[0], make_audit(outcome="net_value", sampled=lower)]
    found = {c.name: c for c in check_trial(of, results, other, plan)}[name]
    assert found.verdict == "fail"
    assert "ship and wait" in found.finding or "ship and stop" in found.finding


@pytest.mark.parametrize("kind", ["binary", "value"])
def test_belief_and_data_disagree_as_rarely_as_stated(kind):
    """4,000 trials of one stratum and of three, truth from the belief; 3 simulation errors above 1 %."""
    rng, alarms, worlds = np.random.default_rng(6), 0, 4000
    belief, weights = MONEY if kind == "value" else BELIEF, np.array([0.5, 0.3, 0.2])
    mean, sd = belief.on_logit(0.3) if kind == "binary" else (belief.mean, belief.sd)
    n = np.outer(np.ones(4), weights * 3000).round()
    for _ in range(worlds):
        away = abs(belief.spread * sd * rng.standard_normal()) * rng.standard_normal((3, 3))
        lift = mean + sd * rng.standard_normal((3, 1)) + away - (away @ weights)[:, None]
        eta = (np.log(0.3 / 0.7) if kind == "binary" else 12.0) + np.vstack([np.zeros(3), lift])
        if kind == "binary":
            p = rng.binomial(n.astype(int), 1 / (1 + np.exp(-eta))) / n
            arms = Arms(kind, n, p, p * (1 - p), 0 * p)
        else:
            arms = Arms(kind, n, eta + 20 / np.sqrt(n) * rng.standard_normal(n.shape), 0 * n + 400, 0 * n)
        alarms += conflict_p(arms, belief) < 0.01
    assert alarms / worlds <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / worlds)
    assert alarms > 0


def test_the_chance_of_a_wrong_sign_is_that_of_the_other_side():
    """Half a normal where a stratum's lift is near 0, next to nothing where it is large."""
    table = compare(make_trial(value=(0, 2.5, 0), n=400), "net_value").strata
    coupon, points = (table[table["scheme"] == s] for s in ("coupon", "points"))
    assert (coupon["p_wrong_sign"] < 0.01).all()
    assert points["p_wrong_sign"].between(0.005, 0.5 + 0.02).all()
    crossing = (table["lift_low"] < 0) & (table["lift_high"] > 0)
    assert (
        table.loc[~crossing, "p_wrong_sign"] <= 0.026
    ).all()  # outside a 95 % interval; error of the draws
