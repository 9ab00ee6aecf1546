"""Trouble of the machine in a sentence: a full disk, a folder that may not be written, too little memory."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_KEPT = "What was finished before is whole; the same command goes on from there."


def trouble(error: BaseException) -> str | None:
    """Return what a user needs to know of an error of the system, None where it is none.

    Parameters
    ----------
    error : BaseException
        Anything that was raised.
    """
    kind = type(error).__name__
    if isinstance(error, MemoryError) or kind == "OutOfMemoryException":
        what = "The memory does not suffice. Close other programs, or lower `engine.memory_limit`."
    elif kind in ("IOException", "FatalException"):  # of the engine, whose own text may quote rows
        what = _of_engine(str(error))
    else:
        what = _of_system(error) if isinstance(error, OSError) else ""
    return f"{what} {_KEPT}" if what else None


def _of_system(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return f"The disk is full, or a file would grow beyond its limit{where}. Make room."
    if error.errno in _FORBIDDEN:
        return f"A file or folder may not be written{where}. Give yourself the right, or move the project."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"Too many files are open{where}. Raise the limit (`ulimit -n`)."
    return ""


def _of_engine(text: str) -> str:
    if any(
        words in text for words in ("No space left", "File too large", "Disk quota", "max_temp_directory")
    ):
        return "The disk is full while the engine writes what does not fit into memory. Make room."
    if "Permission denied" in text or "Read-only" in text:
        return "A folder may not be written by the engine. Give yourself the right."
    return ""
