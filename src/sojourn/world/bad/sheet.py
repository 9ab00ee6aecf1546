"""A table of an export as text, as a program would write it, and the bytes of its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT, Type
from sojourn.core.schema import Table as Contract

#: What is no number of a member in an export of numbered ids: the one that many programs write as 1e+06.
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of an export.

    Attributes
    ----------
    table : str
        Its name in the contract.
    rows : DataFrame of text
        Its values as they will be written; empty for a missing one. Names of columns may repeat.
    delimiter, encoding, line_end : str
        How a CSV is written.
    form : str
        ``csv`` or ``parquet``.
    types : mapping of str to Arrow type
        Columns of a Parquet file that are not text.
    finish : callable
        What becomes of the bytes in the end.
    """

    table: str
    rows: pd.DataFrame
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    form: Literal["csv", "parquet"] = "csv"
    types: Mapping[str, Any] = field(default_factory=dict)
    finish: Callable[[bytes], bytes] = bytes

    @property
    def contract(self) -> Contract:
        """What the table should hold."""
        return CONTRACT[self.table]

    def columns(self, *types: Type) -> list[str]:
        """Return the columns there are of some types, in the contract's order."""
        return [c.name for c in self.contract.columns if c.type in types and c.name in self.rows.columns]

    def texts(self, column: str, places: Iterable[int]) -> list[str]:
        """Return the values of a column in some rows."""
        values = self.rows[column].tolist()
        return [values[place] for place in places]

    def instants(self, column: str) -> pd.Series[pd.Timestamp]:
        """Return a column of times as instants (UTC), missing ones as NaT."""
        return pd.to_datetime(self.rows[column].replace("", None), utc=True, format="ISO8601")

    def instants_at(self, column: str, places: Iterable[int]) -> list[pd.Timestamp]:
        """Return the instants of a column in some rows."""
        values = self.instants(column).tolist()
        return [values[place] for place in places]


def read_tables(source: Path | Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of a world by name, from its folder or as they are.

    Raises
    ------
    DataError
        When the folder holds none.
    """
    if not isinstance(source, Path):
        return dict(source)
    places = {name: [source / name, source / f"{name}.parquet"] for name in CONTRACT}
    found = {name: next((p for p in paths if p.exists()), None) for name, paths in places.items()}
    tables = {name: pd.read_parquet(path) for name, path in found.items() if path is not None}
    if not tables:
        raise DataError(f"No table of a world in {source.name}: write one with write_world first.")
    return tables


def as_sheets(tables: Mapping[str, pd.DataFrame], *, numbered: bool) -> dict[str, Sheet]:
    """Return tables as text.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As the contract has them.
    numbered : bool
        Whether members are numbered from 1 in the order of their table, the first in `events` 1,000,000.
    """
    sheets = {name: Sheet(name, _as_text(frame, CONTRACT[name])) for name, frame in tables.items()}
    if not numbered:
        return sheets
    numbers = _numbers(sheets)
    for sheet in sheets.values():
        for column in sheet.columns("id"):
            if column != "prospect_id":
                sheet.rows[column] = sheet.rows[column].map(numbers)
    return sheets


def _numbers(sheets: Mapping[str, Sheet]) -> dict[str, str]:
    numbers = {name: str(i) for i, name in enumerate(sheets["members"].rows["member_id"], start=1)}
    first = sheets["events" if "events" in sheets else "members"].rows["member_id"].iloc[0]
    return {**numbers, first: str(MILLION), "": ""}


def _as_text(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    types = {column.name: column.type for column in contract.columns}
    text = {
        str(name): ["" if missing else write(value, types.get(str(name), "text"))
                    for value, missing in zip(frame[name], frame[name].isna(), strict=True)]
        for name in frame.columns
    }  # fmt: skip
    return pd.DataFrame(text, dtype=object)


def write(value: Any, kind: Type) -> str:
    """Return a value as the contract wants it written."""
    if kind == "instant":
        return iso(value)
    if kind == "decimal":
        return f"{Decimal(str(value)):f}"
    if kind == "integer":
        return str(int(value))
    return str(value).lower() if kind == "bool" else str(value)


def iso(instant: pd.Timestamp) -> str:
    """Return an instant (UTC) as ISO 8601 with a Z."""
    return instant.tz_convert(None).isoformat() + "Z"


def file_of(sheet: Sheet) -> tuple[str, bytes]:
    """Return the name of a sheet's file and its bytes."""
    made = _parquet(sheet) if sheet.form == "parquet" else _csv(sheet)
    return f"{sheet.table}.{sheet.form}", sheet.finish(made)


def _csv(sheet: Sheet) -> bytes:
    lines: Iterable[Any] = sheet.rows.itertuples(index=False, name=None)
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=sheet.delimiter, lineterminator=sheet.line_end)
    writer.writerow(sheet.rows.columns)
    writer.writerows(lines)
    return file.getvalue().encode(sheet.encoding)


def _parquet(sheet: Sheet) -> bytes:
    columns = {
        name: pa.array([value or None for value in sheet.rows[name]], pa.string()).cast(
            sheet.types.get(name, pa.string())
        )
        for name in sheet.rows.columns
    }
    file = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), file)
    return bytes(file.getvalue().to_pybytes())
