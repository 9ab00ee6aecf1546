"""Picture of the gate: what was predicted beside what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.core.results.retention_gate import Gate
from sojourn.viz.axes import drawn_of, set_lines
from sojourn.viz.theme import ACCENT, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_gate(gate: Gate, *, ax: Axes | None = None) -> Axes:
    """Draw the observed against the predicted share who left, by tenth of members, with the line of equality.

    Raises
    ------
    UndefinedError
        When nothing was examined.
    """
    drawn = drawn_of(gate)
    most = min(1.0, 1.1 * float(drawn[["p_predicted", "p_observed_high"]].max().max()))
    ax = new_axes(ax, height=230)
    with theme():
        ax.plot([0, most], [0, most], color=MUTED, linewidth=1)
        label_end(ax, most, most, "as predicted", color=MUTED)
        ax.vlines(drawn["p_predicted"], drawn["p_observed_low"], drawn["p_observed_high"], color=ACCENT)
        ax.plot(drawn["p_predicted"], drawn["p_observed"], "o", color=ACCENT)
        ax.set(xlim=(0, most), ylim=(0, most))
        ticks = [tick for tick in ax.get_xticks() if tick <= most]
        shown = [f"{100 * tick:g} %" for tick in ticks]
        ax.set_xticks(ticks, shown)
        ax.set_yticks(ticks, shown)
        set_lines(ax)
        ax.set_xlabel("predicted to leave", loc="left")
    return ax
