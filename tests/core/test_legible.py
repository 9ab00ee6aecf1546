"""Names from data are one line of visible text, and names that differ stay different."""

import unicodedata

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.cells import Cells, legible_cells
from sojourn.core.legible import (
    LONGEST_NAME,
    LONGEST_SENTENCE,
    legible,
    legible_data,
    legible_names,
    listed,
    sentence,
    visible,
)

anything = st.text(alphabet=st.characters(), max_size=60)  # lone surrogates too


@settings(deadline=None, max_examples=400)
@given(anything)
def test_what_is_shown_is_one_line_that_a_terminal_a_page_and_a_file_take(text):
    shown = legible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff`")
    assert legible(shown) == shown
    shown.encode("utf-8")


@settings(deadline=None)
@given(st.sets(anything, max_size=30))
def test_names_that_differ_stay_different_and_short(names):
    shown = [legible_names(names).get(name, name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(len(name) <= LONGEST_NAME + len(" (99)") for name in shown)


@settings(deadline=None)
@given(st.sets(st.text("abcXYZ äöü–()/&<>$=1", max_size=LONGEST_NAME)))
def test_harmless_names_stay_as_they_are(names):
    assert legible_names(names) == {}


def test_two_names_that_look_alike_are_numbered_in_their_order():
    assert legible_names(["a b", "a\nb", "a\tb"]) == {"a\tb": "a b (2)", "a\nb": "a b (3)"}


def test_data_beside_the_cells_is_made_legible_with_the_same_names():
    meta = {"kinds": ["x\ny"], "source": "Tables `a` and `b`.", "of": {"x\ny": "\x1b"}, "n": 3}
    assert set(listed(meta)) == {"x\ny"}
    shown = legible_data(meta, {"x\ny": "x y (2)"})
    assert shown == {
        "kinds": ["x y (2)"],
        "source": "Tables `a` and `b`.",
        "of": {"x y (2)": "\\x1b"},
        "n": 3,
    }


def test_a_message_keeps_its_backticks():
    assert visible("see `spells`\x07") == "see `spells`\\x07"


@settings(deadline=None, max_examples=200)
@given(anything, st.integers(0, 12))
def test_a_sentence_is_one_visible_line_and_longer_than_a_name_may_be(text, times):
    shown = sentence(text * times)
    assert len(shown) <= LONGEST_SENTENCE
    assert visible(shown) == shown
    assert visible(text * times).startswith(shown.removesuffix("…"))


def test_sentences_of_cells_are_not_cut_like_names_and_names_beside_them_are():
    long = "a name that differs from another by case, blanks or form only ('x\ny'); see `values`"
    table = pd.DataFrame({"column": ["c" * 99, None], "finding": [long, "\u202e" + "y" * 999], "n": [1, 2]})
    shown = legible_cells(Cells("x", "quality", {"findings": table}, {})).tables["findings"]
    assert shown["column"][0] == "c" * (LONGEST_NAME - 1) + "…"
    assert shown["finding"][0] == long.replace("\n", " ")
    assert shown["finding"][1].startswith("\\u202eyyy")
    assert len(shown["finding"][1]) == LONGEST_SENTENCE
    assert table["column"][0] == "c" * 99  # cells that somebody else holds are not changed


def test_names_of_segments_are_ours_and_not_cut_and_names_beside_them_are():
    ours = "frequent catalogue viewers who spend more and open fewer messages"
    meta = {"segments": [ours, "two\nlines"], "schemes": ["s" * 99]}
    shown = legible_cells(Cells("x", "board", {}, meta)).meta
    assert shown["segments"] == [ours, "two lines"]
    assert shown["schemes"] == ["s" * (LONGEST_NAME - 1) + "…"]


def test_cells_that_are_legible_stay_the_same_tables():
    table = pd.DataFrame({"finding": ["a rule that is broken"], "column": ["plan"], "n": [1]})
    assert legible_cells(Cells("x", "quality", {"findings": table}, {})).tables["findings"] is table
