"""Blocks: what a notebook shows, in words, HTML and data."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from sojourn.core.errors import ParameterError
from sojourn.core.results.block import MIME, Block
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.report import blocks
from sojourn.report.marks import SHAPES, check_mark, verdict_mark
from sojourn.report.say import register, say

KINDS = ["answer", "figures", "picture", "checks", "table", "actions", "note"]
ATTACK = "<script>alert(1)</script>"


@pytest.mark.parametrize("kind", KINDS)
def test_every_block_is_words_html_and_data_that_survives_json(
    study_blocks: dict[str, Block], kind: str
) -> None:
    bundle = study_blocks[kind]._repr_mimebundle_()
    assert bundle["text/plain"].strip()
    assert bundle["text/html"].strip()
    assert json.loads(json.dumps(bundle[MIME], allow_nan=False)) == bundle[MIME]
    assert bundle[MIME]["kind"] == kind


@pytest.mark.parametrize("kind", KINDS)
def test_html_of_every_block_closes_what_it_opens(study_blocks: dict[str, Block], kind: str) -> None:
    class Balance(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            del attrs
            if tag != "br":
                self.open.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            del tag, attrs

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(study_blocks[kind].shown["text/html"])
    assert parser.open == []


def test_failed_checks_come_first_and_equal_verdicts_keep_their_order() -> None:
    verdicts: list[Verdict] = ["pass", "warn", "fail", "pass", "cannot be judged"]
    made = blocks.checks_table([Check(f"check {i}", verdict, "", "") for i, verdict in enumerate(verdicts)])
    assert [check["name"] for check in made.data["checks"]] == [f"check {i}" for i in (2, 4, 1, 0, 3)]


def passing(many: int) -> str:
    checks = [Check("It warns", "warn", "", ""), *[Check(f"Sound {i}", "pass", "", "") for i in range(many)]]
    return blocks.checks_table(checks).shown["text/html"]


def test_many_passed_checks_are_folded_below_the_others_and_none_is_lost() -> None:
    open_, folded = passing(6).split('<details class="passed">')
    assert "It warns" in open_
    assert "Sound" not in open_
    assert "<summary>6 checks passed</summary>" in folded
    assert [f"Sound {i}" in folded for i in range(6)] == [True] * 6
    assert "<details" not in passing(5)


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'verdict' must be one of 'fail'.*got 'maybe'"):
        blocks.checks_table([Check("a", "maybe", "", "")])  # type: ignore[arg-type]


def test_a_verdict_has_a_shape_besides_its_colour() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
    assert [str(check_mark(v)) for v in ("pass", "warn", "fail", "cannot be judged")] == [
        "● pass",
        "▲ warn",
        "■ fail",
        "○ cannot be judged",
    ]


@pytest.mark.parametrize(
    ("verdict", "status", "tone"),
    [
        ("ship", "ok", "good"),
        ("Ship: coupon", "ok", "good"),
        ("wait", "ok", "warn"),
        ("stop", "ok", "bad"),
        ("no difference worth having", "ok", "neutral"),
        ("a gradient, not groups", "ok", "neutral"),
        ("ship", "blocked", "bad"),
        ("ship", "not possible", "off"),
    ],
)
def test_the_status_of_an_answer_overrules_its_verdict(verdict: str, status: str, tone: str) -> None:
    assert verdict_mark(verdict, status).tone == tone


def test_an_answer_holds_its_interval_unrounded_or_none(study_blocks: dict[str, Block]) -> None:
    interval = study_blocks["answer"].data["interval"]
    assert interval == {"value": 2.14159, "low": 0.4, "high": 3.8, "mass": 0.95, "kind": "eti"}
    assert blocks.answer(Headline("No.", "wait", "ok")).data["interval"] is None


@pytest.mark.parametrize("many", [0, 6])
def test_a_strip_holds_one_to_five_figures(many: int) -> None:
    with pytest.raises(ParameterError, match=f"one to five key figures, got {many}"):
        blocks.key_figures([KeyFigure("a", "1", "none")] * many)


def test_a_trend_that_is_too_long_is_refused() -> None:
    with pytest.raises(ParameterError, match="trend of 'Kept' has 61 values, at most 60"):
        blocks.key_figures([KeyFigure("Kept", "1", "none", [0.5] * 61)])


def test_a_trend_of_shares_is_drawn_between_0_and_1_and_any_other_between_its_own_ends() -> None:
    def heights(*values: float) -> list[str]:
        html = blocks.key_figures([KeyFigure("Kept", "1", "none", values)]).shown["text/html"]
        return re.findall(r",([\d.]+)", re.findall(r'points="([^"]*)"', html)[0])

    # 16 px from 4 to 20
    assert heights(0.75, 0.5) == ["8.0", "12.0"]
    assert heights(75, 50) == ["4.0", "20.0"]


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    html = blocks.note("Of 95 % or 3 days, 5.00 EUR; 1 in 100.").shown["text/html"]
    assert "Of 95\xa0% or 3\xa0days, 5.00\xa0EUR; 1\xa0in 100." in html
    frame = pd.DataFrame({"lift": [0.02], "low": [-0.01], "high": [0.05]})
    table = blocks.table(frame, name="a", title="In 7 days")
    assert "+2.0 (−1.0\xa0to\xa05.0)</td>" in table.shown["text/html"]
    assert "In 7\xa0days" in table.shown["text/html"]
    strip = blocks.key_figures([KeyFigure("Value", "3.45 EUR", "in 7 days")]).shown["text/html"]
    assert ">3.45 EUR<" in strip  # large type in a narrow column has to break there
    assert "\xa0" not in json.dumps(table.data, ensure_ascii=False) + table.text


def test_a_flat_trend_is_drawn_without_dividing_by_zero() -> None:
    shown = blocks.key_figures([KeyFigure("Kept", "1", "none", [0.5, 0.5])]).shown["text/html"]
    assert "nan" not in shown
    assert "<polyline" in shown


def test_a_check_says_how_good_it_is(study_blocks: dict[str, Block]) -> None:
    rates = {check["name"]: check["rates"] for check in study_blocks["checks"].data["checks"]}
    said = "Finds 97 % of planted faults and alarms on 1.0 % of sound data (1,000 trials)."
    assert rates["Arms have their sizes"] == said
    assert rates["The audit agrees"] == ""


@pytest.mark.parametrize("name", ["Schemes", "a_b", "", "a b", "../a"])
def test_a_table_needs_a_file_name(name: str) -> None:
    with pytest.raises(ParameterError, match="kebab-case"):
        blocks.table(pd.DataFrame({"n": [1]}), name=name, title="T")


def test_a_bold_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ParameterError, match="'bold' must be one of 'n', got 'm'"):
        blocks.table(pd.DataFrame({"n": [1]}), name="a", title="T", bold="m")


def test_text_from_data_never_becomes_markup() -> None:
    frame = pd.DataFrame({"scheme": [ATTACK], ATTACK: [1]})
    made = [
        blocks.answer(Headline(ATTACK, ATTACK, "ok", detail=f"`{ATTACK}`")),
        blocks.key_figures([KeyFigure(ATTACK, ATTACK, ATTACK, [1, 2])]),
        blocks.checks_table([Check(ATTACK, "pass", ATTACK, ATTACK, 0.5, 0.5, ATTACK)]),
        blocks.table(frame, name="a", title=ATTACK, note=ATTACK),
        blocks.note(ATTACK),
    ]
    for block in made:
        assert "<script" not in block.shown["text/html"]
        assert "&lt;script&gt;" in block.shown["text/html"]


def test_names_in_backticks_are_set_as_code(study_blocks: dict[str, Block]) -> None:
    assert "<code>sj.say</code>" in study_blocks["note"].shown["text/html"]


def test_say_knows_what_a_module_has_taught_it_and_says_so_otherwise() -> None:
    class Stay:
        days = 3

    class Unknown: ...

    @register(Stay)
    def _(stay: Stay) -> str:
        return f"They stay {stay.days} days."

    assert say(Stay()) == "They stay 3 days."
    with pytest.raises(TypeError, match="no sentence for Unknown"):
        say(Unknown())
