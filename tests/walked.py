"""A page of docs as a shell would walk through it: its commands, and its changes to params.yaml."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.pipeline.cli import main

REPOSITORY = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def scratch_project(root: Path) -> Iterator[Path]:
    """Give a copy of the project in which cases can be made, as the working directory."""
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPOSITORY / name, root / name)
    for name in ("notebooks", "requirements.lock", "src"):
        (root / name).symlink_to(REPOSITORY / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOJOURN_ROOT", str(root))
        patch.delenv("SOJOURN_KEY", raising=False)
        patch.chdir(root)
        yield root


def walk_console(block: str) -> None:
    """Run the commands of a block; what each prints must match what stands below it."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, said = step.partition("\n")
        printed = run(command)
        pattern = re.escape(said.strip("\n")).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, printed.strip("\n"), re.DOTALL), (
            f"$ {command}\n--- printed\n{printed}\n--- the page\n{said}"
        )


def run(command: str) -> str:
    """Run one command as a shell would, and return what a terminal shows of it."""
    program, *words = shlex.split(command)
    if program in ("cat", "head"):
        lines = Path(words[-1]).read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(lines[: int(words[0][1:])] if program == "head" else lines)
    assert program == "sojourn", program
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        code = main(words)
    shown = re.sub(r"[^\n]*\r", "", screen.getvalue())  # a line of progress is written over itself
    assert (code != 0) == ("\nsojourn: " in f"\n{shown}"), shown
    return shown


def change_parameters(root: Path, block: str) -> None:
    """Apply a change to the last case of params.yaml that still has the lines to be replaced."""
    path = root / "params.yaml"
    before, mark, last = path.read_text(encoding="utf-8").rpartition("    # private: its pages")
    for minus, plus in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", block, re.MULTILINE):
        old, new = (re.sub(r"^[-+]", "", lines, flags=re.MULTILINE) for lines in (minus, plus))
        assert last.count(old) == 1, f"to be replaced in params.yaml: {old!r}"
        last = last.replace(old, new)
    path.write_text(before + mark + last, encoding="utf-8")
