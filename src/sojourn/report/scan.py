"""The scan of everything that is published: nobody's address or number, nothing that runs, nothing hidden.

A page is read as a browser reads it. Markup in *text* is text and passes; an element, an attribute or an
address that a page is not made of does not. A CSV may not hold a cell that a spreadsheet would run. Every
text, attribute and cell is searched for what looks like a person (`sojourn.core.patterns`), and for invisible
characters. What a case says of itself in params.yaml, such as whom to ask, may stand on its pages.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from sojourn.core.columns import is_formula
from sojourn.core.errors import SojournError
from sojourn.core.legible import visible
from sojourn.core.params import Params
from sojourn.core.patterns import found_in, shape

_ELEMENTS = re.compile(
    r"a|blockquote|body|br|circle|clippath|code|dd|defs|del|details|div|dl|dt|em|fieldset|figcaption"
    r"|figure|footer|g|h1|h2|h3|h4|head|header|hr|html|input|label|legend|li|main|meta|nav|ol|p|path"
    r"|polyline|pre|rect|section|span|strong|style|summary|svg|table|tbody|td|text|th|thead|title|tr"
    r"|tspan|ul|use"
)
_GEOMETRY = re.compile(
    r"clip-path|cx|cy|d|fill|height|points|r|stroke|stroke-width|transform|viewbox|width|x|x1|x2|y|y1|y2"
)
_WORDS = re.compile(
    r"aria-hidden|aria-label|aria-labelledby|charset|checked|class|colspan|content|download|font-family"
    r"|href|http-equiv|id|lang|name|role|rowspan|scope|start|style|tabindex|title|type|xmlns"
)
_LONG = 40
_VOID = frozenset(("br", "hr", "input", "meta"))
_ADDRESS = re.compile(r"https?://|(?![a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_STYLE = re.compile(r"@import|expression\s*\(|url\((?!#)|</", re.IGNORECASE)

#: Kinds of files that are published.
SUFFIXES = (".html", ".svg", ".csv", ".json", ".sql")


class LeakError(SojournError):
    """Something would be published that may not be; nothing was put into place."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that may not be published.

    Attributes
    ----------
    file : str
        Name of the file.
    kind : str
        What it looks like.
    place : str
        Where it stands in the file.
    shape : str
        How it is written (capitals ``A``, letters ``a``, digits ``9``), never what it is.
    """

    file: str
    kind: str
    place: str
    shape: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.kind} of the shape '{self.shape}'"


def need_clean(files: Mapping[str, str], what: str, *, stated: Iterable[str] = ()) -> None:
    """Refuse to publish files that hold anything they may not hold.

    Parameters
    ----------
    files : mapping of str to str
        Content by file name.
    what : str
        What would be published, for the message.
    stated : iterable of str
        Texts of params.yaml that may stand there: what a case says of itself.

    Raises
    ------
    LeakError
        Naming file, place, kind and shape of the first leak, and how many more there are.
    """
    stated = tuple(stated)
    leaks = [leak for name, text in files.items() for leak in leaks_in(name, text, stated=stated)]
    if leaks:
        more = f" There are {len(leaks) - 1:,} more." if len(leaks) > 1 else ""
        raise LeakError(
            f"{what} is not published, what stood there before is as it was. {leaks[0]}.{more} "
            "Rename it in the tables or in `values` of the case's `prepare`, or take it out of the notebook."
        )


def stated_by(params: Params, *, private: bool) -> Iterable[str]:
    """Yield what cases say of themselves, which may stand on their pages."""
    for case in params.cases:
        if params.is_private(case) == private:
            yield from (text for text in params.about(case).values() if isinstance(text, str))


def leaks_in(name: str, text: str, *, stated: Iterable[str] = ()) -> list[Leak]:
    """Return everything in one file that may not be published, in order of place.

    Parameters
    ----------
    name : str
        Name of the file; its ending says how it is read.
    text : str
        Its content.
    stated : iterable of str
        Texts that may stand there.
    """
    suffix = name[name.rfind(".") :]
    if suffix not in _READERS:
        return [Leak(name, "a kind of file that is never published", "its name", shape(suffix))]
    allowed = frozenset(text[f.start : f.end] for text in stated for f in found_in(text))
    found: list[Leak] = []
    for kind, place, words in _READERS[suffix](text):
        if kind:
            found.append(Leak(name, kind, place, shape(words)))
        else:
            found += (Leak(name, kind, place, shape(words)) for kind, words in _said(words, allowed))
    return found


#: What a reader yields: a kind of leak (empty for words that are still to be searched), its place, the words.
type _Seen = tuple[str, str, str]


def _said(words: str, allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of whatever may not be said."""
    for found in found_in(words):
        text = words[found.start : found.end]
        if text not in allowed:
            yield f"what looks like a {found.kind}".replace("a e", "an e").replace("a I", "an I"), text
    if any(visible(line) != line for line in words.split("\n")):
        yield "an invisible character", words


