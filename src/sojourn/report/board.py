"""Words of the board: what to do with whom, what it brings, who leaves, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import CHURNED, IMPROBABLE, TOO_NEW, Act, Board, Drift
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, bounds, count, in_words, listing, number, percent, plural
from sojourn.report.board_whom import after_joining, named, people, whom
from sojourn.report.say import register
from sojourn.report.warned import warned

#: What a warning means in a few words, by the name of its check.
_WARNED = {
    "Segments are where they were": "the shares of segments have moved",
    "Members of all schemes were alike before": "a trial whose members were not divided by lot is left out",
    "Most schemes were tried on most members": "on most members few schemes were tried, or none",
    "Groups do as the others lead to expect": "a group does not do as all others lead to expect",
    "Who left last was predicted": "who left last was not as predicted",
    "Worthless schemes are rarely recommended": "how often worthless schemes are recommended is not known",
    "Recommendations rest on the members themselves": "some effects are borrowed from other members",
}
_NOTHING = "No scheme is surely worth it for any group"
#: A scheme that was tried within so many days of joining belongs to that time.
_EARLY = 90
#: For reading; borrowed is what a trial found on others.
_STRENGTH = {"observational": "observational (borrowed)"}
#: What to do, in the order of the table.
_ORDER: tuple[Act, ...] = ("give", "try one", "do nothing")


@register
def say_board(board: Board) -> str:
    """Say to whom which scheme is given, for whom nothing is worth it, and of whom nothing is known."""
    if board.why_empty:
        return board.why_empty
    return " ".join([_given(board), *_rest(board)])


def _given(board: Board) -> str:
    """Say which schemes to give, the one that brings most first."""
    given = board.acting("give")
    if given.empty:
        return f"{_NOTHING}."
    sums = given.groupby("called")["total_net_value"].sum().sort_values(ascending=False)
    first = [_give_them(board, given[given["called"] == name]) for name in sums.index[:2]]
    more = [f"{plural(len(sums) - 2, 'other scheme')} elsewhere"] if len(sums) > 2 else []
    total = board.sum_of_schemes
    brings = (
        f": that brings {in_words(total, board.currency, 0)} within {board.value_days} days" if total else ""
    )
    return f"Give {listing([*first, *more])}{brings}."


def _give_them(board: Board, given: pd.DataFrame) -> str:
    """Say to whom one scheme is given, and when after joining where it was tried soon after that."""
    when = after_joining(given.iloc[0], _EARLY)
    return " ".join(
        filter(None, [whom(given, board), "the", str(given["called"].iloc[0]) + (when and ","), when])
    )


def _rest(board: Board) -> list[str]:
    """Say for how many nothing is worth it, and on how many a scheme should be tried."""
    still, unknown = board.acting("do nothing"), board.acting("try one")
    said = []
    if len(still):
        of = plural(still["members"].sum(), "member")
        said.append(f"Do nothing for {of}: {_improbable(board, still)}.")
    if len(unknown):
        untried = unknown.loc[unknown["evidence"] == "none", "members"].sum()
        none = f"; nothing at all is known of {count(untried)} of them" if untried else ""
        most = unknown.groupby("stage")["members"].sum().idxmax()
        said.append(
            f"Too little is known of {plural(unknown['members'].sum(), 'member')}, most of them {most}{none}."
        )
    return said


def _improbable(board: Board, still: pd.DataFrame) -> str:
    """Say why nothing is done: how likely it is that a scheme would have been worth it, of how many."""
    few, many = int(still["n_schemes"].min()), int(still["n_schemes"].max())
    schemes = f"{few} to {many} schemes" if many > few else plural(many, "scheme")
    of = "the one scheme" if many == 1 else f"any of the {schemes}"
    return (
        f"that {of} tried on members like these would bring more than {number(board.rope, 2)} "
        f"{board.currency} per member has a chance of less than {percent(IMPROBABLE, 0)}"
    )


def headline_board(board: Board, checks: Sequence[Check] = ()) -> Headline:
    """Return the answer: what to do with whom, and what it brings.

    Parameters
    ----------
    board : Board
        The result.
    checks : sequence of Check
        A failed one blocks the answer.
    """
    if board.why_empty:
        return Headline(board.why_empty, "not possible", "not possible")
    blocking = [check.name for check in checks if check.blocks]
    given, untried = board.acting("give"), _untried_at_all(board)
    sentence = f"No scheme was ever tried on these members: {_try(board)}." if untried else _given(board)
    verdict = "give what pays" if len(given) else "try a scheme" if untried else "do nothing yet"
    return Headline(
        sentence=sentence,
        verdict="cannot be relied on" if blocking else verdict,
        status="blocked" if blocking else "ok",
        interval=board.sum_of_schemes or board.sums.get(_last(board)),
        unit=board.currency if board.sum_of_schemes else f"members will {_verb(board)}",
        detail=" ".join(filter(None, [*([] if untried else _rest(board)), warned(checks, _WARNED)])),
    )


def _untried_at_all(board: Board) -> bool:
    return bool((board.table["evidence"] == "none").all())


def _verb(board: Board) -> str:
    return "leave" if board.told == "leave" else "come"


def _last(board: Board) -> str:
    """Return the name of the longest horizon of leaving."""
    return f"{board.told}_{max(board.leave_days, default=0)}"


def _try(board: Board, what: str = "one") -> str:
    """Say on whom a scheme should be tried first: where most are expected to be lost."""
    row = _lost_most(board)
    days = max(board.leave_days, default=0)
    share = row.get(f"{_last(board)}_share", float("nan"))
    known = pd.notna(share) and row["stage"] != CHURNED
    will = f", of whom {percent(share, 0)} will {_verb(board)} within {days} days" if known else ""
    on = people(str(row["segment"]), str(row["stage"]))
    return f"try {what} on {on} ({count(row['members'])} members{will})"


def _lost_most(board: Board) -> pd.Series:
    """Return the cell without evidence in which most is open: who will leave, or whether they will come."""
    open_cells = board.acting("try one")
    rows = open_cells[open_cells["stage"] != CHURNED]
    rows = rows if len(rows) else open_cells
    share = rows.get(f"{_last(board)}_share", pd.Series(1.0, rows.index)).fillna(0)
    lost = rows["members"] * (share if board.told == "leave" else share * (1 - share))
    return rows.iloc[int(lost.argmax())]


def key_figures_board(board: Board, moved: Drift) -> list[KeyFigure]:
    """Return the strip: for whom something pays, what it brings, who leaves, how segments moved."""
    if board.why_empty:
        return [KeyFigure("Cells of the board", "0", board.why_empty)]
    given, unknown = board.acting("give"), board.acting("try one")
    untried = int(unknown.loc[unknown["evidence"] == "none", "members"].sum())
    figures = [
        KeyFigure(
            "Members for whom a scheme is worth it",
            f"{count(given['members'].sum())} of {count(board.members)}",
            f"the chance of more than {number(board.rope, 2)} {board.currency} per member is over "
            f"{percent(board.threshold, 0)}",
        )
    ]
    total, lift, leavers = board.sum_of_schemes, board.sums.get("lift"), board.sums.get(_last(board))
    if total is not None:
        label = f"Together, within {board.value_days} days"
        figures.append(KeyFigure(label, f"{count(total.value)} {board.currency}", bounds(total, 0)))
    if lift is not None:
        figures.append(KeyFigure("Members more kept or won back", count(lift.value), bounds(lift, 0)))
    if leavers is not None:
        label = f"Members with us who will {_verb(board)} within {max(board.leave_days)} days"
        went = f"{bounds(leavers, 0)}, if things go as in the last {max(board.leave_days)} days{_of(board)}"
        figures.append(KeyFigure(label, count(leavers.value), went))
    figures.append(_untried(board, untried) if untried else _moved(moved))
    return figures


def _of(board: Board) -> str:
    """Say of how many members it is known who will leave, where that is not all with us."""
    told, with_us = board.foretold
    return "" if told == with_us else f"; of {count(told)} of {count(with_us)} members with us"


def _untried(board: Board, untried: int) -> KeyFigure:
    return KeyFigure(
        "Members on whom nothing was tried",
        count(untried),
        f"counted: {percent(untried / board.members, 0)} of all on the board",
    )


def _moved(moved: Drift) -> KeyFigure:
    if moved.why_empty:
        return KeyFigure("How far segments moved", "not known", moved.why_empty)
    row = moved.furthest
    change = Interval.of(row, "change_points", moved.mass, "wald").scaled(100)
    value = f"{number(change.value, 1, signed=True)} in 100"
    return KeyFigure(
        f"Share of {named(str(row['segment']))} against the months before", value, bounds(change)
    )


def describe_board(board: Board) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the board."""
    given = board.acting("give")
    none = f"Nothing was tried on any of {count(board.members)} members"
    title = none if _untried_at_all(board) else _NOTHING
    if len(given):
        worth = count(given["members"].sum())
        title = f"A scheme is worth it for {worth} of {count(board.members)} members"
    left_out = f" Not shown: {plural(board.left_out, 'member')} in smaller groups." if board.left_out else ""
    subtitle = (
        f"Segments down, stages across; members, and what to do with them. Filled: give the scheme of that "
        f"letter; below it what it brings in all, {board.currency or 'net'}. Empty, with a dash: do nothing. "
        "Dashed frame, with a question mark: try one. Star: borrowed from members of the same segment or "
        f"stage.{left_out}"
    )
    return {"title": title, "subtitle": subtitle, "alt": say_board(board)}


