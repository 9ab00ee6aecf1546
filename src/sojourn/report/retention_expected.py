"""Words of expected losses: how many of those with us, and of what kind."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sojourn.core.results.retention_expected import ExpectedLosses
from sojourn.core.text import count, in_words, percent
from sojourn.report.retention_words import go, had_gone, span, who
from sojourn.report.say import register


@register
def say_expected(result: ExpectedLosses) -> str:
    """Say how many are expected to leave, or why nothing is expected."""
    if result.why_empty or result.total is None:
        return result.why_empty
    return (
        f"Of {count(result.members)} members who had not {had_gone(result)} by the date of the data, "
        f"{in_words(result.total, '', 0)} are expected to "
        f"{go(result)} within {span(result.within, result.unit)}."
    )


def expected_frame(result: ExpectedLosses) -> pd.DataFrame:
    """Return expected leavers by what was known at joining, as a table to show."""
    if result.table.empty:
        return pd.DataFrame()
    shown = result.table.assign(column=result.table["column"].str.replace("_", " "))
    names = {"column": "known_when_joining", "level": "group", "leavers": "expected_leavers"}
    return shown.rename(columns=names)


def describe_expected(result: ExpectedLosses) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of expected leavers."""
    most: Any = result.table.loc[result.table["p_leaving"].idxmax()]
    title = (
        f"{percent(most['p_leaving'], 0)} of {who(most['column'], most['level'])} are expected to "
        f"{go(result)} within {span(result.within, result.unit)}, more than of any other group"
    )
    older = (
        f" {count(result.too_old)} whose next {span(result.within, result.unit)} reach beyond the longest "
        "time anybody was followed are not predicted."
        if result.too_old
        else ""
    )
    note = (
        f"{say_expected(result)} By what was known when they joined and how long they have been there; every "
        f"member counts once under each heading. Share expected to {go(result)}, with the interval in which "
        f"their share will fall ({result.mass * 100:g} %).{older}"
    )
    return {"title": title, "note": note}
