"""Picture of how far groups stand apart: valleys against structureless data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.core.results.segments import Segmentation
from sojourn.viz.theme import ACCENT, CONTROL_BAND, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


def _apart(ours: float, theirs: float) -> tuple[float, float]:
    """Return heights of the two labels, far enough from each other to be read."""
    gap, ours = 0.09, max(ours, 0.05)
    if abs(ours - theirs) >= gap:
        return ours, theirs
    low = min(ours, theirs)
    return (low + gap, low) if ours > theirs else (low, low + gap)
