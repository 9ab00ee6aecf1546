from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sojourn.core.errors import DataError, ParameterError, SojournError
from sojourn.core.schema import CONTRACT
from sojourn.world import WORLD_KEYS, make_world, read_truth, write_world
from sojourn.world import write as module
from sojourn.world.make import make_block, world_frame

#: Three blocks, the last not whole.
ASKED = {"members": 9_000, "seed": 11, "as_of": "2025-02-01T00:00:00Z", "start": "2025-01-01T00:00:00Z"}
FEW = {**ASKED, "members": 50}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def tables(folder: Path) -> list[Path]:
    """Return the folders of all tables, those of the truth among them."""
    return sorted({part.parent for part in folder.rglob("*.parquet")})


def row_groups(part: Path) -> list[int]:
    metadata = pq.read_metadata(part)
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part hold two blocks, so that a small world has several."""
    monkeypatch.setattr(module, "PART", 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """Return three blocks in two parts."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART", 2)
        write_world(folder, **ASKED)
    return folder


def test_a_folder_holds_parts_of_tables_and_the_truth_and_nothing_else(written):
    found = {path.relative_to(written).as_posix() for path in tables(written)}
    assert found >= {"members", "events", "assignments", "costs", "truth/members"}
    assert {name for name in found if not name.startswith("truth/")} <= set(CONTRACT)
    rest = {name for name in digests(written) if not name.endswith(".parquet")}
    assert rest == {"truth.json"}


def test_every_table_has_the_same_parts(written):
    """A table that a world has once, and not by member, comes as one part; all others have two."""
    for table in tables(written):
        parts = [path.name for path in sorted(table.iterdir())]
        once = table.name in ("items", "external")
        assert parts == ["part-00000.parquet", "part-00001.parquet"][: 1 if once else 2], table


def test_a_part_holds_whole_blocks_with_one_row_group_each(written):
    for table in ("members", "truth/members"):
        groups = [row_groups(written / table / f"part-0000{part}.parquet") for part in (0, 1)]
        assert groups == [[4_096, 4_096], [808]]
    first = pq.read_table(written / "events/part-00000.parquet", columns=["member_id"])
    second = pq.read_table(written / "members/part-00001.parquet", columns=["member_id"])
    assert not set(first["member_id"].to_pylist()) & set(second["member_id"].to_pylist())


def with_table(monkeypatch: pytest.MonkeyPatch, name: str, change) -> None:
    """Let one table of every block be another one."""

    def changed(frame, block, n):
        made = make_block(frame, block, n)
        return replace(made, tables={**made.tables, name: change(made.tables[name])})

    monkeypatch.setattr(module, "make_block", changed)


def test_a_block_of_many_rows_is_still_one_row_group(tmp_path, monkeypatch):
    """Arrow would begin a new row group after 1,048,576 rows."""
    with_table(monkeypatch, "events", lambda events: events.take([0] * 1_100_000))
    made = write_world(tmp_path / "world", **FEW)
    assert row_groups(made["events"] / "part-00000.parquet") == [1_100_000]


def test_a_table_without_rows_has_empty_parts_with_its_columns(small_parts, tmp_path, monkeypatch):
    with_table(monkeypatch, "costs", lambda costs: costs.slice(0, 0))
    made = write_world(tmp_path / "world", **ASKED)
    for part in (0, 1):
        path = made["costs"] / f"part-0000{part}.parquet"
        assert row_groups(path) == []
        assert pq.read_schema(path).names == ["what", "member_id", "scheme", "channel", "amount", "at"]


@pytest.mark.parametrize("chunk", [1, 8_000, 1_000_000])
def test_bytes_do_not_depend_on_the_size_of_chunks(written, small_parts, tmp_path, chunk):
    write_world(tmp_path / "world", **ASKED, chunk=chunk)
    assert digests(tmp_path / "world") == digests(written)


def test_bytes_do_not_depend_on_the_number_of_workers(written, small_parts, tmp_path):
    write_world(tmp_path / "world", **ASKED, workers=2)
    assert digests(tmp_path / "world") == digests(written)


def test_the_partition_depends_on_the_members_alone(written, small_parts, tmp_path):
    """A longer world begins with the same parts."""
    write_world(tmp_path / "world", **{**ASKED, "members": 8_192})
    for table in ("events", "truth/members"):
        name = f"{table}/part-00000.parquet"
        assert digests(tmp_path / "world")[name] == digests(written)[name]


def test_what_is_written_is_what_make_world_makes(written):
    world = make_world(**ASKED)
    made = {path.relative_to(written).as_posix(): pd.read_parquet(path) for path in tables(written)}
    truth = world.truth
    expected = {**world.tables, "truth/members": truth.members, "truth/items": truth.items}
    expected["truth/counterfactuals"] = truth.counterfactuals
    assert set(made) == set(expected)
    for name, table in expected.items():
        pd.testing.assert_frame_equal(made[name], table)
    assert read_truth(written) == json.loads(json.dumps(truth.summary))


def test_it_says_where_the_tables_are(tmp_path):
    made = write_world(tmp_path / "new" / "folder", **FEW)
    *names, truth = made
    assert names == [name for name in CONTRACT if name in names]
    assert {"members", "events", "assignments", "costs"} <= set(names)
    assert all(made[name] == tmp_path / "new/folder" / name for name in names)
    assert all([path.name for path in made[name].iterdir()] == ["part-00000.parquet"] for name in names)
    assert (truth, made[truth].is_file()) == ("truth", True)


