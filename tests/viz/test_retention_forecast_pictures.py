"""Pictures of the forecast, tested as data: what is drawn is what the result says is drawn."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.results.retention_forecast import Forecast

AHEAD = 3


def a_forecast(cohorts=8, *, step=30):
    """Each month as many join; a tenth is lost in every step."""
    rows = []
    for place in range(cohorts):
        known = cohorts - 1 - place
        for age in range(1, max(cohorts - 1, known + AHEAD) + 1):
            kept, ahead = 0.9**age, max(age - known, 0)
            low, high = (kept - 0.05, kept + 0.05) if ahead else (np.nan, np.nan)
            name = f"{2020 + place // 12}-{1 + place % 12:02d}"
            rows.append((name, 1000 + place, step * age, ahead, kept, low, high))
    columns = ["cohort", "members", "duration", "steps_ahead", "retained", "retained_low", "retained_high"]
    steps = np.arange(AHEAD + 1)
    totals = pd.DataFrame({"steps_ahead": steps, "time_ahead": step * steps, "members": 5000 - 300 * steps})
    totals["members_low"], totals["members_high"] = (
        totals["members"] - 20 * steps,
        totals["members"] + 20 * steps,
    )
    table = pd.DataFrame(rows, columns=columns)
    return Forecast("test", "day", step, AHEAD, 0.95, table=table, totals=totals)


def test_every_entry_stands_in_its_place():
    forecast = a_forecast()
    ax = sj.plot_triangle_forecast(forecast)
    drawn = forecast.drawn()
    cohorts, ages = sorted(drawn["cohort"].unique()), sorted(drawn["duration"].unique())
    written = {text.get_position(): text for text in ax.texts}
    assert len(written) == len(drawn)
    for row in drawn.itertuples():
        text = written[ages.index(row.duration), cohorts.index(row.cohort)]
        assert text.get_text() == f"{100 * row.retained:.0f}"
        assert text.get_fontstyle() == ("italic" if row.steps_ahead else "normal")


def test_what_is_forecast_is_outlined_and_what_is_counted_is_filled():
    ax = sj.plot_triangle_forecast(a_forecast())
    drawn = a_forecast().drawn()
    outlined = [patch for patch in ax.patches if patch.get_facecolor()[3] == 0]
    filled = [patch for patch in ax.patches if patch.get_facecolor()[3] > 0]
    boxes = [sum(len(patch.get_path().to_polygons()) for patch in of) for of in (outlined, filled)]
    assert boxes == [(drawn["steps_ahead"] > 0).sum(), (drawn["steps_ahead"] == 0).sum()]


def test_members_stand_beside_their_month_and_the_axis_says_which_is_which():
    ax = sj.plot_triangle_forecast(a_forecast())
    assert [label.get_text() for label in ax.get_yticklabels()][:2] == [
        "2020-01 · 1,000",
        "2020-02 · 1,001",
    ]
    assert ax.get_xlabel() == "days since joining (filled: counted; outlined: forecast)"


def test_the_total_falls_inside_its_band_from_0_up():
    forecast = a_forecast()
    ax = sj.plot_forecast(forecast)
    (line,) = ax.lines
    assert line.get_xdata().tolist() == forecast.totals["time_ahead"].tolist()
    assert line.get_ydata().tolist() == forecast.totals["members"].tolist()
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.texts] == ["4,100"]


@pytest.mark.parametrize("cohorts", [5, 18, 36])
def test_pictures_are_small(cohorts):
    forecast = a_forecast(cohorts)
    words = {"title": "T", "subtitle": "S", "alt": "A"}
    for draw, table in (
        (sj.plot_triangle_forecast, forecast.drawn()),
        (sj.plot_forecast, forecast.totals),
    ):
        block = sj.figure(draw(forecast), name="forecast", table=table, **words)
        assert len(block.data["svg"].encode()) < 25_000
    assert forecast.drawn()["cohort"].nunique() <= 18


def test_it_draws_into_the_axes_it_is_given():
    given = sj.plot_forecast(a_forecast())
    assert sj.plot_triangle_forecast(a_forecast(), ax=given) is given


def test_no_forecast_is_not_drawn():
    empty = replace(a_forecast(), why_empty="Too few cohorts.")
    for draw in (sj.plot_forecast, sj.plot_triangle_forecast):
        with pytest.raises(UndefinedError, match="Too few cohorts"):
            draw(empty)
