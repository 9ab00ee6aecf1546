"""What definitions and lapse windows say, and what their pictures draw."""

from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.retention_definitions import DefinitionLens, LapseWindow
from sojourn.report.retention_definitions import (
    describe_lapse_window,
    describe_lens,
    describe_lens_table,
    describe_windows,
    lens_table,
    windows_table,
)
from sojourn.viz.figure import figure


def a_lens(day=30):
    names = ["day", "grade", "definition", "caution", "rule", "clock", "zone", "numbering", "maturity"]
    choices = {"clock": "calendar", "zone": "UTC", "numbering": "zero"}
    rows = [
        (30, "reference", "Count A", "", "silence", "censored", 2, 100, 0.336),
        (30, "defensible", "Count B", "Few.", "on", "followed", 0, 90, 0.214),
        (30, "misleading", "Count C", "Wrong.", "last_sign", "followed", 1, 90, 0.638),
        (30, "misleading", "Count D", "Wrong.", "last_sign", "everybody", 2, 90, 0.999),
        (7, "reference", "Count A", "", "silence", "censored", 2, 100, 0.5),
        (7, "defensible", "Count B", "Few.", "on", "followed", 0, 90, 0.4),
    ]
    columns = ["day", "grade", "definition", "caution", "rule", "maturity", "changes", "n", "share"]
    table = pd.DataFrame(rows, columns=columns).assign(**choices)
    table = table[[*names, "changes", "n", "share"]]
    effects = pd.DataFrame(
        [(30, "rule", 0.214, 0.638, 0.424), (30, "zone", 0.2, 0.22, 0.02)],
        columns=["day", "choice", "lowest_share", "highest_share", "spread_points"],
    )
    return DefinitionLens("test", "day", "silence", 30, "UTC", day, 20, table, effects)


def a_window(own=30, chosen=90, judged=True):
    table = pd.DataFrame(
        {
            "window": [30, 60, 90],
            "back_share": [0.301, 0.17, 0.097],
            "judged": [judged, True, True],
            "lapsed": [1278, 1129, 972],
            "came_back": [322, 135, 48],
            "so_far_share": [0.252, 0.12, 0.049],
            "so_far_share_low": [0.228, 0.101, 0.037],
            "so_far_share_high": [0.277, 0.14, 0.065],
            "at_risk": [95, 164, 75],
            "retained": [0.073, 0.149, 0.205],
            "retained_low": [0.06, 0.13, 0.18],
            "retained_high": [0.088, 0.169, 0.23],
            "claimed": [True, True, False],
        }
    )
    days = range(1, 101)
    curve = pd.DataFrame({"days": days, "back_share": [0.9 - 0.0085 * day for day in days]})
    return LapseWindow("test", "day", "silence", own, 20, 0.95, 90, 0.1, 200, chosen, table, curve)


def test_the_short_sentences() -> None:
    said = (
        "By definition alone, day-30 retention reads between 21 and 34 % (21 to 64 % with misleading ones)."
    )
    assert sj.brief(a_lens()) == f"{said} This page's own reads 33.6 %."
    said = "Of silences that have lasted 30 days, 30.1 % end by day 200; at most 10 % do after 90 days."
    assert sj.brief(a_window()) == said
    assert sj.brief(a_window(chosen=None)).endswith("30.1 % end by day 200; no window brings it to 10 %.")
    assert sj.brief(a_window(chosen=30)).endswith("30.1 % end by day 200, as few as the rule asks.")
    assert all(len(text.split()) < 25 for text in (sj.brief(a_lens()), sj.brief(a_window())))


def test_the_long_sentences() -> None:
    said = sj.say(a_lens())
    assert "Others that hold up read 21 %. Misleading ones read 64 %." in said
    assert "what keeps a member 42.4 and the time zone 2.0." in said
    said = sj.say(a_window())
    assert "So far 25.2 % (95 % exact confidence interval 22.8 to 27.7) of 1,278 members" in said
    assert "members whose first silence began long enough ago have come back." in said
    assert "7.3 % (95 % confidence interval 6.0 to 8.8) with 30 days and 14.9 %" in said  # 90 is not claimed


