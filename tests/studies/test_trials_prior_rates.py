"""The rates that the check of a belief states are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.trials.prior_rates import PRIOR

RESULTS = Path(__file__).resolve().parents[2] / "calibration" / "results" / "beliefs.json"
HANGS = "the answer hangs on the belief: {}"


def test_rates_are_measured():
    """Rounded to a hundredth."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    found = {row["estimand"]: row["found"] for row in rows}
    faults = ("the truth four of its standard deviations away", "a right belief")
    assert PRIOR[:2] == pytest.approx([found[HANGS.format(fault)] for fault in faults], abs=0.006)
