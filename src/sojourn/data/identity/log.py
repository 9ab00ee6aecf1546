"""Who did what to identities, and when: one line each below ``private/``, without a single id."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from typing import Any

from sojourn.core.errors import SojournError
from sojourn.core.folder import PRIVATE_FILE, PRIVATE_FOLDER
from sojourn.core.project import root


def log(name: str, **said: Any) -> None:
    """Append a line to ``private/NAME.log``.

    Parameters
    ----------
    name : str
        Name of the log.
    **said
        What is noted beside time and user; never an id.

    Raises
    ------
    SojournError
        When the log cannot be written: what is not noted is not done.
    """
    path = root() / "private" / f"{name}.log"
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "user": _user(), **said}
    text = json.dumps(line, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), PRIVATE_FILE)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SojournError(
            f"private/{name}.log cannot be written ({error.strerror}), so nothing was done. "
            "Every use is noted there; make it writable."
        ) from None


def _user() -> str:
    """Return the name of the user of this process, which no variable of the environment can change."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
