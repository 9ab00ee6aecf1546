"""What is said of the time after a reward, of waste, of neighbours, of reach, of groups and of choosing."""

from dataclasses import replace

import numpy as np
import pytest

import sojourn as sj
from after_results import after, brought, choices, groups, reached, waste
from sojourn.report.trial_after import (
    afterwards_frame,
    compliance_frame,
    deadweight_frame,
    describe_afterwards,
    describe_deadweight,
    describe_spill_over,
    describe_trends,
    describe_without,
    spill_over_frame,
    trends_frame,
    without_frame,
)
from sojourn.report.trial_targeting import (
    describe_bands,
    describe_fairness,
    describe_policies,
    gaps_frame,
    groups_frame,
    policies_frame,
)


def test_what_is_left_after_the_reward_is_said_with_its_money():
    assert sj.say(after()) == (
        "In the 28 days after the reward, members still there leave 1.05 times as fast under coupon as "
        "under no "
        "scheme (95 % confidence interval 0.85 to 1.25), so it is not clear that the end of the reward "
        "drives "
        "anybody away. Of 7.0 more in 100 who are kept at its end, 5.0 are left at the end of the wash-out "
        "(95 % "
        "confidence interval 3.0 to 7.0 more). A member pays 12.00 EUR more while it runs and 0.50 EUR less "
        "after it (which may be chance): 11.50 EUR more over both (95 % confidence interval 9.00 to 14.00 "
        "more). "
        "There is no clear sign of novelty that wears off while the reward runs."
    )


def test_a_cliff_is_said_as_one():
    said = sj.say(replace(after(), scheme="gift"))
    assert (
        "1.60 times as fast under gift as under no scheme (95 % confidence interval 1.40 to 1.80). " in said
    )
    assert "3.00 EUR less after it: " in said
    assert "The lift in coming wears off while the reward runs." in said
    assert describe_afterwards(replace(after(), scheme="gift"))["title"] == (
        "Once the reward has ended, members leave faster under gift than under no scheme"
    )


def test_a_lift_that_was_never_sure_is_said_at_both_times():
    result = after()
    table = result.table.assign(lift_at_end_low=-0.01)
    assert "7.0 more in 100 of all members are still with us" in sj.say(replace(result, table=table))


def test_titles_claim_no_more_than_is_sure():
    assert describe_afterwards(after())["title"] == (
        "What coupon keeps is still there 28 days after the reward"
    )
    assert "It is not clear" in describe_afterwards(after(left=(0.01, 0.0)))["title"]
    assert describe_trends(after())["title"] == "The lift of gift wears off while the reward runs"
    assert "No lift" in describe_trends(after(slope=(0.0, 0.0)))["title"]


def test_without_payments_nothing_is_said_of_them():
    result = after(paid=False)
    assert "pays" not in sj.say(result)
    assert not [name for name in afterwards_frame(result) if name.startswith("amount")]
    assert "the share that comes" in describe_afterwards(result)["subtitle"]


def test_waste_is_said_with_what_one_more_costs():
    assert sj.say(waste()) == (
        "Of 100 members whom coupon is seen to keep, 93 would have stayed anyway (95 % confidence interval "
        "90 to "
        "96). It costs 1.00 EUR a member, or 20.00 EUR for each one more who stays (95 % confidence "
        "interval: "
        "13.00 EUR to 38.00 EUR). Of every 100 EUR paid while the reward runs, 64 would have been paid "
        "anyway "
        "(95 % confidence interval 59 to 69)."
    )
    assert "keeps nobody who would have left" in sj.say(replace(waste(), scheme="gift"))
    assert "upwards, without a limit" in sj.say(waste(high=(np.nan, np.nan)))
    assert describe_deadweight(waste())["title"].startswith("Of those kept, 93 % to 97 %")


def test_waste_on_members_who_had_left_is_said_of_coming_back():
    back = replace(waste(), outcome="back_at_90", words="are back with us 90 days after assignment")
    assert sj.say(back).startswith(
        "Of 100 members whom coupon is seen to win back, 93 would have come back anyway "
    )
    assert "20.00 EUR for each one more who comes back" in sj.say(back)
    assert "wins back nobody who would have stayed away" in sj.say(replace(back, scheme="gift"))
    told = describe_deadweight(back)
    assert told["title"].startswith("Of those who are back, 93 % to 97 % would have come back")
    assert "stay" not in told["title"] + told["note"]
    assert set(deadweight_frame(back)) == set(deadweight_frame(waste()))


