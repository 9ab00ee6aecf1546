"""Definitions side by side, and the lapse window: what is read off the cells."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.results.retention_definitions import GRADES
from sojourn.studies.retention.lens import survival
from sojourn.studies.retention.silence import FAR, back_share, share_longer

PROJECT = Path(__file__).parents[2]
META = {
    "unit": "day",
    "leaving": "silence",
    "lapse": 30,
    "as_of": "2025-07-01T00:00:00Z",
    "time_zone": "Europe/Berlin",
    "params": {"lapse_days": 30},
}


# --- definitions ----------------------------------------------------------------------------------------


def lens_cells(rows, exits=None, **meta):
    """Cells of counts of definitions, and of exits by (rule, minute, churned, censored)."""
    columns = ["day", "rule", "clock", "zone", "numbering", "mature", "members", "kept"]
    tables = {"lens": pd.DataFrame(rows, columns=columns)}
    if exits is not None:
        names = ["rule", "minute", "churned", "censored"]
        tables["lens_exits"] = pd.DataFrame(exits, columns=names)
    return Cells("test", "retention", tables, {**META, **meta})


CALENDAR = ("calendar", "Europe/Berlin", "zero")
ROWS = [
    (30, "on", *CALENDAR, 1, 80, 20),
    (30, "on", *CALENDAR, 0, 20, 0),
    (30, "on", "calendar", "UTC", "zero", 1, 80, 24),
    (30, "on", "calendar", "UTC", "zero", 0, 20, 0),
    (30, "on", "elapsed", "", "zero", 1, 80, 16),
    (30, "on_or_after", *CALENDAR, 1, 80, 40),
    (30, "within", *CALENDAR, 1, 80, 72),
    (30, "silence", "elapsed", "", "zero", 1, 60, 30),
    (30, "silence", "elapsed", "", "zero", 0, 40, 40),
    (30, "last_sign", "elapsed", "", "zero", 1, 60, 36),
    (7, "on", *CALENDAR, 1, 15, 5),
]
#: Of 100 members 40 leave after 10 days, 30 are followed for 20 days; of the others 15 leave after 30.
EXITS = [
    ("silence", 10 * 1440, 40, 0),
    ("silence", 20 * 1440, 0, 30),
    ("silence", 30 * 1440, 15, 0),
    ("silence", 30 * 1440 + 1, 0, 15),
]


@pytest.fixture
def found():
    return sj.lens(lens_cells(ROWS, EXITS))


def shares(found, **where):
    rows = found.at(30)
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows["share"].tolist()


def test_who_was_followed_everybody_and_kaplan_meier_by_hand(found) -> None:
    assert shares(found, rule="on", zone="Europe/Berlin", clock="calendar", maturity="followed") == [20 / 80]
    assert shares(found, rule="on", zone="Europe/Berlin", clock="calendar", maturity="everybody") == [0.2]
    assert shares(found, rule="silence", maturity="followed") == [0.5]
    assert shares(found, rule="silence", maturity="everybody") == [0.7]
    assert shares(found, rule="silence", maturity="censored") == [pytest.approx(0.6 * 0.5)]
    assert found.reference() == pytest.approx(0.3)


def test_a_definition_about_few_members_has_no_row(found) -> None:
    assert found.at(7)["rule"].tolist() == ["silence"]  # of all 100 members
    assert sj.lens(lens_cells(ROWS, EXITS), min_group=15).at(7)["rule"].tolist() == ["on", "on", "silence"]
    with pytest.raises(UndefinedError, match="counted are 7, 30"):
        found.at(8)


def test_misleading_definitions_say_why(found) -> None:
    cautions, grades = (
        found.at(30).set_index(["rule", "maturity"])[name].sort_index() for name in ("caution", "grade")
    )
    assert set(grades["last_sign"]) == set(grades["on_or_after"]) == set(grades["within"]) == {"misleading"}
    assert all("Reads the future" in text for text in cautions["last_sign"])
    assert "reads too low" in cautions["on", "everybody"].iloc[0]
    assert "reads too high" in cautions["silence", "everybody"].iloc[0]
    assert grades["silence", "censored"].tolist() == ["reference"]
    assert grades["silence", "followed"].tolist() == ["defensible"]
    assert (found.at(30)["grade"] == "reference").sum() == 1


def test_the_words_are_those_of_reconcile(found) -> None:
    rows = found.table[found.table["maturity"] == "followed"]
    words = rows.set_index(["rule", "clock", "zone"])["definition"]
    assert words["on", "calendar", "UTC"] == "Count members seen in that day; count days in UTC"
    assert words["on", "elapsed", "Europe/Berlin"].endswith("count 24-hour periods from the hour of joining")
    silent = words["silence", "calendar", "Europe/Berlin"]
    assert silent == "Count members without a silence longer than 30 days so far"


def test_what_each_choice_alone_does(found) -> None:
    effects = found.effects.set_index("choice")
    assert effects.loc["rule", ["lowest_share", "highest_share"]].tolist() == [0.25, 0.9]
    assert effects.loc["clock", ["lowest_share", "highest_share"]].tolist() == [0.2, 0.25]
    assert effects.loc["zone", ["lowest_share", "highest_share"]].tolist() == [0.25, 0.3]
    assert effects.loc["maturity", ["lowest_share", "highest_share"]].tolist() == [0.2, 0.25]
    assert effects.loc["numbering", "spread_points"] == 0


def test_shown_are_our_own_and_those_that_differ_in_one_thing_by_grade(found) -> None:
    drawn = found.drawn().query("day == 30")
    assert list(dict.fromkeys(drawn["grade"])) == list(GRADES)
    assert len(drawn) == 9  # without those that differ in two things
    assert len(found.at(30)) == 15
    for _, rows in drawn.groupby("grade"):
        assert rows["share"].is_monotonic_increasing


def test_the_day_that_sentences_are_about_is_the_nearest_counted() -> None:
    rows = [(day, "on", *CALENDAR, 1, 80, 20) for day in (1, 7, 28, 40)]
    assert sj.lens(lens_cells(rows)).day == 28
    assert sj.lens(lens_cells(rows), day=3).day == 1
    assert sj.lens(lens_cells(rows), day=90).day == 40


def test_a_line_ends_where_few_are_at_risk() -> None:
    exits = pd.DataFrame({"minute": [60, 120], "churned": [10, 0], "censored": [0, 30]})
    assert survival(exits, 60, 30) == 0.75
    assert survival(exits, 120, 30) == 0.75
    assert survival(exits, 121, 30) is None
    assert survival(exits, 59, 30) == 1.0
    assert survival(exits, 60, 41) is None


@pytest.mark.parametrize(
    ("tables", "meta", "said"),
    [
        ({}, {}, "there is one definition"),
        ({}, {"not_possible": "There are no members."}, "There are no members."),
        ({"lens": pd.DataFrame([(30, "on", *CALENDAR, 1, 3, 1)], columns=[
            "day", "rule", "clock", "zone", "numbering", "mature", "members", "kept"])}, {}, "Fewer than 20"),
    ],
)  # fmt: skip
def test_where_there_are_no_definitions_one_sentence_says_why(tables, meta, said) -> None:
    found = sj.lens(Cells("test", "retention", tables, {**META, **meta}))
    assert said in found.why_empty
    assert sj.say(found) == found.why_empty
    assert sj.brief(found) == ""
    assert found.drawn().empty
    with pytest.raises(UndefinedError, match="nothing to draw"):
        sj.plot_lens(found)


def telco():
    folder = PROJECT / "data" / "casebook" / "telco" / "retention"
    meta = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    return Cells("telco", "retention", {"risk": pd.read_csv(folder / "risk.csv")}, meta)


def test_telco_has_neither_definitions_nor_silences() -> None:
    assert "one definition" in sj.lens(telco()).why_empty
    found = sj.lapse_window(telco())
    assert "Members cancel here" in found.why_empty
    assert found.not_applicable
    assert sj.show(found, name="silence").data["text"] == ""  # nothing that a page could miss
    assert sj.check_results(found) == []
    with pytest.raises(UndefinedError, match="nothing to draw"):
        sj.plot_lapse_window(found)


# --- the lapse window ------------------------------------------------------------------------------------


def gap_cells(gaps, windows=None, **meta):
    """Cells of gaps by (days, ended, running), and of windows by their columns."""
    names = ["window", "day", "entered", "churned", "censored", "came_back"]
    rows = windows or [(30, 0, 100, 0, 0, 0), (30, 5, 0, 60, 0, 12), (30, 200, 0, 0, 40, 0)]
    tables = {
        "gaps": pd.DataFrame(gaps, columns=["days", "ended", "running"]),
        "windows": pd.DataFrame(rows, columns=names),
    }
    return Cells("test", "retention", tables, {**META, **meta})


def test_a_log_without_gaps_is_a_lack() -> None:
    found = sj.lapse_window(Cells("test", "retention", {}, META))
    assert not found.not_applicable
    assert sj.show(found, name="silence").data["text"] == found.why_empty != ""


#: 1,000 gaps: 800 end after 10 days, 60 after 40, 20 after 100; 120 run for 300 days.
GAPS = [(10, 800, 0), (40, 60, 0), (100, 20, 0), (300, 0, 120)]


def windows_of(*lengths):
    return [row for days in lengths for row in ((days, 0, 100, 0, 0, 0), (days, 5, 0, 60, 40, 12))]


def test_who_comes_back_by_hand() -> None:
    found = sj.lapse_window(gap_cells(GAPS, windows_of(7, 30, 60, 120, 180)))
    assert found.followed_to == 300
    back = found.table.set_index("window")["back_share"]
    assert back[7] == pytest.approx(880 / 1000)
    assert back[30] == pytest.approx(80 / 200)
    assert back[60] == pytest.approx(20 / 140)
    assert back[120] == 0
    assert np.isnan(back[180])  # silences were not followed for 360 days
    assert found.table["judged"].tolist() == [True, True, True, True, False]
    assert found.chosen == 120


def test_gaps_that_run_are_censored() -> None:
    """100 gaps end after 5 days, 100 run for 10, 50 of the other 200 end after 20: half of two thirds."""
    longer = share_longer(pd.DataFrame([(5, 100, 0), (10, 0, 100), (20, 50, 0), (60, 0, 150)],
                                       columns=["days", "ended", "running"]), 20)  # fmt: skip
    assert longer[[4, 5, 19, 20, 60]].tolist() == pytest.approx([1, 0.75, 0.75, 0.75 * 0.75, 0.75 * 0.75])
    assert back_share(longer, 5) == pytest.approx(0.25)
    assert np.isnan(back_share(longer, 61))


def test_members_are_the_unit_of_an_interval() -> None:
    """12 of 60 lapsed members came back: the exact bounds of R's binom.test(12, 60)."""
    back = sj.lapse_window(gap_cells(GAPS)).back(30)
    assert (back.value, back.kind) == (0.2, "exact")
    assert (back.low, back.high) == pytest.approx((0.1078411225, 0.3233004238), abs=1e-9)


