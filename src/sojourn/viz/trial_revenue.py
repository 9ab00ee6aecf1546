"""Pictures of revenue in trials: payments by size with their law, lifts and what they are made of."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.results.trial_revenue import Adjusted, PaymentSizes, Revenue
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import number
from sojourn.viz.theme import ACCENT, BAND, CONTROL, CONTROL_BAND, INK, MUTED, new_axes, new_panels, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

#: Amounts at which the axis of sizes has ticks, within a decade.
_TICKS = (1, 2, 5)
#: Words of the parts of a lift, in the order in which they are drawn.
_PARTS = {
    "revenue": "revenue per member",
    "who pays": "who pays",
    "how much": "how much",
    "refunded": "refunds",
}


def plot_sizes(result: PaymentSizes) -> Axes:
    """Draw each scheme's payments by size on a logarithmic axis, and the log-normal law fitted to them.

    Parameters
    ----------
    result : PaymentSizes
        Only its ``table`` is drawn.
    """
    schemes = list(dict.fromkeys(result.table["scheme"]))
    edges = _edges(result.table[result.table["scheme"] == schemes[0]])
    panels = new_panels([1.0] * len(schemes), height=60 + 74 * len(schemes))
    with theme():
        for ax, scheme in zip(panels, schemes, strict=True):
            _one_histogram(ax, result, scheme, edges)
        highest = max(ax.get_ylim()[1] for ax in panels)
        for ax in panels:
            ax.set_ylim(0, highest)
            ax.tick_params(labelbottom=ax is panels[-1])
        amount = f"what one who pays paid, {result.currency}" if result.currency else "what one who pays paid"
        panels[-1].set_xlabel(f"{amount} (logarithmic scale)", loc="left")
    return panels[0]


def _one_histogram(ax: Axes, result: PaymentSizes, scheme: str, edges: Floats) -> None:
    rows = result.table[result.table["scheme"] == scheme]
    control = scheme == result.control
    fill, line = (CONTROL_BAND, CONTROL) if control else (BAND, ACCENT)
    widths = np.diff(np.log(edges))
    density, law = (rows[name].to_numpy() / widths for name in ("share", "share_by_law"))
    ax.bar(edges[:-1], density, np.diff(edges), align="edge", color=fill, edgecolor=line, linewidth=0.6)
    middles = np.sqrt(edges[:-1] * edges[1:])
    ax.plot(middles, law, color=INK, linewidth=1.2)
    ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ticks = _round_amounts(edges[0], edges[-1])
    ax.set_xticks(ticks, [number(t, 0 if t >= 1 else 2) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_title(plain_scheme(scheme), color=line)
    if control:
        top = int(law.argmax())
        where: dict[str, Any] = {"xytext": (10, 6), "textcoords": "offset points"}
        ax.annotate("log-normal law", (middles[top], law[top]), color=INK, **where)


def _edges(rows: pd.DataFrame) -> Floats:
    """Return edges of the bins; the law falls off over the two open ones as it does beside them."""
    law = rows["share_by_law"].to_numpy(float)
    edges: Floats = np.r_[rows["amount_from"].to_numpy(float), rows["amount_to"].to_numpy(float)[-1]]
    if len(law) < 4:
        edges[0], edges[-1] = edges[1] / 4, edges[-2] * 4
        return edges
    density = law[1:-1] / np.diff(np.log(edges[1:-1]))
    falls = [min(density[0] / density[1], 0.9), min(density[-1] / density[-2], 0.9)]
    edges[0] = edges[1] / np.exp(min(law[0] / (density[0] * falls[0]), 3.0))
    edges[-1] = edges[-2] * np.exp(min(law[-1] / (density[-1] * falls[1]), 3.0))
    return edges


def _round_amounts(low: float, high: float) -> list[float]:
    """Return amounts such as 1, 2, 5, 10 between two, thinned to about eight."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    found = [step * 10.0**decade for decade in decades for step in _TICKS]
    inside = [amount for amount in found if low <= amount <= high]
    return inside if len(inside) <= 8 else [a for a in inside if round(np.log10(a), 6) % 1 == 0]


def plot_revenue(result: Revenue, *, ax: Axes | None = None) -> Axes:
    """Draw each scheme's lift in revenue per member and its three parts, with intervals.

    Parameters
    ----------
    result : Revenue
        Only `Revenue.drawn` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    rows = result.drawn()
    schemes = list(dict.fromkeys(rows["scheme"]))
    ax = new_axes(ax, height=64 + 17 * (len(rows) + len(schemes)))
    names: list[str] = []
    places: list[float] = []
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        y = 0.0
        for scheme in schemes:
            own = rows[rows["scheme"] == scheme]
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "ha": "right"}
            ax.annotate(plain_scheme(scheme), (-0.01, y), color=INK, fontweight="bold", **where)
            for row in own.to_dict("records"):
                y += 1
                _one_part(ax, y, row)
                names.append(_PARTS[row["part"]])
                places.append(y)
            y += 1.2
        ax.set_yticks(places, names)
        ax.set_ylim(y - 0.4, -0.6)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(f"{result.currency} per member, above {plain_scheme(result.control)}".strip())
    return ax


def _one_part(ax: Axes, y: float, row: Mapping[Hashable, Any]) -> None:
    low, value, high = (float(row[f"amount_above{end}"]) for end in ("_low", "", "_high"))
    colour = ACCENT if row["part"] == "revenue" else MUTED
    ax.plot([low, high], [y, y], color=colour, linewidth=5 if row["part"] == "revenue" else 3, alpha=0.35)
    ax.plot(value, y, marker="o", color=colour)
    words = f"{number(value, 2, signed=True)} ({number(low, 2)} to {number(high, 2)})"
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
    ax.annotate(words, (1.02, y), color=colour, **where)


def plot_adjusted(result: Adjusted, *, ax: Axes | None = None) -> Axes:
    """Draw each scheme's lift with and without what was known before assignment.

    Parameters
    ----------
    result : Adjusted
        Only its ``table`` is drawn; shares in members in 100.
    ax : Axes, optional
        Axes of the caller.
    """
    binary = result.result is not None and result.result.kind == "binary"
    factor, digits = (100, 1) if binary else (1, 2)
    rows = result.drawn().iloc[::-1].to_dict("records")
    ax = new_axes(ax, height=66 + 36 * len(rows))
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for y, row in enumerate(rows):
            low, value, high = (factor * float(row[c]) for c in ("lift_low", "lift", "lift_high"))
            ax.plot([low, high], [y, y], color=ACCENT, linewidth=5, alpha=0.35)
            ax.plot(value, y, marker="o", color=ACCENT)
            without = [factor * float(row[c]) for c in ("plain_lift_low", "plain_lift_high")]
            ax.plot(without, [y - 0.28] * 2, color=MUTED, linewidth=1.5)
            ax.plot(factor * float(row["plain_lift"]), y - 0.28, marker="o", markersize=3, color=MUTED)
            said = f"{number(value, digits, signed=True)} ({number(low, digits)} to {number(high, digits)})"
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
            ax.annotate(said, (1.02, y), color=ACCENT, va="center", **where)
        ax.set_yticks(range(len(rows)), [plain_scheme(str(row["scheme"])) for row in rows])
        ax.set_ylim(-0.7, len(rows) - 0.5)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("members in 100" if binary else f"{_currency(result)} per member".strip(), loc="left")
    return ax


def _currency(result: Adjusted) -> str:
    return result.result.currency if result.result is not None else ""
