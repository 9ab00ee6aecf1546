"""What kernels of a scratch project use of this one: its code, and the models it has compiled."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

#: Of all tests, and of `make reproduce`: compiling a model anew takes a minute, finding it some seconds.
COMPILED = REPOSITORY / ".sojourn" / "pytensor"


def link(folder: Path) -> None:
    """Give a scratch project the code under test, which would be that installed, and compiled models."""
    COMPILED.mkdir(parents=True, exist_ok=True)
    (folder / ".sojourn").mkdir(exist_ok=True)
    for name in ("src", ".sojourn/pytensor"):
        (folder / name).symlink_to(REPOSITORY / name)