@pytest.mark.parametrize(("chunk", "held"), [(4_096, 1), (8_192, 2), (1_000_000, 3)])
def test_no_more_blocks_are_drawn_than_a_chunk_holds(monkeypatch, chunk, held):
    """Counted between one block drawn and the next one taken to be written."""
    drawn, waiting = [], []
    monkeypatch.setattr(module, "make_block", lambda _frame, block, _n: drawn.append(block) or block)
    which = [(0, 4_096), (1, 4_096), (2, 808)]
    for taken, block in enumerate(module._drawn(None, which, -(-chunk // 4_096))):
        assert block == taken
        waiting.append(len(drawn) - taken)
    assert max(waiting) == held
    assert drawn == [0, 1, 2]


def test_each_part_is_complete_before_the_next_is_begun(small_parts, tmp_path, monkeypatch):
    """So that open files, and what their writers hold, do not grow with the world."""
    begun = []

    def watched(frame, block, n):
        files = [path.name for path in tmp_path.rglob("part-*") if path.parent.name == "events"]
        begun.append((block, len(files)))
        return make_block(frame, block, n)

    monkeypatch.setattr(module, "make_block", watched)
    write_world(tmp_path / "world", **ASKED)
    assert begun == [(0, 0), (1, 1), (2, 1)]


def test_an_interrupted_run_leaves_the_earlier_world_whole(tmp_path, monkeypatch):
    folder = tmp_path / "world"
    write_world(folder, **FEW)
    before = digests(folder)

    def fails(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "summarise", fails)
    with pytest.raises(KeyboardInterrupt):
        write_world(folder, **{**FEW, "seed": 12})
    assert digests(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def test_a_second_world_replaces_the_first(small_parts, tmp_path):
    folder = tmp_path / "world"
    write_world(folder, **ASKED)
    write_world(folder, **{**ASKED, "members": 60})
    assert len(pd.read_parquet(folder / "members")) == 60


def test_a_world_of_an_earlier_version_is_replaced(tmp_path):
    """It had one file per table."""
    for name in ("members.parquet", "truth/members.parquet", "truth.json"):
        (tmp_path / "world" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "world" / name).write_text("earlier", encoding="utf-8")
    write_world(tmp_path / "world", **FEW)
    assert not (tmp_path / "world/members.parquet").exists()
    assert read_truth(tmp_path / "world")["world"]["members"] == 50


@pytest.mark.parametrize(
    "names",
    [
        ["notes.txt"],
        ["events/part-00000.parquet"],
        ["truth.json", "notes.txt"],
        ["truth.json", "events/part-00000.parquet", "events/notes.txt"],
        ["truth.json", "orders/part-00000.parquet"],
    ],
)
def test_a_folder_that_is_no_world_is_not_touched(tmp_path, names):
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("mine", encoding="utf-8")
    before = digests(tmp_path)
    with pytest.raises(DataError, match=rf"mine holds {names[-1]}, which is no part of a world, so nothing"):
        write_world(tmp_path / "mine", **FEW)
    assert digests(tmp_path) == before


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="file is a file, not a folder"):
        write_world(tmp_path / "file", **FEW)


def test_a_folder_behind_a_link_is_the_one_that_is_written(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    write_world(tmp_path / "link", **FEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk/truth.json").is_file()


class Deadly:
    """In place of a frame: ends the process that receives it."""

    members = 9_000

    def __reduce__(self):
        return os._exit, (1,)


def test_a_process_that_is_ended_from_outside_is_named(small_parts, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "world_frame", lambda **_: Deadly())
    with pytest.raises(SojournError, match="ended from outside, most often for want of memory"):
        write_world(tmp_path / "world", **ASKED, workers=2)
    assert list(tmp_path.iterdir()) == []


def test_an_error_ends_the_processes_begun_meanwhile_and_no_others():
    """A pool alone would let them draw their parts to the end."""
    sleeper = partial(get_context("spawn").Process, target=time.sleep, args=(600,))
    before, meanwhile = sleeper(), sleeper()
    before.start()

    def interrupted():
        with module._ended({before}):
            meanwhile.start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    meanwhile.join(timeout=60)
    ended = (meanwhile.exitcode, before.exitcode)
    for process in (before, meanwhile):
        process.kill()
        process.join()
    assert ended == (-signal.SIGTERM, None)


@pytest.mark.parametrize("change", [{"chunk": 0}, {"workers": 0}])
def test_chunks_and_workers_are_at_least_one(tmp_path, change):
    with pytest.raises(ParameterError, match="must be at least 1, got 0"):
        write_world(tmp_path, **ASKED, **change)


def test_a_folder_without_truth_says_so(tmp_path):
    with pytest.raises(DataError, match=r"No truth.json in .*: only simulated cases"):
        read_truth(tmp_path)


def test_what_may_be_asked_for_is_what_a_frame_takes():
    asked = set(module.Asked.__annotations__)
    assert asked == set(world_frame.__annotations__) - {"return"}
    assert asked == {*WORLD_KEYS, "seed"}


class Here:
    """In place of a pool of processes: draws where it stands, and says how many were asked for."""

    asked: ClassVar[list[int]] = []

    def __init__(self, workers, **_):
        self.asked.append(workers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def map(self, *args):
        return map(*args)


@pytest.mark.parametrize("workers", [1, 5])
def test_progress_counts_members_on_standard_error(small_parts, tmp_path, capsys, monkeypatch, workers):
    monkeypatch.setattr(module, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(Here, "asked", [])
    write_world(tmp_path, **ASKED, workers=workers)
    shown = capsys.readouterr()
    seen = [line for line in shown.err.split("\r") if "world:" in line]
    assert "0.00/9.00k" in seen[0]
    assert "world: 100%" in seen[-1]
    assert "9.00k/9.00k" in seen[-1]
    assert " members/s]" in seen[-1]
    assert shown.out == ""
    assert Here.asked == ([] if workers == 1 else [2])  # no more than there are parts
