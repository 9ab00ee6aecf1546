"""A folder is whole or not there."""

from __future__ import annotations

import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sojourn.core.folder import whole_folder


def modes(top: Path) -> set[tuple[str, str]]:
    """Return (kind, mode) of everything below and including `top`."""
    found = [top, *top.rglob("*")]
    return {("folder" if p.is_dir() else "file", oct(stat.S_IMODE(p.stat().st_mode))) for p in found}


def write(folder: Path, text: str) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "table.txt").write_text(text, encoding="utf-8")


def stop_while_writing(target: Path) -> None:
    with whole_folder(target) as folder:
        write(folder, "second")
        raise RuntimeError("stop")


def test_it_replaces_what_stood_there(tmp_path: Path) -> None:
    target = tmp_path / "made" / "here"
    for text in ("first", "second"):
        with whole_folder(target) as folder:
            write(folder, text)
    assert (target / "inner" / "table.txt").read_text(encoding="utf-8") == "second"
    assert [p.name for p in target.parent.iterdir()] == ["here"]


def test_an_error_leaves_the_former_whole_and_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "here"
    with whole_folder(target) as folder:
        write(folder, "first")
    with pytest.raises(RuntimeError, match="stop"):
        stop_while_writing(target)
    assert (target / "inner" / "table.txt").read_text(encoding="utf-8") == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


def test_an_error_at_first_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        stop_while_writing(tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ended_between_the_two_renames_is_mended(tmp_path: Path) -> None:
    target = tmp_path / "here"
    (tmp_path / ".here.former").mkdir()
    write(tmp_path / ".here.former", "first")
    with pytest.raises(RuntimeError, match="stop"):
        stop_while_writing(target)
    assert (target / "inner" / "table.txt").read_text(encoding="utf-8") == "first"


def test_modes_of_a_public_and_of_a_private_folder(tmp_path: Path) -> None:
    for private in (False, True):
        with whole_folder(tmp_path / str(private) / "data" / "here", private=private) as folder:
            write(folder, "x")
    assert modes(tmp_path / "False") == {("folder", "0o755"), ("file", "0o644")}
    assert modes(tmp_path / "True") == {("folder", "0o700"), ("file", "0o600")}


def test_what_a_killed_run_left_is_swept_up_and_what_a_living_one_builds_is_not(tmp_path: Path) -> None:
    target = tmp_path / "here"
    (tmp_path / ".here.killed").mkdir()
    write(tmp_path / ".here.killed", "half")
    (tmp_path / ".there.killed").mkdir()  # of another folder
    with whole_folder(target) as first:
        write(first, "first")
        with whole_folder(target) as second:
            assert first.exists()
            write(second, "second")
    assert (target / "inner" / "table.txt").read_text(encoding="utf-8") == "first"
    assert {p.name for p in tmp_path.iterdir()} == {"here", ".there.killed"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders in one step")
def test_at_no_moment_is_there_no_folder(tmp_path: Path) -> None:
    target, absent = tmp_path / "here", []
    with whole_folder(target) as folder:
        write(folder, "0")
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if not (target / "inner" / "table.txt").is_file():
                absent.append(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for n in range(200):
        with whole_folder(target) as folder:
            write(folder, str(n))
    stop.set()
    watcher.join()
    assert not absent


@pytest.mark.parametrize("exchanges", [True, False])
def test_two_runs_at_once_leave_one_whole_folder(
    tmp_path: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr("sojourn.core.folder._exchanged", lambda *_: False)
    target = tmp_path / "here"

    def build(name: str) -> None:
        for _ in range(50):
            with whole_folder(target) as folder:
                for part in range(5):
                    (folder / f"{part}.txt").write_text(name, encoding="utf-8")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(build, name) for name in "abcd"]:
            done.result()
    contents = {path.read_text(encoding="utf-8") for path in target.iterdir()}
    assert (len(contents), len(list(target.iterdir()))) == (1, 5)
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
