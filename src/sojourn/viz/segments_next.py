"""Pictures of what segments did next: shares on their intervals, curves of who is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.segments_described import EVERYONE, MessageResponse, NextCurves, WhatNext
from sojourn.core.text import count, percent
from sojourn.viz.axes import drawn_of, set_shares, set_time
from sojourn.viz.ends import name_ends, room_for, wrapped
from sojourn.viz.theme import ACCENT, CONTROL, INK, MUTED, line_looks, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A number this close to the line of everyone, or to an end of the axis, stands beside its dot.
_NEAR = 0.08
#: Letters in a line of a name beside a picture, and at the end of a line.
_NAME, _END = 26, 24
#: Bands are this much lighter than their line.
_BAND_ALPHA = 0.13


def plot_next(after: WhatNext, *, what: str = "", ax: Axes | None = None) -> Axes:
    """Draw the share of each segment that did something after the cut, with its interval.

    Parameters
    ----------
    after : WhatNext
        Its ``table`` is drawn, everyone as a reference line.
    what : str
        ``active_share`` or ``stayed_share``; by default what tells segments apart best.
    ax : Axes, optional
        Axes of the caller.
    """
    what = what or after.told
    return _plot_shares(after.table, what, float(after.everyone[what].iloc[0]), "members", ax)


def plot_messages(answers: MessageResponse, *, ax: Axes | None = None) -> Axes:
    """Draw which share of each segment's messages was opened, with its interval.

    Parameters
    ----------
    answers : MessageResponse
        Its ``table`` is drawn, everyone as a reference line.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    table = drawn_of(answers)
    everyone = float(table.loc[table["segment"] == EVERYONE, "opened_share"].iloc[0])
    told = table[table["segment"] != EVERYONE].reset_index(drop=True)
    return _plot_shares(told, "opened_share", everyone, "were sent any", ax)


def plot_curves(curves: NextCurves, *, ax: Axes | None = None) -> Axes:
    """Draw the share of each segment still with us against days since the cut.

    Parameters
    ----------
    curves : NextCurves
        Its ``drawn()`` is drawn; everyone in grey. Bands stand where intervals are claimed.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(curves)
    groups = [*(name for name in curves.segments if name != EVERYONE), EVERYONE]
    colours = line_looks(groups) | {EVERYONE: (CONTROL, "-")}
    ends = [drawn[drawn["group"] == name].iloc[-1] for name in groups]
    named = [
        wrapped(f"{percent(end['retained'], 0)} {name}", _END) for name, end in zip(groups, ends, strict=True)
    ]
    height, gap = room_for(named, 240)
    ax = new_axes(ax, height=height)
    with theme():
        for name in groups:
            _curve(ax, drawn[drawn["group"] == name], *colours[name])
        set_shares(ax)
        set_time(ax, "day", curves.days, "the cut")
        name_ends(
            ax,
            named,
            [(float(curves.days), float(end["retained"])) for end in ends],
            [MUTED if name == EVERYONE else colours[name][0] for name in groups],
            gap=gap,
            within=(0.03, 0.98),
        )
    return ax


def _curve(ax: Axes, rows: pd.DataFrame, colour: str, dash: object) -> None:
    """Draw one curve as steps, with its band where intervals are claimed."""
    ax.plot(rows["duration"], rows["retained"], color=colour, linestyle=dash, drawstyle="steps-post")
    sure = rows[rows["claimed"]]
    bounds = (sure["duration"], sure["retained_low"], sure["retained_high"])
    ax.fill_between(*bounds, step="post", color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _plot_shares(table: pd.DataFrame, what: str, everyone: float, counted: str, ax: Axes | None) -> Axes:
    """Draw shares as dots on their intervals, one row per segment, everyone as a line across."""
    ax = new_axes(ax, height=70 + 38 * len(table))
    with theme():
        ax.axvline(everyone, color=CONTROL, linewidth=1)
        ax.annotate(
            f"everyone {percent(everyone, 0)}",
            (everyone, -0.6),
            ha="right" if everyone > 0.5 else "left",
            xytext=(-4 if everyone > 0.5 else 4, 0),
            textcoords="offset points",
            color=MUTED,
        )
        for down, (_, row) in enumerate(table.iterrows()):
            _share(ax, down, row, what, everyone)
        ax.set_xlim(0, 1)
        ax.set_ylim(len(table) - 0.4, -0.9)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        ax.set_yticks(range(len(table)), [_label(row, counted) for _, row in table.iterrows()], color=INK)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return ax


def _share(ax: Axes, down: int, row: pd.Series, what: str, everyone: float) -> None:
    """Draw one share as a dot on its interval, its number above it and off the line of everyone."""
    value, low, high = (float(row[what + end]) for end in ("", "_low", "_high"))
    ax.plot([low, high], [down, down], color=ACCENT, linewidth=2.4)
    ax.plot([value], [down], color=ACCENT, marker="o", clip_on=False)
    near, right = abs(value - everyone) < _NEAR, value >= everyone
    to_the_left, to_the_right = near or value > 1 - _NEAR, (near and right) or value < 2 * _NEAR
    side = "left" if to_the_right else "right" if to_the_left else "center"
    shift = 3 if near and right else -3 if near and side == "right" else 0
    ax.annotate(percent(value), (value, down), xytext=(shift, 6), textcoords="offset points", ha=side)


def _label(row: pd.Series, counted: str) -> str:
    return f"{wrapped(str(row['segment']), _NAME, 2)}\n{count(row['n'])} {counted}"
