"""Whatever is made of a private case is its owner's alone, with any mask of the process."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sojourn.data.pseudonyms import new_key
from sojourn.pipeline import stages
from sojourn.pipeline.private import private_project
from sojourn.pipeline.runner import run_study

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def small_case(project) -> None:
    """Put up a private case that is large enough for a page."""
    rng = np.random.default_rng(1)
    days = rng.integers(0, 300, 400)
    joined = pd.Timestamp("2024-08-01", tz="UTC") + pd.to_timedelta(days, unit="D")
    members = pd.DataFrame({"member_id": [f"member-{i:04}" for i in range(400)], "joined_at": joined})
    who = rng.integers(0, 400, 4000)
    later = pd.to_timedelta(rng.integers(0, 30 * 24, 4000), unit="h")
    events = pd.DataFrame(
        {
            "member_id": members["member_id"].to_numpy()[who],
            "occurred_at": joined[who] + later,
            "event": "login",
        }
    )
    for name in ("src", "notebooks", "requirements.lock"):
        (project.root / name).symlink_to(PROJECT / name)
    project.content["private_pairs"] = {
        "club-portrait": {
            "case": "club",
            "study": "portrait",
            "from": "data/tidy/club",
            "given": "data/plans",
            "notebook": "00-who-is-here",
            "estimators": "survival",
            "also": "__init__.py",
        }
    }
    project.case(
        "club",
        {"members": members, "events": events},
        public=False,
        prepare={"key_id": new_key()},
        studies={"portrait": {"cells": {}}},
    )


def open_to_others(top: Path) -> dict[str, str]:
    """Return paths below (and including) a folder that somebody else may read, with their modes."""
    found = {}
    for folder, _, names in top.walk():
        for path in (folder, *(folder / name for name in names)):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if not path.is_symlink() and mode & 0o077:
                found[path.relative_to(top).as_posix()] = oct(mode)
    return found


@pytest.mark.notebooks
@pytest.mark.parametrize("mask", [0o022, 0o000], indirect=True, ids=oct)
def test_nobody_else_may_read_anything(project, mask, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(project.root / "private"))
    small_case(project)
    seen: dict[str, str] = {}
    watch_spills(project, monkeypatch, seen)
    stages.prepare("club")
    stages.cells("club", "portrait")
    run_study("club", "portrait")
    stages.index(private=True)
    private = project.root / "private"
    made = {path.relative_to(private).parts[0] for path in private.rglob("*") if path.is_file()}
    assert {"data", "reports", "keys", ".sojourn"} <= made
    assert open_to_others(private) == {}
    assert seen == {}


def watch_spills(project, monkeypatch, seen: dict[str, str]) -> None:
    """Look at all modes each time a folder that is being built is about to vanish or to be renamed."""
    for name in ("rmtree",):
        real = getattr(shutil, name)

        def watched(path, *rest, real=real, **named):
            if Path(path).is_relative_to(project.root / "private") and Path(path).is_dir():
                seen.update(open_to_others(Path(path)))
            return real(path, *rest, **named)

        monkeypatch.setattr(shutil, name, watched)


@pytest.mark.parametrize("mask", [0o022, 0o000], indirect=True, ids=oct)
def test_a_private_world_and_the_project_of_private_cases_too(project, mask) -> None:
    from sojourn.pipeline.private import only_mine

    demo = project.shipped["cases"]["demo"]
    project.content["cases"]["mine"] = {
        "about": {**demo["about"], "public": False},
        "prepare": {**demo["prepare"], "members": 300, "key_id": new_key()},
    }
    project.write()
    stages.prepare("mine")
    with only_mine():
        private_project()
    assert (project.root / "private" / "data" / "raw" / "mine" / "events").is_dir()
    assert open_to_others(project.root / "private") == {}
