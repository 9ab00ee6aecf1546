"""What a page says of a rule to take away: the rule as people read it, and how faithful it is."""

from dataclasses import replace

import numpy as np
import pytest

import sojourn as sj
from sojourn.core.counted import COLUMN_WORDS, column_words
from sojourn.core.measures import Counting, Kind, Measure
from sojourn.core.results.take_away import Condition, Leaf, Points
from sojourn.data.features import BASE, FAMILIES
from sojourn.report.segments_take_away import (
    describe_fidelity,
    describe_rule,
    fidelity_frame,
    hand_out_words,
    rule_frame,
)
from take_away_rules import NAMES, OFTEN, card, small_card, small_tree, tree

SHARE = Measure("likes", "likes (share)", ("kind_1",), over="events")


def with_fidelity(rule, **changes):
    return replace(rule, fidelity=replace(rule.fidelity, **changes))


def test_a_tree_is_read_row_by_row():
    frame = rule_frame(small_tree())
    assert list(frame["if"]) == [
        "active days a month at least 4",
        "active days a month below 4 and days since last active below 30",
        "active days a month below 4 and days since last active at least 30",
    ]
    assert list(frame["then"]) == list(NAMES)
    assert list(frame["n"]) == [50, 30, 40]
    assert list(frame["same_share"]) == [0.9, 0.8, 0.95]


def test_bounds_of_shares_are_told_in_percent_and_others_with_their_digits():
    conditions = (Condition(0, 0.125, 0.2), Condition(1, None, 1_250.0), Condition(1, 0.075, None))
    rule = tree([Leaf((c,), 0, 20, 1.0) for c in conditions], measures=(SHARE, OFTEN))
    assert list(rule_frame(rule)["if"]) == [
        "likes 12.5 % to below 20 %",
        "active days a month below 1,250",
        "active days a month at least 0.075",
    ]


def test_a_tree_of_one_end_asks_nothing():
    assert list(rule_frame(tree([Leaf((), 1, 20, 1.0)]))["if"]) == ["always"]


def test_a_scorecard_is_read_range_by_range_with_its_sums_at_the_end():
    frame = rule_frame(small_card())
    assert frame.to_numpy().tolist() == [
        ["active days a month", "below 1.5", "0 points"],
        ["active days a month", "1.5 to below 4", "3 points"],
        ["active days a month", "at least 4", "10 points"],
        ["days since last active", "below 7", "6 points"],
        ["days since last active", "7 to below 30", "4 points"],
        ["days since last active", "at least 30", "0 points"],
        ["sum of points", "up to 4", f"“{NAMES[0]}”"],
        ["sum of points", "5 to 10", f"“{NAMES[1]}”"],
        ["sum of points", "11 or more", f"“{NAMES[2]}”"],
    ]


def test_the_title_says_how_many_and_plainly_when_they_are_few():
    assert describe_rule(small_tree())["title"] == "A tree of 3 rows gives 90 of 100 members the same segment"
    poor = with_fidelity(small_card(), same=0.5, same_low=0.45)
    assert (
        describe_rule(poor)["title"]
        == "A scorecard of 2 measures gives only 50 of 100 members the same segment"
    )


def test_the_currency_is_told_only_where_the_rule_reads_money():
    reads = card([Points(0, (1.0,), (0, 5))], (2,), names=NAMES[:2])
    assert "Amounts are in EUR" in describe_rule(reads)["note"]  # its measures hold spend
    assert "EUR" not in describe_rule(replace(reads, measures=(OFTEN,)))["note"]


def test_each_segment_has_its_two_shares_and_none_where_there_is_nobody():
    frame = fidelity_frame(small_tree())
    assert list(frame["segment"]) == list(NAMES)
    row = frame.iloc[0]
    assert (row["n"], row["called_members"]) == (40, 38)
    assert (row["found_share"], row["found_share_low"], row["found_share_high"]) == (0.9, 0.8, 0.95)
    first, *rest = small_tree().fidelity.segments
    nobody = with_fidelity(small_tree(), segments=(replace(first, called=0), *rest))
    assert np.isnan(fidelity_frame(nobody).iloc[0]["rightly_called_share"])


def test_what_the_rule_costs_is_told_with_its_interval():
    same = describe_fidelity(small_tree())["note"]
    assert "explains 18.0 % of what members did next, the full segmentation 20.0 %: no difference" in same
    less = describe_fidelity(with_fidelity(small_tree(), lost_low=0.01))["note"]
    assert "2.0 points less (1.0 to 5.0)" in less
    more = describe_fidelity(with_fidelity(small_tree(), lost=-0.02, lost_low=-0.03, lost_high=-0.01))["note"]
    assert "2.0 points more (−3.0 to −1.0)" in more


def test_the_segment_that_is_found_least_is_named():
    first, *rest = small_tree().fidelity.segments
    rule = with_fidelity(small_tree(), segments=(replace(first, found=0.31), *rest))
    assert describe_fidelity(rule)["title"].endswith("of “steady” 31")
    none = with_fidelity(small_tree(), segments=tuple(replace(s, n=0) for s in (first, *rest)))
    assert describe_fidelity(none)["title"].endswith("no segment is large enough to be told")


@pytest.mark.parametrize("rule", [small_tree(), small_card()], ids=["tree", "card"])
def test_a_rule_is_shown_in_both_ways_and_said(rule):
    assert sj.show(rule, name="rule").kind == "table"
    assert sj.show(rule, name="rule-fidelity", view="fidelity").kind == "table"
    assert sj.say(rule).startswith(describe_rule(rule)["title"])
    assert rule.fingerprint in hand_out_words(rule)["sentence"]


def test_every_column_that_is_counted_has_words():
    columns = [*BASE, "value", *(name for family in FAMILIES.values() for name in family.columns)]
    assert set(columns) == set(COLUMN_WORDS)
    counting = Counting(14, 60, (Kind("view", "news"), Kind("like")), tuple(FAMILIES), ("like", "share"))
    for name in [*columns, "kind_1", "kind_2"]:
        assert "{" not in column_words(name, counting, "EUR")
    assert column_words("active_before", counting).endswith("in the 14 days before those")
    assert column_words("kind_1", counting) == "events 'view' in the feature 'news'"
    assert column_words("kind_2", counting) == "events 'like'"
    assert column_words("social", counting) == "events of these kinds: 'like', 'share'"
    assert (
        column_words("value", counting, "EUR") == "sum of the amounts of events in EUR, at most four decimals"
    )