def leaving_frame(board: Board) -> pd.DataFrame:
    """Return who will leave (or come), as the picture shows it; empty where nobody was followed."""
    names = [str(name) for name in board.table if "_share" in str(name)]
    return board.table[["segment", "stage", "members", *names, "n_followed"]] if names else pd.DataFrame()


def describe_leaving(board: Board) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of who leaves."""
    days, name = max(board.leave_days), _last(board)
    rows = board.table[board.table["stage"] != CHURNED]
    rows = rows[rows[f"{name}_share"].notna()]
    top = rows.iloc[int(rows[f"{name}_share"].argmax())]
    share = Interval.of(top, f"{name}_share", board.mass, "prediction").scaled(100)
    title = (
        f"Of {people(str(top['segment']), str(top['stage']))} {number(share.value, 0)} in 100 will "
        f"{_verb(board)} within {days} days"
    )
    back = " Of churned members: who will be back." if board.told == "leave" else ""
    subtitle = (
        f"Members in 100 who will {_verb(board)} within {' and '.join(map(str, board.leave_days))} days, if "
        f"things go as in the last {days} days; counted in members who were in the same cell then.{back}"
    )
    return {"title": title, "subtitle": subtitle, "alt": f"{title} ({bounds(share, 0)})."}


def forward_frame(board: Board) -> pd.DataFrame:
    """Return what would have been predicted before, and what came; empty where that is not known."""
    if board.forward.empty:
        return pd.DataFrame()
    rows = board.forward
    told = rows[["predicted", "predicted_low", "predicted_high"]].round().astype(int)
    return pd.DataFrame(
        {
            "at": [f"{int(days)} days ago" for days in rows["days_ago"]],
            "within": [plural(int(days), "day") for days in rows["days"]],
            "members": rows["members"].astype(int),
            **told,
            f"did_{_verb(board)}": rows["came"].astype(int),
        }
    )


def describe_forward(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of what would have been predicted before."""
    last = board.forward[board.forward["days"] == max(board.leave_days)].iloc[0]
    title = (
        f"{int(last['days_ago'])} days ago {count(last['predicted'])} of {count(last['members'])} members "
        f"would have been predicted to {_verb(board)} within {int(last['days'])} days; "
        f"{count(last['came'])} did"
    )
    note = (
        "The same rule at days in the past, from what was known then, for members in groups that were there "
        f"before; {board.mass * 100:g} % prediction intervals. How far the next period may differ from the "
        "last is learned from these rows, and is the same for all groups."
    )
    return {"title": title, "note": note}


