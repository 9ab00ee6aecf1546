"""Every notebook keeps the contract: one question, one parameters cell, short cells, no outputs."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml

from sojourn.pipeline.runner.notebook import declared_parameters

PROJECT = Path(__file__).resolve().parents[2]
PARAMS = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
STUDY_OF = {pair["notebook"]: pair["study"] for pair in PARAMS["pairs"].values()}
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def evidence(notebook):
    """Code cells after the first H2 that follows the answer."""
    return [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"][3:]


def test_there_is_a_notebook_for_every_study():
    assert {path.stem for path in NOTEBOOKS} >= set(STUDY_OF)


def test_it_is_valid_and_clean(notebook):
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert notebook.metadata.kernelspec.name == "python3"


def test_it_asks_exactly_one_question(notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    titles = re.findall(r"^# (.+)$", prose, re.M)
    assert len(titles) == 1
    assert titles[0].endswith("?")


def test_opened_by_hand_it_computes_what_the_pipeline_does(path, notebook):
    """The case that it names has no settings of its own, so a frozen plan is kept in JupyterLab too."""
    case = declared_parameters(notebook)["case"]
    own = PARAMS["cases"][case][STUDY_OF[path.stem]]
    assert {name: value for name, value in own.items() if name != "cells"} == {}


def test_its_parameters_are_the_defaults(path, notebook):
    declared = declared_parameters(notebook)
    section = {k: v for k, v in PARAMS["studies"][STUDY_OF[path.stem]].items() if k != "cells"}
    assert declared == {
        "case": "demo",
        "seed": PARAMS["seed"],
        "min_group": PARAMS["privacy"]["min_group"],
        **section,
    }


def test_each_parameter_says_its_unit(notebook):
    cell = next(c for c in code_cells(notebook) if "parameters" in c.metadata.get("tags", []))
    assert [line for line in cell.source.splitlines() if "=" in line and "#" not in line] == []


def test_cells_are_short_and_hold_no_machinery(notebook):
    for cell in code_cells(notebook):
        tree = ast.parse(cell.source)
        if "parameters" not in cell.metadata.get("tags", []):
            assert len([line for line in cell.source.splitlines() if line.strip()]) <= 12, cell.source
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.Try}, cell.source
        for forbidden in ("plt.", "random_state=", "savefig", "to_csv", "open("):
            assert forbidden not in cell.source


def test_it_imports_the_package_and_little_else(notebook):
    imported = {
        name.name.split(".")[0]
        for cell in code_cells(notebook)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module)])
    }
    assert imported <= {"sojourn", "numpy", "pandas"}


def test_evidence_has_a_sentence_before_and_after(notebook):
    kinds = [cell.cell_type for cell in notebook.cells]
    lonely = [
        notebook.cells[i].source
        for i in evidence(notebook)
        if kinds[i - 1] != "markdown" or (i + 1 < len(kinds) and kinds[i + 1] != "markdown")
    ]
    assert lonely == []


def test_headings_descend_one_at_a_time(notebook):
    levels = [
        len(match)
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for match in re.findall(r"^(#+) ", cell.source, re.M)
    ]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
