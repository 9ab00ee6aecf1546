"""The exam of an early outcome: found when planted, not fooled by members' own habits, or not judged."""

import dataclasses

import numpy as np
import pytest

import sojourn as sj
from portfolio_worlds import make_portfolio
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError


def examined(cells, **more):
    return sj.proxy_exam(cells, "net_value", rng=np.random.default_rng(0), **more)


@pytest.fixture(scope="module")
def accepted():
    return examined(make_portfolio(80, seed=0))


def test_a_planted_proxy_is_accepted_with_its_slope(accepted):
    """R squared .8, late effects 20 times early ones: the posterior holds both."""
    assert accepted.verdict == "accepted"
    assert accepted.explained.low < 0.8 < accepted.explained.high
    assert accepted.slope.low < 20 * 0.8**0.5 < accepted.slope.high
    assert accepted.within == pytest.approx(0.6, abs=0.02)
    assert 0 < accepted.surely_above < 0.2
    assert accepted.late_from(0.1).value == pytest.approx(0.1 * accepted.slope.value, abs=0.3)
    assert accepted.late_from(accepted.surely_above).low > 0
    with pytest.raises(ParameterError, match="early"):
        accepted.late_from(5.0)


def test_members_habits_alone_are_not_accepted():
    """Every effect null, members' values correlate .6: the estimates do too, and nothing can be judged."""
    null = examined(make_portfolio(60, spread=(0.0, 0.0), seed=3))
    assert null.naive == pytest.approx(0.6, abs=0.25)
    assert null.verdict == "cannot be judged"
    assert "do not differ by more than chance" in null.reason
    assert null.explained is None
    assert null.line.empty
    assert len(null.table) == 60


def test_effects_that_have_nothing_to_do_with_each_other_are_refused():
    made = examined(make_portfolio(60, explained=0.0, seed=3))
    assert made.naive > 0.1  # the members' part
    assert made.verdict == "refused"


def test_a_late_effect_that_is_always_nought_cannot_be_told():
    made = examined(make_portfolio(40, spread=(0.1, 0.0), seed=4))
    assert made.verdict == "cannot be judged"
    assert made.reason.startswith("The late effects")


def test_under_twenty_trials_cannot_be_judged():
    made = examined(make_portfolio(19))
    assert made.verdict == "cannot be judged"
    assert "19 trials" in made.reason


def test_without_an_early_outcome_there_is_nothing_to_show():
    cells = make_portfolio(30)
    table = cells.tables["trials"].drop(columns=["early", "early_sq", "cross"])
    made = examined(dataclasses.replace(cells, tables={"trials": table}))
    assert made.why_empty
    assert sj.check_proxy(made) == []
    assert examined(Cells("test", "trials", {}, {})).why_empty


def test_only_an_accepted_proxy_passes_its_check(accepted):
    (check,) = sj.check_proxy(accepted)
    assert check.verdict == "pass"
    (check,) = sj.check_proxy(examined(make_portfolio(19)))
    assert (check.verdict, check.finding) == ("warn", "There are 19 trials; the exam needs 20 or more.")
