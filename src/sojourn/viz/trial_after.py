"""Pictures of the weeks during and after a reward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sojourn.core.results.trial_after import Afterwards
from sojourn.core.results.trials import plain_scheme
from sojourn.viz.theme import ACCENT, BAND, CONTROL, MUTED, label_end, name_panel, new_panels, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WEEK = 7
_BAND_ALPHA = 0.16


def plot_afterwards(result: Afterwards) -> Axes:
    """Draw who leaves in each week under the best scheme and control, and what the scheme adds underneath.

    Parameters
    ----------
    result : Afterwards
        Only its ``weeks`` are drawn.
    """
    above, below = new_panels([3, 2], height=340)
    own, control = (
        result.weeks[result.weeks["scheme"] == scheme] for scheme in (result.best, result.control)
    )
    longest = int(own["week"].max()) + 1
    with theme():
        for rows, colour in ((control, CONTROL), (own, ACCENT)):
            _line(above, rows, "leaving_rate", 100, colour)
        above.set_ylim(bottom=0)
        name_panel(above, "leave in the week, %")
        column, unit = ("amount_above_control", result.currency) if result.paid else ("active_lift", "in 100")
        below.axhline(0, color=CONTROL, linewidth=1)
        _line(below, own, column, 1 if result.paid else 100, ACCENT)
        what = "paid per member" if result.paid else "members who come"
        name_panel(below, f"{what} in the week, above {plain_scheme(result.control)}, {unit}".rstrip(", "))
        for ax in (above, below):
            _mark_reward(ax, result)
            ax.yaxis.grid(visible=True)
            ax.set_xlim(0, longest)
        below.set_xlabel("weeks since assignment", loc="left")
        above.tick_params(labelbottom=False)
        _name(above, own, control, result)
    return above


def _line(ax: Axes, rows: pd.DataFrame, column: str, factor: float, colour: str) -> None:
    middle = rows["week"] + 0.5
    ax.plot(middle, factor * rows[column], color=colour)
    low, high = (factor * rows[f"{column}_{end}"] for end in ("low", "high"))
    ax.fill_between(middle, low, high, color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _mark_reward(ax: Axes, result: Afterwards) -> None:
    end = result.reward_days / _WEEK
    ax.axvspan(end, end + result.wash_out_days / _WEEK, color=BAND, alpha=0.35, linewidth=0)
    ax.axvline(end, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))


def _name(ax: Axes, own: pd.DataFrame, control: pd.DataFrame, result: Afterwards) -> None:
    heights = [100 * float(rows["leaving_rate"].iloc[-1]) for rows in (own, control)]
    gap = 0.1 * ax.get_ylim()[1]
    middle, apart = sum(heights) / 2, max(abs(heights[0] - heights[1]), gap)
    first = 1 if heights[0] >= heights[1] else -1
    names = ((result.best, ACCENT, first), (result.control, CONTROL, -first))
    for scheme, colour, side in names:
        height = middle + side * apart / 2
        label_end(ax, float(own["week"].max()) + 1, height, plain_scheme(scheme), color=colour)
    where: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "annotation_clip": False}
    end = result.reward_days / _WEEK
    ax.annotate("reward ends", (end, 1.02), color=MUTED, ha="left", va="bottom", **where)
