"""Pictures of trials: lifts over control, strata alone and pooled, error rates by number of looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sojourn.core.results.trials import ErrorRateCard, TrialResult
from sojourn.core.text import number, percent
from sojourn.viz.theme import ACCENT, BAD, CONTROL, GRID, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Height of one row of a picture of rows, in points.
_ROW = 34.0


def plot_lifts(result: TrialResult, *, ax: Axes | None = None) -> Axes:
    """Draw each scheme's lift over control with its interval, and the interval without a model below it.

    Parameters
    ----------
    result : TrialResult
        Only its ``table`` is drawn; shares in members in 100.
    ax : Axes, optional
        Axes of the caller.
    """
    table, factor = result.table.iloc[1:], _factor(result)
    ordered = table.sort_values(["lift", "scheme"], ascending=[True, False])
    ax = new_axes(ax, height=70 + _ROW * len(table))
    with theme():
        _control_line(ax, result, len(table))
        for y, (_, row) in enumerate(ordered.iterrows()):
            colour = ACCENT if y == len(table) - 1 else INK
            low, high, value = (factor * float(row[c]) for c in ("lift_low", "lift_high", "lift"))
            raw = [factor * float(row[c]) for c in ("raw_lift_low", "raw_lift_high")]
            ax.plot([low, high], [y, y], color=colour, linewidth=5, alpha=0.35)
            ax.plot(value, y, marker="o", color=colour)
            ax.plot(raw, [y - 0.24, y - 0.24], color=MUTED, linewidth=1)
            text = f"{number(value, _digits(result), signed=True)} ({number(low, _digits(result))} to "
            ax.annotate(
                f"{_plain(str(row['scheme']))}  {text}{number(high, _digits(result))})",
                (min(low, 0.0), y + 0.27),
                color=colour,
                va="bottom",
                annotation_clip=False,
            )
        _rows_axis(ax, result, len(table))
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
    strata, factor = result.strata, _factor(result)
    schemes = list(dict.fromkeys(strata["scheme"]))
    rows = len(strata) + len(schemes)
    ax = new_axes(ax, height=60 + 17 * rows)
    with theme():
        _control_line(ax, result, rows)
        y = float(rows - 1)
        for scheme in schemes:
            ax.annotate(_plain(scheme), (0, y), xycoords=("axes fraction", "data"), color=INK, va="center")
            y -= 1
            for _, row in strata[strata["scheme"] == scheme].iterrows():
                alone, pooled = factor * float(row["raw_lift"]), factor * float(row["lift"])
                ax.plot(
                    [factor * float(row["lift_low"]), factor * float(row["lift_high"])], [y, y], color=GRID
                )
                ax.plot([alone, pooled], [y, y], color=MUTED, linewidth=1)
                ax.plot(alone, y, marker="o", markerfacecolor="none", color=MUTED)
                ax.plot(pooled, y, marker="o", color=ACCENT)
                ax.annotate(
                    str(row["stratum"]),
                    (0.02, y),
                    xycoords=("axes fraction", "data"),
                    color=MUTED,
                    va="center",
                )
                y -= 1
        _rows_axis(ax, result, rows)
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
    return scheme.replace("_", " ")


def _control_line(ax: Axes, result: TrialResult, rows: int) -> None:
    ax.axvline(0, color=CONTROL, linewidth=1)
    ax.annotate(
        f"as {_plain(result.control)}",
        (0, rows - 0.35),
        color=CONTROL,
        ha="center",
        va="bottom",
        annotation_clip=False,
    )


def _rows_axis(ax: Axes, result: TrialResult, rows: int) -> None:
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, rows - 0.3)
    ax.set_xlabel("members in 100" if result.kind == "binary" else f"{result.currency} per member")
