"""What could be wrong with the board, each check with its measured rates where it has any."""

from __future__ import annotations

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.board import Board, Drift, WorksOn
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.studies.board.leaving import came_true
from sojourn.studies.board.rates import (
    BOARDS,
    CONFLICT,
    FORETOLD,
    HIDDEN,
    LEAST,
    LOT,
    MOST,
    MOVED,
    ODD,
    WORTHLESS,
)
from sojourn.studies.board.truth import check_truth

#: From this share of members in groups too small to be shown on, that is warned of.
_HIDDEN = 0.1
#: A share of members: below it few are told of, above it much is borrowed.
_HALF = 0.5


def check_board(cells: Cells, board: Board, works: WorksOn, moved: Drift) -> list[Check]:
    """Check that the board shows most members, rests on trials by lot, and that segments stand still.

    Parameters
    ----------
    cells : Cells
        Those of the board: what they say of the rule of segments.
    board, works, moved
        Results of the same cells.

    Returns
    -------
    list of Check
        None where there is no board.
    """
    if board.why_empty:
        return []
    rule = [_rule(cells)] if "fidelity" in cells.meta else []
    lot = [] if works.why_empty and works.left_out.empty else [_by_lot(works)]
    worth = [] if works.why_empty else [_conflict(works), _odd(works), _worthless(board, works)]
    foretold = [_foretold(board)] if board.leave_days else []
    tried, known = _tried(board, works), check_truth(cells, works)
    return [_enough(board), *rule, _steady(moved), *foretold, tried, *lot, *worth, *_borrowed(board), *known]


def _enough(board: Board) -> Check:
    hidden = board.left_out / max(board.members + board.left_out, 1)
    verdict: Verdict = "warn" if hidden > _HIDDEN else "pass"
    finding = f"Groups too small to be shown hold {plural(board.left_out, 'member')} ({percent(hidden)})."
    meaning = "The board is of most members." if verdict == "pass" else "The board leaves many members out."
    return Check("Groups are large enough", verdict, finding, meaning)


def _rule(cells: Cells) -> Check:
    fidelity = float(cells.meta["fidelity"])
    verdict: Verdict = cells.meta["faithful"]
    finding = (
        f"The rule that is handed out puts {percent(fidelity, 0)} of members where the segmentation does."
    )
    apart = number(100 * (1 - fidelity), 0)
    meaning = f"Of 100 members {apart} are in another segment here than on the page on groups."
    if verdict != "pass":
        meaning += " That page says which segments the rule finds, and how well."
    return Check("The rule of segments is faithful", verdict, finding, meaning)


def _steady(moved: Drift) -> Check:
    name = "Segments are where they were"
    if moved.why_empty:
        return Check(name, "warn", moved.why_empty, "Whether segments move is not known.", *MOVED)
    row = moved.furthest
    finding = (
        f"Furthest moved {row['segment']}: from {percent(float(row['share_before']))} of members in the "
        f"{plural(moved.months_before, 'month end')} before to {percent(float(row['share_now']))}."
    )
    margin = f"{number(100 * moved.margin, 0)} in 100"
    meaning = {
        "moved": f"Moved by more than {margin}: what was learned of members before may not hold now.",
        "steady": f"No share moved by more than {margin}.",
        "not sure": f"No share surely moved by more than {margin}, but members are too few to rule it out.",
    }[moved.verdict]
    return Check(name, "warn" if moved.verdict == "moved" else "pass", finding, meaning, *MOVED)