def test_the_headline_under_the_own_window_is_that_of_the_curve(make_retention_cells) -> None:
    rng = np.random.default_rng(3)
    exits, churned = rng.integers(0, 200, 300), rng.random(300) < 0.6
    cells = make_retention_cells(exits, churned, leaving="silence", lapse=30)
    risk = cells.tables["risk"].assign(window=30, came_back=0)
    both = Cells("test", "retention", {**gap_cells(GAPS).tables, "windows": risk}, {**META, **cells.meta})
    ours = sj.lapse_window(both, horizon=90, mass=0.9).retained(30)
    curve = sj.retention_curve(cells, mass=0.9).retained(90)
    assert (ours.value, ours.low, ours.high) == pytest.approx((curve.value, curve.low, curve.high), abs=1e-12)


def test_beyond_follow_up_there_is_no_headline() -> None:
    found = sj.lapse_window(gap_cells(GAPS, windows_of(30)), horizon=6)
    assert not found.row(30)["claimed"]
    with pytest.raises(UndefinedError, match="nobody is followed to day 6"):
        found.retained(30)
    with pytest.raises(ParameterError, match="31"):
        found.row(31)


def test_where_none_suits_none_is_chosen() -> None:
    found = sj.lapse_window(gap_cells([(10, 500, 0), (290, 300, 0), (300, 0, 200)], windows_of(30, 120)))
    assert found.chosen is None
    (check,) = sj.check_results(found)
    assert check.verdict == "warn"
    assert "no window" in check.finding
    assert "first pause" in check.meaning
    assert "no window brings it to 10 %" in sj.brief(found)


