"""When members leave: the smooth rate on cells, its peak, and months that stand apart."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import calibrations
import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.studies.retention.cohorts import month_cells, name_of, number_of
from sojourn.studies.retention.when_checks import APART_RATES, CLAIMED, FALSE_PEAKS

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def worlds():
    """Return the worlds of the calibration."""
    return calibrations.load("when")


@pytest.fixture(scope="module")
def members():
    """Return days of leaving or of the end of observation, and who left: a peak on day 42, ratio 2."""
    rng = np.random.default_rng(20_261_121)
    age = np.arange(400) + 0.5
    total = np.cumsum(0.004 * (1 + (age / 42 * np.exp(1 - age / 42)) ** 2))
    life = np.searchsorted(total, rng.exponential(size=6_000)) + 1
    life[rng.random(6_000) < 0.05] = 0
    followed = rng.integers(100, 365, 6_000)
    return np.minimum(life, followed), life <= followed


@pytest.fixture(scope="module")
def cells(members, make_retention_cells):
    return make_retention_cells(*members)


def test_the_planted_peak_lies_in_its_interval(cells):
    found = sj.risk_peak(cells)
    assert found.shape == "peak"
    assert found.peak.at.low < 42 < found.peak.at.high
    assert found.peak.at.mass == 0.90
    assert found.peak.after.low > 1.5
    assert sj.check_results(found)[0].verdict == "pass"
    falling = sj.check_results(replace(found, peak=None, shape="falling", sure=0.0))[0]
    assert (falling.verdict, falling.meaning) == ("pass", "No sure peak on the way.")


def test_those_who_left_at_once_are_not_in_the_curve(cells, members):
    exits, churned = members
    found = sj.risk_peak(cells)
    assert found.at_once == (exits == 0).sum()
    assert found.events == (churned & (exits > 0) & (exits <= found.table["duration"].max())).sum()


def test_counted_periods_are_what_counting_gives(make_retention_cells):
    exits = np.repeat([1, 3, 7, 8, 14, 30], [10, 10, 5, 20, 5, 50])
    found = sj.risk_peak(make_retention_cells(exits, exits < 30), width=7, min_group=1)
    weeks = found.table.dropna(subset=["churned"])
    assert weeks["churned"].tolist() == [25, 25, 0, 0]
    # 100 are there on day 1, 75 on day 8, 50 on day 15; nobody is censored before day 30
    assert weeks["rate_counted"].tolist() == pytest.approx([0.25, 1 / 3, 0, 0])


def test_the_smooth_rate_stays_with_what_is_counted(cells):
    weeks = sj.risk_peak(cells).drawn().dropna(subset=["rate_counted"])
    inside = weeks["rate_counted"].between(0.5 * weeks["rate"], 1.6 * weeks["rate"])
    assert inside.mean() > 0.9


def test_the_curve_ends_where_too_few_are_at_risk(cells):
    found = sj.risk_peak(cells, min_group=500)
    assert found.table["at_risk"].min() >= 500
    assert found.table["duration"].max() < sj.risk_peak(cells, min_group=20).table["duration"].max()


def test_order_of_rows_does_not_matter(cells):
    shuffled = {"risk": cells["risk"].sample(frac=1, random_state=1)}
    other = sj.risk_peak(replace(cells, tables=shuffled))
    pd.testing.assert_frame_equal(sj.risk_peak(cells).table, other.table)


@pytest.mark.parametrize(
    ("leavers", "width", "why"), [(5, 7, "left after the start"), (200, 500, "followed for 500 days")]
)
def test_why_there_is_no_curve(make_retention_cells, leavers, width, why):
    exits = np.r_[np.arange(1, leavers + 1), np.full(300, 210)]
    found = sj.risk_peak(make_retention_cells(exits, exits < 210), width=width)
    assert why in found.why_empty
    assert found.drawn().empty
    assert sj.check_results(found) == []


def test_leavers_of_one_day_are_no_curve(make_retention_cells):
    exits = np.r_[np.full(100, 9), np.full(300, 210)]
    assert "nearly the same time" in sj.risk_peak(make_retention_cells(exits, exits < 210)).why_empty


def test_a_wildly_uneven_rate_is_drawn_without_a_warning(make_retention_cells):
    """As many leave each day, of ever fewer, for five days; then nobody for 200: the far end is bounded."""
    exits = np.r_[np.repeat(np.arange(1, 6), 100), np.full(300, 210)]
    found = sj.risk_peak(make_retention_cells(exits, exits < 210))
    assert np.isfinite(found.table[["rate", "rate_low", "rate_high"]]).all(axis=None)
    assert 3 < found.peak.at.value < 6


def test_long_follow_up_in_short_periods_is_thinned(make_retention_cells):
    exits = np.repeat(np.arange(1, 1_501), 2)
    found = sj.risk_peak(make_retention_cells(exits, exits < 1_400), width=1)
    assert len(found.table) < 130
    assert found.table["rate_counted"].notna().sum() > 100


def test_a_level_rate_of_few_is_not_said_to_have_no_peak(make_retention_cells):
    rng = np.random.default_rng(5)
    life, followed = np.ceil(rng.exponential(400, 600)).astype(int), rng.integers(50, 200, 600)
    found = sj.risk_peak(make_retention_cells(np.minimum(life, followed), life <= followed))
    assert found.shape == "level"
    check = sj.check_results(found)[0]
    assert (check.verdict, check.catch_rate) == ("warn", None)


# --- months of joining and of the calendar -----------------------------------------------------------------


def test_ages_are_counted_around_whole_months(worlds):
    cells = worlds.joined(np.random.default_rng(1), n=3_000)
    found, risk = month_cells(cells, 20), cells["risk"]
    assert found.churned.sum() <= risk["churned"].sum()
    first = (found.cohort == number_of("2024-03")) & (found.age == 0)
    rows = risk[(risk["group"] == "2024-03") & risk["day"].between(1, 15)]
    assert found.churned[first] == rows["churned"].sum()  # half a month: days 1 to 15
    # who leaves is there for half of that day; nobody enters or is censored within these days
    joined = risk.loc[(risk["group"] == "2024-03") & (risk["day"] == 0), "entered"].sum()
    by_day = rows.groupby("day")["churned"].sum().reindex(range(1, 16), fill_value=0).to_numpy()
    there = joined - np.r_[0, np.cumsum(by_day)[:-1]]
    assert found.exposure[first] == there.sum() - by_day.sum() / 2


def test_no_month_stands_apart_when_all_are_alike(worlds):
    found = sj.cohort_effects(worlds.joined(np.random.default_rng(2)))
    assert not found.table["apart"].any()
    assert found.drift.low < 1 < found.drift.high
    assert sj.check_results(found)[0].verdict == "pass"


def test_a_shocked_month_is_named(worlds):
    shocked = np.where(number_of("2024-11") == worlds._MONTHS, 1.6, 1.0)
    found = sj.cohort_effects(worlds.joined(np.random.default_rng(3), shocked))
    assert found.named("calendar month")["month"].tolist() == ["2024-11"]
    assert found.named("joined in").empty
    check = sj.check_results(found)[0]
    assert check.verdict == "warn"
    assert "calendar month 2024-11" in check.finding


def test_the_approximation_by_months_is_hardly_biased(worlds):
    """A million members, so that what is off is the approximation: joining is even within months."""
    shocked = np.where(number_of("2024-11") == worlds._MONTHS, 1.6, 1.0)
    rising = 1.3 ** (np.arange(worlds.SPAN + 1) / 365.25)
    found = sj.cohort_effects(worlds.joined(np.random.default_rng(4), shocked * rising, n=1_000_000))
    months = found.table.set_index(["what", "month"])["times"]
    # the goal of the approximation: 3 in 100, in the first and last months, of half as many days, 8 in 100
    assert months["calendar month", "2024-11"] == pytest.approx(1.6, rel=0.03)
    others = months.drop(("calendar month", "2024-11")).groupby("what")
    for _, rows in others:
        assert rows.iloc[1:-1].to_numpy() == pytest.approx(np.ones(len(rows) - 2), rel=0.04)
        assert rows.iloc[[0, -1]].to_numpy() == pytest.approx(np.ones(2), rel=0.08)
    assert found.drift.value == pytest.approx(1.3, rel=0.02)


def test_drifts_of_the_calendar_and_of_cohorts_claim_the_same(worlds):
    rising = 1.5 ** (np.arange(worlds.SPAN + 1) / 365.25)
    calendar = sj.cohort_effects(worlds.joined(np.random.default_rng(6), rising, n=60_000))
    cohorts = sj.cohort_effects(worlds.joined(np.random.default_rng(6), None, rising, n=60_000))
    for found in (calendar, cohorts):
        assert not found.table["apart"].any()
        assert found.drift.low < 1.5 < found.drift.high


@pytest.mark.parametrize("case", ["telco", "cdnow"])
def test_why_there_are_no_departures(case):
    risk = {"telco": "all", "cdnow": "cohort"}[case]
    table = pd.DataFrame(
        {
            "by": risk,
            "group": "1997-01",
            "late": 0,
            "day": [0, 40, 90],
            "entered": [90, 0, 0],
            "churned": [0, 30, 0],
            "censored": [0, 0, 60],
        }
    )
    meta = {
        "unit": "day",
        "leaving": "silence",
        "lapse": 30,
        "observed_from": "1997-01-01T00:00:00Z",
        "as_of": "1998-07-01T00:00:00Z",
    }
    found = sj.cohort_effects(Cells(case, "retention", {"risk": table}, meta))
    assert found.why_empty
    assert found.drawn().empty
    assert sj.check_results(found) == []


def test_small_cohorts_are_left_out(worlds):
    cells = worlds.joined(np.random.default_rng(7), n=2_000)
    sizes = cells["risk"].groupby("group")["entered"].sum()
    kept = month_cells(cells, int(sizes.median()))
    assert {name_of(int(c)) for c in kept.cohort} <= set(sizes.index[sizes >= sizes.median()])


def test_stated_rates_are_those_measured():
    path = PROJECT / "calibration" / "results" / "when.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]

    def measured(what, like, field="measured"):
        return [row[field] for row in rows if row["estimand"].startswith(what) and like in row["like"]]

    stated = dict(CLAIMED)
    assert stated[2_000] <= min(measured("peak (eti)", ", 2,000", "claimed"))
    assert stated[20_000] <= min(measured("peak (eti)", "20,000", "claimed"))
    # rates are stated to the hundred, and at most 0.99
    assert stated[500] == pytest.approx(measured("peak claimed", "500")[0], abs=0.0101)
    assert pytest.approx(1 - min(measured("no interior peak", ", 2,000")), abs=0.0101) == FALSE_PEAKS
    named = measured("calendar month found", "") + measured("month of joining found", "")
    assert APART_RATES[0] == pytest.approx(min(named), abs=0.0101)
    assert APART_RATES[1] == pytest.approx(max(measured("a month stands apart", "")), abs=0.0101)
