"""A table that is a folder of Parquet files: its parts, in the order of their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sojourn.core.errors import DataError


def parts_of(name: str, folder: Path, shown: str, *, only: Collection[str] | None = None) -> list[Path]:
    """Return the parts of a table, which all have the same columns and types.

    Names that begin with a point or an underscore are those of other programs' notes and are passed over.
    Folders inside may say the value of a column, as in ``day=2025-06-01/part-0.parquet``.

    Parameters
    ----------
    name : str
        Name of the table in the contract, for errors.
    folder : Path
        What holds the parts.
    shown : str
        The folder as errors name it.
    only : collection of str, optional
        Names of the parts that are looked at (see `part_name`); all when not stated.

    Raises
    ------
    DataError
        When the folder holds no part or something else, or when its parts are not alike.
    """
    found = files_in(name, folder, shown)
    found = found if only is None else [path for path in found if part_name(path, folder) in only]
    strange = [path.name for path in found if path.suffix != ".parquet"]
    if strange or not found:
        what = f"'{strange[0]}', which is no Parquet file" if strange else "no Parquet file"
        raise DataError(f"{name}: the folder {shown} holds {what}. It may hold the parts of the table only.")
    first, *others = ((path, _columns(name, path, shown)) for path in found)
    for other in others:
        _stop_at_difference(name, shown, first, other)
    said = sorted({*partitions(name, folder, found, shown)} & {*first[1]})
    if said:
        raise DataError(
            f"{name}.{said[0]}: it is a column of the parts in {shown} and a name of their folders. "
            "Take it out of one of both."
        )
    return found


def part_name(path: Path, folder: Path) -> str:
    """Return the name of a part: its path inside the folder of the table."""
    return path.relative_to(folder).as_posix()


def files_in(name: str, folder: Path, shown: str) -> list[Path]:
    """Return all files of a folder and of the folders inside that are named ``column=value``, in order.

    Raises
    ------
    DataError
        When it holds a folder of another name.
    """
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir() and "=" not in path.name:
            raise DataError(
                f"{name}: the folder {shown} holds '{path.name}', which is no Parquet file. "
                "It may hold the parts of the table only."
            )
        found += files_in(name, path, shown) if path.is_dir() else [path]
    return found


def partitions(name: str, folder: Path, parts: Sequence[Path], shown: str) -> tuple[str, ...]:
    """Return the columns that the names of the folders around the parts say.

    Raises
    ------
    DataError
        When they differ from part to part.
    """
    said = {
        tuple(place.split("=", 1)[0] for place in part.relative_to(folder).parts[:-1]): part for part in parts
    }
    if len(said) > 1:
        one, two = (part.relative_to(folder).as_posix() for part in list(said.values())[:2])
        raise DataError(
            f"{name}: the parts in {shown} are not alike: the folders of {one} and of {two} name different "
            "columns. Name the folders around all parts alike."
        )
    return next(iter(said), ())


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
