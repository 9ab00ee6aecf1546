"""What retention results say: numbers that stand in them, words that fit the case, nothing undefined."""

import doctest
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.retention import CohortTriangle
from sojourn.core.results.retention_drivers import Drivers
from sojourn.core.results.retention_states import Reasons
from sojourn.report import retention_words
from sojourn.report.retention import apart, pace
from sojourn.report.retention_figures import describe_triangle

PROJECT = Path(__file__).parents[2]
HORIZONS = [30, 90, 180]


def cells_of(exits, churned, plan=None, **meta):
    """Cells of members seen from joining; the censored are followed to their exit, all others to the end."""
    exits, churned = np.asarray(exits), np.asarray(churned, dtype=bool)
    groups = {"all": np.full(len(exits), "all")}
    if plan is not None:
        groups["plan"] = np.asarray(plan)
    tables = []
    for by, group in groups.items():
        for name in np.unique(group):
            mine = group == name
            days = np.arange(exits.max() + 1)
            counts = {
                "entered": np.where(days == 0, mine.sum(), 0),
                "churned": np.bincount(exits[mine & churned], minlength=len(days)),
                "censored": np.bincount(exits[mine & ~churned], minlength=len(days)),
                "potential": np.bincount(np.where(churned, exits.max(), exits)[mine], minlength=len(days)),
            }
            tables.append(pd.DataFrame({"by": by, "group": name, "late": 0, "day": days, **counts}))
    described = {"unit": "day", "leaving": "cancellation", "lapse": None, "as_of": "2025-07-01T00:00:00Z"}
    described |= {"members": len(exits), "left_out": {}, "late": 0, **meta}
    return Cells("test", "retention", {"risk": pd.concat(tables, ignore_index=True)}, described)


@pytest.fixture(scope="module")
def steady():
    """1,000 members; one in 200 of them leaves each day, all followed for 190 days."""
    life = np.repeat(np.arange(1, 201), 5)
    return cells_of(np.minimum(life, 190), life <= 190)


@pytest.fixture(scope="module")
def plans():
    life = np.concatenate([np.tile(np.arange(1, 201), 3), np.tile(np.arange(1, 401), 1)])
    plan = ["monthly"] * 600 + ["annual"] * 400
    return cells_of(np.minimum(life, 190), life <= 190, plan)


def headline(cells, horizon=90, checks=()):
    return sj.headline_retention(sj.retention_curve(cells), checks, horizon=horizon, horizons=HORIZONS)


def test_the_headline_counts_members_in_100_with_its_interval(steady):
    said = headline(steady)
    assert said.sentence == (
        "Of 100 new members, 55.0 (95 % confidence interval 51.9 to 58.0) are still with us after 90 days."
    )
    assert said.status == "ok"
    assert said.interval.value == pytest.approx(55)
    assert said.unit == "members in 100"


def test_the_headline_of_silence_says_what_active_means(steady):
    silent = Cells("test", "retention", steady.tables, {**steady.meta, "leaving": "silence", "lapse": 60})
    said = headline(silent)
    assert "are still active after 90 days" in said.sentence
    assert "silence of more than 60 days" in said.detail


def test_months_are_months(steady):
    months = Cells("test", "retention", steady.tables, {**steady.meta, "unit": "month"})
    assert "after 90 months" in headline(months).sentence


def test_a_horizon_nobody_reached_is_not_possible(steady):
    said = headline(steady, horizon=365)
    assert said.status == "not possible"
    assert said.interval is None
    assert "at most 190 days" in said.sentence


def test_a_failed_check_blocks_the_answer(steady):
    said = headline(steady, checks=[Check("Everybody counts", "fail", "", "")])
    assert said.status == "blocked"
    assert said.verdict == "cannot be relied on"
    assert "everybody counts" in said.detail


def test_no_interval_is_stated_where_none_is_claimed():
    few = cells_of([5] * 4 + [200] * 96, [True] * 4 + [False] * 96)
    said = headline(few)
    assert said.interval is None
    assert "too few have left for an interval" in said.sentence
    assert "nan" not in said.sentence


