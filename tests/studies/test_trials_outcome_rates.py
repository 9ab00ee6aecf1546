"""The rates that checks of staying and coming state are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.trials.outcome_checks import CROSSING_RATES, LAW_RATES

RESULT = Path(__file__).resolve().parents[2] / "calibration" / "results" / "lasting.json"


@pytest.mark.parametrize(
    ("stated", "check"), [(CROSSING_RATES, "difference keeps its sign"), (LAW_RATES, "law of counts")]
)
def test_stated_rates_are_the_measured_ones(stated, check):
    """Within .05 for faults found (three errors of 150 worlds); no more false alarms than stated plus .01."""
    rows = {row["estimand"]: row["measured"] for row in json.loads(RESULT.read_text())["rows"]}
    assert rows[f"{check}: faults found"] == pytest.approx(stated["catch_rate"], abs=0.05)
    assert rows[f"{check}: false alarms"] <= stated["false_alarm_rate"] + 0.01
