"""Pictures of the forecast: the triangle with its empty half, and members to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.retention_forecast import Forecast
from sojourn.core.text import count
from sojourn.viz.axes import drawn_of, set_lines
from sojourn.viz.theme import ACCENT, BAND, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

#: Shades of counted entries: so many steps from none to all.
_SHADES = 12
_SMALL = 8.5
_LEGEND = "filled: counted; outlined: forecast"


def plot_triangle_forecast(forecast: Forecast, *, ax: Axes | None = None) -> Axes:
    """Draw the share kept by joining month and age: filled where counted, outlined where forecast.

    Raises
    ------
    UndefinedError
        When there is no forecast.
    """
    drawn = drawn_of(forecast)
    members = drawn.groupby("cohort")["members"].first()
    cohorts, ages = list(members.index), sorted(drawn["duration"].unique())
    ax = new_axes(ax, height=64 + 15 * len(cohorts))
    placed = drawn.assign(x=drawn["duration"].map(ages.index), y=drawn["cohort"].map(cohorts.index))
    ahead = placed["steps_ahead"] > 0
    with theme():
        _draw_counted(ax, placed[~ahead])
        _draw_outlines(ax, placed[ahead])
        for counted, rows in ((True, placed[~ahead]), (False, placed[ahead])):
            _write(ax, rows, counted=counted)
        ax.set(xlim=(-0.5, len(ages) - 0.5), ylim=(len(cohorts) - 0.5, -0.5))
        ax.set_xticks(range(len(ages)), [str(age) for age in ages])
        ax.set_yticks(range(len(cohorts)), [f"{name} · {count(members[name])}" for name in cohorts])
        ax.set_xlabel(f"{forecast.unit}s since {forecast.since} ({_LEGEND})", loc="left")
        ax.tick_params(length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def plot_forecast(forecast: Forecast, *, ax: Axes | None = None) -> Axes:
    """Draw members of all cohorts expected to be left, by time ahead, with their interval as a band.

    Raises
    ------
    UndefinedError
        When there is no forecast.
    """
    drawn_of(forecast)
    totals = forecast.totals
    ax = new_axes(ax, height=220)
    with theme():
        x = totals["time_ahead"]
        ax.fill_between(x, totals["members_low"], totals["members_high"], color=BAND)
        ax.plot(x, totals["members"], color=ACCENT, linestyle="--", marker="o")
        ax.set_ylim(0, 1.08 * float(totals["members_high"].max()))
        ax.set_xlim(0, float(x.max()))
        ax.set_xticks(x, [str(at) for at in x])
        ax.set_xlabel(f"{forecast.unit}s ahead", loc="left")
        ax.yaxis.set_major_formatter(lambda value, _: count(value))
        set_lines(ax)
        label_end(ax, float(x.iloc[-1]), float(totals["members"].iloc[-1]), count(totals["members"].iloc[-1]))
    return ax


def _draw_counted(ax: Axes, rows: pd.DataFrame) -> None:
    """Fill counted entries, one path for all of a shade."""
    shade = (rows["retained"] * _SHADES).round().astype(int)
    for level, of in rows.groupby(shade):
        alpha = round(0.03 + 0.5 * float(level) / _SHADES, 2)
        _draw_boxes(ax, of, facecolor=ACCENT, alpha=alpha)


def _draw_outlines(ax: Axes, rows: pd.DataFrame) -> None:
    _draw_boxes(ax, rows, facecolor="none", edgecolor=MUTED, linewidth=0.6, linestyle=(0, (1.5, 1.5)))


def _draw_boxes(ax: Axes, rows: pd.DataFrame, **style: object) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    boxes = [_box(x, y) for x, y in zip(rows["x"], rows["y"], strict=True)]
    if boxes:
        ax.add_patch(PathPatch(Path.make_compound_path(*boxes), **style))


def _box(x: float, y: float) -> Path:
    from matplotlib.path import Path

    left, right, top, bottom = x - 0.48, x + 0.48, y - 0.44, y + 0.44
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return Path(corners, closed=True)


def _write(ax: Axes, rows: pd.DataFrame, *, counted: bool) -> None:
    """Write members in 100 into every box; what is forecast is lighter and slanted."""
    colour, style = (INK, "normal") if counted else (MUTED, "italic")
    for x, y, retained in zip(rows["x"], rows["y"], rows["retained"], strict=True):
        text = f"{100 * retained:.0f}"
        ax.text(x, y, text, color=colour, fontstyle=style, ha="center", va="center", fontsize=_SMALL)