def test_nobody_seen_to_leave_is_nearly_all_and_no_number():
    said = headline(cells_of([200] * 100, [False] * 100))
    assert said.interval is None
    assert "nearly all (too few have left for a number) are" in said.sentence
    assert "100.0" not in said.sentence


@pytest.mark.parametrize(
    ("life", "verdict"),
    [
        (np.full(1_000, 10), "most leave within 30 days"),
        (np.random.default_rng(1).exponential(100, 1_000), "losses are steady"),
        (np.random.default_rng(1).weibull(0.5, 1_000) * 200, "losses slow after 90 days"),
        (np.random.default_rng(1).weibull(3.0, 1_000) * 150, "losses speed up"),
        (np.concatenate([np.full(300, 50), np.full(700, 999)]), "most stay"),
    ],
)
def test_the_verdict_follows_its_rule(life, verdict):
    days = np.ceil(life).astype(int)
    keep = days.copy()
    if verdict.startswith("most leave"):
        days = np.append(days, np.full(30, 999))  # somebody is there to be followed
        keep = days
    assert headline(cells_of(np.minimum(keep, 190), keep <= 190)).verdict == verdict


def test_key_figures(plans):
    figures = sj.key_figures_retention(sj.retention_curve(plans), horizons=HORIZONS, until=180)
    assert [figure.label for figure in figures] == [
        "Members",
        "Still with us after 30 days",
        "Still with us after 90 days",
        "Still with us after 180 days",
        "Mean time with us within the first 180 days",
    ]
    assert figures[0].value == "1,000"
    assert figures[1].trend[0] == 1.0
    assert all(len(figure.trend) <= 60 for figure in figures)
    short = sj.key_figures_retention(sj.retention_curve(plans), horizons=[30, 400], until=400)
    assert len(short) == 2  # nothing beyond follow-up


def test_readings_leave_out_intervals_that_are_not_claimed():
    curve = sj.retention_curve(cells_of([5] * 4 + [60] * 30 + [200] * 66, [True] * 34 + [False] * 66))
    table = sj.readings_table(curve, [30, 90]).set_index("days_since_joining")
    assert "group" not in table  # there is only one
    assert np.isnan(table.loc[30, "retained_low"])
    assert np.isfinite(table.loc[90, "retained_low"])


def test_the_truth_stands_beside_the_estimate(steady):
    rows = [{"group": "all", "level": "all", "day": day, "survival": 0.85} for day in (30, 90)]
    curve = sj.retention_curve(
        Cells("t", "retention", steady.tables, {**steady.meta, "truth": {"retention": {"survival": rows}}})
    )
    assert sj.readings_table(curve, [30, 90])["true_retained"].tolist() == [0.85, 0.85]
    assert "inside 1 of 2 intervals" in sj.describe_readings(curve, [30, 90])["note"]
    assert "Circles: the truth" in sj.describe_retention(curve, horizon=90)["subtitle"]


def test_the_picture_is_titled_with_its_finding(plans):
    words = sj.describe_retention(sj.retention_curve(plans, by="plan"), horizon=90)
    assert words["title"] == (
        "77.5 % (73.1 to 81.3) of annual members are still with us after 90 days, "
        "55.0 % (50.9 to 58.9) of monthly members"
    )
    assert "95 % confidence interval" in words["subtitle"]
    assert "by plan" in words["subtitle"]
    assert "monthly members 55.0 % after 90 days and 5.0 % after 190 days" in words["alt"]


def test_half_lives_are_said_only_where_they_are_known(plans):
    curve = sj.retention_curve(plans, by="plan")
    said = sj.say(curve)
    assert "Half of monthly members left within 100 days (95 % confidence interval" in said
    assert "After 190 days, the longest follow-up, 52.5 % of annual members are still with us." in said


def test_half_gone_at_once_is_said_in_words():
    assert "left at once" in sj.say(
        sj.retention_curve(cells_of([0] * 60 + [50] * 40, [True] * 60 + [False] * 40))
    )


