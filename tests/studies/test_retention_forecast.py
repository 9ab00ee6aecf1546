"""The forecast: the triangle from cells, what earlier dates knew, the race, and when there is none."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ConvergenceError, ParameterError
from sojourn.core.results.retention_forecast import Audit, Race
from sojourn.estimators.survival.triangle import Triangle
from sojourn.studies.retention import forecast_audit, race
from sojourn.studies.retention.forecast_checks import HELD_RATES, blocked_by
from sojourn.studies.retention.race import PLAIN, PLAIN_SHARED, crps, models, origins, run_race
from sojourn.studies.retention.triangle import read_cohorts

COHORTS = 10


def members(seed=1, *, each=60, cohorts=COHORTS):
    """Exits, leavers, follow-up and joining month of members who joined in one of ten months of 30 days."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(cohorts), each)
    potential = 30 * (cohorts - month) - rng.integers(1, 31, month.size)
    potential[::each] = 30 * (cohorts - 1 - np.arange(cohorts))  # the last who joined in each month
    life = np.ceil(rng.exponential(rng.choice([60, 400], month.size))).astype(int)
    churned = life <= potential
    names = np.array([f"2025-{1 + m:02d}" for m in month])
    return np.where(churned, life, potential), churned, potential, names


@pytest.fixture(scope="module")
def cells(make_retention_cells):
    exits, churned, potential, names = members()
    return make_retention_cells(exits, churned, potential=potential, groups={"cohort": names})


@pytest.fixture(scope="module")
def forecast(cells):
    return sj.forecast(cells, step=30, ahead=3, rng=np.random.default_rng(1), audited=False)


# --- the triangle ---


def test_the_triangle_is_that_of_the_members(cells):
    """Counted one by one: still there after an age is leaving later, or being followed to it."""
    exits, churned, potential, names = members()
    cohorts = read_cohorts(cells, step=30, min_group=20)
    triangle = cohorts.triangle
    for row, name in enumerate(cohorts.names):
        of = names == name
        assert triangle.members[row] == of.sum()
        assert triangle.known[row] == potential[of].min() // 30
        for step in range(triangle.known[row]):
            age = 30 * (step + 1)
            stayed = np.where(churned[of], exits[of] > age, exits[of] >= age)
            assert triangle.kept[row, step] == stayed.sum()
    shown = sj.cohort_triangle(cells, step=30).table
    assert len(shown) == triangle.mask.sum()
    assert shown["kept"].tolist() == triangle.kept[triangle.mask].tolist()


def test_an_earlier_date_knew_what_cells_made_then_hold(make_retention_cells):
    """Cells of 60 days earlier, made from the members anew, give the triangle that is cut from today's."""
    exits, churned, potential, names = members()
    seen = potential >= 60
    then = potential[seen] - 60
    gone = churned[seen] & (exits[seen] <= then)
    earlier = make_retention_cells(
        np.where(gone, exits[seen], then), gone, potential=then, groups={"cohort": names[seen]}
    )
    today = make_retention_cells(exits, churned, potential=potential, groups={"cohort": names})
    new = read_cohorts(earlier, step=30, min_group=1).triangle
    old = read_cohorts(today, step=30, min_group=1).triangle
    cut = old.as_known(old.known - 2)
    whole = new.known >= 1  # of a month that was not over then, only some are in the earlier cells
    assert new.known[whole].tolist() == cut.known[cut.known >= 1].tolist()
    assert (new.kept * new.mask)[whole].tolist() == (cut.kept * cut.mask)[cut.known >= 1].tolist()


def test_small_cohorts_are_left_out(cells):
    assert read_cohorts(cells, step=30, min_group=61).names == ()


# --- the race ---


def test_dates_that_knew_too_little_are_not_used():
    triangle = Triangle(np.full(9, 50), np.full((9, 8), 40), np.arange(8, -1, -1))
    assert origins(triangle) == [1, 2, 3]  # four steps ago only four cohorts had any age behind them
    assert origins(triangle.as_known(triangle.known - 4)) == []


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0, 1))
def test_the_score_is_its_definition(draws, actual):
    drawn = np.array(draws)
    pairs = np.abs(drawn[:, None] - drawn).mean()
    expected = np.abs(drawn - actual).mean() - pairs / 2
    assert crps(drawn[:, None], np.array([actual]))[0] == pytest.approx(expected, abs=1e-12)


def test_a_law_must_beat_the_plain_rule_to_forecast(forecast):
    found = forecast.race
    scores = found.table.set_index("model")
    assert found.table["score"].is_monotonic_increasing
    assert scores.loc[PLAIN, "against"] == 0
    best = next(m for m in found.table["model"] if m != PLAIN and "alike" not in m)
    beaten = scores.loc[best, "against"] < -2 * scores.loc[best, "against_se"]
    assert found.beaten == beaten
    assert found.chosen == (best if beaten else PLAIN_SHARED)


