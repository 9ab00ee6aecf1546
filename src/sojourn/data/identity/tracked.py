"""What git has to do with a path."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sojourn.core.errors import SojournError
from sojourn.core.project import root


def would_track(path: Path) -> bool:
    """Return whether git tracks a path, or would at the next ``git add``.

    Raises
    ------
    SojournError
        When the project is under git and git cannot be asked.
    """
    return _under_git() and (is_tracked(path) or _git("check-ignore", "--quiet", str(path)) != 0)


def is_tracked(path: Path) -> bool:
    """Return whether git tracks a file, or a file in a folder."""
    return _under_git() and _git("ls-files", "--error-unmatch", str(path)) == 0


def _under_git() -> bool:
    return any((folder / ".git").exists() for folder in (root(), *root().parents))


def _git(*words: str) -> int:
    try:
        done = subprocess.run(["git", *words], cwd=root(), capture_output=True, check=False)
    except OSError:
        raise SojournError(
            "Git cannot be run, so nobody knows whether it would take the file in. Install git."
        ) from None
    if done.returncode not in (0, 1):
        raise SojournError("Git cannot say whether it would take the file in. Try `git status`.")
    return done.returncode
