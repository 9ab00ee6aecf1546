"""What is said of segments: every sentence follows the numbers, with interval, mass and kind."""

import re
from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import UndefinedError
from sojourn.core.results.check import Check
from sojourn.core.results.segments import (
    CEILING,
    OURS,
    RFM,
    SMOOTH,
    ScoreBands,
    Segmentation,
)
from sojourn.core.results.segments_described import WhatNext
from sojourn.report.segments_next import describe_next_table

NAMES = {
    "groups": ("just seen, often active", "long silent"),
    "bands": ("less active half", "more active half"),
}


def found(kind="groups", reason="useful", **changes) -> Segmentation:
    """Return a result of two groups or of two bands whose numbers are all different."""
    table = pd.DataFrame(
        {
            "segment": NAMES[kind],
            "n": [600, 400],
            "share": [0.6, 0.4],
            "share_low": [0.569, 0.37],
            "share_high": [0.63, 0.431],
            "comes_back": [0.97, 0.91],
            "sentence": ["First: much.", "Second: little."],
        }
    )
    stability = pd.DataFrame(
        {
            "k": [2, 3],
            "depth": [0.62, 0.11],
            "null_depth": [0.1, 0.05],
            "null_depth_high": [0.23, 0.17],
            "excess": [9.0, 0.4],
            "needed": [2.0, 2.0],
            "jaccard": [0.97, 0.6],
            "null_jaccard": [0.9, 0.5],
            "smallest_share": [0.4, 0.1],
            "separated": [reason != "no valley", False],
        }
    )
    exam = pd.DataFrame(
        {
            "rival": [OURS, RFM, SMOOTH, CEILING],
            "explained": [0.2345, 0.2001, 0.21, 0.3109],
            "gain": [0.0, 0.0344, 0.0245, -0.0764],
            "gain_low": [0.0, 0.02, -0.01, -0.09],
            "gain_high": [0.0, 0.05, 0.05, -0.06],
            "beaten": [False, True, False, False],
        }
    )
    made = Segmentation(
        case="test",
        verdict="groups" if reason == "useful" else "a gradient, not groups",
        reason=reason,
        k=2,
        table=table,
        rand=0.9,
        stability=stability,
        exam=exam,
        exam_k=2,
        rule=ScoreBands(None, None),  # the words never read the rule
        names=("recency", "frequency"),
        mass=0.95,
        min_group=20,
        fitted=1_003,
        judged=1_000,
        members=2_003,
        meta={"cut_date": "2025-04-02", "currency": "EUR", "as_of": "2025-07-01T00:00:00+00:00"},
    )
    return replace(made, **changes)


def after(kind="groups", *, spend=True, shares=(0.8123, 0.2345), mass=0.95) -> WhatNext:
    table = pd.DataFrame({"segment": NAMES[kind], "n": [600, 400]})
    if shares:
        table["active_share"] = shares
        table["active_share_low"] = [share - 0.0312 for share in shares]
        table["active_share_high"] = [share + 0.0288 for share in shares]
    if spend:
        table["spend"], table["spend_low"], table["spend_high"] = [12.5, 40.25], [11.0, 33.0], [14.0, 47.5]
    everyone = pd.DataFrame(
        {"segment": ["everyone"], "n": [1_000], "active_share": [0.5812], "spend": [23.6]}
    )
    return WhatNext(table, everyone, kind == "bands", 90, "EUR", mass)


def test_the_headline_of_groups_contrasts_both_ends_with_mass_and_kind():
    head = sj.headline_segments(found(), after())
    assert head.sentence == (
        "Members form 2 groups: of “just seen, often active”, 81.2 members in 100 (95 % credible "
        "interval 78.1 to 84.1) were active in the next 90 days, of “long silent” 23.4 (20.3 to 26.3)."
    )
    assert head.verdict == "2 groups"
    assert head.status == "ok"
    assert (head.interval.value, head.interval.low, head.interval.mass) == pytest.approx((81.23, 78.11, 0.95))
    assert head.interval.kind == "eti"
    assert head.unit == "members in 100"
    assert "stand apart more than 95 in 100 data sets without structure" in head.detail


def test_a_gradient_says_so_and_contrasts_first_and_last_band():
    # the last band is the most active one by its rule, whatever its members did next
    head = sj.headline_segments(found("bands", "no valley"), after("bands"))
    assert head.sentence.startswith(
        "Members differ by degrees and form no separate groups: of the more active half"
    )
    assert head.verdict == "a gradient, not groups"
    assert head.interval.value == pytest.approx(23.45)
    assert "nothing emptier lies between them" in head.detail


