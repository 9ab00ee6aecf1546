"""The quality table: what the door counted and what it found worth saying."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from sojourn.data.checked import Checked

_HEADER = ("table", "column", "rows", "missing", "distinct", "level", "finding", "rows_concerned")


def write_quality(path: Path, tables: Iterable[Checked]) -> None:
    """Write one row per column, and one per finding: note or warning (an error stops the door before this).

    Parameters
    ----------
    path : Path
        CSV file to write.
    tables : iterable of Checked
        In the order in which they are listed.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for checked in tables:
            writer.writerows(_lines(checked))


def _lines(checked: Checked) -> Iterator[tuple[object, ...]]:
    name, counts = checked.contract.name, checked.counts
    for column, missing in counts.missing.items():
        yield name, column, counts.rows, missing, counts.distinct.get(column, ""), "", "", ""
    for rule, broken in zip(checked.rules, counts.broken, strict=True):
        if broken:
            yield name, rule.column, counts.rows, "", "", rule.level, f"{rule.problem}. {rule.hint}", broken
    for column in checked.unread:
        yield name, column, counts.rows, "", "", "note", "not in the contract. It is not read.", counts.rows
