"""Sentences, tables and pictures of rules, designs and another look say what the results hold."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_rule import AnotherLook, RuleCalibration
from sojourn.report.trial_design import allocation_frame, design_frame, looks_frame
from sojourn.report.trial_rule import DIVIDED, DOING, calibration_frame
from sojourn.studies.trials.rule_nulls import DIVIDED as DIVIDED_KEYS
from sojourn.studies.trials.rule_nulls import DOING as DOING_KEYS

MONEY = sj.LiftPrior.from_belief(low=-4, high=4, mass=0.9)
SHARE = sj.LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)


def make_plan(**changes):
    default = {
        "metric": "net_value", "guard": "net_value", "horizon_days": 90, "rope": 0.0, "threshold": 0.95,
        "tolerable_loss": 9.0, "guard_margin": 0.01, "guard_risk": 0.05, "looks": 4, "worthwhile": 1.0,
        "belief": SHARE, "belief_value": MONEY,
    }  # fmt: skip
    return sj.TrialPlan(**{**default, **changes})


TRAFFIC = sj.Traffic(
    per_day=300,
    days=20,
    base=12.0,
    sd=20.0,
    schemes=("none", "coupon"),
    currency="EUR",
    cost_per_member=(0.2, 3.0),
)


@pytest.fixture(scope="module")
def rule():
    return sj.calibrate_rule(make_plan(), TRAFFIC, rng=np.random.default_rng(1), worlds=1000)


@pytest.fixture(scope="module")
def design():
    return sj.design_trial(make_plan(), traffic=TRAFFIC, rng=np.random.default_rng(1), worlds=400)


@pytest.fixture(scope="module")
def rates():
    return sj.error_rates(make_plan(), TRAFFIC, rng=np.random.default_rng(1), worlds=400)


def make_look(**changes):
    table = pd.DataFrame(
        {
            "members": [1000, 2000], "gain_per_member": [0.01, 0.02], "p_other_choice": [0.1, 0.2],
            "p_ship": [0.3, 0.4], "gain": [990.0, 1960.0], "price": [500.0, 1000.0],
            "net_gain": [490.0, 960.0], "rule_net_gain": [-10.0, 20.0],
        }
    )  # fmt: skip
    default = {
        "table": table, "joining": 2000, "audience": 100_000.0, "now": "coupon", "worth_now": 0.5,
        "by_rule": "none", "worth_by_rule": 0.0, "outcome": "net_value", "words": "net value per member",
        "kind": "value", "currency": "EUR",
    }  # fmt: skip
    return AnotherLook(**{**default, **changes})


def test_every_world_of_the_grid_has_words():
    assert set(DOING) == set(DOING_KEYS)
    assert set(DIVIDED) == set(DIVIDED_KEYS)


def test_the_threshold_is_said_with_its_worst_world_and_what_was_planned(rule):
    said = sj.say(rule)
    assert f"a threshold of {rule.threshold:.4f} keeps wrong ships to 5 % of trials" in said
    assert "kinds of trials (no scheme does anything, a spread of" in said
    assert "The plan's 0.95 gives" in said
    kept = RuleCalibration(**{**{f: getattr(rule, f) for f in RuleCalibration.__slots__},
                              "kept_by": ("the tolerable loss",)})  # fmt: skip
    assert "but the tolerable loss already keeps them to" in sj.say(kept)


def test_a_rule_without_a_threshold_says_why(rule):
    why = "No threshold up to 0.9999 keeps wrong ships to 5.0% of trials."
    none = RuleCalibration(**{**{f: getattr(rule, f) for f in RuleCalibration.__slots__},
                              "threshold": math.nan, "why_empty": why})  # fmt: skip
    assert sj.say(none) == why
    assert calibration_frame(none).empty
    with pytest.raises(UndefinedError, match="nothing to draw"):
        sj.plot_calibration(none)
    assert why in repr(none)


def test_the_card_says_errors_finds_and_what_estimates_are_worth(rates):
    said = sj.say(rates)
    row = rates.at(4)
    assert f"it is wrong in {100 * row['wrong_rate']:.1f} % at worst" in said
    assert re.search(r"its estimate is \d\.\d\d times the truth on average", said)
    assert "the rule would give up" in said


def test_guardrails_that_are_not_simulated_are_told_with_what_they_can_do(rates):
    assert "guardrail" not in sj.say(rates)
    said = sj.say(replace(rates, further=("opted_out",)))
    assert "1 further guardrail (opted out) can only veto as well and is not simulated" in said
    assert "cannot make this worst case worse, but schemes worth having may ship less often" in said
    planned = sj.error_rates(
        make_plan(guardrails={"opted_out": 0.03, "net_value": 0.1}),
        TRAFFIC,
        rng=np.random.default_rng(1),
        worlds=100,
    )
    assert planned.further == ("opted_out",)


def test_the_design_says_what_it_would_tell_and_what_is_cheapest(design):
    said = sj.say(design)
    assert said.startswith("6,000 members in 20 days of assignment would ship something in")
    assert "With 4 looks the trial would be over after" in said
    assert "follow-up of 90 days included" in said
    assert re.search(r"With \d\d % under no scheme the same precision would cost \d\d % less", said)
    assert "of what there is" in said


def test_the_shortest_trial_is_said_before_and_after_the_planned_one(design):
    fields = {f: getattr(design, f) for f in type(design).__slots__}
    assert "10 days would be enough to find 80 %" in sj.say(type(design)(**{**fields, "days": 10}))
    assert "To find 80 % of what there is, 60 days are needed." in sj.say(
        type(design)(**{**fields, "days": 60})
    )


def test_another_look_is_said_for_and_against():
    said = sj.say(make_look())
    assert said.startswith(
        "Waiting for 2,000 more members is worth it: for 100,000 members it would gain 1,960 EUR"
    )
    assert "The best guess now is coupon; that changes in 20 in 100" in said
    assert said.endswith("By the rule, which ships nothing today, waiting gains 20 EUR.")
    against = sj.say(make_look(joining=1000, by_rule="coupon", worth_by_rule=0.5))
    assert against.endswith("By the rule, which ships coupon today, waiting loses 10 EUR.")
    people = make_look(kind="binary", words="are still with us after 90 days")
    assert "would gain 1,960 members who are still with us after 90 days" in sj.say(people)
    assert {"gained_members", "net_members"} <= set(looks_frame(people).columns)


def test_tables_have_a_row_per_world_per_length_per_scheme_and_per_look(rule, design, rates):
    assert len(calibration_frame(rule)) == len(rule.table)
    assert list(design_frame(design)["assignment_days"]) == list(design.table["days"])
    assert list(allocation_frame(design)["scheme"]) == ["no scheme", "coupon"]
    assert len(looks_frame(make_look())) == 2
    assert "members come" in str(sj.show(rates, name="grid", view="grid")).lower()


@pytest.mark.parametrize("view", ["", "table", "allocation"])
def test_designs_are_shown(design, view):
    assert sj.show(design, name=f"design{'-' * bool(view)}{view}", view=view) is not None


def test_pictures_draw_what_the_results_hold(rule, design):
    lines = [line.get_ydata() for line in sj.plot_calibration(rule).lines]
    for name in ("found_rate", "wrong_rate"):
        assert any(np.array_equal(y, 100 * rule.curve[name]) for y in lines)
    ax = sj.plot_design(design)
    drawn = [line.get_ydata() for line in ax.lines]
    for name in ("assurance_rate", "found_rate"):
        assert any(np.array_equal(y, 100 * design.table[name]) for y in drawn)
    assert {"ships, as believed", "planned: 20 days"} <= {text.get_text() for text in ax.texts}
    heights = sorted(text.xy[1] for text in ax.texts if not text.get_text().startswith("planned"))
    assert (np.diff(heights) >= 6.99).all()  # names do not touch


def test_an_empty_result_is_one_sentence(design):
    fields = {f: getattr(design, f) for f in type(design).__slots__}
    empty = type(design)(**{**fields, "why_empty": "No traffic is known."})
    assert sj.say(empty) == "No traffic is known."
    assert design_frame(empty).empty
    with pytest.raises(UndefinedError):
        sj.plot_design(empty)
    assert looks_frame(make_look(why_empty="No audience is known.")).empty
