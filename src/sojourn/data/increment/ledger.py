"""The ledger of a case that grows: which parts were read, which days were made of them, what was counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sojourn.data.sources.notes import Note
from sojourn.data.writing import Firsts, in_utc, write_json

#: Name of the ledger in the folder of tidy tables.
LEDGER = "read.json"
#: Name of the file of different values beside it.
VALUES = "values.parquet"
#: Folders of one file a day beside it.
EVENTS, ACTIVITY, TALLIES = "events", "activity", "tallies"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the raw events as it was read.

    Attributes
    ----------
    size, mtime_ns : int
        Of the file; as long as both stay the part is not opened again.
    sha256 : str
        Of its content.
    rows : int
        Rows in it.
    is_open : bool
        Whether rows were left out that a later ``as_of`` may let in.
    """

    size: int
    mtime_ns: int
    sha256: str
    rows: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One day of tidy events: its rows, the size of its file, the earliest value of every column of instants.

    Attributes
    ----------
    rows, size, copies : int
        Rows, bytes of the file, and exact copies of rows that were found.
    firsts : mapping of str to datetime
        Of every column that holds one.
    """

    rows: int
    size: int
    copies: int
    firsts: Firsts


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted over raw rows of parts that are not open: rows, missing values, broken rules.

    Attributes
    ----------
    rows : int
        Rows.
    missing : mapping of str to int
        By column.
    broken : tuple of int
        Rows that break each rule, in the order of the rules.
    """

    rows: int
    missing: Mapping[str, int]
    broken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that a run must know of the runs before it.

    Attributes
    ----------
    meaning : str
        Fingerprint of everything that gives old days their meaning, but for members.
    members : str
        Keyed fingerprint of the members who had joined by `as_of`, with their numbers.
    as_of : datetime
        Of the run.
    columns : mapping of str to str
        Names and types of the raw events.
    parts, days : mapping
        By name of the part, and by UTC date.
    settled : Tally
        Of parts that are not open.
    notes : tuple of Note
        What source and mapping found worth saying of all parts.
    """

    meaning: str
    members: str
    as_of: datetime
    columns: Mapping[str, str]
    parts: Mapping[str, Part]
    days: Mapping[str, Day]
    settled: Tally
    notes: tuple[Note, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the ledger into a folder of tidy tables."""
        firsts = {
            day: {name: in_utc(at) for name, at in made.firsts.items()} for day, made in self.days.items()
        }
        content = asdict(self) | {"as_of": in_utc(self.as_of)}
        content["days"] = {day: asdict(made) | {"firsts": firsts[day]} for day, made in self.days.items()}
        write_json(folder / LEDGER, content)


def read_ledger(folder: Path) -> Ledger | None:
    """Return the ledger of a folder of tidy tables, None where there is none that can be read."""
    try:
        return _ledger(json.loads((folder / LEDGER).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _ledger(content: Mapping[str, Any]) -> Ledger:
    settled = content["settled"]
    return Ledger(
        content["meaning"],
        content["members"],
        _instant(content["as_of"]),
        content["columns"],
        {name: Part(**part) for name, part in content["parts"].items()},
        {day: _day(made) for day, made in content["days"].items()},
        Tally(settled["rows"], settled["missing"], tuple(settled["broken"])),
        tuple(Note(**note) for note in content["notes"]),
    )


def _day(made: Mapping[str, Any]) -> Day:
    return Day(
        made["rows"],
        made["size"],
        made["copies"],
        {name: _instant(at) for name, at in made["firsts"].items()},
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
