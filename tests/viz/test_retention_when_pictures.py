"""Pictures of when members leave, tested as data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.retention_when import CohortEffects, Peak, RiskPeak
from sojourn.viz.figure import figure
from sojourn.viz.retention_when import plot_cohort_effects, plot_when

WORDS = {"title": "t", "subtitle": "s", "alt": "a"}


def interval(value, low, high):
    return Interval(value, low, high, 0.9, "eti")


def a_rate(days=600, *, peak=True, true_peak=None):
    duration = np.r_[1, np.arange(4, days, 7)]
    rate = 0.01 + 0.02 * np.exp(-(((duration - 35) / 20) ** 2))
    at_risk = np.linspace(5_000, 20, len(duration)).astype(int)
    table = pd.DataFrame({"duration": duration, "at_risk": at_risk, "rate": rate})
    table["rate_low"], table["rate_high"] = rate * 0.9, rate * 1.1
    table["churned"] = np.where(duration == 1, np.nan, 30.0)
    table["rate_counted"] = np.where(duration == 1, np.nan, rate * 1.05)
    found = Peak(interval(34.6, 28.2, 41.4), interval(1.5, 1.3, 1.7), interval(3, 2.7, 3.3)) if peak else None
    return RiskPeak(
        "day",
        7,
        0.95,
        "cancellation",
        "joining",
        None,
        6_000,
        0,
        3_000,
        table,
        "peak" if peak else "falling",
        found,
        1.0,
        true_peak,
    )


def departures(apart=()):
    months = [f"{2024 + m // 12}-{m % 12 + 1:02d}" for m in range(18)]
    parts = []
    for what in ("joined in", "calendar month"):
        times = np.array([1.6 if (what, month) in apart else 1.0 for month in months])
        frame = pd.DataFrame({"what": what, "month": months, "churned": 100, "times": times})
        frame["times_low"], frame["times_high"] = times * 0.8, times * 1.25
        frame["p_value"], frame["apart"] = 1.0, [(what, month) in apart for month in months]
        parts.append(frame)
    ages = pd.DataFrame({"age": [0, 1], "rate_if_cohorts": [0.1, 0.1], "rate_if_calendar": [0.1, 0.1]})
    tests = pd.DataFrame({"what": ["age", "period", "cohort"], "statistic": 1.0, "df": 16, "p_value": 0.9})
    drift = Interval(1.0, 0.9, 1.1, 0.95, "wald")
    return CohortEffects("day", 0.95, "cancellation", pd.concat(parts, ignore_index=True), ages, tests, drift)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_the_line_and_the_points_are_the_drawn_table():
    result = a_rate()
    drawn = result.drawn()
    points, line = plot_when(result).lines[:2]
    assert line.get_xdata().tolist() == (drawn["duration"] - 0.5).tolist()
    assert line.get_ydata() == pytest.approx(100 * drawn["rate"])
    counted = drawn.dropna(subset=["rate_counted"])
    assert points.get_ydata() == pytest.approx(100 * counted["rate_counted"])


def test_counted_points_stand_at_their_height_or_not_at_all():
    result = a_rate()
    band = result.drawn()["rate_high"].max()
    heights = []
    for height in (1.4 * band, 3 * band):
        table = result.table.assign(
            rate_counted=result.table["rate_counted"].where(result.table.index != 5, height)
        )
        ax = plot_when(replace(result, table=table))
        heights.append((ax.get_ylim()[1], ax.lines[0].get_ydata().max()))
    (top, highest), (usual, left) = heights
    assert highest == pytest.approx(140 * band)
    assert top > highest
    assert left < usual < 140 * band  # the point would squeeze the rest
    assert replace(result, table=table).points_above == 1


def test_few_at_risk_are_not_drawn():
    result = a_rate()
    assert result.drawn()["at_risk"].min() >= 0.05 * result.table["at_risk"].max()
    assert len(result.drawn()) < len(result.table)


def test_the_peak_is_named_on_the_line_and_its_interval_lies_on_the_axis():
    ax = plot_when(a_rate())
    assert texts(ax) == ["peak: day 35 (28 to 41)"]
    bars = [line for line in ax.lines if line.get_ydata().tolist() == [0, 0]]
    assert [bar.get_xdata().tolist() for bar in bars] == [[28.2, 41.4]]


def test_no_peak_is_marked_where_there_is_none():
    assert texts(plot_when(a_rate(peak=False))) == []


def test_the_true_peak_is_a_circle():
    ax = plot_when(a_rate(true_peak=30.5))
    assert "truth" in texts(ax)
    assert any(line.get_xdata().tolist() == [30.5] for line in ax.lines)


def test_months_that_stand_apart_are_named_in_their_panel():
    first = plot_cohort_effects(departures({("calendar month", "2024-11")}))
    panels = first.get_figure().axes
    assert [texts(ax) for ax in panels] == [[], ["2024-11: 1.6 times"]]
    assert len(panels[0].lines) == 1 + 18  # the line at 1, and a point for each month


@pytest.mark.parametrize(
    "draw", [lambda: plot_when(a_rate(1_800, true_peak=30.5)), lambda: plot_cohort_effects(departures())]
)
def test_pictures_are_small(draw):
    block = figure(draw(), name="when", table=pd.DataFrame({"a": [1]}), **WORDS)
    assert len(block.data["svg"]) < 25_000


def test_nothing_is_drawn_of_nothing():
    empty = pd.DataFrame()
    rate = RiskPeak("day", 7, 0.95, "silence", "joining", 30, 10, 0, 0, empty, why_empty="Too few.")
    with pytest.raises(UndefinedError, match="Too few"):
        plot_when(rate)
    with pytest.raises(UndefinedError, match="No months"):
        plot_cohort_effects(CohortEffects("day", 0.95, "silence", empty, empty, why_empty="No months."))


def test_a_notebook_shows_them_in_one_call():
    assert sj.show(a_rate(), name="when").kind == "picture"
    assert sj.show(departures(), name="months").kind == "picture"
    assert sj.show(departures(), name="drift", view="drift").kind == "table"
