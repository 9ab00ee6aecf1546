"""Pictures of who segments are and what they did next, tested as data: what is drawn equals the tables."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.results.segments_described import MessageResponse, NextCurves, Portraits, Profile, WhatNext
from sojourn.viz.ends import apart, wrapped
from sojourn.viz.segments_next import plot_curves, plot_messages
from sojourn.viz.segments_who import plot_portraits
from sojourn.viz.theme import ACCENT, BAD, CONTROL


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def after(shares=(0.1, 0.52, 0.97), everyone=0.5) -> WhatNext:
    names = ["least active third", "middle third", "most active third"]
    table = pd.DataFrame({"segment": names, "n": [1_200, 1_190, 1_210], "active_share": shares})
    table["active_share_low"] = table["active_share"] - 0.03
    table["active_share_high"] = table["active_share"] + 0.02
    all_of = pd.DataFrame({"segment": ["everyone"], "n": [3_600], "active_share": [everyone]})
    return WhatNext(table, all_of, True, 90, "EUR", 0.95)


def who() -> Profile:
    table = pd.DataFrame(
        {
            "segment": ["one", "one", "one", "two", "two", "two"],
            "family": ["how much", "money", "money"] * 2,
            "feature": ["days since last active", "spend a month", "coins"] * 2,
            "difference": [0.75, -0.3, 0.1, -3.0, 0.0, 0.1],
            "telling": [True, True, False] * 2,
        }
    )
    return Profile(table, 0.95)


def portraits(why="") -> Portraits:
    rows = [
        ("age_band", "18-24", "one", 0.5, 1),
        ("age_band", "18-24", "two", 0.2, -1),
        ("age_band", "18-24", "everyone", 0.35, 0),
        ("age_band", "25-34", "one", 0.5, 0),
        ("age_band", "25-34", "two", 0.8, 0),
        ("age_band", "25-34", "everyone", 0.65, 0),
        ("region", "north", "one", 0.6, 0),
        ("region", "north", "two", 0.6, 0),
        ("region", "north", "everyone", 0.6, 0),
    ]
    table = pd.DataFrame(rows, columns=["trait", "level", "segment", "share", "apart"])
    traits = pd.DataFrame({"trait": ["age_band", "region"], "cramers_v": [0.4, 0.0], "tells": [True, False]})
    return Portraits(table, traits, 0.95, why_empty=why)


def curves(groups=("one", "two", "everyone"), why="") -> NextCurves:
    days = np.arange(91)
    parts = [
        pd.DataFrame(
            {
                "group": group,
                "duration": days,
                "retained": 1 - (i + 1) * 0.001 * days,
                "retained_low": 1 - (i + 1) * 0.001 * days - 0.02,
                "retained_high": 1 - (i + 1) * 0.001 * days + 0.02,
                "claimed": days > 10,
            }
        )
        for i, group in enumerate(groups)
    ]
    return NextCurves(pd.concat(parts, ignore_index=True), 90, 0.95, why_empty=why)


def test_shares_and_intervals_are_those_of_the_table():
    result = after()
    ax = sj.plot_next(result)
    reference, *lines = ax.lines
    assert set(reference.get_xdata()) == {0.5}
    for down, row in result.table.iterrows():
        interval, dot = lines[2 * down], lines[2 * down + 1]
        assert list(interval.get_xdata()) == [row["active_share_low"], row["active_share_high"]]
        assert list(interval.get_ydata()) == [down, down]
        assert (list(dot.get_xdata()), list(dot.get_ydata())) == ([row["active_share"]], [down])
    assert texts(ax) == ["everyone 50 %", "10.0 %", "52.0 %", "97.0 %"]
    assert ax.get_xlim() == (0, 1)
    assert ticks(ax.yaxis) == [f"{row.segment}\n{row.n:,} members" for row in result.table.itertuples()]
    low, high = ax.get_ylim()
    assert low > high  # the first segment stands on top


def test_another_share_is_drawn_when_asked_for():
    result = after()
    for frame in (result.table, result.everyone):
        for end in ("", "_low", "_high"):
            frame["stayed_share" + end] = 0.9
    ax = sj.plot_next(result, what="stayed_share")
    assert ax.lines[2].get_xdata() == [0.9]
    assert texts(ax)[0] == "everyone 90 %"


def test_differences_are_tones_with_their_numbers_in_families():
    ax = sj.plot_profile(who())
    # heads of two families, then row by row; the feature in which nobody is far is left out
    assert texts(ax) == ["How much", "Money", "+0.8", "−0.3", "−3.0", "0.0"]
    assert [text.get_position() for text in ax.texts[2:]] == [(0, 1), (0, 3), (1, 1), (1, 3)]
    more, less, far = ax.patches
    assert to_rgb(more.get_facecolor()) == to_rgb(ACCENT)
    assert to_rgb(less.get_facecolor()) == to_rgb(far.get_facecolor()) == to_rgb(BAD)
    # half of the full tone at half of 1.5 standard deviations; no more than full beyond
    assert [patch.get_alpha() for patch in (more, less, far)] == pytest.approx([0.22, 0.09, 0.45], abs=0.011)
    assert ticks(ax.yaxis) == ["", "days since last active", "", "spend a month"]
    assert ticks(ax.xaxis) == ["one", "two"]


def test_portraits_tone_only_what_is_clearly_different():
    ax = plot_portraits(portraits())
    assert texts(ax) == ["Age", "50", "20", "35", "50", "80", "65"]  # regions say nothing
    more, less = ax.patches
    assert to_rgb(more.get_facecolor()) == to_rgb(ACCENT)
    assert to_rgb(less.get_facecolor()) == to_rgb(BAD)
    assert ticks(ax.xaxis) == ["one", "two", "everyone"]
    assert ticks(ax.yaxis) == ["", "18-24", "25-34"]


def test_many_segments_are_numbered_with_a_key():
    names = [f"segment number {i}" for i in range(8)]
    parts = [who().table.query("segment == 'one'").assign(segment=name) for name in names]
    ax = sj.plot_profile(Profile(pd.concat(parts, ignore_index=True), 0.95))
    assert ticks(ax.xaxis) == [str(i) for i in range(1, 9)]
    assert ax.get_xlabel().split("\n")[7] == "8  segment number 7"


def test_curves_are_those_of_the_table_and_everyone_is_grey():
    result = curves()
    ax = plot_curves(result)
    drawn = result.drawn()
    for line, group in zip(ax.lines, ("one", "two", "everyone"), strict=True):
        rows = drawn[drawn["group"] == group]
        assert line.get_xdata().tolist() == rows["duration"].tolist()
        assert line.get_ydata().tolist() == rows["retained"].tolist()
    assert ax.lines[-1].get_color() == CONTROL
    assert [text.replace("\n", " ") for text in texts(ax)] == ["91 % one", "82 % two", "73 % everyone"]
    assert len(ax.collections) == 3
    assert min(ax.collections[0].get_paths()[0].vertices[:, 0]) > 10  # no band where none is claimed
    assert ax.get_ylim() == (0, 1)


def test_nine_curves_differ_in_colour_or_dash():
    groups = [f"group {i}" for i in range(8)] + ["everyone"]
    ax = plot_curves(curves(groups))
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in ax.lines}
    assert len(looks) == 9
    heights = sorted(text.xy[1] for text in ax.texts)
    assert min(np.diff(heights)) > 0.08  # two lines of text each, in a picture that grows with them


def test_names_of_curves_are_whole_and_do_not_touch():
    names = [f"occasional searchers who do less a day in {place}" for place in ("town", "the country")]
    ax = plot_curves(curves([*names, "everyone"]))
    said = [text.get_text().replace("\n", " ").split(" % ")[1] for text in ax.texts]
    assert said == [*names, "everyone"]
    ax.get_figure().draw_without_rendering()
    places = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(two) for i, one in enumerate(places) for two in places[:i])


def test_messages_are_dots_beside_everyone():
    table = pd.DataFrame(
        {
            "segment": ["one", "two", "everyone"],
            "n": [30, 20, 50],
            "opened_share": [0.5, 0.2, 0.4],
            "opened_share_low": [0.4, np.nan, 0.3],
            "opened_share_high": [0.6, np.nan, 0.5],
        }
    )
    ax = plot_messages(MessageResponse(table, 90, 0.95))
    assert set(ax.lines[0].get_xdata()) == {0.4}
    assert [line.get_xdata()[0] for line in ax.lines[2::2]] == [0.5, 0.2]
    assert ticks(ax.yaxis) == ["one\n30 were sent any", "two\n20 were sent any"]


@pytest.mark.parametrize(
    ("plot", "result"), [(plot_portraits, portraits("no")), (plot_curves, curves(why="no"))]
)
def test_nothing_is_drawn_where_there_is_nothing(plot, result):
    with pytest.raises(UndefinedError, match=r"There is nothing to draw\. no"):
        plot(result)


@pytest.mark.parametrize(
    ("plot", "result"),
    [
        (sj.plot_next, after()),
        (sj.plot_profile, who()),
        (plot_portraits, portraits()),
        (plot_curves, curves()),
    ],
)
def test_it_draws_into_the_axes_it_is_given(plot, result):
    given_axes = plot(result)
    assert plot(result, ax=given_axes) is given_axes


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=9))
def test_names_keep_their_distance_order_and_bounds(heights):
    placed = apart(heights, 0.1, (0.0, 1.0))
    ordered = [placed[i] for i in sorted(range(len(heights)), key=lambda i: heights[i])]
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(ordered))
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9
    if all(abs(a - b) >= 0.1 for i, a in enumerate(heights) for b in heights[:i]):
        assert placed == pytest.approx(heights, abs=1e-9)  # nothing moves that need not


def test_long_words_are_not_broken():
    assert wrapped("occasional searchers who do less a day", 9).split("\n")[0] == "occasional"
    assert wrapped("one two three four", 7, 2) == "one two\nthree …"