def test_contrasts_are_said_with_their_interval_and_without_cause(plans):
    curve = sj.retention_curve(plans, by="plan")
    said = sj.say(sj.contrasts(curve, until=180))
    assert said.startswith("Within 180 days, compared with monthly members: annual members stay ")
    assert "it need not be due to it" in said
    one = sj.say(sj.contrast(curve, "monthly", "annual", until=180))
    assert "less long than annual" in one
    assert "−" not in one  # turned round, not negative
    words = sj.describe_contrasts(sj.contrasts(curve, until=180), sj.logrank(plans, by="plan"))
    assert "Bonferroni" in words["note"]
    assert "less than 1 in 1,000" in words["note"]
    table = sj.contrasts_table(sj.contrasts(curve, until=180))
    assert {"mean_days", "mean_days_low", "difference_days", "difference_days_high"} <= set(table.columns)
    assert table["group"].tolist() == ["monthly", "annual"]
    mean = curve.mean(180, "monthly")
    assert table.iloc[0][["mean_days", "mean_days_low", "mean_days_high"]].tolist() == [
        mean.value,
        mean.low,
        mean.high,
    ]
    assert table.iloc[0][["difference_days", "difference_days_low", "p_value"]].isna().all()
    assert re.fullmatch(
        r"Annual members stay [\d.]+ \([\d.]+ to [\d.]+\) of 180 days longer than monthly members",
        words["title"],
    )


def test_no_clear_difference_is_said_as_such(steady):
    same = cells_of(np.tile(np.arange(1, 191), 2), [True] * 380, ["a"] * 190 + ["b"] * 190)
    contrasts = sj.contrasts(sj.retention_curve(same, by="plan"), until=120)
    assert "no group stays clearly longer or less long" in sj.say(contrasts)
    words = sj.describe_contrasts(contrasts, sj.logrank(same, by="plan"))
    assert "No group stands clearly apart" in words["title"]
    assert "left alike, curves at least as far apart as these would come up with a prob" in words["note"]


def test_groups_that_cannot_be_told_apart_are_not_ranked():
    """Of 100 each, 60 and 55 are left at day 90."""
    life = np.r_[np.repeat(50, 40), np.repeat(500, 60), np.repeat(50, 45), np.repeat(500, 55)]
    curve = sj.retention_curve(
        cells_of(np.minimum(life, 190), life < 190, ["a"] * 100 + ["b"] * 100), by="plan"
    )
    assert sj.describe_retention(curve, horizon=90)["title"] == (
        "Between 55.0 % and 60.0 % of every plan are still with us after 90 days: no plan clearly apart"
    )
    only = sj.describe_retention(curve.only(["a"]), horizon=90)["title"]
    assert re.fullmatch(r"60\.0 % \([\d.]+ to [\d.]+\) of a members are still with us after 90 days", only)
    early = sj.describe_retention(curve, horizon=30)["title"]  # nobody has left yet: nothing is claimed
    assert early.startswith("Between 100.0 % and 100.0 % of every plan")


def shares(*rows):
    columns = ["retained", "retained_low", "retained_high", "claimed"]
    return pd.DataFrame(rows, columns=columns, index=list("abcd")[: len(rows)])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(0.6, 0.5, 0.7, True), (0.3, 0.2, 0.4, True)], "ab"),
        ([(0.6, 0.5, 0.7, True), (0.4, 0.2, 0.5, True)], ""),  # they touch
        ([(0.6, 0.5, 0.7, False), (0.3, 0.2, 0.4, True)], ""),
        # the ends are known too roughly, but two between them are apart
        ([(0.9, 0.1, 1.0, True), (0.6, 0.5, 0.7, True), (0.4, 0.3, 0.45, True), (0.1, 0.0, 0.9, True)], "bc"),
        ([(0.6, 0.5, 0.7, True), (0.3, 0.2, 0.4, True), (0.59, 0.58, 0.6, True)], "ab"),
        ([(0.6, 0.5, 0.7, True)], ""),
    ],
)
def test_groups_are_apart_when_their_intervals_are(rows, found):
    assert "".join(row.name for row in apart(shares(*rows)) or ()) == found


