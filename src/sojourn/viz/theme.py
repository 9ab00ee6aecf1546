"""How pictures look: fixed colours, quiet axes, text that stays text.

Draw on axes of `new_axes` (or inside ``with theme():``), use the named colours only and put labels at the
ends of lines; `sojourn.viz.figure.figure` then makes it a block whose colours follow the page's theme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any, cast

from sojourn.core.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER = LIGHT["paper"]
INK = LIGHT["ink"]
MUTED = LIGHT["muted"]
GRID = LIGHT["grid"]
CONTROL = LIGHT["control"]
ACCENT = LIGHT["accent"]
BAND = LIGHT["band"]
CONTROL_BAND = LIGHT["control-band"]
OTHERS: list[str] = [LIGHT[f"other-{i}"] for i in range(1, 6)]
GOOD = LIGHT["good"]
BAD = LIGHT["bad"]

#: Line styles in the order of `OTHERS`, so that no line is known by its colour alone.
DASHES: list[Any] = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)), (0, (4, 4))]

#: Width of every picture in points; the page scales it to its text column.
WIDTH = 420.0

_RC: dict[str, Any] = {
    "figure.dpi": 72,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "sojourn",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "butt",
    "lines.markersize": 5,
    "patch.linewidth": 0,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a name with dollar signs is a name
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw inside this: the look of every picture, whatever the caller has set; undone afterwards."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", _RC))
        yield


def new_axes(ax: Axes | None = None, *, height: float = 260.0) -> Axes:
    """Return `ax` itself, or axes of a fresh figure as wide as every picture.

    Parameters
    ----------
    ax : Axes, optional
        Axes of the caller.
    height : float
        Height of a fresh figure, in points.

    Notes
    -----
    The figure belongs to no window and to no pyplot state, so nothing shows it a second time and nothing has
    to close it.
    """
    return ax if ax is not None else new_panels([1.0], height=height)[0]


def new_panels(heights: Sequence[float], *, height: float = 300.0, share_x: bool = True) -> list[Axes]:
    """Return axes below each other in one fresh figure, for a curve with numbers at risk under it.

    Parameters
    ----------
    heights : sequence of float
        Heights of the panels relative to each other.
    height : float
        Height of the figure, in points.
    share_x : bool
        Whether they share the horizontal axis.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with theme():
        drawing = Figure(figsize=(WIDTH / 72, height / 72))
        FigureCanvasSVG(drawing)
        ratios = {"height_ratios": list(heights)}
        grid = drawing.subplots(len(heights), 1, sharex=share_x, squeeze=False, gridspec_kw=ratios)
        grid[0, 0].tick_params(axis="x", labelbottom=True)
    return list(grid[:, 0])


def line_looks(names: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Return colour and dashes of every line, in the order of the names: the same on every page.

    Examples
    --------
    >>> looks = line_looks(["a", "b"])
    >>> looks["a"] == (ACCENT, "-"), looks["b"][0] == OTHERS[0]
    (True, True)
    """
    return dict(zip(names, zip(cycle([ACCENT, *OTHERS]), cycle(DASHES), strict=False), strict=False))


def name_panel(ax: Axes, text: str) -> None:
    """Say above a panel, unturned, what its heights are."""
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(text, (0, 1), (0, 6), ha="left", va="bottom", color=MUTED, annotation_clip=False, **where)


def label_end(ax: Axes, x: float, y: float, text: str, color: str = INK, **more: Any) -> None:
    """Write `text` right of the point (`x`, `y`), which is how lines are named here."""
    shift: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "ha": "left"}
    ax.annotate(text, (x, y), color=color, annotation_clip=False, **{**shift, **more})
