"""What to do next by the board: whom to give a scheme, and on whom to try one first, and why on them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.results.board import CHURNED, HELD_OUT, ONE_TIME, Board
from sojourn.core.results.figures import Action
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, chances, count, in_words, number
from sojourn.report.board_table import reason, untried_at_all
from sojourn.report.board_whom import after_joining, how_many, people, whom

#: Share of trials in which a difference of the stated size is found, at two-sided 5 %.
_FOUND, _SURE = 0.8, 0.95
#: What a trial then tells of a member, by what is foretold of members.
_DOES = {"leave": "stays", "come": "comes", "be back": "is back"}


@dataclass(frozen=True, slots=True)
class First:
    """The group on which a scheme should be tried first.

    Attributes
    ----------
    row : Series
        Of the board's table.
    why : str
        Why on this one, as what follows "of all groups".
    will : str
        What is foretold of its members: that they ``leave``, ``come`` or will ``be back``.
    share : Interval or None
        Of whom that is foretold within the longest horizon (0-1); None where it is not known.
    """

    row: pd.Series
    why: str
    will: str
    share: Interval | None

    @property
    def on(self) -> str:
        """How its members are called."""
        return people(str(self.row["segment"]), str(self.row["stage"]))


def first_to_try(board: Board, rows: pd.DataFrame) -> First:
    """Return on whom to try a scheme first: where most will leave, or it is least sure how many will come.

    Parameters
    ----------
    board : Board
        Of which `rows` are some; members who have left come only where there are no others.
    rows : DataFrame
        Groups to choose from; at least one.
    """
    here = rows[rows["stage"] != CHURNED]
    rows = rows if here.empty else here
    will = "be back" if here.empty and board.told == "leave" else board.told
    name = f"{board.told}_{max(board.leave_days, default=0)}_share"
    known = rows[rows[name].notna()] if name in rows else rows.iloc[:0]
    if known.empty:
        return First(rows.iloc[int(rows["members"].argmax())], "this one has most members", will, None)
    expected = known["members"] * known[name]
    if will == "leave":
        row, why = known.iloc[int(expected.argmax())], "this one will lose most members"
    else:
        row = known.iloc[int((expected * (1 - known[name])).argmax())]
        why = f"this is the one of which it is least sure how many will {will}"
    return First(row, why, will, Interval.of(row, name, board.mass, "prediction"))


def smallest_seen(members: float, share: float) -> float:
    """Return which difference of two shares a trial finds 8 times in 10, half of the members in each arm.

    Parameters
    ----------
    members : float
        In both arms together.
    share : float
        Of whom it is true in either arm (0-1).

    Examples
    --------
    >>> round(smallest_seen(379, 0.27), 3)
    0.128
    """
    error = (4 * share * (1 - share) / members) ** 0.5
    return float((standard_errors(_SURE) + standard_errors(2 * _FOUND - 1)) * error)


def next_steps_board(board: Board) -> list[Action]:
    """Return two or three things to do next, with effect, cost and evidence."""
    if board.why_empty:
        return [Action("Collect segments of more members.", board.why_empty, "None.", "none")]
    given = board.acting("give")
    steps = [_give(board, row) for _, row in given.nlargest(2, "total_net_value").iterrows()]
    unknown, still = board.acting("try one"), board.acting("do nothing")
    if len(unknown):
        first = first_to_try(board, unknown)
        called, of = str(first.row["called"]), "" if untried_at_all(board) else " of whom too little is known"
        steps.append(_try(board, first, f"the {called}" if called else "a scheme", of))
    elif len(still):
        steps.append(_try(board, first_to_try(board, still), "another scheme", ""))
    return steps


def _give(board: Board, row: pd.Series) -> Action:
    effect = Interval.of(row, "total_net_value", board.mass, "eti")
    when = after_joining(row, ONE_TIME)
    as_tried = f", {when}, as in the trial" if when else ""
    trial = f"the trial “{plain_scheme(str(row['trial']))}”"
    borrowed = row["evidence"] == "observational"
    on = f"carried over from {trial}" if borrowed else f"{trial}, {count(row['n_tried'])} members"
    return Action(
        f"Give {whom(row.to_frame().T, board)} the {row['called']}{as_tried} ({how_many(row.to_frame().T)}).",
        in_words(effect, f"{board.currency} within {board.value_days} days".strip(), 0),
        "Already taken off that sum.",
        f"{row['evidence']}: {on}",
    )


def _try(board: Board, first: First, scheme: str, of: str) -> Action:
    """Return a trial: half of a group by lot, what it can show and what it takes."""
    row, days = first.row, board.value_days or max(board.leave_days, default=90)
    within = f" ({chances(first.share.value)} within {max(board.leave_days)} days)" if first.share else ""
    half = f"half of {count(row['members'])} members by lot. Of all groups{of} {first.why}{within}."
    anyway = row["control"] == HELD_OUT
    begin = f"Hold {scheme} back from {first.on}," if anyway else f"Try {scheme} on {first.on}, on"
    what = f"{begin} {half}"
    least = 100 * smallest_seen(float(row["members"]), first.share.value if first.share else 0.5)
    effect = (
        f"Half against half shows differences from about {number(max(least, 1), 0)} members in 100 on in who "
        f"{_DOES[first.will]}, in 8 of 10 such trials; smaller ones mostly go unseen."
    )
    given = begun(scheme) if scheme.startswith("the ") else "The scheme"
    cost = f"{given} for half of them, and {days} days."
    like = "borrowed from members like them; " if row["evidence"] == "observational" else ""
    return Action(what, effect, cost, f"{row['evidence']}: {like}{reason(board, row)}")
