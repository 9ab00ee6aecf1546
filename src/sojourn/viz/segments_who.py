"""Pictures of who the segments are: features far from everyone, channels, plans, ages and regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from sojourn.core.results.segments_described import EVERYONE, TRAIT_WORDS, Portraits, Profile
from sojourn.core.text import begun, number
from sojourn.viz.axes import drawn_of, fitting
from sojourn.viz.ends import wrapped
from sojourn.viz.theme import ACCENT, BAD, GRID, INK, MUTED, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Differences of this many standard deviations get the full tone; so do shares of so many in 100 more.
_FULL, _FULL_SHARE = 1.5, 0.15
#: Letters in a line of all names above a grid, and in the name of a row.
_ACROSS, _BESIDE = 48, 30
#: So many columns have their names above them; more are numbered.
_MOST_NAMED = 6
#: Height of a row, of a line of names, and of what stands around them, in points.
_ROW, _LINE, _AROUND = 17, 12.5, 12


def plot_profile(who: Profile, *, ax: Axes | None = None) -> Axes:
    """Draw each segment's difference from everyone as a tone with its number, in families of features.

    Parameters
    ----------
    who : Profile
        Its ``drawn()`` is drawn: features down, segments across.
    ax : Axes, optional
        Axes of the caller.
    """
    drawn = who.drawn()
    rows = _grouped(drawn, "family", "feature")
    ax = _grid(ax, rows, who.segments)
    with theme():
        for row in drawn.to_dict("records"):
            at = (who.segments.index(row["segment"]), rows.index((row["family"], row["feature"])))
            tone = row["difference"] / _FULL
            _cell(ax, at, number(row["difference"], signed=True), tone)
    return ax


def plot_portraits(drawn: Portraits, *, ax: Axes | None = None) -> Axes:
    """Draw members in 100 of each segment by channel, plan, age or region, toned where clearly different.

    Parameters
    ----------
    drawn : Portraits
        Its ``drawn()`` is drawn: levels down, segments across, everyone last.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is nothing to draw.
    """
    table = drawn_of(drawn)
    rows, segments = _grouped(table, "trait", "level"), list(table["segment"].unique())
    ax = _grid(ax, rows, segments)
    everyone = table[table["segment"] == EVERYONE].set_index(["trait", "level"])["share"]
    with theme():
        for row in table.to_dict("records"):
            key = (row["trait"], row["level"])
            more = (row["share"] - everyone[key]) / _FULL_SHARE if row["apart"] else 0.0
            colour = MUTED if row["segment"] == EVERYONE else INK
            at = (segments.index(row["segment"]), rows.index(key))
            _cell(ax, at, number(100 * row["share"], 0), more, colour)
    return ax


def _grouped(table: pd.DataFrame, group: str, name: str) -> list[tuple[str, str]]:
    """Return rows with a head before each group: (group, name), the head without a name."""
    rows: list[tuple[str, str]] = []
    for one in table[group].unique():
        rows += [(str(one), ""), *((str(one), str(n)) for n in table.loc[table[group] == one, name].unique())]
    return rows


def _grid(ax: Axes | None, rows: Sequence[tuple[str, str]], segments: Sequence[str]) -> Axes:
    """Return axes with segments named across, rows named down and a head above each group of rows."""
    across, key = _named(segments)
    lines = max(name.count("\n") + 1 for name in across) + len(key)
    ax = new_axes(ax, height=_ROW * len(rows) + _LINE * lines + _AROUND)
    with theme():
        ax.set_xlim(-0.5, len(segments) - 0.5)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_yticks(range(len(rows)), [fitting(name, _BESIDE) for _, name in rows], color=INK)
        ax.set_xticks(range(len(segments)), across, color=INK)
        for down, (group, name) in enumerate(rows):
            if not name:
                _head(ax, down, begun(TRAIT_WORDS.get(group, group)))
        ax.set_xlabel("\n".join(key), ha="left", x=0, color=INK)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        for side in ("left", "bottom", "top"):
            ax.spines[side].set_visible(False)
    return ax


def _named(segments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what stands above the columns, and lines of a key where names would not fit there."""
    if len(segments) <= _MOST_NAMED:
        return [wrapped(name, _ACROSS // len(segments), 6) for name in segments], []
    numbered = {name: str(i) for i, name in enumerate(segments, start=1) if name != EVERYONE}
    return [numbered.get(name, "all") for name in segments], [f"{i}  {name}" for name, i in numbered.items()]


def _head(ax: Axes, down: int, name: str) -> None:
    """Name a group of rows where its rows are named, above a faint line."""
    beside = ax.get_yaxis_transform()
    ax.text(-0.015, down, name, ha="right", va="center", color=MUTED, transform=beside)
    ax.axhline(down + 0.48, color=GRID, linewidth=0.6)


def _cell(ax: Axes, at: tuple[int, int], text: str, tone: float, colour: str = INK) -> None:
    """Fill one field, stronger the further from everyone, and print the number."""
    from matplotlib.patches import Rectangle

    across, down = at
    strength = min(abs(tone), 1.0)
    if strength:
        fill = ACCENT if tone > 0 else BAD
        box = Rectangle((across - 0.48, down - 0.46), 0.96, 0.92, color=fill, alpha=round(0.45 * strength, 2))
        ax.add_patch(box)
    ax.text(across, down, text, ha="center", va="center", color=colour)
