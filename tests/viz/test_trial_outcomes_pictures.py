"""Pictures of staying, coming and ratios, tested as data: what is drawn is what the result says is drawn."""

import numpy as np
import pytest

import sojourn as sj
from outcome_results import coming, spending, staying
from sojourn.showing import SHOWN, Picture
from sojourn.viz.trial_outcomes import plot_differences, plot_histogram, plot_lasting

MOST_BYTES = 30_000


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_curves_and_differences_are_the_drawn_table():
    result = staying()
    ax, drawn = plot_lasting(result), result.drawn()
    above, below = ax.get_figure().axes
    assert above is ax
    for panel, column, factor, skipped in ((above, "kept_share", 1, 0), (below, "lift", 100, 1)):
        lines = [line for line in panel.lines if len(line.get_xdata()) > 2]
        for line, scheme in zip(lines, result.schemes[skipped:], strict=True):
            rows = drawn[drawn["scheme"] == scheme]
            assert line.get_xdata().tolist() == rows["day"].tolist()
            np.testing.assert_allclose(line.get_ydata(), factor * rows[column])
    assert texts(above) == ["no scheme", "welcome coupon", "daily tasks"]
    assert texts(below) == ["welcome coupon", "daily tasks", "members in 100 more than under no scheme"]
    assert above.get_ylim() == (0, 1)
    assert above.get_xlim() == below.get_xlim() == (0, 90)


def test_bands_are_those_of_control_and_of_the_best():
    above, below = plot_lasting(staying()).get_figure().axes
    assert (len(above.collections), len(below.collections)) == (2, 1)


def test_the_truth_is_a_circle_at_the_horizon():
    truth = {"none": 0.71, "welcome_coupon": 0.75, "daily_tasks": 0.70}
    circles = [line for line in plot_lasting(staying(truth=truth)).lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in circles] == [
        (90, v) for v in truth.values()
    ]


def test_no_scheme_is_known_by_its_colour_alone():
    ax = plot_lasting(staying())
    looks = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    assert len(set(looks)) == len(looks) == 3
    assert looks[2][1] != "-"


@pytest.mark.parametrize("result", [coming(), spending()])
def test_differences_are_those_of_the_table_the_largest_on_top(result):
    ax = plot_differences(result)
    ordered = result.table.iloc[1:].sort_values("more")
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 5]
    np.testing.assert_allclose(bars, ordered[["more_low", "more_high"]])
    points = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points, ordered["more"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["daily tasks", "welcome coupon"]
    assert "as under no scheme" in texts(ax)


def test_histograms_are_shares_of_members():
    result = coming()
    ax = plot_histogram(result)
    for line, (scheme, column) in zip(
        ax.lines, [(s, c) for s in ("none", "welcome_coupon") for c in ("n", "expected")], strict=True
    ):
        own = result.histogram[result.histogram["scheme"] == scheme]
        rows = own[own["count"] <= line.get_xdata()[-1]]
        np.testing.assert_allclose(line.get_ydata(), 100 * rows[column] / own["n"].sum())
    assert ax.lines[0].get_xdata()[-1] < 60  # the tail that nobody would see is left out
    assert ax.get_ylim()[0] == 0


@pytest.mark.parametrize(
    "name",
    [name for name in SHOWN if name.partition(".")[0] in ("Lasting", "CountedActivity", "RatioResult")],
)
def test_each_is_shown_within_the_bytes_of_a_picture(name):
    kind, _, view = name.partition(".")
    result = {"Lasting": staying(), "CountedActivity": coming(), "RatioResult": spending()}[kind]
    block = sj.show(result, name="one", view=view)
    if isinstance(SHOWN[name], Picture):
        assert block.kind == "picture"
        assert len(block.data["svg"].encode()) < MOST_BYTES
    else:
        assert block.kind == "table"


def test_caller_s_axes_are_used():
    from sojourn.viz.theme import new_axes

    for plot, result in ((plot_lasting, staying()), (plot_differences, coming()), (plot_histogram, coming())):
        ax = new_axes()
        assert plot(result, ax=ax) is ax


def test_the_csv_of_a_picture_holds_what_is_drawn():
    block = sj.show(coming(), name="one", view="histogram")
    assert [name for name, _ in block.data["table"]["columns"]] == ["scheme", "count", "n", "expected"]
