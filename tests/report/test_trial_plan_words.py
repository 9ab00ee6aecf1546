"""The plan is read as a table of plain sentences, and what became of it in one."""

from dataclasses import replace

import pytest

import sojourn as sj
from sojourn.core.results.trial_plan import PlanCard, TrialPlan
from sojourn.report.trial_plan import describe_plan, plan_frame

PLAN = TrialPlan.from_parameters(
    metric="net_value", guard="kept_at_90", horizon_days=90, rope=0.5, threshold=0.97, tolerable_loss=0.5,
    guard_margin=0.02, guard_risk=0.05, looks=4, worthwhile=2.0, belief=[-0.08, 0.1, 0.9],
    belief_value=[-4.0, 4.0, 0.9], spread=0.5, wash_out_days=28, reward_days=56,
    guardrails={"opted_out": 0.03},
)  # fmt: skip
WORDS = {
    "net_value": "net value per member within 90 days",
    "kept_at_90": "are still with us after 90 days",
    "opted_out": "refused messages within 90 days",
}
CARD = PlanCard(
    PLAN, "none", ("coupon", "points"), {"none": 0.5, "coupon": 0.25, "points": 0.25}, "value", WORDS, "EUR",
    {"margin": 0.3, "cost_per_member": {"coupon": 1.5}, "strata": "age_band"}, "abcdef123456",
    "2024-03-14T09:00:00Z",
)  # fmt: skip


def said(card: PlanCard) -> dict[str, str]:
    return plan_frame(card).set_index("what")["planned"].to_dict()


def test_every_part_of_the_rule_is_told():
    told = said(CARD)
    assert told == {
        "Compared": "coupon and points, each with no scheme (control)",
        "Division": "coupon 25.0 %, no scheme 50.0 % and points 25.0 %",
        "Outcome that decides": "net value per member within 90 days",
        "Worth having": "a lift of more than 0.50 EUR",
        "A scheme ships": "if that is so with a probability above 97.0 %",
        "Unless it": "gives up more than 0.50 EUR against a better scheme, as expected; or has 2.0 "
        "in 100 fewer members who are still with us after 90 days, with a probability above 5 %; or makes "
        "members who refused messages within 90 days worse by 3.0 in 100, with a probability above 5 %",
        "Looks": "4 looks while data come in",
        "Wrong ships allowed": "5 % of trials",
        "Should be found": "a lift of 2.00 EUR",
        "Belief beforehand": "90 % of lifts lie between −4.00 EUR and 4.00 EUR",
        "Members alike in": "age band",
        "Costs and earnings": "30 % of revenue is earned; cost per member: coupon 1.50 EUR",
        "Reward": "runs for 56 days; watched for 28 days after it",
    }


def test_a_share_that_decides_is_told_in_members():
    told = said(
        replace(CARD, plan=replace(PLAN, metric="kept_at_90", rope=0.01, worthwhile=0.02), kind="binary")
    )
    assert told["Worth having"] == "a lift of more than 1.0 members in 100"
    assert "fewer members" not in told["Unless it"]
    assert "Costs and earnings" not in told


def test_what_goes_without_saying_is_not_said():
    told = said(replace(CARD, control="control", counted={"strata": "all"}))
    assert told["Compared"] == "coupon and points, each with control"
    assert "Members alike in" not in told


def test_a_guardrail_that_nobody_counts_is_not_told():
    counted = {name: words for name, words in WORDS.items() if name != "opted_out"}
    assert "messages" not in said(replace(CARD, words=counted))["Unless it"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "The rule was frozen on 14 March 2024 as plan abcdef123456, and nothing was changed since."),
        ({"fingerprint": "", "frozen_at": ""}, "No plan was frozen; the rule is that of the parameters."),
        ({"changed": (("rule.rope", "0.5", "0.1"),)}, "as plan abcdef123456, but 1 setting changed since."),
    ],
)
def test_what_became_of_the_plan_is_its_title(changes, words):
    card = replace(CARD, **changes)
    assert describe_plan(card)["title"] == sj.say(card)
    assert sj.say(card).endswith(words)
