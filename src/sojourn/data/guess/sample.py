"""The beginning of a stranger's file: how it is written, and a sample of every column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from sojourn.core.errors import DataError, UndefinedError
from sojourn.data.guess.kinds import look_at, reader_of
from sojourn.data.sources.compressed import compression_of, opened
from sojourn.data.sources.encodings import DecodingError, decoded, likely, recognised

#: So much of a file is looked at.
SAMPLE_BYTES, SAMPLE_ROWS = 4_000_000, 20_000

#: So many characters of one field are taken; the csv module takes 131,072 unless it is told.
_LONGEST = 2**31 - 1

_DELIMITERS = (",", ";", "\t", "|", " ")


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a table.

    Attributes
    ----------
    columns : mapping of str to tuple of str
        Values of every column, as written, in the order of the file.
    encoding, delimiter : str
        How a text is written; empty for Parquet.
    header : bool
        Whether the first line names the columns; where not, they are called ``column_1`` and so on.
    """

    columns: Mapping[str, tuple[str, ...]]
    encoding: str = ""
    delimiter: str = ""
    header: bool = True


def sample(table: str, path: Path, shown: str) -> Sample:
    """Return the beginning of a file, or of a folder of Parquet files.

    Parameters
    ----------
    table : str
        Name in the contract, for errors.
    path : Path
        The file or folder.
    shown : str
        The same as errors name it.

    Raises
    ------
    DataError
        When there is none, or nothing can be made of it.
    """
    if not path.exists():
        raise DataError(f"{table}: there is no file {shown}. Correct its name.")
    if path.is_dir() or path.suffix == ".parquet":
        return _of_parquet(table, path, shown)
    return _of_text(table, path, shown)


def _of_parquet(table: str, path: Path, shown: str) -> Sample:
    try:
        rows = ds.dataset(path, format="parquet", partitioning="hive").head(SAMPLE_ROWS)
    except (pa.ArrowInvalid, OSError):
        raise DataError.unreadable(
            table, shown, "it is neither a Parquet file nor a folder of them"
        ) from None
    return Sample({name: tuple(map(_written, rows[name].to_pylist())) for name in rows.column_names})


def _written(value: object) -> str:
    return "" if value is None else str(value)


def _of_text(table: str, path: Path, shown: str) -> Sample:
    with opened(path, compression_of(path, None), table, shown) as file:
        begin = file.read(SAMPLE_BYTES)
    encoding, text = _decoded(begin)
    whole = text if len(begin) < SAMPLE_BYTES else text[: text.rfind("\n") + 1]
    delimiter = guess_delimiter(whole.splitlines()[:200])
    rows = list(_cut(io.StringIO(whole, newline=""), delimiter))
    if not rows:
        raise DataError.no_rows(table, shown)
    header = _is_header(rows[0])
    twice = [] if header else _named_twice(rows)
    if twice:
        raise DataError.unreadable(table, shown, f"the header names {twice[0]} twice")
    names = rows[0] if header else [f"column_{n}" for n in range(1, len(rows[0]) + 1)]
    body = [row for row in rows[header : SAMPLE_ROWS + header] if len(row) == len(names)]
    columns = {name: tuple(row[n] for row in body) for n, name in enumerate(names) if name}
    return Sample(columns, encoding, delimiter, header)


def _decoded(begin: bytes) -> tuple[str, str]:
    """Return the encoding that the beginning of a text is likely in, and the text."""
    encoding = recognised(begin)
    try:
        return encoding, _text(begin, encoding)
    except DecodingError as error:
        encoding = likely(error.near)[0]
        return encoding, begin.decode(encoding, "replace")


def _text(begin: bytes, encoding: str) -> str:
    """Return a text whose last character may be cut off."""
    whole = begin if len(begin) < SAMPLE_BYTES else begin[: begin.rfind(b"\n") + 1]
    return "".join(decoded([whole], encoding))


def latest(path: Path, begin: Sample, column: str, *, until: datetime | None = None) -> datetime:
    """Return the latest instant of a column of the whole file; values that are none are passed over.

    Parameters
    ----------
    path : Path
        File or folder.
    begin : Sample
        Its beginning, which says how it is written.
    column : str
        Name in the file.
    until : datetime, optional
        Later instants are passed over, such as the end of a contract that is still to come.

    Raises
    ------
    UndefinedError
        When the column holds no such instant.
    """
    read = reader_of(look_at(begin.columns[column]).written)
    values = _texts(path, begin, column) if begin.delimiter else _rows(path, column)
    instants = (at for value in values if value and (at := read(value.strip())) is not None)
    found = max((at for at in instants if until is None or at <= until), default=None)
    if found is None:
        raise UndefinedError(f"The column {column} holds no time, so there is no last one.")
    return found


def _texts(path: Path, begin: Sample, column: str) -> Iterator[str]:
    with (
        opened(path, compression_of(path, None), "", str(path)) as file,
        io.TextIOWrapper(file, begin.encoding, errors="replace", newline="") as text,
    ):
        rows = _cut(text, begin.delimiter)
        names = list(begin.columns)
        if begin.header:  # those of the file: columns without a name are none of the sample
            names = [name.removeprefix("\ufeff") for name in next(rows)]
        place = names.index(column)
        yield from (row[place] for row in rows if len(row) > place)


def _rows(path: Path, column: str) -> Iterator[str]:
    for batch in ds.dataset(path, format="parquet", partitioning="hive").to_batches(columns=[column]):
        yield from map(_written, batch[column].unique().to_pylist())


def guess_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that cuts most lines into the same number of fields, more than one.

    Parameters
    ----------
    lines : sequence of str
        The beginning of a text.
    """

    def fitting(delimiter: str) -> tuple[int, int]:
        counts = Counter(len(row) for row in _cut(lines, delimiter))
        fields, often = counts.most_common(1)[0] if counts else (1, 0)
        return (often if fields > 1 else 0), fields

    return max(_DELIMITERS, key=fitting)


def _cut(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Give the fields of every line that is not empty, however long a field is."""
    csv.field_size_limit(_LONGEST)
    return (row for row in csv.reader(lines, delimiter=delimiter) if row)


def _named_twice(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names that a header has twice: words above a row that holds a number or a time."""
    filled = [field for field in rows[0] if field.strip()]
    below = rows[1] if len(rows) > 1 else []
    if not _are_words(filled) or _are_words([field for field in below if field.strip()]):
        return []
    return sorted({field for field in filled if filled.count(field) > 1})


def _are_words(fields: Sequence[str]) -> bool:
    return all(look_at([field]).kind in ("text", "bool") for field in fields)


def _is_header(row: Sequence[str]) -> bool:
    """Return whether a first line names columns: no field is a number or a time, and none comes twice."""
    filled = [field for field in row if field.strip()]
    return _are_words(filled) and len(set(filled)) == len(filled) > 0
