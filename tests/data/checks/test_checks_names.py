"""Rules on names."""

from __future__ import annotations

from datetime import date

import pytest

from sojourn.data.checks.categories import Name, fresh, is_nothing, rare, respelt, undeclared

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)


def named(*texts: str, rows: int = 100, first: date = FIRST) -> list[Name]:
    return [Name(text, rows, first) for text in texts]


@pytest.mark.parametrize("text", ["NULL", "N/A", " - ", "nan", "None", "unknown", "#N/A"])
def test_words_for_nothing(text):
    assert is_nothing(text, "channel")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("none", "scheme"),
        ("unknown", "age_band"),
        ("nonesuch", "channel"),
        ("north", "region"),
        ("0", "channel"),
    ],
)
def test_names_that_are_no_words_for_nothing(text, column):
    assert not is_nothing(text, column)


def test_the_more_common_spelling_is_the_name():
    common, other = Name("Search", 50, FIRST), Name("search ", 3, FIRST)
    assert respelt([other, common]) == [other]


@pytest.mark.parametrize(
    "pair", [("e\u0301", "é"), ("ｓｈｏｐ", "shop"), ("STRASSE", "straße"), ("a  b", "a\u00a0b")]
)
def test_spellings_of_one_name(pair):
    assert len(respelt(named(*pair))) == 1


@pytest.mark.parametrize("pair", [("shop", "shops"), ("resume", "résumé"), ("a b", "ab")])
def test_names_of_their_own(pair):
    assert respelt(named(*pair)) == []


def test_rare_names_are_the_few_among_many():
    odd = Name("test", 3, FIRST)
    assert rare([*named("a", "b"), odd], 203) == [odd]
    assert rare([*named("a"), odd, Name("test2", 1, FIRST)], 104) == []  # most names are like that
    assert rare([*named("a", "b", rows=20), odd], 43) == []  # few rows


def test_fresh_names_came_in_the_last_two_weeks():
    new, older = Name("new", 90, date(2024, 12, 20)), Name("older", 90, date(2024, 12, 17))
    assert fresh([*named("a"), new, older], 280, FIRST, LAST) == [new]
    assert fresh([new], 90, date(2024, 10, 1), LAST) == []  # everything is new in a short table
    assert fresh([new], 40, FIRST, LAST) == []  # and in a small one


def test_undeclared_names():
    assert [name.text for name in undeclared(named("a", "B"), ["a", "b"])] == ["B"]
