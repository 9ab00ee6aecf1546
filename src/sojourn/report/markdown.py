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

_NOTEBOOK = re.compile(r"^(?:\./)?[\w-]+\.ipynb$")
_UNIT = re.compile(r"(?<=\d) (?=%|(?:in 100|[A-Z]{3}|(?:day|week|month|member|warning)s?)\b)")


def prose_html(source: str) -> Markup:
    """Set Markdown; what looks like HTML in it is shown as text.

    Parameters
    ----------
    source : str
        A Markdown cell; a link to another notebook becomes its words, since no case has every page.
    """
    made = _markdown()(source)
    return Markup(str(made).strip())


def code_html(source: str) -> Markup:
    """Colour Python source; the classes belong to the style sheet."""
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip())


def tied(words: str) -> str:
    r"""Return words with a no-break space between every number and its unit.

    Examples
    --------
    >>> tied("95 % of 3 members"), tied("7 of 9")
    ('95\xa0% of 3\xa0members', '7 of 9')
    """
    return _UNIT.sub("\xa0", words)


def slug(heading: str) -> str:
    """Return a heading as the name of an anchor.

    Examples
    --------
    >>> slug("What could be wrong?")
    'what-could-be-wrong'
    """
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


class _Renderer(mistune.HTMLRenderer):
    def text(self, text: str) -> str:
        return super().text(tied(text))

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        del attrs
        anchor = slug(Markup(text).striptags())
        return f'<h{level} id="{escape(anchor)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text if _NOTEBOOK.match(url) else super().link(text, url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show the words only: a page makes no request and takes its pictures from blocks."""
        del url, title
        return text


@lru_cache(maxsize=1)
def _markdown() -> mistune.Markdown:
    return mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table"])
