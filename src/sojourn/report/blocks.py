"""What a notebook shows: answer, key figures, checks, actions, tables and notes, each as one `Block`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sojourn.core.columns import as_data
from sojourn.core.errors import ParameterError
from sojourn.core.interval import Interval
from sojourn.core.ranges import one_of
from sojourn.core.results.block import Block, BlockKind
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.text import exact, percent
from sojourn.report.marks import check_mark, verdict_mark
from sojourn.report.setting import block_html
from sojourn.report.table import lay_out, plain

#: Failed checks come first, since they change the answer.
_ORDER: tuple[Verdict, ...] = ("fail", "cannot be judged", "warn", "pass")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST_TREND = 60

#: Endings of files that a notebook may hand out, and the one name that is taken.
HANDED = (".sql", ".json")
HEADLINE = "headline.json"


def answer(headline: Headline) -> Block:
    """Show the one sentence of a study with its verdict beside it.

    Returns
    -------
    Block
        Of kind ``answer``; its data is everything that ``headline.json`` and the index need.
    """
    data = {
        "sentence": headline.sentence,
        "verdict": headline.verdict,
        "status": headline.status,
        "interval": _interval(headline.interval),
        "unit": headline.unit,
        "detail": headline.detail,
        **({"banner": headline.banner} if headline.banner else {}),
    }
    mark = verdict_mark(headline.verdict, headline.status)
    said = (headline.banner, f"{mark}:", headline.sentence, headline.detail)
    return _block("answer", data, " ".join(filter(None, said)))


def key_figures(figures: Sequence[KeyFigure]) -> Block:
    """Show three to five key figures as a strip.

    Raises
    ------
    ParameterError
        When there are none or more than five, or a trend has more than 60 values.
    """
    if not 1 <= len(figures) <= 5:
        raise ParameterError(f"A strip holds one to five key figures, got {len(figures)}.")
    for figure in figures:
        if len(figure.trend) > _MOST_TREND:
            raise ParameterError(
                f"The trend of '{figure.label}' has {len(figure.trend)} values, at most {_MOST_TREND}."
            )
    shown = [
        {
            "label": f.label,
            "value": f.value,
            "interval": f.interval,
            "trend": [float(f"{v:.4g}") for v in f.trend],
        }
        for f in figures
    ]
    return _block(
        "figures", {"figures": shown}, "\n".join(f"{f.label}: {f.value} ({f.interval})" for f in figures)
    )


def checks_table(checks: Sequence[Check]) -> Block:
    """Show what could be wrong, failed checks first.

    Raises
    ------
    ParameterError
        When a verdict is not one of those of `Check`.
    """
    ordered = sorted(checks, key=lambda check: _ORDER.index(one_of(check.verdict, "verdict", _ORDER)))
    shown = [
        {"name": c.name, "verdict": c.verdict, "finding": c.finding, "meaning": c.meaning, "rates": _rates(c)}
        for c in ordered
    ]
    lines = [f"{check_mark(c.verdict)}: {c.name}. {c.finding} {c.meaning}" for c in ordered]
    return _block("checks", {"checks": shown}, "\n".join(lines))


def actions(actions: Sequence[Action]) -> Block:
    """Show what to do next, each with expected effect, cost and evidence."""
    shown = [{"what": a.what, "effect": a.effect, "cost": a.cost, "evidence": a.evidence} for a in actions]
    lines = [
        f"{i}. {a.what} Effect: {a.effect}; cost: {a.cost}; evidence: {a.evidence}."
        for i, a in enumerate(actions, 1)
    ]
    return _block("actions", {"actions": shown}, "\n".join(lines))


def table(
    frame: pd.DataFrame, *, name: str, title: str, note: str = "", bold: str = "", currency: str = ""
) -> Block:
    """Show a table, formatted as its columns' names say (`sojourn.core.columns`).

    Parameters
    ----------
    frame : DataFrame
        Rows in the order of their meaning, for example the largest effect first; the index is not shown.
    name : str
        Name of the CSV, in kebab-case; unique within a notebook.
    title : str
        The finding, or what the table holds.
    note : str
        What a reader has to know: mass and kind of intervals, who is left out.
    bold : str
        The one column that matters.
    currency : str
        Of its amounts, for their headers.

    Raises
    ------
    ParameterError
        When the name is not kebab-case or `bold` is no column.
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(f"'name' of a table must be kebab-case such as 'kept-by-plan', got {name!r}.")
    if bold:
        one_of(bold, "bold", list(frame.columns))
    data = {"name": name, "title": title, "note": note, "bold": bold, "table": as_data(frame, currency)}
    words = "\n".join(filter(None, (title, plain(lay_out(data["table"])), note)))  # type: ignore[arg-type]
    return _block("table", data, words)


def files(handed: Mapping[str, str], *, title: str, sentence: str) -> Block:
    """Hand out text files: the page links them, and the runner writes them into the report's folder.

    Parameters
    ----------
    handed : mapping of str to str
        Content by file name; the first can be read on the page itself.
    title : str
        What the files are.
    sentence : str
        What they are for, and how good they are.

    Raises
    ------
    ParameterError
        When there are none, or a name is not kebab-case with one of the endings of `HANDED`.
    """
    if not handed:
        raise ParameterError("There is no file to hand out.")
    for name in handed:
        need_file_name(name)
    shown = [{"name": name, "text": text} for name, text in handed.items()]
    data = {"title": title, "sentence": sentence, "files": shown}
    return _block("files", data, f"{title}. {sentence} Files: {', '.join(handed)}.")


def need_file_name(name: str) -> None:
    """Refuse the name of a file to hand out that is a path, hides, or is that of another file of a report."""
    stem, _, ending = name.rpartition(".")
    if not _NAME.fullmatch(stem) or f".{ending}" not in HANDED or name == HEADLINE:
        raise ParameterError(
            f"A file that is handed out has a kebab-case name with the ending {' or '.join(HANDED)}, such as "
            f"rule.sql; got {name!r}."
        )


def note(text: str) -> Block:
    """Show one or two sentences that follow from the results."""
    return _block("note", {"text": text}, text)


def missing(text: str) -> Block:
    """Say why something cannot be shown: on a page all such sentences stand together at its end."""
    return _block("missing", {"text": text}, text)


def _block(kind: BlockKind, data: Mapping[str, Any], text: str) -> Block:
    return Block(kind, data, text, {"text/html": str(block_html({"kind": kind, **data}))})


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    numbers = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {
        **{k: float(exact(float(v))) + 0.0 for k, v in numbers.items()},
        "mass": interval.mass,
        "kind": interval.kind,
    }


def _rates(check: Check) -> str:
    """Say how good a check is: faults it finds, sound data on which it alarms."""
    said = []
    if check.catch_rate is not None:
        said.append(f"finds {percent(check.catch_rate, 0)} of planted faults")
    if check.false_alarm_rate is not None:
        said.append(f"alarms on {percent(check.false_alarm_rate)} of sound data")
    if not said:
        return ""
    sentence = " and ".join(said) + (f" ({check.rates_from})" if check.rates_from else "")
    return sentence[0].upper() + sentence[1:] + "."
