"""What is said of the board, of effects by group and of drift follows their numbers."""

import dataclasses

import pytest

import sojourn as sj
from board_worlds import MOVES, SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.core.results.board import TOO_NEW
from sojourn.core.text import count, number
from sojourn.report.board import (
    board_frame,
    describe_board,
    describe_board_table,
    describe_leaving,
    describe_reasons,
    leaving_frame,
    reasons_frame,
)
from sojourn.report.board_drift import changes_frame, describe_changes, describe_drift, describe_migration
from sojourn.report.board_whom import people, whom
from sojourn.report.board_works import describe_works_on, describe_works_table, works_frame


@pytest.fixture(scope="module")
def cells():
    return make_board()


@pytest.fixture(scope="module")
def works(cells):
    return sj.works_on(cells)


@pytest.fixture(scope="module")
def laid(cells, works):
    return sj.board(cells, works)


@pytest.fixture(scope="module")
def moved(cells):
    return sj.drift(cells)


@pytest.fixture(scope="module")
def bare():
    """A case without trials, where nobody is known to leave."""
    cells = make_board(trials=False, leaving=False, members=3_000)
    return cells, sj.board(cells, sj.works_on(cells))


def test_the_answer_says_what_to_whom_and_what_it_brings(laid):
    headline = sj.headline_board(laid)
    total = laid.sums["net_value"]
    assert headline.sentence == (
        f"Give coupon to all frequent buyers who are with us: that brings {count(total.value)} EUR (95 % "
        "credible "
        f"interval {count(total.low)} to {count(total.high)}) within 90 days."
    )
    assert (headline.verdict, headline.status, headline.unit) == ("give what pays", "ok", "EUR")
    still, unknown = laid.acting("do nothing")["members"].sum(), laid.acting("try one")["members"].sum()
    assert f"Do nothing for {count(still)} members" in headline.detail
    assert f"Too little is known of {count(unknown)} members, most of them churned." in headline.detail


def test_a_failed_check_blocks_the_answer(laid):
    headline = sj.headline_board(laid, [sj.Check("Groups are large enough", "fail", "", "")])
    assert (headline.verdict, headline.status) == ("cannot be relied on", "blocked")


def test_warnings_stand_beside_the_answer(laid):
    warn = sj.Check("Segments are where they were", "warn", "", "")
    assert sj.headline_board(laid, [warn]).detail.endswith("Warnings: the shares of segments have moved.")


def test_where_nothing_pays_it_says_so(cells, works):
    strict = sj.board(cells, dataclasses.replace(works, table=works.table.assign(p_worth=0.1)))
    headline = sj.headline_board(strict)
    assert headline.sentence == "No scheme is surely worth it for any group."
    assert (headline.verdict, headline.status) == ("do nothing yet", "ok")
    assert sj.next_steps_board(strict)


def test_without_trials_it_says_on_whom_to_try_one(bare):
    _, laid = bare
    headline = sj.headline_board(laid)
    assert headline.sentence.startswith("No scheme was ever tried on these members: try one on ")
    assert "will come within 90 days" in headline.sentence
    assert headline.verdict == "try a scheme"
    [step] = sj.next_steps_board(laid)
    assert step.what.startswith("Try a scheme on ")
    assert describe_board(laid)["title"] == f"Nothing was tried on any of {count(laid.members)} members"
    assert "nothing tried on any" in describe_board_table(laid)["title"]
    assert reasons_frame(laid).empty
    assert set(board_frame(laid)["evidence"]) == {"none"}


def test_no_board_is_told(cells, works, moved):
    none = sj.board(cells, works, min_group=100_000)
    assert sj.headline_board(none).status == "not possible"
    assert sj.say(none) == "No segment has 100000 members at any stage."
    assert len(sj.key_figures_board(none, moved)) == len(sj.next_steps_board(none)) == 1
    assert board_frame(none).empty
    assert reasons_frame(none).empty
    assert sj.check_board(cells, none, works, moved) == []


def test_key_figures_are_those_of_the_board(laid, moved, bare):
    figures = {figure.label: figure for figure in sj.key_figures_board(laid, moved)}
    assert figures["Members for whom a scheme is worth it"].value == "4,000 of 19,995"
    assert figures["Together, within 90 days"].value == f"{count(laid.sums['net_value'].value)} EUR"
    assert figures["Members on whom nothing was tried"].value == "3,999"
    assert 3 <= len(figures) <= 5
    assert len(sj.key_figures_board(bare[1], sj.drift(bare[0]))) >= 3


def test_every_group_has_its_reason(laid):
    assert "over 97 %" in describe_reasons(laid)["note"]
    frame = reasons_frame(laid).set_index(["segment", "stage"])
    row = laid.cell(SEGMENTS[0], "active")
    told = number(row["net_value"], 2, signed=True)
    assert frame.loc[(SEGMENTS[0], "active"), "why"].startswith(
        f"800 such members were in trial “main”: {told} EUR a"
    )
    assert frame.loc[(SEGMENTS[1], "silent"), "why"].startswith("800 such members were in a trial: ")
    assert frame.loc[(SEGMENTS[0], "new"), "why"].startswith(
        "Only members of the same segment or stage were in"
    )
    assert "which does not tell enough" in frame.loc[(TOO_NEW, "new"), "why"]
    assert frame.loc[(SEGMENTS[0], "churned"), "why"] == "No scheme was tried on members like these."


def test_the_table_holds_what_the_board_holds(laid):
    frame = board_frame(laid)
    assert frame["members"].tolist() == laid.table["members"].tolist()
    assert frame["net_total_EUR"].dropna().tolist() == laid.table["total_net_value"].dropna().tolist()
    assert set(frame["do"]) == {"give coupon", "do nothing", "try one"}
    assert "leave_in_90_days_share" in frame
    assert (
        describe_board_table(laid)["title"]
        == "24 groups of members: give in 5, do nothing in 10 and try one in 9"
    )


