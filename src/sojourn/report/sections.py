"""A notebook's blocks as the sections of a page: the answer first, code behind what it made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from markupsafe import Markup

from sojourn.report.markdown import code_html, prose_html

_HEADING = re.compile(r"^(?=## )", re.MULTILINE)


class Item(Protocol):
    """One thing that a notebook shows.

    Attributes
    ----------
    kind : str
        ``prose`` (Markdown), ``code`` (source), ``text`` (plain output) or ``block`` (a block's data).
    content : str or mapping
        Text, or the data of a block with its ``kind``.
    place : str
        Of prose that belongs to one thing shown: ``before`` it, or ``after`` it.
    """

    @property
    def kind(self) -> Literal["prose", "code", "text", "block"]: ...  # noqa: D102

    @property
    def content(self) -> Any: ...  # noqa: D102

    @property
    def place(self) -> Literal["", "before", "after"]: ...  # noqa: D102


@dataclass(slots=True)
class Section:
    """A stretch of the page under one heading.

    Attributes
    ----------
    heading : Markup
        Its second-level heading; empty before the first one.
    parts : list of dict
        What it shows, each with its ``kind``: prose, text, code, or that of a block.
    code : list of str
        Sources that wait for what they make.
    """

    heading: Markup = field(default_factory=Markup)
    parts: list[dict[str, Any]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)

    @property
    def short(self) -> bool:
        """Whether it holds the answer."""
        return any(part["kind"] == "answer" for part in self.parts)

    @property
    def shows(self) -> bool:
        """Whether it shows more than prose."""
        return any(part["kind"] != "prose" for part in self.parts)

    def put_code(self) -> None:
        """Put the waiting code behind what it made, one click away."""
        if self.code:
            html = Markup("\n\n").join(code_html(source) for source in self.code)
            self.parts.append({"kind": "code", "html": html})
            self.code = []


def sections_of(items: Sequence[Item]) -> list[Section]:
    """Return the sections of a page, in the order of the notebook.

    The answer comes first all the same: in its section it stands before any prose, and prose from before the
    first heading follows it.
    """
    sections = [section for section in _split(without_missing(items)) if section.heading or section.parts]
    for i, section in enumerate(sections):
        if section.short:
            lead = sections.pop(0).parts if i and not sections[0].heading else []
            section.parts = sorted([*lead, *section.parts], key=lambda part: part["kind"] != "answer")
            break
    return sections


def missing_from(items: Sequence[Item]) -> list[str]:
    """Return why things cannot be shown, in the order of the notebook, each reason once.

    What does not apply to a case has no reason: it is left out without a word.
    """
    return list(dict.fromkeys(filter(None, (item.content["text"] for item in items if _is_missing(item)))))


def without_missing(items: Sequence[Item]) -> list[Item]:
    """Return what is left when things that cannot be shown go, with their code and the prose about them.

    Headings under which nothing else is shown go too.
    """
    kept: list[Item] = []
    skipping = False
    for item in items:
        if _is_missing(item):
            while kept and _about_next(kept[-1]):
                heading = _heading_of(kept.pop())
                if heading:
                    kept.append(heading)
                    break
            skipping = True
        elif not (skipping and item.kind == "prose" and item.place == "after"):
            kept.append(item)
            skipping = False
    return _without_empty(kept)


def _is_missing(item: Item) -> bool:
    return item.kind == "block" and item.content["kind"] == "missing"


def _about_next(item: Item) -> bool:
    return item.kind == "code" or (item.kind == "prose" and item.place == "before")


@dataclass(frozen=True, slots=True)
class _Prose:
    content: str
    kind: Literal["prose"] = "prose"
    place: Literal["", "before", "after"] = ""


def _heading_of(item: Item) -> _Prose | None:
    """Return the heading with which prose begins, alone."""
    begins = item.kind == "prose" and _HEADING.match(item.content.lstrip())
    return _Prose(item.content.strip().partition("\n")[0]) if begins else None


def _without_empty(items: Sequence[Item]) -> list[Item]:
    """Return items without headings that were left alone: another heading follows, or nothing."""
    alone = [isinstance(item, _Prose) for item in items]
    headed = [item.kind == "prose" and bool(_HEADING.match(item.content.lstrip())) for item in items]
    ends = [*headed, True][1:]
    return [item for item, is_alone, end in zip(items, alone, ends, strict=True) if not (is_alone and end)]


def _split(items: Sequence[Item]) -> Iterator[Section]:
    section = Section()
    for item in items:
        if item.kind == "code":
            section.code.append(item.content)
        elif item.kind != "prose":
            text = item.kind == "text"
            section.parts.append(
                {"kind": "text", "text": item.content.rstrip()} if text else dict(item.content)
            )
        else:
            for heading, prose in _chunks(item.content):
                if heading:
                    waiting = _close(section)
                    yield section
                    section = Section(heading, code=waiting)
                elif section.shows and not section.short:
                    section.put_code()
                if prose:
                    section.parts.append({"kind": "prose", "html": prose})
    section.put_code()
    yield section


def _close(section: Section) -> list[str]:
    """End a section; code that has made nothing yet is handed to the next one."""
    if section.shows or section.heading:
        section.put_code()
    return section.code


def _chunks(source: str) -> Iterator[tuple[Markup, Markup]]:
    """Yield heading and prose of a cell, split at second-level headings, without the page's title."""
    lines = source.strip().splitlines()
    body = "\n".join(lines[1:] if lines and lines[0].startswith("# ") else lines)
    for chunk in filter(None, _HEADING.split(body)):
        head, _, rest = chunk.partition("\n") if chunk.startswith("## ") else ("", "", chunk)
        yield prose_html(head), prose_html(rest)