@pytest.mark.parametrize(
    ("own", "verdict", "said"),
    [(30, "warn", "too short"), (60, "warn", "too short"), (90, "pass", "near"), (120, "pass", "the end")],
)
def test_the_check_compares_the_own_window_with_the_rule(own, verdict, said) -> None:
    """By the rule 120 days: at 30 and 60 more than 10 % come back, and 120 is twice as long or more."""
    cells = gap_cells(GAPS, windows_of(7, 30, 60, 90, 120), lapse=own)
    (check,) = sj.check_results(sj.lapse_window(cells))
    assert FAR == 2
    assert check.verdict == verdict
    assert said in check.meaning


def test_a_needlessly_long_window_is_warned_of() -> None:
    cells = gap_cells([(10, 800, 0), (300, 0, 200)], windows_of(14, 30, 60), lapse=60)
    (check,) = sj.check_results(sj.lapse_window(cells))
    assert check.verdict == "warn"
    assert "needlessly long: 14 days would do" in check.meaning


def test_silences_followed_too_briefly_are_not_judged() -> None:
    cells = gap_cells([(10, 800, 0), (50, 0, 200)], windows_of(14, 30), lapse=30)
    found = sj.lapse_window(cells)
    (check,) = sj.check_results(found)
    assert check.verdict == "warn"
    assert check.finding.startswith("Not known")
    assert "too briefly to judge" in sj.brief(found)


