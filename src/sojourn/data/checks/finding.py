"""A finding: one thing worth saying of a table with which the door goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sojourn.data.checked import Checked
from sojourn.data.rules import Level


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying.

    Attributes
    ----------
    table, column : str
        What it is about; `column` is empty where it is about whole rows.
    level : str
        ``warning`` or ``note``.
    finding, hint : str
        What is odd, and what is done or to be done about it.
    rows, concerned : int
        Rows of the table, and those that it concerns.
    """

    table: str
    column: str
    level: Level
    finding: str
    hint: str
    rows: int
    concerned: int


def of_rules(checked: Checked) -> Iterator[Finding]:
    """Give the broken rules of a table, the columns that are not read, and what its source has to say."""
    name, counts = checked.contract.name, checked.counts
    for rule, broken in zip(checked.rules, counts.broken, strict=True):
        if broken:
            yield Finding(name, rule.column, rule.level, rule.problem, rule.hint, counts.rows, broken)
    for column in checked.unread:
        unread = "not in the contract", "It is not read."
        yield Finding(name, column, "note", *unread, counts.rows, counts.rows)
    for note in checked.notes:
        concerned = counts.rows if note.concerned is None else note.concerned
        yield Finding(name, note.column, note.level, note.finding, note.hint, counts.rows, concerned)
