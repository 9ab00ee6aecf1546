"""The rates that checks of segments state are those that were measured."""

import json
from pathlib import Path

import pytest

from sojourn.studies.segments.rates import RETURNS, SAMPLE, SCORE, VERDICT

RESULTS = Path(__file__).resolve().parents[2] / "calibration" / "results" / "segments.json"
ROWS = {
    row["claim"]: row["measured"]
    for row in json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    if "claim" in row
}


def worst(start):
    return max(share for claim, share in ROWS.items() if claim.startswith(start))


@pytest.mark.parametrize(
    ("rates", "caught", "alarmed"),
    [
        (
            VERDICT,
            "2 to 5 planted groups at a Bayes error of 0.02 are found, 4800 members",
            "groups are claimed in a world without groups",
        ),
        (
            SAMPLE,
            "a sample without the least active tenth is found",
            "a sound sample of 2,000 in 20,000 is called unsound",
        ),
        (
            RETURNS,
            "five cuts through one round cloud are said not to come back",
            "planted groups are said not to come back",
        ),
        (
            SCORE,
            "a score is called better where members differ within groups",
            "a score is called better where all follows from the group",
        ),
    ],
)
def test_rates_are_measured(rates, caught, alarmed):
    """Rounded to a hundredth."""
    measured = (ROWS[caught], worst(alarmed))
    told = ", ".join(f"{share:.2f}" for share in measured)
    assert rates[:2] == pytest.approx(measured, abs=0.006), f"put {told} before the text {rates[2]!r}"
