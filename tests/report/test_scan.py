"""What may not be published is found wherever it stands, told by its shape and never by itself."""

import json

import pytest

from sojourn.core.columns import as_written, harmless, is_formula
from sojourn.report.page import csv_files, headline_json, render_page
from sojourn.report.scan import LeakError, leaks_in, need_clean

PLANTED = [
    "ada@example.org",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "0f" * 32,
]


def test_a_report_of_a_study_is_clean(page):
    said = {k: v for k, v in page.items() if k != "foot"}
    files = {"trials.html": render_page(**page), "headline.json": headline_json(page["items"], **{
        k: v for k, v in said.items() if k != "items"
    })}  # fmt: skip
    need_clean({**files, **csv_files(page["items"])}, "The report")


@pytest.mark.parametrize("value", PLANTED)
@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.html", "<p>\n<b>of {}</b></p>", "line 2, text of <b>"),
        ("a.html", '<svg aria-label="of {}"></svg>', "line 1, aria-label of <svg>"),
        ("a.csv", "scheme,n\nx,1\n{},2\n", "line 3, column 1"),
        ("a.csv", '"of {}",n\n', "line 1, column 1"),
        ("a.json", '{{"sentence": "of {}."}}', "value 1"),
        ("a.svg", "<svg><text>{}</text></svg>", "line 1, text of <text>"),
    ],
)
def test_a_person_is_found_wherever_a_file_says_something(name, content, place, value):
    if name == "a.html":
        content = content.replace("<b>", "<code>").replace("</b>", "</code>")
        place = place.replace("<b>", "<code>")
    with pytest.raises(LeakError) as raised:
        need_clean({name: content.format(value)}, "The report x/y")
    said = str(raised.value)
    assert "The report x/y is not published" in said
    assert f"{name}, {place}: what looks like a" in said
    assert value not in said


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("<script>alert(1)</script>", "an element"),
        ("<img src=x>", "an element"),
        ("<p onclick='f()'>x</p>", "an attribute"),
        ("<a href='javascript:f()'>x</a>", "an address that could run"),
        ("<a href=' java\tscript:f()'>x</a>", "an address that could run"),
        ("<a href='//elsewhere.org/x'>x</a>", "an address that could run"),
        ("<a href='data:text/html,x'>x</a>", "an address that could run"),
        ("<p style='background:url(//x.org)'>x</p>", "a style that loads or runs"),
        ("<style>@import 'x'</style>", "a style that loads or runs"),
        ("<!-- x -->", "a comment"),
        ("<p>a\u202eb</p>", "an invisible character"),
        ("<p>a\x07b</p>", "an invisible character"),
    ],
)
def test_what_acts_or_hides_is_found_on_a_page(content, kind):
    assert any(leak.kind.startswith(kind) for leak in leaks_in("a.html", content))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "=1+1", "{{7*7}}", "javascript:f()", "$x$", "&lt;"]
)
def test_markup_that_stands_as_text_passes(name):
    from markupsafe import escape

    assert leaks_in("a.html", f'<p class="x" title="{escape(name)}">{escape(name)}</p>') == []


def test_a_cell_that_a_spreadsheet_would_run_is_found_and_one_made_harmless_passes():
    assert [leak.place for leak in leaks_in("a.csv", "n,x\n-1.5,=1+1\n")] == ["line 2, column 2"]
    assert leaks_in("a.csv", f"n,x\n-1.5,{harmless('=1+1')}\n") == []


@pytest.mark.parametrize(
    "cell", ["a;=1+1", "a\t=1", '"=1', " =1", "\uff1d1", "-2+3", "@x", "x\n+1+2", "\ufeff=1"]
)
def test_every_begin_of_a_formula_is_made_harmless_and_can_be_read_back(cell):
    assert is_formula(cell)
    assert not is_formula(harmless(cell))
    assert as_written(harmless(cell)) == " ".join(cell.splitlines()).replace("\t", " ")


def test_whom_a_case_names_may_stand_on_its_pages():
    page = "<p>Questions: desk@example.org</p>"
    assert leaks_in("a.html", page, stated=["desk@example.org"]) == []
    assert len(leaks_in("a.html", page.replace("desk", "ada"), stated=["desk@example.org"])) == 1


@pytest.mark.parametrize("name", ["a.parquet", "a.ipynb", "a.txt", "noending"])
def test_a_kind_of_file_that_is_never_published_is_refused(name):
    assert [leak.kind for leak in leaks_in(name, "")] == ["a kind of file that is never published"]


def test_names_of_json_are_read_too():
    assert len(leaks_in("a.json", json.dumps({"ada@example.org": [1, ["ok", "+49 30 1234567"]]}))) == 2