def test_months_of_joining_are_ranked_only_where_they_are_apart():
    def say(*kept):
        rows = [
            {"cohort": f"2025-0{i}", "members": 100, "duration": 30, "kept": k, "retained": k / 100}
            for i, k in enumerate(kept, 1)
        ]
        low_high = {
            "retained_low": [k / 100 - 0.1 for k in kept],
            "retained_high": [k / 100 + 0.1 for k in kept],
        }
        triangle = CohortTriangle("day", 30, 0.95, pd.DataFrame(rows).assign(**low_high))
        return sj.say(triangle), describe_triangle(triangle)["title"]

    near, title = say(70, 60)
    assert near == f"{title}."
    between = "Between 60.0 % and 70.0 % of every cohort were still with us after 30 days"
    assert title == f"{between}: no cohort clearly apart"
    assert say(75, 50)[1] == (
        "After 30 days 75.0 % (65.0 to 85.0) of the 2025-01 cohort were still with us, "
        "50.0 % (40.0 to 60.0) of the 2025-02 cohort"
    )
    assert say(75)[1] == "After 30 days 75.0 % (65.0 to 85.0) of the 2025-01 cohort were still with us"


def test_next_steps_say_effect_cost_and_evidence(plans):
    curve, by_plan = sj.retention_curve(plans), sj.retention_curve(plans, by="plan")
    checks = sj.check_retention(plans, curve, horizon=90)
    rate, contrasts = sj.loss_rate(plans), sj.contrasts(by_plan, until=180)
    steps = sj.next_steps_retention(curve, rate, contrasts, checks, horizon=90)
    assert 2 <= len(steps) <= 3
    assert steps[1].what == "Ask why monthly members stay less long than annual members."
    assert steps[1].evidence.startswith("observational")
    assert all(step.what.endswith(".") and step.effect and step.cost and step.evidence for step in steps)


def test_halving_the_losses_of_a_period_is_the_arithmetic_on_the_curve(steady):
    """Of 1,000 members five leave a day, so the share of those still there who leave rises to day 90."""
    curve, rate = sj.retention_curve(steady), sj.loss_rate(steady, width=30)
    step = sj.next_steps_retention(curve, rate, sj.contrasts(curve, until=90), [], horizon=90)[0]
    # The interval of days 30 to 60 overlaps that of 60 to 90, that of 0 to 30 does not.
    # S(30) = .85, S(90) = .55: half of the 30 in 100 lost are kept, and none is lost later
    assert step.effect.startswith(
        "if that worked, halving the losses from day 30 to 90 would keep 15.0 more "
    )


def test_halving_losses_of_which_nobody_is_left(steady):
    """Half of all are kept to the end of the curve, which is the end of the losses."""
    curve = sj.retention_curve(steady)
    table = curve.table.assign(retained=np.where(curve.table["duration"] >= 90, 0.0, 0.8))
    gone = replace(curve, table=table)
    step = sj.next_steps_retention(
        gone, sj.loss_rate(steady, width=30), sj.contrasts(curve, until=90), [], horizon=90
    )
    assert "would keep 40.0 more" in step[0].effect


def drivers_of(**levels):
    """Drivers with one row per level: value, low and high of its difference in shares."""
    rows = [
        {
            "column": "channel",
            "level": level,
            "against": "search",
            "difference_points": value,
            "difference_points_low": low,
            "difference_points_high": high,
        }
        for level, (value, low, high) in levels.items()
    ]
    return Drivers("t", "day", 90, 0.95, 1_000, 500, pd.DataFrame(rows), None)


def test_members_alike_in_all_else_are_asked_before_groups_that_are_not(plans):
    curve, by_plan = sj.retention_curve(plans), sj.retention_curve(plans, by="plan")
    rate, contrasts = sj.loss_rate(plans), sj.contrasts(by_plan, until=180)

    def second(found):
        return sj.next_steps_retention(curve, rate, contrasts, [], horizon=90, drivers=found)[1]

    worse = second(drivers_of(social=(0.02, -0.01, 0.05), advertising=(-0.121, -0.156, -0.086)))
    assert worse.what == (
        "Ask why fewer of members who came by advertising stay than of members who came by search."
    )
    assert worse.effect.startswith(
        "a gap of 12.1 members in 100 after 90 days, all else alike (95 % confidence interval 8.6 to 15.6)"
    )
    assert worse.evidence.startswith("observational")
    better = second(drivers_of(referral=(0.07, 0.05, 0.09)))
    assert (
        better.what
        == "Ask why fewer of members who came by search stay than of members who came by referral."
    )
    assert (
        "7.0 members in 100 after 90 days, all else alike (95 % confidence interval 5.0 to 9.0)"
        in better.effect
    )
    for nothing in (drivers_of(social=(0.02, -0.01, 0.05)), replace(drivers_of(), why_empty="No traits.")):
        assert second(nothing).what == "Ask why monthly members stay less long than annual members."


