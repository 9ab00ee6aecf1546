"""Rules on names: words for nothing, one name in several spellings, new and rare ones, those not declared."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: What programs and people write where there is nothing (compared without case and blanks).
NOTHING = frozenset(
    (
        "null", "(null)", "nil", "none", "nan", "nat", "na", "<na>", "n/a", "#n/a", "n.a.", "-", "--", "?",
        "unknown", "undefined", "missing", "not set", "(not set)",
    )
)  # fmt: skip
#: Columns in which such a word is a name like any other: no scheme, an age that nobody stated.
NAMES_OF_NOTHING = ("scheme", "age_band", "churn_reason", "end_reason", "reason")
#: A name is rare when at most so many rows have it, in a table of at least so many rows.
RARE, ROWS = 3, 50
#: A name is new when it came in the last so many days of a table that spans at least so many.
NEW_DAYS, SPAN_DAYS = 14, 120
#: A column with more names than this holds no categories, and is passed over.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a column.

    Attributes
    ----------
    text : str
        The name.
    rows : int
        Rows that have it.
    first : date
        Day of the first of them.
    """

    text: str
    rows: int
    first: date


def is_nothing(name: str, column: str) -> bool:
    """Return whether a name is a word for nothing."""
    return column not in NAMES_OF_NOTHING and name.strip().casefold() in NOTHING


def respelt(names: Iterable[Name]) -> list[Name]:
    """Return names that differ from a more common one by case, blanks or Unicode form only."""
    groups: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[_plain(name.text)].append(name)
    ordered = (sorted(group, key=lambda name: (-name.rows, name.text)) for group in groups.values())
    return [name for group in ordered for name in group[1:]]


def rare(names: Sequence[Name], rows: int) -> list[Name]:
    """Return names that hardly any row has; none where most names are like that, or rows are few."""
    found = [name for name in names if name.rows <= RARE]
    return found if rows >= ROWS and len(found) <= len(names) / 2 else []


def fresh(names: Iterable[Name], rows: int, first: date, last: date) -> list[Name]:
    """Return names that came in the last two weeks only; none where rows or days are few."""
    if rows < ROWS or last - first < timedelta(days=SPAN_DAYS):
        return []
    return [name for name in names if last - name.first < timedelta(days=NEW_DAYS)]


def undeclared(names: Iterable[Name], declared: Iterable[str]) -> list[Name]:
    """Return names that the case has not declared."""
    known = set(declared)
    return [name for name in names if name.text not in known]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
