"""Pictures of how members came to their schemes: the split by day, and balance before assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_assignment import Balance, SplitByDay
from sojourn.core.results.trials import plain_scheme
from sojourn.viz.theme import ACCENT, BAD, CONTROL, INK, MUTED, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The p-value that is an alarm, and the smallest that is drawn.
_ALARM, _LEAST = 0.01, 1e-4


def plot_split_by_day(found: SplitByDay, *, ax: Axes | None = None) -> Axes:
    """Draw the p-value of the planned division after every day, on a scale of powers of ten.

    Raises
    ------
    UndefinedError
        When there is nothing to look at.
    """
    if found.why_empty:
        raise UndefinedError(f"There is nothing to draw. {found.why_empty}")
    rows = found.drawn()
    days, p = rows["day"].to_numpy(), np.maximum(rows["p_value"].to_numpy(float), _LEAST)
    steps = np.flatnonzero(np.diff(p, prepend=2.0))  # only where it falls
    steps = np.unique([*steps, len(p) - 1])
    ax = new_axes(ax, height=190)
    with theme():
        ax.step(days[steps], np.log10(p[steps]), where="post", color=ACCENT)
        ax.axhline(np.log10(_ALARM), color=BAD, linewidth=1)
        ax.annotate("alarm below 1 in 100", (days[0], np.log10(_ALARM)), xytext=(0, -12), color=BAD,
                    textcoords="offset points")  # fmt: skip
        ax.set_ylim(np.log10(_LEAST), 0.1)
        ax.set_yticks([0, -1, -2, -3, -4], ["1", "0.1", "0.01", "0.001", "0.0001"])
        ax.set_xlim(0, max(int(days[-1]), 1))
        ax.set_xlabel("days since the first assignment", loc="left")
    return ax


def plot_balance(found: Balance, *, ax: Axes | None = None) -> Axes:
    """Draw standardised differences from control with their intervals, covariates below each other.

    Raises
    ------
    UndefinedError
        When there is nothing to compare.
    """
    if found.why_empty:
        raise UndefinedError(f"There is nothing to draw. {found.why_empty}")
    rows = found.drawn().iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, height=70 + 17 * len(rows))
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for place, row in enumerate(rows.to_dict("records")):
            sure = row["difference_low"] > 0 or row["difference_high"] < 0
            colour = ACCENT if sure else MUTED
            ax.plot(
                [row["difference_low"], row["difference_high"]], [place, place], color=colour, linewidth=1.5
            )
            ax.plot(row["difference"], place, marker="o" if sure else "s", markersize=4, color=colour)
        names = [
            f"{row['covariate'].replace('_', ' ')}, {plain_scheme(row['scheme'])}"
            for _, row in rows.iterrows()
        ]
        ax.set_yticks(range(len(rows)), names, color=INK)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        reach = 1.1 * float(rows[["difference_low", "difference_high"]].abs().to_numpy().max())
        ax.set_xlim(-max(reach, 0.1), max(reach, 0.1))
        ax.set_xlabel("standard deviations of a member", loc="left")
        ax.spines["left"].set_visible(False)
    return ax