def _foretold(board: Board) -> Check:
    """Check whether those who left (or came) in earlier periods are those who were predicted before them."""
    name, days = "Earlier predictions came true", max(board.leave_days)
    known = board.forward[board.forward["days"] == days] if len(board.forward) else board.forward
    if known.empty:
        finding = "Members are not known for long enough to ask what would have been predicted before."
        return Check(name, "warn", finding, "How far periods differ is an assumption.", *FORETOLD)
    row = known.iloc[int(known["p_came"].argmin())]
    low, high = (count(row[f"predicted_{end}"]) for end in ("low", "high"))
    inside = (known["predicted_low"] <= known["came"]) & (known["came"] <= known["predicted_high"])
    finding = (
        f"{int(row['days_ago'])} days ago {count(row['predicted'])} ({low} to {high}) would have been "
        f"predicted to {board.told} within {days} days; {count(row['came'])} did. {_so_many(inside)}"
    )
    true = came_true(known)
    meaning = "A period was unlike those before it: the next may be, too."
    if true:
        meaning = (
            "Periods differed no more than the intervals allow for."
            if inside.all()
            else f"{int((~inside).sum())} of {len(inside)} outside is no more than chance explains."
        )
    return Check(name, "pass" if true else "warn", finding, meaning, *FORETOLD)


def _so_many(inside: pd.Series) -> str:
    """Say how many predictions came true, after the one that was furthest out."""
    if len(inside) == 1:
        return "No earlier one can be asked for."
    return (
        f"Of {len(inside)} such predictions that is the one furthest out; {int(inside.sum())} lay inside "
        "their intervals."
    )


def _tried(board: Board, works: WorksOn) -> Check:
    """Check how much of the board was in a trial, and in how many of all."""
    members = board.table.set_index(["segment", "stage"])["members"]
    own = works.table[works.table["evidence"] == "trial"] if works.schemes else works.table
    tried = (own.groupby(["segment", "stage"]).size() if len(own) else pd.Series(dtype=float)).reindex(
        members.index, fill_value=0
    )
    share = float(members[tried > 0].sum()) / max(board.members, 1)
    each = float((tried * members).sum()) / max(float(members[tried > 0].sum()), 1)
    finding = (
        f"{count(members[tried > 0].sum())} of {count(board.members)} members ({percent(share, 0)}) are in "
        "groups of whom some were in a trial"
    )
    finding += (
        f"; on these {number(each, 1)} of {plural(works.schemes, 'scheme')} were tried." if each else "."
    )
    enough = share >= _HALF and each >= _HALF * works.schemes
    verdict: Verdict = "pass" if enough and each else "warn"
    meaning = {
        True: "What is done with most members rests on trials of most schemes.",
        False: "Of schemes that were not tried on a group the board says that nothing is known, or borrows.",
    }[enough and each > 0]
    return Check("Most schemes were tried on most members", verdict, finding, meaning)


def _by_lot(works: WorksOn) -> Check:
    name = "Members of all schemes were alike before"
    odd = [str(row.trial) for row in works.left_out.itertuples() if not row.by_lot]
    if not works.trials and not odd:
        finding = "No trial could be used, so no schemes could be compared."
        return Check(name, "cannot be judged", finding, "What schemes do is not known.", *LOT)
    if not works.knows_before:
        finding = "What members did before they were assigned is not known."
        return Check(name, "warn", finding, "Whether members were assigned by lot is taken on trust.", *LOT)
    if not odd:
        finding = f"No difference beyond chance in {plural(works.trials, 'trial')}."
        return Check(name, "pass", finding, "Differences afterwards are the schemes' or chance.", *LOT)
    finding = f"In {listing(odd)}, members of the schemes had not come equally often before."
    meaning = "Left out of this page: what it would show is who was chosen, not what the scheme does."
    return Check(name, "warn", finding, meaning, *LOT)


def _conflict(works: WorksOn) -> Check:
    """Check that what was counted in every trial lies where the belief allows: else it is drawn too far."""
    name = "Trials lie where the belief expects them"
    row = works.beliefs.iloc[0]
    counted, put = (_effect(row, of, works.currency) for of in ("counted", "effect"))
    finding = (
        f"Furthest out of {plural(len(works.beliefs), 'effect')}: {row['called']} in the trial "
        f"“{plain_scheme(str(row['trial']))}”, {counted} as counted, {put} put together with the belief; "
        f"p = {float(row['p_belief']):.4f}."
    )
    if not row["conflict"]:
        return Check(name, "pass", finding, "The belief was not surprised.", *CONFLICT)
    which = {"net_value": "belief_value", "lift": "belief"}[str(row["outcome"])]
    meaning = (
        "What is given is drawn far to a belief that hardly allowed what was counted. State one of this "
        f"case’s own size (`{which}` in the parameters of its board) before acting on this page."
    )
    return Check(name, "warn", finding, meaning, *CONFLICT)


