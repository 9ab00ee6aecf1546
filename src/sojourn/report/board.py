"""Words of the board: what to do with whom, what it brings, who leaves, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import CHURNED, IMPROBABLE, ONE_TIME, Board, Drift
from sojourn.core.results.check import Check
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.text import bounds, chances, count, in_words, listing, number, percent, plural
from sojourn.report.board_next import first_to_try
from sojourn.report.board_table import shares_apart, untried_at_all
from sojourn.report.board_whom import about_bands, after_joining, how_many, named, people, whom
from sojourn.report.say import register
from sojourn.report.warned import warned

#: What a warning means in a few words, by the name of its check.
_WARNED = {
    "Segments are where they were": "the shares of segments have moved",
    "Members of all schemes were alike before": "a trial whose members were not divided by lot is left out",
    "Most schemes were tried on most members": "on most members few schemes were tried, or none",
    "Groups do as the others lead to expect": "a group does not do as all others lead to expect",
    "Trials lie where the belief expects them": "a trial found what the stated belief hardly allowed",
    "Earlier predictions came true": "an earlier prediction did not come true",
    "Worthless schemes are rarely recommended": "how often worthless schemes are recommended is not known",
    "Recommendations rest on the members themselves": "some effects are borrowed from other members",
}
_NOTHING = "No scheme is surely worth it for any group"


@register
def say_board(board: Board) -> str:
    """Say to whom which scheme is given, for whom nothing is worth it, and of whom nothing is known."""
    if board.why_empty:
        return board.why_empty
    if untried_at_all(board):
        return _where_to_begin(board)
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
    """Say to whom one scheme is given, when after joining where it was tried soon after that, to how many."""
    when = after_joining(given.iloc[0], ONE_TIME)
    scheme = str(given["called"].iloc[0]) + (when and f", {when}")
    return f"{whom(given, board)} the {scheme} ({how_many(given)})"


def _rest(board: Board) -> list[str]:
    """Say for how many nothing is worth it, and on how many a scheme should be tried."""
    still, unknown = board.acting("do nothing"), board.acting("try one")
    said = []
    if len(still):
        of = plural(still["members"].sum(), "member")
        said.append(f"Do nothing for {of}: {_improbable(board, still)}. Of other schemes nothing is known.")
    if len(unknown):
        untried = unknown.loc[unknown["evidence"] == "none", "members"].sum()
        none = f"; of {count(untried)} nothing at all, not even from others like them" if untried else ""
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
        A failed one blocks the answer; one that cannot be judged blocks what is given.
    """
    if board.why_empty:
        return Headline(board.why_empty, "not possible", "not possible")
    given, untried = board.acting("give"), untried_at_all(board)
    blocking = any(check.verdict == "fail" or (check.blocks and len(given)) for check in checks)
    total, open_ = board.sum_of_schemes, _first_share(board) if untried else None
    verdict = "give what pays" if len(given) else "try a scheme" if untried else "do nothing yet"
    return Headline(
        sentence=_where_to_begin(board) if untried else _given(board),
        verdict="cannot be relied on" if blocking else verdict,
        status="blocked" if blocking else "ok",
        interval=total or open_,
        unit=board.currency if total else "members in 100" if open_ else "",
        detail=" ".join(filter(None, [*([] if untried else _rest(board)), warned(checks, _WARNED)])),
    )


def _where_to_begin(board: Board) -> str:
    """Say on whom to try a scheme first where none was ever tried, and why on them."""
    first, share = first_to_try(board, board.table), _first_share(board)
    said = f"No scheme was ever tried on these members: try one on {first.on}"
    members = plural(first.row["members"], "member")
    if share is None:
        return f"{said} ({members})."
    will = f"will {first.will} within {max(board.leave_days)} days"
    of = f"{chances(share.value / 100)} ({bounds(share, 0)})"
    return f"{said}. Of all groups {first.why}: of {members} {of} {will}."


def _first_share(board: Board) -> Interval | None:
    """Return who of the group to try first will leave or come, in members in 100."""
    share = first_to_try(board, board.table).share
    return share.scaled(100) if share else None


def _last(board: Board) -> str:
    """Return the name of the longest horizon of leaving."""
    return f"{board.told}_{max(board.leave_days, default=0)}"


def key_figures_board(board: Board, moved: Drift) -> list[KeyFigure]:
    """Return the strip: for whom something pays, what it brings, who leaves, how segments moved."""
    if board.why_empty:
        return [KeyFigure("Cells of the board", "0", board.why_empty)]
    unknown = board.acting("try one")
    untried = int(unknown.loc[unknown["evidence"] == "none", "members"].sum())
    figures = [_worth(board)]
    total, lift, leavers = board.sum_of_schemes, board.sums.get("lift"), board.sums.get(_last(board))
    if total is not None:
        label = f"Together, within {board.value_days} days"
        figures.append(KeyFigure(label, f"{count(total.value)} {board.currency}", bounds(total, 0)))
    if lift is not None:
        figures.append(KeyFigure("Members more kept or won back", count(lift.value), bounds(lift, 0)))
    if leavers is not None:
        label = f"Members with us who will {board.told} within {max(board.leave_days)} days"
        went = f"{bounds(leavers, 0)}, if things go as in the last {max(board.leave_days)} days{_of(board)}"
        figures.append(KeyFigure(label, count(leavers.value), went))
    some = 0 < untried < board.members
    figures.append(_untried(board, untried) if some else _moved(moved))
    return figures


