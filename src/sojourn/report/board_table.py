"""Tables of the board: every group with what is done with it and why, and who is at which stage."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import CHURNED, HELD_OUT, IMPROBABLE, ONE_TIME, TOO_NEW, Act, Board
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, count, listing, number, percent, plural, ranged
from sojourn.report.board_whom import after_joining, how_many

#: For reading; borrowed is what a trial found on others.
_STRENGTH = {"observational": "observational (borrowed)"}
#: What to do, in the order of the table.
_ORDER: tuple[Act, ...] = ("give", "try one", "do nothing")


def board_frame(board: Board) -> pd.DataFrame:
    """Return the board for reading: one row per cell, what to give first; empty where there is none.

    Where nothing is done no number of a scheme stands in a column: it would read as what doing nothing costs.
    """
    if board.why_empty:
        return pd.DataFrame()
    place = board.table["act"].map({act: i for i, act in enumerate(_ORDER)})
    rows = board.table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)
    who = [f"{segment}, {stage}" for segment, stage in zip(rows["segment"], rows["stage"], strict=True)]
    made = pd.DataFrame({"do": _done(rows), "who": who, "members": rows["members"]})
    if board.leave_days:
        days = max(board.leave_days)
        for does, share in shares_apart(board, rows, f"{board.told}_{days}_share").items():
            made[f"{does}_in_{days}_days_share"] = share
    still = rows["act"] == "do nothing"
    for name, own in (("kept_or_back_points", "lift"), (_total(board), "total_net_value")):
        for end in ("", "_low", "_high"):
            made[f"{name}{end}"] = rows[f"{own}{end}"].mask(still)
    if not untried_at_all(board):
        made["evidence"] = [why(board, row) for _, row in rows.iterrows()]
    return made.dropna(axis=1, how="all")


def untried_at_all(board: Board) -> bool:
    """Whether no scheme was ever tried on any group."""
    return bool((board.table["evidence"] == "none").all())


def shares_apart(board: Board, rows: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """Return one column of shares as two: of members with us, and of churned members who are back.

    Parameters
    ----------
    board : Board
        What it tells of members names the first.
    rows : DataFrame
        Of the board's table.
    name : str
        Of the column.
    """
    if board.told != "leave":
        return {board.told: rows[name]}
    gone = rows["stage"] == CHURNED
    return {board.told: rows[name].mask(gone), "back": rows[name].where(gone)}


def _total(board: Board) -> str:
    return f"net_total_{board.currency}".rstrip("_")


def _done(rows: pd.DataFrame) -> list[str]:
    """Return what is done with the members of each cell; what all get anyway is kept or held back."""
    verbs, anyway = {"give": "give", "try one": "try"}, {"give": "keep", "try one": "hold back"}
    return [
        f"{(anyway if control == HELD_OUT else verbs)[act]} {called}" if called and act in verbs else str(act)
        for act, called, control in zip(rows["act"], rows["called"], rows["control"], strict=True)
    ]


def why(board: Board, row: pd.Series) -> str:
    """Return how strong the evidence of a cell is, and in one sentence why that is done with its members."""
    strength = begun(_STRENGTH.get(str(row["evidence"]), str(row["evidence"])))
    return f"{strength}: {reason(board, row)}."


def reason(board: Board, row: pd.Series) -> str:
    """Return in a few words why that is done with the members of a cell."""
    if row["evidence"] == "none":
        return "nothing was tried on them"
    if row["odd"] and row["act"] != "give":
        money = f"{board.currency} a member".strip()
        counted = number(row["raw_net_value"], 2, signed=True)
        return f"{row['odd']} was counted at {counted} {money}, unlike in all other groups: try it again"
    borrowed = row["evidence"] == "observational"
    if row["act"] == "give":
        when = after_joining(row)
        such = "" if borrowed else f"{count(row['n_tried'])} members, "
        tried = f"{such}“{plain_scheme(str(row['trial']))}”" + (f", {when}" if when else "")
        return f"{tried}; the chance that it loses money is {_at_most(row['p_wrong'])}"
    such = "" if borrowed else f"{count(row['n_tried'])} members{_like_them(row)}; "
    many = row["n_schemes"] > 1
    tried = f"the likeliest of {count(row['n_schemes'])} schemes" if many else "the only one tried"
    if row["act"] == "do nothing":
        total = Interval.of(row, "total_net_value", board.mass, "eti")
        brings = f"would bring {_money(total, board.currency)}"
        chance = _at_most(row["p_wrong"])
        one = "one of them" if many else "it"
        return f"{such}the {row['called']}, {tried}, {brings}; the chance that {one} is worth it is {chance}"
    return f"{such}{tried}, worth it with a chance of {percent(row['p_worth'], 0)}"


def _like_them(row: pd.Series) -> str:
    """Say how many of a group are as members of the trial were, where that is not all of them."""
    some = row["due"] < row["members"]
    return f" (like them now: {count(row['due'])} of {count(row['members'])})" if some else ""


def _at_most(chance: float) -> str:
    return f"at most {max(math.ceil(100 * chance), 1)} in 100"


def _money(total: Interval, currency: str) -> str:
    """Return an amount with its bounds, of which mass and kind are said elsewhere."""
    value, between = ranged(total, 0).split(" ", 1)
    return " ".join(filter(None, [value, currency, between]))


def describe_board_table(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of the board."""
    if untried_at_all(board):
        title = f"{plural(len(board.table), 'group')} of members, and nothing tried on any of them"
        return {"title": title, "note": "Without a trial there is no reason to act, but to try a scheme."}
    acts = {act: len(board.acting(act)) for act in _ORDER}
    said = listing([f"{act} in {n}" for act, n in acts.items() if n])
    worth = f"more than {number(board.rope, 2)} {board.currency} per member"
    note = (
        f"Kept or back, and net total: against control within {board.value_days} days, of the scheme to give "
        f"or to try, with {board.mass * 100:g} % credible intervals. Give: the chance of {worth} is over "
        f"{percent(board.threshold, 0)}. Do nothing: the chance that any scheme tried on members like these "
        f"would bring {worth} is below {percent(IMPROBABLE, 0)}; of schemes not tried there nothing is "
        "known, and the amount in the last column is the scheme’s, not that of doing nothing. "
        "Evidence: trial, of members of this very group; observational, "
        "borrowed: a trial’s effect carried over from members of the same segment or stage to members who "
        f"were not drawn for it; none. Likeliest: the scheme with the highest chance of {worth}."
        f"{_anyway(board)}{_alike(board)}{_aged(board)}"
    )
    return {"title": f"{plural(len(board.table), 'group')} of members: {said}", "note": note}


