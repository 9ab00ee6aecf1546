"""How cells of the board are called in a sentence."""

from __future__ import annotations

import re

import pandas as pd

from sojourn.core.results.board import CHURNED, TOO_NEW, Board
from sojourn.core.text import count, listing

#: A sentence names at most so many groups.
_MOST = 2
#: Bands of a gradient are parts of all members.
_BAND = re.compile(r"\b(half|third|quarter|fifth|sixth|seventh|eighth)$")


def people(segment: str, stage: str) -> str:
    """Return how the members of one cell are called.

    Examples
    --------
    >>> people("frequent buyers", "silent"), people("too new for a segment", "new")
    ('silent frequent buyers', 'new members too new for a segment')
    >>> people("least active quarter", "silent")
    'silent members of the least active quarter'
    """
    return f"{stage} {of_segment(segment)}"


def of_segment(segment: str) -> str:
    """Return how the members of a segment are called.

    Examples
    --------
    >>> of_segment("frequent buyers"), of_segment("too new for a segment"), of_segment("least active half")
    ('frequent buyers', 'members too new for a segment', 'members of the least active half')
    """
    if _BAND.search(segment):
        return f"members of the {segment}"
    return f"members {segment}" if segment == TOO_NEW else segment


def whom(cells: pd.DataFrame, board: Board) -> str:
    """Return how several cells are called: segments at all their stages, else with their stages.

    Parameters
    ----------
    cells : DataFrame
        Rows of the board's table.
    board : Board
        All of them.
    """
    if len(cells) == len(board.table):
        return "all members"
    largest = (
        cells.groupby("segment", sort=False)["members"].sum().sort_values(ascending=False, kind="stable")
    )
    names = [str(name) for name in largest.index]
    if len(names) == len(board.segments) and _same_stages(cells):
        stages = list(dict.fromkeys(cells["stage"]))
        return f"{listing([str(stage) for stage in stages])} members of every segment"
    said = [_of_segment(cells[cells["segment"] == name], name, board) for name in names[:_MOST]]
    if len(names) > _MOST:
        said.append(f"{count(largest.iloc[_MOST:].sum())} other members")
    return listing(said)


def _same_stages(cells: pd.DataFrame) -> bool:
    return len({tuple(sorted(own["stage"])) for _, own in cells.groupby("segment")}) == 1


def _of_segment(cells: pd.DataFrame, segment: str, board: Board) -> str:
    """Return how the cells of one segment are called."""
    own = board.table[board.table["segment"] == segment]
    with_us = set(own["stage"]) - {CHURNED}
    name = of_segment(segment)
    if set(cells["stage"]) == set(own["stage"]):
        return f"all {name}"
    if set(cells["stage"]) == with_us and len(with_us) > 1:
        return f"all {name} who are with us"
    return f"{listing([str(stage) for stage in cells['stage']])} {name}"
