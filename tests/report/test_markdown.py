"""Prose and code of a notebook as HTML."""

import doctest

import pytest

from sojourn.report import markdown, setting
from sojourn.report.markdown import code_html, prose_html


def prose(source: str) -> str:
    return str(prose_html(source))


@pytest.mark.parametrize("module", [markdown, setting])
def test_examples_of_the_docstrings_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted >= 1
    assert found.failed == 0


def test_headings_get_anchors() -> None:
    assert (
        prose("## What *could* be wrong?")
        == '<h2 id="what-could-be-wrong">What <em>could</em> be wrong?</h2>'
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src="https://example.org/x.png">',
        "[go](javascript:alert(1))",
        "![seen](https://example.org/x.png)",
        '## <iframe src="x"></iframe>',
        "[x](data:text/html;base64,AAAA)",
    ],
)
def test_prose_brings_in_no_markup_script_or_request(attack: str) -> None:
    made = prose(attack)
    assert "<script" not in made
    assert "<img" not in made
    assert "<iframe" not in made
    assert 'href="javascript' not in made
    assert 'href="data' not in made


def test_a_link_to_another_notebook_is_its_words_since_no_case_has_every_page() -> None:
    assert prose("[next](30-which-groups.ipynb) and [on](./10-who.ipynb)") == "<p>next and on</p>"
    assert '<a href="https://example.org/a.ipynb">' in prose("[paper](https://example.org/a.ipynb)")


def test_code_is_coloured_by_classes_and_escaped() -> None:
    made = str(code_html('x = "<b>"  # a < b'))
    assert '<span class="c1"># a &lt; b</span>' in made
    assert "style=" not in made
    assert "<b>" not in made
