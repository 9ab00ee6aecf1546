"""Showing a result in a notebook: one call for its picture or table, its words and its numbers.

Pictures and prose never import each other; here they meet, so that a notebook need not join them by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sojourn.core.errors import ParameterError

if TYPE_CHECKING:
    from sojourn.core.results.block import Block


@dataclass(frozen=True, slots=True)
class Picture:
    """How a result is drawn: modules and names of functions, loaded when they are needed.

    Attributes
    ----------
    plot : str
        ``module:function`` of the picture, below ``sojourn.viz``.
    describe : str
        ``module:function`` of ``title``, ``subtitle`` and ``alt``, below ``sojourn.report``.
    """

    plot: str
    describe: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a result is shown as a table.

    Attributes
    ----------
    frame : str
        ``module:function`` of the table, below ``sojourn.report``.
    describe : str
        ``module:function`` of ``title`` and ``note``, below ``sojourn.report``.
    bold : str
        Column that matters.
    """

    frame: str
    describe: str
    bold: str = ""


#: How results are shown, by the name of their class.
SHOWN: Mapping[str, Picture | Sheet] = {
    "CohortTriangle": Picture("retention:plot_triangle", "retention_figures:describe_triangle"),
    "Gate": Picture("retention_gate:plot_gate", "retention_gate:describe_gate"),
}


def show(result: Any, *, name: str, **asked: Any) -> Block:
    """Show a result: its picture or table with the words around it, or in one sentence why there is none.

    Parameters
    ----------
    result : frozen result of a study
        One of `SHOWN`.
    name : str
        Name of its CSV, in kebab-case; unique within a notebook.
    **asked
        What its words need beside it, such as ``horizon``.

    Raises
    ------
    ParameterError
        When nobody has said how such a result is shown.
    """
    from sojourn.report.blocks import note, table
    from sojourn.report.say import say
    from sojourn.viz.figure import figure

    kind = type(result).__name__
    if kind not in SHOWN:
        raise ParameterError.unknown(kind, "the results that can be shown", SHOWN)
    if getattr(result, "why_empty", ""):
        return note(say(result))
    way = SHOWN[kind]
    words = _function("report", way.describe)(result, **asked)
    if isinstance(way, Sheet):
        return table(_function("report", way.frame)(result), name=name, bold=way.bold, **words)
    return figure(_function("viz", way.plot)(result), name=name, table=result.drawn(), **words)


def _function(room: str, place: str) -> Any:
    module, function = place.split(":")
    return getattr(import_module(f"sojourn.{room}.{module}"), function)
