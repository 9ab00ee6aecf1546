"""The picture of valleys, tested as data: what is drawn equals the table."""

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.segments import ScoreBands, Segmentation


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
        0.9,
        table,
        empty,
        2,
        rule,
        ("a",),
        0.95,
        20,
        **told,
    )


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


def test_it_draws_into_the_axes_it_is_given():
    given = sj.plot_stability(found(stability()))
    assert sj.plot_stability(found(stability()), ax=given) is given
