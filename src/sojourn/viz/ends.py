"""Names of lines at their ends, moved apart where they would touch."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sojourn.viz.theme import label_end

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Height of a line of a name, and what stands below and above the lines drawn, in points.
_LINE, _BELOW, _ABOVE = 13, 40, 20


def room_for(names: Sequence[str], least: float) -> tuple[float, float]:
    r"""Return how high a picture is whose lines have such names, and the room of one as a share of its axis.

    Parameters
    ----------
    names : sequence of str
        One per line, on as many lines as each needs.
    least : float
        Height of the picture where they need less, in points.

    Examples
    --------
    >>> room_for(["88 % everyone", "12 % news viewers\nwho spend less"], 240)[0]
    240
    """
    tall = _LINE * (1 + max(name.count("\n") for name in names)) + 1
    height = max(least, _BELOW + _ABOVE + tall * len(names))
    return height, tall / (height - _BELOW)


def name_ends(
    ax: Axes,
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    colours: Sequence[str],
    *,
    gap: float,
    within: tuple[float, float],
) -> None:
    """Write names right of the ends of lines, in the order of their heights.

    Parameters
    ----------
    ax : Axes
        Where the lines are drawn.
    names, colours : sequence of str
        One per line.
    points : sequence of (float, float)
        Ends of the lines.
    gap : float
        Least distance of two names, in units of the vertical axis.
    within : (float, float)
        Lowest and highest place of a name.
    """
    heights = apart([y for _, y in points], gap, within)
    right = max(x for x, _ in points)
    for name, height, colour in zip(names, heights, colours, strict=True):
        label_end(ax, right, height, name, color=colour)


def apart(heights: Sequence[float], gap: float, within: tuple[float, float]) -> list[float]:
    """Return heights moved as little as needed so that neighbours keep their distance.

    Parameters
    ----------
    heights : sequence of float
        In any order, which is kept; equal ones stay in the order given.
    gap : float
        Least distance.
    within : (float, float)
        Bounds; where all do not fit between them they go below.

    Examples
    --------
    >>> [round(y, 2) for y in apart([0.8, 0.84, 0.2], 0.1, (0.0, 1.0))]
    [0.77, 0.87, 0.2]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    blocks: list[tuple[float, int]] = []  # centre and number of names that stand close together
    for i in order:
        blocks.append((heights[i], 1))
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _bottom(blocks[-1], gap) + 1e-12:
            (low, m), (high, n) = blocks[-2:]
            blocks[-2:] = [((low * m + high * n) / (m + n), m + n)]
    placed = [_bottom(block, gap) + gap * j for block in blocks for j in range(block[1])]
    for j in range(len(placed)):
        placed[j] = max(placed[j], within[0] + gap * j)
    for j in range(len(placed)):
        placed[-1 - j] = min(placed[-1 - j], within[1] - gap * j)
    return [placed[order.index(i)] for i in range(len(heights))]


def _bottom(block: tuple[float, int], gap: float) -> float:
    return block[0] - gap * (block[1] - 1) / 2


def _top(block: tuple[float, int], gap: float) -> float:
    return block[0] + gap * (block[1] - 1) / 2


def wrapped(name: str, letters: int, lines: int = 9) -> str:
    r"""Break a name at spaces into lines of so many letters; what does not fit into the lines is cut.

    Examples
    --------
    >>> wrapped("frequent catalogue viewers", 12)
    'frequent\ncatalogue\nviewers'
    """
    return "\n".join(textwrap.wrap(name, letters, break_long_words=False, max_lines=lines, placeholder=" …"))
