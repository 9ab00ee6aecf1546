"""A scratch copy of the project whose stages are imitated, so that DVC can be tested in seconds."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]

#: Stands in for the command line: writes what each stage would write, and fails or notes its call on demand.
IMITATION = """
import pathlib, sys
root = pathlib.Path(__file__).resolve().parents[3]
def main():
    word, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
    with (root / "calls.log").open("a") as log:
        print(word, *names, file=log)
    fail = root / "fail-at"
    if fail.exists() and fail.read_text().split() == [word, *names]:
        return 1
    outs = {
        "prepare": lambda case: [f"data/tidy/{case}/tidy.json"],
        "cells": lambda case, study: [f"data/cells/{case}/{study}/cells.json"],
        "run": lambda case, study: [
            f"reports/cases/{case}/{study}.html", f"reports/cases/{case}/{study}/headline.json"
        ],
        "index": lambda: [
            f"reports/{name}" for name in ("index.html", "glossary.html", "at-a-glance.svg", "machine.json")
        ],
    }[word](*names)
    for name in outs:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(word + " ".join(names))
    return 0
"""


#: The stage that fails when the pipeline of `built` runs for the first time.
INTERRUPTED_AT = "cells demo trials"


@dataclass(frozen=True)
class Scratch:
    """A copy of the project in which every stage is imitated."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SOJOURN_ROOT": str(self.folder),
            "PYTHONPATH": str(self.folder / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def run(self, *command: str, ok: bool = True) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout

    def dvc(self, *words: str, ok: bool = True) -> str:
        return self.run(sys.executable, "-m", "dvc", *words, ok=ok)

    def reproduce(self, *, ok: bool = True) -> str:
        return self.run(
            sys.executable,
            "-c",
            "import sys; from sojourn.pipeline.reproduce import reproduce; sys.exit(reproduce())",
            ok=ok,
        )

    def stale(self) -> set[str]:
        """Names of the stages of the main pipeline that `dvc status` calls changed."""
        return {name for name in json.loads(self.dvc("status", "--json")) if ":" not in name}

    def calls(self) -> list[str]:
        log = self.folder / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def append(self, name: str, line: str = "# touched\n") -> None:
        path = self.folder / name
        path.write_text(path.read_text() + line)

    def params(self) -> dict:
        return yaml.safe_load((self.folder / "params.yaml").read_text())


def _copy(folder: Path) -> Scratch:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in tracked:
        if (PROJECT / name).is_file() and not name.startswith(("tests/", "reports/")) and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    (folder / "src/sojourn/pipeline/cli.py").write_text(IMITATION)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return Scratch(folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A copy in which every stage has run: in two runs, since the first of them failed at a stage.

    It is made by the first worker that asks for it, and not to be changed. What each run called is kept
    beside it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            scratch = _copy(folder.with_name("building"))
            fail = scratch.folder / "fail-at"
            fail.write_text(INTERRUPTED_AT)
            scratch.reproduce(ok=False)
            calls = [scratch.calls()]
            fail.unlink()
            scratch.reproduce()
            folder.with_suffix(".json").write_text(json.dumps([*calls, scratch.calls()]))
            scratch.folder.rename(folder)
    return Scratch(folder)


@pytest.fixture
def first_runs(built: Scratch) -> list[list[str]]:
    """What the interrupted run called by which `built` was made, and the one that went on."""
    return json.loads(built.folder.with_suffix(".json").read_text())


@pytest.fixture
def scratch(built: Scratch, tmp_path: Path) -> Scratch:
    """The built copy, to be changed."""
    shutil.copytree(built.folder, tmp_path / "project", symlinks=True)
    (tmp_path / "project" / "calls.log").unlink(missing_ok=True)
    return Scratch(tmp_path / "project")
