"""The page on the data is the contract."""

from __future__ import annotations

from pathlib import Path

from sojourn.core.schema import CONTRACT, GRADES
from sojourn.data.contract import contract_page, write_contract_page
from sojourn.data.settings import KNOWN

PAGE = Path(__file__).resolve().parents[2] / "data" / "README.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == contract_page(), "run python -m sojourn.data.contract"


def test_it_names_every_table_column_and_parameter() -> None:
    page = contract_page()
    for table in CONTRACT.values():
        section = page.split(f"### `{table.name}`")[1].split("###")[0]
        assert all(f"| `{column.name}` | {column.type} |" in section for column in table.columns)
    assert all(f"| `{name}` |" in page for name in KNOWN)


def test_it_is_written_to_the_project(project) -> None:
    (project.root / "data").mkdir()
    assert write_contract_page().read_text(encoding="utf-8") == contract_page()


def test_the_contract_is_consistent() -> None:
    for table in CONTRACT.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        named = {*table.key, table.time, *(n for e in table.ends for n in (e.column, *e.known_with))}
        assert named <= set(names)
        assert table.column(table.time).required
        assert all(column.grade in GRADES for column in table.columns)
        assert all(column.grade == "secret" for column in table.columns if column.type == "id")
