"""Revenue of a trial: planted truth comes back, by a law that fits or by none, and parts add up."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.params import read_params
from sojourn.data.casebook import casebook_cells
from sojourn.studies.trials.revenue import (
    BLOCKED_BELOW,
    CATCH_RATE,
    check_revenue,
    choose,
    shapley,
    spendings,
)
from trial_payments import make_trial, members

PROJECT = Path(__file__).resolve().parents[2]


def lognormal(rng, n):
    return np.exp(3 + rng.standard_normal(n))


def gamma(rng, n):
    return rng.gamma(0.7, 40, n) + 0.1


def two_schemes(seed=1, *, draw=lognormal, n=20_000, rates=(0.10, 0.12), factor=1.0, refund=(0.0, 0.0)):
    rng = np.random.default_rng(seed)
    return make_trial({
        "none": members(rng, n, rates[0], draw, refund=refund[0]),
        "gift": members(rng, n, rates[1], lambda rng, n: factor * draw(rng, n), refund=refund[1]),
    })  # fmt: skip


def revenue(trial, **more):
    return sj.revenue(trial, mass=0.95, rng=np.random.default_rng(2), **more)


# what is published ---------------------------------------------------------------------------------------


def test_log_normal_payments_are_judged_by_their_law():
    result = revenue(two_schemes())
    assert result.published == "hurdle"
    assert result.kind == "eti"
    assert result.sizes.follows_law
    assert [check.verdict for check in check_revenue(result)] == ["pass"]
    for scheme, rate in (("none", 0.10), ("gift", 0.12)):
        row = result.row(scheme)
        assert row["rate_low"] < rate < row["rate_high"]
        assert row["size_amount_low"] < np.exp(3.5) < row["size_amount_high"]
        assert row["amount_low"] < rate * np.exp(3.5) < row["amount_high"]
    lift = result.lift("gift")
    assert lift.low < 0.02 * np.exp(3.5) < lift.high
    assert result.row("gift")["p_beats_control"] > 0.9


def test_sums_of_a_scheme_are_those_of_its_members():
    rng = np.random.default_rng(12)
    rows = {scheme: members(rng, 2000, 0.2, lognormal, refund=0.3) for scheme in ("none", "gift")}
    for scheme, arm in spendings(make_trial(rows))[1].items():
        net = rows[scheme]["paid"] - rows[scheme]["refunded"]
        assert arm.moments() == pytest.approx((net.mean(), net.var() / 2000), rel=1e-9)
        assert arm.payers == (rows[scheme]["paid"] > 0).sum()


def test_the_law_makes_the_interval_narrower():
    row = revenue(two_schemes()).row("gift")
    by_law, free = (
        row[f"{way}_amount_above_high"] - row[f"{way}_amount_above_low"] for way in ("hurdle", "free")
    )
    # sigma 1, a tenth pays: 1.5 / 1.72 of the variance of sizes, and that of paying beside it
    assert 0.9 < by_law / free < 0.99


@pytest.mark.parametrize("draw", [gamma, lambda rng, n: rng.choice([4.99, 9.99, 49.99], n)])
def test_other_payments_are_judged_without_a_law(draw):
    result = revenue(two_schemes(draw=draw))
    assert result.published == "model-free"
    assert result.kind == "bootstrap"
    assert "misses the" in result.because
    assert [check.verdict for check in check_revenue(result)] == ["warn"]
    row = result.row("gift")
    for end in ("", "_low", "_high"):
        assert row[f"amount_above{end}"] == row[f"free_amount_above{end}"]


def test_the_bootstrap_is_the_interval_of_moments_where_members_are_many():
    row = revenue(two_schemes(draw=gamma)).row("gift")
    width = row["moments_amount_above_high"] - row["moments_amount_above_low"]
    for end in ("", "_low", "_high"):
        # 10,000 draws: a bound is off by up to 2 % of the width, and amounts are skew
        assert row[f"free_amount_above{end}"] == pytest.approx(
            row[f"moments_amount_above{end}"], abs=0.04 * width
        )


def test_a_law_is_not_judged_by_few_payers():
    result = revenue(two_schemes(n=600))
    assert result.published == "model-free"
    assert "cannot be judged" in result.because
    assert np.isnan(result.sizes.p_fit)
    assert result.table["hurdle_amount_above"].isna().all()


def test_the_worst_p_value_decides_and_is_named():
    arms = spendings(two_schemes(n=3000))[1]
    fine = np.full(4, 0.5)
    way, p, said = choose(arms, {"none": fine, "gift": np.array([0.5, 0.5, 0.001, 0.5])})
    assert way == "model-free"
    assert p == pytest.approx(0.008)
    assert "99th percentile of payments under gift" in said
    assert choose(arms, {"none": fine, "gift": np.array([0.5, 0.5, 0.002, 0.5])})[0] == "hurdle"


def test_the_check_does_what_it_says():
    """Its rates are those of the committed calibration, 5,000 members a scheme and more."""
    rows = json.loads((PROJECT / "calibration" / "results" / "revenue.json").read_text())["rows"]
    found = {row["estimand"]: row["found"] for row in rows if row["estimand"].startswith("check of the law")}
    caught = [
        rate for name, rate in found.items() if ("gamma" in name or "price" in name) and "1,000" not in name
    ]
    assert len(caught) == 6
    assert min(caught) >= CATCH_RATE
    alarms = [rate for name, rate in found.items() if "false alarms" in name]
    # 2,000 worlds: 3 standard errors of 1 %; a tail that is read off 4,000 replicates
    assert max(alarms) <= BLOCKED_BELOW + 0.015


# three parts ---------------------------------------------------------------------------------------------


factors = st.floats(0.01, 100)


@settings(deadline=None)
@given(control=st.tuples(factors, factors, factors), scheme=st.tuples(factors, factors, factors))
def test_parts_add_up_to_the_lift(control, scheme):
    added = shapley([np.array([x]) for x in control], [np.array([x]) for x in scheme])
    whole = np.prod(scheme) - np.prod(control)
    assert sum(part[0] for part in added) == pytest.approx(whole, rel=1e-9, abs=1e-9 * np.prod(control))


def test_a_part_that_is_the_same_adds_nothing():
    one, other = [np.array([x]) for x in (0.1, 20.0, 0.9)], [np.array([x]) for x in (0.1, 25.0, 0.9)]
    np.testing.assert_allclose(np.ravel(shapley(one, other)), [0, 0.1 * 5 * 0.9, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"rates": (0.10, 0.13)}, "who pays"),
        ({"rates": (0.10, 0.10), "factor": 1.4}, "how much"),
        ({"rates": (0.10, 0.10), "refund": (0.0, 0.25)}, "refunded"),
    ],
)
def test_a_planted_effect_is_found_in_its_part(more, part):
    parts = revenue(two_schemes(**more)).parts.set_index("part")
    clear = parts[parts["amount_above_low"] * parts["amount_above_high"] > 0].index.tolist()
    assert clear == [part]


def test_refunds_are_taken_from_revenue():
    result = revenue(two_schemes(refund=(0.05, 0.05)))
    for scheme in result.schemes:
        row = result.row(scheme)
        assert row["refunded_share_low"] < 0.05 < row["refunded_share_high"]
        assert row["amount"] == pytest.approx(row["rate"] * row["size_amount"] * 0.95, rel=0.05)


# strata, groups, nothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [lognormal, gamma])
def test_schemes_are_compared_over_the_same_strata(draw):
    """Rich members (who pay three times as often) are given the scheme more often; it does nothing."""
    rng = np.random.default_rng(3)

    def both(poor, rich):
        few, many = (members(rng, n, rate, draw, stratum=of)
                     for n, rate, of in ((poor, 0.05, "poor"), (rich, 0.15, "rich")))  # fmt: skip
        return pd.concat([few, many])

    trial = make_trial({"none": both(15_000, 5_000), "gift": both(5_000, 15_000)})
    result = revenue(trial)
    assert result.lift("gift").low < 0 < result.lift("gift").high
    assert result.row("none")["n"] == 20_000
    assert result.row("none")["rate"] == pytest.approx(0.10, abs=0.01)


def test_bins_shown_hold_enough_payers_in_every_scheme():
    trial = two_schemes(n=3000)
    result = revenue(trial)
    counted = result.sizes.table.assign(
        payers=lambda t: (t["share"] * t["scheme"].map(result.table.set_index("scheme")["payers"])).round()
    )
    assert counted["payers"].min() >= trial.min_group
    by_scheme = counted.groupby("scheme")[["share", "share_by_law"]].sum()
    np.testing.assert_allclose(by_scheme, 1)


def test_without_payments_it_says_so():
    rng = np.random.default_rng(1)
    trial = make_trial({scheme: members(rng, 500, 0.5, lognormal) for scheme in ("none", "gift")}, spend=None)
    result = revenue(trial)
    assert "cannot be taken apart" in result.why_empty
    assert check_revenue(result) == []
    assert sj.show(result, name="revenue").kind == sj.show(result.sizes, name="sizes").kind == "missing"


def test_a_private_case_says_that_it_does_not_tell():
    trial = two_schemes(n=3000)
    trial.meta["withheld"] = ["spend"]
    assert revenue(trial).why_empty.startswith("A private case does not tell payments")


def test_with_hardly_any_payers_it_says_so():
    result = revenue(two_schemes(n=1000, rates=(0.2, 0.005)))
    assert result.why_empty == "Too few members paid under gift to compare what they paid."


def test_the_same_seed_gives_the_same_numbers_whatever_the_order_of_rows():
    trial = two_schemes(n=3000)
    trial.others["spend"].sort_values("paid", ascending=False, inplace=True)  # noqa: PD002
    pd.testing.assert_frame_equal(revenue(trial).table, revenue(two_schemes(n=3000)).table)


# a published trial ---------------------------------------------------------------------------------------


def test_hillstrom_spends_as_published(monkeypatch):
    """Means of the published file (shared/data/README.md): 1.4226, .6528 and 1.0772 a customer."""
    monkeypatch.setenv("SOJOURN_ROOT", str(PROJECT))
    mail = sj.trial(casebook_cells(read_params(), "hillstrom", "trials"), control="No E-Mail", min_group=20)
    result = revenue(mail)
    assert result.table.set_index("scheme")["n"].to_dict() == {
        "No E-Mail": 21_306, "Mens E-Mail": 21_307, "Womens E-Mail": 21_387,
    }  # fmt: skip
    assert result.table["payers"].tolist() == [122, 267, 189]
    moments = result.table.set_index("scheme")["moments_amount_above"]
    assert moments["Mens E-Mail"] == pytest.approx(1.4226 - 0.6528, abs=1e-4)
    assert moments["Womens E-Mail"] == pytest.approx(1.0772 - 0.6528, abs=1e-4)
    assert result.published == "model-free"  # a quarter of all payments is 29.99
    for scheme in result.schemes[1:]:
        row = result.row(scheme)
        width = row["moments_amount_above_high"] - row["moments_amount_above_low"]
        for end in ("", "_low", "_high"):
            assert row[f"amount_above{end}"] == pytest.approx(
                row[f"moments_amount_above{end}"], abs=0.05 * width
            )
    assert result.lift("Womens E-Mail").low > 0
