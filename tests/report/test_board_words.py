"""What is said of the board, of effects by group and of drift follows their numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from board_worlds import MOVES, SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.core.results.board import TOO_NEW, Drift
from sojourn.core.text import count, number
from sojourn.report.board import (
    describe_board,
    describe_forward,
    describe_leaving,
    forward_frame,
    leaving_frame,
)
from sojourn.report.board_drift import changes_frame, describe_changes, describe_drift, describe_migration
from sojourn.report.board_next import first_to_try, smallest_seen
from sojourn.report.board_table import board_frame, describe_board_table, describe_stages, stages_frame
from sojourn.report.board_whom import about_bands, after_joining, people, whom
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
        f"Give all frequent buyers who are with us the coupon (4,000 members): that brings "
        f"{count(total.value)} EUR (95 % "
        "credible "
        f"interval {count(total.low)} to {count(total.high)}) within 90 days."
    )
    assert (headline.verdict, headline.status, headline.unit) == ("give what pays", "ok", "EUR")
    still, unknown = laid.acting("do nothing")["members"].sum(), laid.acting("try one")["members"].sum()
    assert f"Do nothing for {count(still)} members" in headline.detail
    assert "has a chance of less than 20 %. Of other schemes nothing is known." in headline.detail
    assert (
        "any of the 2 schemes tried on members like these would bring more than 0.50 EUR" in headline.detail
    )
    assert f"Too little is known of {count(unknown)} members, most of them churned; " in headline.detail


def test_where_nobody_was_followed_it_says_so_in_place_of_pictures(cells, works, moved):
    """No landmark, groups that are all too small there, and segments of which nobody's moves are told."""
    none = dataclasses.replace(cells, tables={**cells.tables, "since": cells["since"].iloc[:0]})
    few = dataclasses.replace(cells, tables={**cells.tables, "since": cells["since"].assign(n=3)})
    for these in (none, few):
        block = sj.show(sj.board(these, works), name="leaving", view="leaving")
        assert block.kind == "missing"
        assert block.data["text"] == (
            "No group has enough members who were followed for long enough to tell who will leave."
        )
    still = dataclasses.replace(moved, migration=moved.migration.iloc[:0])
    block = sj.show(still, name="moves", view="migration")
    assert (block.kind, block.data["text"]) == ("missing", "No segment has enough members to tell of moves.")


def test_a_failed_check_blocks_the_answer(laid):
    headline = sj.headline_board(laid, [sj.Check("Groups are large enough", "fail", "", "")])
    assert (headline.verdict, headline.status) == ("cannot be relied on", "blocked")


def test_where_nothing_is_given_there_is_nothing_to_block(bare, laid):
    check = sj.Check("Members of all schemes were alike before", "cannot be judged", "", "")
    assert sj.headline_board(laid, [check]).status == "blocked"
    headline = sj.headline_board(bare[1], [check])
    assert (headline.verdict, headline.status) == ("try a scheme", "ok")


def test_warnings_stand_beside_the_answer(laid):
    warn = sj.Check("Segments are where they were", "warn", "", "")
    assert sj.headline_board(laid, [warn]).detail.endswith("Warnings: the shares of segments have moved.")


def test_where_nothing_pays_it_says_so(cells, works):
    strict = sj.board(cells, dataclasses.replace(works, table=works.table.assign(p_worth=0.1)))
    headline = sj.headline_board(strict)
    assert headline.sentence == "No scheme is surely worth it for any group."
    assert (headline.verdict, headline.status) == ("do nothing yet", "ok")
    assert headline.interval is None
    other = dataclasses.replace(strict, table=strict.table.assign(act="do nothing", p_wrong=0.1))
    [step] = sj.next_steps_board(other)
    assert step.what.startswith("Try another scheme on ")


def test_without_trials_it_says_on_whom_to_try_one(bare):
    cells, laid = bare
    headline = sj.headline_board(laid)
    assert headline.sentence.startswith("No scheme was ever tried on these members: try one on ")
    assert "will come within 90 days" in headline.sentence
    assert headline.verdict == "try a scheme"
    first = first_to_try(laid, laid.table)
    share = first.share.scaled(100)
    said = f"{number(share.value, 0)} in 100 (95 % prediction interval {number(share.low, 0)} to "
    assert f"members {said}{number(share.high, 0)}) will come within 90 days." in headline.sentence
    assert headline.interval == share
    assert headline.unit == "members in 100"
    words = describe_board(laid)
    assert words["title"] == f"Nothing was tried on any of {count(laid.members)} members"
    assert not any(mark in words["subtitle"] for mark in ("Filled", "Dash", "Star"))
    assert words["alt"] == headline.sentence == sj.say(laid)
    assert "nothing tried on any" in describe_board_table(laid)["title"]
    assert "evidence" not in board_frame(laid)
    worth = sj.key_figures_board(laid, sj.drift(cells))[0]
    assert (worth.value, worth.interval) == (
        "not known",
        f"no scheme was tried on any of {count(laid.members)} members",
    )


