from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from sojourn.core.errors import DataError, ParameterError
from sojourn.world import WORLD_KEYS, make_world, read_truth, write_world
from sojourn.world import write as module
from sojourn.world.make import TABLES, make_block

#: Three blocks, the last not whole.
ASKED = {"members": 9_000, "seed": 11, "as_of": "2025-07-01T00:00:00Z", "start": "2025-01-01T00:00:00Z"}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, **ASKED)
    return folder


def test_a_folder_holds_the_tables_and_the_truth_and_nothing_else(written):
    expected = {*(f"{name}.parquet" for name in TABLES), "truth.json", "truth/members.parquet"}
    assert set(digests(written)) == expected


@pytest.mark.parametrize("chunk", [1, 8_000, 1_000_000])
def test_bytes_do_not_depend_on_the_size_of_chunks(written, tmp_path, chunk):
    write_world(tmp_path, **ASKED, chunk=chunk)
    assert digests(tmp_path) == digests(written)


def test_bytes_do_not_depend_on_the_number_of_workers(written, tmp_path):
    write_world(tmp_path, **ASKED, chunk=9_000, workers=2)
    assert digests(tmp_path) == digests(written)


def test_what_is_written_is_what_make_world_makes(written):
    world = make_world(**ASKED)
    for table in TABLES:
        read = pd.read_parquet(written / f"{table}.parquet")
        pd.testing.assert_frame_equal(read, getattr(world, table))
    assert read_truth(written) == json.loads(json.dumps(world.truth.summary))
    pd.testing.assert_frame_equal(pd.read_parquet(written / "truth/members.parquet"), world.truth.members)


def test_it_says_where_the_tables_are(tmp_path):
    made = write_world(tmp_path / "new" / "folder", **{**ASKED, "members": 10})
    assert list(made) == [*TABLES, "truth"]
    assert all(path.is_file() and path.stem == name for name, path in made.items())


def test_memory_holds_one_chunk_at_a_time(tmp_path, monkeypatch):
    drawn, most = [], 0

    def watched(frame, block, n):
        nonlocal most
        drawn.append(block)
        most = max(most, len(drawn) - len(seen))
        return make_block(frame, block, n)

    seen = []
    real = module.pq.ParquetWriter.write_table

    def written_block(self, table):
        if table.schema.names[:2] == ["member_id", "joined_at"]:
            seen.append(len(table))
        real(self, table)

    monkeypatch.setattr(module, "make_block", watched)
    monkeypatch.setattr(module.pq.ParquetWriter, "write_table", written_block)
    write_world(tmp_path, **ASKED, chunk=4_096)
    assert drawn == [0, 1, 2]
    assert seen == [4_096, 4_096, 808]
    assert most == 1


def test_a_failure_leaves_the_last_good_files_alone(tmp_path, monkeypatch):
    few = {**ASKED, "members": 50}
    write_world(tmp_path, **few)
    before = digests(tmp_path)

    def fails(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr(module, "summarise_world", fails)
    with pytest.raises(RuntimeError, match="power cut"):
        write_world(tmp_path, **{**few, "seed": 12})
    assert digests(tmp_path) == before


def test_a_second_world_replaces_the_first(tmp_path):
    write_world(tmp_path, **{**ASKED, "members": 50})
    write_world(tmp_path, **{**ASKED, "members": 60})
    assert len(pd.read_parquet(tmp_path / "members.parquet")) == 60


@pytest.mark.parametrize("change", [{"chunk": 0}, {"workers": 0}])
def test_chunks_and_workers_are_at_least_one(tmp_path, change):
    with pytest.raises(ParameterError, match="must be at least 1, got 0"):
        write_world(tmp_path, **ASKED, **change)


def test_a_folder_without_truth_says_so(tmp_path):
    with pytest.raises(DataError, match=r"No truth.json in .*: only simulated cases"):
        read_truth(tmp_path)


def test_the_keys_of_a_case_are_parameters_of_a_world():
    names = set(write_world.__kwdefaults__) | {"members", "as_of"}
    assert set(WORLD_KEYS) == names - {"chunk", "workers"}


def test_progress_is_shown_on_standard_error(tmp_path, capsys):
    write_world(tmp_path, **{**ASKED, "members": 50})
    shown = capsys.readouterr()
    assert "world: 100%" in shown.err
    assert shown.out == ""
