"""The one place where HTML is made: Jinja templates with everything escaped."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from sojourn.core import text
from sojourn.core.errors import SojournError
from sojourn.core.legible import visible
from sojourn.core.palette import DARK, LIGHT
from sojourn.report import marks, table, tiny
from sojourn.report.markdown import tied

_HERE = Path(__file__).parent

#: Size of the smallest text of a picture on a narrow screen, in px: the usual text fits into 360 px, and what
#: has smaller text is moved sideways.
_SMALLEST = 8.3

#: Elements that a picture may be made of.
_DRAWING = frozenset({"svg", "g", "defs", "path", "use", "text", "tspan", "clipPath", "rect", "circle"})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finished,
    )
    made.globals.update(
        drawing=drawing,
        least_width=least_width,
        check_mark=marks.check_mark,
        verdict_mark=marks.verdict_mark,
        lay_out=table.lay_out,
        trend=tiny.trend,
        interval=tiny.interval,
    )
    made.filters.update(count=text.count, inline=inline, unbroken=unbroken, value=_value)
    return made


def inline(words: str) -> Markup:
    """Return a sentence with names in backticks set as code, everything else escaped.

    Examples
    --------
    >>> inline("needs `spells` & more")
    Markup('needs <code>spells</code> &amp; more')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(tied(words)))))


def unbroken(cell: str) -> str:
    r"""Return a cell in which a line breaks between a number and its bounds but not within these.

    Examples
    --------
    >>> unbroken("2.1 (0.4 to 3.8)").split(" ")
    ['2.1', '(0.4\xa0to\xa03.8)']
    """
    kept = re.sub(r"\(([^() ]+) to ([^() ]+)\)", "(\\1\xa0to\xa0\\2)", cell)
    return Markup(kept) if isinstance(cell, Markup) else kept  # its markup was made by `lay_out`


def _finished(value: Any) -> Any:
    """Tie numbers to their units in everything a template prints that is not markup yet."""
    return tied(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _value(value: Any) -> str:
    """Print a parameter as a reader would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_value(part) for part in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(part)}" for key, part in value.items()) or "none"
    return "none" if value is None or value == "" else visible(str(value))


def block_html(data: dict[str, Any]) -> Markup:
    """Set one block's data as HTML, the same in a notebook and on a page."""
    module: Any = _environment().get_template("blocks.html.j2").module
    return Markup(module.block(data))


def drawing(svg: str) -> Markup:
    """Return the SVG of a picture once it is sure to draw only: no script, no event, nothing from elsewhere.

    Raises
    ------
    SojournError
        When it holds anything else.
    """
    for element in ET.fromstring(svg).iter():
        tag = element.tag.rpartition("}")[2]
        active = [name for name in element.attrib if name.lower().startswith("on")]
        outside = [v for n, v in element.attrib.items() if n.endswith("href") and not v.startswith("#")]
        if tag not in _DRAWING or active or outside:
            raise SojournError(
                f"A picture holds <{tag}> {' '.join(active + outside)}, which a page does not take."
            )
    return Markup(svg)


def least_width(svg: str) -> int:
    """Return how wide a picture is at least, in px: its smallest text has `_SMALLEST` px on any screen.

    Examples
    --------
    >>> least_width('<svg viewBox="0 0 420 90"><text style="font-size:8.5px">79.4 to 82.0</text></svg>')
    411
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ', svg)
    sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", svg)]
    width = float(box[1]) if box else 0.0
    return math.ceil(width * _SMALLEST / min(sizes, default=_SMALLEST))


def set_page(template: str, **content: Any) -> str:
    """Set a whole page; `content` is escaped unless it is markup made by a template."""
    return _environment().get_template(template).render(css=page_css(), **content)


def page_css() -> Markup:
    """Return the style sheet, its colours made from the palette."""
    css = (_HERE / "templates" / "page.css").read_text(encoding="utf-8")
    for name, colours in (("LIGHT", LIGHT), ("DARK", DARK)):
        css = css.replace(f"/*{name}*/", "".join(f"--{key}:{value};" for key, value in colours.items()))
    return Markup(css)
