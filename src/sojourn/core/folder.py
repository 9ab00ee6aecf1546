"""Folders that are either whole or not there: built beside their place and renamed at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What a private folder and a private file may be: their owner's alone.
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
_PUBLIC_FOLDER, _PUBLIC_FILE = 0o755, 0o644


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
    former = target.with_name(f".{target.name}.former")
    if former.exists() and not target.exists():
        former.rename(target)  # an earlier run ended between the two renames below
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield building
        _set_modes(building, private=private)
        _replace(target, building, former)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _replace(target: Path, new: Path, former: Path) -> None:
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.rename(former)
    new.rename(target)
    shutil.rmtree(former, ignore_errors=True)


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
