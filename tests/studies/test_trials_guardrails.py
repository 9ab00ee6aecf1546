"""Guardrails: which way is worse, by how much, and with which chance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.guardrails import belief_at, guardrails
from sojourn.studies.trials.outcome_checks import check_guardrails
from sojourn.studies.trials.trial import trial
from trial_worlds import cells_of, members


def trial_of(shares, outcome="opted_out", size=5_000):
    rows = [(outcome, scheme, "all", "all", size, round(size * share)) for scheme, share in shares.items()]
    binary = pd.DataFrame(rows, columns=["outcome", "scheme", "stratum", "period", "n", "k"])
    base = cells_of(members(dict.fromkeys(shares, 50), factors={}))
    tables = {"binary": binary, "split": base["split"]}
    return trial(Cells("test", "trials", tables, {**base.meta, "words": {outcome: "refused"}}), min_group=20)


def judged(shares, outcome="opted_out", size=5_000, margin=0.02, **more):
    """Judge schemes of these shares, with a margin of 2 in 100 and a risk of 5 %."""
    made = trial_of(shares, outcome, size)
    rng = np.random.default_rng(1)
    return guardrails(made, {outcome: margin}, risk=0.05, mass=0.95, rng=rng, **more)


def test_more_refusals_break_it_and_fewer_do_not():
    found = judged({"none": 0.06, "loud": 0.10, "quiet": 0.03})
    assert found.broken("loud") == ("opted_out",)
    assert found.broken("quiet") == ()
    assert [check.verdict for check in check_guardrails(found, "loud")] == ["fail"]
    assert [check.verdict for check in check_guardrails(found, "quiet")] == ["pass"]


def test_of_what_is_wanted_fewer_break_it():
    found = judged({"none": 0.30, "worse": 0.25, "better": 0.35}, outcome="kept_at_90")
    assert set(found.table["bad"]) == {"fewer"}
    assert found.broken("worse") == ("kept_at_90",)
    assert found.broken("better") == ()


@pytest.mark.parametrize("outcome", ["opted_out", "kept_at_90"])
def test_the_chance_of_harm_is_that_of_the_posterior(outcome):
    made = trial_of({"none": 0.3, "gift": 0.31}, outcome)
    rng = np.random.default_rng(1)
    lift = compare_schemes(made, outcome, prior=belief_at(0.3), mass=0.95, rng=rng).lift_draws("gift", "none")
    harm = lift if outcome == "opted_out" else -lift
    found = judged({"none": 0.3, "gift": 0.31}, outcome)
    assert found.table["p_harm"].iloc[0] == pytest.approx((harm > 0.02).mean(), abs=1e-12)


def test_which_way_is_worse_can_be_stated():
    found = judged({"none": 0.30, "gift": 0.4}, outcome="called", more_is_worse=frozenset({"called"}))
    assert found.broken("gift") == ("called",)


@given(st.floats(0.001, 0.999))
def test_the_belief_is_one_of_odds_and_possible_at_any_rate(base):
    mean, sd = belief_at(base).on_logit(base)
    assert mean == pytest.approx(0, abs=1e-9)
    assert sd == pytest.approx(np.log(2) / 1.644854, rel=1e-5)


def test_rates_are_those_of_the_rule():
    """Members drawn from the truth that each rate is of; the belief is weak beside 5,000 of each."""
    told = check_guardrails(judged({"none": 0.06, "gift": 0.06}), "gift")[0]
    rng = np.random.default_rng(4)
    harm = {}
    for name, share in (("caught", 0.08), ("alarmed", 0.06)):
        k = rng.binomial(5_000, [0.06, share], (4_000, 2)) / 5_000
        error = np.sqrt((k * (1 - k)).sum(axis=1) / 5_000)
        harm[name] = (k[:, 1] - k[:, 0] > 0.02 - 1.6449 * error).mean()
    assert told.catch_rate == pytest.approx(harm["caught"], abs=0.02)
    assert told.false_alarm_rate == pytest.approx(harm["alarmed"], abs=0.05)


def test_outcomes_that_are_not_there_are_left_out():
    made = trial_of({"none": 0.3, "gift": 0.31})
    more = {"risk": 0.05, "mass": 0.95, "rng": np.random.default_rng(1)}
    found = guardrails(made, {"opted_out": 0.02, "complained": 0.01}, **more)
    assert set(found.table["outcome"]) == {"opted_out"}
    for margins in ({}, {"complained": 0.01}):
        empty = guardrails(made, margins, **more)
        assert empty.why_empty == "No outcome is guarded that these cells count."
        assert empty.broken("gift") == ()
        assert check_guardrails(empty, "gift") == []


def test_an_outcome_that_nobody_has_is_left_out():
    assert judged({"none": 0.0, "gift": 0.0}).why_empty


@pytest.mark.parametrize(
    ("name", "wrong"), [("risk", {"risk": 0}), ("opted_out", {"margins": {"opted_out": -0.1}})]
)
def test_bad_arguments_are_refused(name, wrong):
    asked = {
        "margins": {"opted_out": 0.1},
        "risk": 0.05,
        "mass": 0.95,
        "rng": np.random.default_rng(1),
        **wrong,
    }
    with pytest.raises(ParameterError, match=f"'{name}' must be"):
        guardrails(trial_of({"none": 0.3, "gift": 0.31}), **asked)
