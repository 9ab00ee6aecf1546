"""What pictures of staying have in common: shares upwards, time since joining to the right, short names."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol, cast
from unicodedata import east_asian_width

from sojourn.core.errors import UndefinedError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Ticks at meaningful places, by unit, in the order in which they are given up: the last first.
_TICKS = {
    "day": (90, 30, 365, 180, 730, 1095, 1460, 1825, 60, 7, 545, 270),
    "month": (12, 24, 36, 48, 60, 72, 96, 120, 6, 3),
}
#: Places that sentences speak of; they may stand closer.
_KEY = (30, 90, 180, 12)
#: Least distance of such a tick, for each of its digits, and of all others, as a share of the axis.
_KEY_GAP, _TICK_GAP = 0.024, 0.095
#: Width of a figure and least space between two numbers, in points.
_DIGIT, _SPACE = 6.4, 4.0


class Drawable(Protocol):
    """A result that knows what of it is drawn, or why nothing is."""

    @property
    def why_empty(self) -> str:
        """Why there is nothing to draw; empty when there is something."""

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows."""


def drawn_of(result: Drawable) -> pd.DataFrame:
    """Return what is drawn of a result.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    if result.why_empty:
        raise UndefinedError(f"There is nothing to draw. {result.why_empty}")
    return result.drawn()


def fitting(name: str, longest: int) -> str:
    """Return a name cut to so many letters; East Asian ones count twice.

    Examples
    --------
    >>> fitting("annual", 20), fitting("a plan with a very long name", 20)
    ('annual', 'a plan with a very…')
    """
    widths = list(accumulate(1 + (east_asian_width(letter) in "WF") for letter in name))
    if max(widths, default=0) <= longest:
        return name
    return name[: sum(width < longest for width in widths)].rstrip() + "…"


def set_shares(ax: Axes) -> None:
    """Set the vertical axis from 0 to 100 %."""
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    set_lines(ax)


def set_lines(ax: Axes) -> None:
    """Set level lines across the picture in place of a vertical axis."""
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
    return sorted(ranked(unit, longest))


def ranked(unit: str, longest: int) -> list[int]:
    """Return the places of `ticks`, the one that matters most first."""
    kept = [0]
    for place in _TICKS[unit]:
        gap = (_KEY_GAP * len(str(place)) if place in _KEY else _TICK_GAP) * longest
        if place <= longest and all(abs(place - other) >= gap for other in kept):
            kept.append(place)
    return kept


def clear(places: Sequence[int], written: Sequence[str], scale: float) -> list[int]:
    """Return the places at which what is written is clear of what stands at those before.

    Parameters
    ----------
    places : sequence of int
        The one that matters most first.
    written : sequence of str
        Figures centred at each place.
    scale : float
        Points per unit of the axis.
    """
    kept: dict[int, tuple[float, float]] = {}
    for place, text in zip(places, written, strict=True):
        half = (_DIGIT * len(text) + _SPACE) / 2
        start, end = scale * place - half, scale * place + half
        if all(start >= other[1] or end <= other[0] for other in kept.values()):
            kept[place] = (start, end)
    return list(kept)


def width_of(ax: Axes) -> float:
    """Return the width of axes in points once everything drawn so far is laid out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the browser has the letters
        cast("Figure", ax.get_figure(root=True)).draw_without_rendering()
    return float(ax.get_window_extent().width)
