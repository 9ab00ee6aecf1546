"""Pictures of when members leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.retention_when import CohortEffects, Peak, RiskPeak
from sojourn.core.text import count
from sojourn.viz.axes import drawn_of, set_lines, set_time
from sojourn.viz.theme import ACCENT, BAD, BAND, CONTROL, INK, MUTED, label_end, new_axes, new_panels, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_when(result: RiskPeak, *, ax: Axes | None = None) -> Axes:
    """Draw the smooth rate of leaving with its band, what was counted as points, and the peak.

    Raises
    ------
    UndefinedError
        When there is no curve.
    """
    drawn = drawn_of(result)
    x, top = drawn["duration"] - 0.5, 112 * result.top
    ax = new_axes(ax, height=230)
    with theme():
        ax.fill_between(x, 100 * drawn["rate_low"], 100 * drawn["rate_high"], color=BAND)
        _draw_counted(ax, drawn[drawn["rate_counted"] <= result.top])
        ax.plot(x, 100 * drawn["rate"], color=ACCENT)
        if result.peak is not None:
            _draw_peak(ax, result.peak, 100 * result.rate_at(result.peak.at.value), result.unit)
        if result.true_peak is not None:
            _draw_truth(ax, result.true_peak, 100 * result.rate_at(result.true_peak))
        ax.set_ylim(0, top)
        set_lines(ax)
        set_time(ax, result.unit, int(drawn["duration"].max()), result.since)
    return ax


def _draw_counted(ax: Axes, counted: pd.DataFrame) -> None:
    heights = 100 * counted["rate_counted"]
    ax.plot(counted["duration"] - 0.5, heights, "o", color=MUTED, markersize=2.5, alpha=0.55)


def _draw_peak(ax: Axes, peak: Peak, height: float, unit: str) -> None:
    """Mark the peak on the line, and its interval as a bar on the axis."""
    at = peak.at
    ax.plot([at.low, at.high], [0, 0], color=ACCENT, linewidth=7, alpha=0.5, clip_on=False)
    ax.plot([at.value] * 2, [0, height], color=ACCENT, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.plot([at.value], [height], "o", color=ACCENT)
    bounds = f"{count(at.low)} to {count(at.high)}"
    label = f"peak: {unit} {count(at.value)} ({bounds})"
    ax.annotate(label, (at.high, height), (6, 4), textcoords="offset points", color=ACCENT)


def _draw_truth(ax: Axes, place: float, height: float) -> None:
    ax.plot([place], [height], "o", markerfacecolor="none", markeredgecolor=INK, markersize=8)
    ax.annotate("truth", (place, height), (-6, 8), textcoords="offset points", color=INK, ha="right")


def plot_cohort_effects(result: CohortEffects) -> Axes:
    """Draw how leaving departs from the straight line, by month of joining above and by calendar month below.

    Returns
    -------
    Axes
        The upper ones, in a figure of their own.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    drawn = drawn_of(result)
    panels = new_panels([1.0, 1.0], height=290, share_x=False)
    low, high = float(drawn["times_low"].min()), float(drawn["times_high"].max())
    for ax, (what, rows) in zip(panels, drawn.groupby("what", sort=False), strict=True):
        with theme():
            _draw_departures(ax, rows)
            ax.set_yscale("log")
            ax.set_ylim(min(low, 0.8) / 1.05, max(high, 1.25) * 1.15)
            _set_times(ax)
            ax.set_title("by month of joining" if what == "joined in" else "by calendar month", color=MUTED)
    return panels[0]


def _draw_departures(ax: Axes, rows: pd.DataFrame) -> None:
    x = range(len(rows))
    colours = [BAD if apart else ACCENT for apart in rows["apart"]]
    ax.axhline(1.0, color=CONTROL, linewidth=0.8)
    ax.vlines(x, rows["times_low"], rows["times_high"], colors=colours, linewidth=1.4, alpha=0.6)
    for place, height, colour, month, apart in zip(
        x, rows["times"], colours, rows["month"], rows["apart"], strict=True
    ):
        ax.plot([place], [height], "s" if apart else "o", color=colour, markersize=5 if apart else 3.5)
        if apart:
            label_end(ax, place, height, f"{month}: {height:.1f} times", color=colour)
    january = [i for i, month in enumerate(rows["month"]) if month.endswith(("-01", "-07")) or i == 0]
    kept = [i for n, i in enumerate(january) if n == 0 or i - january[n - 1] >= 3]
    ax.set_xticks(kept, [rows["month"].iloc[i] for i in kept])
    ax.set_xlim(-0.6, len(rows) - 0.4)


def _set_times(ax: Axes) -> None:
    """Set ticks of a logarithmic axis of ratios."""
    low, high = ax.get_ylim()
    ticks = [tick for tick in (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0) if low <= tick <= high]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.spines["left"].set_visible(False)
