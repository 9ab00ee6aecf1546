"""The picture of quality: how many events each day has."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sojourn.core.errors import UndefinedError
from sojourn.core.results.quality import Coverage
from sojourn.core.text import count
from sojourn.viz.months import months
from sojourn.viz.theme import ACCENT, BAD, CONTROL_BAND, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_coverage(part: Coverage, *, ax: Axes | None = None) -> Axes:
    """Draw events per day; days without any are marked below, days not yet complete are shaded.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    if part.why_empty:
        raise UndefinedError(part.why_empty)
    days = [day.toordinal() for day in part.table["day"]]
    rows = part.table["rows"].tolist()
    gaps = [date.fromisoformat(day).toordinal() for day in part.gaps]
    open_days = [date.fromisoformat(day).toordinal() for day in part.incomplete]
    ax = new_axes(ax, height=215)
    with theme():
        if open_days:
            ax.axvspan(min(open_days), max(open_days) + 1, color=CONTROL_BAND, linewidth=0)
        ax.plot([day + 0.5 for day in days], rows, color=ACCENT, drawstyle="steps-mid", linewidth=1)
        ax.plot([day + 0.5 for day in gaps], [0] * len(gaps), "v", color=BAD, markersize=5, clip_on=False)
        usual = float(part.table.loc[part.table["rows"] > 0, "rows"].median())
        label_end(ax, days[-1] + 1, usual, f"median\n{count(usual)}", color=MUTED)
        ax.set(ylim=(0, 1.12 * max(rows)), xlim=(days[0], days[-1] + 1))
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.set_xticks(*months(days[0], days[-1]))
    return ax