def reasons_of(*names, lead=0.01):
    table = pd.DataFrame(
        {
            "reason": names,
            "duration": 90,
            "left_share": 0.059,
            "left_share_low": 0.055,
            "left_share_high": 0.063,
            "claimed": True,
        }
    )
    return Reasons("day", 0.95, "cancellation", 20, 90, table, table, Interval(lead, -1, 1, 0.95, "wald"))


def test_everybody_is_asked_why_where_another_reason_could_be_first(plans):
    curve, by_plan = sj.retention_curve(plans), sj.retention_curve(plans, by="plan")
    rate, contrasts = sj.loss_rate(plans), sj.contrasts(by_plan, until=180)
    known = reasons_of("price", "moved", "unknown")
    unsure = [Check("The main reason is first without doubt", "warn", "", "")]
    sure = [replace(unsure[0], verdict="pass")]

    def asked(found, checks):
        found = {"reasons": found, "drivers": drivers_of(referral=(0.07, 0.05, 0.09))}
        steps = sj.next_steps_retention(curve, rate, contrasts, checks, horizon=90, **found)
        assert len(steps) <= 3
        return [step for step in steps if step.what == "Ask everybody who cancels why."]

    (ask,) = asked(known, unsure)
    assert ask.effect == (
        "5.9 (95 % confidence interval 5.5 to 6.3) of 100 new members leave within 90 days for a reason "
        "unknown; with it another reason could lead"
    )
    assert ask.cost == "one question"
    (other,) = asked(reasons_of("price", "other or unknown"), unsure)
    assert "for other or unknown reasons" in other.effect
    assert not asked(known, sure)
    assert not asked(known, [])
    assert not asked(reasons_of("price", "moved"), unsure)
    assert not asked(None, unsure)


@pytest.fixture(scope="module")
def buyers():
    """1,000 followed from a first purchase: 700 do not come again in time, the others fall silent evenly."""
    life = np.concatenate([np.zeros(700, dtype=int), np.repeat(np.arange(1, 301), 1)])
    told = {"leaving": "silence", "lapse": 90, "since": "first purchase"}
    returns = pd.DataFrame({"by": ["all"], "group": ["all"], "lapsed": [890], "came_back": [300]})
    cells = cells_of(np.minimum(life, 190), life <= 190, **told)
    return Cells("test", "retention", {**cells.tables, "returns": returns}, cells.meta)


def test_silence_is_never_called_leaving(buyers):
    """Every sentence about members who may come back; "leave" is said only of those who were left out."""
    everyone, rate = sj.retention_curve(buyers), sj.loss_rate(buyers)
    checks = sj.check_retention(buyers, everyone, horizon=90)
    nothing = sj.contrasts(everyone, until=180)
    head = sj.headline_retention(everyone, checks, horizon=90, horizons=HORIZONS)
    said = [
        str(head),
        str(sj.key_figures_retention(everyone, horizons=HORIZONS, until=180)),
        str(sj.describe_retention(everyone, horizon=90)),
        str(sj.describe_readings(everyone, HORIZONS)),
        str(sj.describe_hazard(rate)),
        sj.say(sj.day_n(buyers, days=HORIZONS)),
        str(sj.next_steps_retention(everyone, rate, nothing, checks, horizon=90)),
    ]
    for text in said:
        for word in ("leave ", "leaves", "left ", "leaving ", "with us", "new member", "since joining"):
            assert word not in text.replace("leaving='", "").replace("leave a random part", ""), (word, text)
    assert head.verdict == "most buy once, then pause"
    assert head.sentence.startswith("Of 100 members followed from their first purchase, ")
    assert "70.0 in 100 did not come again within 90 days" in head.detail
    assert "300 of 890 members who fell silent for 90 days came back" in head.detail
    assert "300 of 890 members who fell silent for 90 days came back, whatever was done then" in said[-1]
    figures = sj.key_figures_retention(everyone, horizons=HORIZONS, until=180)
    assert figures[-1].label == "Mean time until the first long silence within the first 180 days"


