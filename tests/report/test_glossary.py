"""Terms of art in plain sentences."""

import re

import pytest

from sojourn.report.glossary import TERMS, render_glossary, terms_in

WANTED = [
    "credible interval",
    "confidence interval",
    "censored",
    "restricted mean",
    "lift",
    "expected loss",
    "ROPE",
    "net value",
    "partial pooling",
    "sample ratio",
    "cohort",
    "lapse",
    "adjusted Rand",
    "segment",
    "gradient",
    "RFM",
    "cut date",
    "valley",
    "look",
    "score",
    "structureless data",
    "exposure",
    "R-hat",
    "effective draws",
    "false alarm",
    "exercise",
    "first long silence",
]


def test_every_term_has_one_sentence_a_textbook_word_and_an_anchor_of_its_own() -> None:
    assert len({term.anchor for term in TERMS}) == len(TERMS)
    for term in TERMS:
        assert re.fullmatch(r"[A-Z0-9][^.!?]*(?:\.\d[^.!?]*)*\.", term.meaning), term
        assert term.textbook
        assert not term.textbook.endswith(".")


@pytest.mark.parametrize("name", WANTED)
def test_the_words_our_pages_use_are_there(name: str) -> None:
    assert name in {term.name for term in TERMS}


def test_terms_are_found_as_whole_words_in_any_case_and_number() -> None:
    assert [term.name for term in terms_in("Credible intervals of each Cohort")] == [
        "cohort",
        "credible interval",
    ]
    assert [term.name for term in terms_in("shoplifting")] == []
    assert [term.name for term in terms_in("A guard failed before the cut")] == ["cut date", "guard-rail"]
    assert [term.name for term in terms_in("by Kaplan–Meier")] == ["retention curve"]


def test_the_page_is_stable_and_has_an_anchor_for_every_term() -> None:
    page = render_glossary()
    assert page == render_glossary()
    for term in TERMS:
        assert page.count(f'id="{term.anchor}"') == 1
