"""A trial of members who had left: what was planted is found, and what cannot be said says why."""

import re
from statistics import NormalDist

import numpy as np
import pytest

import sojourn as sj
import win_back_worlds as worlds
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.data.cells import make_cells
from sojourn.report.trial_outcomes import describe_lasting, describe_lasting_table, lasting_frame
from sojourn.studies.trials.afterwards import afterwards
from sojourn.studies.trials.checks import check_trial
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.deadweight import deadweight
from sojourn.studies.trials.decide import decide
from sojourn.studies.trials.fairness import fairness
from sojourn.studies.trials.lasting import lasting
from sojourn.studies.trials.outcome_checks import check_lasting
from sojourn.studies.trials.policies import policies
from sojourn.studies.trials.spill_over import spill_over
from sojourn.studies.trials.trial import trial

WORLD = worlds.WinBack(members=4_000)
#: Estimates may lie so many standard errors from the truth: one of ten in 2,000 runs lies further.
FAR = 4.0
PLAN = TrialPlan.from_parameters(
    belief=[-0.05, 0.15, 0.9], belief_value=[-8.0, 8.0, 0.9], spread=0.5,
    metric="net_value", guard="back_at_90", horizon_days=90, rope=0.5, threshold=0.95, tolerable_loss=0.5,
    guard_margin=0.01, guard_risk=0.05, looks=1, worthwhile=2.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def cells():
    return make_cells(worlds.tidy_of(worlds.draw(WORLD)), "trials", worlds.PARAMS)


@pytest.fixture(scope="module")
def made(cells):
    return trial(cells, min_group=20)


@pytest.fixture(scope="module")
def results(made):
    rng = np.random.default_rng(1)
    return {
        outcome: compare_schemes(made, outcome, prior=PLAN.prior(made.kind(outcome)), mass=0.95, rng=rng)
        for outcome in ("back_at_30", "back_at_90", "net_value")
    }


@pytest.mark.parametrize(
    ("outcome", "truth"),
    [
        ("back_at_30", WORLD.back_at(1, 30) - WORLD.back_at(0, 30)),
        ("back_at_90", WORLD.back_at(1, 90) - WORLD.back_at(0, 90)),
        ("net_value", WORLD.net_value(1, 90) - WORLD.net_value(0, 90)),
    ],
)
def test_what_a_gift_does_is_found(results, outcome, truth) -> None:
    lift = results[outcome].lift("gift")
    error = (lift.high - lift.low) / (2 * NormalDist().inv_cdf(0.975))
    assert abs(lift.value - truth) < FAR * error
    assert truth > FAR * error  # so an estimate of nothing would not pass


def test_the_same_rule_ships_what_wins_members_back(made, results) -> None:
    assert made.wins_back
    decision = decide(results["net_value"], PLAN, guard=results["back_at_90"])
    assert (decision.verdict, decision.scheme) == ("ship", "gift")


def test_of_those_who_are_back_some_would_have_come_anyway(made) -> None:
    """Control's share over the gift's."""
    result = deadweight(made, "back_at_90", mass=0.95)
    share = result.read("gift", "kept_anyway_share")
    assert share.low < WORLD.back_at(0, 90) / WORLD.back_at(1, 90) < share.high
    assert result.row("gift")["cost"] == pytest.approx(WORLD.gift, abs=1e-6)


def test_what_follows_members_while_they_are_there_says_that_they_had_left(made) -> None:
    empty = [
        afterwards(made, PLAN, mass=0.95, reward_days=28),
        spill_over(made, mass=0.95),
    ]
    assert ["of members who had left" in result.why_empty for result in empty] == [True] * 2


def test_members_who_were_with_us_are_told_in_the_checks(made, results) -> None:
    checks = {check.name: check for check in check_trial(made, list(results.values()), [])}
    finding = checks["Follow-up complete"].finding
    assert f"{made.meta['other_state']} were with us when they were assigned" in finding


def test_groups_are_compared_by_who_is_back(cells) -> None:
    """Without strata, groups are known from features alone, whose members count as those who are back."""
    plain, rng = trial(cells, strata="none", min_group=20), np.random.default_rng(4)
    result = compare_schemes(plain, "back_at_90", prior=PLAN.belief, mass=0.95, rng=rng)
    assert set(fairness(result, plain, rng=rng).groups["group"]) == {"annual", "monthly"}


def test_whom_to_give_it_to_is_asked_of_members_who_had_left(made) -> None:
    result = policies(made, "gift", mass=0.95, rng=np.random.default_rng(5), splits=20)
    assert result.members_are == " who had left"
    assert result.best == "everyone"


def test_the_time_until_coming_back_is_found(made) -> None:
    """Who left again within the 90 days counts as having come back; under the gift more do, and earlier."""
    result = lasting(made, mass=0.95, rng=np.random.default_rng(6))
    assert not result.why_empty
    assert result.wins_back
    for column, of in (("lift", WORLD.came_by), ("more_days", WORLD.days_since)):
        truth, found = of(1, 90) - of(0, 90), result.read("gift", column)
        error = (found.high - found.low) / (2 * NormalDist().inv_cdf(0.975))
        assert abs(found.value - truth) < FAR * error
        assert found.low > 0
    said = sj.say(result)
    assert "members come back" in said
    assert "days earlier on average under gift than under no scheme" in said
    assert "Who has not come back counts up to day 90." in said
    texts = [said, *describe_lasting(result).values(), *describe_lasting_table(result).values()]
    texts += [text for check in check_lasting(result) for text in (check.name, check.finding, check.meaning)]
    assert not [text for text in texts if re.search(r"stay|with us|leav|left|keeps more|kept", text)]
    assert {"back_share", "came_back", "days_since_then"} <= set(lasting_frame(result))