def test_where_most_are_lost_at_once_that_is_the_title_and_the_first_step(buyers):
    curve, rate = sj.retention_curve(buyers), sj.loss_rate(buyers)
    assert sj.describe_hazard(rate)["title"].startswith("After their first purchase 70.0 in 100")
    step = sj.next_steps_retention(curve, rate, sj.contrasts(curve, until=180), [], horizon=90)[0]
    assert "right after the first purchase" in step.what
    # S(0) = .30, S(90) = .21: of half the 70 in 100 who were lost at once, .21 / .30 would be left at day 90
    assert "would keep 24.5 more members in 100 still active at 90 days" in step.effect


def test_the_pace_has_its_interval(steady):
    """By hand from S and Greenwood: H(90) = -log .55, H(180) - H(90) = -log(.10 / .55).

    All are followed, so that Greenwood's sum at t is (1 - S) / (1,000 S).
    """
    ratio = pace(sj.retention_curve(steady), 90, 180)
    early, late = -np.log(0.55), -np.log(0.10 / 0.55)
    v_early, v_late = 0.45 / 550, 0.90 / 100 - 0.45 / 550
    se = np.sqrt(v_early / early**2 + v_late / late**2)
    assert ratio.value == pytest.approx(early / late)
    assert np.log(ratio.high / ratio.value) == pytest.approx(1.959963984540054 * se)


def test_no_change_of_pace_is_claimed_from_few(plans):
    """A ratio beyond the cut in forty members is no more than chance."""
    life = np.concatenate([np.arange(5, 85, 5), np.arange(95, 180, 10), np.full(25, 500)])
    few = cells_of(np.minimum(life, 190), life <= 190)
    ratio = pace(sj.retention_curve(few), 90, 180)
    assert ratio.value > 1.2
    assert ratio.low < 1
    assert headline(few).verdict == "losses are steady"


def test_a_peak_is_the_span_that_cannot_be_told_apart():
    """Weekly hazards of .01, with .04 in weeks 3 to 6: the span is found whichever of them is highest."""
    rng = np.random.default_rng(8)
    hazard = np.repeat([0.01, 0.01, 0.04, 0.04, 0.04, 0.04, *[0.01] * 12], 7) / 7
    life = np.array(
        [next((i + 1 for i in np.flatnonzero(rng.random(126) < hazard)), 999) for _ in range(9000)]
    )
    rate = sj.loss_rate(cells_of(np.minimum(life, 126), life <= 126))
    fast = rate.fastest()
    assert (fast["duration_from"].iloc[0], fast["duration"].iloc[-1]) == (14, 42)
    assert sj.describe_hazard(rate)["title"] == "Members leave fastest from day 14 to 42"
    flat = np.ceil(rng.exponential(200, 2000)).astype(int)
    level = sj.loss_rate(cells_of(np.minimum(flat, 126), flat <= 126))
    assert level.fastest().empty
    assert "No clear peak" in sj.say(level)


def test_titles_are_one_clause(plans):
    """Further findings stand in the note."""
    curve = sj.retention_curve(plans, by="plan")
    contrasts = sj.contrasts(curve, until=180)
    words = [
        sj.describe_readings(curve, HORIZONS),
        sj.describe_hazard(sj.loss_rate(plans)),
        sj.describe_contrasts(contrasts, sj.logrank(plans, by="plan")),
    ]
    assert all(". " not in said["title"] and not said["title"].endswith(".") for said in words)
    assert "Half of monthly members left within 100 days" in words[0]["note"]


def test_half_gone_at_once_is_said_once_for_all_groups():
    exits, plan = [0] * 30 + [50] * 20, ["a"] * 50 + ["b"] * 50
    said = sj.say(sj.retention_curve(cells_of(exits * 2, ([True] * 30 + [False] * 20) * 2, plan), by="plan"))
    assert said == "At least half of a members and b members left at once."


