"""Where something still stands: every file of a folder, decompressed and decoded where need be."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Read at once; what is looked for may lie across the border of two pieces.
_PIECE = 1 << 24

#: Folders of tools and of code, which hold no data of a case.
SKIPPED = frozenset({".git", ".venv", ".tools", ".mypy_cache", ".ruff_cache", "__pycache__", "src"})


def traces(folder: Path, needles: Collection[str], *, but: Collection[Path] = ()) -> list[Path]:
    """Return the files below a folder in which one of some texts stands as a whole word.

    Parameters
    ----------
    folder : Path
        Where to look; links are not followed.
    needles : collection of str
        What to look for: ids or pseudonyms.
    but : collection of Path
        Files and folders that are passed over.

    Returns
    -------
    list of Path
        Sorted. Parquet files are read value by value; gzip, bzip2, xz, zstd and zip are decompressed. A file
        that cannot be read as what it is called is searched as it stands.
    """
    if not needles:
        return []
    words = "|".join(sorted(map(re.escape, needles), key=len, reverse=True))
    pattern = re.compile(rf"(?<![0-9A-Za-z])(?:{words})(?![0-9A-Za-z])")
    return sorted(path for path in _files(folder, frozenset(but)) if _stands_in(path, pattern))


def _files(folder: Path, but: Collection[Path]) -> Iterator[Path]:
    for top, folders, names in folder.walk():
        folders[:] = [name for name in folders if name not in SKIPPED and top / name not in but]
        yield from (top / name for name in names if top / name not in but and (top / name).is_file())


def _stands_in(path: Path, pattern: re.Pattern[str]) -> bool:
    readers: list[Callable[[Path], Iterator[str]]] = [_values] if _is_parquet(path) else []
    readers += [_decompressed] if path.suffix in _OPENERS else []
    for reader in (*readers, _as_it_stands):
        try:
            return any(pattern.search(text) for text in reader(path))
        except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException):
            continue
    return False


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _values(path: Path) -> Iterator[str]:
    """Give the values of every column of ids or texts, one a line."""
    file = pq.ParquetFile(path)
    for batch in file.iter_batches():
        for column in batch.columns:
            kind = column.type
            if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
                yield "\n".join(str(value) for value in column.unique().to_pylist())
            elif pa.types.is_dictionary(kind):
                yield "\n".join(str(value) for value in column.dictionary.to_pylist())


def _decompressed(path: Path) -> Iterator[str]:
    return _pieces(_OPENERS[path.suffix](path))


def _as_it_stands(path: Path) -> Iterator[str]:
    return _pieces(path.open("rb"))


def _pieces(file: Any) -> Iterator[str]:
    """Give a file as text in pieces that overlap; bytes beyond ASCII count as what UTF-8 makes of them."""
    with file:
        rest = b""
        while piece := file.read(_PIECE):
            whole = rest + piece
            yield whole.decode("utf-8", errors="replace")
            if b"\0" in whole[:4096]:
                yield whole.replace(b"\0", b"").decode("utf-8", errors="replace")  # as in UTF-16
            rest = whole[-4096:]


def _zipped(path: Path) -> Any:
    archive = zipfile.ZipFile(path)
    return archive.open(archive.infolist()[0])


_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda path: pa.input_stream(str(path), compression="zstd"),
    ".zip": _zipped,
}
