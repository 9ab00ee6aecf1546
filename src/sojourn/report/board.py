"""Words of the board: what to do with whom, what it brings, who leaves, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import CHURNED, TOO_NEW, Board, Drift
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, bounds, count, in_words, listing, number, percent, plural
from sojourn.report.board_whom import people, whom
from sojourn.report.say import register
from sojourn.report.warned import warned

#: What a warning means in a few words, by the name of its check.
_WARNED = {
    "Segments are where they were": "the shares of segments have moved",
    "Members of all schemes were alike before": "a trial whose members were not divided by lot is left out",
    "Something was tried on most members": "on most members nothing was tried",
    "Recommendations rest on the members themselves": "some effects are borrowed from other members",
}
_NOTHING = "No scheme is surely worth it for any group"


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
    first = [f"{name} to {whom(given[given['called'] == name], board)}" for name in sums.index[:2]]
    more = [f"{plural(len(sums) - 2, 'other scheme')} elsewhere"] if len(sums) > 2 else []
    total = board.sum_of_schemes
    brings = (
        f": that brings {in_words(total, board.currency, 0)} within {board.value_days} days" if total else ""
    )
    return f"Give {listing([*first, *more])}{brings}."


def _rest(board: Board) -> list[str]:
    """Say for how many nothing is worth it, and of how many nothing is known."""
    still, unknown = board.acting("do nothing"), board.acting("try one")
    said = []
    if len(still):
        of = plural(still["members"].sum(), "member")
        said.append(f"Do nothing for {of}: nothing that was tried on members like these is surely worth it.")
    if len(unknown):
        most = unknown.groupby("stage")["members"].sum().idxmax()
        none = "Nothing" if (unknown["evidence"] == "none").all() else "Too little"
        said.append(f"{none} is known of {plural(unknown['members'].sum(), 'member')}, most of them {most}.")
    return said


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
        figures.append(KeyFigure(label, count(leavers.value), bounds(leavers, 0)))
    figures.append(_untried(board, untried) if untried else _moved(moved))
    return figures


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
    return KeyFigure(f"Share of {row['segment']} against the months before", value, bounds(change))


def describe_board(board: Board) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the board."""
    given = board.acting("give")
    none = f"Nothing was tried on any of {count(board.members)} members"
    title = none if _untried_at_all(board) else _NOTHING
    if len(given):
        worth = count(given["members"].sum())
        title = f"A scheme is worth it for {worth} of {count(board.members)} members"
    left_out = (
        f" {plural(board.left_out, 'member')} in smaller groups are not shown." if board.left_out else ""
    )
    subtitle = (
        f"Segments down, stages across; members, and what to do with them. Filled: give the scheme of that "
        f"letter; below it what it brings in all, {board.currency or 'net'}. Empty: nothing tried is surely "
        "worth it. Dashed: not tried, or not enough to tell. Star: borrowed from members of the same "
        "segment "
        f"or stage.{left_out}"
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
        f"things go as they went after the last landmark, {days} days ago or more; counted in members who "
        f"were in the same cell then.{back}"
    )
    return {"title": title, "subtitle": subtitle, "alt": f"{title} ({bounds(share, 0)})."}


def next_steps_board(board: Board) -> list[Action]:
    """Return two or three things to do next, with effect, cost and evidence."""
    if board.why_empty:
        return [Action("Collect segments of more members.", board.why_empty, "None.", "none")]
    given = board.acting("give")
    steps = [_give(board, row) for _, row in given.nlargest(2, "total_net_value").iterrows()]
    unknown, still = board.acting("try one"), board.acting("do nothing")
    if len(unknown):
        days = board.value_days or max(board.leave_days, default=90)
        what = f"{begun(_try(board, 'a scheme'))}, half of them by lot."
        effect = f"What it is worth to them is known {days} days after the last of them has joined the trial."
        of = str(_lost_most(board)["evidence"])
        known = (
            "borrowed effects do not tell enough" if of == "observational" else "nothing was tried on them"
        )
        steps.append(Action(what, effect, "A trial.", f"{of}: {known}"))
    elif len(still):
        row = still.sort_values("p_wrong").iloc[-1]
        on = people(str(row["segment"]), str(row["stage"]))
        what = f"Try {row['called']} on more {on}."
        effect = f"The chance that doing nothing is wrong there is {percent(row['p_wrong'], 0)}."
        steps.append(Action(what, effect, "A longer trial.", f"{row['evidence']}: the board"))
    return steps