def test_few_gaps_give_no_window() -> None:
    found = sj.lapse_window(gap_cells([(10, 3, 0), (20, 0, 4)]))
    assert "Fewer than 20 gaps" in found.why_empty
    assert sj.check_results(found) == []


@settings(deadline=None, max_examples=40)
@given(
    ended=st.lists(st.integers(0, 50), min_size=5, max_size=60),
    running=st.lists(st.integers(0, 50), min_size=60, max_size=60),
    order=st.randoms(use_true_random=False),
)
def test_laws_of_coming_back(ended, running, order) -> None:
    """The longer the silence, the fewer come back; order and doubling of rows change nothing."""
    rows = [(day + 2, n, running[day]) for day, n in enumerate(ended)]
    gaps = pd.DataFrame(rows, columns=["days", "ended", "running"])
    longer = share_longer(gaps, 1)
    back = [back_share(longer, day) for day in range(len(longer)) if longer[day] > 0]
    assert all(0 <= share <= 1 for share in back)
    assert all(later <= sooner + 1e-12 for sooner, later in pairwise(back))
    order.shuffle(rows)
    shuffled = pd.DataFrame(rows, columns=["days", "ended", "running"])
    assert share_longer(shuffled, 1).tolist() == longer.tolist()
    assert share_longer(pd.concat([gaps, gaps]), 2).tolist() == pytest.approx(longer.tolist(), abs=1e-12)
