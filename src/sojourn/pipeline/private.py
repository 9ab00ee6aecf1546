"""The DVC project of private cases: a folder of its own, outside git, whose lock is never tracked.

DVC refuses a lock file that git ignores, and would read it with every command in the main project. So
``private/`` is ignored by the main project (``.dvcignore``) and is a DVC project without git. It reads the
code, notebooks and parameters through links, so that its own ``.dvcignore`` holds for them too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.core.folder import PRIVATE_FOLDER
from sojourn.core.project import root

#: What private stages depend on.
_LINKED = ("src", "notebooks", "params.yaml", "requirements.lock")

_CONFIG = """\
[core]
    no_scm = true
    analytics = false
    check_update = false
"""


@contextmanager
def only_mine(private: bool = True) -> Iterator[None]:
    """Let nobody else read what is written meanwhile: files 0600, folders 0700, and enter ``private/``."""
    before = os.umask(0o077) if private else None
    if private:
        (root() / "private").mkdir(exist_ok=True)
        (root() / "private").chmod(PRIVATE_FOLDER)
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


def private_project() -> Path:
    """Return the folder of the private DVC project, made ready where it is not yet."""
    folder = root() / "private"
    for made in (".dvc", "data/plans"):
        (folder / made).mkdir(parents=True, exist_ok=True)
    (folder / ".dvc" / "config").write_text(_CONFIG, encoding="utf-8")
    (folder / ".dvcignore").write_text("__pycache__/\n*.pyc\n.ipynb_checkpoints/\n", encoding="utf-8")
    for name in _LINKED:
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(Path("..") / name)
    return folder
