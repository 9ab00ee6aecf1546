"""The one place where HTML is made: Jinja templates with everything escaped."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sojourn.core import text
from sojourn.core.palette import DARK, LIGHT
from sojourn.report import marks, table, tiny

_HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        check_mark=marks.check_mark,
        verdict_mark=marks.verdict_mark,
        lay_out=table.lay_out,
        trend=tiny.trend,
        interval=tiny.interval,
    )
    made.filters.update(day=text.day, count=text.count, percent=text.percent)
    return made


def block_html(data: dict[str, Any]) -> Markup:
    """Set one block's data as HTML, the same in a notebook and on a page."""
    module: Any = _environment().get_template("blocks.html.j2").module
    return Markup(module.block(data))


def set_page(template: str, **content: Any) -> str:
    """Set a whole page; `content` is escaped unless it is markup made by a template."""
    return _environment().get_template(template).render(css=page_css(), **content)


def page_css() -> Markup:
    """Return the style sheet, its colours made from the palette."""
    css = (_HERE / "templates" / "page.css").read_text(encoding="utf-8")
    for name, colours in (("LIGHT", LIGHT), ("DARK", DARK)):
        css = css.replace(f"/*{name}*/", "".join(f"--{key}:{value};" for key, value in colours.items()))
    return Markup(css)
