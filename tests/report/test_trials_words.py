"""What trials say and draw: the words follow the numbers, the pictures draw what the tables hold."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.results.trials import Audit, Trial, TrialResult
from sojourn.report.trials import describe_lifts, lift_in_words, plain

BELIEF = sj.LiftPrior.from_belief(low=-0.03, high=0.05, mass=0.9)
RATES = ErrorRateCard(
    table=pd.DataFrame(
        {
            "looks": [1, 4, 20],
            "wrong_rate": [0.02, 0.05, 0.12],
            "wrong_rate_low": [0.015, 0.044, 0.11],
            "wrong_rate_high": [0.025, 0.058, 0.13],
            "worst": ["all_null"] * 3,
            "all_null_rate": [0.02, 0.05, 0.12],
            "one_good_rate": [0.01, 0.02, 0.03],
            "others_bad_rate": [0.01, 0.02, 0.03],
            "unvetoed_rate": [0.85, 0.9, 0.95],
            "found_rate": [0.8, 0.85, 0.9],
            "found_rate_low": [0.79, 0.84, 0.89],
            "found_rate_high": [0.81, 0.86, 0.91],
        }
    ),
    worlds=4000,
    metric="net_value",
    schemes=2,
    n=3000,
    planned_looks=4,
    worthwhile=2.0,
    harm=10.0,
    guarded=True,
)


def make_result(kind="binary", lifts=(0.021, -0.004), strata=2) -> TrialResult:
    scale = 1 if kind == "binary" else 100
    centre = np.array([0.3, 0.3 + lifts[0], 0.3 + lifts[1]]) * scale
    draws = centre + 0.004 * scale * np.random.default_rng(1).standard_normal((4000, 3))
    lift = np.r_[np.nan, np.array(lifts) * scale]
    table = pd.DataFrame(
        {
            "scheme": ["none", "welcome_coupon", "points"],
            "n": [1000, 1000, 1000],
            "mean": centre,
            "mean_low": centre - 0.01 * scale,
            "mean_high": centre + 0.01 * scale,
            "lift": lift,
            "lift_low": lift - 0.012 * scale,
            "lift_high": lift + 0.012 * scale,
            "p_beats_control": [np.nan, 0.99, 0.2],
            "p_best": [0.01, 0.98, 0.01],
            "expected_loss": [0.02 * scale, 0.0001 * scale, 0.03 * scale],
            "raw_mean": centre,
            "raw_lift": lift * 1.1,
            "raw_lift_low": lift * 1.1 - 0.014 * scale,
            "raw_lift_high": lift * 1.1 + 0.014 * scale,
        }
    )
    grid = [(s, str(j)) for s in table["scheme"][1:] for j in range(strata)]
    own = pd.DataFrame(grid, columns=["scheme", "stratum"]).assign(
        n=1000, raw_lift=0.03 * scale, raw_lift_se=0.01
    )
    return TrialResult(
        outcome="kept_at_90" if kind == "binary" else "net_value",
        kind=kind,
        control="none",
        words="are still with us after 90 days" if kind == "binary" else "net value per member",
        currency="" if kind == "binary" else "EUR",
        horizon_days=90,
        prior=BELIEF,
        prior_link=(0.01, 0.02),
        mass=0.95,
        table=table,
        strata=own.assign(
            lift=0.02 * scale, lift_low=0.01 * scale, lift_high=0.03 * scale, p_wrong_sign=0.01
        ),
        shrunk=0.6 if strata > 1 else float("nan"),
        p_fit=0.5,
        draws=draws,
    )


def make_plan(**changes):
    default = {
        "metric": "kept_at_90", "guard": "kept_at_90", "horizon_days": 90, "rope": 0.0, "threshold": 0.95,
        "tolerable_loss": 0.01, "guard_margin": 0.01, "guard_risk": 0.05, "looks": 4, "worthwhile": 0.02,
        "belief": BELIEF, "belief_value": BELIEF,
    }  # fmt: skip
    return sj.TrialPlan(**{**default, **changes})


def make_trial(**meta) -> Trial:
    cells = pd.DataFrame(
        [
            ("kept_at_90", s, "a", "all", 1000, k)
            for s, k in (("none", 300), ("points", 296), ("welcome_coupon", 321))
        ],
        columns=["outcome", "scheme", "stratum", "period", "n", "k"],
    )
    split = pd.DataFrame(
        [(s, "all", 1000, 1000) for s in cells["scheme"]], columns=["scheme", "period", "assigned", "matured"]
    )
    schemes = ("none", "points", "welcome_coupon")
    value = pd.DataFrame(
        columns=["outcome", "scheme", "stratum", "period", "n", "total", "total_sq", "total_cube"]
    )
    about = {"horizon_days": 90, "unit": "member", **meta}
    return Trial(
        "shop", "main", "none", schemes, ("a",), cells, value, split, dict.fromkeys(schemes, 1 / 3), 20, about
    )


def decided(result, **changes):
    plan = make_plan(metric=result.outcome, guard=result.outcome, **changes)
    return sj.decide(result, plan)


def test_a_lift_has_its_direction_its_unit_and_its_interval():
    said = lift_in_words(make_result(), "welcome_coupon")
    assert said == (
        "under welcome coupon, 2.1 more members in 100 are still with us after 90 days than under no scheme "
        "(95 % credible interval 0.9 to 3.3 more)"
    )
    assert "0.4 fewer members in 100" in lift_in_words(make_result(), "points")
    assert "adds 2.10 EUR to net value per member" in lift_in_words(make_result("value"), "welcome_coupon")
    assert "takes 0.40 EUR from net value" in lift_in_words(make_result("value"), "points")


@pytest.mark.parametrize(
    ("lifts", "verdict", "opens"),
    [
        ((0.021, -0.004), "ship", "Under welcome coupon, 2.1 more"),
        ((-0.005, -0.03), "stop", "No scheme is worth it; of the best one: under welcome coupon, 0.5 fewer"),
        (
            (-0.02, -0.03),
            "stop for harm",
            "Stop, every scheme does harm; of the least harmful one: under welcome",
        ),
        ((0.003, -0.03), "wait", "Not decided yet: under welcome coupon"),
    ],
)
def test_the_headline_follows_the_verdict(lifts, verdict, opens):
    rope = 0.005 if verdict == "stop" else 0.0
    headline = sj.headline_trials(decided(make_result(lifts=lifts), rope=rope))
    assert headline.verdict == verdict
    assert headline.sentence.startswith(opens)
    assert headline.sentence.endswith(").")
    assert headline.interval is not None
    assert headline.interval.value == pytest.approx(100 * lifts[0])
    assert headline.unit == "members in 100"


def test_a_blocked_headline_says_so_and_which_check():
    check = sj.Check("Members divided as planned", "fail", "p = 0.0001.", "")
    decision = sj.decide(make_result(), make_plan(), checks=[check])
    headline = sj.headline_trials(decision)
    assert (headline.status, headline.verdict) == ("blocked", "blocked")
    assert headline.sentence.startswith("No recommendation, because a check failed")
    assert "Members divided as planned" in headline.detail
    assert sj.next_steps_trials(decision, RATES)[0].what.startswith("Find the cause")


def test_key_figures_show_counts_to_a_hundredth_of_a_percent():
    result = make_result()
    strip = sj.key_figures_trials(make_trial(), result, decided(result), RATES)
    assert strip[0].value == "+2.1 in 100"
    assert "32.10 % against 30.00 % under no scheme" in strip[0].interval
    assert strip[1].value == "more than 99 in 100"
    assert (strip[2].value, "4 looks" in strip[2].interval) == ("5.0 %", True)


def test_a_value_that_decides_stands_before_the_guard():
    strip = sj.key_figures_trials(make_trial(), make_result(), decided(make_result("value")), RATES)
    assert [figure.value for figure in strip[:2]] == ["+2.10 EUR", "+2.1 in 100"]


@pytest.mark.parametrize("verdict", ["ship", "wait", "stop"])
def test_every_verdict_has_steps_with_their_evidence(verdict):
    lifts = {"ship": (0.021, -0.004), "wait": (0.003, -0.03), "stop": (-0.02, -0.03)}[verdict]
    steps = sj.next_steps_trials(decided(make_result(lifts=lifts)), RATES)
    assert len(steps) == (3 if verdict == "wait" else 2)  # the poor scheme is not to be given
    assert all(step.effect and step.cost and step.evidence for step in steps)


def test_everything_says_something_without_forbidden_words():
    result = make_result()
    audit = Audit("kept_at_90", "NUTS", 1.001, 3000.0, 0, 0.02, 0.004, pd.DataFrame())
    trial = make_trial(historic=True)
    said = [sj.say(thing) for thing in (result, decided(result), RATES, audit, trial, sj.check_split(trial))]
    for text in said:
        assert re.match(r"[A-Z]", text), text
        assert not re.search(r"signific|causes|nan|None", text), text
    assert "chosen afterwards" in said[4]
    assert (
        "Welcome coupon does +2.0 to +2.0 members in 100 over the strata, its sign sure in 2 of 2" in said[0]
    )


def test_an_audit_that_did_not_converge_has_a_sentence_instead_of_a_table():
    bad = Audit("kept_at_90", "NUTS", 1.2, 50.0, 3, 0.5, 0.2, pd.DataFrame())
    assert "did not converge" in sj.say(bad)
    assert sj.audit_table(bad, make_result()).kind == "note"


def test_truth_stands_beside_the_estimate_where_it_is_known():
    schemes = [
        {"scheme": s, "lift": x, "net_gain": 0.0}
        for s, x in (("none", 0.0), ("welcome_coupon", 0.02), ("points", 0.05))
    ]
    trial = make_trial(truth={"main": {"horizon_days": 90, "schemes": schemes}})
    block = sj.truth_table(trial, [make_result(), make_result()])
    assert block.kind == "table"
    assert block.data["title"] == "1 of 2 intervals hold the truth"
    assert sj.truth_table(make_trial(), [make_result()]).kind == "missing"


def test_tables_have_no_member_and_keep_their_bounds_together():
    for result in (make_result(), make_result("value")):
        block = sj.schemes_table(result)
        names = [name for name, _ in block.data["table"]["columns"]]
        assert "member" not in names
        for name in names:
            if name.endswith(("_low", "_high")):
                assert name.rsplit("_", 1)[0] in names
    counted = sj.rates_table(make_trial()).data
    shares = [row[3] for row in counted["table"]["rows"]]
    assert shares == [0.3, 0.296, 0.321]


def test_names_are_read_as_words():
    assert (plain("none"), plain("welcome_coupon")) == ("no scheme", "welcome coupon")


@pytest.mark.parametrize(
    ("kind", "lift", "ends"),
    [
        ("binary", -0.008, "(95 % credible interval 2.0 fewer to 0.4 more)"),
        ("binary", -0.02, "(95 % credible interval 0.8 to 3.2 fewer)"),
        ("value", -0.02, "(95 % credible interval 0.80 to 3.20 taken)"),
        ("value", 0.005, "(95 % credible interval 1.70 added to 0.70 taken)"),
    ],
)
def test_an_interval_has_no_double_negative(kind, lift, ends):
    said = lift_in_words(make_result(kind, (lift, 0.0)), "welcome_coupon")
    assert "\N{MINUS SIGN}" not in said
    assert said.endswith(ends)


def test_stopping_avoids_a_loss_with_its_sign():
    step = sj.next_steps_trials(decided(make_result(lifts=(-0.02, -0.03))), RATES)[0]
    assert step.what == "Stop giving any scheme now."
    assert step.effect == "Avoids losing 2.0 members in 100 (95 % credible interval 0.8 to 3.2)."


def test_a_poor_scheme_is_named_with_its_loss():
    result = make_result("value", (0.0345, -0.0477))
    assert describe_lifts(result)["title"] == (
        "Welcome coupon: 3.45 EUR more per member; points: 4.77 EUR less per member, compared with no scheme."
    )
    steps = sj.next_steps_trials(decided(result), RATES)
    assert "Do not give points." in [step.what for step in steps]
    shown = sj.schemes_table(result, decided(result)).data["table"]
    assert "verdict" in [name for name, _ in shown["columns"]]


def test_warnings_reach_the_answer():
    uneven = sj.Check("Members divided as planned", "warn", "p = 0.0087.", "")
    after = sj.Check("Rule written before the data", "warn", "", "")
    decision = sj.decide(make_result(), make_plan(), checks=[uneven, after], historic=True)
    headline = sj.headline_trials(decision, [uneven, after])
    assert headline.verdict == "ship (exercise)"
    assert "Warnings: members were divided unevenly; the rule was not frozen beforehand" in headline.detail
    assert sj.next_steps_trials(decision, RATES, [uneven])[0].what.startswith("Find out why")


def test_a_doubt_is_told_as_one():
    """Names of checks state what is well; a warning turns them round."""
    unlike = sj.Check("Schemes alike before assignment (paid before)", "warn", "", "")
    headline = sj.headline_trials(decided(make_result()), [unlike])
    assert "Warnings: in doubt: schemes alike before assignment (paid before)." in headline.detail


def test_a_plan_that_was_changed_stands_above_the_answer():
    changed = sj.Check("Rule written before the data", "fail", "1 setting of plan abc changed: rope.", "")
    decision = sj.decide(make_result(), make_plan(), checks=[changed])
    headline = sj.headline_trials(decision, [changed])
    assert headline.banner == "1 setting of plan abc changed: rope."
    assert headline.banner not in headline.detail  # once is enough
    assert sj.answer(headline).data["banner"] == headline.banner
    assert sj.answer(headline).text.startswith(headline.banner)
    assert "banner" not in sj.answer(sj.headline_trials(decided(make_result()), [])).data


def test_power_is_stated_with_and_without_vetoes():
    said = sj.say(RATES)
    assert "leaves the guard as it is ships in 85.0 % (90.0 % if nothing could veto)" in said
    assert "wrong in 5.0 % at worst (no scheme does anything" in said


def test_one_stratum_is_a_sentence_and_no_picture():
    shown = sj.show(make_result(strata=1), name="strata", view="strata")
    assert shown.kind == "missing"
    assert "nothing to compare" in shown.text
    assert sj.show(make_result(), name="strata", view="strata").kind == "picture"


def test_a_trial_of_members_who_had_left_speaks_of_coming_back():
    assert "3,000 members who had left were assigned" in sj.say(make_trial(aim="back"))
    assert "3,000 members were assigned" in sj.say(make_trial(aim="kept"))
    words = "are back with us 90 days after assignment"
    result = replace(make_result(), outcome="back_at_90", words=words)
    decision = decided(result)
    assert "2.1 more members in 100 are back with us" in sj.headline_trials(decision).sentence
    steps = sj.next_steps_trials(decision, RATES, wins_back=True)
    assert steps[0].what.startswith("Give welcome coupon to everyone who left, and keep no scheme for")
    assert steps[-1].effect == "Shows whether those who came back stay."
    schemes = [{"scheme": s, "lift": 0.02} for s in ("none", "welcome_coupon", "points")]
    known = make_trial(aim="back", truth={"main": {"horizon_days": 90, "schemes": schemes}})
    assert sj.truth_table(known, [result]).data["table"]["rows"][0][0] == words
