"""Pictures of beliefs: past lifts with the law behind them, and what was likely beside what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_prior import PastLifts, PriorCheck
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import number
from sojourn.viz.theme import ACCENT, BAD, CONTROL, GRID, INK, MUTED, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
#: Where the name of a line stands, from a point on it.
_BESIDE: dict[str, Any] = {"xytext": (8, 2), "textcoords": "offset points", "annotation_clip": False}


def plot_past(past: PastLifts, *, ax: Axes | None = None) -> Axes:
    """Draw estimates of past trials in bins, what the law expects of them, and true lifts.

    Parameters
    ----------
    past : PastLifts
        Only its ``bins`` are drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is no law.
    """
    if past.why_empty:
        raise UndefinedError(f"There is nothing to draw. {past.why_empty}")
    factor, bins = (100.0 if past.unit == "share" else 1.0), past.drawn()
    left, right = factor * bins["lift_from"], factor * bins["lift_to"]
    middle = (left + right) / 2
    ax = new_axes(ax, height=240)
    with theme():
        ax.bar(left, bins["seen"], width=right - left, align="edge", color=GRID)
        ax.plot(middle, bins["true"], color=ACCENT)
        ax.plot(middle, bins["expected"], color=INK, linestyle=(0, (4, 2)), linewidth=1.2)
        ax.axvline(0, color=CONTROL, linewidth=0.8)
        true, expected = ((middle.to_numpy(), bins[name].to_numpy()) for name in ("true", "expected"))
        ax.annotate("true lifts", _flank(*true, 0.75), color=ACCENT, **_BESIDE)
        ax.annotate("estimates, by the law", _flank(*expected, 0.35), color=INK, **_BESIDE)
        ax.set_ylim(bottom=0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("members in 100" if past.unit == "share" else past.unit, loc="left")
    return ax


def _flank(x: Floats, y: Floats, height: float) -> tuple[float, float]:
    """Return the point of a line right of its top where it has fallen to a share of it."""
    top = int(y.argmax())
    at = top + int(np.abs(y[top:] - height * y[top]).argmin())
    return float(x[at]), float(y[at])


def plot_prior_check(check: PriorCheck, *, ax: Axes | None = None) -> Axes:
    """Draw for every scheme what the belief made likely, of true and of counted lifts, and what was counted.

    Parameters
    ----------
    check : PriorCheck
        Only its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    rows = check.drawn().iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, height=62 + 30 * len(rows))
    digits = 1 if check.kind == "binary" else 2
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for y, (_, row) in enumerate(rows.iterrows()):
            belief, likely = (
                [check.factor * float(row[f"{name}_{end}"]) for end in ("low", "high")]
                for name in ("belief", "expected")
            )
            seen = check.factor * float(row["seen"])
            colour = ACCENT if likely[0] <= seen <= likely[1] else BAD
            ax.plot(likely, [y, y], color=MUTED, linewidth=1)
            ax.plot(belief, [y, y], color=GRID, linewidth=9, zorder=0)
            ax.plot(seen, y, marker="o", color=colour)
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
            words = f"{number(seen, digits, signed=True)} counted"
            ax.annotate(words, (1.02, y), color=colour, annotation_clip=False, **where)
        ax.set_yticks(range(len(rows)), [plain_scheme(str(scheme)) for scheme in rows["scheme"]])
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(check.unit, loc="left")
    return ax