@pytest.mark.parametrize(
    ("against", "chosen"), [(-0.21, "Weibull"), (-0.19, PLAIN_SHARED), (0.05, PLAIN_SHARED)]
)
def test_better_by_more_than_twice_the_standard_error(against, chosen):
    scores = {"Weibull": against, PLAIN: 0.0, PLAIN_SHARED: 0.3, "beta-geometric, cohorts alike": -0.9}
    table = pd.DataFrame({"model": list(scores), "against": scores.values(), "against_se": 0.1})
    ordered = table.sort_values("against", ignore_index=True)
    assert race._choose(ordered, models(stayers=False)) == (chosen, chosen == "Weibull")


def test_only_laws_whose_cohorts_differ_may_forecast():
    """Alike cohorts: the law with alike cohorts may score best, and still does not forecast."""
    may = {model.name for model in models(stayers=True) if model.shared}
    assert not any("alike" in name for name in may)
    assert {"beta-geometric", "Weibull, some never leave", PLAIN_SHARED} <= may
    assert not any("never leave" in model.name for model in models(stayers=False))


def test_the_wrong_law_loses():
    """Constant leaving cannot forecast members of whom some are far more loyal than others."""
    rng = np.random.default_rng(1)
    kept, now = np.zeros((14, 13), dtype=np.int64), np.full(14, 2_000)
    for step in range(13):
        now = now - rng.binomial(now, 0.9 / (2.0 + step))
        kept[:, step] = now
    triangle = Triangle(np.full(14, 2_000), kept, np.arange(13, -1, -1))
    entrants = [
        m for m in models(stayers=False) if m.name in {PLAIN, PLAIN_SHARED, "beta-geometric", "exponential"}
    ]
    found = run_race(triangle, entrants, ahead=3, mass=0.95, rng=rng)
    scores = found.table.set_index("model")["score"]
    assert scores["exponential"] > 3 * scores["beta-geometric"]


# --- the forecast ---


def test_every_empty_entry_is_filled_and_no_counted_one_moves(cells, forecast):
    counted = forecast.table[forecast.table["steps_ahead"] == 0].reset_index(drop=True)
    shown = sj.cohort_triangle(cells, step=30).table
    pd.testing.assert_series_equal(counted["retained"], shown["retained"])
    assert counted["retained_low"].isna().all()
    ahead = forecast.table[forecast.table["steps_ahead"] > 0]
    assert (ahead["retained_low"] <= ahead["retained"]).all()
    assert (ahead["retained"] <= ahead["retained_high"]).all()
    reached = shown["duration"].nunique()
    per_cohort = forecast.table.groupby("cohort")["duration"].count()
    assert (per_cohort >= reached).all()
    assert (ahead.groupby("cohort")["retained"].diff().dropna() <= 0).all()


def test_totals_start_from_what_is_counted(forecast):
    triangle_now = forecast.table[forecast.table["steps_ahead"] == 0].groupby("cohort").last()
    known = int((triangle_now["retained"] * triangle_now["members"]).round().sum())
    assert forecast.members_now == known + 60  # the newest cohort has only joined
    totals = forecast.totals
    assert totals["time_ahead"].tolist() == [0, 30, 60, 90]
    assert totals["members"].is_monotonic_decreasing
    then = forecast.members_then
    assert (then.kind, then.mass) == ("prediction", 0.95)
    assert then.low < then.value < then.high


def test_time_to_come_is_at_most_the_time_within_which_it_is_told(forecast):
    tenure = forecast.tenure
    assert forecast.tenure_within == 90
    assert tenure["duration"].tolist() == [0, 30, 90, 180]
    assert (tenure["time_ahead_high"] <= 90).all()
    assert (tenure["time_ahead_low"] < tenure["time_ahead"]).all()


