"""Pictures of the board: what to do with whom, who leaves, what works on whom, how segments move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.results.board import TOO_NEW, Board, Drift, WorksOn
from sojourn.core.text import count, number, percent
from sojourn.viz.axes import fitting
from sojourn.viz.ends import name_ends, room_for, wrapped
from sojourn.viz.theme import ACCENT, BAND, CONTROL, GRID, INK, MUTED, WIDTH, line_looks, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Height of a row of a grid, letters in a line beside it, and schemes that have letters.
_ROW, _BESIDE, _LETTERS = 56.0, 19, "ABCDEFGH"
#: Width of a letter, size of text and of the smallest, in points.
_LETTER, _USUAL, _SMALL = 6.0, 10.0, 8.5
#: Letters in a line of a name at the end of a line, and height of a line above a column, in points.
_END, _LINE = 24, 13
#: So many effects have a row with their name.
_MOST_ROWS = 16


def plot_board(board: Board, *, ax: Axes | None = None) -> Axes:
    """Draw segments by stages: a filled box with a letter gives a scheme, an empty one does nothing.

    Parameters
    ----------
    board : Board
        Only its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is no board.
    """
    if board.why_empty:
        raise UndefinedError(f"There is nothing to draw. {board.why_empty}")
    rows = board.drawn()
    letters = _letters(rows)
    ax = _grid(board.segments, board.stages, ax, below=14 * len(letters))
    with theme():
        for _, row in rows.iterrows():
            x, y = board.stages.index(str(row["stage"])), board.segments.index(str(row["segment"]))
            _box(ax, x, y, str(row["act"]))
            star = "*" if row["evidence"] == "observational" else ""
            words: dict[str, Any] = {"ha": "center", "va": "center"}
            symbol = {"do nothing": "–", "try one": "?"}.get(
                str(row["act"]), letters.get(str(row["called"]), "")
            )
            ax.text(x, y - 0.2, f"{symbol}{star}", color=INK, fontsize=12, weight="bold", **words)
            below = count(row["members"])
            if row["act"] == "give":
                below = _short(float(row["total_net_value"]))
            ax.text(x, y + 0.22, below, color=INK if row["act"] == "give" else MUTED, **words)
        for i, (scheme, letter) in enumerate(letters.items()):
            at = (0.0, -8 - 14 * i)
            where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
            ax.annotate(f"{letter}: {scheme}", (0, 0), at, color=INK, **where)
    return ax


def _letters(rows: pd.DataFrame) -> Mapping[str, str]:
    """Return a letter for every scheme that is given, the one with most members first."""
    given = rows[rows["act"] == "give"].groupby("called")["members"].sum().sort_values(ascending=False)
    return dict(zip((str(name) for name in given.index), _LETTERS, strict=False))


def _box(ax: Axes, x: float, y: float, act: str) -> None:
    from matplotlib.patches import Rectangle

    looks: dict[str, dict[str, Any]] = {
        "give": {"facecolor": BAND, "edgecolor": ACCENT, "linewidth": 1.6},
        "do nothing": {"facecolor": "none", "edgecolor": CONTROL, "linewidth": 0.8},
        "try one": {"facecolor": "none", "edgecolor": MUTED, "linewidth": 0.8, "linestyle": (0, (3, 3))},
    }
    ax.add_patch(Rectangle((x - 0.45, y - 0.44), 0.9, 0.88, **looks[act]))


def _short(amount: float) -> str:
    """Return an amount with its sign, thousands as k.

    Examples
    --------
    >>> _short(12_345), _short(-87.6)
    ('+12k', '−88')
    """
    if abs(amount) < 1000:
        return number(amount, 0, signed=True)
    return f"{number(amount / 1000, 0 if abs(amount) >= 10_000 else 1, signed=True)}k"


def _grid(rows: Sequence[str], columns: Sequence[str], ax: Axes | None, *, below: float = 0) -> Axes:
    """Return axes with names of rows to the left and of columns above, and no lines."""
    heads = [wrapped(name, _across(columns)) for name in columns]
    lines = 1 + max(head.count("\n") for head in heads)
    ax = new_axes(ax, height=20 + _LINE * lines + below + _ROW * len(rows))
    with theme():
        ax.set_xlim(-0.5, len(columns) - 0.5)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_yticks(range(len(rows)), [wrapped(name, _BESIDE) for name in rows])
        ax.set_xticks(range(len(columns)), heads)
        ax.tick_params(axis="both", length=0, labelcolor=INK)
        ax.xaxis.tick_top()
        for spine in ax.spines.values():
            spine.set_visible(False)
    return ax


def _across(columns: Sequence[str]) -> int:
    """Return how many letters of a name fit above one of so many columns."""
    return int((WIDTH / _LETTER - _BESIDE) / len(columns))


def _fitted(said: Sequence[str], columns: Sequence[str]) -> tuple[list[str], float]:
    r"""Return words of boxes and their size: on one line where those of all fit into one of so many columns.

    Examples
    --------
    >>> _fitted(["0.0 to\n0.1"], ["a"] * 5)
    (['0.0 to 0.1'], 10.0)
    >>> _fitted(["0.0 to\n0.1", "98.3 to\n99.2"], ["a"] * 5)
    (['0.0 to\n0.1', '98.3 to\n99.2'], 8.5)
    """
    if max(map(len, said), default=0) > _across(columns):
        return list(said), _SMALL
    return [words.replace("\n", " ") for words in said], _USUAL


def plot_leaving(board: Board, *, ax: Axes | None = None) -> Axes:
    """Draw who will leave (or come) in every cell, by the longest horizon in large, the shortest in small.

    Parameters
    ----------
    board : Board
        Its ``table`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When there is no board, or nobody was followed.
    """
    if board.why_empty or not board.leave_days:
        raise UndefinedError(f"There is nothing to draw. {board.why_empty or 'Nobody was followed.'}")
    short, long = (f"{board.told}_{days}_share" for days in (min(board.leave_days), max(board.leave_days)))
    ax = _grid(board.segments, board.stages, ax)
    early = [
        f"{_hundred(share)} in\n{min(board.leave_days)} days" if pd.notna(share) else "not\nknown"
        for share in board.table[short]
    ]
    early, size = _fitted(early, board.stages)
    with theme():
        for small, (_, row) in zip(early, board.table.iterrows(), strict=True):
            x, y = board.stages.index(str(row["stage"])), board.segments.index(str(row["segment"]))
            known = pd.notna(row[long])
            _tone(ax, x, y, float(row[long]) if known else 0.0)
            words: dict[str, Any] = {"ha": "center", "va": "center"}
            ax.text(x, y - 0.2, _hundred(row[long]) if known else "–", color=INK, fontsize=12, **words)
            ax.text(x, y + 0.18, small, color=INK, fontsize=size, **words)
    return ax


def _hundred(share: float) -> str:
    """Return members in 100, finer near none and near all, and never as none or all.

    Examples
    --------
    >>> [_hundred(share) for share in (0.0002, 0.043, 0.504, 0.9946, 0.9998)]
    ['<0.1', '4.3', '50', '99.5', '>99.9']
    """
    if not 0.0005 < share < 0.9995:
        return "<0.1" if share < 0.5 else ">99.9"
    return number(100 * share, 0 if 0.0995 <= share <= 0.99 else 1)


def _tone(ax: Axes, x: float, y: float, share: float) -> None:
    """Draw a box, the fuller the larger a share: by height, so that it reads in grey."""
    from matplotlib.patches import Rectangle

    height = 0.88 * min(max(share, 0.0), 1.0)
    ax.add_patch(Rectangle((x - 0.45, y + 0.44 - height), 0.9, height, facecolor=BAND, edgecolor="none"))
    ax.add_patch(Rectangle((x - 0.45, y - 0.44), 0.9, 0.88, facecolor="none", edgecolor=GRID, linewidth=0.8))


def plot_works_on(works: WorksOn, *, ax: Axes | None = None) -> Axes:
    """Draw the net value of every scheme on every segment with its interval, and as counted (hollow).

    Parameters
    ----------
    works : WorksOn
        Only its ``drawn()`` is drawn; of more than 16 effects the eight largest and the eight smallest.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When nothing was tried.
    """
    if works.why_empty:
        raise UndefinedError(f"There is nothing to draw. {works.why_empty}")
    rows = works.drawn().sort_values(["net_value", "scheme", "segment"]).reset_index(drop=True)
    if len(rows) > _MOST_ROWS:
        rows = pd.concat([rows.head(_MOST_ROWS // 2), rows.tail(_MOST_ROWS // 2)], ignore_index=True)
    ax = new_axes(ax, height=52 + 44 * len(rows))
    with theme():
        ax.axvline(0, color=CONTROL, linewidth=1)
        for y, (_, row) in enumerate(rows.iterrows()):
            sure = row["net_value_low"] > 0 or row["net_value_high"] < 0
            colour = ACCENT if row["net_value_low"] > 0 else INK if sure else MUTED
            ax.plot([row["net_value_low"], row["net_value_high"]], [y, y], color=colour, linewidth=1.6)
            ax.plot(row["raw_net_value"], y, "o", markerfacecolor="none", color=colour, markersize=6)
            ax.plot(row["net_value"], y, "o", color=colour, markersize=4)
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
            said = number(float(row["net_value"]), 2, signed=True)
            ax.annotate(said, (1.02, y), color=colour, annotation_clip=False, **where)
        names = zip(rows["called"], rows["segment"], strict=True)
        ax.set_yticks(range(len(rows)), [f"{fitting(s, 30)}\n{wrapped(who, 28)}" for s, who in names])
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(f"{works.currency} per member".strip(), loc="left")
    return ax


def plot_drift(moved: Drift, *, ax: Axes | None = None) -> Axes:
    """Draw the share of every segment at every month end.

    Parameters
    ----------
    moved : Drift
        Only its ``drawn()`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When too few month ends are known.
    """
    if moved.why_empty:
        raise UndefinedError(f"There is nothing to draw. {moved.why_empty}")
    rows = moved.drawn()
    months = list(dict.fromkeys(rows["month"]))
    share = {name: rows.loc[rows["segment"] == name, "share"].to_numpy() for name in moved.segments}
    looks, last = line_looks(moved.segments), {name: float(of[-1]) for name, of in share.items()}
    named = [wrapped(f"{percent(last[name], 0)} {name}", _END) for name in moved.segments]
    height, gap = room_for(named, 250)
    ax, top = new_axes(ax, height=height), 1.05 * float(rows["share"].max())
    with theme():
        for name, (colour, dash) in looks.items():
            ax.plot(range(len(months)), share[name], color=colour, linestyle=dash)
        ends = [(len(months) - 1.0, end) for end in last.values()]
        colours = [colour for colour, _ in looks.values()]
        name_ends(ax, named, ends, colours, gap=gap * top, within=(gap * top / 2, (1 - gap / 2) * top))
        ax.axvspan(len(months) - 1.5, len(months) - 1, color=GRID, alpha=0.5, linewidth=0)
        ticks = sorted({0, (len(months) - 1) // 2, len(months) - 1})
        ax.set_xticks(ticks, [months[i][:7] for i in ticks])
        ax.set_ylim(0, top)
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
    return ax


def plot_migration(moved: Drift, *, ax: Axes | None = None) -> Axes:
    """Draw who is where a month later: of 100 members of each row, how many in each column.

    Parameters
    ----------
    moved : Drift
        Its ``matrix()`` is drawn.
    ax : Axes, optional
        Axes of the caller.

    Raises
    ------
    UndefinedError
        When too few month ends are known.
    """
    if moved.why_empty:
        raise UndefinedError(f"There is nothing to draw. {moved.why_empty}")
    rows = moved.matrix()
    starts, ends = (list(dict.fromkeys(rows[name])) for name in ("from_segment", "to_segment"))
    ax = _grid(*_heads(starts, ends), ax)
    shares = zip(rows["share_low"], rows["share_high"], strict=True)
    said, size = _fitted(
        [f"{number(100 * low, 1)} to\n{number(100 * high, 1)}" for low, high in shares], ends
    )
    with theme():
        for small, (_, row) in zip(said, rows.iterrows(), strict=True):
            x, y = ends.index(row["to_segment"]), starts.index(row["from_segment"])
            _tone(ax, x, y, float(row["share"]))
            words: dict[str, Any] = {"ha": "center", "va": "center"}
            ax.text(x, y - 0.22, number(100 * float(row["share"]), 1), color=INK, fontsize=11, **words)
            ax.text(x, y + 0.18, small, color=INK, fontsize=size, **words)
    return ax


def _heads(starts: Sequence[str], ends: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names of rows and of columns; rows are numbered where a name does not fit above its column."""
    short = {TOO_NEW: "too new"}
    if all(len(word) <= _across(ends) for end in ends for word in end.split()):
        return list(starts), [short.get(end, end) for end in ends]
    numbers = {name: str(i) for i, name in enumerate(starts, start=1) if name != TOO_NEW}
    rows = [f"{numbers[name]}  {name}" if name in numbers else name for name in starts]
    return rows, [numbers.get(end, short.get(end, end)) for end in ends]
