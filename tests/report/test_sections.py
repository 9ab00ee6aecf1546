"""A notebook's blocks as the sections of a page."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.report.sections import Section, missing_from, sections_of, without_missing


@dataclass(frozen=True)
class Shown:
    kind: Any
    content: Any
    place: Any = ""


def prose(text: str, place="") -> Shown:
    return Shown("prose", text, place)


def code(text: str) -> Shown:
    return Shown("code", text)


def block(kind: str) -> Shown:
    return Shown("block", {"kind": kind})


def outline(sections: list[Section]) -> list[list[str]]:
    return [[part["kind"] for part in section.parts] for section in sections]


def test_prose_of_before_follows_the_answer() -> None:
    made = sections_of(
        [prose("# Who?\n\nBefore."), prose("## In short\n\nAnd."), block("answer"), block("figures")]
    )
    assert outline(made) == [["answer", "prose", "prose", "figures"]]
    assert "Before." in made[0].parts[1]["html"]
    assert "In short" in made[0].heading


def test_a_page_without_headings_keeps_everything() -> None:
    assert outline(sections_of([prose("# Who?\n\nBefore."), block("answer")])) == [["answer", "prose"]]
    assert outline(sections_of([prose("Before."), block("note")])) == [["prose", "note"]]


def test_headings_within_one_cell_begin_sections_of_their_own() -> None:
    made = sections_of([prose("After.\n\n## One?\n\nText.\n\n## Two?"), block("note")])
    assert outline(made) == [["prose"], ["prose"], ["note"]]
    assert ["One?" in made[1].heading, "Two?" in made[2].heading] == [True, True]


def test_code_that_makes_nothing_waits_for_the_section_that_shows_something() -> None:
    made = sections_of([prose("# Who?"), code("a = 1"), prose("## In short"), code("b = 2"), block("answer")])
    assert outline(made) == [["answer", "code"]]
    html = made[0].parts[1]["html"]
    assert ">a<" in html
    assert ">b<" in html


def test_code_of_the_answer_comes_once_at_the_end_of_its_section() -> None:
    made = sections_of(
        [
            prose("## In short"),
            code("a"),
            block("answer"),
            prose("And."),
            code("b"),
            block("figures"),
            prose("So."),
        ]
    )
    assert outline(made)[0] == ["answer", "prose", "figures", "prose", "code"]


def test_code_elsewhere_stands_behind_what_it_made() -> None:
    made = sections_of([prose("## One?"), code("a"), block("table"), prose("So."), code("b"), block("note")])
    assert outline(made)[0] == ["table", "code", "prose", "note", "code"]


def test_only_the_first_line_can_be_the_title() -> None:
    made = sections_of([prose("# Who?\n\n```\n# a comment\n```")])
    assert "# a comment" in made[0].parts[0]["html"]


KINDS = st.sampled_from(["prose", "heading", "code", "note", "text"])


@settings(deadline=None)
@given(st.lists(KINDS, max_size=12))
def test_nothing_is_lost_and_the_order_is_kept(kinds: list[str]) -> None:
    makers = {
        "prose": lambda i: prose(f"words{i}"),
        "heading": lambda i: prose(f"## head{i}"),
        "code": lambda i: code(f"code{i}"),
        "note": lambda i: Shown("block", {"kind": "note", "text": f"note{i}"}),
        "text": lambda i: Shown("text", f"text{i}"),
    }
    made = sections_of([makers[kind](i) for i, kind in enumerate(kinds)])
    whole = "".join(str(section.heading) + str(section.parts) for section in made)
    marks = {"prose": "words", "heading": "head", "code": "code", "note": "note", "text": "text"}
    for i, kind in enumerate(kinds):
        assert f"{marks[kind]}{i}" in whole
    shown = [whole.index(f"{marks[kind]}{i}") for i, kind in enumerate(kinds) if kind != "code"]
    assert shown == sorted(shown)


def gone(why="nobody left"):
    return Shown("block", {"kind": "missing", "text": why})


def left_of(*items):
    return [item.content if item.kind != "block" else item.content["kind"] for item in without_missing(items)]


def test_what_is_missing_takes_its_code_and_its_prose_along():
    items = [block("note"), prose("About a.", "before"), code("a"), gone(), prose("So a.", "after")]
    assert left_of(*items, prose("About b.", "before"), code("b"), block("note")) == [
        "note",
        "About b.",
        "b",
        "note",
    ]


def test_prose_that_belongs_to_nothing_stays():
    assert left_of(prose("Always."), code("a"), gone(), prose("Always too.")) == ["Always.", "Always too."]


def test_a_heading_stays_when_something_follows_under_it():
    items = [prose("## When?\n\nAbout a.", "before"), code("a"), gone()]
    assert left_of(*items, prose("About b.", "before"), block("note")) == ["## When?", "About b.", "note"]
    assert left_of(*items, prose("## Who?\n\nAbout b.", "before"), block("note")) == [
        "## Who?\n\nAbout b.",
        "note",
    ]
    assert left_of(*items) == []


def test_several_things_may_be_missing_one_after_the_other():
    items = [prose("## When?\n\nA.", "before"), code("a"), gone("x"), prose("So.", "after")]
    items += [prose("B.", "before"), code("b"), gone("y"), prose("C.", "before"), code("c"), gone("x")]
    assert left_of(*items, prose("## Who?"), block("note")) == ["## Who?", "note"]
    assert missing_from(items) == ["x", "y"]


def test_what_does_not_apply_goes_without_a_word():
    items = [prose("A.", "before"), code("a"), gone(""), prose("So.", "after"), code("b"), gone("x")]
    assert left_of(*items) == []
    assert missing_from(items) == ["x"]


def test_a_page_without_anything_missing_is_untouched():
    items = [
        prose("## When?\n\nA.", "before"),
        code("a"),
        block("note"),
        prose("So.", "after"),
        prose("## Who?"),
    ]
    assert without_missing(items) == items
