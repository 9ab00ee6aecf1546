"""Every notebook through the real runner on little data: a small demo, the casebook as it is."""

import json
import shutil
from functools import cache, partial
from pathlib import Path

import pytest
import yaml

import scratch_kernels
from sojourn.pipeline.cli import main

PROJECT = Path(__file__).resolve().parents[2]
PAIRS = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))["pairs"]

#: Enough members for every study to say something, few enough for seconds.
MEMBERS = 3000

pytestmark = pytest.mark.notebooks


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A project of its own with a small demo, through the door."""
    folder = tmp_path_factory.mktemp("small")
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["cases"]["demo"]["prepare"]["members"] = MEMBERS
    params["cases"]["demo"]["segments"]["cells"]["sample_size"] = 1000
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    for name in ("dvc.yaml", "requirements.lock"):
        shutil.copy(PROJECT / name, folder)
    for name in ("notebooks", "data/casebook"):
        shutil.copytree(PROJECT / name, folder / name)
    scratch_kernels.link(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOJOURN_ROOT", str(folder))
        assert main(["check-params"]) == 0
        assert main(["prepare", "demo"]) == 0
        yield folder


def pages(folder, case, study):
    assert main(["cells", case, study]) == 0
    assert main(["run", case, study]) == 0
    reports = folder / "reports" / "cases" / case
    return (reports / f"{study}.html").read_text(encoding="utf-8"), reports / study


@pytest.fixture(scope="module")
def page_of(small):
    """Return the page of a pair and the folder of its tables, made by the first test that asks for them."""
    return cache(partial(pages, small))


@pytest.mark.parametrize(
    ("case", "study"),
    [
        ("demo", "portrait"),
        ("demo", "retention"),
        ("telco", "retention"),
        ("demo", "segments"),
        ("demo", "board"),
        ("demo", "trials"),
        ("demo", "portfolio"),
        ("cookie_cats", "trials"),
    ],
)
def test_a_pair_gives_a_page_its_tables_and_a_headline(page_of, case, study):
    if study == "board":
        page_of(case, "segments")  # whose rule it uses
    page, tables = page_of(case, study)
    headline = json.loads((tables / "headline.json").read_text(encoding="utf-8"))
    assert headline["status"] in {"ok", "blocked"}
    assert headline["sentence"] in page.replace("&#39;", "'").replace("&#x27;", "'").replace("\xa0", " ")
    assert len(list(tables.glob("*.csv"))) >= 3
    assert 10_000 < len(page) < 300_000


def test_a_portrait_of_real_purchases_has_fewer_sections_and_knows_no_truth(small):
    text = (small / "params.yaml").read_text(encoding="utf-8")
    params = yaml.safe_load(text)
    params["cases"]["cdnow"]["portrait"] = {"cells": {}}
    params["pairs"]["cdnow-portrait"] = {**params["pairs"]["cdnow-retention"], "study": "portrait"}
    params["pairs"]["cdnow-portrait"]["notebook"] = params["pairs"]["demo-portrait"]["notebook"]
    (small / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    try:
        assert main(["prepare", "cdnow"]) == 0
        page, tables = pages(small, "cdnow", "portrait")
    finally:
        (small / "params.yaml").write_text(text, encoding="utf-8")
    assert "nobody knows the truth behind them" in page
    assert "The case has no table <code>messages</code>." in page
    assert "Events carry days, but no times of day" in page
    assert "No step beyond joining itself was taken" in page
    assert {path.stem for path in tables.glob("*.csv")} == {
        "active-days", "joiners", "purchases", "stages", "what-they-do",
    }  # fmt: skip


def test_the_same_run_gives_the_same_bytes(small, page_of):
    first, _ = page_of("demo", "retention")
    again, _ = pages(small, "demo", "retention")
    assert first == again


def test_a_missing_table_gives_a_page_with_one_sentence(small):
    tidy = small / "data/tidy/demo"
    (tidy / "assignments.parquet").rename(small / "aside.parquet")
    try:
        page, tables = pages(small, "demo", "trials")
    finally:
        (small / "aside.parquet").rename(tidy / "assignments.parquet")
    headline = json.loads((tables / "headline.json").read_text(encoding="utf-8"))
    assert headline["status"] == "not possible"
    assert "`assignments`" in headline["sentence"] or "assignments" in headline["sentence"]
    assert "not possible" in page


def test_a_failing_notebook_keeps_the_last_good_page(small, page_of, capsys):
    good, tables = page_of("telco", "retention")
    notebook = small / "notebooks" / "10-who-stays.ipynb"
    text = notebook.read_text(encoding="utf-8")
    content = json.loads(text)
    next(c for c in reversed(content["cells"]) if c["cell_type"] == "code")["source"] = ["1 / 0"]
    notebook.write_text(json.dumps(content), encoding="utf-8")
    try:
        assert main(["run", "telco", "retention"]) == 1
    finally:
        notebook.write_text(text, encoding="utf-8")
    assert "ZeroDivisionError" in capsys.readouterr().err
    reports = small / "reports/cases/telco"
    assert (reports / "retention.html").read_text(encoding="utf-8") == good
    assert (tables / "headline.json").is_file()
    assert [path.name for path in reports.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "dmo", "retention"], "There is no case 'dmo' in params.yaml. Did you mean 'demo'?"),
        (["run", "demo", "retentoin"], "Did you mean 'demo-retention'?"),
        (["run", "telco", "trials"], "There is no pair in `pairs` 'telco-trials'"),
    ],
)
def test_an_unknown_case_or_study_is_one_clear_error(small, capsys, words, said):
    assert main(words) == 1
    assert said in capsys.readouterr().err


def test_an_unknown_parameter_is_one_clear_error(small, capsys):
    text = (small / "params.yaml").read_text()
    params = yaml.safe_load(text)
    params["cases"]["telco"]["retention"]["horizonts"] = [12]
    (small / "params.yaml").write_text(yaml.safe_dump(params))
    try:
        assert main(["check-params"]) == 1
    finally:
        (small / "params.yaml").write_text(text)
    assert (
        "'horizonts' is not a parameter of cases.telco.retention. Did you mean 'horizons'?"
        in capsys.readouterr().err
    )
