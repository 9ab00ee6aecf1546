"""A table that is a folder of Parquet files: its parts, in the order of their names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sojourn.core.errors import DataError


def parts_of(name: str, folder: Path, shown: str, *, only: Collection[str] | None = None) -> list[Path]:
    """Return the parts of a table, which all have the same columns and types.

    Names that begin with a point or an underscore are those of other programs' notes and are passed over.

    Parameters
    ----------
    name : str
        Name of the table in the contract, for errors.
    folder : Path
        What holds the parts.
    shown : str
        The folder as errors name it.
    only : collection of str, optional
        Names of the parts that are looked at; all when not stated.

    Raises
    ------
    DataError
        When the folder holds no part or something else, or when its parts are not alike.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    found = found if only is None else [path for path in found if path.name in only]
    strange = [path.name for path in found if path.suffix != ".parquet" or not path.is_file()]
    if strange or not found:
        what = f"'{strange[0]}', which is no Parquet file" if strange else "no Parquet file"
        raise DataError(f"{name}: the folder {shown} holds {what}. It may hold the parts of the table only.")
    first, *others = ((path, _columns(name, path, shown)) for path in found)
    for other in others:
        _stop_at_difference(name, shown, first, other)
    return found


def rows_of(folder: Path) -> int:
    """Return the number of rows of all Parquet files in a folder, from their footers alone."""
    return sum(pq.read_metadata(part).num_rows for part in folder.glob("*.parquet"))


def _columns(name: str, path: Path, shown: str) -> dict[str, tuple[str, str]]:
    """Return how each column is stored; what a program notes beside it does not count."""
    try:
        schema = pq.ParquetFile(path).schema
    except pa.ArrowInvalid:
        raise DataError.unreadable(name, f"{shown}/{path.name}", "it is no Parquet file") from None
    columns = (schema.column(i) for i in range(len(schema)))
    return {column.path: (column.physical_type, str(column.logical_type)) for column in columns}


def _stop_at_difference(
    name: str,
    shown: str,
    first: tuple[Path, dict[str, tuple[str, str]]],
    other: tuple[Path, dict[str, tuple[str, str]]],
) -> None:
    (one, columns), (two, theirs) = first, other
    column = next((c for c in sorted({*columns, *theirs}) if columns.get(c) != theirs.get(c)), None)
    if column is None:
        return
    here, there = (one, two) if column in columns else (two, one)
    how = "of another type" if column in columns and column in theirs else "missing"
    raise DataError(
        f"{name}.{column}: the parts in {shown} are not alike: the column of {here.name} is {how} in "
        f"{there.name}. Write all parts with the same columns and types."
    )
