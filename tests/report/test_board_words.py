"""What is said of the board, of effects by group and of drift follows their numbers."""

import dataclasses

import pandas as pd
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
    describe_forward,
    describe_leaving,
    forward_frame,
    leaving_frame,
)
from sojourn.report.board_drift import changes_frame, describe_changes, describe_drift, describe_migration
from sojourn.report.board_whom import after_joining, people, whom
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
        f"Give all frequent buyers who are with us the coupon: that brings {count(total.value)} EUR (95 % "
        "credible "
        f"interval {count(total.low)} to {count(total.high)}) within 90 days."
    )
    assert (headline.verdict, headline.status, headline.unit) == ("give what pays", "ok", "EUR")
    still, unknown = laid.acting("do nothing")["members"].sum(), laid.acting("try one")["members"].sum()
    assert f"Do nothing for {count(still)} members" in headline.detail
    assert (
        "any of the 2 schemes tried on members like these would bring more than 0.50 EUR" in headline.detail
    )
    assert f"Too little is known of {count(unknown)} members, most of them churned; " in headline.detail


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
    assert "evidence" not in board_frame(laid)


def test_no_board_is_told(cells, works, moved):
    none = sj.board(cells, works, min_group=100_000)
    assert sj.headline_board(none).status == "not possible"
    assert sj.say(none) == "No segment has 100000 members at any stage."
    assert len(sj.key_figures_board(none, moved)) == len(sj.next_steps_board(none)) == 1
    assert board_frame(none).empty
    assert sj.check_board(cells, none, works, moved) == []


def test_key_figures_are_those_of_the_board(laid, moved, bare):
    figures = {figure.label: figure for figure in sj.key_figures_board(laid, moved)}
    assert figures["Members for whom a scheme is worth it"].value == "4,000 of 19,995"
    assert figures["Together, within 90 days"].value == f"{count(laid.sums['net_value'].value)} EUR"
    assert figures["Members on whom nothing was tried"].value == "3,999"
    assert 3 <= len(figures) <= 5
    assert len(sj.key_figures_board(bare[1], sj.drift(bare[0]))) >= 3


def test_every_group_has_its_reason(laid):
    assert "over 97 %" in describe_board_table(laid)["note"]
    frame = board_frame(laid).set_index("who")
    said = frame["evidence"]
    assert said[f"{SEGMENTS[0]}, active"] == "Trial: 800 members, “main”."
    assert said[f"{SEGMENTS[1]}, silent"].startswith("Trial: 800 members, best of 2, ")
    borrowed = said[f"{TOO_NEW}, new"]
    assert borrowed.startswith("Observational (borrowed): best of 2, chance ")
    assert said[f"{SEGMENTS[0]}, churned"] == "None: nothing was tried."


def test_what_to_give_stands_first_and_every_group_once(laid):
    frame = board_frame(laid)
    order = [do.split(" ")[0] for do in frame["do"]]
    assert order == sorted(order, key=["give", "try", "do"].index)
    assert frame["who"].is_unique
    assert frame["members"].sum() == laid.members
    assert frame["net_total_EUR"].dropna().sum() == pytest.approx(laid.table["total_net_value"].sum())
    assert set(frame["do"]) == {"give coupon", "do nothing", "try coupon", "try one"}
    assert "leave_in_90_days_share" in frame
    assert (
        describe_board_table(laid)["title"]
        == "24 groups of members: give in 5, try one in 9 and do nothing in 10"
    )


def test_it_is_said_when_after_joining_a_scheme_was_tried(cells, laid):
    """A week in; later than a quarter is no time of joining, and of members won back it says nothing."""
    before = cells["before"].assign(age_low=7, age_high=7)
    aged = dataclasses.replace(cells, tables={**cells.tables, "before": before})
    early = sj.board(aged, sj.works_on(aged))
    assert sj.headline_board(early).sentence.startswith(
        "Give all frequent buyers who are with us the coupon, 7 days after joining: that brings "
    )
    assert "7 days after joining, as in the trial" in sj.next_steps_board(early)[0].what
    assert "was tried 7 days after joining" in describe_board_table(early)["note"]
    row = early.acting("give").iloc[0]
    assert after_joining(row.replace({7.0: 300.0}), 90) == ""
    assert after_joining(row.replace({"kept": "back"})) == ""
    assert "after joining" not in sj.headline_board(laid).sentence


