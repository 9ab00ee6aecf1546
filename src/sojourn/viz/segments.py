"""Pictures of segments: valleys against structureless data, who the segments are, what they did next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.segments import Segmentation
from sojourn.core.results.segments_described import Profile, WhatNext
from sojourn.core.text import count, number, percent
from sojourn.viz.theme import ACCENT, BAD, CONTROL, CONTROL_BAND, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Differences of this many standard deviations get the full tone.
_FULL = 1.5
#: A number this close to the line of everyone, or to an end of the axis, stands beside its dot.
_NEAR = 0.08
#: Letters in a line of a name beside a picture.
_NAME = 26
#: Letters in a line of all names above a grid.
_ACROSS = 46


def plot_stability(found: Segmentation, *, ax: Axes | None = None) -> Axes:
    """Draw how deep the shallowest valley between groups is at every k, beside structureless data.

    Parameters
    ----------
    found : Segmentation
        Its ``stability`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    table = found.stability
    ax = new_axes(ax, height=210)
    with theme():
        ax.fill_between(table["k"], 0, table["null_depth_high"], color=CONTROL_BAND)
        ax.plot(table["k"], table["depth"], color=ACCENT, marker="o")
        first, last = table.iloc[0], table.iloc[-1]
        ours, theirs = _apart(float(last["depth"]), float(last["null_depth_high"]))
        label_end(ax, last["k"], ours, "these members", color=ACCENT)
        label_end(ax, last["k"], theirs, "without structure", color=MUTED)
        ax.set_xticks(table["k"])
        ax.set_xlabel("number of groups tried", loc="left")
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 0.5, 1], ["no valley", "half as\nmany", "nobody\nbetween"])
        ax.set_xlim(float(first["k"]) - 0.2, float(last["k"]) + 1.8)
    return ax


def plot_profile(who: Profile, *, ax: Axes | None = None) -> Axes:
    """Draw each segment's difference from everyone as a tone with its number.

    Parameters
    ----------
    who : Profile
        Its ``table`` is drawn: features down, segments across.
    ax : Axes, optional
        Axes of the caller.
    """
    segments, features = (list(who.table[column].unique()) for column in ("segment", "feature"))
    ax = new_axes(ax, height=64 + 19 * len(features))
    with theme():
        where = zip(who.table["segment"], who.table["feature"], who.table["difference"], strict=True)
        for segment, feature, difference in where:
            _tone(ax, segments.index(segment), features.index(feature), difference)
        ax.set_xlim(-0.5, len(segments) - 0.5)
        ax.set_ylim(len(features) - 0.5, -0.5)
        ax.set_yticks(range(len(features)), features, color=INK)
        ax.set_xticks(
            range(len(segments)), [_wrapped(name, _ACROSS // len(segments)) for name in segments], color=INK
        )
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        for side in ("left", "bottom", "top"):
            ax.spines[side].set_visible(False)
    return ax


def plot_next(after: WhatNext, *, what: str = "active_share", ax: Axes | None = None) -> Axes:
    """Draw the share of each segment that did something after the cut, with its interval.

    Parameters
    ----------
    after : WhatNext
        Its ``table`` is drawn, everyone as a reference line.
    what : str
        ``active_share`` or ``stayed_share``.
    ax : Axes, optional
        Axes of the caller.
    """
    table = after.table
    everyone = after.everyone[what].to_numpy(dtype=float)[0]
    ax = new_axes(ax, height=70 + 34 * len(table))
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
        ax.set_yticks(range(len(table)), [_label(row) for _, row in table.iterrows()], color=INK)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return ax


def _share(ax: Axes, down: int, row: pd.Series, what: str, everyone: float) -> None:
    """Draw one share as a dot on its interval, its number above it and off the line of everyone."""
    value, low, high = (float(row[what + end]) for end in ("", "_low", "_high"))
    ax.plot([low, high], [down, down], color=ACCENT, linewidth=2.4)
    ax.plot([value], [down], color=ACCENT, marker="o")
    near, right = abs(value - everyone) < _NEAR, value >= everyone
    to_the_left, to_the_right = near or value > 1 - _NEAR, (near and right) or value < 2 * _NEAR
    side = "left" if to_the_right else "right" if to_the_left else "center"
    shift = 3 if near and right else -3 if near and side == "right" else 0
    ax.annotate(percent(value), (value, down), xytext=(shift, 6), textcoords="offset points", ha=side)


def _tone(ax: Axes, across: int, down: int, difference: float) -> None:
    """Fill one field, stronger the further from everyone, and print the number."""
    from matplotlib.patches import Rectangle

    strength = min(abs(difference) / _FULL, 1.0)
    colour = ACCENT if difference > 0 else BAD
    box = Rectangle((across - 0.48, down - 0.46), 0.96, 0.92, color=colour, alpha=round(0.45 * strength, 2))
    ax.add_patch(box)
    ax.text(across, down, number(difference, signed=True), ha="center", va="center", color=INK)


def _apart(ours: float, theirs: float) -> tuple[float, float]:
    """Return heights of the two labels, far enough from each other to be read."""
    gap, ours = 0.09, max(ours, 0.05)
    if abs(ours - theirs) >= gap:
        return ours, theirs
    low = min(ours, theirs)
    return (low + gap, low) if ours > theirs else (low, low + gap)


def _label(row: pd.Series) -> str:
    return f"{_wrapped(str(row['segment']), _NAME)}\n{count(row['n'])} members"


def _wrapped(name: str, letters: int) -> str:
    """Break a name at spaces into lines of so many letters."""
    import textwrap

    return "\n".join(textwrap.wrap(name, max(letters, 9)))
