"""Beliefs learned from past trials: known laws, later trials predicted, thousands of experiments."""

import numpy as np
import pandas as pd
import pytest
from published import published
from scipy import stats

import sojourn as sj
from portfolio_worlds import make_portfolio
from sojourn.core.cells import Cells
from sojourn.core.errors import DataError, ParameterError, UndefinedError


def past(trials=200, spread=0.02, error=0.01, later=1.0, seed=0):
    """Estimates of trials in order; lifts of the later half spread `later` times as far."""
    rng = np.random.default_rng(seed)
    wide = np.where(np.arange(trials) < trials // 2, 1.0, later)
    effect = 0.005 + wide * spread * rng.standard_normal(trials) + error * rng.standard_normal(trials)
    return pd.DataFrame({"trial": [f"t{i:04d}" for i in range(trials)], "effect": effect, "error": error})


@pytest.fixture(scope="module")
def learned():
    return sj.prior_from_past(past())


def test_the_next_lift_is_predicted_by_the_law_with_what_is_not_known_of_it(learned):
    """Spread .02 and centre .005 of 200 trials: the interval is that law's, to within a tenth."""
    made = learned.next_lift()
    low, high = stats.norm.interval(0.95, 0.005, 0.02)
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.006)
    row = learned.table.iloc[0]
    assert row["spread_low"] < 0.02 < row["spread_high"]
    assert row["centre_low"] < 0.005 < row["centre_high"]
    assert learned.tails == "normal"


def test_a_belief_is_laid_through_the_central_mass(learned):
    for mass in (0.5, 0.9):
        belief = learned.belief(mass)
        assert (belief.low, belief.high) == (learned.lift((1 - mass) / 2), learned.lift((1 + mass) / 2))
    assert learned.belief(0.9).sd == pytest.approx(0.02, abs=0.004)
    trial_prior = sj.LiftPrior.from_belief(low=belief.low, high=belief.high, mass=0.9)
    assert trial_prior == belief


def test_a_belief_in_log_odds_is_mapped_at_a_base():
    made = sj.prior_from_past(
        past(spread=0.3, error=0.1).assign(effect=lambda f: f["effect"]), unit="log-odds"
    )
    with pytest.raises(ParameterError, match="base"):
        made.belief()
    belief = made.belief(0.9, base=0.2)
    for bound, quantile in ((belief.low, 0.05), (belief.high, 0.95)):
        odds = np.log((0.2 + bound) / (0.8 - bound)) - np.log(0.25)
        assert odds == pytest.approx(made.lift(quantile), abs=1e-12)


def test_later_trials_are_predicted_from_earlier_ones(learned):
    held = learned.held[learned.held["tails"] == learned.tails]
    assert held["effects"].unique().tolist() == [100]
    for row in held.itertuples():
        assert row.coverage_low <= row.mass <= row.coverage_high  # holds for this seed
    assert [check.verdict for check in sj.check_past(learned)] == ["pass"]


def test_trials_that_changed_are_found():
    changed = sj.prior_from_past(past(later=4.0))
    (check,) = sj.check_past(changed)
    assert check.verdict == "warn"


def test_heavy_tails_are_found_and_told():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"effect": rng.standard_t(3, 500) + 0.4 * rng.standard_normal(500), "error": 0.4})
    made = sj.prior_from_past(frame, unit="EUR")
    assert made.tails == "heavier than normal"
    row = made.table.iloc[0]
    assert row["freedom_low"] <= 3 <= row["freedom_high"]
    assert made.held["log_score"].iloc[0] > made.held["log_score"].iloc[-1]


def test_schemes_that_share_a_control_count_as_one_trial():
    """Eight trials of three schemes are eight trials: too few, though there are 24 estimates."""
    shared = past(24).assign(trial=[f"t{i // 3}" for i in range(24)])
    assert "8 trials can be compared" in sj.prior_from_past(shared).why_empty
    assert sj.prior_from_past(past(24)).trials == 24


