"""Bytes of a file, decompressed while they are read."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from sojourn.core.errors import DataError
from sojourn.data.sources.stated import COMPRESSIONS

#: Errors of the disk that is written to, not of the file that is read.
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

#: So much is read at once.
CHUNK = 1 << 20

_BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError, pa.ArrowInvalid)


def compression_of(path: Path, stated: str | None) -> str:
    """Return how a file is compressed: as stated, else by the end of its name; ``none`` where it is not."""
    return stated or COMPRESSIONS.get(path.suffix.lower(), "none")


@contextmanager
def opened(path: Path, compression: str, table: str, shown: str) -> Iterator[IO[bytes]]:
    """Give the decompressed bytes of a file.

    Parameters
    ----------
    path : Path
        The file.
    compression : str
        One of `COMPRESSIONS` or ``none``.
    table, shown : str
        Name of the table and of the file, for errors.

    Raises
    ------
    DataError
        When the file is not what it says, or ends too early.
    """
    try:
        with _OPENERS[compression](path) as file:
            yield file
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        if compression == "none":
            raise DataError.unreadable(table, shown, f"the system says: {_said(error)}") from None
        why = str(error) if isinstance(error, _ZipError) else f"it is not {compression}, or it is cut off"
        hint = "Compress it again, or state its `compression`."
        raise DataError.unreadable(table, shown, why, hint) from None


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Give the bytes of a file piece by piece."""
    while piece := file.read(CHUNK):
        yield piece


class _ZipError(RuntimeError):
    """A zip file that cannot be taken for a table."""


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


@contextmanager
def _zip(path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise _ZipError(f"it holds {len(members)} files, where a table is one")
        if members[0].flag_bits & 1:
            raise _ZipError("it is encrypted")
        with archive.open(members[0]) as file:
            yield file


#: What opens a file; each is closed by `opened`.
_OPENERS: dict[str, Callable[[Path], Any]] = {
    "none": lambda path: path.open("rb"),
    "gzip": gzip.GzipFile,
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zip": _zip,
    "zstd": lambda path: pa.input_stream(str(path), compression="zstd"),
}
