"""The truth of a simulated world beside what the board says of schemes."""

import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.core.results.board import WorksOn
from sojourn.studies.board.truth import check_truth


def cells(days=90, **gains):
    schemes = [{"scheme": name, "net_gain": gain, "lift": 0.0} for name, gain in gains.items()]
    known = {"main": {"horizon_days": days, "schemes": schemes}}
    return Cells("world", "board", {}, {"truth": known})


def works(**bounds):
    rows = [
        {"trial": "main", "scheme": name, "called": name, "net_value_low": low, "net_value_high": high}
        for name, (low, high) in bounds.items()
    ]
    return WorksOn("world", "EUR", 0.95, 0.5, overall=pd.DataFrame(rows), value_days=90)


def test_intervals_that_hold_the_truth_pass():
    (check,) = check_truth(cells(none=0.0, a=2.5, b=-1.0), works(a=(1, 3), b=(-2, 0), untold=(5, 6)))
    assert (check.verdict, check.finding) == (
        "pass",
        "The interval holds the true net value of 2 of 2 schemes whose truth is known.",
    )


@pytest.mark.parametrize(("missed", "verdict"), [(1, "pass"), (2, "pass"), (3, "fail")])
def test_more_misses_than_chance_explains_fail(missed, verdict):
    """Of seven intervals of 95 %, two or more miss in 4.4 % of cases by chance, three or more in .4 %."""
    names = [f"s{i}" for i in range(7)]
    truth = dict.fromkeys(names, 0.0)
    bounds = {name: (1, 2) if i < missed else (-1, 1) for i, name in enumerate(names)}
    (check,) = check_truth(cells(**truth), works(**bounds))
    assert check.verdict == verdict
    assert "not of the s0" in check.finding


@pytest.mark.parametrize("known", [cells(30, a=1.0), Cells("case", "board", {}, {}), cells(other=1.0)])
def test_nothing_is_said_where_the_truth_of_these_days_is_not_known(known):
    assert check_truth(known, works(a=(0, 1))) == []