def test_the_same_seed_gives_the_same_forecast_in_any_order_of_rows(cells, forecast):
    """And numpy's own state is left alone."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (that state is what is looked at)
    turned = replace(cells, tables={"risk": cells["risk"].iloc[::-1].reset_index(drop=True)})
    again = sj.forecast(turned, step=30, ahead=3, rng=np.random.default_rng(1), audited=False)
    pd.testing.assert_frame_equal(again.table, forecast.table, check_exact=True)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


# --- when there is none ---


def why(cells, **changes):
    asked = {"step": 30, "ahead": 3, "audited": False, **changes}
    return sj.forecast(cells, rng=np.random.default_rng(1), **asked)


def test_few_cohorts_cannot_be_judged(make_retention_cells):
    exits, churned, potential, names = members(cohorts=4)
    few = make_retention_cells(exits, churned, potential=potential, groups={"cohort": names})
    made = why(few)
    assert "cannot be judged" in made.why_empty
    assert made.table.empty
    assert sj.check_results(made) == []


def test_without_cohorts_there_is_none(make_retention_cells):
    assert "when they joined" in why(make_retention_cells([5, 9], [True, False])).why_empty


def test_what_may_not_be_given_is_not_given(cells):
    made = why(cells, allowed=False, why_not="The gate has not passed.")
    assert made.why_empty == "The gate has not passed."
    assert made.race is None
    assert why(cells, allowed=False).why_empty


def test_nobody_lost_is_said(make_retention_cells):
    exits, _, potential, names = members()
    stay = make_retention_cells(
        potential, np.zeros(exits.size, dtype=bool), potential=potential, groups={"cohort": names}
    )
    assert "Nobody is lost" in why(stay).why_empty


def test_a_law_without_a_mode_is_said(cells, monkeypatch):
    def stuck(*_, **__):
        raise ConvergenceError("The Weibull law found no mode.")

    monkeypatch.setattr("sojourn.studies.retention.forecast.run_race", stuck)
    assert why(cells).why_empty == "The Weibull law found no mode."


def test_a_triangle_of_too_many_ages_asks_for_a_longer_step(cells):
    assert "longer `step`" in why(cells, step=2).why_empty


def test_bad_parameters_are_named(cells):
    for name, value in (("step", 0), ("ahead", 0), ("mass", 1.0), ("min_group", 0)):
        with pytest.raises(ParameterError, match=name):
            why(cells, **{name: value})


# --- checks ---


def with_coverage(forecast, coverage):
    table = forecast.race.table.copy()
    table.loc[table["model"] == forecast.race.chosen, "coverage"] = coverage
    return replace(forecast, race=replace(forecast.race, table=table))


def test_held_out_coverage_decides(forecast):
    for coverage, verdict, blocked in ((0.94, "pass", False), (0.82, "warn", False), (0.79, "fail", True)):
        changed = with_coverage(forecast, coverage)
        assert sj.check_results(changed)[0].verdict == verdict
        assert bool(blocked_by(changed)) == blocked


def test_a_total_that_missed_too_often_is_warned_of_and_does_not_block(forecast):
    """Of eight overlapping totals one may miss, and does not count: 0.95 of eight less one is 6.6."""
    sound = with_coverage(forecast, 0.94)
    verdicts = []
    for inside in (8, 7, 6):
        found = replace(sound, race=replace(sound.race, totals=8, totals_inside=inside))
        (check,) = sj.check_results(found)
        verdicts.append(check.verdict)
        assert blocked_by(found) == ""
    assert verdicts == ["pass", "pass", "warn"]
    assert "missed from 2 of 8 earlier dates (these overlap)" in check.meaning
    worse = with_coverage(found, 0.82)
    assert "somewhat too narrow" in sj.check_results(worse)[0].meaning


def test_two_ways_that_differ_give_no_forecast(forecast):
    good = Audit("beta-geometric", 0.1, 0.9, 1.1, 30, "sampled")
    for audit, verdict in (
        (good, "pass"),
        (replace(good, shift=0.3), "fail"),
        (replace(good, narrowest=0.7), "fail"),
        (replace(good, widest=1.4), "fail"),
        (replace(good, failed=True), "cannot be judged"),
    ):
        made = replace(with_coverage(forecast, 0.95), audit=audit)
        assert sj.check_results(made)[1].verdict == verdict
        assert bool(blocked_by(made)) == (verdict != "pass")


def test_a_sampler_that_does_not_converge_is_said(cells, monkeypatch):
    def stuck(*_, **__):
        raise ConvergenceError("r-hat 1.3")

    monkeypatch.setattr(forecast_audit, "sample_renewal", stuck)
    triangle = read_cohorts(cells, step=30, min_group=20).triangle
    nothing = Race(
        pd.DataFrame(),
        PLAIN_SHARED,
        PLAIN,
        beaten=False,
        entries=0,
        cohorts=0,
        origins=0,
        totals=0,
        totals_inside=0,
    )
    audit = forecast_audit.audit_forecast(triangle, nothing, ahead=3, rng=np.random.default_rng(1))
    assert audit.failed
    assert audit.sampler == "r-hat 1.3"


def test_a_casebook_case_without_dates_has_none():
    risk = pd.DataFrame({"by": ["all"], "group": ["all"], "late": [0], "day": [1], "entered": [5]})
    cells = Cells("telco", "retention", {"risk": risk}, {"unit": "month", "leaving": "cancellation"})
    assert why(cells).why_empty


def test_the_rates_of_the_check_are_those_measured():
    folder = Path(__file__).parents[2] / "calibration" / "results"
    rows = json.loads((folder / "forecast.json").read_text(encoding="utf-8"))["rows"]
    measured = {row["estimand"].split(": ")[-1]: row["measured"] for row in rows}
    assert (measured["faults found"], measured["false alarms"]) == HELD_RATES