def _anyway(board: Board) -> str:
    """Say of what all members get anyway what trying it means; empty where there is no such thing."""
    held = board.table[(board.table["control"] == HELD_OUT) & (board.table["act"] != "do nothing")]
    if held.empty:
        return ""
    return (
        " Hold back: from some, as all get it but those it was held back from by lot; so it is learned what "
        "it does."
    )


def _alike(board: Board) -> str:
    """Say who is like the members of a trial; empty where all of every group are."""
    tried = board.table[(board.table["evidence"] == "trial") & (board.table["act"] != "give")]
    if not (tried["due"] < tried["members"]).any():
        return ""
    return (
        " Like them now: as long silent as nine in ten members of the trial were and, where it was at one "
        "time after joining, no older than they were; of the others it tells less."
    )


def _aged(board: Board) -> str:
    """Say how many can be given what is given as it was tried; empty where that is all of them."""
    given = board.acting("give")
    late = given[given["due"] < given["members"]]
    if late.empty:
        return ""
    row = late.iloc[0]
    when = after_joining(row, ONE_TIME)
    tried = f"was tried {when}" if when else "was tried on members of other days with us, or of silence"
    return (
        f" The {row['called']} {tried}: {how_many(late)}, and its total is theirs; what it would do to the "
        "others is not known."
    )


def stages_frame(board: Board) -> pd.DataFrame:
    """Return who is at which stage, and how many; empty where there is no board or the rules are not told."""
    if not board.stage_rules:
        return pd.DataFrame()
    members = board.table.groupby("stage")["members"].sum()
    rows = [(stage, rule, int(members[stage])) for stage, rule in board.stage_rules.items()]
    return pd.DataFrame(rows, columns=["stage", "who", "members"])


def describe_stages(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of stages."""
    members = board.table.groupby("stage")["members"].sum()
    title = f"{count(members.max())} of {count(board.members)} members are {members.idxmax()}"
    gone = {"churned", "returned"} & set(board.stages)
    first = f"Who cancelled is {listing(sorted(gone), 'or')}, whenever they joined." if gone else ""
    new = (
        f"“{begun(TOO_NEW)}”: known for too short a time to tell, or gone before."
        if TOO_NEW in board.segments
        else ""
    )
    return {"title": title, "note": " ".join(filter(None, [first, _left_in(board), new]))}


def _left_in(board: Board) -> str:
    """Say in which segment those are who are gone; empty where nobody is."""
    there = (board.table["stage"] == CHURNED).any()
    return "Churned members are in the segment in which they left." if there else ""
