"""Axes that pictures of staying have in common: shares upwards, time since joining to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Ticks at meaningful places, by unit.
_TICKS = {
    "day": (7, 30, 60, 90, 180, 270, 365, 545, 730, 1095, 1460, 1825),
    "month": (3, 6, 12, 24, 36, 48, 60, 72, 96, 120),
}
#: Least distance of the first two ticks and of all others, as a share of the axis: numbers stand under them.
_FIRST_GAP, _TICK_GAP = 0.16, 0.095


def set_shares(ax: Axes) -> None:
    """Set the vertical axis from 0 to 100 %."""
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.yaxis.grid(visible=True)
    ax.spines["left"].set_visible(False)


def set_time(ax: Axes, unit: str, longest: int, since: str) -> None:
    """Set the horizontal axis from 0 to the longest duration, with ticks at meaningful places."""
    places = ticks(unit, longest)
    ax.set_xlim(0, max(longest, 1))
    ax.set_xticks(places, [str(place) for place in places])
    ax.tick_params(labelbottom=True)
    ax.set_xlabel(f"{unit}s since {since}", loc="left")


def ticks(unit: str, longest: int) -> list[int]:
    """Return the meaningful places up to the end that keep their distance."""
    kept = [0]
    for place in _TICKS[unit]:
        if kept[-1] + (_TICK_GAP if kept[-1] else _FIRST_GAP) * longest <= place <= longest:
            kept.append(place)
    return kept
