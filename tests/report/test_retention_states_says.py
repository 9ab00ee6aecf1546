"""What is said of states and reasons: every number with its interval, silence never called leaving."""

import re
from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.interval import Interval
from sojourn.core.results.retention_states import Reasons, TimeToReturn, WithUs
from sojourn.report.retention_states import describe_occupation, describe_reasons, describe_returns

HERE = WithUs(
    unit="day",
    mass=0.95,
    leaving="cancellation",
    lapse=None,
    min_group=20,
    horizon=90,
    table=pd.DataFrame(
        {
            "duration": [0, 90, 200],
            "at_risk": [900, 700, 300],
            "never_left_share": [1.0, 0.7, 0.5],
            "never_left_share_low": [float("nan"), 0.68, 0.47],
            "never_left_share_high": [float("nan"), 0.72, 0.53],
            "with_us_share": [1.0, 0.76, 0.61],
            "with_us_share_low": [float("nan"), 0.74, 0.58],
            "with_us_share_high": [float("nan"), 0.78, 0.64],
            "back_share": [float("nan"), 0.2, 0.22],
            "back_share_low": [float("nan"), 0.17, 0.19],
            "back_share_high": [float("nan"), 0.23, 0.25],
            "claimed": [False, True, True],
        }
    ),
    members=900,
)
BACK = TimeToReturn(
    unit="day",
    mass=0.95,
    leaving="cancellation",
    lapse=None,
    min_group=20,
    horizon=90,
    days=(30, 90),
    table=pd.DataFrame(
        {
            "duration": [30, 90],
            "at_risk": [300, 200],
            "returned": [20, 10],
            "back_share": [0.1, 0.18],
            "back_share_low": [0.08, 0.15],
            "back_share_high": [0.12, 0.21],
            "claimed": [True, True],
        }
    ),
    left=400,
)
WHY = Reasons(
    unit="day",
    mass=0.95,
    leaving="cancellation",
    min_group=20,
    horizon=90,
    table=pd.DataFrame(
        {
            "reason": ["price", "moved away", "unknown"],
            "duration": [90, 90, 90],
            "left_share": [0.1, 0.04, 0.05],
            "left_share_low": [0.09, 0.03, 0.04],
            "left_share_high": [0.11, 0.05, 0.06],
            "lost_days": [4.5, 1.2, 1.5],
            "lost_days_low": [4.0, 1.0, 1.2],
            "lost_days_high": [5.0, 1.4, 1.8],
            "most_left_share": [0.15, 0.09, float("nan")],
            "most_left_share_low": [0.14, 0.08, float("nan")],
            "most_left_share_high": [0.16, 0.1, float("nan")],
        }
    ),
    gone=pd.DataFrame({"duration": [90], "left_share": [0.19]}),
    lead=Interval(0.01, -0.005, 0.025, 0.95, "wald"),
)


def silent(result):
    return replace(result, leaving="silence", lapse=30)


def test_the_two_curves_have_words_of_their_own():
    assert sj.say(HERE) == (
        "After 90 days, 76.0 (95 % confidence interval 74.0 to 78.0) of 100 members are with us, "
        "counting those who came back; 70.0 (95 % confidence interval 68.0 to 72.0) have never left. Of 100 "
        "who had left by then, 20.0 (95 % confidence interval 17.0 to 23.0) are with us again."
    )
    assert sj.brief(HERE) == (
        "Counting those who came back, 76.0 in 100 of the 900 seen from joining on are with us after 90 days."
    )
    words = describe_occupation(HERE)
    assert words["title"] == (
        "76.0 in 100 are with us after 90 days, counting those who came back; 70.0 have never left"
    )
    assert "95 % confidence interval where at least 20 are observed and 10 have left" in words["subtitle"]
    assert "after 200 days 61.0 and 50.0" in words["alt"]


def test_no_sentence_where_both_curves_are_one():
    same = HERE.table.assign(with_us_share=HERE.table["never_left_share"])
    assert sj.brief(replace(HERE, table=same)) == ""


