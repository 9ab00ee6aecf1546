"""Pictures of a portrait, tested as data: what is drawn equals the tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.viz.months import months

PLOTS = {
    "joiners": sj.plot_joiners,
    "groups": sj.plot_members,
    "rhythm": sj.plot_rhythm,
    "steps": sj.plot_steps,
    "activity": sj.plot_active_days,
}


@pytest.fixture
def found(make_portrait_cells):
    return sj.portrait(make_portrait_cells())


@pytest.fixture
def real(make_portrait_cells):
    return sj.portrait(make_portrait_cells(truth=None))


def texts(ax):
    return [text.get_text() for text in ax.texts]


def circles(ax):
    return [line for line in ax.lines if line.get_marker() == "o"]


def test_joiners_and_campaigns(found):
    ax = sj.plot_joiners(found.joiners)
    assert ax.lines[0].get_ydata().tolist() == found.joiners.table["members"].tolist()
    assert texts(ax) == ["campaign\n×2", "usual\n70"]
    assert ax.get_ylim()[0] == 0
    shaded = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert shaded.width == pytest.approx(3)  # days, both ends included


def test_without_truth_there_is_no_campaign(real):
    assert texts(sj.plot_joiners(real.joiners)) == ["usual\n70"]


def test_groups_with_those_with_us_and_the_planted(found, real):
    ax = sj.plot_members(found.groups)
    table = found.groups.table
    assert [bar.get_width() for bar in ax.patches] == table["joined_share"].tolist()
    diamonds, planted = ax.lines
    assert diamonds.get_xdata().tolist() == table["with_us_share"].tolist()
    assert planted.get_xdata().tolist() == [0.7, 0.3]
    assert diamonds.get_ydata().tolist() == planted.get_ydata().tolist()
    assert texts(ax) == ["71.4 %", "28.6 %", "by plan"]
    assert circles(sj.plot_members(real.groups)) == []


def test_the_grid_has_every_hour_in_its_tone(found):
    ax = sj.plot_rhythm(found.rhythm)
    fields = [path for collection in ax.collections for path in collection.get_paths()]
    assert len(fields) == 7 * 24
    tones = [collection.get_alpha() for collection in ax.collections]
    assert tones == sorted(set(tones))
    strongest = ax.collections[-1].get_paths()[0].vertices  # Saturday, 18 to 19 h
    assert strongest[:, 0].mean() == pytest.approx(18.5, abs=0.3)
    assert strongest[:, 1].mean() == pytest.approx(5.5, abs=0.3)
    assert texts(ax)[5] == "25.0 % ○ 14.3"


def test_hours_below_the_grid_with_the_planted(found, real):
    under = sj.plot_rhythm(found.rhythm).get_figure().axes[1]
    shares, planted = under.lines
    assert shares.get_ydata().tolist() == found.rhythm.by_hour.tolist()
    assert planted.get_ydata().tolist() == [1 / 24] * 24
    assert texts(under) == ["18–19 h", "9–10 h"]
    under = sj.plot_rhythm(real.rhythm).get_figure().axes[1]
    assert len(under.lines) == 1


def test_steps_start_at_nobody_and_end_at_the_share(found, real):
    ax = sj.plot_steps(found.steps)
    value, planted, purchase, takes_off = ax.lines
    assert value.get_ydata()[[0, 1, -1]].tolist() == [0.0, 0.2, 0.5]
    assert purchase.get_ydata()[-1] == 0.25
    rows = found.steps.table.query("step == 'first value moment' and day in (3, 6)")
    assert planted.get_ydata().tolist() == rows["true_share"].tolist()
    assert takes_off.get_ydata()[0] == found.steps.takes_off
    assert ax.get_ylim() == (0, 1)
    assert "planted: 65.0 % take off" in texts(ax)
    assert circles(sj.plot_steps(real.steps)) == []


def test_names_of_steps_stay_apart(found):
    table = found.steps.table.copy()
    table.loc[table["step"] == "first purchase", "reached_share"] = 0.49
    ax = sj.plot_steps(replace(found.steps, table=table))
    heights = [text.xy[1] for text in ax.texts if text.get_text().startswith("first")]
    assert abs(heights[0] - heights[1]) >= 0.1


def test_days_of_coming(found):
    ax = sj.plot_active_days(found.activity)
    assert [bar.get_height() for bar in ax.patches] == found.activity.table["members"].tolist()
    assert ax.lines[0].get_xdata()[0] == found.activity.mean
    assert ax.get_xticklabels()[-1].get_text() == "5+"


@pytest.mark.parametrize(("part", "plot"), PLOTS.items())
def test_pictures_draw_on_given_axes_have_no_legend_and_are_small(found, part, plot):
    from matplotlib.figure import Figure

    given = Figure().subplots()
    assert plot(getattr(found, part), ax=given) is given
    drawn = plot(getattr(found, part))
    assert drawn.get_legend() is None
    words = sj.describe_portrait(getattr(found, part))
    block = sj.figure(drawn, name=part, table=getattr(found, part).table, **words)
    assert len(block.data["svg"]) < 40_000


@pytest.mark.parametrize(("part", "plot"), PLOTS.items())
def test_there_is_no_picture_of_nothing(found, part, plot):
    with pytest.raises(UndefinedError, match=r"nothing to draw\. Nobody knows\."):
        plot(replace(getattr(found, part), why_empty="Nobody knows."))


def test_long_stretches_have_few_names_of_months():
    first, last = (pd.Timestamp(day).to_pydatetime().toordinal() for day in ("2020-01-15", "2025-01-15"))
    ticks, names = months(first, last)
    assert len(ticks) <= 8
    assert names[0].endswith("2020")
    assert len({np.sign(step) for step in np.diff(ticks)}) == 1
    assert months(first, first + 3) == ([], [])
