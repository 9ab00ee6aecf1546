"""What the run before has left, held by links so that no other run can take it away meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sojourn.data.increment.ledger import ACTIVITY, EVENTS, LEDGER, TALLIES, VALUES


def hold(tidy: Path, scratch: Path) -> Path:
    """Link what a case that grows needs of its last tidy tables, and return where the links are.

    Parameters
    ----------
    tidy : Path
        The folder of tidy tables, which may not be there, and which another run may replace meanwhile: all
        links are to files of one and the same folder, or missing.
    scratch : Path
        Where the links are made, on the same disk.
    """
    held = scratch / "former"
    by_day = (EVENTS, ACTIVITY, TALLIES)
    for name in by_day:
        (held / name).mkdir(parents=True)
    try:
        folder = os.open(tidy, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return held
    try:
        days = [path for name in by_day for path in _days(folder, name)]
        for path in (LEDGER, VALUES, *days):
            _link(folder, path, held)
    finally:
        os.close(folder)
    return held


def _days(folder: int, name: str) -> list[str]:
    try:
        days = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return [f"{name}/{day}" for day in os.listdir(days)]  # noqa: PTH208 (of an open folder)
    finally:
        os.close(days)


def _link(folder: int, name: str, held: Path) -> None:
    """Link one file, or copy it where the disk cannot link; one that is gone stays missing."""
    try:
        os.link(name, held / name, src_dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:
        with open(name, "rb", opener=partial(os.open, dir_fd=folder)) as one, (held / name).open("wb") as two:
            shutil.copyfileobj(one, two)


def move_days(days: Iterable[str], held: Path, folder: Path) -> None:
    """Move the files of days that stay as they are: the same files on the disk, neither read nor copied."""
    for name in (f"{day}.parquet" for day in days):
        (held / name).rename(folder / name)
