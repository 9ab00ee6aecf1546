"""The rates that the board's checks state are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.board.rates import HIDDEN, LOT, MOVED, WORTHLESS

RESULTS = Path(__file__).resolve().parents[2] / "calibration" / "results" / "board.json"
ROWS = {row["estimand"]: row.get("found") for row in json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]}
SHIFT = "segments moved: a share {}, 2,000 members"
ODD = "trials that were not by lot: {}"


@pytest.mark.parametrize(
    ("rates", "caught", "alarmed"),
    [
        (MOVED, ROWS[SHIFT.format("moved by twice the margin")], ROWS[SHIFT.format("stands still")]),
        (LOT, ROWS[ODD.format("one of twenty")], ROWS[ODD.format("none of twenty")]),
    ],
)
def test_rates_are_measured(rates, caught, alarmed):
    """Rounded to a hundredth."""
    assert rates[:2] == pytest.approx((caught, alarmed), abs=0.006)


def test_worthless_recommendations_are_the_worst_that_were_measured():
    worst = max(found for name, found in ROWS.items() if name.startswith("worthless scheme recommended"))
    hidden = max(found for name, found in ROWS.items() if "it pays but in one cell" in name)
    assert (worst, hidden) == (WORTHLESS, HIDDEN)
