"""How long members stay: known worlds, shares counted, other ways of cutting time, what cannot be said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.curves import CurvePrior
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.lasting import Followed, lasting, make_followed, posterior, trend
from sojourn.studies.trials.outcome_checks import check_lasting
from sojourn.studies.trials.trial import trial
from trial_worlds import cells_of, make_trial, members, times_of

SIZES = {"none": 1_500, "gift": 1_500}
FACTORS = {"gift": 0.8}


def judge(of, seed=7, **more):
    return lasting(of, mass=0.95, rng=np.random.default_rng(seed), **{"draws": 4_000, **more})


@pytest.fixture(scope="module")
def world():
    rows = members(SIZES, factors=FACTORS)
    return rows, make_trial(rows)


# known worlds --------------------------------------------------------------------------------------------


def true_mean(rates, horizon=90):
    """Mean time within the horizon and share kept, averaged over strata of equal size."""
    rates = np.asarray(rates)
    return ((1 - np.exp(-rates * horizon)) / rates).mean(), np.exp(-rates * horizon).mean()


def test_a_planted_difference_is_found(world):
    result = judge(world[1])
    pace = 0.006 * np.array([1.3, 0.8])
    (days, kept), (longer, more) = true_mean(pace), true_mean(0.8 * pace)
    for column, truth in {"more_days": longer - days, "lift": more - kept}.items():
        found = result.read("gift", column)
        assert found.low < truth < found.high
        assert found.low > 0
    assert result.row("gift")["p_longer"] > 0.99
    assert result.best == "gift"


def test_everyone_assigned_is_counted(world):
    rows, made = world
    table = judge(made).table.set_index("scheme")
    for scheme, own in rows.groupby("scheme"):
        left = (np.ceil(own["life"]) <= np.floor(own["follow_up"])) & (np.ceil(own["life"]) <= 90)
        young = (np.floor(own["follow_up"]) < 90) & ~left
        assert table.loc[scheme, ["n", "churned", "censored"]].tolist() == [1_500, left.sum(), young.sum()]


def test_immature_members_narrow_the_interval(world):
    """Only the matured say the same with less: a wider interval of the share kept."""
    rows, made = world
    both = judge(made).read("gift", "lift")
    old = rows[rows["follow_up"] >= 90]
    matured = judge(make_trial(old)).read("gift", "lift")
    assert both.high - both.low < 0.95 * (matured.high - matured.low)


def test_where_all_are_followed_it_is_the_share_that_is_counted():
    rows = members(SIZES, factors=FACTORS).assign(follow_up=200.0)
    made = make_trial(rows)
    result, flat = judge(made, draws=40_000), LiftPrior.from_belief(low=-0.3, high=0.3, mass=0.9)
    shares = compare_schemes(made, "kept_at_90", prior=flat, mass=0.95, rng=np.random.default_rng(1))
    for column in ("lift", "lift_low", "lift_high"):
        # two posteriors with weak beliefs: a tenth of a standard error of .017
        assert result.row("gift")[column] == pytest.approx(shares.row("gift")[f"raw_{column}"], abs=0.0017)


# periods and strata --------------------------------------------------------------------------------------


def changing(seed=1, size=6_000):
    """10 % in a scheme that does nothing, later 50 %, when all leave 1.8 times as fast."""
    rng = np.random.default_rng(seed)
    late = rng.random(size) < 0.5
    scheme = np.where(rng.random(size) < np.where(late, 0.5, 0.1), "gift", "none")
    life = rng.exponential(1 / (0.005 * np.where(late, 1.8, 1.0)))
    follow_up = np.where(late, rng.uniform(90, 180, size), rng.uniform(180, 270, size))
    return pd.DataFrame({"scheme": scheme, "stratum": "all", "period": np.where(late, "2025-02", "2025-01"),
                         "life": life, "follow_up": follow_up})  # fmt: skip


def test_a_changing_allocation_moves_nothing_within_months():
    rows = changing()
    within = judge(make_trial(rows)).read("gift", "more_days")
    pooled = judge(make_trial(rows.assign(period="all"))).read("gift", "more_days")
    assert within.low < 0 < within.high
    assert pooled.high < 0  # what comparing without months would say


def test_months_weigh_as_many_as_are_there_of_them():
    """Nine in ten of a slow month and one of a fast one, divided evenly: as if there were no months."""
    rng = np.random.default_rng(9)
    fast = np.arange(8_000) % 10 == 0
    rows = pd.DataFrame({"scheme": np.where(rng.random(8_000) < 0.5, "gift", "none"), "stratum": "all",
                         "period": np.where(fast, "2025-02", "2025-01"), "follow_up": 200.0,
                         "life": rng.exponential(1 / np.where(fast, 0.03, 0.003))})  # fmt: skip
    within, pooled = (judge(make_trial(rows.assign(**period))) for period in ({}, {"period": "all"}))
    for scheme in ("none", "gift"):
        # the shares of both months in a scheme are off those of all by chance, .5 points at most
        assert within.row(scheme)["kept_share"] == pytest.approx(pooled.row(scheme)["kept_share"], abs=0.006)


def test_one_month_or_none_is_the_same_comparison():
    rows = members(SIZES, factors=FACTORS).assign(period="2025-01")
    times = times_of(rows)
    plain = trial(cells_of(rows, times=times.drop(columns="period")), min_group=20)
    pd.testing.assert_frame_equal(judge(make_trial(rows)).table, judge(plain).table)


def test_small_strata_are_put_together(world):
    rows = world[0].copy()
    rows.loc[rows.index % 50 == 0, "stratum"] = "tiny"
    assert judge(make_trial(rows)).strata == ("west", "other")


def test_a_stratum_weighs_as_it_occurs_among_all():
    """Strata kept .9 and .3, three to one; the scheme has most of its members in the poor one."""
    parts = [(s, g, n, p) for s, (a, b) in {"none": (900, 100), "gift": (300, 300)}.items()
             for g, n, p in (("good", a, 0.9), ("poor", b, 0.3))]  # fmt: skip
    rows = pd.concat([
        pd.DataFrame({"scheme": s, "stratum": g, "period": "all", "follow_up": 200.0,
                      "life": np.where(np.arange(n) < p * n, 150.0, 45.0)}) for s, g, n, p in parts
    ])  # fmt: skip
    result = judge(make_trial(rows))
    weights = np.array([1_200, 400]) / 1_600
    expected = weights @ [0.9, 0.3]
    # the belief is one member of 100 or more, of whom half are believed to stay
    assert result.row("none")["kept_share"] == pytest.approx(expected, abs=0.004)
    assert result.row("gift")["kept_share"] == pytest.approx(expected, abs=0.004)


# laws ----------------------------------------------------------------------------------------------------


def test_rows_in_any_order_give_the_same(world):
    rows, made = world
    times = times_of(rows)
    shuffled = trial(cells_of(rows, times=times.sample(frac=1, random_state=3)), min_group=20)
    pd.testing.assert_frame_equal(judge(made).table, judge(shuffled).table)


def test_wide_cells_that_keep_to_the_rule_say_the_same(world):
    """Leaving rounded up and follow-up rounded down to whole weeks: less is known, nothing is bent."""
    rows = world[0].copy()
    weeks = rows.assign(life=7 * np.ceil(rows["life"] / 7), follow_up=7 * np.floor(rows["follow_up"] / 7))
    cells = cells_of(rows, times=times_of(weeks))
    cells = Cells("test", "trials", cells.tables, {**cells.meta, "times_width": 7})
    wide = trial(cells, min_group=20)
    daily, weekly = judge(world[1], horizon=84), judge(wide, horizon=84)
    for column in ("kept_share", "days", "more_days"):
        a, b = daily.read("gift", column), weekly.read("gift", column)
        assert abs(a.value - b.value) < 0.25 * (a.high - a.low)
    assert judge(wide, horizon=90).why_empty.startswith("These times are known in steps of 7 days")


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_counts_at_risk_are_those_of_the_members(seed):
    rows = members({"none": 120, "gift": 90}, factors={}, seed=seed, longest=150, strata=("all",))
    followed = make_followed(make_trial(rows, min_group=1), 30)
    leaves, seen = np.ceil(rows["life"]), np.floor(rows["follow_up"])
    for day in (1, 7, 30):
        there = rows[(leaves >= day) & (seen >= day)]
        expected = there.groupby("scheme").size().reindex(["none", "gift"]).to_numpy()
        np.testing.assert_array_equal(followed.at_risk[..., day - 1].sum(axis=(1, 2)), expected)


def test_the_belief_hardly_matters(world):
    low, high = (judge(world[1], believed=share, draws=20_000) for share in (0.05, 0.95))
    gap = abs(low.row("gift")["days"] - high.row("gift")["days"])
    assert gap < 0.15  # one member of 1,500 who stays 40 days more or less; simulation error .005


# what cannot be said -------------------------------------------------------------------------------------


def test_without_times_it_says_so(world):
    assert judge(trial(cells_of(world[0]), min_group=20)).why_empty.startswith("These cells have no times")


def test_too_few_followed_to_the_horizon_is_empty(world):
    result = judge(world[1], horizon=299)
    assert "have been followed for 299 days" in result.why_empty
    assert result.table.empty
    assert check_lasting(result) == []


def test_schemes_of_different_months_cannot_be_compared():
    rows = members(SIZES, factors={}, longest=500).assign(follow_up=200.0)
    rows["period"] = np.where(rows["scheme"] == "gift", "2025-02", "2025-01")
    assert judge(make_trial(rows)).why_empty.startswith("No period of assignment has members of every scheme")


@pytest.mark.parametrize(
    "wrong", [{"mass": 1.0}, {"draws": 10}, {"horizon": 0}, {"believed": 1.0}, {"weight": 2.0}]
)
def test_bad_arguments_are_refused(world, wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong)).replace("believed", "kept")):
        lasting(world[1], **{"mass": 0.95, "rng": np.random.default_rng(1), **wrong})


# checks --------------------------------------------------------------------------------------------------


def verdicts(result):
    return {check.name: check.verdict for check in check_lasting(result)}


def test_sound_worlds_pass_and_a_drift_is_found(world):
    assert set(verdicts(judge(world[1])).values()) == {"pass"}
    rows = members({"none": 3_000, "gift": 3_000}, factors=FACTORS, longest=200)
    rows["life"] /= np.where(rows["period"] > "2025-03", 1.8, 1.0)
    result = judge(make_trial(rows))
    assert verdicts(result)["Those assigned late leave like those assigned early"] == "fail"


def test_the_trend_is_the_log_rank_test_for_trend():
    """By hand (Tarone 1975): two months of one scheme, ten members each, one day."""
    followed = Followed(("all",), ("1", "2"), np.array([1.0]), np.full((1, 1, 2), 10.0),
                        np.full((1, 1, 2, 1), 10.0), np.array([[[[2.0], [5.0]]]]))  # fmt: skip
    found = trend(followed)
    # score 5 - 7 / 2, variance 7 * 13 / 19 * 1 / 4
    assert found.information == pytest.approx(7 * 13 / 19 / 4)
    assert found.p_value == pytest.approx(0.1704, abs=5e-4)


def test_the_catch_rate_is_the_share_of_drifts_found():
    """60 worlds with a drift of 1.3 over six months; the normal power is off by less than their error."""
    found, told = [], []
    for seed in range(60):
        rows = members({"none": 1_500, "gift": 1_500}, factors={}, seed=seed, longest=360)
        month = rows["period"].str[-2:].astype(int) - 1
        rows["life"] /= 1.3 ** (month / 5)
        late = trend(make_followed(make_trial(rows), 90))
        found.append(late.p_value < 0.01)
        told.append(late.catch_rate(1.3, 0.01))
    assert np.mean(found) == pytest.approx(np.mean(told), abs=0.2)  # three standard errors


def test_curves_that_cross_are_a_warning():
    """Half of the members under the scheme leave on day 30 and nobody else; under control all late."""
    rows = members({"none": 2_000, "gift": 2_000}, factors={}).assign(follow_up=200.0)
    own = np.arange(len(rows))
    early = (rows["scheme"] == "gift") & (own % 3 == 0)
    late = (rows["scheme"] == "none") & (own % 2 == 0)
    rows["life"] = np.where(early, 20.0, np.where(late, 80.0, 400.0))
    result = judge(make_trial(rows))
    assert result.crosses("gift")
    assert verdicts(result)["The difference keeps its sign"] == "warn"


def test_few_leavers_cannot_be_judged():
    rows = members(SIZES, factors={}, pace=0.00002)
    assert verdicts(judge(make_trial(rows)))["Enough members seen to leave"] == "cannot be judged"


def test_the_posterior_of_one_scheme_alone_is_that_of_its_counts(world):
    followed = make_followed(world[1], 90)
    shares = posterior(followed, CurvePrior(0.5, 90))
    seen = followed.churned.sum(axis=2)
    assert shares.gone.shape == seen.shape == (2, 2, 90)
    # averaged over months, the expected share of leavers of a day is near the counted one
    counted = seen.sum(axis=-1) / followed.at_risk.sum(axis=(2, 3))
    averaged = (shares.gone / (shares.gone + shares.stayed)).mean(axis=-1)
    np.testing.assert_allclose(averaged, counted, rtol=0.15)
