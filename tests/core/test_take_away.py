"""Rules to take away: what they decide, and that their file says the same."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.results.take_away import NO_SEGMENT, TakeAway
from take_away_rules import SPENT, any_counts, by_hand, counts, rules, small_card, small_tree


def test_a_tree_gives_a_member_the_segment_of_the_one_leaf_it_comes_to():
    members = counts(active_days=[16, 15, 15], recency_days=[50, 29, 30])
    assert list(small_tree().assign(members)) == [0, 1, 2]  # 16 days in 120 are 4 a month, on the bound


def test_a_scorecard_adds_points_and_a_sum_on_a_cut_belongs_above():
    members = counts(active_days=[16, 5, 6, 0], recency_days=[3, 3, 7, 40])
    # 10 + 6; 0 + 6 (1.25 a month); 3 + 4 (1.5 a month, on the bound; 7 days, on the bound); 0 + 0
    assert list(small_card().assign(members)) == [2, 1, 1, 0]
    assert list(replace(small_card(), cuts=(6, 7)).assign(members)) == [2, 1, 2, 0]


def test_who_is_too_new_or_not_wholly_known_has_no_segment():
    members = counts(observed_days=[30, 29, 30], active_days=[9, 9, None])
    assert list(small_tree().assign(members)) == [0, NO_SEGMENT, NO_SEGMENT]
    assert list(small_tree().named(members)) == ["steady", None, None]


def test_what_a_rule_does_not_read_does_not_matter():
    members = counts(active_days=[16])
    assert "kind_2" in small_tree().inputs
    asks_two = replace(small_tree(), measures=small_tree().measures[:2])
    assert asks_two.inputs == ("observed_days", "active_days", "recency_days")
    assert list(asks_two.assign(members.drop(columns=["kind_2", "value"]))) == [0]


@given(rules(), any_counts())
def test_every_row_gets_what_fractions_by_hand_give(rule, members):
    assert list(rule.assign(members)) == list(by_hand(rule, members))


@given(rules(), any_counts())
def test_order_of_rows_and_index_change_nothing(rule, members):
    turned = members.iloc[::-1].set_axis([7] * len(members))
    assert list(rule.assign(turned)) == list(rule.assign(members))[::-1]


@given(st.lists(st.integers(-200_000, 200_000), max_size=40))
def test_money_is_the_sum_of_its_prices_whether_held_exactly_or_as_floats(cents):
    held = [float(sum(c / 100 for c in cents)), Decimal(sum(cents)) / 100]
    told = [counts(value=[value], observed_days=[30]) for value in held]
    assert SPENT.of(told[0])[0] == SPENT.of(told[1])[0] == sum(cents) / 100


@given(rules())
def test_a_file_says_the_same_rule_in_the_same_bytes(rule):
    read = TakeAway.from_json(rule.to_json())
    assert read == rule
    assert read.fingerprint == rule.fingerprint
    assert read.to_json() == rule.to_json()


def test_the_fingerprint_is_of_what_decides():
    rule = small_tree()
    first, *rest = rule.leaves
    assert replace(rule, leaves=(replace(first, same=0.1), *rest)).fingerprint == rule.fingerprint
    moved = replace(first, conditions=(replace(first.conditions[0], low=4.5),))
    assert replace(rule, leaves=(moved, *rest)).fingerprint != rule.fingerprint
    assert replace(rule, segments=("other", *rule.segments[1:])).fingerprint != rule.fingerprint


def test_a_rule_changed_by_hand_is_refused():
    text = small_tree().to_json().replace('"high": 30.0', '"high": 31.0')
    with pytest.raises(DataError, match="changed after it was written"):
        TakeAway.from_json(text)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('"same": 0.83', '"same": 0.99'),
        ('"case": "demo"', '"case": "shop"'),
        ('"currency": "EUR"', '"currency": "USD"'),
        ('"learned_at": "2025', '"learned_at": "2026'),
        ('"members": 50', '"members": 500'),
    ],
)
def test_what_a_rule_says_of_itself_cannot_be_changed_by_hand(written, instead):
    rule = replace(small_tree(), fidelity=replace(small_tree().fidelity, same=0.83))
    text = rule.to_json()
    assert written in text
    with pytest.raises(DataError, match="changed after it was written"):
        TakeAway.from_json(text.replace(written, instead))


def test_a_rule_of_another_format_is_refused():
    content = json.loads(small_tree().to_json()) | {"format": 99}
    with pytest.raises(DataError, match="format 99, this version reads 1"):
        TakeAway.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}'])
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(DataError, match="no rule of segments"):
        TakeAway.from_json(text)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("active_days", 2.5, "whole numbers; got 2.5"),
        ("active_days", "many", "what is no number"),
        ("active_days", 2 * 10**12, "at most 1,000,000,000,000"),
        ("value", Decimal("1e13"), "at most"),
        ("value", float("inf"), "at most"),
    ],
)
def test_columns_that_hold_no_counts_are_refused(column, value, message):
    with pytest.raises(ParameterError, match=message):
        small_tree().assign(counts(**{column: [value]}))


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="no column 'recency_days' in the counts"):
        small_tree().assign(counts(active_days=[1]).drop(columns="recency_days"))


def test_nobody_has_no_segments():
    assert len(small_tree().assign(counts(active_days=[1]).iloc[:0])) == 0


def test_integers_with_gaps_are_read_however_pandas_holds_them():
    gaps = pd.array([16, None], dtype="Int64")
    floats = np.array([16.0, np.nan])
    for held in (gaps, floats, [16, None]):
        assert list(small_tree().assign(counts(active_days=held))) == [0, NO_SEGMENT]
