"""Pictures over all trials: effects as counted and shrunk, what they add up to, early against late ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.results.portfolio import Portfolio, ProxyExam
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import number
from sojourn.viz.theme import ACCENT, CONTROL, GRID, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A picture shows at most so many schemes, evenly by rank; and so many points of early against late.
_MOST, _MOST_POINTS = 80, 150
#: So many schemes have a row with their name; so many steps are named.
_MOST_NAMED, _MOST_STEPS = 16, 4


def plot_portfolio(portfolio: Portfolio, *, ax: Axes | None = None) -> Axes:
    """Draw every scheme's shrunk lift with its interval, in order of size, and as counted (hollow).

    Up to 16 schemes have their names.

    Parameters
    ----------
    portfolio : Portfolio
        Only its ``drawn()`` is drawn; of more than 80 schemes those evenly by rank, and all that ship.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is none.
    """
    if portfolio.why_empty:
        raise UndefinedError(f"There is nothing to draw. {portfolio.why_empty}")
    rows = portfolio.drawn().sort_values(["lift", "trial", "scheme"]).reset_index(drop=True)
    return _named(portfolio, rows, ax) if len(rows) <= _MOST_NAMED else _ranked(portfolio, rows, ax)


def _named(portfolio: Portfolio, rows: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw a row for every scheme, the best on top, with its name and numbers."""
    digits, factor = (1 if portfolio.kind == "binary" else 2), portfolio.factor
    ax = new_axes(ax, height=62 + 26 * len(rows))
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for y, (_, row) in enumerate(rows.iterrows()):
            names = ("lift", "lift_low", "lift_high", "raw_lift")
            lift, low, high, raw = (factor * float(row[name]) for name in names)
            colour = ACCENT if row["verdict"] == "ship" else MUTED
            ax.plot([low, high], [y, y], color=colour, linewidth=1.6)
            ax.plot(raw, y, "o", markerfacecolor="none", color=colour, markersize=6)
            ax.plot(lift, y, "o", color=colour, markersize=4)
            words = f"{number(lift, digits, signed=True)} ({number(low, digits)} to {number(high, digits)})"
            ax.annotate(words, (1.02, y), color=colour if row["verdict"] == "ship" else INK, **where)
        ax.set_yticks(range(len(rows)), _names(rows))
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(portfolio.unit, loc="left")
    return ax


def _names(rows: pd.DataFrame) -> list[str]:
    """Return what schemes are called: the trial where it has no other, else the scheme with its trial."""
    several = rows["trial"].duplicated(keep=False)
    pairs = zip(rows["trial"], rows["scheme"], several, strict=True)
    return [f"{plain_scheme(str(s))}, {plain_scheme(t)}" if more else plain_scheme(t) for t, s, more in pairs]


