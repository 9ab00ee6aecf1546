"""What checks say of themselves is what `calibration/` measured; others are tested beside their studies.

Stated is what was measured, rounded to three digits; where that is 1 or 0, at most 0.999 and at least 0.001
may be said instead, since no number of worlds tells them apart.
"""

import json
import re
from pathlib import Path

import pytest

from sojourn.studies.retention import drivers_checks, gate, lifetimes, reasons, silence

RESULTS = Path(__file__).parents[2] / "calibration" / "results"
#: What the rates of a check were measured on: subject, the rows' estimand, stated rates and stated worlds.
STATED = {
    "drivers": ("proportional hazards (score test)", drivers_checks.RATES, drivers_checks.RATES_FROM),
    "cure": ("the best law foretells what was held back", lifetimes.FORETOLD_RATES, lifetimes._RATES_FROM),
    "silence": ("the lapse window suits the gaps", silence.RATES[:2], silence.RATES[2]),
    "states": (
        "the main reason is first without doubt",
        (reasons.CATCH_RATE, reasons.FALSE_ALARM_RATE),
        reasons.RATES_FROM,
    ),
}


def rows_of(subject):
    return json.loads((RESULTS / f"{subject}.json").read_text(encoding="utf-8"))["rows"]


def worlds_said(words):
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) worlds", words)]


@pytest.mark.parametrize("subject", STATED)
def test_rates_are_those_measured(subject):
    estimand, (caught, alarms), _ = STATED[subject]
    rows = [row for row in rows_of(subject) if row["estimand"].startswith(estimand)]
    found = round(min(row["measured"] for row in rows if "faults found" in row["estimand"]), 3)
    false = round(max(row["measured"] for row in rows if "false alarms" in row["estimand"]), 3)
    assert caught in (found, min(found, 0.999))
    assert alarms in (false, max(false, 0.001))


@pytest.mark.parametrize("subject", STATED)
def test_worlds_are_as_many_as_is_said(subject):
    estimand, _, words = STATED[subject]
    counted = {row["worlds"] for row in rows_of(subject) if estimand in row["estimand"]}
    assert worlds_said(words) == list(counted)


@pytest.mark.parametrize("held_out", gate.GATE_RATES)
def test_the_gate_states_the_rows_of_the_members_it_names(held_out):
    """Models 1.5 times too high are not let through, right ones are: both depend on the members held out."""
    rows = [row for row in rows_of("gate") if row["like"].startswith(f"{held_out:,} members")]
    stopped = [row["measured"] for row in rows if row["like"].endswith("x 1.5")]
    right = [row["measured"] for row in rows if row["like"].endswith("x 1")]
    assert len(stopped) == len(right) >= 1
    assert (min(stopped), 1 - min(right)) == pytest.approx(gate.GATE_RATES[held_out])
    assert {row["worlds"] for row in rows} == {400}