def test_neighbours_are_said_with_what_they_do_to_the_lift():
    said = sj.say(brought())
    assert "10.0 more in 100 stay where the other was under coupon rather than no scheme" in said
    assert "the scheme reaches them too, so control is not untouched" in said
    assert "without those whom a treated one brought, coupon keeps +6.0 in 100 instead of +5.0." in said
    assert describe_spill_over(brought())["title"] == "Schemes reach those whom their members brought: coupon"
    unsure = brought(p_value=(0.04, 0.4))
    assert "the largest of 2 differences: no sure sign" in sj.say(unsure)
    assert "No scheme surely" in describe_spill_over(unsure)["title"]
    assert "no sure sign that the scheme" in sj.say(replace(unsure, scheme="gift"))
    assert describe_without(brought())["title"] == "Neighbours move no lift by more than 2.0 members in 100"


def test_being_assigned_is_said_before_being_reached():
    assert sj.say(reached()) == (
        "Assigning coupon keeps 5.0 more in 100 (95 % confidence interval 3.0 to 7.0 more); it reaches 60 "
        "% of "
        "them, and of 100 of those 8.3 more (95 % confidence interval 5.3 to 11.3 more), if it does "
        "nothing to "
        "those whom it does not reach."
    )
    assert sj.say(replace(reached(), scheme="gift")).endswith("so both effects are one.")


def test_groups_are_said_with_how_many_gaps_were_looked_at():
    said = sj.say(groups())
    assert said.startswith(
        "By channel, coupon does most for search and least for social: 7.0 members in 100 apart"
    )
    assert "97.5 % are asked, as 2 gaps were looked at" in said
    assert said.endswith("so groups do not gain alike.")
    assert sj.say(groups(p_real=0.9)).endswith("so no gap between groups is sure.")
    assert "EUR a member apart" in sj.say(groups(currency="EUR"))
    assert describe_fairness(groups())["title"] == "Coupon does more for search than for social"
    assert describe_fairness(groups(0.9))["title"].startswith("No group surely")


@pytest.mark.parametrize(
    ("best", "start"),
    [
        ("undecided", "Undecided: no way of giving coupon surely earns more than giving it to no one."),
        ("everyone", "Give coupon to everyone: no choice of members surely earns more."),
        ("no one", "Give coupon to no one: no choice of members surely earns anything."),
        ("highest uplift", "Give coupon to those of the highest uplift (40 % of members)."),
    ],
)
def test_the_answer_comes_first(best, start):
    said = sj.say(choices(best))
    assert said.startswith(f"{start} Given to everyone, coupon earns 2,500 EUR more for every 1,000 members")
    assert "given only to those for whom it is expected to pay, 400 EUR more than that" in said
    assert describe_policies(choices(best))["title"] == start.rstrip(".")


def test_a_choice_among_members_who_had_left_is_told_as_one():
    left = replace(choices("everyone"), members_are=" who had left")
    assert sj.say(left).startswith(
        "Give coupon to everyone who had left: no choice of members surely earns more. Given to everyone, "
        "coupon earns 2,500 EUR more for every 1,000 members who had left within 90 days ("
    )
    assert describe_policies(left)["subtitle"].startswith(
        "Net value of 1,000 members who had left within 90 days"
    )


def test_a_scheme_that_pays_for_everybody_is_not_compared_with_itself():
    assert sj.say(choices(treated=1.0)).endswith("it is expected to pay for everybody.")
    assert sj.say(choices(treated=0.0)).endswith("it is expected to pay for nobody.")


def test_thirds_are_only_told_apart_where_they_are():
    assert describe_bands(choices())["title"].startswith("It cannot be told in advance")
    assert "do gain more" in describe_bands(choices(bands=(6.0, 2.0, 1.0)))["title"]
    assert "plan and age band" in describe_bands(choices())["subtitle"]


@pytest.mark.parametrize(
    ("frame", "result"),
    [
        (afterwards_frame, after()), (trends_frame, after()), (deadweight_frame, waste()),
        (spill_over_frame, brought()), (without_frame, brought()), (compliance_frame, reached()),
        (gaps_frame, groups()), (groups_frame, groups()), (policies_frame, choices()),
    ],
)  # fmt: skip
def test_tables_keep_bounds_with_their_value(frame, result):
    made = frame(result)
    lows = [name.removesuffix("_low") for name in made if name.endswith("_low")]
    assert lows
    assert all(name in made and f"{name}_high" in made for name in lows)
    parts = {name for name in ("table", "trends", "without", "groups") if hasattr(result, name)}
    empty = replace(result, **{name: getattr(result, name).iloc[:0] for name in parts})
    assert frame(empty).empty


@pytest.mark.parametrize("result", [after(why="Nothing."), choices(why="Nothing.")])
def test_an_empty_result_only_says_why(result):
    assert sj.say(result) == "Nothing."
    assert sj.show(result, name="empty").data["text"] == "Nothing."
