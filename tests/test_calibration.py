"""The committed calibrations prove the code that stands here, and met their goals."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml

from sojourn.pipeline.proof import code_hash

RESULTS = Path(__file__).resolve().parents[1] / "calibration" / "results"
RUN = RESULTS.parent / "run.py"


def subjects():
    spec = importlib.util.spec_from_file_location("calibration_run", RUN)
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    return run.SUBJECTS


@pytest.fixture(params=sorted(subjects()))
def result(request, monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(RESULTS.parents[1]))
    return json.loads((RESULTS / f"{request.param}.json").read_text(encoding="utf-8"))


def test_every_subject_has_results_and_a_stage():
    declared = yaml.safe_load((RUN.parent / "dvc.yaml").read_text(encoding="utf-8"))
    assert {path.stem for path in RESULTS.glob("*.json")} == set(subjects())
    assert set(declared["stages"]["calibrate"]["foreach"]) == set(subjects())


def test_it_proves_the_code_that_stands_here(result):
    assert result["proves"]["hash"] == code_hash(result["proves"]["rooms"]), (
        "run `make calibrate` and commit its results"
    )


def test_it_has_rows_and_every_goal_was_met(result):
    assert len(result["rows"]) >= 2
    assert [row for row in result["rows"] if row.get("met") is False] == []


def test_every_row_says_over_how_many_worlds(result):
    assert [row for row in result["rows"] if not row.get("worlds")] == []


def test_the_hash_changes_with_one_character(tmp_path, monkeypatch):
    room = tmp_path / "src" / "sojourn" / "room"
    room.mkdir(parents=True)
    (room / "a.py").write_text("x = 1\n")
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    before = code_hash(["src/sojourn/room"])
    (room / "a.py").write_text("x = 2\n")
    assert code_hash(["src/sojourn/room"]) != before


def test_a_room_that_is_gone_cannot_pass(tmp_path, monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no nowhere"):
        code_hash(["nowhere"])