def test_bins_count_every_estimate_that_is_inside(learned):
    bins = learned.drawn()
    assert bins["seen"].sum() == learned.effects == 200
    assert bins["expected"].sum() == pytest.approx(200, abs=6)  # what lies outside the outermost
    assert bins["true"].max() > bins["expected"].max()


def test_few_or_empty_trials_say_so():
    few = sj.prior_from_past(past(6))
    assert "6 trials can be compared" in few.why_empty
    with pytest.raises(UndefinedError):
        few.belief()
    assert sj.check_past(few) == []
    assert sj.prior_from_past(past(20).assign(effect=0.0)).why_empty
    (check,) = sj.check_past(sj.prior_from_past(past(15)))
    assert check.verdict == "warn"


def test_frames_that_are_not_estimates_are_refused():
    with pytest.raises(DataError, match="error"):
        sj.prior_from_past(past().drop(columns="error"))
    with pytest.raises(DataError, match="standard error"):
        sj.prior_from_past(past().assign(error=0.0))


def test_a_case_learns_from_its_own_trials_and_says_when_it_cannot():
    own = sj.past_lifts(make_portfolio(40), "net_value")
    row = own.table.iloc[0]
    assert (own.trials, own.unit) == (40, "EUR")
    assert row["spread_low"] < 1.2 < row["spread_high"]
    assert sj.past_lifts(make_portfolio(4), "net_value").why_empty
    assert sj.past_lifts(Cells("test", "trials", {}, {}), "kept_at_90").why_empty


def upworthy_pairs():
    """Log-odds lifts of the first two packages of every experiment, in order of weeks.

    Which of the two is the control is arbitrary: names order them, and every second pair is turned round.
    """
    path = published("upworthy/upworthy_clean.parquet")
    rows = pd.read_parquet(path).sort_values(
        ["clickability_test_id", "headline", "eyecatcher_id"], kind="stable"
    )
    place = rows.groupby("clickability_test_id").cumcount()
    first, second = (rows[place == i].set_index("clickability_test_id") for i in (0, 1))
    k = np.stack([first["clicks"], second["clicks"]]) + 0.5
    misses = (
        np.stack([first["impressions"] - first["clicks"], second["impressions"] - second["clicks"]]) + 0.5
    )
    lift = np.diff(np.log(k / misses), axis=0)[0] * np.where(np.arange(len(first)) % 2, 1, -1)
    error = np.sqrt((1 / k + 1 / misses).sum(axis=0))
    made = pd.DataFrame({"effect": lift, "error": error, "week": first["test_week"].to_numpy()})
    return made.sort_values("week", kind="stable", ignore_index=True)


def test_thousands_of_headlines_give_a_law_with_heavy_tails():
    """Upworthy, 4,873 experiments: aggregates first found here; tolerances are their own intervals.

    Lifts of headlines spread by about .31 log-odds with 4 degrees of freedom. Learned from the earlier half,
    the heavy law predicts the later half better (.011 per pair), though lifts had grown by then.
    """
    pairs = upworthy_pairs()
    assert len(pairs) == 4873
    made = sj.prior_from_past(pairs, unit="log-odds", centre=0.0)
    assert made.tails == "heavier than normal"
    heavy, normal = made.table.iloc[0], made.table.iloc[1]
    assert heavy["log_evidence"] - normal["log_evidence"] > 40
    assert heavy["spread"] == pytest.approx(0.31, abs=0.02)
    assert 3 < heavy["freedom"] < 5.5
    held = made.held.set_index(["tails", "mass"])
    ahead = held.loc[("heavier than normal", 0.95), "log_score"] - held.loc[("normal", 0.95), "log_score"]
    assert ahead == pytest.approx(0.011, abs=0.004)
    assert held.loc[("heavier than normal", 0.95), "coverage"] == pytest.approx(0.93, abs=0.015)
