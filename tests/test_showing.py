"""One call shows a result: everything that is promised to be shown can be."""

from dataclasses import dataclass
from importlib import import_module

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.results.retention import CohortTriangle
from sojourn.core.results.retention_expected import ExpectedLosses
from sojourn.report import retention_brief
from sojourn.showing import SHOWN, Picture, Sheet
from sojourn.studies.retention import judged

RESULTS = [
    f"sojourn.core.results.retention_{name}"
    for name in ("definitions", "drivers", "expected", "forecast", "gate", "lifetimes", "states", "when")
]


def shown_once(kind):
    """Names of functions that show a result in one of its ways."""
    way = SHOWN[kind]
    if isinstance(way, Sheet):
        return [("report", way.frame), ("report", way.describe)]
    return [("viz", way.plot), ("report", way.describe)]


@pytest.mark.parametrize("kind", SHOWN)
def test_every_way_is_made_of_functions_that_are_there(kind):
    for room, place in shown_once(kind):
        module, function = place.split(":")
        assert callable(getattr(import_module(f"sojourn.{room}.{module}"), function))


def test_every_result_that_may_be_empty_can_be_shown():
    kinds = {
        name
        for module in RESULTS
        for name, kind in vars(import_module(module)).items()
        if hasattr(kind, "__dataclass_fields__") and "why_empty" in kind.__dataclass_fields__
    }
    assert len(kinds) >= 10
    assert kinds <= {kind.partition(".")[0] for kind in SHOWN}


def test_what_is_summed_up_or_checked_can_be_shown():
    assert set(retention_brief._BRIEF) <= set(SHOWN)
    assert set(judged._CHECKS) <= set(SHOWN)


def test_an_empty_result_says_why_in_a_block_of_its_own():
    nothing = CohortTriangle("day", 30, 0.95, pd.DataFrame(), "Nobody has been there so long.")
    block = sj.show(nothing, name="cohorts")
    assert block.kind == "missing"
    assert block.data["text"] == "Nobody has been there so long."


def test_what_nobody_can_show_is_named():
    @dataclass
    class Strange:
        why_empty: str = ""

    with pytest.raises(ParameterError, match="Strange"):
        sj.show(Strange(), name="strange")
    with pytest.raises(ParameterError, match=r"ExpectedLosses\.upside_down"):
        sj.show(ExpectedLosses("day", 30, 0.95), name="losses", view="upside_down")


def test_empty_results_are_neither_summed_up_nor_checked():
    empty = CohortTriangle("day", 30, 0.95, pd.DataFrame(), "Nobody.")
    assert sj.brief(empty) == ""
    assert sj.check_results(empty) == []


def test_a_picture_and_a_sheet_are_told_apart():
    assert isinstance(SHOWN["Gate"], Picture)
    assert isinstance(SHOWN["ExpectedLosses"], Sheet)
