"""The runner writes files that a notebook hands out beside the page, and none that may not be published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.params import read_params
from sojourn.core.results.headline import Headline
from sojourn.data.rule_code import rule_sql
from sojourn.pipeline.runner import run
from sojourn.pipeline.scan import scan_reports
from sojourn.report.blocks import answer
from sojourn.report.scan import LeakError
from take_away_rules import small_tree
from walked import scratch_project


@dataclass(frozen=True)
class Item:
    content: Any
    kind: str = "block"
    place: str = ""


def item(block):
    return Item({"kind": block.kind, **block.data})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with scratch_project(tmp_path_factory.mktemp("files") / "project") as root:
        yield root


@pytest.fixture
def run_with(project, monkeypatch):
    """Run the pair demo-segments with a notebook that shows an answer and hands a rule out."""

    def ran(rule, study="segments"):
        shown = [item(answer(Headline("Groups.", "2 groups", "ok"))), item(sj.hand_out(rule))]
        monkeypatch.setattr(run, "_items", lambda *_: shown)
        monkeypatch.setattr(run, "matched", lambda *_: {})
        monkeypatch.setattr(
            run, "read_cells", lambda *_: Cells("demo", study, {}, {"as_of": "2025-07-01T00:00:00Z"})
        )
        return run.run_study("demo", study)

    return ran


def test_the_files_stand_beside_the_page_with_the_same_bytes_each_time(run_with, project) -> None:
    page = run_with(small_tree())
    folder = project / "reports/cases/demo/segments"
    first = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert list(first) == ["headline.json", "rule.json", "rule.sql"]
    assert first["rule.sql"].decode() == rule_sql(small_tree())
    assert sj.TakeAway.from_json(first["rule.json"].decode()) == small_tree()
    assert 'href="segments/rule.sql"' in page.read_text(encoding="utf-8")
    run_with(small_tree())
    assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == first
    assert scan_reports(private=False) == "4 files of reports hold nothing that may not be published."


def test_a_leak_in_a_file_leaves_what_was_there(run_with, project) -> None:
    run_with(small_tree())
    before = (project / "reports/cases/demo/segments/rule.sql").read_bytes()
    with pytest.raises(LeakError, match="is not published, what stood there before is as it was"):
        run_with(replace(small_tree(), segments=("ada@example.org", "b", "c")))
    assert (project / "reports/cases/demo/segments/rule.sql").read_bytes() == before


def test_the_scan_finds_a_file_that_was_spoilt_later(run_with, project) -> None:
    run_with(small_tree())
    path = project / "reports/cases/demo/segments/rule.sql"
    path.write_text(path.read_text(encoding="utf-8") + "DELETE FROM members;\n", encoding="utf-8")
    with pytest.raises(LeakError, match=r"rule\.sql, its statements: what is no single query"):
        scan_reports(private=False)
    path.unlink()


def test_the_rule_that_was_written_is_the_one_that_is_scored(run_with) -> None:
    from sojourn.data.frozen_rule import read_rule

    run_with(small_tree())
    assert read_rule(read_params(), "demo") == small_tree()
