"""Pictures of when members leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.results.retention_when import Peak, RiskPeak
from sojourn.viz.axes import set_time
from sojourn.viz.theme import ACCENT, BAND, INK, MUTED, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_when(result: RiskPeak, *, ax: Axes | None = None) -> Axes:
    """Draw the smooth rate of leaving with its band, what was counted as points, and the peak.

    Raises
    ------
    UndefinedError
        When there is no curve.
    """
    if result.why_empty:
        raise UndefinedError(f"There is no rate of leaving to draw. {result.why_empty}")
    drawn = result.drawn()
    x, top = drawn["duration"] - 0.5, 112 * float(drawn["rate_high"].max())
    ax = new_axes(ax, height=230)
    with theme():
        ax.fill_between(x, 100 * drawn["rate_low"], 100 * drawn["rate_high"], color=BAND)
        _draw_counted(ax, drawn, top)
        ax.plot(x, 100 * drawn["rate"], color=ACCENT)
        if result.peak is not None:
            _draw_peak(ax, result.peak, 100 * result.rate_at(result.peak.at.value), result.unit)
        if result.true_peak is not None:
            _draw_truth(ax, result.true_peak, 100 * result.rate_at(result.true_peak))
        ax.set_ylim(0, top)
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        set_time(ax, result.unit, int(drawn["duration"].max()), result.since)
    return ax


def _draw_counted(ax: Axes, drawn: pd.DataFrame, top: float) -> None:
    counted = drawn.dropna(subset=["rate_counted"])
    heights = (100 * counted["rate_counted"]).clip(upper=top)
    ax.plot(counted["duration"] - 0.5, heights, "o", color=MUTED, markersize=2.5, alpha=0.55)


def _draw_peak(ax: Axes, peak: Peak, height: float, unit: str) -> None:
    """Mark the peak on the line, and its interval as a bar on the axis."""
    at = peak.at
    ax.plot([at.low - 1, at.high], [0, 0], color=ACCENT, linewidth=7, alpha=0.5, clip_on=False)
    ax.plot([at.value - 0.5] * 2, [0, height], color=ACCENT, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.plot([at.value - 0.5], [height], "o", color=ACCENT)
    bounds = f"{at.low:g} to {at.high:g}"
    label = f"peak: {unit} {at.value:g} ({bounds})"
    ax.annotate(label, (at.high, height), (6, 4), textcoords="offset points", color=ACCENT)


def _draw_truth(ax: Axes, place: float, height: float) -> None:
    ax.plot([place - 0.5], [height], "o", markerfacecolor="none", markeredgecolor=INK, markersize=8)
    ax.annotate("truth", (place, height), (-6, 8), textcoords="offset points", color=INK, ha="right")
