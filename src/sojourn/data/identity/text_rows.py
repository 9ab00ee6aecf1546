"""Taking rows out of a text table and leaving every other byte as it is."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from sojourn.core.errors import DataError
from sojourn.data.sources.compressed import opened
from sojourn.data.sources.text import Text

#: From the fields of a record as they are written to those that take their place; None where it goes.
type Change = Callable[[list[str]], list[str] | None]

#: Codecs that would swallow the mark at the beginning, and those that leave it where it is.
_MARKED = {
    "utf-16": {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", b"": "utf-16-le"},
    "utf-32": {codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be", b"": "utf-32-le"},
}


def fields_of(record: str, delimiter: str, quote: str) -> list[str] | None:
    """Return the fields of a record as they are written: joined by the delimiter they are the record.

    None where a quoted field does not end in it.
    """
    if not quote or quote not in record:
        return record.split(delimiter)
    fields: list[str] = []
    at = 0
    while True:
        after = _after_quote(record, at, quote) if record.startswith(quote, at) else at
        if after is None:
            return None
        stop = record.find(delimiter, after)
        if stop < 0:
            return [*fields, record[at:]]
        fields.append(record[at:stop])
        at = stop + len(delimiter)


def _after_quote(record: str, at: int, quote: str) -> int | None:
    """Return where a quoted field that begins at a place has ended, None where it does not."""
    at += 1
    while (end := record.find(quote, at)) >= 0:
        if not record.startswith(quote, end + 1):
            return end + 1
        at = end + 2
    return None


def value_of(field: str, quote: str) -> str:
    """Return what a field says: without its quotes and its end of line."""
    plain = field.rstrip("\r\n")
    if quote and len(plain) > 1 and plain[0] == plain[-1] == quote:
        return plain[1:-1].replace(quote * 2, quote)
    return plain


def emptied(field: str) -> str:
    """Return a field with nothing in it but the end of line that it had."""
    return field[len(field.rstrip("\r\n")) :]


def rewrite_text(text: Text, target: Path, change: Change) -> int:
    """Write a text table anew, record by record, in its own encoding and compression.

    Parameters
    ----------
    text : Text
        How it is written.
    target : Path
        File to write.
    change : callable
        What becomes of the fields of a record; the header is not asked.

    Returns
    -------
    int
        Records that went or changed.

    Raises
    ------
    DataError
        When its encoding cannot give back every other byte as it is.
    """
    read, again, changed = hashlib.sha256(), hashlib.sha256(), 0
    with opened(text.path, text.compression, text.table, text.shown) as file:
        buffered = io.BufferedReader(_Watched(file, read.update))
        encoding = _exact(text.encoding, buffered.peek(4))
        lines = io.TextIOWrapper(buffered, encoding=encoding, newline="")
        with _writer(text, target) as out:
            for number, (record, fields) in enumerate(_records(lines, text)):
                stored = record.encode(encoding)
                again.update(stored)
                kept = fields if text.header and number == 0 else change(fields)
                changed += kept is not fields
                if kept is not None:
                    out.write(stored if kept is fields else text.delimiter.join(kept).encode(encoding))
    if read.digest() != again.digest():
        raise DataError(
            f"{text.table}: {text.shown} cannot be written back byte for byte in {text.encoding}. "
            "Take the rows out with the program that made it, then run this again."
        )
    return changed


def _records(lines: io.TextIOWrapper, text: Text) -> Iterator[tuple[str, list[str]]]:
    """Give every record with its end of line, and its fields."""
    held = ""
    for line in lines:
        held += line
        fields = fields_of(held, text.delimiter, text.quote)
        if fields is not None:
            yield held, fields
            held = ""
    if held:
        yield held, held.split(text.delimiter)


def _exact(encoding: str, begin: bytes) -> str:
    """Return the codec that gives back what it read, the mark at the beginning with it."""
    marks = _MARKED.get(encoding)
    if marks is None:
        return encoding
    return next(name for mark, name in marks.items() if begin.startswith(mark))


class _Watched(io.RawIOBase):
    """Bytes of a file, shown to somebody while they are read."""

    def __init__(self, file: IO[bytes], watch: Callable[[bytes], None]) -> None:
        self._file, self._watch = file, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self._watch(piece)
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _zip(path: Path, like: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(like) as former:
        inside = next(member for member in former.infolist() if not member.is_dir())
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(inside.filename, "w") as out,
    ):
        yield out


def _writer(text: Text, target: Path) -> AbstractContextManager[Any]:
    """Open a file to be written in the compression of a text."""
    if text.compression == "zip":
        return _zip(target, text.path)
    return _WRITERS[text.compression](target)


_WRITERS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {
    "none": lambda path: path.open("wb"),
    "gzip": lambda path: gzip.GzipFile(path, "wb", mtime=0),
    "bz2": lambda path: bz2.BZ2File(path, "wb"),
    "xz": lambda path: lzma.LZMAFile(path, "wb"),  # noqa: SIM115 (who calls it closes it)
    "zstd": lambda path: pa.output_stream(str(path), compression="zstd"),
}
