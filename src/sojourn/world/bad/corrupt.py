"""Write an export of a world with exactly one fault in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.ranges import in_range
from sojourn.world.bad import columns, files, ids, layouts, numbers, rows, times
from sojourn.world.bad.fault import Change, Expected, Fault, Given
from sojourn.world.bad.sheet import Sheet, as_sheets, file_of, read_tables

#: Every fault by name.
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for room in (columns, layouts, numbers, times, ids, rows, files)
    for fault in room.FAULTS
}


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted, and where.

    Attributes
    ----------
    fault : str
        Name of the fault.
    table, column : str
        Where it is; `column` is empty where the fault is in whole rows or in the whole file.
    rows : int
        Number of rows concerned.
    examples : tuple of int
        Up to three of their numbers, counted from 1 without the header; those of the clean export where
        rows were taken out.
    expected : str
        What the door ought to do: ``error``, ``warning``, ``note`` or ``accepted``.
    files : mapping of str to Path
        File of each table.
    """

    fault: str
    table: str
    column: str
    rows: int
    examples: tuple[int, ...]
    expected: Expected
    files: Mapping[str, Path]


def corrupt(
    source: Path | Mapping[str, pd.DataFrame],
    fault: str,
    *,
    out: Path,
    rng: np.random.Generator,
    table: str | None = None,
    time_zone: str = "Europe/Berlin",
    bot_events: int = 50_000,
) -> Planted:
    """Write an export of a world with exactly one fault.

    All tables are held in memory as text: this is for small worlds.

    Parameters
    ----------
    source : Path or mapping of str to DataFrame
        Folder that `write_world` has written, or tables by name as the contract has them.
    fault : str
        Name of a fault, one of `FAULTS`.
    out : Path
        Folder for one file per table, CSV where the fault is not one of Parquet; made when absent.
    rng : Generator
        Draws where the fault goes; the same state gives the same bytes.
    table : str, optional
        Where to plant it; the fault's usual table when not given.
    time_zone : str
        Local time of faults that write it.
    bot_events : int
        Events of a bot.

    Returns
    -------
    Planted
        What was planted and what the door ought to do.

    Raises
    ------
    ParameterError
        When there is no such fault, or the world has no such table.
    DataError
        When the table has no place for the fault.
    """
    if fault not in FAULTS:
        raise ParameterError.unknown(fault, "FAULTS", FAULTS)
    asked = FAULTS[fault]
    sheets = as_sheets(read_tables(source), numbered=asked.numbered)
    chosen = table or asked.table
    if chosen not in sheets:
        raise ParameterError.unknown(chosen, "the world", sheets)
    events = int(in_range(bot_events, "bot_events", ge=1))
    change = asked.plant(sheets[chosen], Given(rng, sheets["members"], ZoneInfo(time_zone), events))
    if not len(change.touched):
        raise DataError(f"{chosen}: the world has no row to plant '{fault}' in. Draw more members.")
    return _planted(asked, change, _write(out, {**sheets, chosen: change.sheet}))


def export(
    source: Path | Mapping[str, pd.DataFrame], out: Path, *, numbered: bool = False
) -> dict[str, Path]:
    """Write the same export without any fault and return the file of each table.

    Parameters
    ----------
    source, out
        As for `corrupt`.
    numbered : bool
        Whether ids are whole numbers, as for faults that are `numbered`.
    """
    return _write(out, as_sheets(read_tables(source), numbered=numbered))


def _write(out: Path, sheets: Mapping[str, Sheet]) -> dict[str, Path]:
    out.mkdir(parents=True, exist_ok=True)
    written = {}
    for table, sheet in sheets.items():
        name, content = file_of(sheet)
        written[table] = out / name
        written[table].write_bytes(content)
    return written


def _planted(fault: Fault, change: Change, written: Mapping[str, Path]) -> Planted:
    return Planted(
        fault=fault.name,
        table=change.sheet.table,
        column=change.column,
        rows=len(change.touched),
        examples=tuple(place + 1 for place in change.touched[:3]),
        expected=change.expected or fault.expected,
        files=written,
    )
