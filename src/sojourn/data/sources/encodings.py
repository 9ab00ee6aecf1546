"""Encodings: recognised where a file shows its own, decoded in a stream, and named where they do not fit."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator

#: Marks at the beginning of a file, the longest first, and what decodes what follows (and the mark).
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What a text that is not UTF-8 is likely to be; those of Chinese, Japanese and Korean only where it shows.
_EASTERN = ("gb18030", "big5", "shift_jis", "euc_kr")
_WESTERN = ("cp1252", "cp1250", "cp1251")
_MARK = "\ufeff"


class DecodingError(ValueError):
    """Bytes that are none of an encoding.

    Attributes
    ----------
    encoding : str
        What was tried.
    byte, line : int
        Where it failed, both counted from 1.
    near : bytes
        What stands there, for guessing; never shown.
    """

    def __init__(self, encoding: str, byte: int, line: int, near: bytes) -> None:
        super().__init__(encoding)
        self.encoding, self.byte, self.line, self.near = encoding, byte, line, near


def recognised(begin: bytes) -> str:
    """Return the encoding that the beginning of a text shows: by its mark, by zero bytes, else UTF-8."""
    for mark, name in _MARKS:
        if begin.startswith(mark):
            return name
    even, odd = begin[0::2].count(0), begin[1::2].count(0)
    if max(even, odd) * 4 > len(begin) and min(even, odd) * 8 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Give a text piece by piece, without the mark at its beginning.

    Raises
    ------
    DecodingError
        With byte and line of the first that does not fit.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    done, lines, first = 0, 0, True
    for piece in _ended(pieces):
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece or b"", final=piece is None)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace")
            byte = done - waiting + error.start + 1
            near = error.object[max(0, error.start - 2_000) : error.start + 2_000]
            raise DecodingError(encoding, byte, lines + ends_in(before) + 1, near) from None
        done += len(piece or b"")
        lines += ends_in(text)
        if first and text:
            text, first = text.removeprefix(_MARK), False
        yield text


def _ended(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from pieces
    yield None


def ends_in(text: str) -> int:
    """Return the number of ends of line in a text."""
    return text.count("\n") or text.count("\r")


def likely(near: bytes) -> list[str]:
    """Return the encodings that bytes which are not UTF-8 are likely in, the likeliest first."""
    eastern = [] if _alone(near) else [n for n in _EASTERN if _share(near, n, _is_eastern) > 0.7]
    western = [name for name in _WESTERN if _share(near, name, str.isalpha) > 0.4]
    return ([*eastern, *western] or ["cp1252"])[:3]


def _alone(near: bytes) -> bool:
    """Return whether bytes beyond ASCII mostly stand alone, as accented letters do among plain ones."""
    runs = re.findall(rb"[\x80-\xff]+", near)
    return sum(len(run) == 1 for run in runs) > 0.8 * len(runs)


def _share(near: bytes, encoding: str, fits: Callable[[str], bool]) -> float:
    """Return how many of the characters beyond ASCII fit, 0 where some byte does not."""
    for trimmed in (near, near[1:], near[:-1], near[1:-1]):
        try:
            beyond = [char for char in trimmed.decode(encoding) if ord(char) > 127]
        except UnicodeDecodeError:
            continue
        return sum(map(fits, beyond)) / len(beyond) if beyond else 0.0
    return 0.0


def _is_eastern(char: str) -> bool:
    return "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af" or char > "\uffff"