def test_groups_of_no_use_are_a_gradient_that_names_both_facts():
    head = sj.headline_segments(found("bands", "no use"), after("bands"))
    assert head.verdict == "a gradient, not groups"
    assert "2 groups can be told apart, but tell no more" in head.detail


def test_a_failed_check_blocks_the_answer():
    failed = Check("The sample stands for all members", "fail", "Off.", "Not for all.")
    passed = replace(failed, name="Another", verdict="pass")
    head = sj.headline_segments(found(), after(), [failed, passed])
    assert head.status == "blocked"
    assert head.verdict == "cannot be relied on"
    assert "because of: the sample stands for all members." in head.detail
    assert sj.headline_segments(found(), after(), [passed]).status == "ok"


def test_where_nothing_tells_segments_apart_there_is_no_number():
    head = sj.headline_segments(found(), after(shares=None))
    assert head.sentence == "Members form 2 groups."
    assert head.interval is None
    assert after(shares=None).told == ""
    assert sj.say(after(shares=None)) == "In the next 90 days all members did the same."


def test_every_key_figure():
    figures = sj.key_figures_segments(found(), after())
    said = [(figure.label, figure.value, figure.interval) for figure in figures]
    assert said == [
        (
            "Members looked at",
            "2,003",
            "as they were on 2 April 2025; 1,000 of them judge what the others formed",
        ),
        (
            "Depth of the shallowest valley between 2 groups",
            "0.62",
            "0 is none, 1 empty; without structure it stays below 0.23",
        ),
        (
            "What members did next, as explained by 2 groups",
            "23.4 %",
            "a score as free as it likes explains 31.1 %",
        ),
        ("“long silent”: active in the next 90 days", "23.4 %", "95 % credible interval 20.3 to 26.3"),
        (
            "“long silent”: spend in the next 90 days",
            "40.25 EUR",
            "a member; 95 % confidence interval 33.00 to 47.50",
        ),
    ]


def test_key_figures_of_what_is_not_known_are_left_out():
    labels = [
        figure.label
        for figure in sj.key_figures_segments(found("bands", "no valley"), after(spend=False, shares=None))
    ]
    assert len(labels) == 3
    assert labels[2].endswith("2 bands")


def test_no_valley_is_said_in_a_word():
    flat = found("bands", "no valley")
    flat.stability[["depth", "null_depth_high"]] = 0.0
    figure = sj.key_figures_segments(flat, after("bands"))[1]
    assert (figure.value, figure.interval) == (
        "none",
        "0 is none, 1 empty; without structure there is none either",
    )


def test_spending_of_few_or_the_same_for_all_has_no_interval():
    same = after()
    same.table[["spend_low", "spend_high"]] = float("nan")
    figures = sj.key_figures_segments(found(), same)
    assert figures[-1].interval == "a member; too few of 400 have any, or all the same, for an interval"
    assert "40.25 EUR (too few of 400 have any" in sj.next_steps_segments(found(), same)[1].effect
    assert describe_next_table(same)["note"].endswith("are the same or fewer than 10 have any.")
    assert "all members are the same" not in describe_next_table(after())["note"]


def test_next_steps_follow_the_verdict():
    groups, gradient = (
        sj.next_steps_segments(found(*args), after(args[0])) for args in (("groups",), ("bands", "no valley"))
    )
    assert "one message for each of the 2 groups" in groups[0].what
    assert gradient[0].what.startswith("Do not write personas.")
    exam = found("bands", "no valley").exam.set_index("rival")["explained"]
    for name in (OURS, RFM, SMOOTH, CEILING):
        assert f"{100 * exam[name]:.1f} %" in gradient[0].effect
    for steps, low, share in ((groups, "“long silent”", "23.4"), (gradient, "the less active half", "81.2")):
        assert len(steps) == 4
        effect = (
            "40.25 EUR (95 % confidence interval 33.00 to 47.50) in 90 days, the average member 23.60 EUR"
        )
        assert effect in steps[1].effect
        assert f"{low} with an incentive, in a trial with a control group" in steps[2].what
        assert re.search(
            rf"{share} members in 100 \(95 % credible interval [\d.]+ to [\d.]+\)", steps[2].effect
        )
        assert "2 April 2025" in steps[3].effect
    assert groups[2].what.startswith("Try to win back")  # fewer than half were active
    assert gradient[2].what.startswith("Try to keep")


def test_what_is_said_of_a_segmentation():
    assert sj.say(found()).endswith("Segments: just seen, often active (60 %) and long silent (40 %).")
    assert sj.say(found()).startswith("Members form 2 groups. They stand apart")


