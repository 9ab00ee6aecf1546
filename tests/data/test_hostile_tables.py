"""Names of columns, files and tables that try to be code: unread or refused, and never executed."""

import csv

import pandas as pd
import pytest

from sojourn.core.columns import is_formula
from sojourn.core.legible import visible
from sojourn.pipeline.cli import main

ROWS = pd.DataFrame(
    {
        "member_id": [f"m{i}" for i in range(40)],
        "occurred_at": pd.date_range("2025-01-01", periods=40, freq="D", tz="UTC"),
        "event": "view",
    }
)
#: The engine takes such a name for a pattern and reads every file that it fits.
NAMES = (
    '"; DROP TABLE events; --',
    "'; DROP TABLE events; --",
    'a"b""c',
    "a;b,c",
    "line\nbreak",
    "\ttab",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "<script>alert(1)</script>",
    "{0.__class__} %s ${x} `x`",
    "x" * 5000,
    "\u202eevent",
    "ev\u0435nt",  # a Cyrillic letter
    "\x1b[31mred",
    "member_id\u200b",
    "*",
    "COLUMNS('.*')",
    "名字",
    " ",
)


def looked_up(project):
    with (project.root / "data/tidy/shop/quality.csv").open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_column_is_unread_or_refused_and_nothing_is_run(project, capsys, kind, name):
    rows = ROWS.assign(**{name: "x"})
    project.case("shop", {"events": rows.to_csv(index=False) if kind == "csv" else rows})
    status = main(["prepare", "shop"])
    said = capsys.readouterr().err
    if status:
        assert said.splitlines()[-1].startswith(("sojourn: ", "  "))
        assert "Traceback" not in said
        assert not (project.root / "data/tidy/shop").exists()
        return
    tidy = pd.read_parquet(project.root / "data/tidy/shop/events.parquet")
    assert len(tidy) == len(ROWS)
    assert name not in tidy.columns
    notes = pd.read_parquet(project.root / "data/tidy/shop/findings.parquet")
    assert (notes["finding"] == "not in the contract").sum() == 1
    cells = looked_up(project)
    assert [cell for cell in cells if is_formula(cell) or visible(cell) != cell] == []


@pytest.mark.parametrize(
    "name",
    [
        "a'; DROP TABLE events; --",
        "=1+1",
        "a*b",
        "a?b",
        "[ab]",
        "$(touch x)",
        "`touch x`",
        "é名",
        "{x}",
        "%s",
    ],
)
def test_a_hostile_file_name_names_one_file(project, name):
    (project.root / "incoming").mkdir()
    (project.root / "incoming" / "axb.csv").write_text(
        "no,table\n1,2\n", encoding="utf-8"
    )  # a pattern hits it
    ROWS.to_csv(project.root / "incoming" / f"{name}.csv", index=False)
    project.case("shop", prepare={"tables": {"events": f"incoming/{name}.csv"}})
    assert main(["prepare", "shop"]) == 0
    assert len(pd.read_parquet(project.root / "data/tidy/shop/events.parquet")) == len(ROWS)
    assert not (project.root / "x").exists()


@pytest.mark.parametrize(
    "name", ["events; DROP TABLE members", '"events"', "../events", "=1+1", "\u202eevents"]
)
def test_a_table_of_another_name_is_refused(project, capsys, name):
    project.case("shop", {"events": ROWS})
    project.content["cases"]["shop"]["prepare"]["tables"][name] = "incoming/shop/events.parquet"
    project.write()
    assert main(["prepare", "shop"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "\u202e" not in said
    assert not (project.root / "data/tidy/shop").exists()
