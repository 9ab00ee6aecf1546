"""What quality says: the answer, key figures, sentences, words around its picture and tables, next steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import pandas as pd

from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.quality import Carried, Coverage, Lateness, Quality
from sojourn.core.text import count, day, listing, percent, plural
from sojourn.report.say import register

#: The question of each study, as readers know it.
QUESTIONS: dict[str, str] = {
    "portrait": "who is here",
    "retention": "who stays",
    "trials": "which scheme",
    "segments": "which groups",
}
#: At most so many warnings become actions.
_MOST = 4
_TREND = 60
#: Days late that a reader thinks in.
_READ_AT = (0, 1, 3, 7, 14, 30)


def headline_quality(found: Quality, checks: Sequence[Check] = ()) -> Headline:
    """Return the answer: which questions the data can carry, and how many warnings there are.

    Parameters
    ----------
    found : Quality
        The result.
    checks : sequence of Check
        A failed one blocks the answer.
    """
    blocked = any(check.blocks for check in checks)
    yes = [c for c in found.carried if c.carries != "no"]
    warned = len(found.warnings)
    said = f"{plural(warned, 'warning')} to look at first" if warned else "no warning"
    return Headline(
        sentence=f"{_can(yes)}, with {said}." if yes else "The data can carry none of the questions yet.",
        verdict="cannot be relied on" if blocked else _verdict(found),
        status="blocked" if blocked else "ok",
        detail=" ".join(
            f"Not {QUESTIONS[c.study]}: {_inside(c.why)}" for c in found.carried if c.carries == "no"
        ),
    )


def _can(carried: Sequence[Carried]) -> str:
    questions = listing([f"“{QUESTIONS[c.study]}”" for c in carried])
    return f"The data can carry {plural(len(carried), 'question')}: {questions}"


def _inside(why: str) -> str:
    return why[:1].lower() + why[1:]


def _verdict(found: Quality) -> str:
    kinds = {c.carries for c in found.carried}
    if kinds == {"yes"}:
        return "sound"
    return (
        "cannot be used yet"
        if kinds == {"no"}
        else "read with care"
        if "with care" in kinds
        else "sound in part"
    )


def key_figures_quality(found: Quality) -> list[KeyFigure]:
    """Return the strip: rows read, members, days, warnings."""
    tables = plural(len(found.meta["read"]), "table")
    trend = [] if found.coverage.why_empty else found.coverage.table["rows"].astype(float).tolist()[-_TREND:]
    notes = len(found.findings) - len(found.warnings)
    return [
        KeyFigure("Rows read", count(found.rows), f"of {tables}; {count(found.left_out)} left out"),
        KeyFigure("Members", count(found.members), "who are kept; a count has no interval"),
        KeyFigure("Days of observation", count(found.days), "trend: events a day", trend),
        KeyFigure("Warnings", count(len(found.warnings)), f"and {plural(notes, 'note')}"),
    ]


def next_steps_quality(found: Quality) -> list[Action]:
    """Return what to do about the warnings that concern most rows."""
    steps = [
        Action(
            f"{_where(row)}: {_plain(row['hint'])}",
            f"{count(row['concerned'])} of {count(row['rows'])} rows",
            "a look at the export, then `sojourn prepare` again",
            f"found by rule: {_plain(row['finding'])}",
        )
        for _, row in found.warnings.head(_MOST).iterrows()
    ]
    first = next((c for c in found.carried if c.carries != "no"), None)
    read = Action(
        f"Go on to “{QUESTIONS[first.study]}”."
        if first
        else "Add what is missing, and read the tables again.",
        "an answer with its interval" if first else "a first answer",
        "minutes: the page is made of the same tables",
        "its own checks say what could be wrong with the answer",
    )
    return [*steps, read]


def _where(row: pd.Series[Any]) -> str:
    return f"{row['table']}.{row['column']}" if row["column"] else str(row["table"])


def _plain(text: object) -> str:
    return str(text).strip().rstrip(".")


def carried_frame(found: Quality) -> pd.DataFrame:
    """Return which question the data can carry: ``question``, ``carries``, ``why``."""
    rows = [(QUESTIONS[c.study], c.carries, c.why) for c in found.carried]
    return pd.DataFrame(rows, columns=["question", "carries", "why"])


def findings_frame(found: Quality) -> pd.DataFrame:
    """Return findings as they are read: what, where, in how many rows, what to do."""
    table = found.findings
    return pd.DataFrame(
        {
            "level": table["level"],
            "where": [_where(row) for _, row in table.iterrows()],
            "finding": table["finding"],
            "concerned_rows": table["concerned"],
            "all_rows": table["rows"],
            "what_to_do": table["hint"],
        }
    )


def lateness_frame(part: Lateness) -> pd.DataFrame:
    """Return shares of rows known after so many days, one row per table."""
    rows = []
    for table, of in part.table.groupby("table", sort=True):
        known = {f"known_share_{days}_days": _known(of, days) for days in _READ_AT}
        rows.append({"table": table, "rows": int(of["rows"].sum()), **known})
    return pd.DataFrame(rows)


def _known(of: pd.DataFrame, days: int) -> float:
    return float(of.loc[of["days_late"] <= days, "rows"].sum() / of["rows"].sum())


@register
def say_quality(found: Quality) -> str:
    """Say which questions the data can carry."""
    return headline_quality(found).sentence


@register
def say_coverage(part: Coverage) -> str:
    """Say on how many days something happened, and which days are missing or incomplete."""
    if part.why_empty:
        return part.why_empty
    days = len(part.table)
    have = "has" if len(part.gaps) == 1 else "have"
    missing = f"{plural(len(part.gaps), 'day')} of {count(days)} {have} no event" if part.gaps else ""
    whole = missing or f"All {plural(days, 'day')} have events"
    last = f"; from {day(part.incomplete[0])} on days are not complete yet" if part.incomplete else ""
    return f"{whole}{last}."


@register
def say_lateness(part: Lateness) -> str:
    """Say which share of rows was known on the same day, and after a week."""
    if part.why_empty:
        return part.why_empty
    at_once, week = (
        part.table.loc[part.table["days_late"] <= days, "rows"].sum() / part.table["rows"].sum()
        for days in (0, 7)
    )
    return f"{percent(at_once)} of rows were known within a day, {percent(week)} within a week."


@singledispatch
def describe_quality(part: Any) -> dict[str, str]:
    """Return the words around one part: ``title``, ``subtitle`` and ``alt``, or ``title`` and ``note``.

    Raises
    ------
    TypeError
        For anything that is no part of quality.
    """
    raise TypeError(f"{type(part).__name__} is no part of quality.")


@describe_quality.register
def _(part: Coverage) -> dict[str, str]:
    if part.why_empty:
        return {}
    marks = "Triangles: days without any event. " if part.gaps else ""
    shade = "Shaded: days that are not complete yet." if part.incomplete else ""
    said = say_coverage(part)
    return {
        "title": said.rstrip("."),
        "subtitle": f"Events on each local day. {marks}{shade}".strip(),
        "alt": f"Line of {plural(len(part.table), 'day')}. {said}",
    }


@describe_quality.register
def _(part: Lateness) -> dict[str, str]:
    if part.why_empty:
        return {}
    note = "Share of a table's rows that were known so many whole days after they happened."
    return {"title": say_lateness(part).rstrip("."), "note": note}


@describe_quality.register
def _(part: Quality) -> dict[str, str]:
    worst = part.findings.head(1)
    if worst.empty:
        return {"title": "Nothing odd was found", "note": ""}
    row = worst.iloc[0]
    note = "Warnings first, then notes; an error would have stopped the tables at the door."
    return {"title": f"Most rows: {_where(row)}, {_plain(row['finding'])}", "note": note}
