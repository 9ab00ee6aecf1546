"""What could be wrong with the board, each check with its measured rates where it has any."""

from __future__ import annotations

from sojourn.core.cells import Cells
from sojourn.core.results.board import Board, Drift, WorksOn
from sojourn.core.results.check import Check, Verdict
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.studies.board.rates import HIDDEN, LOT, MOVED, WORTHLESS

#: From this share of members in groups too small to be shown on, that is warned of.
_HIDDEN = 0.1
#: Below this share of members alike, the frozen rule is not the segmentation.
_FAITHFUL = 0.9
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
    worth = [] if works.why_empty else [_worthless(board)]
    return [_enough(board), *rule, _steady(moved), _tried(board), *lot, *worth, *_borrowed(board)]


def _enough(board: Board) -> Check:
    hidden = board.left_out / max(board.members + board.left_out, 1)
    verdict: Verdict = "warn" if hidden > _HIDDEN else "pass"
    finding = f"Groups too small to be shown hold {plural(board.left_out, 'member')} ({percent(hidden)})."
    meaning = "The board is of most members." if verdict == "pass" else "The board leaves many members out."
    return Check("Groups are large enough", verdict, finding, meaning)


def _rule(cells: Cells) -> Check:
    fidelity = float(cells.meta["fidelity"])
    verdict: Verdict = "pass" if fidelity >= _FAITHFUL else "warn"
    finding = (
        f"The rule that is handed out puts {percent(fidelity, 0)} of members where the segmentation does."
    )
    meaning = {
        True: "Segments on this page are those of the page on groups.",
        False: "Segments on this page are coarser than those of the page on groups.",
    }[fidelity >= _FAITHFUL]
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


def _tried(board: Board) -> Check:
    told = board.table[board.table["evidence"] == "trial"]
    share = float(told["members"].sum()) / max(board.members, 1)
    finding = (
        f"{count(told['members'].sum())} of {count(board.members)} members ({percent(share, 0)}) are in "
        "groups "
        "of whom some were in a trial."
    )
    verdict: Verdict = "pass" if share >= _HALF else "warn"
    meaning = {
        True: "What is done with most members rests on trials.",
        False: "For the others the board says that nothing is known, or borrows.",
    }[share >= _HALF]
    return Check("Something was tried on most members", verdict, finding, meaning)


def _by_lot(works: WorksOn) -> Check:
    name = "Members of all schemes were alike before"
    if not works.knows_before:
        finding = "What members did before they were assigned is not known."
        return Check(name, "warn", finding, "Whether members were assigned by lot is taken on trust.", *LOT)
    odd = [str(row.trial) for row in works.left_out.itertuples() if not row.by_lot]
    if not odd:
        finding = f"No difference beyond chance in {plural(works.trials, 'trial')}."
        return Check(name, "pass", finding, "Differences afterwards are the schemes' or chance.", *LOT)
    finding = f"In {listing(odd)}, members of the schemes had not come equally often before."
    meaning = "Left out of this page: what it would show is who was chosen, not what the scheme does."
    return Check(name, "warn", finding, meaning, *LOT)


def _worthless(board: Board) -> Check:
    """Say how often such a board recommends a scheme that is worth nothing, as it was measured."""
    finding = (
        f"The chance of more than {number(board.rope, 2)} {board.currency} per member has to be over "
        f"{percent(board.threshold)} in each of {plural(len(board.table), 'group')}."
    )
    meaning = (
        f"Simulated boards on which no scheme pays recommend one somewhere in {percent(WORTHLESS)} of "
        "cases; a "
        "scheme that pays everywhere but in one group is recommended there too in up to "
        f"{percent(HIDDEN, 0)}."
    )
    return Check("Worthless schemes are rarely recommended", "pass", finding, meaning)


def _borrowed(board: Board) -> list[Check]:
    """Check how much of what is recommended rests on other members; nothing where nothing is."""
    given = board.acting("give")
    if given.empty:
        return []
    borrowed = given[given["evidence"] == "observational"]
    share = float(borrowed["members"].sum()) / float(given["members"].sum())
    finding = (
        f"Of {count(given['members'].sum())} members for whom a scheme is recommended, {percent(share, 0)} "
        "are "
        "in groups on which it was not tried."
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