def _ranked(portfolio: Portfolio, rows: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw many schemes from the worst to the best."""
    ships = (rows["verdict"] == "ship").to_numpy()
    every = np.unique(np.linspace(0, len(rows) - 1, _MOST).round().astype(int))
    shown = np.union1d(every, np.flatnonzero(ships)[-_MOST:])
    rows, ships, factor = rows.iloc[shown], ships[shown], portfolio.factor
    lift, raw, low, high = (
        factor * rows[name].to_numpy() for name in ("lift", "raw_lift", "lift_low", "lift_high")
    )
    x = np.arange(len(rows))
    ax = new_axes(ax, height=260)
    hollow: dict[str, Any] = {"markerfacecolor": "none", "markersize": 3.5, "markeredgewidth": 0.7}
    with theme():
        ax.axhline(0, color=CONTROL, linewidth=1)
        for own, colour, line in ((~ships, MUTED, GRID), (ships, ACCENT, ACCENT)):
            ax.vlines(x[own], low[own], high[own], color=line, linewidth=1.6)
            ax.plot(x[own], raw[own], "o", color=colour, **hollow)
            ax.plot(x[own], lift[own], "o", color=colour, markersize=3.5)
        if ships.any():
            label_end(ax, float(x[-1]), float(lift[-1]), "worth it", ACCENT, xytext=(8, -2))
            label_end(ax, float(x[-1]), float(raw[-1]), "as counted", MUTED, xytext=(8, 2))
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.set_ylabel(portfolio.unit)
        ax.set_xlabel("schemes, from the worst to the best", loc="left")
    return ax


def plot_running(portfolio: Portfolio, *, ax: Axes | None = None) -> Axes:
    """Draw what the schemes that ship add up to, trial by trial, with its band, and as counted above it.

    Parameters
    ----------
    portfolio : Portfolio
        Only its ``running`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is none.
    """
    if portfolio.why_empty:
        raise UndefinedError(f"There is nothing to draw. {portfolio.why_empty}")
    rows = portfolio.running
    x = np.arange(1, len(rows) + 1)
    ax = new_axes(ax, height=240)
    with theme():
        ax.axhline(0, color=CONTROL, linewidth=1)
        ax.fill_between(x, rows["amount_low"], rows["amount_high"], step="post", color=ACCENT, alpha=0.14)
        ax.step(x, rows["amount"], where="post", color=ACCENT)
        ax.step(x, rows["raw_amount"], where="post", color=MUTED, linestyle=(0, (4, 2)), linewidth=1.2)
        expected, counted = (float(rows[name].iloc[-1]) for name in ("amount", "raw_amount"))
        apart = 6 if counted >= expected else -6  # names of lines that end close to each other
        label_end(ax, float(x[-1]), expected, "expected", ACCENT, xytext=(5, -apart))
        label_end(ax, float(x[-1]), counted, "as counted", MUTED, xytext=(5, apart))
        _name_steps(ax, rows)
        ax.set_xlim(1, max(len(rows), 2))
        ax.set_xticks(sorted({1, len(rows)}))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "−"))
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.set_ylabel(portfolio.currency or "members")
        ax.set_xlabel("trials, in order of time", loc="left")
    return ax


def _name_steps(ax: Axes, rows: pd.DataFrame) -> None:
    """Write at each step which trial makes it, where there are few."""
    steps = np.flatnonzero(np.diff(rows["shipped"], prepend=0))
    if len(steps) > _MOST_STEPS:
        return
    for at in steps:
        text: dict[str, Any] = {"xytext": (-4, 4), "textcoords": "offset points", "ha": "right"}
        ax.annotate(
            plain_scheme(str(rows["trial"].iloc[at])), (at + 1, rows["amount"].iloc[at]), color=INK, **text
        )


def plot_proxy(exam: ProxyExam, *, ax: Axes | None = None) -> Axes:
    """Draw late against early effects of every trial with their intervals, and the late effect to expect.

    Parameters
    ----------
    exam : ProxyExam
        Only its ``table`` and ``line`` are drawn; of more than 150 schemes every second, third … one.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When no trial has both effects.
    """
    if exam.why_empty:
        raise UndefinedError(f"There is nothing to draw. {exam.why_empty}")
    rows = exam.drawn()
    rows = rows.iloc[:: -(-len(rows) // _MOST_POINTS)]
    late = 100.0 if exam.kind == "binary" else 1.0
    ax = new_axes(ax, height=270)
    with theme():
        ax.axhline(0, color=CONTROL, linewidth=0.8)
        ax.axvline(0, color=CONTROL, linewidth=0.8)
        ax.hlines(late * rows["late"], rows["early_low"], rows["early_high"], color=GRID, linewidth=0.8)
        ax.vlines(rows["early"], late * rows["late_low"], late * rows["late_high"], color=GRID, linewidth=0.8)
        ax.plot(rows["early"], late * rows["late"], "o", color=MUTED, markersize=3.5)
        if len(exam.line):
            x, line = exam.line["early"], exam.line
            ax.fill_between(x, late * line["late_low"], late * line["late_high"], color=ACCENT, alpha=0.14)
            ax.plot(x, late * line["late"], color=ACCENT)
            label_end(ax, float(x.iloc[-1]), late * float(line["late"].iloc[-1]), "to expect", ACCENT)
        ax.set_xlabel(f"effect on {exam.early_words}", loc="left", color=INK)
        unit = "members in 100" if exam.kind == "binary" else exam.currency
        ax.set_ylabel(f"late effect, {unit}" if unit else "late effect")
    return ax
