"""No false alarm of the patterns in names of cases that ship, as they are committed."""

import csv
from pathlib import Path

import pytest

from sojourn.core.patterns import ACTIVE, PERSONAL, found_in

CASES = Path(__file__).resolve().parents[2] / "reports" / "cases"


@pytest.mark.parametrize("case", ["demo", "cdnow", "complete_journey", "telco", "hillstrom", "cookie_cats"])
def test_no_cell_of_a_shipped_case_raises_an_alarm(case):
    cells = {
        cell
        for path in (CASES / case).rglob("*.csv")
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
        for cell in row
    }
    assert len(cells) > 20
    assert [cell for cell in sorted(cells) if found_in(cell, (*PERSONAL, *ACTIVE))] == []