def test_the_range_is_that_of_definitions_that_hold_up() -> None:
    found = a_lens()
    rows = found.table
    sound = replace(found, table=rows[rows["grade"] != "misleading"])
    assert describe_lens(sound)["title"] == (
        "By definition alone, day-30 retention reads between 21 and 34 %"
    )
    own = replace(found, table=rows[rows["grade"] == "reference"])
    assert describe_lens(own)["title"] == "By definition alone, day-30 retention reads 34 %"
    wrong = replace(found, table=rows[rows["definition"] == "Count C"])
    assert sj.brief(wrong) == "By misleading definitions, day-30 retention reads 64 %."


def test_the_day_of_joining_as_day_1_is_left_out_and_said_to_be() -> None:
    found = a_lens()
    first = found.table.iloc[[1]].assign(day=1, numbering="one", share=1.0, definition="Count E")
    second = first.assign(numbering="zero", share=0.3, definition="Count B")
    later = first.assign(day=30, share=0.25)
    with_joining = replace(found, table=pd.concat([found.table, first, second, later], ignore_index=True))
    drawn = with_joining.drawn()
    assert drawn.loc[drawn["day"] == 1, "definition"].tolist() == ["Count B"]
    assert "Count E" in set(drawn.loc[drawn["day"] == 30, "definition"])
    said = "Day 1, where it is the day of joining, is left out: everybody came then."
    assert describe_lens(with_joining)["subtitle"].endswith(said)
    assert said not in describe_lens(found)["subtitle"]


def test_tables_stand_in_order_of_grade() -> None:
    table = lens_table(a_lens())
    assert table.columns.tolist() == ["definition", "grade", "share_day_7", "share_day_30", "caution"]
    assert table["definition"].tolist() == ["Count A", "Count B", "Count C"]  # D differs in two things
    assert table["share_day_7"].isna().tolist() == [False, False, True]
    table = windows_table(a_window())
    assert table["mark"].tolist() == ["this page's", "", "by the rule"]
    assert table["retained_low"].isna().tolist() == [False, False, True]
    assert windows_table(a_window(own=90))["mark"].tolist() == ["", "", "this page's, by the rule"]


@pytest.mark.parametrize(
    "words",
    [
        describe_lens(a_lens()),
        describe_lens_table(a_lens()),
        describe_lapse_window(a_window()),
        describe_windows(a_window(chosen=None)),
        describe_windows(a_window(judged=False)),
    ],
)
def test_words_around_pictures_and_tables_are_whole_sentences(words) -> None:
    assert not words["title"].endswith(".")
    for name in set(words) - {"title"}:
        assert words[name].endswith(".")
        assert "nan" not in words[name]
        assert "customer" not in words[name]


def test_marks_are_the_drawn_table() -> None:
    found = a_lens()
    ax = sj.plot_lens(found)
    drawn = found.drawn()
    marks = {(round(float(x), 4), y) for line in ax.lines for x, y in zip(*line.get_data(), strict=True)
             if line.get_marker() != "None"}  # fmt: skip
    days = {7: 0, 30: 1}
    assert marks == {(row.share, days[row.day]) for row in drawn.itertuples()}
    assert [text.get_text() for text in ax.texts] == ["this page's own"]
    kinds = {line.get_marker() for line in ax.lines} - {"None"}
    assert kinds == {"o", "x", "D"}  # not known by colour alone


def test_the_curve_of_silences_is_the_drawn_table() -> None:
    found = a_window()
    ax = sj.plot_lapse_window(found)
    line = next(line for line in ax.lines if len(line.get_xdata()) > 2)
    assert line.get_xdata().tolist() == found.drawn()["days"].tolist()
    assert line.get_ydata().tolist() == found.drawn()["back_share"].tolist()
    assert [text.get_text() for text in ax.texts] == ["10 %", "this page: 30 days", "by the rule: 90 days"]
    both = sj.plot_lapse_window(a_window(chosen=30))
    assert both.texts[1].get_text() == "this page and the rule: 30 days"


@pytest.mark.parametrize("made", [lambda: sj.plot_lens(a_lens()), lambda: sj.plot_lapse_window(a_window())])
def test_pictures_are_small(made) -> None:
    table = pd.DataFrame({"n": [1]})
    block = figure(made(), name="some", title="t", subtitle="s", alt="a", table=table)
    assert len(block.data["svg"]) < 25_000
