"""The proof: rebuild the last commit from nothing in a scratch clone and compare every published file.

The clone has no cache, so every stage really runs and every model is compiled cold.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.pipeline.compare import Sameness, compare_bytes, compare_numbers
from sojourn.pipeline.machine import machine_class, steady_environment
from sojourn.pipeline.reproduce import dvc, run_or_fail, write_machine_readable

_FAILURES: frozenset[Sameness] = frozenset({"different", "missing", "new"})


def verify(cases: Sequence[str], *, keep: bool) -> int:
    """Rebuild the last commit and compare it with what it holds.

    Parameters
    ----------
    cases : sequence of str
        Only these cases; all, with the index and the lock, when empty.
    keep : bool
        Whether the scratch clone stays for a closer look.

    Returns
    -------
    int
        0 when every file is the same (or within Monte Carlo error on another class of machine), else 1.
    """
    for case in cases:
        read_params().case(case)
    scratch = root() / ".sojourn" / "verify"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    _warn_of_uncommitted_changes()
    run_or_fail(
        ["git", "clone", "--quiet", str(root()), str(scratch)],
        cwd=root(),
        why="git could not clone the project",
    )
    committed = _published(scratch, cases)
    strict = _same_machine(scratch)
    _rebuild(scratch, cases)
    rebuilt = _published(scratch, cases)
    table = {
        name: _compare(name, committed.get(name), rebuilt.get(name), strict=strict)
        for name in sorted({*committed, *rebuilt})
    }
    _report(table, strict=strict)
    if not keep:
        shutil.rmtree(scratch)
    return int(any(sameness in _FAILURES for sameness in table.values()))


def _warn_of_uncommitted_changes() -> None:
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root(), capture_output=True, text=True, check=False
    )
    if changed.stdout.strip():
        print("verify: there are uncommitted changes; what is verified is the last commit.", file=sys.stderr)


def _same_machine(clone: Path) -> bool:
    recorded = clone / "reports" / "machine.json"
    if not recorded.is_file():
        raise SojournError(
            "The last commit holds no reports/machine.json. Run `make reproduce` and commit the reports."
        )
    return bool(json.loads(recorded.read_text(encoding="utf-8")) == machine_class())


def _rebuild(clone: Path, cases: Sequence[str]) -> None:
    pairs = read_params().pairs(private=False)
    targets = [f"study@{name}" for name, pair in pairs.items() if pair["case"] in cases]
    if cases and not targets:
        raise ParameterError(
            f"No shared pair belongs to {', '.join(cases)}; a private case has nothing committed to verify."
        )
    code = dvc(
        "repro", "--force", "--no-run-cache", *targets, cwd=clone, environment=steady_environment(clone)
    )
    if code:
        raise SojournError(
            f"The rebuild failed in the scratch clone {clone}; its last lines above say where."
        )


def _published(clone: Path, cases: Sequence[str]) -> dict[str, bytes]:
    """Return every published file by its path in the repository, and every stage of the lock."""
    reports = clone / "reports"
    folders = [reports / "cases" / case for case in cases] if cases else [reports]
    files = {
        path.relative_to(clone).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return files | _locked(clone / "dvc.lock", cases)


def _locked(lock: Path, cases: Sequence[str]) -> dict[str, bytes]:
    if not lock.is_file():
        return {}
    stages: dict[str, Any] = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    pairs = read_params().pairs(private=False)
    of_cases = {name for name, pair in pairs.items() if pair["case"] in cases} | set(cases)
    wanted = {
        name: stage for name, stage in stages.items() if not cases or name.partition("@")[2] in of_cases
    }
    return {f"dvc.lock: {name}": json.dumps(stage, sort_keys=True).encode() for name, stage in wanted.items()}


def _compare(name: str, committed: bytes | None, rebuilt: bytes | None, *, strict: bool) -> Sameness:
    by_bytes = compare_bytes(committed, rebuilt)
    if strict or by_bytes != "different" or committed is None or rebuilt is None:
        return by_bytes
    if not name.endswith((".csv", ".json")) or name.endswith("machine.json"):
        return "follows from its numbers"
    return compare_numbers(name, committed.decode(), rebuilt.decode())


def _report(table: dict[str, Sameness], *, strict: bool) -> None:
    how = (
        "the class of machine and the lock are the recorded ones: bytes must be equal"
        if strict
        else "another class of machine or another lock: numbers are compared within Monte Carlo error"
    )
    for name, sameness in table.items():
        if sameness != "same" or not name.startswith("dvc.lock"):
            print(f"{sameness:<26}{name}")
    counts = Counter(table.values())
    counted = ", ".join(f"{n} {what}" for what, n in counts.most_common())
    print(f"{len(table)} files and stages: {counted} ({how}).")
    write_machine_readable(
        root() / ".sojourn" / "verify.json",
        {"strict": strict, "machine": machine_class(), "counts": dict(counts), "files": table},
    )
