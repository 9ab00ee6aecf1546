"""The README is true: its example runs, its own case works, its findings are the committed ones."""

import doctest
import re
import shutil
import stat
from pathlib import Path

import pytest
import yaml

import scratch_kernels
import sojourn as sj
from sojourn.pipeline.cli import main
from sojourn.pipeline.readme import findings

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A project folder with parameters, notebooks and casebook, and nothing made yet."""
    for name in ("params.yaml", "dvc.yaml", "requirements.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    for name in ("notebooks", "data/casebook"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("kernel-ipc-*"))
    scratch_kernels.link(tmp_path)
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    return tmp_path


def test_the_example_gives_what_it_says(copy):
    assert main(["cells", "telco", "retention"]) == 0
    assert main(["cells", "cookie_cats", "trials"]) == 0
    block = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    example = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    assert len(example.examples) >= 5
    result = doctest.DocTestRunner().run(example)
    assert result.failed == 0


def test_its_findings_are_the_committed_ones(monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(PROJECT))
    assert findings() in README, "run `sojourn readme`"


def test_every_command_it_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.M))
    assert {"reproduce", "test"} <= named <= targets


def write_tables(folder):
    world = sj.make_world(members=1500, seed=7, as_of="2025-07-01T00:00:00Z")
    folder.mkdir(parents=True)
    members = world.members.rename(columns={"joined_at": "signup"})
    members.to_csv(folder / "members.csv", index=False)
    world.events.to_csv(folder / "events.csv", index=False)
    return members


@pytest.mark.notebooks
def test_a_case_of_one_s_own_goes_from_csv_to_a_private_page(copy, tmp_path_factory, monkeypatch):
    exports = tmp_path_factory.mktemp("theirs") / "exports"
    members = write_tables(exports)
    monkeypatch.chdir(exports)
    named = re.findall(r"^sojourn ((?:new-case|check) mine.*?) *(?:#.*)?$", README, re.M)
    assert [words.split()[0] for words in named] == ["new-case", "check"]
    for words in [*named, "check-params", "prepare mine", "cells mine retention", "run mine retention"]:
        assert main(words.split()) == 0, words

    page = copy / "private/reports/cases/mine/retention.html"
    assert "Mine" in page.read_text(encoding="utf-8")
    made = [path for path in copy.rglob("*") if "mine" in str(path.relative_to(copy))]
    assert [path for path in made if path.relative_to(copy).parts[0] != "private"] == []
    private = [path for path in made if "raw" not in path.parts]
    assert [p for p in private if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    ids = set(members["member_id"].astype(str))
    shown = page.read_text(encoding="utf-8")
    assert [identifier for identifier in ids if identifier in shown] == []


def test_a_private_case_among_the_shared_pairs_is_refused(copy, capsys):
    params = yaml.safe_load((copy / "params.yaml").read_text())
    params["cases"]["cdnow"]["about"]["public"] = False
    (copy / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert main(["check-params"]) == 1
    assert "'cdnow' is private and stands in `pairs`" in capsys.readouterr().err