def test_the_title_of_the_exam_follows_the_interval():
    assert sj.describe_exam(found())["title"] == (
        "2 groups explain more than the RFM score in as many bands of what comes next; a free score explains "
        "more than both"
    )
    exam = found().exam
    exam.loc[exam["rival"] == RFM, ["gain_low", "gain_high"]] = [-0.01, 0.05]
    exam.loc[exam["rival"] == CEILING, ["gain_low", "gain_high"]] = [-0.01, 0.05]
    assert (
        sj.describe_exam(found(exam=exam))["title"]
        == "2 groups explain about as much as the RFM score in as many bands of what comes next"
    )
    exam.loc[exam["rival"] == RFM, ["gain_low", "gain_high"]] = [-0.05, -0.01]
    assert "less than the RFM score in as many bands" in sj.describe_exam(found(exam=exam))["title"]
    assert "1,000 members" in sj.describe_exam(found())["note"]
    assert "95 % confidence intervals" in sj.describe_exam(found())["note"]


def test_the_table_of_the_exam_keeps_every_number():
    frame = sj.exam_frame(found())
    assert list(frame.columns) == [
        "rival",
        "explained_share",
        "gain_points",
        "gain_points_low",
        "gain_points_high",
    ]
    assert frame["explained_share"].tolist() == found().exam["explained"].tolist()
    assert frame["gain_points_low"].tolist()[1:] == found().exam["gain_low"].tolist()[1:]
    gains = ["gain_points", "gain_points_low", "gain_points_high"]
    assert frame.loc[0, gains].isna().all()  # segments gain nothing over themselves: a dash is shown


def test_the_title_of_the_valleys_says_how_many_stand_apart():
    words = sj.describe_stability(found())
    assert words["title"] == "Up to 2 groups stand apart"
    assert "it is 0.62, against 0.23 without structure" in words["alt"]
    none = sj.describe_stability(found("bands", "no valley"))
    assert none["title"] == "No number of groups stands apart from its neighbours"
    assert "1,003 members" in none["subtitle"]


def test_tables_are_those_of_the_result():
    assert sj.segments_frame(found()).equals(found().table)
    assert sj.next_frame(after())["segment"].tolist() == [*NAMES["groups"], "everyone"]
    words = sj.describe_segments(found())
    assert words["title"] == "2 groups, in words"
    assert "95 % credible intervals" in words["note"]
    assert (
        sj.describe_segments(found("bands", "no valley"))["title"]
        == "2 bands of one activity score, in words"
    )


def test_only_a_simulated_world_has_a_truth():
    with pytest.raises(UndefinedError, match="The truth of 'test' is not known"):
        sj.truth_frame(found())
    assert "not known to anybody" in sj.say_truth(found())
    truth = {"count": 3, "features": [{"segment": "a", "share": 0.5, "hazard": 2.0}]}
    told = found(meta={**found().meta, "truth": truth})
    assert sj.say_truth(told) == "The simulated world holds 3 hidden segments; this page found 2 groups."
    assert sj.truth_frame(told)["leaving_factor"].tolist() == [2.0]
    gradient = found("bands", "no valley", meta=told.meta)
    assert sj.say_truth(gradient).endswith("found a gradient.")


def test_the_reason_names_the_rivals_that_were_beaten():
    exam = found().exam
    assert found().beaten == (RFM,)
    assert "tell more about what comes next than the RFM score in as many bands, but less" in sj.say(found())
    both = exam.assign(beaten=[False, True, True, False])
    assert "than the RFM score in as many bands and a score as simple, but less" in sj.say(found(exam=both))
    smooth = exam.assign(beaten=[False, False, True, False])
    assert "than a score as simple, but less" in sj.say(found(exam=smooth))
    better = exam.copy()
    better.loc[better["rival"] == SMOOTH, ["gain_low", "gain_high"]] = [-0.05, -0.01]
    better.loc[better["rival"] == SMOOTH, "explained"] = 0.2845
    told = "bands, but less than a score that is as simple (23.4 % against 28.4 % explained)."
    assert told in sj.headline_segments(found(exam=better), after()).detail
    level = exam.assign(gain_high=0.01)
    assert "but less" not in sj.say(found(exam=level))
    assert sj.describe_exam(found(exam=better))["title"].endswith("; a smooth score as simple explains more")


def test_the_table_says_how_much_of_every_segment_comes_back():
    frame = sj.segments_frame(found())
    assert frame["comes_back"].tolist() == [0.97, 0.91]
    note = sj.describe_segments(found())["note"]
    assert "two draws agree to 0.90" in note
    assert "does not show groups" in note
