"""Pictures of what goes with staying: differences in members, effects over time, curves from a landmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sojourn.core.results.retention_drivers import Drivers, LandmarkCurves, ProportionalHazards
from sojourn.core.text import number
from sojourn.viz.axes import drawn_of, fitting, set_lines, set_shares, set_time
from sojourn.viz.theme import (
    ACCENT,
    CONTROL,
    DASHES,
    GRID,
    INK,
    MUTED,
    OTHERS,
    label_end,
    new_axes,
    theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Height of a row and of what stands around the rows, in points.
_ROW, _AROUND = 15, 58
#: Longer names are cut.
_LONGEST = 20
#: Bands are this much lighter than their line.
_BAND_ALPHA = 0.14
#: Least distance of two names at the ends of lines, as a share of the axis.
_LABEL_GAP = 0.075
#: Hazard ratios at which the axis has a mark.
_RATIOS = (0.1, 0.2, 0.33, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


def plot_drivers(result: Drivers, *, ax: Axes | None = None) -> Axes:
    """Draw how many more members in 100 are still there, level by level, grouped by column.

    Parameters
    ----------
    result : Drivers
        Its ``drawn()`` is drawn; a circle is the truth of a simulated world.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    places = _places(drawn)
    ax = new_axes(ax, height=_AROUND + _ROW * (places["y"].max() + 1))
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for row in places[places["level"] != ""].to_dict("records"):
            _draw_level(ax, row)
        _name_rows(ax, places)
        ax.set_xlabel("members in 100", loc="left")
    return ax


def plot_proportional(result: ProportionalHazards, *, ax: Axes | None = None) -> Axes:
    """Draw the hazard ratios of one column over time, on a scale of ratios.

    Parameters
    ----------
    result : ProportionalHazards
        Its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    levels = list(drawn["level"].unique())
    ax = new_axes(ax, height=190)
    with theme():
        ax.axhline(0, color=CONTROL, linewidth=1)
        for level, colour, dash in zip(levels, [ACCENT, *OTHERS], DASHES * 2, strict=False):
            _draw_effect(ax, drawn[drawn["level"] == level], colour, dash)
        low, high = _reach(drawn)
        marks = [ratio for ratio in _RATIOS if low <= np.log(ratio) <= high]
        ax.set_ylim(low, high)
        ax.set_yticks(np.log(marks), [f"{ratio:g}" for ratio in marks])
        set_lines(ax)
        ends = [
            float(np.log(drawn.loc[drawn["level"] == level, "hazard_ratio"].iloc[-1])) for level in levels
        ]
        last = int(drawn["duration"].max())
        _name_ends(ax, levels, ends, last, high - low)
        set_time(ax, result.unit, last, "joining")
    return ax


def plot_landmark(result: LandmarkCurves, *, ax: Axes | None = None) -> Axes:
    """Draw the share still there against time since the landmark, one step line per group.

    Parameters
    ----------
    result : LandmarkCurves
        Its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    groups = list(drawn["group"].unique())[: 1 + len(OTHERS)]
    ax = new_axes(ax, height=240)
    with theme():
        for group, colour, dash in zip(groups, [ACCENT, *OTHERS], DASHES * 2, strict=False):
            _draw_curve(ax, drawn[drawn["group"] == group], colour, dash)
        ends = [float(drawn.loc[drawn["group"] == group, "retained"].iloc[-1]) for group in groups]
        last = int(drawn["duration"].max())
        set_shares(ax)
        set_time(ax, result.unit, last, f"{result.unit} {result.landmark}")
        _name_ends(ax, groups, ends, last, 1.0)
    return ax


def _places(drawn: pd.DataFrame) -> pd.DataFrame:
    """Return rows with their place from the top: one row per column with its name, then its levels."""
    parts = []
    for column in drawn["column"].unique():
        rows = drawn[drawn["column"] == column]
        parts += [rows.iloc[:1].assign(level=""), rows]
    places: pd.DataFrame = pd.concat(parts, ignore_index=True)
    places["y"] = np.arange(len(places))
    return places


def _draw_level(ax: Axes, row: dict[Any, Any]) -> None:
    value, low, high = (100 * row[f"difference_points{end}"] for end in ("", "_low", "_high"))
    colour = ACCENT if low * high > 0 else MUTED
    ax.plot([low, high], [row["y"]] * 2, color=colour, linewidth=4, alpha=0.35)
    ax.plot(value, row["y"], marker="o", color=colour)
    true = 100 * row.get("true_points", np.nan)
    if np.isfinite(true):
        ax.plot(true, row["y"], marker="o", markersize=8, markerfacecolor="none", markeredgecolor=INK)
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
    words = f"{number(value, signed=True)} ({number(low)} to {number(high)})"
    ax.annotate(words, (1.02, row["y"]), color=colour if colour == ACCENT else INK, fontsize=9, **where)


def _name_rows(ax: Axes, places: pd.DataFrame) -> None:
    """Write columns and levels left of the rows, and a faint line above each column."""
    beside = ax.get_yaxis_transform()
    for row in places.to_dict("records"):
        head = row["level"] == ""
        name = fitting(row["against" if head else "level"], _LONGEST)
        shown = f"{row['column'].replace('_', ' ')}, against {name}" if head else name
        side, x = ("left", -0.24) if head else ("right", -0.015)
        colour = MUTED if head else INK
        ax.text(x, row["y"], shown, ha=side, va="center", color=colour, transform=beside)
        if head and row["y"]:
            ax.axhline(row["y"] - 0.5, color=GRID, linewidth=0.6)
    ax.set_yticks([])
    ax.set_ylim(len(places) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)


def _draw_effect(ax: Axes, rows: pd.DataFrame, colour: str, dash: Any) -> None:
    log = {end: np.log(rows[f"hazard_ratio{end}"]) for end in ("", "_low", "_high")}
    ax.plot(rows["duration"], log[""], color=colour, linestyle=dash)
    ax.fill_between(rows["duration"], log["_low"], log["_high"], color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _reach(drawn: pd.DataFrame) -> tuple[float, float]:
    """Return the bounds of the axis: all lines, and bands so far as they are not wider than the axis."""
    log = np.log(drawn["hazard_ratio"])
    low = max(float(np.log(drawn["hazard_ratio_low"]).min()), float(log.min()) - 0.7)
    high = min(float(np.log(drawn["hazard_ratio_high"]).max()), float(log.max()) + 0.7)
    return min(low, -0.45), max(high, 0.45)


def _draw_curve(ax: Axes, rows: pd.DataFrame, colour: str, dash: Any) -> None:
    ax.plot(rows["duration"], rows["retained"], color=colour, linestyle=dash, drawstyle="steps-post")
    bounds = (rows["duration"], rows["retained_low"], rows["retained_high"])
    ax.fill_between(*bounds, step="post", color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _name_ends(ax: Axes, names: list[str], ends: list[float], x: int, height: float) -> None:
    """Name lines at their ends, moved apart from below where they would touch."""
    gap, below = _LABEL_GAP * height, -np.inf
    for place in np.argsort(ends, kind="stable"):
        below = max(ends[place], below + gap)
        label_end(ax, x, below, fitting(names[place], _LONGEST), color=[ACCENT, *OTHERS][place])
