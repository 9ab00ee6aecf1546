"""`sojourn forget`: members out of the raw tables, and what was made of them with them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.core.errors import DataError
from sojourn.core.params import Params, read_params
from sojourn.pipeline.private import only_mine

if TYPE_CHECKING:
    from sojourn.data.identity.forget import Forgetting


def forget(members: Collection[str], case: str, *, file: Path | None = None, dry_run: bool = False) -> None:
    """Forget members of a case, and say what was done and what is left to do.

    Parameters
    ----------
    members : collection of str
        Their ids.
    case : str
        Name of the case.
    file : Path, optional
        A file with further ids, one a line; a command line stays in the history of the shell.
    dry_run : bool
        Whether only to say what would be done.
    """
    from sojourn.data.identity.forget import forget as forget_members

    params = read_params()
    with only_mine():
        done = forget_members(params, case, [*members, *_in_file(file)], dry_run=dry_run)
    for line in _said(done, params, dry_run=dry_run):
        print(f"  {line}", file=sys.stderr)


def _in_file(file: Path | None) -> list[str]:
    if file is None:
        return []
    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return [line for line in lines if line]


def _said(done: Forgetting, params: Params, *, dry_run: bool) -> Iterator[str]:
    from sojourn.data.identity.forget import shown

    would = "would be " if dry_run else ""
    yield f"{done.case}: {done.members:,} members {would}forgotten."
    for table, rows in done.rows.items():
        yield f"{table}: {rows:,} rows {would}changed or taken out."
    objects = [path for path in done.removed if ".dvc" in path.parts]
    for path in done.removed:
        if path not in objects:
            yield f"{shown(path)}: {would}removed."
    if objects:
        yield f"DVC's cache: {len(objects):,} files {would}removed."
    stages = ", ".join(_stages(done.case, params))
    yield f"To be run again: {stages}. `make reproduce` does it."
    for table in done.databases:
        yield f"{table} is in a database: the platform itself must delete there; the door leaves them out."
    for table in done.tracked:
        yield f"{table} is tracked by git, whose history still has the rows: commit, and rewrite the history."
    if done.remote:
        yield "DVC has a remote, which may still have copies: run `dvc gc --workspace --cloud` after that."
    for path in done.left:
        yield f"{shown(path)} still names one of them: it is no table of the case, so it is left to you."
    yield "Backups, lists exported from a study and copies elsewhere are yours to clear."


def _stages(case: str, params: Params) -> list[str]:
    private = params.is_private(case)
    pairs = [name for name, pair in params.pairs(private=private).items() if pair["case"] == case]
    return [
        f"prepare@{case}",
        *(f"{stage}@{name}" for name in pairs for stage in ("cells", "study")),
        "index",
    ]
