"""A table as a source gives it, before the contract's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ibis import Table

from sojourn.core.errors import DataError
from sojourn.data.sources.notes import Note


@dataclass(frozen=True, slots=True)
class Opened:
    """A table that can be read.

    Attributes
    ----------
    table : ibis Table
        Its rows.
    notes : tuple of Note
        What was odd about it.
    explain : callable or None
        Turns an error of the engine, raised while the rows are read, into ours.
    zeros : bool
        Whether some text holds a byte of value zero.
    decimal, thousands : str
        Marks in its numbers.
    files : tuple of Path
        Parquet files in which it stands, where reading them twice costs less than keeping a copy.
    """

    table: Table
    notes: tuple[Note, ...] = ()
    explain: Callable[[Exception], DataError] | None = None
    zeros: bool = False
    decimal: str = "."
    thousands: str = ""
    files: tuple[Path, ...] = ()


def stop_at_doubled(table: str, names: Iterable[str], shown: str) -> None:
    """Stop where two columns differ by their case only.

    Raises
    ------
    DataError
        Naming the second of both.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() in seen:
            raise DataError(
                f"{table}.{name}: {shown} has this column twice, as '{seen[name.casefold()]}' and '{name}'. "
                "Rename one of both, or take it out."
            )
        seen[name.casefold()] = name
