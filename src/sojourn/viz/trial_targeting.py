"""Pictures of policies, of thirds of members by expected uplift, and of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from sojourn.core.results.trial_after import Fairness
from sojourn.core.results.trial_targeting import NO_ONE, Policies
from sojourn.core.text import number
from sojourn.viz.theme import ACCENT, CONTROL, INK, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_policies(result: Policies, *, ax: Axes | None = None) -> Axes:
    """Draw what every policy earns above giving the scheme to no one, with its interval.

    Parameters
    ----------
    result : Policies
        Only its ``table`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    rows = result.table[result.table["policy"] != NO_ONE].iloc[::-1]
    names = [
        f"{policy} ({number(100 * share, 0)} %)"
        for policy, share in zip(rows["policy"], rows["treated_share"], strict=True)
    ]
    picked = [policy == result.best for policy in rows["policy"]]
    ax = new_axes(ax, height=62 + 30 * len(rows))
    return _bars(ax, rows, "amount_per_1000", names, _Look(picked, "given to no one", 0))


def plot_bands(result: Policies, *, ax: Axes | None = None) -> Axes:
    """Draw the uplift found in each third of members by expected uplift.

    Parameters
    ----------
    result : Policies
        Only its ``bands`` are drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    rows = result.bands.iloc[::-1]
    picked = [name == result.bands["band"].iloc[0] for name in rows["band"]]
    ax = new_axes(ax, height=62 + 30 * len(rows))
    _bars(ax, rows, "amount", list(rows["band"]), _Look(picked, "no difference", 2))
    with theme():
        ax.plot(rows["expected_amount"], range(len(rows)), "o", markerfacecolor="none", markeredgecolor=INK)
    return ax


def plot_fairness(result: Fairness, *, ax: Axes | None = None) -> Axes:
    """Draw what each group of the grouping with the surest gap gains, pooled and by itself.

    Parameters
    ----------
    result : Fairness
        Only its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    factor = 1 if result.currency else 100
    drawn = result.drawn().sort_values(["lift", "group"], ascending=[True, False])
    columns = ["lift", "lift_low", "lift_high", "raw_lift"]
    rows = drawn.assign(**{name: factor * drawn[name] for name in columns})
    picked = [group == result.surest["most"] for group in rows["group"]]
    look = _Look(picked, "no difference", 2 if result.currency else 1)
    ax = new_axes(ax, height=62 + 30 * len(rows))
    _bars(ax, rows, "lift", [str(group) for group in rows["group"]], look)
    with theme():
        ax.plot(rows["raw_lift"], range(len(rows)), "o", markerfacecolor="none", markeredgecolor=CONTROL)
    return ax


@dataclass(frozen=True, slots=True)
class _Look:
    """Which bars are in the accent, what stands above the line at 0, and decimals."""

    picked: Sequence[bool]
    zero: str
    digits: int


def _bars(ax: Axes, rows: pd.DataFrame, column: str, names: Sequence[str], look: _Look) -> Axes:
    """Draw one interval below the other, with its numbers at the right."""
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        above: dict[str, Any] = {"ha": "center", "va": "bottom", "annotation_clip": False}
        ax.annotate(look.zero, (0, len(rows) - 0.4), color=CONTROL, **above)
        for y, (_, row) in enumerate(rows.iterrows()):
            colour = ACCENT if look.picked[y] else INK
            low, value, high = (float(row[f"{column}{end}"]) for end in ("_low", "", "_high"))
            ax.plot([low, high], [y, y], color=colour, linewidth=5, alpha=0.35)
            ax.plot(value, y, marker="o", color=colour)
            span = f"{number(low, look.digits)} to {number(high, look.digits)}"
            words = f"{number(value, look.digits, signed=True)} ({span})"
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
            ax.annotate(words, (1.02, y), color=colour, va="center", **where)
        ax.set_yticks(range(len(rows)), list(names))
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
    return ax
