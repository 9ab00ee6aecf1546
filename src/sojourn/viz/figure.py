"""A drawn picture as a block: clean SVG, the words around it and the numbers behind it."""

from __future__ import annotations

import io
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any, cast
from xml.sax.saxutils import escape

import pandas as pd

from sojourn.core.columns import as_data
from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.results.block import Block
from sojourn.viz.svg import clean
from sojourn.viz.theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest picture, in bytes of SVG.
MOST_BYTES = 40_000

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def figure(
    ax_or_fig: Axes | Figure,
    *,
    name: str,
    title: str,
    subtitle: str,
    alt: str,
    table: pd.DataFrame,
    currency: str = "",
) -> Block:
    """Make a picture of what was drawn.

    Parameters
    ----------
    ax_or_fig : Axes or Figure
        What a plot function returned.
    name : str
        Name of the CSV, in kebab-case; unique within a notebook.
    title : str
        The finding, as a sentence.
    subtitle : str
        What is drawn, in which unit, over whom; bands with mass and kind.
    alt : str
        What a reader who cannot see the picture has to know.
    table : DataFrame
        The numbers drawn, rounded here as their columns' names say.
    currency : str
        Of amounts among them, for the headers of their columns.

    Returns
    -------
    Block
        Of kind ``picture``; data ``name``, ``title``, ``subtitle``, ``alt``, ``svg``, ``table``.

    Raises
    ------
    ParameterError
        When a word is missing or the name is not kebab-case.
    SojournError
        When the picture is larger than `MOST_BYTES`; draw less.
    """
    _need_words(name=name, title=title, subtitle=subtitle, alt=alt)
    drawing = ax_or_fig if hasattr(ax_or_fig, "savefig") else ax_or_fig.get_figure()
    svg = clean(_raw_svg(cast("Figure", drawing)), prefix=name, label=alt)
    size = len(svg.encode())
    if size > MOST_BYTES:
        raise SojournError(
            f"The picture '{name}' has {size:,} bytes of SVG; at most {MOST_BYTES:,} fit on a page. "
            "Draw fewer points: thin bands and curves to what can be seen."
        )
    data = {
        "name": name,
        "title": title,
        "subtitle": subtitle,
        "alt": alt,
        "svg": svg,
        "table": as_data(table, currency),
    }
    shown = {"text/html": _shown(title, subtitle, svg), "image/svg+xml": svg}
    return Block("picture", data, f"{title}\n{subtitle}\n[picture: {alt}]", shown)


def _need_words(*, name: str, **words: str) -> None:
    if not _NAME.fullmatch(name):
        raise ParameterError(f"'name' of a picture must be kebab-case such as 'kept-by-plan', got {name!r}.")
    for what, said in words.items():
        if not said.strip():
            raise ParameterError(f"'{what}' of the picture '{name}' is empty; describe every picture.")


def _raw_svg(drawing: Figure) -> str:
    """Return the SVG as matplotlib writes it, and close the figure where pyplot holds it."""
    from matplotlib.text import Text

    for text in cast("list[Text]", drawing.findobj(Text)):
        text.set_parse_math(False)  # whatever the theme was when it was written
    out = io.StringIO()
    with theme(), warnings.catch_warnings():
        # the browser sets the text, with its own fonts
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawing.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        cast("Any", pyplot).close(drawing)
    return out.getvalue()


def _shown(title: str, subtitle: str, svg: str) -> str:
    words = f"<strong>{escape(title)}</strong><br><span>{escape(subtitle)}</span>"
    return f'<figure style="max-width:44em;margin:0;background:#fff;color:#1c2128">{words}{svg}</figure>'
