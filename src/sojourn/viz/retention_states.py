"""Pictures of leaving and coming back, and of why members leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sojourn.core.results.retention_states import MAY_BE_ANY, OTHER, Reasons, TimeToReturn, WithUs
from sojourn.viz.axes import drawn_of, set_lines, set_shares, set_time
from sojourn.viz.theme import (
    ACCENT,
    BAND,
    CONTROL,
    DASHES,
    GRID,
    INK,
    MUTED,
    OTHERS,
    PAPER,
    label_end,
    new_axes,
    theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAND_ALPHA = 0.16
#: Least distance of two names at the right end, as a share of the axis.
_LABEL_GAP = 0.07
#: Colours of reasons from the largest on; those of nobody's own are grey.
_LAYERS = [ACCENT, *OTHERS]


def plot_occupation(result: WithUs, *, ax: Axes | None = None) -> Axes:
    """Draw who is with us above who has never left, against time since joining.

    Raises
    ------
    UndefinedError
        When there are no two curves.
    """
    drawn = drawn_of(result)
    ax = new_axes(ax, height=240)
    lines = {"with_us_share": (ACCENT, DASHES[0]), "never_left_share": (CONTROL, DASHES[1])}
    with theme():
        for column, (colour, dash) in lines.items():
            _draw_line(ax, drawn, column, colour, dash)
            if result.truth is not None:
                _draw_truth(ax, result.truth, column, colour)
        names = {"with_us_share": _with_us(result), "never_left_share": _never(result)}
        last = int(drawn["duration"].max())
        heights = spread([float(drawn[column].iloc[-1]) for column in lines], _LABEL_GAP)
        for (column, (colour, _)), height in zip(lines.items(), heights, strict=True):
            label_end(ax, last, height, names[column], color=colour)
        set_shares(ax)
        set_time(ax, result.unit, last, "joining")
    return ax


def plot_returns(result: TimeToReturn, *, ax: Axes | None = None) -> Axes:
    """Draw the share of those who left who have come back, against time since they left.

    Raises
    ------
    UndefinedError
        When there is no curve.
    """
    drawn = drawn_of(result)
    ax = new_axes(ax, height=200)
    with theme():
        _draw_line(ax, drawn, "back_share", ACCENT, DASHES[0])
        if result.truth is not None:
            _draw_truth(ax, result.truth, "back_share", ACCENT)
        set_shares(ax)
        highest = float(np.nanmax(drawn[["back_share", "back_share_high"]].to_numpy()))
        _set_from_zero(ax, highest)
        last = int(drawn["duration"].max())
        set_time(ax, result.unit, last, "leaving" if result.lapse is None else "falling silent")
        if result.lapse is not None:
            _mark_lapse(ax, result.lapse)
    return ax


def plot_reasons(result: Reasons, *, ax: Axes | None = None) -> Axes:
    """Draw the shares who have left for each reason upon each other, up to all who have left.

    Raises
    ------
    UndefinedError
        When no reason is known.
    """
    drawn = drawn_of(result)
    ax = new_axes(ax, height=260)
    wide = drawn.pivot_table(index="duration", columns="reason", values="left_share")[list(result.names)]
    tops = wide.cumsum(axis=1)
    days, bottoms = wide.index.to_numpy(), tops - wide
    last = int(drawn["duration"].max())
    with theme():
        for name, colour in colours(result).items():
            ax.fill_between(days, bottoms[name], tops[name], facecolor=colour, edgecolor=PAPER, linewidth=0.8)
        if result.truth is not None:
            _draw_true_layers(ax, result.truth, result.names)
        middles = [float((bottoms[name].iloc[-1] + tops[name].iloc[-1]) / 2) for name in wide.columns]
        highest = float(tops.to_numpy()[-1, -1])
        heights = spread(middles, _LABEL_GAP * highest * 1.1)
        for (name, colour), height in zip(colours(result).items(), heights, strict=True):
            label_end(ax, last, height, name, color=INK if colour == GRID else colour)
        _set_from_zero(ax, highest)
        set_time(ax, result.unit, last, "joining")
    return ax


def colours(result: Reasons) -> dict[str, str]:
    """Return the colour of every layer: those of nobody's own are grey, the unknown lightest."""
    own = iter(_LAYERS)
    grey = {OTHER: MUTED, **dict.fromkeys(MAY_BE_ANY, GRID)}
    return {name: grey[name] if name in grey else next(own, MUTED) for name in result.names}


def spread(heights: list[float], gap: float) -> list[float]:
    """Return heights moved apart, up or down in turn, until neighbours are at least `gap` apart.

    Examples
    --------
    >>> [round(h, 2) for h in spread([0.5, 0.52], 0.1)]
    [0.46, 0.56]
    """
    order = np.argsort(heights, kind="stable")
    placed = np.array(heights, dtype=float)[order]
    for _ in range(50):
        short = gap - np.diff(placed)
        if (short <= 1e-9).all():
            break
        push = np.where(short > 0, short / 2, 0.0)
        placed[1:] += push
        placed[:-1] -= push
    result = np.empty_like(placed)
    result[order] = placed
    return [float(height) for height in result]


def _draw_line(ax: Axes, drawn: pd.DataFrame, column: str, colour: str, dash: Any) -> None:
    """Draw a curve straight between the days that are drawn, with its band where that is claimed."""
    ax.plot(drawn["duration"], drawn[column], color=colour, linestyle=dash)
    sure = drawn[drawn["claimed"]]
    bounds = (sure["duration"], sure[f"{column}_low"], sure[f"{column}_high"])
    ax.fill_between(*bounds, color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _draw_truth(ax: Axes, truth: pd.DataFrame, column: str, colour: str) -> None:
    ax.plot(truth["duration"], truth[column], "o", markerfacecolor="none", markeredgecolor=colour)


def _draw_true_layers(ax: Axes, truth: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Draw where the layers of the simulated world end, as circles that show on every colour."""
    wide = truth.pivot_table(index="duration", columns="reason", values="left_share")
    tops = wide.reindex(columns=list(names)).cumsum(axis=1)
    for name in names:
        ax.plot(tops.index, tops[name], "o", markerfacecolor=PAPER, markeredgecolor=INK, markersize=3.5)


def _set_from_zero(ax: Axes, highest: float) -> None:
    """Set the vertical axis from 0 to just above the highest share, with ticks in whole percent."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.25) if highest / step <= 5)
    places = [i * step for i in range(int(highest / step + 1e-9) + 1)]
    ax.set_ylim(0, highest * 1.03)
    ax.set_yticks(places, [f"{100 * place:.0f} %" for place in places])
    set_lines(ax)


def _mark_lapse(ax: Axes, lapse: int) -> None:
    """Say why there is no curve before the lapse has passed."""
    ax.axvspan(0, lapse, color=BAND, alpha=0.5, linewidth=0)
    middle = ax.get_xaxis_transform()
    ax.text(lapse / 2, 0.92, "silent", color=MUTED, ha="center", va="top", transform=middle)


def _with_us(result: WithUs) -> str:
    return "with us" if result.leaving == "cancellation" else "active"


def _never(result: WithUs) -> str:
    return "never left" if result.leaving == "cancellation" else "never silent"
