"""A page is marked when its calibrations were made with other code, missed a goal, or are not there."""

import json

import pytest

import sojourn as sj
from sojourn.core.proof import code_hash
from sojourn.report import proof as module

ROOM = "src/sojourn/studies/trials"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of one room whose proof is current, and a function that writes its proofs."""
    (tmp_path / ROOM).mkdir(parents=True)
    (tmp_path / ROOM / "rule.py").write_text("x = 1\n")
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    monkeypatch.setattr(module, "PROOFS", tmp_path / "proofs.json")

    def write(**changes):
        proof = {"rooms": [ROOM], "hash": code_hash([ROOM]), "missed": 0, **changes}
        (tmp_path / "proofs.json").write_text(json.dumps({"trials": {"rule": proof, "sbc": proof}}))

    write()
    return tmp_path, write


def test_a_current_proof_passes(project):
    check = sj.check_proof("trials")
    assert (check.name, check.verdict) == ("The proof of these numbers is current", "pass")
    assert check.finding == "Unchanged since the calibration of rule and sbc."


def test_one_changed_character_marks_the_page(project):
    folder, _ = project
    (folder / ROOM / "rule.py").write_text("x = 2\n")
    check = sj.check_proof("trials")
    assert check.verdict == "warn"
    assert check.finding == "The code has changed since the calibration of rule and sbc."
    assert not check.blocks


def test_code_that_is_gone_marks_the_page(project):
    _, write = project
    write(rooms=["src/sojourn/gone"])
    assert sj.check_proof("trials").verdict == "warn"


def test_a_missed_goal_blocks(project):
    _, write = project
    write(missed=1)
    check = sj.check_proof("trials")
    assert check.blocks
    assert check.finding == "Goals were missed by the calibration of rule and sbc."


def test_a_study_without_calibration_says_so(project):
    assert sj.check_proof("portrait").finding == "No calibration of this study is recorded."
