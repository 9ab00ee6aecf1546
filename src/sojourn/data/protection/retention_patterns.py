"""Protected cells for regression and its examination: patterns of too few members vanish.

A pattern names all groups of its members at once, so whatever moves in it tells more than what moves in a
group: its running counts are read off on fewer days, in larger steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import staircase
from sojourn.data.protection.retention import protect_risk

#: Days since joining on which running counts of a pattern are read off.
PATTERN_KNOTS: tuple[int, ...] = (0, 30, 90, 180, 365, 730, 1_460, 2_920)
#: And they are multiples of so many smallest groups.
PATTERN_BASES = 5
#: Days to which times until leaving are rounded up in the examination; later ones to the last.
AFTER: tuple[int, ...] = (28, 56, 91, 182, 364)
_STEPS = 20  # the share that is kept is told in twentieths
_COUNTS = ["entered", "churned", "censored"]


def protect_patterns(patterns: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``patterns`` with counts that are multiples of `base` times `PATTERN_BASES`."""
    keys = [name for name in patterns.columns if name not in ("day", *_COUNTS)]
    codes = patterns.groupby(keys, sort=True).ngroup()
    gone = patterns["churned"] + patterns["censored"]
    risk = patterns.assign(by="pattern", group=codes, late=1, potential=gone)
    named = patterns[keys].assign(group=codes).drop_duplicates()
    shown = protect_risk(
        risk[["by", "group", "late", "day", *_COUNTS, "potential"]], base * PATTERN_BASES, marks=PATTERN_KNOTS
    )
    some = shown[_COUNTS].sum(axis=1) > 0
    return _like(shown[some].merge(named, on="group"), patterns)


def patterns_kept(shown: pd.DataFrame, risk: pd.DataFrame) -> float:
    """Return the share of members who are in patterns that are shown, in steps, by shown counts only."""
    members = int(risk.loc[risk["by"] == "all", "entered"].sum())
    kept = int(shown.loc[shown["known"] == "now", "entered"].sum())
    return min(kept * _STEPS // members, _STEPS) / _STEPS if members else 0.0


def protect_exam(exam: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``exam`` with counts that are multiples of `base` times `PATTERN_BASES`.

    Notes
    -----
    Members of a pattern in the order of their age make groups of so many; ages are read off at
    `PATTERN_KNOTS`. Each group has one ``after``, rounded up to a day of `AFTER`: that which is furthest
    behind its own count. So totals are right to one group each, and single times are not.
    """
    keys = [name for name in exam.columns if name not in ("age", "after", "members")]
    groups = [rows for _, rows in exam.groupby(keys, sort=True)] if keys else [exam]
    made = [
        _exam(rows, base * PATTERN_BASES).assign(**{name: rows[name].iloc[0] for name in keys})
        for rows in groups
        if len(rows)
    ]
    return _like(pd.concat([exam.iloc[:0], *made]), exam)


def _exam(rows: pd.DataFrame, base: int) -> pd.DataFrame:
    found: list[tuple[int, int]] = []
    if rows["members"].sum() >= base:
        after = rows["after"].map(_rounded_up)
        runs = rows.pivot_table(index="age", columns=after, values="members", aggfunc="sum", fill_value=0)
        weeks = runs.reindex(range(0, int(runs.index.max()) + 1, 7), fill_value=0)
        marks = _marks(weeks.index)
        steps, runs = staircase(weeks.sum(axis=1), base, marks), weeks.cumsum()
        told = np.zeros(len(runs.columns), dtype=np.int64)
        for place in np.repeat(np.arange(len(weeks)), steps // base):
            until = marks[int(np.searchsorted(marks, place))]
            which = int(np.argmax(runs.iloc[until].to_numpy() - told))
            told[which] += base
            found.append((7 * int(place), int(runs.columns[which])))
    counts = pd.DataFrame(found, columns=["age", "after"]).value_counts(["age", "after"]) * base
    return counts.rename("members").reset_index()


def _marks(ages: pd.Index[Any]) -> list[int]:
    """Return the places of ages that are read off, the last one among them."""
    places = np.searchsorted(ages, [day for day in PATTERN_KNOTS if day <= ages.max()])
    return sorted({*places.tolist(), len(ages) - 1})


def _rounded_up(after: int) -> int:
    return next((most for most in AFTER if most >= after), AFTER[-1]) if after else 0


def _like(found: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    columns = list(exact.columns)
    return found[columns].sort_values(columns, ignore_index=True).astype(exact.dtypes)
