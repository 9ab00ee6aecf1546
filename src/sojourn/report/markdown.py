"""Prose and code of a notebook as HTML: Markdown without raw HTML or pictures, code coloured by classes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import mistune
from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

_NOTEBOOK = re.compile(r"^(?:\./)?([\w-]+\.ipynb)$")


def prose_html(source: str, *, notebooks: str) -> Markup:
    """Set Markdown; what looks like HTML in it is shown as text.

    Parameters
    ----------
    source : str
        A Markdown cell.
    notebooks : str
        Folder that links between notebooks lead to, relative to the page.
    """
    made = _markdown(notebooks)(source)
    return Markup(str(made).strip())


def code_html(source: str) -> Markup:
    """Colour Python source; the classes belong to the style sheet."""
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip())


def slug(heading: str) -> str:
    """Return a heading as the name of an anchor.

    Examples
    --------
    >>> slug("What could be wrong?")
    'what-could-be-wrong'
    """
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, notebooks: str) -> None:
        super().__init__(escape=True)
        self._notebooks = notebooks

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        del attrs
        anchor = slug(Markup(text).striptags())
        return f'<h{level} id="{escape(anchor)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        found = _NOTEBOOK.match(url)
        return super().link(text, f"{self._notebooks}/{found.group(1)}" if found else url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show the words only: a page makes no request and takes its pictures from blocks."""
        del url, title
        return text


@lru_cache(maxsize=4)
def _markdown(notebooks: str) -> mistune.Markdown:
    return mistune.create_markdown(renderer=_Renderer(notebooks), plugins=["table"])