class _Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[_Seen] = []
        self.open: list[str] = []

    def _see(self, kind: str, what: str, words: str) -> None:
        self.seen.append((kind, f"line {self.getpos()[0]:,}, {what}", words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        if not _ELEMENTS.fullmatch(tag):
            self._see("an element that pages are not made of", f"<{shape(tag)}>", tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def _attribute(self, tag: str, name: str, value: str) -> None:
        where = f"attribute of <{tag}>"
        if not (_WORDS.fullmatch(name) or _GEOMETRY.fullmatch(name)):
            self._see("an attribute that pages are not made of", where, name)
        if name == "href" and not _ADDRESS.match(re.sub(r"[\s\x00-\x1f]", "", value)):
            self._see("an address that could run", where, value)
        if name == "style" and _STYLE.search(value):
            self._see("a style that loads or runs", where, value)
        if not _GEOMETRY.fullmatch(name) and name != "style":
            self._see("", f"{name} of <{tag}>", value)

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else "page"
        if inside != "style":
            self._see("", f"text of <{inside}>", data)
        elif _STYLE.search(data):
            self._see("a style that loads or runs", "<style>", data)

    def handle_comment(self, data: str) -> None:
        self._see("a comment", "<!-- -->", data)

    def handle_pi(self, data: str) -> None:
        self._see("an instruction", "<? ?>", data)

    def unknown_decl(self, data: str) -> None:
        self._see("a section that pages are not made of", "<![ ]>", data)


def _page(text: str) -> Iterator[_Seen]:
    page = _Page()
    page.feed(text)
    page.close()
    yield from page.seen


def _table(text: str) -> Iterator[_Seen]:
    names: list[str] = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        names = names or row
        for i, cell in enumerate(row, start=1):
            place = f"line {number:,}, column {i}"
            yield "", place, cell
            if is_formula(cell):
                yield "what a spreadsheet would run", place, cell


def _data(text: str) -> Iterator[_Seen]:
    yield from _parts(json.loads(text), "")


def _parts(value: Any, place: str) -> Iterator[_Seen]:
    if isinstance(value, str):
        yield "", place.strip() or "its text", value
    elif isinstance(value, Mapping):
        for i, (key, part) in enumerate(value.items(), start=1):
            yield "", f"{place}name {i}", key
            yield from _parts(part, f"{place}value {i} ")
    elif isinstance(value, list):
        for i, part in enumerate(value, start=1):
            yield from _parts(part, f"{place}item {i} ")


#: What is a name or a text in a query, or a comment: nothing of it runs.
_SAID = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*")


def _query(text: str) -> Iterator[_Seen]:
    for number, line in enumerate(text.split("\n"), start=1):
        yield "", f"line {number:,}", line
    run = _SAID.sub(" ", text).strip()
    if not re.fullmatch(r"SELECT\b[^;]*;", run):
        yield "what is no single query", "its statements", run[:_LONG]


_READERS = {".html": _page, ".svg": _page, ".csv": _table, ".json": _data, ".sql": _query}