def _give(board: Board, row: pd.Series) -> Action:
    effect = Interval.of(row, "total_net_value", board.mass, "eti")
    return Action(
        f"Give {row['called']} to {people(str(row['segment']), str(row['stage']))} "
        f"({count(row['members'])} members).",
        in_words(effect, f"{board.currency} within {board.value_days} days".strip(), 0),
        "Counted in the net value.",
        f"{row['evidence']}: {plain_scheme(str(row['trial']))}, the board",
    )


def board_frame(board: Board) -> pd.DataFrame:
    """Return the board for reading: one row per cell; empty where there is none."""
    if board.why_empty:
        return pd.DataFrame()
    rows = board.table
    made = rows[["segment", "stage"]].assign(do=_done(rows), members=rows["members"])
    if board.leave_days:
        shown = f"{_verb(board)}_in_{max(board.leave_days)}_days_share"
        made[shown] = rows[f"{_last(board)}_share"]
    for name, own in (("kept_or_back_points", "lift"), (_total(board), "total_net_value")):
        for end in ("", "_low", "_high"):
            made[f"{name}{end}"] = rows[f"{own}{end}"]
    made = made.assign(p_being_wrong=rows["p_wrong"], evidence=rows["evidence"])
    return made.dropna(axis=1, how="all")


def _total(board: Board) -> str:
    return f"net_total_{board.currency}".rstrip("_")


def _done(rows: pd.DataFrame) -> list[str]:
    """Return what is done with the members of each cell."""
    pairs = zip(rows["act"], rows["called"], strict=True)
    return [f"give {called}" if act == "give" else str(act) for act, called in pairs]


def reasons_frame(board: Board) -> pd.DataFrame:
    """Return for every cell what is done and why; empty where nothing was tried."""
    if board.why_empty or _untried_at_all(board):
        return pd.DataFrame()
    rows = board.table
    return rows[["segment", "stage"]].assign(
        do=_done(rows), why=[why(board, row) for _, row in rows.iterrows()]
    )


def describe_reasons(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of reasons."""
    note = (
        f"Net value per member within {board.value_days} days against control, with {board.mass * 100:g} % "
        f"credible interval; a scheme is given where the chance of more than {number(board.rope, 2)} "
        f"{board.currency} is over {percent(board.threshold, 0)}."
    )
    return {"title": "Why, in one sentence for every group", "note": note}


def why(board: Board, row: pd.Series) -> str:
    """Return in one sentence why that is done with the members of a cell."""
    if row["evidence"] == "none":
        return "No scheme was tried on members like these."
    net = Interval.of(row, "net_value", board.mass, "eti")
    low, high = (number(bound, 2) for bound in (net.low, net.high))
    scheme, trial = row["called"], plain_scheme(str(row["trial"]))
    brings = f"{number(net.value, 2, signed=True)} {board.currency} a member ({low} to {high})"
    borrowed, such = row["evidence"] == "observational", f"{count(row['n_tried'])} such members"
    whose = "Only members of the same segment or stage were" if borrowed else f"{such} were"
    if row["act"] == "give":
        return f"{whose} in trial “{trial}”: {brings}."
    if row["act"] == "try one":
        return f"{whose} in a trial, which does not tell enough: {scheme}, the best, {brings}."
    return f"{whose} in a trial: {scheme}, the best, {brings}."


def describe_board_table(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of the board."""
    if _untried_at_all(board):
        title = f"{plural(len(board.table), 'group')} of members, and nothing tried on any of them"
        return {"title": title, "note": "Without a trial there is no reason to act, but to try a scheme."}
    acts = {act: len(board.acting(act)) for act in ("give", "do nothing", "try one")}
    said = listing([f"{act} in {n}" for act, n in acts.items() if n])
    back = " Leaving, of churned members: being back." if board.leave_days and board.told == "leave" else ""
    note = (
        f"{board.mass * 100:g} % credible intervals, of the scheme to give or else of the best that was "
        "tried, "
        f"within {board.value_days} days. Chance of being wrong: that the scheme loses money; where nothing "
        "is "
        f"to be done, that some scheme would bring more than {number(board.rope, 2)} {board.currency} per "
        f"member. Evidence: trial, of members of this very cell; observational, borrowed from members of the "
        f"same segment or stage as if they were alike; none.{back} "
        f"“{begun(TOO_NEW)}” are members whom we know for too short a time."
    )
    return {"title": f"{plural(len(board.table), 'group')} of members: {said}", "note": note}
