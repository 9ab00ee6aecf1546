"""Whatever happens to a run, what was finished before stays whole and the next run completes."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import scratch_kernels
from sojourn.pipeline.cli import main
from sojourn.pipeline.machine import steady_environment

REPOSITORY = Path(__file__).resolve().parents[2]
STUDIES = {
    "retention": {"cells": {"churn": "silence", "lapse_days": 20, "groups": []}, "by": "all", "horizon": 30}
}


def events(seed: int, rows: int = 60_000) -> pd.DataFrame:
    """Return events of 2,000 members in half a year."""
    rng = np.random.default_rng(seed)
    member = rng.integers(0, 2_000, rows)
    day = (rng.random(rows) ** 2 * 180).astype(int)
    at = pd.Timestamp("2025-01-01") + pd.to_timedelta(day * 86_400 + rng.integers(0, 86_400, rows), unit="s")
    return pd.DataFrame(
        {"member_id": member, "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "event": "visit"}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A case that has gone through the door, into its cells and onto its page."""
    root = tmp_path_factory.mktemp("made")
    content = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    about = {
        "title": "A test",
        "kind": "simulated",
        "source": "A test.",
        "licence": "MIT",
        "note": "",
        "currency": "",
    }
    through = {"source": "files", "tables": {"events": "events.parquet"}, "time_zone": "UTC"}
    case = {
        "about": {**about, "public": True},
        "prepare": {**through, "as_of": "2025-07-01T00:00:00Z"},
        **STUDIES,
    }
    pair = {"case": "shop", "study": "retention", "from": "data/tidy/shop", "given": "data/plans"}
    rooms = {"notebook": "10-who-stays", "estimators": "survival", "also": "bayes"}
    pairs = {"shop-retention": pair | rooms}
    content |= {"cases": {"shop": case}, "inputs": {}, "pairs": pairs}
    (root / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    for name in ("notebooks", "requirements.lock"):
        (root / name).symlink_to(REPOSITORY / name)
    scratch_kernels.link(root)
    events(1).to_parquet(root / "events.parquet")
    for words in WORDS.values():
        assert run(root, *words).wait() == 0, (root / "log.txt").read_text()
    return root


@pytest.fixture
def shop(made, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "shop", symlinks=True))


#: What is run, and the folder that it makes.
WORDS = {
    "data/tidy/shop": ("prepare", "shop"),
    "data/cells/shop/retention": ("cells", "shop", "retention"),
    "reports/cases/shop/retention": ("run", "shop", "retention"),
}


def run(root: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        "from sojourn.pipeline.cli import main; raise SystemExit(main())",
        *words,
    ]
    environment = {**steady_environment(), "SOJOURN_ROOT": str(root)}
    with (root / "log.txt").open("ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run with everything it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(("folder", "kills"), [*zip(WORDS, (7, 5, 5), strict=True)])
def test_a_run_that_is_killed_at_any_moment_leaves_the_last_result_whole(made, shop, folder, kills):
    words, before = WORDS[folder], contents(shop / folder)
    if folder == "data/tidy/shop":  # so that a new result can be told from the last one
        events(2).to_parquet(shop / "events.parquet")
    other = Path(shutil.copytree(shop, shop.with_name("other"), symlinks=True))
    started = time.monotonic()
    assert run(other, *words).wait() == 0
    lasts, after = time.monotonic() - started, contents(other / folder)
    assert (after == before) == (folder != "data/tidy/shop")
    for moment in sorted(np.random.default_rng(3).uniform(0.05, 1.05, kills) * lasts):
        process = run(shop, *words)
        time.sleep(moment)
        kill(process)
        assert contents(shop / folder) in (before, after)
    assert run(shop, *words).wait() == 0
    assert contents(shop / folder) == after
    name = Path(folder).name
    assert not [path for path in (shop / folder).parent.iterdir() if path.name.startswith(f".{name}")]


def test_two_runs_at_once_do_not_disturb_each_other(shop):
    for folder, words in WORDS.items():
        before = contents(shop / folder)
        both = [run(shop, *words), run(shop, *words)]
        assert [process.wait() for process in both] == [0, 0], (shop / "log.txt").read_text()
        assert contents(shop / folder) == before


def limited(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(("folder", "words"), WORDS.items())
def test_a_file_that_may_not_grow_is_one_clear_error(shop, folder, words):
    before = contents(shop / folder)
    command = [
        sys.executable,
        "-c",
        "from sojourn.pipeline.cli import main; raise SystemExit(main())",
        *words,
    ]
    environment = {**steady_environment(), "SOJOURN_ROOT": str(shop)}
    small = 2_000
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: limited(small),
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("sojourn: ")]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("sojourn: The disk is full")
    assert "the same command goes on from there" in said[0]
    assert contents(shop / folder) == before
    assert not [path.name for path in (shop / folder).parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "may not be written"),
        (errno.EACCES, "may not be written"),
        (errno.ENOSPC, "disk is full"),
    ],
)
def test_a_folder_that_cannot_be_written_is_one_clear_error(shop, number, words, monkeypatch, capsys):
    before = contents(shop / "data/tidy/shop")

    def refuse(*_: object, **__: object) -> str:
        raise OSError(number, os.strerror(number), str(shop / "data/tidy"))

    monkeypatch.setattr("sojourn.core.folder.tempfile.mkdtemp", refuse)
    monkeypatch.setenv("SOJOURN_ROOT", str(shop))
    assert main(["prepare", "shop"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert str(shop / "data/tidy") in said
    assert contents(shop / "data/tidy/shop") == before


def test_trouble_that_is_none_of_the_machine_is_not_hidden(monkeypatch):
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("sojourn.pipeline.cli._prepare", fail)
    with pytest.raises(OSError, match="broken"):
        main(["prepare", "shop"])
