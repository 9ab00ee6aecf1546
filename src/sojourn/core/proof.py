"""Tying a calibration to the code it proves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sojourn.core.project import root


def code_hash(rooms: Iterable[str]) -> str:
    """Return a hash of the Python source of some rooms, 12 hex digits.

    Parameters
    ----------
    rooms : iterable of str
        Folders or files, relative to the project's root.

    Raises
    ------
    FileNotFoundError
        When a room does not exist, so that a renamed one cannot pass unseen.
    """
    digest = hashlib.sha256()
    for room in sorted(rooms):
        place = root() / room
        if not place.exists():
            raise FileNotFoundError(f"There is no {room} in the project.")
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.relative_to(root()).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
