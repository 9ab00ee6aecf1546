"""Checks of a retention curve: each has an input on which it passes and one on which it does not."""

import json
from pathlib import Path

import numpy as np
import pytest

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.data.cells.retention import SEEN_FROM_THE_START
from sojourn.estimators.survival.log_rank import LogRankTest
from sojourn.studies.retention.checks import DRIFT_RATES, drift_power, drift_ratio, halves_test

RESULTS = Path(__file__).parents[2] / "calibration" / "results" / "retention.json"


@pytest.fixture
def cells(make_retention_cells):
    """Return a function: sound cells of 600 members, or with one thing changed."""

    def make(*, newer=1.0, n=600, longest=200, **meta):
        rng = np.random.default_rng(5)
        potential = np.arange(n) % longest + 1
        cohort = np.where(potential <= longest // 2, "2025-02", "2025-01")
        life = np.ceil(rng.exponential(80, n) / np.where(cohort == "2025-02", newer, 1)).astype(int)
        return make_retention_cells(
            np.minimum(life, potential),
            life <= potential,
            potential=potential,
            groups={"cohort": cohort},
            **meta,
        )

    return make


def verdicts(cells: Cells, horizon: int = 60) -> dict[str, str]:
    checks = sj.check_retention(cells, sj.retention_curve(cells), horizon=horizon)
    return {check.name: check.verdict for check in checks}


def test_sound_data_passes_everything(cells):
    found = verdicts(cells(n=6_000))
    assert len(found) == 5
    assert set(found.values()) == {"pass"}


def test_follow_up_that_does_not_reach_the_horizon(cells):
    assert verdicts(cells(), horizon=150)["Followed long enough"] == "warn"  # fewer than 100 at risk
    assert verdicts(cells(), horizon=201)["Followed long enough"] == "fail"


def test_too_few_leavers_for_an_interval(make_retention_cells):
    few = make_retention_cells([5] * 9 + [90] * 91, [True] * 9 + [False] * 91)
    assert verdicts(few)["Enough losses for an interval"] == "cannot be judged"


def test_newer_members_who_leave_faster(cells):
    faulty = cells(newer=2.5)
    assert verdicts(faulty)["Older and newer members fare alike"] == "warn"
    check = next(
        c
        for c in sj.check_retention(faulty, sj.retention_curve(faulty), horizon=60)
        if c.name.startswith("Older")
    )
    assert "p < 0.001" in check.finding
    assert check.finding.startswith("Newer members left ")
    gone = int(check.rates_from.partition("these ")[2].split()[0])
    assert 100 < gone < 600  # of this case, not of the worlds of the calibration
    assert check.catch_rate == pytest.approx(drift_power(gone, 0.5), abs=0.05)
    assert check.false_alarm_rate == DRIFT_RATES[1]


def test_the_chance_of_finding_drift_agrees_with_what_was_measured():
    """735 of 2,000 members leave within 90 days in the worlds of `drift_rates`; 44 in 100 are expected newer.

    The closed form counts on the fault being small; .04 covers that and the error of 2,000 worlds (.008).
    """
    assert drift_power(735, 0.44) == pytest.approx(DRIFT_RATES[0], abs=0.04)
    assert drift_power(5, 0.5) < 0.05
    assert drift_power(20_000, 0.5) == 0.999


def test_finding_no_drift_says_little_where_it_would_mostly_go_unseen(cells):
    for n, verdict, meaning in ((600, "warn", "mostly go unseen"), (6_000, "pass", "holds for both")):
        made = cells(n=n)
        checks = sj.check_retention(made, sj.retention_curve(made), horizon=60)
        check = next(c for c in checks if c.name.startswith("Older"))
        assert check.verdict == verdict
        assert meaning in check.meaning
        assert check.finding.startswith("No clear difference: newer members left ")
        assert "times (95 % confidence interval " in check.finding


def test_the_ratio_of_newer_to_older_losses_has_the_interval_of_the_log_rank_test():
    """By hand: 60 lost where 50 are expected, 40 where 50 are; sd of the logarithm 1 / sqrt(100 / 4) = .2."""
    test = LogRankTest(4.0, 1, 0.0455, np.array([40.0, 60.0]), np.array([50.0, 50.0]), np.zeros(2), np.eye(2))
    found = drift_ratio(test, 0.95)
    assert found.value == pytest.approx(1.5)
    assert np.log([found.low, found.high]) == pytest.approx(
        np.log(1.5) + 0.2 * 1.959963984540054 * np.array([-1, 1])
    )


def test_newer_members_are_those_who_joined_later(cells):
    """They leave 2.5 times as fast, or .4 times.

    Three standard errors of the logarithm are .13; observed over expected is drawn towards 1 a little.
    """
    test = halves_test(cells(n=6_000, newer=2.5), 60)
    assert drift_ratio(test, 0.95).value == pytest.approx(2.5, rel=0.15)
    older = halves_test(cells(n=6_000, newer=0.4), 60)
    assert drift_ratio(older, 0.95).value == pytest.approx(0.4, rel=0.15)


def test_no_interval_of_the_ratio_from_few(cells):
    few = cells()
    check = next(
        c for c in sj.check_retention(few, sj.retention_curve(few), horizon=2) if c.name.startswith("Older")
    )
    assert "times (too few for an interval) as fast" in check.finding


def test_members_who_cannot_all_be_new(cells):
    """1,946 households had their first purchase in the first four weeks of the data, 200 in the next."""
    seen = {"days": 28, "first": 1946, "following": 200}
    assert verdicts(cells(since="first purchase", newcomers=seen))["New members are new"] == "fail"
    assert "New members are new" not in verdicts(cells(since="joining", newcomers=seen))
    some = {**seen, "first": 400}
    assert verdicts(cells(since="first purchase", newcomers=some))["New members are new"] == "warn"
    few = {**seen, "first": 6, "following": 2}  # three times as many, by chance
    assert verdicts(cells(since="first purchase", newcomers=few))["New members are new"] == "pass"


def test_members_known_to_be_old_do_not_block_an_answer_about_new_ones(cells):
    old = cells(left_out={SEEN_FROM_THE_START: 500})
    assert verdicts(old)["Everybody counts"] == "warn"


def test_drift_is_not_known_without_dates_of_joining(make_retention_cells):
    cells = make_retention_cells(list(range(1, 101)), [True] * 100)
    assert verdicts(cells, horizon=50)["Older and newer members fare alike"] == "warn"


def test_the_rates_on_the_page_are_those_measured():
    """The committed calibration (2,000 worlds a row) is what the page prints, rounded as it prints it."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    measured = {
        r["estimand"].rpartition(": ")[2]: r["measured"] for r in rows if "leave alike" in r["estimand"]
    }
    assert DRIFT_RATES[0] == round(measured["faults found"], 2)
    assert DRIFT_RATES[1] == round(measured["false alarms"], 3)


@pytest.mark.parametrize(("out", "verdict"), [(20, "pass"), (60, "warn"), (200, "fail")])
def test_members_left_out(cells, out, verdict):
    found = cells(left_out={"joined too recently to be judged": out})
    assert verdicts(found)["Everybody counts"] == verdict


def test_late_entrants_are_named(make_retention_cells):
    late = make_retention_cells([50] * 60, [True] * 60, entries=[0] * 40 + [20] * 20)
    checks = sj.check_retention(late, sj.retention_curve(late), horizon=30)
    finding = next(c.finding for c in checks if c.name == "Everybody counts")
    assert "20 members joined before observation began" in finding


def test_a_source_that_stopped_before_the_date_of_the_data(cells):
    stopped = cells(last_sign="2025-06-20T00:00:00+00:00")
    assert verdicts(stopped)["The data are up to date"] == "warn"
    today = cells(last_sign="2025-06-30T12:00:00+00:00")  # half a day may always be missing
    assert verdicts(today)["The data are up to date"] == "pass"
    slow = cells(last_sign="2025-06-29T00:00:00+00:00", signs=400)  # less than one sign a day: no alarm
    assert verdicts(slow)["The data are up to date"] == "pass"


@pytest.mark.parametrize(("back", "verdict"), [(5, "pass"), (50, "warn")])
def test_members_who_come_back(cells, back, verdict):
    import pandas as pd

    sound = cells(leaving="silence", lapse=30)
    returns = pd.DataFrame({"by": ["all"], "group": ["all"], "lapsed": [300], "came_back": [back]})
    silent = Cells("test", "retention", {**sound.tables, "returns": returns}, sound.meta)
    assert verdicts(silent)["Silence means leaving"] == verdict


def test_columns_that_are_known_later_are_named(cells):
    assert verdicts(cells(known_later={"contract": "a snapshot"}))["No grouping by the future"] == "pass"


@pytest.mark.parametrize(("wrong", "verdict"), [(0.0, "pass"), (0.15, "fail")])
def test_the_truth_of_a_simulated_world_contradicts(cells, wrong, verdict):
    rows = [
        {"group": "all", "level": "all", "day": day, "survival": float(np.exp(-day / 80)) + wrong}
        for day in (10, 60)
    ]
    assert verdicts(cells(truth={"retention": {"survival": rows}}))["Estimate and truth agree"] == verdict
