"""Files that a notebook hands out: on the page, beside it, scanned, and named as files of a report are."""

import html
import json
import re
from dataclasses import dataclass, replace

import pytest

import sojourn as sj
from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.results.take_away import TakeAway
from sojourn.data.rule_code import rule_sql
from sojourn.pipeline.compare import compare_numbers
from sojourn.report import blocks
from sojourn.report.page import handed_out, render_page
from sojourn.report.scan import LeakError, leaks_in, need_clean
from take_away_rules import small_card, small_tree


@dataclass(frozen=True)
class Shown:
    """One thing that a notebook shows, as the runner hands it over."""

    content: dict
    kind: str = "block"
    place: str = ""


def block(made):
    return Shown({"kind": made.kind, **made.data})


WORDS = {"title": "A rule", "sentence": "It is short."}


def test_a_rule_is_handed_out_as_a_query_and_as_a_file_that_says_the_same():
    rule = small_tree()
    made = sj.hand_out(rule)
    files = handed_out([block(made)])
    assert list(files) == ["rule.json", "rule.sql"]
    assert TakeAway.from_json(files["rule.json"]) == rule
    assert files["rule.sql"] == rule_sql(rule)
    assert "90 (83 to 94) get the same segment" in made.text


def test_the_page_links_the_files_and_shows_the_query_folded(page):
    text = render_page(**{**page, "items": [*page["items"], block(sj.hand_out(small_tree()))]})
    assert '<a href="trials/rule.sql" download>rule.sql</a>' in text
    assert '<a href="trials/rule.json" download>rule.json</a>' in text
    shown = re.search(r"<summary>rule.sql</summary><pre tabindex=\"0\"><code>(.*?)</code>", text, re.S)
    assert html.unescape(shown[1]) == rule_sql(small_tree())  # no byte of it is set otherwise
    assert '"leaves"' not in text  # the other file is only linked


def test_a_notebook_shows_no_links_to_files_that_are_not_written_yet():
    shown = sj.hand_out(small_card()).shown["text/html"]
    assert "href" not in shown
    assert "rule.sql, rule.json" in shown


def test_a_hostile_name_is_text_on_the_page(page):
    rule = small_tree()
    assert any("DROP TABLE" in name for name in rule.segments)
    text = render_page(**{**page, "items": [*page["items"], block(sj.hand_out(rule))]})
    need_clean({"trials.html": text}, "The page")


@pytest.mark.parametrize(
    "name",
    [
        "../rule.sql",
        "a/b.sql",
        "rule.exe",
        "rule",
        ".sql",
        "Rule.sql",
        "rule.sql.html",
        "headline.json",
        "r\n.sql",
    ],
)
def test_a_file_is_named_as_files_of_a_report_are(name):
    with pytest.raises(ParameterError, match="kebab-case name"):
        blocks.files({name: "SELECT 1;"}, **WORDS)
    smuggled = {"kind": "files", **WORDS, "files": [{"name": name, "text": "SELECT 1;"}]}
    with pytest.raises(ParameterError, match="kebab-case name"):
        handed_out([Shown(smuggled)])


def test_nothing_or_two_files_of_one_name_are_refused():
    with pytest.raises(ParameterError, match="no file to hand out"):
        blocks.files({}, **WORDS)
    twice = [block(sj.hand_out(small_tree())), block(sj.hand_out(small_card()))]
    with pytest.raises(SojournError, match=r"two files named 'rule.sql'"):
        handed_out(twice)


@pytest.mark.parametrize("rule", [small_tree(), small_card()], ids=["tree", "card"])
def test_files_of_a_rule_are_clean(rule):
    need_clean(handed_out([block(sj.hand_out(rule))]), "The report")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("DROP TABLE members;", "no single query"),
        ("SELECT 1; DROP TABLE members;", "no single query"),
        ("SELECT 'a''; DROP';\nDELETE FROM members;", "no single query"),
        ("-- note\nCOPY members TO 'x';", "no single query"),
        ("SELECT 1", "no single query"),
        ("SELECT 'ada@example.org';", "looks like an e-mail"),
        ("-- to ada@example.org\nSELECT 1;", "looks like an e-mail"),
        ("SELECT '\u202e';", "an invisible character"),
    ],
)
def test_what_a_query_may_not_hold_is_found(text, kind):
    assert any(kind in str(leak) for leak in leaks_in("rule.sql", text))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;",
        "-- it's one; really\nSELECT 'a; DROP TABLE b', \"x;y\" FROM t;",
        "SELECT 'it''s; DELETE';\n",
    ],
)
def test_a_single_query_is_clean(text):
    assert not leaks_in("rule.sql", text)


def test_a_person_in_a_name_of_a_segment_stops_the_report():
    rule = small_tree()
    named = replace(rule, segments=("ada@example.org", "b", "c"))
    with pytest.raises(LeakError, match=r"rule\.json, .* looks like an e-mail"):
        need_clean(handed_out([block(sj.hand_out(named))]), "The report")


def told(**changes):
    content = json.loads(small_tree().to_json())
    content["fidelity"] |= changes
    return json.dumps(content)


def test_a_rule_is_compared_by_what_it_decides_and_by_its_intervals():
    assert compare_numbers("segments/rule.json", told(), told()) == "same"
    close, far = told(same=0.9 + 0.005), told(same=0.9 + 0.006)  # a twentieth of the width of .11 is .0055
    assert compare_numbers("segments/rule.json", told(), close) == "within Monte Carlo error"
    assert compare_numbers("segments/rule.json", told(), far) == "different"
    other = told().replace('"high": 30.0', '"high": 31.0').replace(small_tree().fingerprint, "0" * 12)
    assert compare_numbers("segments/rule.json", told(), other) == "different"