def next_steps_board(board: Board) -> list[Action]:
    """Return two or three things to do next, with effect, cost and evidence."""
    if board.why_empty:
        return [Action("Collect segments of more members.", board.why_empty, "None.", "none")]
    given = board.acting("give")
    steps = [_give(board, row) for _, row in given.nlargest(2, "total_net_value").iterrows()]
    unknown, still = board.acting("try one"), board.acting("do nothing")
    if len(unknown):
        days, row = board.value_days or max(board.leave_days, default=90), _lost_most(board)
        scheme = f"the {row['called']}" if row["called"] else "a scheme"
        what = f"{begun(_try(board, scheme))}, half of them by lot."
        effect = f"What it is worth to them is known {days} days after the last of them has joined the trial."
        steps.append(Action(what, effect, "A trial.", f"{row['evidence']}: {begun(why(board, row))}"))
    elif len(still):
        row = still.sort_values("p_wrong").iloc[-1]
        on = people(str(row["segment"]), str(row["stage"]))
        what = f"Try {row['called']} on more {on}."
        effect = f"The chance that doing nothing is wrong there is {percent(row['p_wrong'], 0)}."
        steps.append(Action(what, effect, "A longer trial.", f"{row['evidence']}: the board"))
    return steps


def _give(board: Board, row: pd.Series) -> Action:
    effect = Interval.of(row, "total_net_value", board.mass, "eti")
    when = after_joining(row, _EARLY)
    as_tried = f", {when}, as in the trial" if when else ""
    return Action(
        f"Give {whom(row.to_frame().T, board)} the {row['called']}{as_tried} "
        f"({count(row['members'])} members).",
        in_words(effect, f"{board.currency} within {board.value_days} days".strip(), 0),
        "Counted in the net value.",
        f"{row['evidence']}: {plain_scheme(str(row['trial']))}, the board",
    )


