"""The rule that one page hands to another: found where it lies, and refused where it is not the right one."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import board_rule
from sojourn.core.errors import DataError
from sojourn.core.params import Params, read_params
from sojourn.data.cells import cells, write_cells
from sojourn.data.frozen_rule import read_frozen_rule
from sojourn.data.prepare import prepare
from sojourn.data.tidy import MissingTableError
from sojourn.world import write_world

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    return tmp_path


def page(here, rule, *, private=False):
    base = here / "private" if private else here
    board_rule.write_page(base / "reports/cases/demo", rule)


def test_a_rule_is_found_beside_its_page(here):
    page(here, board_rule.rule())
    found = read_frozen_rule(read_params(), "demo")
    assert found.rule.fingerprint == board_rule.rule().fingerprint
    assert found.verdict == "2 groups"


def test_that_of_a_private_case_lies_below_private(here):
    raw = json.loads(json.dumps(read_params().raw))
    raw["cases"]["demo"]["about"]["public"] = False
    page(here, board_rule.rule())
    with pytest.raises(DataError, match="No segments of 'demo' yet"):
        read_frozen_rule(Params(raw), "demo")
    page(here, board_rule.rule(), private=True)
    assert read_frozen_rule(Params(raw), "demo").rule.case == "demo"


def test_without_a_page_it_is_said_what_makes_one(here):
    with pytest.raises(DataError, match=r"No segments of 'demo' yet.*`sojourn run demo segments`"):
        read_frozen_rule(read_params(), "demo")


def test_a_page_may_have_found_no_rule(here):
    page(here, None)
    with pytest.raises(MissingTableError, match="the page of segments of 'demo' found none"):
        read_frozen_rule(read_params(), "demo")


def test_a_rule_of_another_case_is_refused(here):
    page(here, board_rule.rule("cdnow"))
    with pytest.raises(DataError, match=r"rule\.json is a rule of segments of 'cdnow', not of 'demo'"):
        read_frozen_rule(read_params(), "demo")


@pytest.mark.parametrize(
    ("counted", "said"),
    [({"tenure_days": 30}, "min_tenure_days 30, its parameters say 60"), ({"trend_days": 7}, "trend_days 7")],
)
def test_a_rule_of_another_counting_is_refused(here, counted, said):
    page(here, board_rule.rule(**counted))
    with pytest.raises(DataError, match=said):
        read_frozen_rule(read_params(), "demo")


def test_a_rule_that_was_changed_by_hand_is_refused(here):
    page(here, board_rule.rule())
    path = here / "reports/cases/demo/segments/rule.json"
    path.write_text(path.read_text().replace("10.0", "11.0"))
    with pytest.raises(DataError, match="changed after it was written"):
        read_frozen_rule(read_params(), "demo")


def test_the_board_is_made_of_it_and_without_it_says_so(here):
    raw = yaml.safe_load((here / "params.yaml").read_text())
    raw["cases"]["demo"]["prepare"]["members"] = 60
    (here / "params.yaml").write_text(yaml.safe_dump(raw))
    world = write_world(here / "world", members=60, seed=7, as_of="2025-07-01T00:00:00Z")
    tables = {name: world[name] for name in ("members", "events")}
    prepare(read_params(), "demo", raw=tables, into=here / "data/tidy/demo")
    page(here, None)
    folder = write_cells(read_params(), "demo", "board")
    assert [path.name for path in folder.iterdir()] == ["cells.json"]
    assert "found none" in json.loads((folder / "cells.json").read_text())["not_possible"]
    page(here, board_rule.rule())
    folder = write_cells(read_params(), "demo", "board")
    assert {path.stem for path in folder.iterdir()} == {"cells", "now", "since", "moves", "repeated"}
    written = cells("demo", "board")
    assert 50 < written["now"]["members"].sum() <= 60  # those without consent are left out
    assert "frozen_rule" not in written.meta["params"]
    assert cells("demo", "board", months=2).meta["months"] == written.meta["months"][-3:]
