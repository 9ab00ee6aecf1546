"""Pictures of what is counted: definitions side by side, and how many silent members come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.retention_definitions import DefinitionLens, LapseWindow
from sojourn.core.text import number
from sojourn.viz.axes import drawn_of, set_lines
from sojourn.viz.theme import ACCENT, BAD, GRID, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How a definition of each grade is marked; no grade is known by its colour alone.
_MARKS = {
    "defensible": {"marker": "o", "color": MUTED, "markerfacecolor": "none", "markersize": 6},
    "misleading": {"marker": "x", "color": BAD, "markersize": 6},
    "reference": {"marker": "D", "color": ACCENT, "markersize": 7},
}


def plot_lens(result: DefinitionLens, *, ax: Axes | None = None) -> Axes:
    """Draw the share kept at every day N under every definition that is shown: a row of marks per day.

    Diamonds: this page's own; rings: others that hold up; crosses: misleading ones.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    days = sorted(drawn["day"].unique())
    ax = new_axes(ax, height=70 + 34 * len(days))
    with theme():
        for y, day in enumerate(days):
            _draw_day(ax, drawn[drawn["day"] == day], y)
        _name_marks(ax, drawn[drawn["day"] == days[0]])
        ax.set_yticks(range(len(days)), [f"day {day}" for day in days])
        ax.set(xlim=(-0.01, 1.01), ylim=(len(days) - 0.4, -0.9))
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        ax.xaxis.grid(visible=True)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
    return ax


def _draw_day(ax: Axes, rows: pd.DataFrame, y: int) -> None:
    ax.plot([rows["share"].min(), rows["share"].max()], [y, y], color=GRID, linewidth=5, zorder=1)
    for grade, mark in _MARKS.items():
        of = rows[rows["grade"] == grade]
        ax.plot(of["share"], [y] * len(of), linestyle="", zorder=3, **mark)  # type: ignore[arg-type]


def _name_marks(ax: Axes, rows: pd.DataFrame) -> None:
    """Name the mark of this page's own definition, once."""
    own = rows[rows["grade"] == "reference"]
    if len(own):
        at = (float(own["share"].iloc[0]), 0)
        ax.annotate("this page's own", at, (0, 9), textcoords="offset points", color=ACCENT, ha="center")


def plot_lapse_window(result: LapseWindow, *, ax: Axes | None = None) -> Axes:
    """Draw the share of silent members who come back against the length of their silence.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    ax = new_axes(ax, height=230)
    last = int(drawn["days"].max())
    with theme():
        ax.axhline(result.most_back, color=GRID, linewidth=1.2)
        label_end(ax, last, result.most_back, f"{number(100 * result.most_back, 0)} %", color=MUTED)
        ax.plot(drawn["days"], drawn["back_share"], color=ACCENT)
        for window, said in _marked(result):
            _mark(ax, drawn, window, said)
        top = max(float(drawn["back_share"].max()), result.most_back)
        ax.set(xlim=(0, max(last, 1)), ylim=(0, min(1.0, 1.15 * top)))
        ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        set_lines(ax)
        ax.set_xlabel("days of silence so far", loc="left")
    return ax


def _marked(result: LapseWindow) -> list[tuple[int, str]]:
    """Return the windows that are marked, with their words."""
    if result.chosen == result.lapse and result.lapse:
        return [(result.lapse, f"this page and the rule: {result.lapse} days")]
    marked = [(result.lapse, "this page"), (result.chosen, "by the rule")]
    return [(window, f"{said}: {window} days") for window, said in marked if window]


def _mark(ax: Axes, drawn: pd.DataFrame, window: int, said: str) -> None:
    here = drawn.loc[drawn["days"] == window, "back_share"]
    if here.empty:
        return
    at = (window, float(here.iloc[0]))
    ax.plot(*at, marker="o", color=INK, markersize=6)
    left = window < drawn["days"].max() * 0.6
    shift, side = ((8, 8), "left") if left else ((0, 18), "right")
    ax.annotate(said, at, shift, textcoords="offset points", color=INK, ha=side)