def test_a_trial_is_proposed_with_why_there_and_what_it_can_show(bare):
    """Of 100 more or less likely to come, most is open where members times p times 1 - p is largest."""
    _, laid = bare
    share = laid.table["come_90_share"]
    row = laid.table.loc[(laid.table["members"] * share * (1 - share)).idxmax()]
    [step] = sj.next_steps_board(laid)
    on = people(row["segment"], row["stage"])
    half = f"Try a scheme on {on}, on half of {count(row['members'])} members by lot. "
    assert step.what.startswith(f"{half}Of all groups this is the one of which it is least sure how many ")
    least = 2.8 * (4 * row["come_90_share"] * (1 - row["come_90_share"]) / row["members"]) ** 0.5
    assert f"from about {100 * least:.0f} members in 100 on in who comes" in step.effect
    assert step.cost == "The scheme for half of them, and 90 days."
    assert step.evidence == "none: nothing was tried on them"


def test_half_against_half_finds_8_in_10_of_the_smallest_difference():
    rng = np.random.default_rng(0)
    members, share = 2_000, 0.3
    apart = smallest_seen(members, share)
    arms = rng.binomial(members // 2, [share - apart / 2, share + apart / 2], (20_000, 2)) / (members / 2)
    error = (2 * arms.mean(axis=1) * (1 - arms.mean(axis=1)) / (members / 2)) ** 0.5
    assert (np.abs(arms[:, 1] - arms[:, 0]) > 1.96 * error).mean() == pytest.approx(0.8, abs=0.02)


def test_where_coming_is_not_known_a_scheme_is_tried_on_the_largest_group(laid):
    plain = dataclasses.replace(laid, leave_days=())
    table = laid.table.drop(columns=[name for name in laid.table if "_share" in name])
    first = first_to_try(plain, table)
    assert (first.share, first.why) == (None, "this one has most members")
    assert first.row["members"] == table.loc[table["stage"] != "churned", "members"].max()
    gone = first_to_try(laid, laid.table[laid.table["stage"] == "churned"])
    assert gone.will == "be back"


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
    assert figures["Members of whom nothing is known, not even from others like them"].value == "3,999"
    assert 3 <= len(figures) <= 5
    assert len(sj.key_figures_board(bare[1], sj.drift(bare[0]))) >= 3


def test_every_group_has_its_reason(laid):
    assert "over 97 %" in describe_board_table(laid)["note"]
    frame = board_frame(laid).set_index("who")
    said = frame["evidence"]
    assert said[f"{SEGMENTS[0]}, active"] == (
        "Trial: 800 members, “main”; the chance that it loses money is at most 1 in 100."
    )
    row = laid.cell(SEGMENTS[1], "silent")
    bounds = [number(row[f"total_net_value{end}"], 0) for end in ("", "_low", "_high")]
    assert said[f"{SEGMENTS[1]}, silent"].startswith(
        f"Trial: 800 members; the {row['called']}, the likeliest of 2 schemes, would bring {bounds[0]} EUR "
        f"({bounds[1]} to {bounds[2]}); the chance that one of them is worth it is at most "
    )
    borrowed = said[f"{TOO_NEW}, new"]
    assert borrowed.startswith(
        "Observational (borrowed): the likeliest of 2 schemes, worth it with a chance "
    )
    assert said[f"{SEGMENTS[0]}, churned"] == "None: nothing was tried on them."


def test_doing_nothing_has_no_number_of_a_scheme_and_says_that_others_were_not_tried(laid):
    still = board_frame(laid).set_index("do").loc["do nothing"]
    numbers = ["kept_or_back_points", "net_total_EUR", "net_total_EUR_high"]
    assert still[numbers].isna().all(axis=None)
    assert "of schemes not tried there nothing is known" in describe_board_table(laid)["note"]
    drawn = laid.drawn()[(laid.table["act"] == "do nothing").to_numpy()]
    assert drawn[["net_value", "total_net_value"]].isna().all(axis=None)
    assert set(drawn["called"]) == {""}
    assert "p_wrong" not in drawn


def test_the_only_scheme_that_was_tried_is_told_as_such(laid):
    one = laid.table.assign(n_schemes=1)
    said = board_frame(dataclasses.replace(laid, table=one)).set_index("do").loc["do nothing", "evidence"]
    assert said.str.contains("the only one tried, would bring").all()
    assert said.str.contains("the chance that it is worth it is at most").all()


def test_leaving_and_being_back_are_columns_of_their_own(laid):
    frame = board_frame(laid)
    gone = frame["who"].str.endswith("churned")
    assert frame.loc[gone, "leave_in_90_days_share"].isna().all()
    assert frame.loc[gone, "back_in_90_days_share"].notna().any()
    assert frame.loc[~gone, "back_in_90_days_share"].isna().all()
    shown = leaving_frame(laid)
    gone = shown["stage"] == "churned"
    assert shown.loc[gone, "leave_90_share"].isna().all()
    assert shown.loc[~gone, "back_90_share"].isna().all()


def test_stages_are_told_by_the_days_of_the_cells(cells, works):
    days = {"active_days": 14, "growing_days": 60, "silent_days": 21}
    said = dataclasses.replace(cells, meta={**cells.meta, "params": days})
    laid = sj.board(said, works)
    frame = stages_frame(laid).set_index("stage")
    assert frame.loc["new", "who"] == "joined less than 14 days ago"
    assert frame.loc["growing", "who"] == "joined 14 to 60 days ago, and did something in the last 21 days"
    assert frame.loc["churned", "who"] == "cancelled, and is not back"
    assert frame["members"].sum() == laid.members
    words = describe_stages(laid)
    assert words["title"] == f"{count(frame['members'].max())} of {count(laid.members)} members are active"
    assert "Churned members are in the segment in which they left." in words["note"]
    assert stages_frame(sj.board(cells, works)).empty


def test_bands_are_told_to_be_what_they_were():
    assert about_bands(["least active quarter", "most active quarter"]) == (
        "Each quarter was a quarter of all members when the rule was made; it may hold more or fewer now."
    )
    assert about_bands(SEGMENTS) == ""


def test_what_to_give_stands_first_and_every_group_once(laid):
    frame = board_frame(laid)
    order = [do.split(" ")[0] for do in frame["do"]]
    assert order == sorted(order, key=["give", "try", "do"].index)
    assert frame["who"].is_unique
    assert frame["members"].sum() == laid.members
    told = laid.table.loc[laid.table["act"] != "do nothing", "total_net_value"].sum()
    assert frame["net_total_EUR"].sum() == pytest.approx(told)
    assert set(frame["do"]) == {"give coupon", "do nothing", "try coupon", "try one"}
    assert "leave_in_90_days_share" in frame
    assert (
        describe_board_table(laid)["title"]
        == "24 groups of members: give in 5, try one in 9 and do nothing in 10"
    )


def test_it_is_said_when_after_joining_a_scheme_was_tried(cells, laid):
    """A week in; more than a quarter apart is no one time, and of members won back it says nothing."""
    before = cells["before"].assign(age_low=7, age_high=7)
    aged = dataclasses.replace(cells, tables={**cells.tables, "before": before})
    early = sj.board(aged, sj.works_on(aged))
    assert sj.headline_board(early).sentence.startswith(
        "Give all frequent buyers who are with us the coupon, 7 days after joining (4,000 members): that "
    )
    assert "7 days after joining, as in the trial" in sj.next_steps_board(early)[0].what
    assert "was tried 7 days after joining" not in describe_board_table(early)["note"]
    row = early.acting("give").iloc[0]
    assert after_joining(row.replace({7.0: 300.0}), 90) == "300 days after joining"
    assert after_joining(pd.concat([row.drop("age_high"), pd.Series({"age_high": 98.0})]), 90) == ""
    assert after_joining(row.replace({"kept": "back"})) == ""
    assert "after joining" not in sj.headline_board(laid).sentence


def test_it_is_said_how_many_can_be_given_a_scheme_as_it_was_tried(laid):
    late = dataclasses.replace(laid, table=laid.table.assign(due=laid.table["members"] / 4))
    some = "1,000 of 4,000 members can still be given it as it was tried"
    assert f"the coupon ({some}): that brings " in sj.headline_board(late).sentence
    assert f": {some}, and its total is theirs" in describe_board_table(late)["note"]
    given = late.acting("give").nlargest(1, "total_net_value").iloc[0]
    one = (
        f"({count(given['due'])} of {count(given['members'])} members can still be given it as it was tried)"
    )
    assert one in sj.next_steps_board(late)[0].what
    assert sj.key_figures_board(late, Drift("", 0.95, 0.05, why_empty="None."))[0].value == "1,000 of 19,995"
    assert describe_board(late)["title"] == "A scheme is worth it for 1,000 of 19,995 members"


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
    worse = laid.forward.assign(p_came=0.001)
    verdicts = [
        {check.name: check.verdict for check in sj.check_board(cells, board, works, moved)}
        for board in (laid, dataclasses.replace(laid, forward=worse))
    ]
    assert [of["Earlier predictions came true"] for of in verdicts] == ["pass", "warn"]


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
    assert [step.what.split(" (")[0].split(", on half")[0] for step in steps] == [
        "Give active frequent buyers the coupon",
        "Give silent frequent buyers the coupon",
        "Try the coupon on silent members in no segment yet",
    ]
    assert all(step.effect and step.cost and step.evidence for step in steps)
    assert steps[0].evidence == "trial: the trial “main”, 800 members"
    assert steps[2].evidence.startswith("observational: borrowed from members like them; the likeliest of 2 ")
    assert steps[2].cost == "The coupon for half of them, and 90 days."
    assert "will lose most members" in steps[2].what


def test_leaving_is_told_of_the_group_that_leaves_most(laid, bare):
    words = describe_leaving(laid)
    rows = laid.table[laid.table["stage"] != "churned"]
    top = rows.loc[rows["leave_90_share"].idxmax()]
    assert words["title"] == (
        f"Of {people(top['segment'], top['stage'])} {number(100 * top['leave_90_share'], 0)} in 100 will "
        "leave within 90 days"
    )
    rows = bare[1].table
    least = rows.loc[rows["come_90_share"].idxmin()]
    assert describe_leaving(bare[1])["title"].startswith(f"Of {people(least['segment'], least['stage'])} ")
    sure = dataclasses.replace(bare[1], table=rows.assign(come_90_share=0.9953))
    assert "more than 99 in 100 will come within 90 days" in describe_leaving(sure)["title"]
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


def test_a_move_that_may_go_either_way_keeps_its_sign(moved):
    change = {"change_points": -0.01, "change_points_low": -0.027, "change_points_high": 0.007}
    either = dataclasses.replace(moved, changes=moved.changes.iloc[[0]].assign(**change))
    assert ": −1.0 in 100 (95 % confidence interval −2.7 to 0.7) against the average at " in sj.say(either)
    sure = dataclasses.replace(either, changes=either.changes.assign(change_points_high=-0.002))
    assert ": 1.0 fewer members in 100 (95 % confidence interval 0.2 to 2.7) than on " in sj.say(sure)
    assert "Jeffreys" not in describe_migration(moved)["subtitle"]


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


def test_a_few_who_join_are_somebody_and_of_rounded_numbers_it_is_not_known():
    """Fewer than may have a row of the matrix; of private cases few are told as nobody."""
    rows = [(month, s, s, n) for month in "12" for s, n in ((0, 40), (1, 60))]

    def said(joined, **meta):
        names = ["month", "from_segment", "to_segment", "n"]
        moves = pd.DataFrame([*rows, *joined], columns=names)
        about = {"segments": ["a", "b"], "months": list("123"), **meta}
        return sj.say(sj.drift(Cells("test", "board", {"moves": moves}, about)))

    assert "joined" not in said([("1", -3, -1, 5), ("2", -1, 0, 5)])
    assert " Nobody joined in these months" in said([])
    rounded = said([], protected={"base": 20})
    assert "Nobody" not in rounded
    assert " Hardly anybody joined in these months" in rounded


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


@pytest.mark.parametrize("verdict", ["pass", "warn", "fail"])
def test_the_rule_has_one_verdict(cells, laid, works, moved, verdict):
    """That of the page on groups, whatever share of members is in the same segment."""
    said = dataclasses.replace(cells, meta={**cells.meta, "fidelity": 0.85, "faithful": verdict})
    checks = {check.name: check for check in sj.check_board(said, laid, works, moved)}
    rule = checks["The rule of segments is faithful"]
    assert rule.verdict == verdict
    assert rule.meaning.startswith("Of 100 members 15 are in another segment here")


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