def _effect(row: pd.Series, of: str, currency: str) -> str:
    """Return an effect on all members of a trial for reading."""
    if row["outcome"] == "net_value":
        return f"{number(float(row[of]), 2, signed=True)} {currency} a member"
    return f"{number(100 * float(row[of]), 1, signed=True)} members in 100"


def _odd(works: WorksOn) -> Check:
    """Check that what was counted in every cell fits what all other cells lead to expect."""
    name, odd = "Groups do as the others lead to expect", works.odd.sort_values("p_odd")
    if odd.empty:
        cells = int((works.table["evidence"] == "trial").sum())
        finding = f"No difference beyond chance in {plural(cells, 'effect')} by segment and stage."
        return Check(name, "pass", finding, "What groups have in common may be put together.", *ODD)
    row = odd.iloc[0]
    counted, expected = (number(float(row[of]), 2, signed=True) for of in ("raw_net_value", "net_value"))
    finding = (
        f"In {plural(len(odd), 'group')} what was counted does not fit all others; most in {row['segment']}, "
        f"{row['stage']}, of {row['called']}: {counted} counted, {expected} {works.currency} put together."
    )
    return Check(name, "warn", finding, "It is not given there; it has to be tried again.", *ODD)


def _worthless(board: Board, works: WorksOn) -> Check:
    """Say how often such a board recommends a scheme that is worth nothing, where that was measured."""
    own = works.table[works.table["evidence"] == "trial"]
    few = int(own["n"].min()) // 2
    finding = (
        f"{plural(works.schemes, 'scheme')}, {plural(len(board.table), 'group')}, at least "
        f"{plural(few, 'member')} an arm; the chance of more than {number(board.rope, 2)} {board.currency} "
        f"per member has to be over {percent(board.threshold)}."
    )
    known = works.schemes <= MOST[0] and len(board.table) <= MOST[1] and few >= LEAST
    name = "Worthless schemes are rarely recommended"
    if not known:
        meaning = (
            f"Measured for at most {MOST[0]} schemes and {MOST[1]} groups of {LEAST} or more members an arm: "
            "how often such a board recommends a worthless scheme is not known."
        )
        return Check(name, "warn", finding, meaning)
    meaning = (
        f"Of simulated boards of up to {MOST[0]} schemes and {MOST[1]} groups on which no scheme pays about "
        f"{100 * WORTHLESS:.0f} in 100 recommend one somewhere, of the worst of several kinds; a scheme that "
        f"pays everywhere but in one group is recommended there too on up to about {100 * HIDDEN:.0f} in 100 "
        f"(at least {BOARDS} boards of each kind)."
    )
    return Check(name, "pass", finding, meaning)


def _borrowed(board: Board) -> list[Check]:
    """Check how much of what is recommended rests on other members; nothing where nothing is."""
    given = board.acting("give")
    if given.empty:
        return []
    borrowed = given[given["evidence"] == "observational"]
    due = float(given["due"].sum())
    share = float(borrowed["due"].sum()) / max(due, 1)
    finding = (
        f"Of {count(due)} members who can be given what is recommended as it was tried, {percent(share, 0)} "
        "are in groups on which it was not tried."
    )
    meaning = {
        True: "They are taken to be like members of the same segment or stage: try it on some of them first.",
        False: "Most recommendations rest on trials of such members.",
    }[share > _HALF]
    return [
        Check(
            "Recommendations rest on the members themselves",
            "warn" if share > _HALF else "pass",
            finding,
            meaning,
        )
    ]