def board_frame(board: Board) -> pd.DataFrame:
    """Return the board for reading: one row per cell, what to give first; empty where there is none."""
    if board.why_empty:
        return pd.DataFrame()
    place = board.table["act"].map({act: i for i, act in enumerate(_ORDER)})
    rows = board.table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)
    who = [f"{segment}, {stage}" for segment, stage in zip(rows["segment"], rows["stage"], strict=True)]
    made = pd.DataFrame({"do": _done(rows), "who": who, "members": rows["members"]})
    if board.leave_days:
        shown = f"{_verb(board)}_in_{max(board.leave_days)}_days_share"
        made[shown] = rows[f"{_last(board)}_share"]
    for name, own in (("kept_or_back_points", "lift"), (_total(board), "total_net_value")):
        for end in ("", "_low", "_high"):
            made[f"{name}{end}"] = rows[f"{own}{end}"]
    made["p_being_wrong"] = rows["p_wrong"]
    if not _untried_at_all(board):
        made["evidence"] = [why(board, row) for _, row in rows.iterrows()]
    return made.dropna(axis=1, how="all")


def _total(board: Board) -> str:
    return f"net_total_{board.currency}".rstrip("_")


def _done(rows: pd.DataFrame) -> list[str]:
    """Return what is done with the members of each cell."""
    pairs = zip(rows["act"], rows["called"], strict=True)
    verb = {"give": "give", "try one": "try"}
    return [f"{verb[act]} {called}" if called and act in verb else str(act) for act, called in pairs]


def why(board: Board, row: pd.Series) -> str:
    """Return how strong the evidence of a cell is, and in one sentence why that is done with its members."""
    strength = begun(_STRENGTH.get(str(row["evidence"]), str(row["evidence"])))
    return f"{strength}: {_reason(board, row)}."


def _reason(board: Board, row: pd.Series) -> str:
    if row["evidence"] == "none":
        return "nothing was tried"
    money = f"{board.currency} a member".strip()
    if row["odd"] and row["act"] != "give":
        counted = number(row["raw_net_value"], 2, signed=True)
        return f"{row['odd']} was counted at {counted} {money}, unlike in all other groups: try it again"
    such = "" if row["evidence"] == "observational" else f"{count(row['n_tried'])} members, "
    if row["act"] == "give":
        when = after_joining(row)
        return f"{such}“{plain_scheme(str(row['trial']))}”" + (f", {when}" if when else "")
    if row["act"] == "do nothing" and row["n_schemes"] == 1:
        return f"{such}one scheme, {row['called']}"
    best = f"best of {count(row['n_schemes'])}" if row["n_schemes"] > 1 else "the only one"
    if row["act"] == "do nothing":
        return f"{such}{best}, {row['called']}"
    return f"{such}{best}, chance {percent(row['p_worth'], 0)}"


def describe_board_table(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of the board."""
    if _untried_at_all(board):
        title = f"{plural(len(board.table), 'group')} of members, and nothing tried on any of them"
        return {"title": title, "note": "Without a trial there is no reason to act, but to try a scheme."}
    acts = {act: len(board.acting(act)) for act in _ORDER}
    said = listing([f"{act} in {n}" for act, n in acts.items() if n])
    back = " Leaving, of churned members: being back." if board.leave_days and board.told == "leave" else ""
    worth = f"more than {number(board.rope, 2)} {board.currency} per member"
    note = (
        "Of the scheme to give or to try, else of the likeliest: net value against control within "
        f"{board.value_days} days, with {board.mass * 100:g} % credible intervals. Given: the chance of "
        f"{worth} is over {percent(board.threshold, 0)}. Nothing is done: the chance that any scheme tried "
        f"on members like these would bring {worth} is below {percent(IMPROBABLE, 0)}. Chance of being "
        "wrong: that what is given loses money; where nothing is done, at most, that some scheme would be "
        "worth it. Evidence: trial, of members of this very group; observational, borrowed: a trial’s effect "
        "carried over from members of the same segment or stage to members who were not drawn for it; none. "
        f"Best of several: the scheme with the highest chance of {worth}."
        f"{back} “{begun(TOO_NEW)}”: known for too short a time.{_aged(board)}"
    )
    return {"title": f"{plural(len(board.table), 'group')} of members: {said}", "note": note}


def _left_in(board: Board) -> str:
    """Say in which segment those are who are gone; empty where nobody is."""
    there = (board.table["stage"] == CHURNED).any()
    return " Churned members are in the segment in which they left." if there else ""


def _aged(board: Board) -> str:
    """Say of what is given where it was tried soon after joining; empty where none was."""
    early = [row for _, row in board.acting("give").iterrows() if after_joining(row, _EARLY)]
    if not early:
        return ""
    row = early[0]
    return (
        f" The {row['called']} was tried {after_joining(row)}: what it does to members past that is not "
        "known, and the total takes them to be alike."
    )
