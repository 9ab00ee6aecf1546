"""Pictures of what goes with staying draw their tables and nothing else, small enough for a page."""

import numpy as np
import pandas as pd
import pytest

from drawn_patterns import members_of, pattern_cells
from sojourn.core.errors import UndefinedError
from sojourn.core.results.retention_drivers import LandmarkCurves
from sojourn.studies.retention.drivers import drivers
from sojourn.viz.axes import fitting
from sojourn.viz.figure import figure
from sojourn.viz.retention_drivers import plot_drivers, plot_landmark, plot_proportional

MOST_BYTES = 25_000


@pytest.fixture(scope="module")
def result():
    return drivers(pattern_cells(members_of(1, n=2_000)), horizon=90)


@pytest.fixture(scope="module")
def curves():
    days = np.arange(0, 181)
    groups = ("0", "1-2", "3-5", "6-10", "11-20", "21+")
    tables = [
        pd.DataFrame(
            {
                "group": group,
                "duration": days,
                "at_risk": 100,
                "churned": 1,
                "retained": np.exp(-days / (100 + 60 * place)),
                "retained_low": np.exp(-days / (100 + 60 * place)) - 0.02,
                "retained_high": np.exp(-days / (100 + 60 * place)) + 0.02,
            }
        )
        for place, group in enumerate(groups)
    ]
    nothing = pd.DataFrame(columns=["group", "difference_points_low", "difference_points_high"])
    return LandmarkCurves("demo", "active_days", "day", 30, 180, 0.95, pd.concat(tables), nothing, "3-5")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_every_level_has_a_row_with_its_numbers(result):
    ax = plot_drivers(result)
    drawn = result.drawn()
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx((100 * drawn["difference_points"]).tolist())
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 4]
    np.testing.assert_allclose(bars, 100 * drawn[["difference_points_low", "difference_points_high"]])
    assert {*drawn["level"], f"plan, against {drawn['against'].iloc[-1]}"} <= set(texts(ax))


def test_the_line_of_no_difference_is_drawn(result):
    assert [0, 0] in [list(line.get_xdata()) for line in plot_drivers(result).lines]


def test_truth_is_a_circle(result):
    table = result.table.assign(true_points=[0.05, np.nan])
    with_truth = type(result)("demo", "day", 90, 0.95, 10, 5, table, result.proportional)
    hollow = [line for line in plot_drivers(with_truth).lines if line.get_markerfacecolor() == "none"]
    assert [line.get_xdata()[0] for line in hollow] == pytest.approx([5.0])


def test_effects_over_time_are_drawn_on_a_scale_of_ratios(result):
    ax = plot_proportional(result.proportional)
    drawn = result.proportional.drawn()
    line = ax.lines[1]
    np.testing.assert_allclose(line.get_ydata(), np.log(drawn["hazard_ratio"]))
    assert "1" in [label.get_text() for label in ax.get_yticklabels()]


def test_curves_end_with_names_that_keep_apart(curves):
    ax = plot_landmark(curves)
    names = [text for text in ax.texts if text.get_text() in curves.groups]
    heights = sorted(text.xy[1] for text in names)
    assert len(names) == 6
    assert min(np.diff(heights)) >= 0.07
    assert ax.get_ylim() == (0, 1)
    assert ax.get_xlabel() == "days since day 30"


def test_pictures_are_small(result, curves):
    for name, plot, shown in (
        ("drivers", plot_drivers, result),
        ("proportional", plot_proportional, result.proportional),
        ("landmark", plot_landmark, curves),
    ):
        block = figure(plot(shown), name=name, title="t", subtitle="s", alt="a", table=shown.drawn())
        assert len(block.data["svg"].encode()) < MOST_BYTES


def test_nothing_is_drawn_of_nothing(result):
    cells = pattern_cells(members_of(1, n=2_000))
    empty = drivers(cells, horizon=5_000)
    for plot, shown in ((plot_drivers, empty), (plot_proportional, empty.proportional)):
        with pytest.raises(UndefinedError, match="nothing to draw"):
            plot(shown)


def test_long_names_are_cut_by_their_width():
    assert fitting("annual", 20) == "annual"
    assert fitting("一二三四五六七八九十一二", 20) == "一二三四五六七八九…"
    assert len(fitting("x" * 40, 20)) == 20
