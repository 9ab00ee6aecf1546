"""Folders that are either whole or not there: built beside their place and swapped in at the end.

A run may be killed at any moment, and two runs may build the same folder at once. So every run builds in a
folder of its own, which it holds locked; the swap is one step of the system, under a lock of the parent; and
what a killed run left behind is removed by the next one, which can tell because nobody holds its lock.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What a private folder and a private file may be: their owner's alone.
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
_PUBLIC_FOLDER, _PUBLIC_FILE = 0o755, 0o644
#: Of renameat2(2): exchange two paths in one step; paths are relative to the working directory.
_EXCHANGE, _HERE = 2, -100


@contextmanager
def whole_folder(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Give an empty folder to build in; it replaces `target` when nothing was raised, else it vanishes.

    Parameters
    ----------
    target : Path
        Where the folder will stand. What stood there stays whole until the new one is complete.
    private : bool
        Whether folders and files get modes 0700 and 0600, the folders made above `target` too.
    """
    _make(target.parent, private=private)
    with building_beside(target) as building:
        yield building
        _set_modes(building, private=private)
        put_in_place(building, target)


@contextmanager
def building_beside(target: Path) -> Iterator[Path]:
    """Give a locked folder beside `target`, which is removed at the end with whatever it still holds.

    Parameters
    ----------
    target : Path
        What is built; its parent exists.
    """
    with _locked(target.parent):
        _restore(target)
        _sweep(target)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        held = os.open(building, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)
        os.close(held)


def put_in_place(new: Path, target: Path) -> None:
    """Put a finished folder where `target` stands; at no moment is there none.

    Parameters
    ----------
    new : Path
        The folder, made by `building_beside` or inside one; afterwards an empty folder, or what stood there.
    target : Path
        Its place.
    """
    with _locked(target.parent):
        if not target.exists():
            new.rename(target)
        elif not _exchanged(new, target):
            former = _former(target)
            target.rename(former)
            new.rename(target)
            shutil.rmtree(former, ignore_errors=True)


def _former(target: Path) -> Path:
    """Return where the last folder stands between two renames, on systems that cannot exchange."""
    return target.with_name(f".{target.name}.former")


def _restore(target: Path) -> None:
    """Put the last folder back, or away, where an earlier run ended between two renames."""
    former = _former(target)
    if former.exists() and not target.exists():
        former.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Remove what killed runs left beside `target`: folders being built that nobody holds."""
    for left in target.parent.glob(f".{target.name}.*"):
        if left.is_dir() and not left.is_symlink() and _is_free(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_free(folder: Path) -> bool:
    """Return whether nobody builds in a folder; one that its owner is just removing is not free."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder against other runs; the system lets go when a run ends, however it ends."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system cannot."""
    if sys.platform != "linux":
        return False
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None:
        return False
    return bool(exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _make(folder: Path, *, private: bool) -> None:
    if folder.is_dir():
        return
    _make(folder.parent, private=private)
    folder.mkdir(mode=PRIVATE_FOLDER if private else _PUBLIC_FOLDER, exist_ok=True)


def _set_modes(top: Path, *, private: bool) -> None:
    folder_mode = PRIVATE_FOLDER if private else _PUBLIC_FOLDER
    file_mode = PRIVATE_FILE if private else _PUBLIC_FILE
    for folder, _, files in top.walk():
        folder.chmod(folder_mode)
        for name in files:
            (folder / name).chmod(file_mode)
