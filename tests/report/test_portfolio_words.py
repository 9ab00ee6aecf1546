"""What is said of beliefs, of all trials and of early results follows their numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from portfolio_worlds import make_portfolio
from sojourn.core.results.portfolio import Portfolio
from sojourn.core.text import number
from sojourn.report.portfolio import (
    decided_frame,
    describe_decided,
    describe_portfolio,
    describe_proxy,
    describe_running,
)
from sojourn.report.trial_prior import (
    describe_past,
    describe_power,
    describe_prior_check,
    outcomes_frame,
    power_frame,
)
from trial_worlds_of_words import made_check, made_past

EARLY = "how often members come in the first 14 days"


@pytest.fixture(scope="module")
def portfolio():
    rule = {"rope": 0.5, "threshold": 0.9, "rng": np.random.default_rng(0)}
    return sj.portfolio(make_portfolio(40), "net_value", **rule)


@pytest.fixture(scope="module")
def exam():
    return sj.proxy_exam(make_portfolio(60), "net_value", rng=np.random.default_rng(0))


def test_past_lifts_are_said_in_members_with_their_interval():
    said = sj.say(made_past())
    assert (
        "Over 60 past trials true lifts spread by 2.0 members in 100 (95 % credible interval 1.5 to 2.7)."
        in said
    )
    assert "The next one lies between −4.0 and +5.0 members in 100 (95 % prediction interval)." in said
    assert "no sign of large lifts" in said
    assert describe_past(made_past())["title"].startswith(
        "True lifts of past trials spread by 2.0 members in 100"
    )
    assert "hold 90.0 % of the 30 later estimates" in describe_past(made_past())["subtitle"]


def test_heavy_tails_are_said_with_how_much_likelier_they_are():
    table = made_past().table.iloc[::-1].reset_index(drop=True)
    heavy = made_past(tails="heavier than normal", table=table.assign(log_evidence=[-50.0, -53.0]))
    assert "about 4.0 degrees of freedom): the trials are 20 times as likely" in sj.say(heavy)
    sure = made_past(tails="heavier than normal", table=table.assign(log_evidence=[-50.0, -80.0]))
    assert "more than 1,000 times as likely" in sj.say(sure)


def test_laws_are_shown_as_a_table_in_members():
    block = sj.show(made_past(), name="laws", view="laws")
    assert "2.00 (1.50 to 2.70)" in block.text or "2.0 (1.5 to 2.7)" in block.text
    assert sj.show(made_past(why_empty="Too few."), name="laws", view="laws").data["text"] == "Too few."


def test_a_belief_beside_its_trial_is_said_scheme_by_scheme():
    check = made_check()
    said = sj.say(check)
    assert "Coupon: the belief made −5.0 to +7.0 members in 100 likely to be counted" in said
    assert "+9.0 was; with the belief the lift is +6.0: belief and data disagree." in said
    words = describe_prior_check(check)
    assert words["title"] == "What was counted under gift lies where the belief hardly expected it"
    assert "Chance of a trial as far out as this: less than 0.01." in words["subtitle"]
    inside = made_check(table=check.table.assign(seen=0.01), p_conflict=0.5)
    assert describe_prior_check(inside)["title"] == "What was counted lies where the belief expected it"


def test_a_value_is_said_in_its_currency():
    check = made_check(kind="value", currency="EUR", words="net value")
    assert "+0.09 was" in sj.say(check)
    assert "net value, EUR" in describe_prior_check(check)["subtitle"]
    assert "amount_as_it_is" in power_frame(check)


def test_outcomes_that_were_likely_stand_beside_those_that_were_counted():
    frame = outcomes_frame(made_check())
    assert frame["share_counted"].tolist() == [0.31, 0.39]
    assert frame["share_likely_to"].tolist() == [0.37, 0.37]
    block = sj.show(made_check(), name="outcomes", view="outcomes")
    assert "31.0" in block.text
    assert "Members who are still with us" in block.data["note"]
    assert "amount_counted" in outcomes_frame(made_check(kind="value", currency="EUR"))


def test_answers_under_other_beliefs_are_shown_and_a_hanging_one_is_named():
    check = made_check()
    assert "is the same" in describe_power(check)["title"]
    table = check.table.assign(p_doubled_worth=[0.75, 0.9])
    hanging = made_check(table=table)
    assert describe_power(hanging)["title"] == "Whether gift would ship depends on how much the belief counts"
    frame = power_frame(check)
    assert frame["with_half_belief_lift"].tolist() == [0.0105, 0.07]
    assert sj.show(check, name="power", view="power").kind == "table"


def test_a_portfolio_is_said_with_its_sum_and_its_winners(portfolio):
    said, row = sj.say(portfolio), portfolio.curse.iloc[0]
    begin = f"{len(portfolio.shipped)} of 40 trials have a scheme that is worth it, and together these bring"
    assert said.startswith(begin)
    assert f"{number(portfolio.total().value, 0)} EUR (95 % credible interval" in said
    assert f"measured at {number(row['raw_lift'], 2, signed=True)} EUR per member on average" in said
    assert f"(planted: {number(row['truth'], 2, signed=True)})" in said
    assert "that part is taken off, once" in said


def test_the_headline_is_the_sum_of_what_ships(portfolio):
    headline = sj.headline_portfolio(portfolio, sj.check_portfolio(portfolio))
    assert headline.verdict == f"{len(portfolio.shipped)} schemes worth it"
    assert headline.interval == portfolio.total()
    assert headline.unit == "EUR"
    assert headline.detail.startswith(
        "That is when each is given to as many members as were compared for it."
    )
    warned = sj.headline_portfolio(portfolio, sj.check_portfolio(replace(portfolio, p_fit=0.001)))
    assert "Warnings: a trial whose members were not divided by lot is left out; in doubt: " in warned.detail


def test_nothing_to_ship_is_an_answer(portfolio):
    none = replace(portfolio, table=portfolio.table.assign(verdict="undecided"))
    headline = sj.headline_portfolio(none)
    assert (headline.verdict, headline.status, headline.interval) == ("nothing worth it", "ok", None)
    assert headline.sentence == "None of 40 trials has a scheme that is surely worth it."
    assert describe_running(none)["title"] == "No scheme is worth it, so nothing adds up"
    assert describe_portfolio(none)["title"].startswith("No scheme is surely worth it")
    assert len(sj.key_figures_portfolio(none)) == 2
    assert describe_decided(none)["title"] == "40 schemes: 40 undecided"


def test_one_trial_is_said_as_one(portfolio):
    one = sj.portfolio(
        make_portfolio(1, seed=5), "net_value", rope=-9.0, threshold=0.9, belief=[-4.0, 4.0, 0.9],
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert sj.say(one).startswith("The trial has a scheme that is worth it, which brings")
    assert "That is when it is given to as many members" in sj.say(one)
    assert describe_portfolio(one)["title"] == "The trial has a scheme that is worth it"
    none = replace(one, table=one.table.assign(verdict="undecided"))
    assert sj.say(none) == "The trial has no scheme that is surely worth it."
    assert sj.key_figures_portfolio(one)[-1].trend == ()


def test_no_portfolio_says_why():
    empty = Portfolio("t", "y", "value", "y", "EUR", 0.95, 0.0, 0.9, why_empty="There are 3 trials.")
    headline = sj.headline_portfolio(empty)
    assert (headline.sentence, headline.status) == ("There are 3 trials.", "not possible")
    (figure,) = sj.key_figures_portfolio(empty)
    assert (figure.value, figure.interval) == ("0", "There are 3 trials.")
    assert sj.next_steps_portfolio(empty) == []


def test_key_figures_and_steps_carry_intervals(portfolio, exam):
    figures = sj.key_figures_portfolio(portfolio)
    assert figures[0].value == f"{len(portfolio.shipped)} of 40"
    assert "a lift above 0.50 EUR per member is over 90 %" in figures[0].interval
    assert all("credible interval" in figure.interval for figure in figures[2:])
    assert figures[1].value == f"{number(portfolio.wrong)} of {len(portfolio.shipped)}"
    assert figures[1].label == "Of these, expected not to be worth it"
    assert 2 <= len(figures[-2].trend) <= 60
    assert figures[-1].label == "True lifts of all schemes spread by"
    steps = sj.next_steps_portfolio(portfolio, replace(exam, verdict="refused"))
    assert steps[0].what.startswith("Give “new” to all whom trial “trial")
    assert "credible interval" in steps[0].effect
    assert steps[-1].what == f"Keep every trial running to its horizon; decide nothing by {EARLY}."
    assert len(sj.next_steps_portfolio(portfolio, exam)) == len(steps) - 1
    odd = pd.DataFrame({"trial": ["roll-out"], "why": "not by lot: …", "by_lot": False})
    (asked,) = [s for s in sj.next_steps_portfolio(replace(portfolio, left_out=odd)) if "roll-out" in s.what]
    assert asked.what == "Find out how members of roll-out were chosen; repeat it by lot if it matters."


def test_pictures_and_tables_of_a_portfolio_are_described(portfolio):
    words = describe_portfolio(portfolio)
    begin = f"{len(portfolio.shipped)} of 40 trials have a scheme that is worth it; chance made"
    assert words["title"].startswith(begin)
    assert "Difference from no scheme in net value, EUR" in words["subtitle"]
    assert "drawn towards what trials usually do" in words["subtitle"]
    several = replace(portfolio, table=portfolio.table.assign(control=["none", "held_out"] * 20))
    assert "Difference from each trial's control" in describe_portfolio(several)["subtitle"]
    stated = replace(portfolio, belief=sj.LiftPrior(-4.0, 4.0, 0.9))
    assert "the belief that 90 % of lifts lie in −4.00 to 4.00" in describe_portfolio(stated)["subtitle"]
    counted = number(portfolio.running["raw_amount"].iloc[-1], 0)
    assert describe_running(portfolio)["title"].endswith(f"as counted it would be {counted}")
    reached = replace(portfolio, reach=5000.0)
    assert "when each is given to 5,000 members" in sj.say(reached)


def test_every_scheme_is_told_with_what_is_decided(portfolio):
    frame, table = decided_frame(portfolio), portfolio.table
    assert len(frame) == 20
    assert frame["amount_expected"].is_monotonic_decreasing
    assert (frame["verdict"] == "worth it").sum() == min(20, len(portfolio.shipped))
    assert frame["amount_planted"].notna().all()
    found = describe_decided(portfolio)
    assert found["title"].startswith(f"40 schemes: {len(portfolio.shipped)} worth it, ")
    few = replace(portfolio, table=table.iloc[:20])
    assert "largest lifts are shown" not in describe_decided(few)["note"]
    many = replace(portfolio, table=pd.concat([table, table], ignore_index=True))
    assert len(decided_frame(many)) == 20
    assert "The 20 largest lifts are shown." in describe_decided(many)["note"]
    assert "counted_lift" in decided_frame(replace(portfolio, kind="binary"))
    assert sj.show(portfolio, name="schemes", view="decided").kind == "table"


def test_what_is_left_out_is_told_with_the_reason(portfolio):
    assert "Left out" not in describe_decided(portfolio)["note"]
    odd = pd.DataFrame({"trial": ["roll-out"], "why": "not by lot: …", "by_lot": False})
    assert describe_decided(replace(portfolio, left_out=odd))["note"].endswith(
        "Left out: roll-out (not by lot: …)."
    )
    empty = replace(portfolio, left_out=odd, why_empty="There is no trial.")
    assert sj.headline_portfolio(empty).detail == "Left out: roll-out (not by lot: …)."
    assert [step.what[:8] for step in sj.next_steps_portfolio(empty)] == ["Find out"]


def test_shares_are_said_in_members(portfolio):
    shares = replace(portfolio, kind="binary", words="are still with us", currency="")
    assert "members in 100 who are still with us" in describe_portfolio(shares)["subtitle"]
    assert "members in 100 on average" in sj.say(shares)
    assert "more members (95 % credible interval" in sj.headline_portfolio(shares).sentence


@pytest.mark.parametrize(
    ("verdict", "tells"),
    [
        ("accepted", "tell of late ones"),
        ("refused", "do not tell of late ones"),
        ("undecided", "may tell of late ones, or may not: it is not decided"),
    ],
)
def test_the_exam_of_early_results_is_said_by_its_verdict(exam, verdict, tells):
    title = f"Early effects {tells}"
    made = replace(exam, verdict=verdict)
    assert describe_proxy(made)["title"] == title
    said = sj.say(made)
    assert said.startswith(title)
    assert f"Early is {EARLY}, late net value" in said
    assert f"correlate by {number(exam.naive, 2)}; they would by 0.60 if no scheme did anything" in said
    assert "credible interval" in said


def test_an_early_effect_that_makes_a_late_gain_sure_is_said_only_of_an_accepted_one(exam):
    assert exam.verdict == "accepted"
    at = number(exam.surely_above, 2, signed=True)
    assert f"From a true early effect of {at} on, the late one is above 0" in sj.say(exam)
    for other in (replace(exam, verdict="undecided"), replace(exam, surely_above=float("nan"))):
        assert "From a true early effect" not in sj.say(other)


def test_an_exam_that_cannot_be_judged_says_why():
    exam = sj.proxy_exam(make_portfolio(12), "net_value", rng=np.random.default_rng(0))
    assert "cannot be judged. There are 12 trials; the exam needs 20 or more." in sj.say(exam)
    assert describe_proxy(exam)["subtitle"].endswith("There are 12 trials; the exam needs 20 or more.")
    shares = replace(exam, kind="binary", words="are still with us")
    assert "how many are still with us" in sj.say(shares)