def _of(board: Board) -> str:
    """Say of how many members it is known who will leave, where that is not all with us."""
    told, with_us = board.foretold
    return "" if told == with_us else f"; of {count(told)} of {count(with_us)} members with us"


def _worth(board: Board) -> KeyFigure:
    """Return for how many a scheme is worth it; where none was tried that is not 0 but not known."""
    label = "Members for whom a scheme is worth it"
    if untried_at_all(board):
        return KeyFigure(label, "not known", f"no scheme was tried on any of {count(board.members)} members")
    return KeyFigure(
        label,
        f"{count(board.acting('give')['due'].sum())} of {count(board.members)}",
        f"the chance of more than {number(board.rope, 2)} {board.currency} per member is over "
        f"{percent(board.threshold, 0)}",
    )


def _untried(board: Board, untried: int) -> KeyFigure:
    return KeyFigure(
        "Members of whom nothing is known, not even from others like them",
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
    title = none if untried_at_all(board) else _NOTHING
    if len(given):
        worth = count(given["due"].sum())
        title = f"A scheme is worth it for {worth} of {count(board.members)} members"
    left_out = f"Not shown: {plural(board.left_out, 'member')} in smaller groups." if board.left_out else ""
    marks = [] if untried_at_all(board) else _marks(board)
    said = ["Segments down, stages across; in every box its members.", *marks, about_bands(board.segments)]
    subtitle = " ".join(filter(None, [*said, left_out]))
    return {"title": title, "subtitle": subtitle, "alt": say_board(board)}


def _marks(board: Board) -> list[str]:
    """Say what the marks in the boxes mean, of those that are there."""
    acts = set(board.table["act"])
    borrowed = (board.table["evidence"] == "observational").any()
    money = board.currency or "net"
    marks = {
        f"Filled: give the scheme of that letter; below it what it brings in all, {money}.": "give" in acts,
        "Dash: do nothing, as nothing that was tried is worth it there.": "do nothing" in acts,
        "Dashed frame, with a question mark: try one.": "try one" in acts,
        "Star: borrowed from members of the same segment or stage.": borrowed,
    }
    return [said for said, there in marks.items() if there]


def leaving_frame(board: Board) -> pd.DataFrame:
    """Return who will leave (or come), as the picture shows it; empty where nobody was followed."""
    if _foretold(board).empty:
        return pd.DataFrame()
    rows = board.table
    made = rows[["segment", "stage", "members"]].copy()
    for days in board.leave_days:
        for end in ("", "_low", "_high"):
            shares = shares_apart(board, rows, f"{board.told}_{days}_share{end}")
            for does, share in shares.items():
                made[f"{does}_{days}_share{end}"] = share
    return made.assign(n_followed=rows["n_followed"]).dropna(axis=1, how="all")


def _foretold(board: Board) -> pd.DataFrame:
    """Return the groups of members with us of whom it is told who will leave (or come)."""
    rows, name = board.table[board.table["stage"] != CHURNED], f"{_last(board)}_share"
    return rows[rows[name].notna()] if name in rows else rows.iloc[:0]


def describe_leaving(board: Board) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of who leaves, or why there is none."""
    rows, name = _foretold(board), _last(board)
    if rows.empty:
        who = "members who were followed for long enough"
        why = f"No group has enough {who} to tell who will {board.told}."
        return {"title": why, "subtitle": "", "alt": why}
    days = max(board.leave_days)
    shares = rows[f"{name}_share"]
    told = rows.iloc[int(shares.argmax() if board.told == "leave" else shares.argmin())]
    share = Interval.of(told, f"{name}_share", board.mass, "prediction")
    on = people(str(told["segment"]), str(told["stage"]))
    title = f"Of {on} {chances(share.value)} will {board.told} within {days} days"
    back = " Of churned members: who will be back." if board.told == "leave" else ""
    subtitle = (
        f"Members in 100 who will {board.told} within {' and '.join(map(str, board.leave_days))} days, if "
        f"things go as in the last {days} days; counted in members who were in the same group then.{back}"
    )
    return {"title": title, "subtitle": subtitle, "alt": f"{title} ({bounds(share.scaled(100))})."}


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
            f"did_{board.told}": rows["came"].astype(int),
        }
    )


def describe_forward(board: Board) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of what would have been predicted before."""
    last = board.forward[board.forward["days"] == max(board.leave_days)].iloc[0]
    title = (
        f"{int(last['days_ago'])} days ago {count(last['predicted'])} of {count(last['members'])} members "
        f"would have been predicted to {board.told} within {int(last['days'])} days; "
        f"{count(last['came'])} did"
    )
    note = (
        "The same rule at days in the past, from what was known then, for members in groups that were there "
        f"before; {board.mass * 100:g} % prediction intervals. How far the next period may differ from the "
        "last is learned from these rows, and is the same for all groups."
    )
    return {"title": title, "note": note}