def test_an_odd_group_is_told_with_what_was_counted(cells, works):
    odd = (works.table["segment"] == SEGMENTS[0]) & (works.table["stage"] == "active")
    odd &= works.table["scheme"] == "coupon"
    strange = dataclasses.replace(works, table=works.table.assign(odd=odd))
    laid = sj.board(cells, strange)
    counted = number(float(works.table.loc[odd, "raw_net_value"].iloc[0]), 2, signed=True)
    row = board_frame(laid).set_index("who").loc[f"{SEGMENTS[0]}, active"]
    assert row["do"] == "try coupon"
    assert f"coupon was counted at {counted} EUR" in row["evidence"]
    checks = {check.name: check for check in sj.check_board(cells, laid, strange, sj.drift(cells))}
    check = checks["Groups do as the others lead to expect"]
    assert check.verdict == "warn"
    assert counted in check.finding


def test_what_would_have_been_predicted_stands_beside_what_came(cells, laid, works, moved):
    frame = forward_frame(laid)
    assert frame["at"].tolist() == ["90 days ago", "90 days ago"]
    last = frame[frame["within"] == "90 days"].iloc[0]
    assert f"; {count(last['did_leave'])} did" in describe_forward(laid)["title"]
    worse = laid.forward.assign(came=laid.forward["predicted_high"] + 1)
    verdicts = [
        {check.name: check.verdict for check in sj.check_board(cells, board, works, moved)}
        for board in (laid, dataclasses.replace(laid, forward=worse))
    ]
    assert [of["Who left last was predicted"] for of in verdicts] == ["pass", "warn"]


def test_boards_beyond_what_was_measured_are_warned_of(cells, laid, works, moved):
    def verdict(works):
        checks = {check.name: check for check in sj.check_board(cells, laid, works, moved)}
        return checks["Worthless schemes are rarely recommended"].verdict

    many = pd.concat([works.table.assign(trial=str(i)) for i in range(7)], ignore_index=True)
    few = works.table.assign(n=works.table["n"].clip(upper=30))
    assert [verdict(dataclasses.replace(works, table=of)) for of in (works.table, many, few)] == [
        "pass",
        "warn",
        "warn",
    ]


def test_actions_have_effect_cost_and_evidence(laid):
    steps = sj.next_steps_board(laid)
    assert [step.what.split(" (")[0] for step in steps] == [
        "Give active frequent buyers the coupon",
        "Give silent frequent buyers the coupon",
        "Try the coupon on silent members in no segment yet",
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
    assert called(table[table["segment"] == TOO_NEW]) == "all members in no segment yet"
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
    assert " of all are frequent buyers, " in describe_drift(moved)["title"]


def test_where_nobody_joins_it_is_said(moved):
    said = sj.say(dataclasses.replace(moved, joined=0))
    assert said.endswith(
        "Nobody joined in these months: members grow older, and no new ones take their place."
    )
    assert "Nobody joined" not in sj.say(moved)


def test_whether_members_are_taken_to_be_alike_is_said(moved):
    known = describe_migration(moved)["subtitle"]
    assert known.endswith(
        "wider where months differ by more than chance and where it is the same members who move."
    )
    alike = describe_migration(dataclasses.replace(moved, by_member=False))["subtitle"]
    assert alike.endswith(
        "chance; members are taken to be alike, so they are too narrow where it is the same members who move."
    )


def test_a_few_members_are_not_sure():
    moved = sj.drift(make_board(members=150), margin=0.01)
    assert "is not sure." in sj.say(moved)


def test_no_months_are_told():
    cells = Cells("test", "board", {}, {"segments": ["a"], "months": []})
    assert sj.say(sj.drift(cells)).startswith("Segments are known at 0 month ends")


def test_checks_say_what_they_found(cells, laid, works, moved):
    checks = {check.name: check for check in sj.check_board(cells, laid, works, moved)}
    assert {check.verdict for check in checks.values()} == {"pass"}
    tried = checks["Most schemes were tried on most members"].finding
    assert "14,096 of 19,995 members (70 %)" in tried
    assert "2.0 of 2 schemes were tried" in tried
    assert "The rule of segments is faithful" not in checks
    said = dataclasses.replace(cells, meta={**cells.meta, "fidelity": 0.7})
    warned = {check.name: check.verdict for check in sj.check_board(said, laid, works, moved)}
    assert warned["The rule of segments is faithful"] == "warn"
    said = dataclasses.replace(cells, meta={**cells.meta, "fidelity": 0.92})
    rule = [
        c for c in sj.check_board(said, laid, works, moved) if c.name == "The rule of segments is faithful"
    ]
    assert rule[0].meaning.startswith("Of 100 members 8 are in another segment here")


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
    assert "members in smaller groups." in describe_board(sj.board(cells, works, min_group=200))["subtitle"]
