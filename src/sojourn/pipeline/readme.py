"""The part of README.md that says what was found, made from the committed headlines."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sojourn.core.errors import SojournError
from sojourn.core.params import read_params
from sojourn.core.project import root

#: The three sentences, and the page whose first picture is the figure.
SENTENCES = (("cdnow", "retention"), ("hillstrom", "trials"), ("complete_journey", "segments"))
FIGURE = ("hillstrom", "trials")

_MARKS = ("<!-- found: made by `sojourn readme` -->", "<!-- /found -->")


def findings() -> str:
    """Return the generated part: three sentences, each with its page, and one figure."""
    lines = []
    for case, study in SENTENCES:
        headline = _headline(case, study)
        title = read_params().about(case)["title"]
        said = _as_text(headline["sentence"])
        lines.append(f"- **{_as_text(title)}**: {said} ([page](reports/cases/{case}/{study}.html))")
    case, study = _figure_pair()
    picture = first_picture(_page(case, study))
    return "\n".join([*lines, "", f"![{_one_line(picture['alt'])}](reports/at-a-glance.svg)"])


def first_picture(page: str) -> Mapping[str, str]:
    """Return the first picture of a page as a file of its own (``svg``), and its alternative text (``alt``).

    Raises
    ------
    SojournError
        When the page has no picture.
    """
    found = re.search(r'<svg xmlns=[^>]*aria-label="([^"]*)"[^>]*>(.*?)</svg>', page, re.S)
    if found is None:
        raise SojournError("The page chosen for the README has no picture.")
    opening = found.group(0)[: found.start(2) - found.start(0)]
    # a file of its own has no page behind it: paper, so that it can be read on a dark screen
    svg = f'{opening}<rect width="100%" height="100%" fill="#ffffff"/>{found.group(2)}</svg>\n'
    return {"svg": svg, "alt": html.unescape(found.group(1))}


def figure_svg() -> str:
    """Return the README's figure: the first picture of its page."""
    return first_picture(_page(*_figure_pair()))["svg"]


def _figure_pair() -> tuple[str, str]:
    """Return the pair whose page gives the figure: the chosen one, else the first that is listed."""
    listed = [(pair["case"], pair["study"]) for pair in read_params().pairs(private=False).values()]
    return FIGURE if FIGURE in listed else listed[0]


def write_readme() -> Path:
    """Write the generated part between its marks in README.md.

    Raises
    ------
    SojournError
        When the marks are not there.
    """
    path = root() / "README.md"
    text = path.read_text(encoding="utf-8")
    if any(mark not in text for mark in _MARKS):
        raise SojournError(f"README.md does not hold the marks {' and '.join(_MARKS)}.")
    before, rest = text.split(_MARKS[0])
    after = rest.split(_MARKS[1])[1]
    path.write_text(f"{before}{_MARKS[0]}\n{findings()}\n{_MARKS[1]}{after}", encoding="utf-8")
    return path


def _page(case: str, study: str) -> str:
    return (root() / "reports" / "cases" / case / f"{study}.html").read_text(encoding="utf-8")


def _headline(case: str, study: str) -> Mapping[str, Any]:
    path = root() / "reports" / "cases" / case / study / "headline.json"
    headline: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return headline


def _one_line(text: str) -> str:
    return _as_text(" ".join(text.replace("[", "(").replace("]", ")").split()))


def _as_text(words: str) -> str:
    """Return words of data so that Markdown shows them as they are: no markup, no link, no formula."""
    return re.sub(r"([\\*_{}\[\]<>|$#~!])", r"\\\1", words)
