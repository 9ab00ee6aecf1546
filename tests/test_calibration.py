"""The committed calibrations prove the code that stands here, and met their goals."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from sojourn.core.proof import code_hash
from sojourn.report.proof import PROOFS

RESULTS = Path(__file__).resolve().parents[1] / "calibration" / "results"
RUN = RESULTS.parent / "run.py"


def run():
    spec = importlib.util.spec_from_file_location("calibration_run", RUN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def subjects():
    return run().SUBJECTS


@pytest.fixture(params=sorted(subjects()))
def result(request, monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(RESULTS.parents[1]))
    return json.loads((RESULTS / f"{request.param}.json").read_text(encoding="utf-8"))


def test_every_subject_has_results_and_a_stage():
    declared = yaml.safe_load((RUN.parent / "dvc.yaml").read_text(encoding="utf-8"))
    assert {path.stem for path in RESULTS.glob("*.json")} == set(subjects())
    assert set(declared["stages"]["calibrate"]["foreach"]) == set(subjects())


def imported(file):
    """Return the estimators that a file imports, as (room, module)."""
    line = r"^\s*from sojourn\.estimators\.(\w+)\.(\w+) import"
    return set(re.findall(line, file.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("subject", sorted(subjects()))
def test_all_estimators_that_a_subject_imports_are_declared(subject):
    """By room in its stage; those of a second room, whose code is not its own, also by module."""
    declared = yaml.safe_load((RUN.parent / "dvc.yaml").read_text(encoding="utf-8"))
    about = declared["stages"]["calibrate"]["foreach"][subject]
    listed = run().rooms(subject)
    of = {name: imported(RESULTS.parents[1] / name) for name in listed}
    assert {room for found in of.values() for room, _ in found} <= {about["estimators"], about["also"]}
    second = {found for name in listed if name.startswith("src/") for found in of[name]}
    second = {
        f"src/sojourn/estimators/{room}/{module}.py" for room, module in second if room == about["also"]
    }
    assert second <= set(listed)


def test_it_proves_the_code_that_stands_here(result):
    assert result["proves"]["hash"] == code_hash(result["proves"]["rooms"]), (
        "run `make calibrate` and commit its results"
    )


def test_it_has_rows_and_every_goal_was_met(result):
    assert len(result["rows"]) >= 2
    assert [row for row in result["rows"] if row.get("met") is False] == []


def test_every_row_says_over_how_many_worlds(result):
    assert [row for row in result["rows"] if not row.get("worlds")] == []


def test_pages_know_which_code_is_proven(monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(RESULTS.parents[1]))
    declared = yaml.safe_load((RUN.parent / "dvc.yaml").read_text(encoding="utf-8"))
    proofs = json.loads(PROOFS.read_text(encoding="utf-8"))
    for subject, about in declared["stages"]["calibrate"]["foreach"].items():
        rows = json.loads((RESULTS / f"{subject}.json").read_text(encoding="utf-8"))["rows"]
        assert proofs[about["study"]][subject] == run().proof(subject, rows), "run `make calibrate`"


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
