"""The number of a headline has as many decimals on the index as its sentence has."""

import json

import pytest

from sojourn.core.interval import Interval
from sojourn.core.results.block import MIME
from sojourn.core.results.headline import Headline
from sojourn.pipeline.runner.notebook import Shown
from sojourn.report.blocks import answer
from sojourn.report.page import headline_json


@pytest.mark.parametrize(
    ("interval", "unit", "short"),
    [
        (Interval(37_642.5, 20_177.18, 55_008.97, 0.95, "eti"), "EUR", "37,642 (20,177 to 55,009) EUR"),
        (Interval(2.634, 1.43, 3.83, 0.95, "eti"), "EUR per member", "2.63 (1.43 to 3.83) EUR per member"),
        (Interval(45.2, 23.3, 67.1, 0.95, "eti"), "more members", "45 (23 to 67) more members"),
        (Interval(27.02, 17.1, 39.1, 0.95, "prediction"), "members in 100", "27 (17 to 39) members in 100"),
        (Interval(86.2, 84.0, 88.3, 0.95, "eti"), "members in 100", "86.2 (84.0 to 88.3) members in 100"),
    ],
)
def test_whole_members_large_amounts_and_predictions_have_no_decimals(interval, unit, short):
    block = answer(Headline("So.", "wait", "ok", interval, unit))._repr_mimebundle_()[MIME]
    about = {"title": "Demo", "kind": "simulated"}
    made = headline_json(
        [Shown("block", block)], about=about, case="demo", study="board", title="What?", cells_meta={}
    )
    assert json.loads(made)["in_short"] == short
