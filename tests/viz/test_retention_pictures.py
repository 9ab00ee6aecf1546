"""Pictures of retention, tested as data: what is drawn equals what the result says is drawn."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.results.retention import CohortTriangle, LossRate, RetentionCurve
from sojourn.viz.axes import ticks


def a_curve(sizes, *, days=200, unit="day", truth=None):
    """Straight lines down from 1, the flatter the larger the group."""
    tables = []
    for place, (group, n) in enumerate(sizes.items()):
        end = days - 10 * place
        retained = np.linspace(1, 0.2 + 0.1 * place, end + 1)
        frame = pd.DataFrame({"group": group, "duration": np.arange(end + 1), "retained": retained})
        frame["retained_low"], frame["retained_high"] = retained - 0.05, retained + 0.05
        frame["at_risk"] = np.linspace(n, 20, end + 1).astype(int)
        frame["claimed"] = frame["duration"] >= 10
        frame["mean"] = frame["mean_low"] = frame["mean_high"] = frame["duration"] / 2
        tables.append(frame.assign(churned=1, censored=0, retained_se=0.01, mean_se=0.1))
    table = pd.concat(tables, ignore_index=True)
    by = "all" if list(sizes) == ["all"] else "plan"
    members = pd.Series(sizes)
    return RetentionCurve("test", by, unit, "cancellation", None, "", 0.95, 20, table, members, truth=truth)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_lines_are_the_drawn_table():
    curve = a_curve({"monthly": 900, "annual": 400})
    drawn = curve.drawn()
    ax = sj.plot_retention(curve)
    assert len(ax.lines) == 2
    for line, group in zip(ax.lines, curve.groups, strict=True):
        rows = drawn[drawn["group"] == group]
        assert line.get_xdata().tolist() == rows["duration"].tolist()
        assert line.get_ydata().tolist() == rows["retained"].tolist()
        assert line.get_drawstyle() == "steps-post"
    assert {line.get_linestyle() for line in ax.lines} == {"-", "--"}  # not known by colour alone
    assert ax.get_ylim() == (0, 1)
    assert texts(ax) == ["annual", "monthly"]


def test_bands_are_drawn_only_where_the_interval_is_claimed():
    ax = sj.plot_retention(a_curve({"all": 500}))
    (band,) = ax.collections
    drawn = a_curve({"all": 500}).drawn()
    first = drawn.loc[drawn["claimed"], "duration"].min()
    assert band.get_paths()[0].vertices[:, 0].min() == first >= 10


def test_numbers_at_risk_stand_under_their_ticks():
    curve = a_curve({"monthly": 900, "annual": 400})
    under = sj.plot_retention(curve, at_risk=True).get_figure().axes[1]
    rows = curve.table.set_index(["group", "duration"])["at_risk"]
    written = texts(under)
    assert written[0] == "still observed"
    assert {"monthly", "annual"} <= set(written)
    for day in (0, 60, 90, 180):
        assert f"{rows['monthly', day]:,}" in written


@pytest.mark.parametrize(
    "sizes", [{"all": 16_472}, {"monthly": 11_100, "annual": 5_145}, {"x" * 30: 1_234_567, "y" * 30: 345_678}]
)
@pytest.mark.parametrize("days", [100, 603, 1_825])
def test_numbers_at_risk_and_ticks_never_touch(sizes, days):
    """By the boxes that matplotlib measures; every number stands under a tick, and there is one at 0."""
    figure = sj.plot_retention(a_curve(sizes, days=days)).get_figure()
    figure.draw_without_rendering()
    above, under = figure.axes
    labels = [label.get_window_extent() for label in above.get_xticklabels()]
    boxes = [text.get_window_extent() for text in under.texts]
    assert min(len(labels), len(boxes)) >= 2
    for drawn in (labels, boxes):
        assert not [pair for pair in combinations(drawn, 2) if pair[0].overlaps(pair[1])]
    numbers = [text for text in under.texts if text.get_text()[0].isdigit()]
    assert {text.get_position()[0] for text in numbers} <= set(above.get_xticks())
    assert {f"{n:,}" for n in sizes.values()} <= {text.get_text() for text in numbers}


def test_the_days_that_sentences_speak_of_keep_their_ticks():
    assert ticks("day", 603) == [0, 30, 90, 180, 270, 365, 545]
    assert ticks("day", 1_000) == [0, 90, 180, 365, 545, 730]  # 270 went first; 30 is too near 0
    assert ticks("day", 95) == [0, 30, 60, 90]
    assert ticks("month", 150) == [0, 12, 36, 60, 96, 120]
    assert ticks("month", 14) == [0, 3, 6, 12]
    assert ticks("day", 3) == [0]


def test_it_draws_into_the_axes_it_is_given():
    given = sj.plot_hazard(a_rate())
    assert sj.plot_retention(a_curve({"all": 100}), ax=given) is given


def test_truth_is_drawn_as_circles_and_named():
    truth = pd.DataFrame({"group": "all", "duration": [30, 90, 900], "retained": [0.8, 0.6, 0.1]})
    ax = sj.plot_retention(a_curve({"all": 500}, truth=truth))
    circles = ax.lines[-1]
    assert circles.get_marker() == "o"
    assert circles.get_xdata().tolist() == [30, 90]  # nothing beyond the curve
    assert texts(ax) == ["truth"]


def test_labels_at_the_ends_of_lines_keep_their_distance():
    flat = a_curve({"a": 900, "b": 800, "c": 700})
    ends = flat.table["retained"].where(flat.table["duration"] > 150, flat.table["retained"])
    together = flat.table.assign(retained=np.where(flat.table["duration"] > 150, 0.4, ends))
    import dataclasses

    ax = sj.plot_retention(dataclasses.replace(flat, table=together))
    heights = sorted(text.xy[1] for text in ax.texts)
    assert np.diff(heights).min() > 0.03


def test_only_the_largest_groups_are_drawn():
    curve = a_curve({name: 1000 - 100 * i for i, name in enumerate("abcdefg")})
    assert curve.drawn()["group"].unique().tolist() == list("abcde")
    assert len(sj.plot_retention(curve).lines) == 5


@pytest.mark.parametrize(("unit", "days"), [("day", 3), ("day", 545), ("day", 2000), ("month", 72)])
def test_pictures_of_any_length_are_small_and_start_at_0(unit, days):
    curve = a_curve({"a": 9_000, "b": 800, "c": 700, "d": 600, "e": 500}, days=max(days, 60), unit=unit)
    ax = sj.plot_retention(curve)
    places = ax.get_xticks()
    assert places[0] == 0
    assert len(places) <= 9
    words = {"title": "T", "subtitle": "S", "alt": "A"}
    block = sj.figure(ax, name="curve", table=curve.drawn(), **words)
    assert len(block.data["svg"].encode()) < 25_000


def a_triangle(cohorts=3, ages=4):
    rows = [
        {"cohort": f"2025-{c + 1:02d}", "members": 50, "duration": 30 * a, "kept": 25, "retained": 0.9**a}
        for c in range(cohorts)
        for a in range(1, ages - c + 1)
    ]
    return CohortTriangle("day", 30, 0.95, pd.DataFrame(rows))


def test_the_triangle_writes_every_share():
    triangle = a_triangle()
    ax = sj.plot_triangle(triangle)
    assert len(ax.patches) == len(triangle.table) == 9
    assert sorted(texts(ax)) == sorted(f"{100 * r:.0f}" for r in triangle.table["retained"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["2025-01", "2025-02", "2025-03"]


def test_an_empty_triangle_is_not_drawn():
    with pytest.raises(UndefinedError, match="No dates"):
        sj.plot_triangle(CohortTriangle("day", 30, 0.95, pd.DataFrame(), "No dates."))


def a_rate():
    frame = pd.DataFrame({"duration_from": [0, 7, 14], "duration": [7, 14, 21], "churned": [30, 20, 1]})
    frame["exposure"] = [7000, 5000, 100]
    frame["rate"] = frame["churned"] / frame["exposure"] * 7
    return LossRate("day", 7, 0.95, 0, frame.assign(rate_low=frame["rate"] / 2, rate_high=frame["rate"] * 2))


def test_the_rate_is_drawn_in_100_from_zero_without_the_thin_end():
    rate = a_rate()
    ax = sj.plot_hazard(rate)
    assert rate.drawn()["duration"].tolist() == [7, 14]
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([3.0, 2.8])
    assert ax.lines[0].get_xdata().tolist() == [3.5, 10.5]
    assert ax.get_ylim()[0] == 0


@pytest.mark.parametrize(("letter", "kept"), [("W", 17), ("名", 8), ("x", 17)])
def test_names_of_any_length_leave_room_for_the_curves(letter, kept):
    ax = sj.plot_retention(a_curve({letter * 40: 900, letter * 39 + "y": 400}))
    block = sj.figure(ax, name="a", title="T.", subtitle="s", alt="a", table=pd.DataFrame({"n": [1]}))
    assert letter * kept + "…" in block.data["svg"]
    assert letter * (kept + 1) not in block.data["svg"]
