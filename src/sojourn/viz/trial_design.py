"""Picture of a design: what a trial would say, by its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_design import TrialDesign
from sojourn.viz.theme import ACCENT, BAND, CONTROL, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Names at the ends of lines are kept so many points of 100 apart.
_APART = 7.0


def plot_design(design: TrialDesign, *, ax: Axes | None = None) -> Axes:
    """Draw the chance to ship by days of assignment: anything, one worth having, and the most it can be.

    Raises
    ------
    UndefinedError
        When there is no design.
    """
    if design.why_empty:
        raise UndefinedError(f"There is nothing to draw. {design.why_empty}")
    drawn = design.drawn()
    days, end = drawn["days"], float(drawn["days"].iloc[-1])
    ax = new_axes(ax, height=250)
    with theme():
        ax.fill_between(
            days,
            100 * drawn["assurance_rate_low"],
            100 * drawn["assurance_rate_high"],
            color=BAND,
            linewidth=0,
        )
        ax.plot(days, 100 * drawn["assurance_rate"], color=INK, marker="o", markersize=3)
        ax.plot(days, 100 * drawn["found_rate"], color=ACCENT, marker="o", markersize=3)
        ax.axhline(100 * design.most, color=MUTED, linewidth=1)
        ax.axvline(design.planned_days, color=CONTROL, linewidth=1)
        ax.annotate(
            f"planned: {design.planned_days} days",
            (design.planned_days, 102),
            color=CONTROL,
            ha="center",
            annotation_clip=False,
        )
        for y, words, colour in _names(design):
            label_end(ax, end, y, words, colour)
        ax.set_xlim(0, end)
        ax.set_ylim(0, 100)
        ax.set_xticks([0, *_ticks([int(day) for day in days])])
        ax.set_xlabel("days of assignment")
        ax.set_ylabel("% of trials")
    return ax


def _names(design: TrialDesign) -> list[tuple[float, str, str]]:
    """Return the names of the lines with their heights, moved apart where they would touch."""
    last = design.table.iloc[-1]
    named = [
        (100 * float(last["found_rate"]), "ships, if one is worthwhile", ACCENT),
        (100 * float(last["assurance_rate"]), "ships, as believed", INK),
        (100 * design.most, "something is worth it", MUTED),
    ]
    placed: list[tuple[float, str, str]] = []
    for y, words, colour in sorted(named, key=lambda name: name[0]):
        lowest = placed[-1][0] + _APART if placed else 0.0
        placed.append((max(y, lowest), words, colour))
    return placed


def _ticks(days: list[int]) -> list[int]:
    """Return the days that are written, none closer to another than a twelfth of the axis."""
    shown: list[int] = []
    for day in days:
        if not shown or day - shown[-1] >= days[-1] / 12:
            shown.append(day)
    return shown
