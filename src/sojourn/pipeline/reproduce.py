"""The main job: in a clone that has run nothing every stage really runs, afterwards only what is stale.

Committed reports and their lock would make DVC believe that everything is up to date. So the first run
puts the committed lock aside, runs every stage, and compares the new lock with it. A run that was
interrupted goes on where it stopped: stages that are in the new lock are not run again.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.errors import SojournError
from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.pipeline.declared import check_params
from sojourn.pipeline.machine import steady_environment
from sojourn.pipeline.private import only_mine, private_project


def reproduce() -> int:
    """Run what is stale; the first time, everything.

    Returns
    -------
    int
        Exit code: 0 when every stage is up to date.
    """
    check_params()
    started = time.monotonic()
    private_marks = root() / ".dvc" / "tmp"
    private_marks.mkdir(parents=True, exist_ok=True)
    first_run = not (private_marks / "sojourn-first-run").is_file()
    code = _first_run(private_marks) if first_run else dvc("repro")
    if code == 0 and read_params().inputs(private=True):
        with only_mine():
            code = dvc("repro", cwd=private_project())
    if code == 0:
        put_in_order(root() / "dvc.lock")
        print(f"Done in {time.monotonic() - started:.0f} s. Open reports/index.html.", file=sys.stderr)
    return code


def dvc(*words: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> int:
    """Run DVC with the environment's own interpreter and return its exit code."""
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(
        command, cwd=cwd or root(), env=environment or steady_environment(), check=False
    ).returncode


def put_in_order(lock: Path) -> None:
    """Put the stages of a dvc.lock in the order of their names.

    DVC writes a stage that is new to a lock at its end, so the order would tell in which runs it was made.
    """
    text = lock.read_text(encoding="utf-8")
    head, *stages = re.split(r"^(?=  \S)", text, flags=re.MULTILINE)
    ordered = head + "".join(sorted(stages))
    if ordered != text:
        lock.write_text(ordered, encoding="utf-8")


def stage_names(lock: Path) -> dict[str, Any]:
    """Return the stages of a dvc.lock by name, empty when there is no such file."""
    if not lock.is_file():
        return {}
    stages: dict[str, Any] = yaml.safe_load(lock.read_text(encoding="utf-8")).get("stages", {})
    return stages


def declared_stages() -> list[str]:
    """Return the names of all shared stages, as dvc.yaml and params.yaml give them."""
    params = read_params()
    pairs = params.pairs(private=False)
    return [
        *(f"prepare@{name}" for name in params.inputs(private=False)),
        *(f"cells@{name}" for name in pairs),
        *(f"study@{name}" for name in pairs),
        "index",
    ]


def _first_run(marks: Path) -> int:
    lock, aside = root() / "dvc.lock", marks / "committed.lock"
    going_on = marks / "sojourn-first-run-started"
    if not going_on.is_file():
        print("First run in this clone: every stage runs, whatever is committed.", file=sys.stderr)
        if lock.is_file():
            lock.replace(aside)
        going_on.touch()
    else:
        print("The first run goes on where it stopped.", file=sys.stderr)
    code = dvc("repro", "--no-run-cache")
    if code:
        return code
    missing = [name for name in declared_stages() if name not in stage_names(lock)]
    if missing:
        raise SojournError(f"DVC finished but did not run {', '.join(missing)}. Run `make reproduce` again.")
    _say_whether_same(stage_names(lock), stage_names(aside))
    going_on.unlink()
    (marks / "sojourn-first-run").touch()
    return 0


def _say_whether_same(new: dict[str, Any], committed: dict[str, Any]) -> None:
    different = differing_outputs(new, committed)
    if not committed:
        print("There was no committed lock to compare with.", file=sys.stderr)
    elif different:
        print(
            f"Not the same bytes as committed: {', '.join(different)}. `make verify` says how far.",
            file=sys.stderr,
        )
    else:
        print(f"All {len(new)} stages ran and gave the committed bytes.", file=sys.stderr)


def differing_outputs(new: dict[str, Any], committed: dict[str, Any]) -> list[str]:
    """Return the paths of outputs whose hashes differ between two locks, or that only one has."""
    hashes = [
        {out["path"]: out["md5"] for stage in lock.values() for out in stage.get("outs", [])}
        for lock in (new, committed)
    ]
    return sorted(path for path in {*hashes[0], *hashes[1]} if hashes[0].get(path) != hashes[1].get(path))


def write_machine_readable(path: Path, content: object) -> None:
    """Write JSON with sorted keys and a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def run_or_fail(command: Sequence[str], *, cwd: Path, why: str) -> None:
    """Run a command; raise with its stderr when it fails."""
    done = subprocess.run(list(command), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SojournError(
            f"{why}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason given'}"
        )