def test_time_to_return_reads_at_every_duration():
    assert sj.say(BACK) == (
        "Of 100 members who left, 10.0 (95 % confidence interval 8.0 to 12.0) within 30 days and "
        "18.0 (95 % confidence interval 15.0 to 21.0) within 90 days came back."
    )
    assert sj.brief(BACK) == "Of 100 who left, 18.0 came back within 90 days."
    assert describe_returns(BACK)["title"] == "Of 100 who left, 18.0 came back within 90 days"


def test_coming_back_from_silence_is_counted_from_the_last_sign_of_life():
    said = "Of 100 who fell silent, 18.0 came back within 90 days of their last sign of life, of which the"
    assert sj.brief(silent(BACK)) == f"{said} first 30 cannot count."
    assert "within 90 days of their last sign of life came back." in sj.say(silent(BACK))
    assert "days since the last sign of life before" in describe_returns(silent(BACK))["subtitle"]


def test_reasons_say_what_the_unknown_leave_open():
    assert sj.say(WHY) == (
        "After 90 days, of 100 members 10.0 (95 % confidence interval 9.0 to 11.0) have left for price and "
        "4.0 (95 % confidence interval 3.0 to 5.0) for moved away. Time lost after leaving for price: 4.5 "
        "days (95 % confidence interval 4.0 to 5.0) of the first 90 days per member. After 90 days, 5.0 (95 "
        "% confidence interval 4.0 to 6.0) of 100 members had left for a reason unknown: “price” would stand "
        "for 10.0 if none of them, 15.0 if all of them had left for it. If all of them had left for moved "
        "away, it could not be told which of the two comes first."
    )
    assert sj.brief(WHY) == (
        "“Price” is the reason most often given: 10.0 in 100 (95 % confidence interval 9.0 to 11.0) within "
        "90 days, before “moved away” with 4.0; the unknown could put another first."
    )
    assert describe_reasons(WHY)["title"] == (
        "“Price” is the reason most often given: 10.0 in 100 (95 % confidence interval 9.0 to 11.0) after "
        "90 days"
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.03, "Whatever they left for, price comes first."),
        (-0.03, -0.01, "If all of them had left for moved away, that would come first."),
    ],
)
def test_which_reason_comes_first_is_said_as_far_as_it_is_sure(low, high, said):
    lead = Interval((low + high) / 2, low, high, 0.95, "wald")
    result = replace(WHY, lead=lead)
    assert sj.say(result).endswith(said)
    assert ("the unknown could put another first" in sj.brief(result)) == (low < 0)


def test_one_known_reason_has_no_order():
    result = replace(WHY, table=WHY.table[WHY.table["reason"] != "moved away"], lead=None)
    assert sj.say(result).endswith("15.0 if all of them had left for it.")
    assert "before" not in sj.brief(result)


def test_merged_reasons_are_said_to_be():
    assert (
        "3 reasons given by few, or not among the largest, are counted together"
        in (describe_reasons(replace(WHY, merged=3))["subtitle"])
    )


def test_silence_is_not_called_leaving():
    for result in (silent(HERE), silent(BACK)):
        words = [sj.say(result)]
        describe = describe_occupation if isinstance(result, WithUs) else describe_returns
        words += [*describe(result).values(), sj.brief(result)]
        said = " ".join(words)
        assert not re.search(r"\bleft\b|\bleav", said), said
        assert "silent" in said


@pytest.mark.parametrize(
    "brief",
    [
        sj.brief(HERE),
        sj.brief(silent(HERE)),
        sj.brief(BACK),
        sj.brief(silent(BACK)),
        sj.brief(WHY),
    ],
)
def test_brief_sentences_are_brief(brief):
    assert 5 <= len(re.sub(r" \(.+?\)", "", brief).split()) < 25  # an interval is read as one number
    assert brief.count(". ") == 0
    assert brief.endswith(".")


def test_a_share_without_interval_stands_alone():
    few = HERE.table.assign(back_share_low=float("nan"), back_share_high=float("nan"))
    assert sj.say(replace(HERE, table=few)).endswith("Of 100 who had left by then, 20.0 are with us again.")
