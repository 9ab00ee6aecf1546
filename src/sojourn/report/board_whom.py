"""How cells of the board are called in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from sojourn.core.results.board import CHURNED, TOO_NEW, Board
from sojourn.core.text import count, listing, plural

#: A sentence names at most so many groups.
_MOST = 2
#: Bands of a gradient are parts of all members.
_BAND = re.compile(r"\b(half|third|quarter|fifth|sixth|seventh|eighth)$")


def people(segment: str, stage: str) -> str:
    """Return how the members of one cell are called.

    Examples
    --------
    >>> people("frequent buyers", "silent"), people("too new for a segment", "silent")
    ('silent frequent buyers', 'silent members in no segment yet')
    >>> people("least active quarter", "silent")
    'silent members of the least active quarter'
    """
    return f"{stage} {of_segment(segment)}"


def named(segment: str) -> str:
    """Return the name of a segment in a sentence.

    Examples
    --------
    >>> named("frequent buyers"), named("least active half")
    ('frequent buyers', 'the least active half')
    """
    return f"the {segment}" if _BAND.search(segment) else segment


def of_segment(segment: str) -> str:
    """Return how the members of a segment are called.

    Examples
    --------
    >>> of_segment("frequent buyers"), of_segment("too new for a segment"), of_segment("least active half")
    ('frequent buyers', 'members in no segment yet', 'members of the least active half')
    """
    if _BAND.search(segment):
        return f"members of {named(segment)}"
    return "members in no segment yet" if segment == TOO_NEW else segment


def about_bands(segments: Sequence[str]) -> str:
    """Return of bands what their names say of how many they hold; empty where segments are no bands.

    Examples
    --------
    >>> about_bands(["less active half", "more active half"]), about_bands(["frequent buyers"])
    ('Each half was a half of all members when the rule was made; it may hold more or fewer now.', '')
    """
    bands = [found.group() for segment in segments if (found := _BAND.search(segment))]
    if not bands:
        return ""
    each = f"Each {bands[0]} was a {bands[0]} of all members when the rule was made"
    return f"{each}; it may hold more or fewer now."


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
    if len(cells) == 1 and _only(board, cells.iloc[0]):
        return f"{cells['stage'].iloc[0]} members"
    if len(names) == len(board.segments) and _same_stages(cells):
        stages = list(dict.fromkeys(cells["stage"]))
        return f"{listing([str(stage) for stage in stages])} members of every segment"
    said = [_of_segment(cells[cells["segment"] == name], name, board) for name in names[:_MOST]]
    if len(names) > _MOST:
        said.append(f"{count(largest.iloc[_MOST:].sum())} other members")
    return listing(said)


def _only(board: Board, cell: pd.Series) -> bool:
    """Whether members at that stage are in no other segment."""
    return int((board.table["stage"] == cell["stage"]).sum()) == 1


def how_many(given: pd.DataFrame) -> str:
    """Return how many members a scheme is given to, and of how many where others are past when it was tried.

    Parameters
    ----------
    given : DataFrame
        Rows of the board's table.

    Examples
    --------
    >>> how_many(pd.DataFrame({"members": [907, 100], "due": [233.0, 100.0]}))
    '333 of 1,007 members can still be given it as it was tried'
    >>> how_many(pd.DataFrame({"members": [907], "due": [907.0]}))
    '907 members'
    """
    due, members = given["due"].sum(), given["members"].sum()
    if due >= members:
        return plural(members, "member")
    return f"{count(due)} of {plural(members, 'member')} can still be given it as it was tried"


def after_joining(row: pd.Series, longest: float = float("inf")) -> str:
    """Return when after joining a scheme was tried; empty where it is not known or at no one time.

    Parameters
    ----------
    row : Series
        Of the board's table. Of schemes to win back the day of joining says nothing.
    longest : float
        Most days between both ages that are told: of a scheme that was tried at all ages they say nothing.
    """
    low, high = row["age_low"], row["age_high"]
    if row["aim"] == "back" or pd.isna(low) or high - low > longest:
        return ""
    if low == high:
        return f"{plural(int(low), 'day')} after joining"
    return f"{count(low)} to {count(high)} days after joining"


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
