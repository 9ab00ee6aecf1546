"""Pictures of outcomes beyond shares and values: curves with their difference, differences, histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sojourn.core.results.trial_outcomes import CountedActivity, Lasting, RatioResult
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import number
from sojourn.viz.axes import set_shares, set_time
from sojourn.viz.retention_states import spread
from sojourn.viz.theme import (
    ACCENT,
    CONTROL,
    DASHES,
    INK,
    MUTED,
    OTHERS,
    label_end,
    name_panel,
    new_axes,
    new_panels,
    theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAND_ALPHA = 0.16
#: Least distance of two names at the ends of lines, as a share of the axis.
_LABEL_GAP = 0.07
#: A histogram ends where fewer than this share of members have more.
_TAIL = 0.002


def plot_lasting(result: Lasting, *, ax: Axes | None = None) -> Axes:
    """Draw the share still with us by day under every scheme, and the difference from control underneath.

    Parameters
    ----------
    result : Lasting
        Only its ``drawn()`` and ``truth`` are drawn. Bands are those of control and of the best scheme.
    ax : Axes, optional
        Axes of the caller, for the curves alone.

    Returns
    -------
    Axes
        Those of the curves.
    """
    drawn, below = result.drawn(), None
    if ax is None:
        ax, below = new_panels([3, 2], height=360)
    with theme():
        _draw_lines(ax, result, drawn, "kept_share", list(result.schemes))
        for scheme, kept in result.truth.items():
            colour = _looks(result)[scheme][0]
            ax.plot(result.horizon, kept, "o", markerfacecolor="none", markeredgecolor=colour, clip_on=False)
        set_shares(ax)
        set_time(ax, "day", result.horizon, "assignment")
        if below is not None:
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)
            _draw_differences(below, result, drawn)
    return ax


def _looks(result: Lasting) -> dict[str, tuple[str, Any]]:
    """Return colour and dashes of every scheme: control grey, the best one in the accent."""
    others = [scheme for scheme in result.schemes[1:] if scheme != result.best]
    muted = {scheme: (OTHERS[i % 5], DASHES[(i + 1) % 5]) for i, scheme in enumerate(others)}
    return {result.control: (CONTROL, DASHES[0]), result.best: (ACCENT, DASHES[0]), **muted}


def _draw_lines(ax: Axes, result: Lasting, drawn: pd.DataFrame, column: str, schemes: list[str]) -> None:
    looks = _looks(result)
    ends = {}
    for scheme in schemes:
        rows, (colour, dash) = drawn[drawn["scheme"] == scheme], looks[scheme]
        ax.plot(rows["day"], rows[column], color=colour, linestyle=dash)
        ends[scheme] = float(rows[column].iloc[-1])
        if scheme in (result.control, result.best):
            bounds = (rows["day"], rows[f"{column}_low"], rows[f"{column}_high"])
            ax.fill_between(*bounds, color=colour, alpha=_BAND_ALPHA, linewidth=0)
    low, high = (0.0, 1.0) if column == "kept_share" else ax.get_ylim()
    for scheme, height in zip(ends, spread(list(ends.values()), _LABEL_GAP * (high - low)), strict=True):
        label_end(ax, result.horizon, height, plain_scheme(scheme), color=looks[scheme][0], xytext=(8, 0))


def _draw_differences(ax: Axes, result: Lasting, drawn: pd.DataFrame) -> None:
    """Draw differences in members in 100, with the control as the line at 0."""
    scaled = drawn.assign(**{f"lift{end}": 100 * drawn[f"lift{end}"] for end in ("", "_low", "_high")})
    ax.axhline(0, color=CONTROL, linewidth=1)
    _draw_lines(ax, result, scaled, "lift", list(result.schemes[1:]))
    name_panel(ax, f"members in 100 more than under {plain_scheme(result.control)}")
    ax.locator_params(axis="y", nbins=5, steps=[1, 2, 5, 10])
    ax.yaxis.grid(visible=True)
    ax.spines["left"].set_visible(False)
    set_time(ax, "day", result.horizon, "assignment")


def plot_differences(result: CountedActivity | RatioResult, *, ax: Axes | None = None) -> Axes:
    """Draw each scheme's difference from control with its interval, the largest on top.

    Parameters
    ----------
    result : CountedActivity or RatioResult
        Only its ``table`` is drawn.
    ax : Axes, optional
        Axes of the caller.
    """
    rows = result.table.iloc[1:].sort_values(["more", "scheme"], ascending=[True, False])
    ax = new_axes(ax, height=62 + 30 * len(rows))
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        above: dict[str, Any] = {"ha": "center", "va": "bottom", "annotation_clip": False}
        ax.annotate(f"as under {plain_scheme(result.control)}", (0, len(rows) - 0.4), color=CONTROL, **above)
        for y, (_, row) in enumerate(rows.iterrows()):
            colour = ACCENT if y == len(rows) - 1 else INK
            low, value, high = (float(row[c]) for c in ("more_low", "more", "more_high"))
            ax.plot([low, high], [y, y], color=colour, linewidth=5, alpha=0.35)
            ax.plot(value, y, marker="o", color=colour)
            words = f"{number(value, 2, signed=True)} ({number(low, 2)} to {number(high, 2)})"
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
            ax.annotate(words, (1.02, y), color=colour, va="center", **where)
        ax.set_yticks(range(len(rows)), [plain_scheme(str(scheme)) for scheme in rows["scheme"]])
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
    return ax


def plot_histogram(result: CountedActivity, *, ax: Axes | None = None) -> Axes:
    """Draw how many members of control and of the best scheme have each count, and what the law expects.

    Parameters
    ----------
    result : CountedActivity
        Only its ``counted()`` is drawn, as shares of a scheme's members, up to where few have more.
    ax : Axes, optional
        Axes of the caller.
    """
    drawn = result.counted()
    ax = new_axes(ax, height=230)
    all_of = drawn.groupby("count")["n"].sum()
    beyond = 1 - all_of.cumsum() / all_of.sum()
    longest = int((beyond > _TAIL).sum())
    with theme():
        for scheme, colour in ((result.control, CONTROL), (result.best, ACCENT)):
            own = drawn[drawn["scheme"] == scheme]
            share = 100 / own["n"].sum()
            own = own[own["count"] <= longest]
            ax.plot(own["count"], share * own["n"], color=colour, drawstyle="steps-mid")
            ax.plot(own["count"], share * own["expected"], color=colour, linestyle=DASHES[2], linewidth=1)
        ax.set_ylim(bottom=0)
        ax.set_xlim(-0.5, longest + 0.5)
        ax.set_xlabel(f"days with an event within {result.horizon} days of assignment", loc="left")
        ax.set_ylabel("% of members")
        _name_lines(ax, result)
    return ax


def _name_lines(ax: Axes, result: CountedActivity) -> None:
    """Name what is drawn in the empty corner at the top right."""
    at: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right", "va": "top"}
    names = [(plain_scheme(result.best), ACCENT), (plain_scheme(result.control), CONTROL)]
    for row, (text, colour) in enumerate([*names, ("dashes: negative binomial", MUTED)]):
        ax.annotate(text, (1, 0.98 - 0.1 * row), color=colour, **at)
