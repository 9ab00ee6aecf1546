"""Text tables: any delimiter, encoding and compression; plain UTF-8 is read by the engine where it stands.

Everything else is decoded by Python, in a stream, into a temporary file of UTF-8 that only its owner can read
and that is gone when the table stands in the engine.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.folder import PRIVATE_FILE, PRIVATE_FOLDER
from sojourn.data.engine import as_named
from sojourn.data.sources.compressed import chunks, compression_of, opened
from sojourn.data.sources.encodings import DecodingError, decoded, likely, recognised
from sojourn.data.sources.notes import Note
from sojourn.data.sources.opened import Opened, stop_at_doubled
from sojourn.data.sources.stated import COMPRESSIONS, File

#: How names of text tables end, before the end that says how they are compressed.
ENDS = (".csv", ".tsv", ".txt")

_DELIMITERS = ",;\t|"
_HEAD = 1 << 18
_UNNAMED = "_unnamed_"


@dataclass(frozen=True, slots=True)
class Text:
    """How one text is written, as stated or found.

    Attributes
    ----------
    path : Path
        The file.
    table, shown, where : str
        Name of the table, of the file, and of the parameter that states it, for errors.
    compression, encoding, delimiter, quote : str
        How it is written.
    names : tuple of str
        Of its columns; empty where the header names none.
    header : bool
        Whether the first line is one.
    """

    path: Path
    table: str
    shown: str
    where: str
    compression: str
    encoding: str
    delimiter: str
    quote: str
    names: tuple[str, ...]
    header: bool

    @property
    def plain(self) -> bool:
        """Whether the engine can read the file as it is."""
        return self.compression == "none" and self.encoding == "utf-8"


def is_text(path: Path) -> bool:
    """Return whether a file is a text table, by its name."""
    ends = [end.lower() for end in path.suffixes]
    bare = ends[:-1] if ends and ends[-1] in COMPRESSIONS else ends
    return bare[-1] in ENDS if bare else bool(ends)


def look(path: Path, stated: File, table: str, shown: str, where: str) -> Text:
    """Return how a text is written, from what is stated and from its beginning.

    Raises
    ------
    DataError
        When it cannot be decompressed or decoded, or has no header or one that names a column twice.
    """
    compression = compression_of(path, stated.compression)
    with opened(path, compression, table, shown) as file:
        begin = file.read(_HEAD)
    encoding = stated.encoding or recognised(begin)
    encoding = (
        "utf-16" if encoding.startswith("utf-16") and begin[:2] in (b"\xff\xfe", b"\xfe\xff") else encoding
    )
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        pieces = decoded([begin], encoding) if len(begin) < _HEAD else _first(begin, encoding)
        head = "".join(pieces)
    except DecodingError as error:
        raise not_decoded(table, shown, where, error) from None
    delimiter, names = _header(head, stated, table, shown)
    return Text(
        path, table, shown, where, compression, encoding, delimiter, stated.quote, names, stated.header
    )


def _first(begin: bytes, encoding: str) -> list[str]:
    """Return the decoded beginning of a file that goes on: the last characters may be cut."""
    found = decoded([begin], encoding)
    return [next(found)]


def _header(head: str, stated: File, table: str, shown: str) -> tuple[str, tuple[str, ...]]:
    delimiter = stated.delimiter or max(
        _DELIMITERS, key=lambda delimiter: len(_fields(head, delimiter, stated.quote))
    )
    names = _fields(head, delimiter, stated.quote)
    if not names:
        raise DataError.unreadable(table, shown, "it has no header")
    if not stated.header:
        return delimiter, tuple(f"column_{number}" for number in range(1, len(names) + 1))
    filled = [name for name in names if name]
    twice = sorted({name for name in filled if filled.count(name) > 1})
    if twice:
        raise DataError.unreadable(table, shown, f"the header names {twice[0]} twice")
    stop_at_doubled(table, filled, shown)
    return delimiter, tuple(names)


def _fields(head: str, delimiter: str, quote: str) -> list[str]:
    """Return the fields of the first line of a text."""
    if len(delimiter) > 1:
        line = re.split(r"[\r\n]", head, maxsplit=1)[0]
        return [field.strip(quote or None) for field in line.split(delimiter)] if line else []
    how: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    try:
        return next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, **how), [])
    except csv.Error:  # a field that is longer than the csv module takes, or a byte of value zero
        return []


def not_decoded(table: str, shown: str, where: str, error: DecodingError) -> DataError:
    """Return the error for a text that is not what was tried, without anything of the text itself."""
    tried = "UTF-8" if error.encoding == "utf-8" else error.encoding
    guesses = [name for name in likely(error.near) if name != error.encoding]
    hint = f"State its encoding in {where}, such as `encoding: {guesses[0]}`" if guesses else ""
    others = f" (or {', '.join(guesses[1:])})" if len(guesses) > 1 else ""
    hint = f"{hint}{others}." if hint else f"State its encoding in {where}."
    return DataError.unreadable(
        table, shown, f"it is not {tried}: byte {error.byte:,}, in line {error.line:,}, is none of it", hint
    )


def open_texts(engine: Any, texts: Sequence[Text], *, part: str | None = None) -> Opened:
    """Open texts that are written alike as one table; all values are text.

    Parameters
    ----------
    engine : ibis backend
        What reads them.
    texts : sequence of Text
        Parts of one table, in order.
    part : str, optional
        Name of a column for the path of the part that a row stands in.

    Raises
    ------
    DataError
        When one cannot be decompressed or decoded.
    """
    first = texts[0]
    marked = {} if part is None else {"filename": part}
    if all(text.plain for text in texts):
        found = [_scanned(text) for text in texts]
        paths = [text.path for text in texts]
        table = engine.read_csv(
            [*map(as_named, paths)], table_name=f"raw_{first.table}", **_layout(first), **marked
        )
    else:
        table, found = _loaded(engine, texts, marked)
    unnamed = [name for name in table.columns if name.startswith(_UNNAMED)]
    notes = [_about_unnamed() for _ in unnamed] + [
        _about_end(text) for text, (_, ended) in zip(texts, found, strict=True) if not ended
    ]
    return Opened(
        table.drop(*unnamed),
        tuple(notes),
        lambda error: broken(texts, error),
        zeros=any(zeros for zeros, _ in found),
    )


def _layout(text: Text) -> dict[str, Any]:
    """Return how the engine is to read a text.

    It would guess from the rows, and passes over a header when a later row has more fields.
    """
    names = [name or f"{_UNNAMED}{place}" for place, name in enumerate(text.names)]
    return {
        "columns": dict.fromkeys(names, "VARCHAR"),
        "auto_detect": False,
        "header": text.header,
        "delim": text.delimiter,
        "quote": text.quote,
        "escape": text.quote,
        "compression": "none",  # it is undone by then, whatever the name says
    }


def _scanned(text: Text) -> tuple[bool, bool]:
    """Return whether a plain text holds a zero byte, and whether it ends with an end of line."""
    zeros, last = False, b"\n"
    with opened(text.path, text.compression, text.table, text.shown) as file:
        for piece in chunks(file):
            zeros = zeros or b"\0" in piece
            last = piece[-1:]
    return zeros, last in (b"\n", b"\r")


def _loaded(
    engine: Any, texts: Sequence[Text], marked: dict[str, str]
) -> tuple[Table, list[tuple[bool, bool]]]:
    """Decode texts into temporary files and load these; the files are gone afterwards, whatever happens."""
    name = f"loaded_{texts[0].table}"
    scratch = Path(engine.con.execute("SELECT current_setting('temp_directory')").fetchone()[0])
    scratch.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    with tempfile.TemporaryDirectory(prefix="decoded.", dir=scratch) as folder:
        paths = [Path(folder) / f"{number:06}" / text.path.name for number, text in enumerate(texts)]
        found = [_decoded_into(path, text) for path, text in zip(paths, texts, strict=True)]
        try:
            view = engine.read_csv(
                [*map(as_named, paths)], table_name=f"{name}_decoded", **_layout(texts[0]), **marked
            )
            engine.con.execute(f"DROP TABLE IF EXISTS {name}")
            return engine.create_table(name, view, temp=True), found
        except duckdb.Error as error:
            raise broken(texts, error) from None
        finally:
            engine.con.execute(f"DROP VIEW IF EXISTS {name}_decoded")


def _decoded_into(path: Path, text: Text) -> tuple[bool, bool]:
    """Write a text as UTF-8 and return whether it holds a zero byte and ends with an end of line."""
    path.parent.mkdir(mode=PRIVATE_FOLDER)
    path.touch(mode=PRIVATE_FILE)
    zeros, last = False, "\n"
    try:
        with opened(text.path, text.compression, text.table, text.shown) as file, path.open("wb") as out:
            for piece in decoded(chunks(file), text.encoding):
                zeros = zeros or "\0" in piece
                last = piece[-1:] or last
                out.write(piece.encode("utf-8"))
    except DecodingError as error:
        raise not_decoded(text.table, text.shown, text.where, error) from None
    return zeros, last in ("\n", "\r")


def _about_unnamed() -> Note:
    return Note(
        "", "note", "a column without a name, such as the index that pandas writes", "It is not read."
    )


def _about_end(text: Text) -> Note:
    finding = "the file does not end with an end of line"
    hint = "Its last value may be cut off; compare it with where the file comes from."
    return Note(text.names[-1], "warning", finding, hint, 1)


def broken(texts: Sequence[Text], error: Exception) -> DataError:
    """Return the error for rows that the engine cannot read, without the rows that its own text quotes."""
    said = str(error)
    text = next((text for text in texts if str(text.path) in said), texts[0])
    windows_ends = plain_ends = False
    try:
        with opened(text.path, text.compression, text.table, text.shown) as file:
            for piece in decoded(chunks(file), text.encoding):
                windows_ends = windows_ends or "\r\n" in piece
                plain_ends = plain_ends or re.search(r"[^\r]\n", piece) is not None
    except DecodingError as found:
        return not_decoded(text.table, text.shown, text.where, found)
    line = re.search(r"Line: (\d+)", said)
    where = f" at line {int(line[1]):,}" if line else ""
    counted = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    why = f": the header has {counted[1]} fields, this row {counted[2]}" if counted else ""
    if "unterminated quote" in said:
        why = ": a quote is left open"
    hint = "Put fields that hold a delimiter into quotes, and check that the file came whole."
    if re.search(r"^Maximum line size", said, re.MULTILINE):
        why, hint = (
            ": it is longer than 2,000,000 bytes",
            "Shorten the field, or leave its column out of the file.",
        )
    elif "invalid state" in said and not why and plain_ends and windows_ends:
        why, hint = ": some lines end in CR LF, others in LF", "End all lines in the same way."
    return DataError.unreadable(text.table, text.shown, f"its rows are broken{where}{why}", hint)
