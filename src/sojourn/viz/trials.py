"""Pictures of trials: lifts over control, strata alone and pooled, error rates by number of looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.results.trials import TrialResult, plain_scheme
from sojourn.core.text import number, percent
from sojourn.viz.theme import ACCENT, BAD, CONTROL, GRID, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_lifts(result: TrialResult, *, ax: Axes | None = None) -> Axes:
    """Draw each scheme's lift over control with its interval, and the interval without a model below it.

    Parameters
    ----------
    result : TrialResult
        Only its ``table`` is drawn; shares in members in 100.
    ax : Axes, optional
        Axes of the caller.
    """
    factor, digits = _factor(result), _digits(result)
    ordered = result.table.iloc[1:].sort_values(["lift", "scheme"], ascending=[True, False])
    top = len(ordered) - 1
    ax = new_axes(ax, height=62 + 30 * len(ordered))
    with theme():
        _control_line(ax, result, top)
        for y, (_, row) in enumerate(ordered.iterrows()):
            colour = ACCENT if y == top else INK
            low, value, high = (factor * float(row[c]) for c in ("lift_low", "lift", "lift_high"))
            raw = [factor * float(row[c]) for c in ("raw_lift_low", "raw_lift_high")]
            ax.plot([low, high], [y, y], color=colour, linewidth=5, alpha=0.35)
            ax.plot(value, y, marker="o", color=colour)
            ax.plot(raw, [y - 0.26, y - 0.26], color=MUTED, linewidth=1)
            words = f"{number(value, digits, signed=True)} ({number(low, digits)} to {number(high, digits)})"
            _write_right(ax, y, words, colour)
        _rows_axis(ax, result, [_plain(str(scheme)) for scheme in ordered["scheme"]])
    return ax


def plot_strata(result: TrialResult, *, ax: Axes | None = None) -> Axes:
    """Draw each stratum's lift alone (hollow) and pooled (full), joined by a line: what pooling moved.

    Parameters
    ----------
    result : TrialResult
        Only its ``strata`` are drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    factor = _factor(result)
    rows = result.strata.iloc[::-1]
    schemes = rows["scheme"].map(_plain)
    ax = new_axes(ax, height=60 + 17 * len(rows))
    with theme():
        _control_line(ax, result, len(rows) - 1)
        for y, (_, row) in enumerate(rows.iterrows()):
            names = ("raw_lift", "lift", "lift_low", "lift_high")
            alone, pooled, low, high = (factor * float(row[c]) for c in names)
            ax.plot([low, high], [y, y], color=GRID)
            ax.plot([alone, pooled], [y, y], color=MUTED, linewidth=1)
            ax.plot(alone, y, marker="o", markerfacecolor="none", color=MUTED)
            ax.plot(pooled, y, marker="o", color=ACCENT)
        for scheme in schemes.unique():
            own = np.flatnonzero(schemes == scheme)
            _write_right(ax, float(own.mean()), scheme, INK)
            if own[0]:
                ax.axhline(own[0] - 0.5, color=GRID, linewidth=0.6)
        _rows_axis(ax, result, [str(stratum) for stratum in rows["stratum"]])
    return ax


def plot_error_rates(rates: ErrorRateCard, *, ax: Axes | None = None) -> Axes:
    """Draw how often the rule ships nothing of worth against the number of looks, the planned one marked.

    Parameters
    ----------
    rates : ErrorRateCard
        Only its ``table`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    table = rates.table
    ax = new_axes(ax, height=230)
    x = np.arange(len(table))
    with theme():
        ax.plot(x, 100 * table["wrong_rate"], color=BAD, marker="o")
        ax.vlines(x, 100 * table["wrong_rate_low"], 100 * table["wrong_rate_high"], color=BAD, linewidth=1)
        at = int(np.flatnonzero(table["looks"] == rates.planned_looks)[0])
        planned = table.iloc[at]
        ax.plot(at, 100 * planned["wrong_rate"], marker="o", markersize=10, markerfacecolor="none", color=INK)
        ax.annotate(
            f"as planned: {percent(planned['wrong_rate'])}",
            (at, 100 * planned["wrong_rate"]),
            xytext=(0, 12),
            textcoords="offset points",
            ha="left" if at == 0 else "center",
            color=INK,
        )
        label_end(ax, float(x[-1]), 100 * float(table["wrong_rate"].iloc[-1]), "wrong ships", BAD)
        ax.set_xticks(x, [str(looks) for looks in table["looks"]])
        ax.set_xlabel("looks at the data")
        ax.set_ylabel("% of trials")
        ax.set_ylim(0, max(5.0, 125 * float(table["wrong_rate_high"].max())))
        ax.set_xlim(-0.3, len(table) - 0.35)
        ax.margins(x=0.05)
    return ax


def _factor(result: TrialResult) -> float:
    return 100.0 if result.kind == "binary" else 1.0


def _digits(result: TrialResult) -> int:
    return 1 if result.kind == "binary" else 2


def _plain(scheme: str) -> str:
    return plain_scheme(scheme)


def _control_line(ax: Axes, result: TrialResult, top: float) -> None:
    """Draw the line of no difference, with its name on it."""
    ax.axvline(0, color=CONTROL, linewidth=1)
    above: dict[str, Any] = {"ha": "center", "va": "bottom", "annotation_clip": False}
    ax.annotate(f"as under {_plain(result.control)}", (0, top + 0.6), color=CONTROL, **above)


def _write_right(ax: Axes, y: float, text: str, colour: str) -> None:
    """Write right of the axes, all rows from the same place."""
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
    ax.annotate(text, (1.02, y), color=colour, **where)


def _rows_axis(ax: Axes, result: TrialResult, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_xlabel("members in 100" if result.kind == "binary" else f"{result.currency} per member")
