"""The rates that checks of all trials together state are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.portfolio.rates import FIT, LOT, PAST, PROXY

RESULTS = Path(__file__).resolve().parents[2] / "calibration" / "results" / "portfolio.json"
ROWS = {row["estimand"]: row["found"] for row in json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]}
EXAM = "early outcome accepted: {}, 60 trials, effects spread 2 x their errors"
DISAGREE = "belief and past effects disagree: belief {}"
ODD = "trials that were not by lot: {}"


@pytest.mark.parametrize(
    ("rates", "caught", "alarmed"),
    [
        (
            PAST,
            ROWS["trials that changed are found"],
            ROWS["false alarms: earlier trials tell of later ones"],
        ),
        (FIT, ROWS[DISAGREE.format("three times too narrow")], ROWS[DISAGREE.format("as wide as lifts")]),
        (LOT, ROWS[ODD.format("one of twenty")], ROWS[ODD.format("none of twenty")]),
        (PROXY, 1 - ROWS[EXAM.format("nothing explained")], 1 - ROWS[EXAM.format("80 % explained")]),
    ],
)
def test_rates_are_measured(rates, caught, alarmed):
    """Rounded to a hundredth."""
    assert rates[:2] == pytest.approx((caught, alarmed), abs=0.006)
