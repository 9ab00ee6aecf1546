"""The rates that the board's checks state are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.board.rates import (
    BOARDS,
    CONFLICT,
    FORETOLD,
    HIDDEN,
    LEAST,
    LOT,
    MOST,
    MOVED,
    ODD,
    WORTHLESS,
)

RESULTS = Path(__file__).resolve().parents[2] / "calibration" / "results" / "board.json"
MADE = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
ROWS = {row["estimand"]: row.get("found") for row in MADE}
ODD_CELL = "it loses 3 in one cell of 15 and gains 5 in all others, 300 members an arm in each"
EARLIER = "earlier predictions did not come true: {}, {} members in each of 15 cells"
AS_BELIEVED = "odds of periods differ by from the prior (logarithm)"
DISAGREE = "belief and trial disagree: truth {}, {} members an arm in each of 15 cells"
SHIFT = "segments moved: a share {}, 2,000 members"
NOT_BY_LOT = "trials that were not by lot: {}"


@pytest.mark.parametrize(
    ("rates", "caught", "alarmed"),
    [
        (MOVED, ROWS[SHIFT.format("moved by twice the margin")], ROWS[SHIFT.format("stands still")]),
        (LOT, ROWS[NOT_BY_LOT.format("one of twenty")], ROWS[NOT_BY_LOT.format("none of twenty")]),
        (
            ODD,
            ROWS[f"odd cell seen: {ODD_CELL}"],
            max(found for name, found in ROWS.items() if name.startswith("any cell taken for odd")),
        ),
        (
            FORETOLD,
            min(ROWS[EARLIER.format(f"odds x 2.7 {since}", 150)] for since in ("since", "a period ago")),
            max(ROWS[EARLIER.format(AS_BELIEVED, members)] for members in ("150", "1,500")),
        ),
        (
            CONFLICT,
            ROWS[DISAGREE.format("four of its deviations away", 300)],
            max(ROWS[DISAGREE.format("from the prior", size)] for size in (50, 300)),
        ),
    ],
)
def test_rates_are_measured(rates, caught, alarmed):
    """Rounded to a hundredth."""
    assert rates[:2] == pytest.approx((caught, alarmed), abs=0.006)


def test_worthless_recommendations_are_the_worst_that_were_measured():
    worst = max(found for name, found in ROWS.items() if name.startswith("worthless scheme recommended"))
    hidden = max(found for name, found in ROWS.items() if "it pays but in one cell" in name)
    assert (worst, hidden) == (WORTHLESS, HIDDEN)
    kinds = [
        row["worlds"]
        for row in MADE
        if row["estimand"].startswith(("worthless scheme", "scheme recommended"))
    ]
    assert min(kinds) == BOARDS


@pytest.mark.parametrize(
    ("what", "least"),
    [
        *(
            (f"{of} of {whom}", 2)
            for of in ("net value", "lift")
            for whom in ("cells in the trial", "all members")
        ),
        *((f"{of} of cells that borrow", 2) for of in ("net value", "lift")),
        *((f"total {of} of what is recommended", 1) for of in ("net value", "members kept")),
        ("members who will leave", 2),
        ("share of members who will leave", 3),
    ],
)
def test_every_interval_of_the_board_was_covered(what, least):
    """In worlds as believed; judged, not only shown."""
    assert sum(row["estimand"] == what and row["met"] is True for row in MADE) >= least


def test_boards_are_as_large_as_those_that_were_measured():
    schemes, cells = MOST
    what = f"{schemes} worthless, {LEAST} members an arm in each of {cells} cells"
    assert f"worthless scheme recommended anywhere: {what}" in ROWS
