"""A plan is frozen once, read back as it was, and an edited one is refused."""

import pytest
import yaml

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.data.plans import read_frozen_plan
from sojourn.pipeline.freeze import NO_RULE, freeze


@pytest.fixture
def club(project):
    project.casebook("club", {"trials": {"cells": {"trial": "spring"}, "threshold": 0.99}})
    return project


def test_the_plan_holds_what_the_parameters_say_and_reads_back(club):
    path = freeze("club", at="2025-03-01T10:00:00+01:00")
    plan = read_frozen_plan(path)
    assert path == read_params().places("club").plan("spring")
    assert plan["frozen_at"] == "2025-03-01T09:00:00Z"
    assert plan["rule"]["threshold"] == 0.99
    assert plan["cells"] == read_params().for_cells("club", "trials")
    rule = {
        name: value
        for name, value in read_params().for_study("club", "trials").items()
        if name not in NO_RULE
    }
    assert TrialPlan.from_parameters(**rule).threshold == 0.99


def test_a_plan_is_frozen_once(club):
    path = freeze("club", at="2025-03-01T10:00:00Z")
    before = path.read_bytes()
    with pytest.raises(ParameterError, match="frozen once"):
        freeze("club", at="2025-03-02T10:00:00Z")
    assert path.read_bytes() == before


def test_an_edited_plan_is_refused(club):
    path = freeze("club", at="2025-03-01T10:00:00Z")
    path.write_text(path.read_text().replace("threshold: 0.99", "threshold: 0.9"))
    with pytest.raises(DataError, match=r"spring\.yaml was edited after it was frozen"):
        read_frozen_plan(path)


def test_a_plan_without_its_sections_is_refused(club):
    path = freeze("club", at="2025-03-01T10:00:00Z")
    plan = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({name: value for name, value in plan.items() if name != "rule"}))
    with pytest.raises(DataError, match="rule missing"):
        read_frozen_plan(path)


@pytest.mark.parametrize("at", ["yesterday", "2025-03-01T10:00:00"])
def test_an_instant_that_cannot_be_read_is_refused(club, at):
    with pytest.raises(ParameterError, match="--at"):
        freeze("club", at=at)
    assert not (root() / "data" / "plans").exists()


def test_no_file_is_no_plan(tmp_path):
    assert read_frozen_plan(tmp_path / "none.yaml") == {}