def test_actions_have_effect_cost_and_evidence(laid):
    steps = sj.next_steps_board(laid)
    assert [step.what.split(" (")[0] for step in steps] == [
        "Give coupon to active frequent buyers",
        "Give coupon to silent frequent buyers",
        "Try a scheme on silent members too new for a segment",
    ]
    assert all(step.effect and step.cost and step.evidence for step in steps)
    assert steps[2].evidence.startswith("observational")


def test_leaving_is_told_of_the_group_that_leaves_most(laid, bare):
    words = describe_leaving(laid)
    rows = laid.table[laid.table["stage"] != "churned"]
    top = rows.loc[rows["leave_90_share"].idxmax()]
    assert words["title"] == (
        f"Of {people(top['segment'], top['stage'])} {number(100 * top['leave_90_share'], 0)} in 100 will "
        "leave within 90 days"
    )
    assert "will come within" in describe_leaving(bare[1])["title"]
    assert {"leave_30_share_low", "leave_90_share_high", "n_followed"} <= set(leaving_frame(laid))


def test_groups_are_called_by_segment_and_stage(laid):
    def called(rows):
        return whom(rows, laid)

    table = laid.table
    assert called(table) == "all members"
    assert called(table[table["stage"] == "silent"]) == "silent members of every segment"
    assert called(table[table["segment"] == TOO_NEW]) == "all members too new for a segment"
    one = table[(table["segment"] == SEGMENTS[1]) & table["stage"].isin(["active", "silent"])]
    assert called(one) == "active and silent quiet browsers"
    some = table[table["stage"].eq("silent") & table["segment"].ne(TOO_NEW)]
    assert called(some) == "silent quiet browsers, silent bargain hunters and 1,250 other members"


def test_effects_are_told_with_what_was_left_out(cells, works):
    best = works.segments.loc[works.segments["net_value"].idxmax()]
    assert describe_works_on(works)["title"] == (
        f"Coupon does best on frequent buyers: {number(best['net_value'], 2, signed=True)} EUR a member"
    )
    assert "smaller than as counted" in sj.say(works)
    assert len(works_frame(works)) == 28
    assert "90 days" in describe_works_table(works)["note"]
    odd = cells["before"].assign(before=[15_000, 17_000, 15_000])
    left = sj.works_on(dataclasses.replace(cells, tables={**cells.tables, "before": odd}))
    assert "Left out: main (not by lot: " in sj.say(left)


def test_drift_is_told(moved):
    assert sj.say(moved).startswith(
        "No segment’s share has moved by more than 5 % of members. Furthest moved "
    )
    assert describe_drift(moved)["title"] == "Segments are as large as in the months before"
    assert describe_changes(moved)["title"] == "No segment’s share has moved by more than 5 % of members"
    shift = changes_frame(moved)["change_points"].abs()
    assert shift.is_monotonic_decreasing
    assert describe_migration(moved)["title"].endswith("a month later")


def test_a_move_is_told_with_its_segment():
    last = MOVES.copy()
    last[1:, 0] += 0.15
    last[1:, 1:] *= 0.83
    moved = sj.drift(make_board(members=4_000, last_moves=last))
    assert sj.say(moved).startswith(
        "Segments have moved by more than 5 % of members. Furthest moved frequent buyers"
    )
    assert "more members in 100" in sj.say(moved)
    assert describe_drift(moved)["title"].startswith("Segments have moved: frequent buyers are ")


def test_a_few_members_are_not_sure():
    moved = sj.drift(make_board(members=150), margin=0.01)
    assert "is not sure." in sj.say(moved)


def test_no_months_are_told():
    cells = Cells("test", "board", {}, {"segments": ["a"], "months": []})
    assert sj.say(sj.drift(cells)).startswith("Segments are known at 0 month ends")


def test_checks_say_what_they_found(cells, laid, works, moved):
    checks = {check.name: check for check in sj.check_board(cells, laid, works, moved)}
    assert {check.verdict for check in checks.values()} == {"pass"}
    assert "14,096 of 19,995 members (70 %)" in checks["Something was tried on most members"].finding
    assert "The rule of segments is faithful" not in checks
    said = dataclasses.replace(cells, meta={**cells.meta, "fidelity": 0.7})
    warned = {check.name: check.verdict for check in sj.check_board(said, laid, works, moved)}
    assert warned["The rule of segments is faithful"] == "warn"


def test_borrowed_recommendations_are_warned_of(cells, laid, works, moved):
    given = laid.table["act"] == "give"
    table = laid.table.assign(evidence=laid.table["evidence"].mask(given, "observational"))
    borrowed = dataclasses.replace(laid, table=table)
    checks = {check.name: check.verdict for check in sj.check_board(cells, borrowed, works, moved)}
    assert checks["Recommendations rest on the members themselves"] == "warn"


def test_many_hidden_members_are_warned_of(cells, works, moved):
    hidden = sj.board(cells, works, min_group=1_000)
    checks = {check.name: check.verdict for check in sj.check_board(cells, hidden, works, moved)}
    assert checks["Groups are large enough"] == "warn"


def test_the_picture_of_the_board_is_described(laid, cells, works):
    words = describe_board(laid)
    assert words["title"] == "A scheme is worth it for 4,000 of 19,995 members"
    assert "smaller groups" not in words["subtitle"]
    assert (
        "in smaller groups are not shown" in describe_board(sj.board(cells, works, min_group=200))["subtitle"]
    )