def test_months_of_joining_are_not_asked_why_they_stay(plans):
    curve = sj.retention_curve(plans, by="plan")
    cohorts = replace(sj.contrasts(curve, until=180), by="cohort")
    steps = sj.next_steps_retention(sj.retention_curve(plans), sj.loss_rate(plans), cohorts, [], horizon=90)
    assert not any("Ask why" in step.what for step in steps)


def test_a_warning_about_newer_members_stands_beside_the_answer(steady):
    drift = Check("Older and newer members fare alike", "warn", "Newer members left faster.", "", 0.9, 0.01)
    assert "Newer members left faster." in headline(steady, checks=[drift]).detail
    for finding in ("Not known. No dates.", "No clear difference: newer members left 1.2 times as fast."):
        nothing = Check("Older and newer members fare alike", "warn", finding, "", 0.2, 0.01)
        assert finding not in headline(steady, checks=[nothing]).detail


def test_newer_members_are_watched_only_where_a_difference_was_found(plans):
    everyone, rate = sj.retention_curve(plans), sj.loss_rate(plans)
    none = sj.contrasts(everyone, until=180)

    def watched(finding, verdict="warn"):
        drift = [Check("Older and newer members fare alike", verdict, finding, "", 0.9, 0.01)]
        steps = sj.next_steps_retention(everyone, rate, none, drift, horizon=90)
        return any("by their month of joining" in step.what for step in steps)

    assert watched("Newer members left 1.4 times as fast.")
    assert not watched("No clear difference: newer members left 1.2 times as fast.")
    assert not watched("Not known. No dates.")
    assert not watched("Newer members left 1.4 times as fast.", "pass")


def test_many_who_are_lost_at_once_belong_to_the_verdict():
    rng = np.random.default_rng(1)
    later = np.ceil(rng.exponential(150, 2_000)).astype(int)

    def verdict(at_once, **told):
        life = np.r_[np.zeros(at_once, dtype=int), later[at_once:]]
        return headline(cells_of(np.minimum(life, 190), life <= 190, **told)).verdict

    silence = {"leaving": "silence", "lapse": 60, "since": "first purchase"}
    assert verdict(500, **silence) == "many buy once, then losses are steady"
    assert verdict(500) == "many leave at once, then losses are steady"
    assert verdict(150) == "losses are steady"
    assert verdict(1_100) == "most leave at once"


def test_words_about_the_whole_of_telco():
    folder = PROJECT / "data" / "casebook" / "telco" / "retention"
    meta = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    telco = Cells("telco", "retention", {"risk": pd.read_csv(folder / "risk.csv")}, meta)
    said = sj.headline_retention(sj.retention_curve(telco), [], horizon=12, horizons=[12, 24, 60]).sentence
    assert said == (
        "Of 100 new members, 84.3 (95 % confidence interval 83.4 to 85.2) are still with us after 12 months."
    )


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_every_case_has_its_words(data):
    """Whatever the counts, each function of the notebook says something, and never a number that is none."""
    n = data.draw(st.integers(20, 80))
    exits = data.draw(st.lists(st.integers(0, 240), min_size=n, max_size=n))
    churned = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    plan = data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    cells = cells_of(exits, churned, plan)
    everyone = sj.retention_curve(cells, min_group=5)
    curve = sj.retention_curve(cells, by="plan", min_group=5)
    checks = sj.check_retention(cells, everyone, horizon=90)
    rate, counted = sj.loss_rate(cells, min_group=5), sj.day_n(cells, days=HORIZONS, by="plan", min_group=5)
    contrasts = sj.contrasts(curve, until=180)
    said = [
        str(sj.headline_retention(everyone, checks, horizon=90, horizons=HORIZONS)),
        str(sj.key_figures_retention(everyone, horizons=HORIZONS, until=180)),
        str(sj.describe_retention(curve, horizon=90)),
        str(sj.describe_readings(curve, HORIZONS)),
        sj.say(counted),
        sj.say(rate),
        sj.say(contrasts),
        str(sj.next_steps_retention(everyone, rate, contrasts, checks, horizon=90)),
    ]
    assert all(text and "nan" not in text and "inf " not in text for text in said)


def test_examples_in_the_words_are_true():
    assert doctest.testmod(retention_words) == (0, 7)
