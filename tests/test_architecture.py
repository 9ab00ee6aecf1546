"""Layers, light imports, and documents that say what the code is."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sojourn

PROJECT = Path(__file__).resolve().parents[1]
HEAVY = (
    "lifelines",
    "sklearn",
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
    "matplotlib",
    "seaborn",
    "papermill",
    "nbconvert",
    "ibis",
    "duckdb",
)


def modules_after(statement):
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_sojourn_loads_no_heavy_engine():
    assert not modules_after("import sojourn") & {*HEAVY, "pandas", "numpy", "scipy"}


@pytest.mark.parametrize(
    "module", ["core.params", "core.cells", "core.schema", "pipeline.cli", "pipeline.declared"]
)
def test_core_and_command_line_load_no_heavy_engine(module):
    assert not modules_after(f"import sojourn.{module}") & set(HEAVY)


def test_layers_and_rooms_are_kept():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("engine", "rooms"),
    [
        ("lifelines", ("estimators/survival",)),
        ("sklearn", ("estimators/cluster",)),
        ("pymc", ("estimators/bayes",)),
        ("nutpie", ("estimators/bayes",)),
        ("arviz", ("estimators/bayes",)),
        ("matplotlib", ("viz",)),
        ("seaborn", ("viz",)),
        ("papermill", ("pipeline",)),
        ("ibis", ("data",)),
        ("duckdb", ("data",)),
    ],
)
def test_each_heavy_engine_lives_in_its_room(engine, rooms):
    source = PROJECT / "src" / "sojourn"
    users = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(rf"^\s*(import|from) {engine}\b", path.read_text(encoding="utf-8"), re.M)
    }
    assert [user for user in users if not user.startswith(rooms)] == []


def test_every_public_name_exists_is_documented_and_stands_in_the_architecture():
    text = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in sojourn.__all__:
        assert getattr(sojourn, name).__doc__, name
        assert f"`{name}`" in text, f"{name} is not in ARCHITECTURE.md"


def test_every_room_stands_in_the_architecture():
    text = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = PROJECT / "src" / "sojourn"
    rooms = {path.parent.relative_to(source).as_posix() for path in source.rglob("__init__.py")} - {"."}
    assert [room for room in sorted(rooms) if f"`{room}/`" not in text] == []


def test_a_file_is_short_and_a_function_is_shorter():
    import ast

    long = []
    for path in (PROJECT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 450:
            long.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno - (ast.get_docstring(node) or "").count("\n")
                if lines > 70:
                    long.append(f"{path.name}: {node.name} has {lines} lines")
    assert long == []


def test_no_file_names_a_place_of_one_machine():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    places = re.compile(r"(?<![\w.:/])/(?:root|home/\w+|Users/\w+|work)/")
    named = []
    for name in tracked:
        path = PROJECT / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".yaml",
            ".yml",
            ".toml",
            ".ipynb",
            ".html",
            ".json",
            ".sh",
            ".lock",
            ".csv",
            "",
        }:
            found = places.search(path.read_text(encoding="utf-8", errors="ignore"))
            if found:
                named.append(f"{name}: {found.group(0)}")
    assert named == []


def test_reports_keep_their_size():
    reports = PROJECT / "reports"
    files = [path for path in reports.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3_000_000
    assert [path.name for path in files if path.suffix == ".html" and path.stat().st_size > 300_000] == []


def test_no_id_of_a_member_is_published():
    """Addresses, numbers and the like are found by `sojourn scan` and its tests."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / "reports").rglob("*.*")}
    assert len(texts) > 10
    assert [name for name, text in texts.items() if re.search(r"\bM0\d{5,}\b", text)] == []


def test_every_pair_of_the_parameters_has_its_committed_page():
    import yaml

    pairs = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))["pairs"].values()
    for pair in pairs:
        folder = PROJECT / "reports" / "cases" / pair["case"]
        assert (folder / f"{pair['study']}.html").is_file()
        headline = json.loads((folder / pair["study"] / "headline.json").read_text(encoding="utf-8"))
        assert headline["status"] in {"ok", "blocked", "not possible"}
