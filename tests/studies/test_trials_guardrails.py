"""Guardrails: which way is worse, by how much, and with which chance."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.guardrails import guardrails
from sojourn.studies.trials.outcome_checks import check_guardrails
from sojourn.studies.trials.trial import trial
from trial_worlds import cells_of, members

WIDE = LiftPrior.from_belief(low=-0.05, high=0.3, mass=0.6)


def judged(shares, outcome="opted_out", size=5_000, seed=1, **more):
    """Compare schemes of these shares and judge them with a margin of 2 in 100."""
    rows = [(outcome, scheme, "all", "all", size, round(size * share)) for scheme, share in shares.items()]
    binary = pd.DataFrame(rows, columns=["outcome", "scheme", "stratum", "period", "n", "k"])
    base = cells_of(members(dict.fromkeys(shares, 50), factors={}))
    tables = {"binary": binary, "split": base["split"]}
    made = trial(Cells("test", "trials", tables, {**base.meta, "words": {outcome: "refused"}}), min_group=20)
    result = compare_schemes(made, outcome, prior=WIDE, mass=0.95, rng=np.random.default_rng(seed))
    return result, guardrails([result], {outcome: 0.02}, risk=0.05, **more)


def test_more_refusals_break_it_and_fewer_do_not():
    _, found = judged({"none": 0.06, "loud": 0.10, "quiet": 0.03})
    assert found.broken("loud") == ("opted_out",)
    assert found.broken("quiet") == ()
    assert [check.verdict for check in check_guardrails(found, "loud")] == ["fail"]
    assert [check.verdict for check in check_guardrails(found, "quiet")] == ["pass"]


def test_of_what_is_wanted_fewer_break_it():
    _, found = judged({"none": 0.30, "worse": 0.25, "better": 0.35}, outcome="kept_at_90")
    assert set(found.table["bad"]) == {"fewer"}
    assert found.broken("worse") == ("kept_at_90",)
    assert found.broken("better") == ()


@pytest.mark.parametrize("outcome", ["opted_out", "kept_at_90"])
def test_the_chance_of_harm_is_that_of_the_posterior(outcome):
    result, found = judged({"none": 0.3, "gift": 0.31}, outcome=outcome)
    lift = result.lift_draws("gift", "none")
    harm = lift if outcome == "opted_out" else -lift
    assert found.table["p_harm"].iloc[0] == pytest.approx((harm > 0.02).mean(), abs=1e-12)


def test_which_way_is_worse_can_be_stated():
    _, found = judged({"none": 0.30, "gift": 0.4}, outcome="called", more_is_worse=frozenset({"called"}))
    assert found.broken("gift") == ("called",)


def test_rates_are_those_of_the_rule():
    """Worlds drawn from the truth that each rate is of: a flat belief, so posterior and estimate agree."""
    _, found = judged({"none": 0.06, "gift": 0.06}, size=5_000)
    told = check_guardrails(found, "gift")[0]
    rng = np.random.default_rng(4)
    harm = {}
    for name, share in (("caught", 0.08), ("alarmed", 0.06)):
        k = rng.binomial(5_000, [0.06, share], (4_000, 2)) / 5_000
        error = np.sqrt((k * (1 - k)).sum(axis=1) / 5_000)
        harm[name] = (k[:, 1] - k[:, 0] > 0.02 - 1.6449 * error).mean()
    assert told.catch_rate == pytest.approx(harm["caught"], abs=0.02)
    assert told.false_alarm_rate == pytest.approx(harm["alarmed"], abs=0.05)  # by the error at this size


def test_what_is_no_guardrail_is_refused():
    result, _ = judged({"none": 0.3, "gift": 0.31})
    with pytest.raises(
        ParameterError, match=r"'opted_out' cannot be a guardrail: .* margins are given for kept"
    ):
        guardrails([result], {"kept": 0.01}, risk=0.05)


def test_without_outcomes_there_is_nothing_to_guard():
    found = guardrails([], {}, risk=0.05)
    assert found.why_empty.startswith("No outcome is guarded")
    assert check_guardrails(found, "gift") == []
