"""`sojourn world`: a platform of any size into a folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sojourn.core.schema import CONTRACT
from sojourn.pipeline.cli import main
from sojourn.world import read_truth, write_world
from sojourn.world import write as module


def run(folder: Path, *more: str, members: int = 300) -> int:
    return main(["world", "--members", str(members), "--out", str(folder), *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_writes_what_the_package_writes(tmp_path):
    assert run(tmp_path / "word") == 0
    write_world(tmp_path / "package", members=300, seed=20261121, as_of="2025-07-01T00:00:00Z")
    assert contents(tmp_path / "word") == contents(tmp_path / "package")


def test_what_is_stated_reaches_the_world(tmp_path):
    stated = ["--seed", "5", "--as-of", "2025-03-01T00:00:00Z", "--effects", "0", "--separation", "0.5"]
    assert run(tmp_path / "world", *stated, "--world", "immortal_time", "--workers", "2") == 0
    world = read_truth(tmp_path / "world")["world"]
    asked = ("members", "seed", "as_of", "effects", "separation", "name")
    assert [world[name] for name in asked] == [300, 5, "2025-03-01T00:00:00Z", 0.0, 0.5, "immortal_time"]


def test_it_prints_each_table_the_truth_and_what_to_do_next(tmp_path, capsys):
    folder = tmp_path / "world"
    run(folder)
    shown = capsys.readouterr()
    *tables, truth, following = shown.out.splitlines()
    found = {line.split()[0]: line for line in tables}
    there = [name for name in CONTRACT if (folder / name).is_dir()]
    assert list(found) == [str(folder / name) for name in there]
    for name in there:
        size = sum(path.stat().st_size for path in (folder / name).iterdir()) / 1e6
        rows = len(pd.read_parquet(folder / name))
        assert found[str(folder / name)].split()[1:] == [f"{rows:,}", "rows", f"{size:,.1f}", "MB"]
    assert truth == f"The truth stands in {folder}/truth.json and in the tables below {folder}/truth."
    assert following.startswith("Next: ")
    assert "world: 100%" in shown.err


def test_a_folder_that_is_no_world_is_refused_and_not_touched(tmp_path, capsys):
    (tmp_path / "report.docx").write_text("mine", encoding="utf-8")
    assert run(tmp_path) == 1
    assert capsys.readouterr().err == (
        f"sojourn: {tmp_path} holds report.docx, which is no part of a world, so nothing was written. "
        "Name a new folder, or empty this one.\n"
    )
    assert contents(tmp_path) == {"report.docx": b"mine"}


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (["--members", "0"], "'members' must be at least 1, got 0."),
        (["--workers", "0"], "'workers' must be at least 1, got 0."),
        (
            ["--world", "immortal"],
            "There is no world 'immortal'. Did you mean 'immortal_time'?",
        ),
        (
            ["--as-of", "yesterday"],
            "'as_of' must be an instant such as 2025-07-01T00:00:00Z, got 'yesterday'.",
        ),
    ],
)
def test_a_value_out_of_range_is_one_sentence(tmp_path, capsys, more, error):
    assert run(tmp_path / "world", *more) == 1
    assert capsys.readouterr().err == f"sojourn: {error}\n"
    assert not (tmp_path / "world").exists()


def test_a_world_that_is_stopped_leaves_the_earlier_one(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "world"
    run(folder)
    before = contents(folder)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "summarise", stopped)
    capsys.readouterr()
    assert run(folder, "--seed", "6") == 130
    assert capsys.readouterr().err.splitlines()[-1] == f"sojourn: stopped; {folder} is as it was before."
    assert contents(folder) == before


def test_members_and_the_folder_must_be_stated(capsys):
    with pytest.raises(SystemExit):
        main(["world"])
    assert "the following arguments are required: --members, --out" in capsys.readouterr().err
