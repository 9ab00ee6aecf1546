"""Pictures of segments, tested as data: what is drawn equals the tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

import sojourn as sj
from sojourn.core.results.segments import ScoreBands, Segmentation
from sojourn.core.results.segments_described import Profile, WhatNext
from sojourn.viz.theme import ACCENT, BAD


def stability(depth=(0.6, 0.4, 0.1), high=(0.2, 0.3, 0.35)):
    return pd.DataFrame({"k": [2, 3, 4], "depth": depth, "null_depth_high": high, "separated": False})


def found(table) -> Segmentation:
    empty, rule = pd.DataFrame(), ScoreBands(np.ones(1), np.ones(1))
    told = {"fitted": 500, "judged": 500, "members": 1_000, "meta": {}}
    return Segmentation(
        "test",
        "a gradient, not groups",
        "no valley",
        2,
        empty,
        table,
        empty,
        2,
        rule,
        ("a",),
        0.95,
        20,
        **told,
    )


def after(shares=(0.1, 0.52, 0.97), everyone=0.5) -> WhatNext:
    names = ["least active third", "second third", "most active third"]
    table = pd.DataFrame({"segment": names, "n": [1_200, 1_190, 1_210], "active_share": shares})
    table["active_share_low"] = table["active_share"] - 0.03
    table["active_share_high"] = table["active_share"] + 0.02
    all_of = pd.DataFrame({"segment": ["everyone"], "n": [3_600], "active_share": [everyone]})
    return WhatNext(table, all_of, True, 90, "EUR", 0.95)


def who() -> Profile:
    table = pd.DataFrame(
        {
            "segment": ["one", "one", "two", "two"],
            "feature": ["spend a month", "days since last active"] * 2,
            "difference": [0.75, -0.3, -3.0, 0.0],
        }
    )
    return Profile(table, 0.95)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_valleys_are_those_of_the_table():
    table = stability()
    ax = sj.plot_stability(found(table))
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [2, 3, 4]
    assert line.get_ydata().tolist() == table["depth"].tolist()
    (band,) = ax.collections
    corners = {(x, y) for x, y in band.get_paths()[0].vertices.tolist()}
    assert set(zip(table["k"], table["null_depth_high"], strict=True)) <= corners
    assert {(k, 0.0) for k in table["k"]} <= corners
    assert ax.get_ylim() == (0, 1)
    assert texts(ax) == ["these members", "without structure"]
    assert ticks(ax.xaxis) == ["2", "3", "4"]
    assert ax.get_legend() is None


@pytest.mark.parametrize("last", [(0.3, 0.32), (0.32, 0.3), (0.0, 0.01), (0.9, 0.1)])
def test_labels_of_both_lines_do_not_meet(last):
    ours, theirs = last
    ax = sj.plot_stability(found(stability((0.5, 0.4, ours), (0.2, 0.2, theirs))))
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    gap = heights["these members"] - heights["without structure"]
    assert abs(gap) >= 0.09 - 1e-12
    if abs(ours - theirs) > 0.05:
        assert np.sign(gap) == np.sign(ours - theirs)


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


def test_differences_are_tones_with_their_numbers():
    ax = sj.plot_profile(who())
    assert texts(ax) == ["+0.8", "−0.3", "−3.0", "0.0"]
    assert [(text.get_position()) for text in ax.texts] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    more, less, far, same = ax.patches
    assert to_rgb(more.get_facecolor()) == to_rgb(ACCENT)
    assert to_rgb(less.get_facecolor()) == to_rgb(far.get_facecolor()) == to_rgb(BAD)
    # half of the full tone at half of 1.5 standard deviations; no more than full beyond
    assert [patch.get_alpha() for patch in (more, less, far, same)] == pytest.approx(
        [0.22, 0.09, 0.45, 0], abs=0.011
    )
    assert ticks(ax.yaxis) == ["spend a month", "days since last active"]
    assert ticks(ax.xaxis) == ["one", "two"]


@pytest.mark.parametrize(
    "plot",
    [
        lambda ax: sj.plot_stability(found(stability()), ax=ax),
        lambda ax: sj.plot_next(after(), ax=ax),
        lambda ax: sj.plot_profile(who(), ax=ax),
    ],
)
def test_it_draws_into_the_axes_it_is_given(plot):
    given = plot(None)
    assert plot(given) is given
