"""What is said of what goes with staying: numbers with intervals, and never a cause."""

import re

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.retention_drivers import Drivers, LandmarkCurves, ProportionalHazards
from sojourn.report import retention_drivers as words
from sojourn.report.say import say

PERIODS = ["column", "level", "against", "duration_from", "duration", "churned"]
DIFFERENCE = ["difference_points", "difference_points_low", "difference_points_high"]
RATIO = ["hazard_ratio", "hazard_ratio_low", "hazard_ratio_high"]


def proportional(changes=False, **more):
    table = pd.DataFrame(
        {
            "column": ["plan", "region"],
            "statistic": [20.0, 1.0],
            "df": [2, 1],
            "p_value": [0.0001 if changes else 0.2, 0.6],
            "given_others_p_value": [0.0002 if changes else 0.3, 0.7],
            "changes": [changes, False],
        }
    )
    rows = [
        ("plan", "annual", "monthly", 0, 30, 50, 0.4, 0.3, 0.5),
        ("plan", "annual", "monthly", 30, 90, 60, 0.9, 0.7, 1.1),
        ("plan", "annual", "monthly", 90, 400, 90, 1.6, 1.2, 2.1),
        ("plan", "family", "monthly", 0, 30, 20, 0.8, 0.6, 1.1),
        ("plan", "family", "monthly", 90, 400, 30, 0.9, 0.6, 1.3),
    ]
    periods = pd.DataFrame(rows if changes else [], columns=[*PERIODS, *RATIO])
    smooth = pd.DataFrame(
        [("annual", 1, 0.4, 0.3, 0.5), ("annual", 200, 1.6, 1.2, 2.1)], columns=["level", "duration", *RATIO]
    )
    result = {"unit": "day", "mass": 0.95, "level": 0.01, "transform": "km", "smooth_against": "monthly"}
    return ProportionalHazards(table=table, periods=periods, smooth=smooth, **{**result, **more})


def drivers(differences=((0.11, 0.09, 0.13), (-0.12, -0.16, -0.08), (0.01, -0.02, 0.04)), **more):
    value, low, high = np.array(differences).T
    table = pd.DataFrame(
        {
            "column": ["plan", "channel", "region"],
            "level": ["annual", "social", "west"],
            "against": ["monthly", "search", "east"],
            "members": [400, 300, 200],
            "retained": [0.8, 0.6, 0.7],
            "difference_points": value,
            "difference_points_low": low,
            "difference_points_high": high,
            "crude_points": [0.2, -0.118, 0.01],
            "ratio_to_crude": [0.55, 1.02, 1.0],
            "hazard_ratio": 0.7,
            "hazard_ratio_low": 0.6,
            "hazard_ratio_high": 0.8,
            "p_value": 0.001,
        }
    )
    plain = {"case": "demo", "unit": "day", "horizon": 90, "mass": 0.95, "members": 1_234, "churned": 300}
    return Drivers(table=table, proportional=proportional(), **{**plain, **more})


def landmark(**more):
    table = pd.DataFrame(
        {
            "group": ["1-2"] * 2 + ["3-5"] * 2,
            "duration": [0, 90] * 2,
            "at_risk": [200, 90, 300, 200],
            "churned": [0, 1, 0, 1],
            "retained": [1.0, 0.5, 1.0, 0.7],
            "retained_low": [np.nan, 0.4, np.nan, 0.6],
            "retained_high": [np.nan, 0.6, np.nan, 0.8],
        }
    )
    differences = pd.DataFrame(
        [("1-2", 200, 0.5, -0.2, -0.28, -0.12, 0.001)],
        columns=["group", "members", "retained", *DIFFERENCE, "p_value"],
    )
    plain = {"case": "demo", "by": "active_days", "unit": "day", "landmark": 30, "horizon": 90, "mass": 0.95}
    made = {**plain, "table": table, "differences": differences, "against": "3-5", **more}
    return LandmarkCurves(**made)


def every_text():
    changed = proportional(changes=True)
    alike = drivers([(0.01, -0.01, 0.03)] * 3)
    silent = drivers(leaving="silence")
    merged = drivers(merged={"plan": ("gift", "trial")}, left_out=("price: low",))
    for result in (drivers(), alike, silent, merged):
        yield from (say(result), sj.brief(result), *words.describe_drivers(result).values())
    for result in (proportional(), changed):
        yield from (
            say(result),
            sj.brief(result),
            *words.describe_proportional(result).values(),
        )
    for result in (landmark(), landmark(by="plan_then"), landmark(leaving="silence")):
        yield from (say(result), sj.brief(result), *words.describe_landmark(result).values())


@pytest.mark.parametrize("text", [text for text in every_text() if text])
def test_nothing_is_called_a_cause_or_significant(text):
    assert not re.search(
        r"\bcauses?d?\b(?! *\.)|significant|customer|because of being", text.replace("its cause", "")
    )
    assert "nan" not in text
    assert "  " not in text


def test_the_largest_clear_difference_comes_first_with_its_interval():
    said = say(drivers())
    assert said.startswith(
        "After 90 days, if alike in what else was recorded at joining, still with us are 12.0 fewer in 100 "
        "of members who came by social than of members who came by search (95 % confidence interval 8.0 to "
        "16.0); 11.0 more in 100 of annual members"
    )
    assert "members from west" not in said


def test_the_crude_gap_is_told_where_it_differs():
    assert "gap" not in say(drivers())
    ratio = drivers([(0.15, 0.12, 0.18), (-0.12, -0.16, -0.08), (0.0, -0.02, 0.02)])
    assert "the first of these gaps is 20.0 in 100" in say(ratio)


def test_no_clear_difference_is_said():
    alike = drivers([(0.01, -0.01, 0.03)] * 3)
    assert say(alike).startswith("Nothing that is known at joining goes clearly with staying.")
    assert (
        words.describe_drivers(alike)["title"] == "Nothing that is known at joining goes clearly with staying"
    )


def test_the_largest_difference_stands_in_short_with_its_interval_and_what_is_made_alike():
    said = (
        "After 90 days, 12.0 fewer in 100 (95 % confidence interval 8.0 to 16.0) of members who came by "
        "social are still with us than of those who came by search"
    )
    assert sj.brief(drivers()) == f"{said}, if alike in what else was recorded."
    assert words.describe_drivers(drivers())["title"] == f"{said}, alike in what else was recorded"
    annual = sj.brief(drivers([(0.2, 0.1, 0.3), (0.0, -0.1, 0.1), (0.0, -0.1, 0.1)]))
    assert "of annual members are still with us than of monthly members" in annual


def read(sentence):
    """Count the words of a sentence; an interval in brackets is read with its number."""
    return len(re.sub(r" \(.+?\)", "", sentence).split())


@pytest.mark.parametrize(
    "result", [drivers(), drivers([(0.01, -0.01, 0.03)] * 3), drivers(leaving="silence")]
)
def test_in_short_is_short(result):
    assert 0 < read(sj.brief(result)) <= 31
    assert sj.brief(result).endswith(".")


def test_in_short_of_the_others_is_short():
    for result in (landmark(), landmark(by="plan_then"), landmark(leaving="silence")):
        assert 0 < read(sj.brief(result)) < 25
    assert len(sj.brief(proportional(changes=True)).split()) < 25
    assert sj.brief(proportional()) == ""


def test_silence_is_not_leaving():
    said = " ".join([say(drivers(leaving="silence")), say(landmark(leaving="silence"))])
    assert "still active" in said
    assert "with us" not in said


def test_the_empty_say_why_and_nothing_in_short():
    why = "Nothing is known of members."
    for result in (drivers(why_empty=why), proportional(why_empty=why), landmark(why_empty=why)):
        assert say(result) == why
        assert sj.brief(result) == ""


def test_a_changing_effect_is_told_from_its_first_period_to_its_last():
    said = say(proportional(changes=True))
    assert said == (
        "What plan goes with changes with time: annual members leave 0.40 times as fast as monthly members "
        "up to day 30, 1.60 times as fast after day 90."
    )
    assert "No sure sign" in say(proportional())
    assert words.describe_proportional(proportional())["title"] == (
        "No sure change over time in what plan goes with"
    )


def test_a_landmark_is_named():
    said = say(landmark())
    assert "20.0 fewer in 100 of members with 1-2 active days by day 30" in said
    assert "Members count from day 30 on" in said
    plans = say(landmark(by="plan_then", against="monthly"))
    assert "monthly members at day 30" in plans


def test_a_landmark_says_when_the_gap_is_and_how_sure():
    said = (
        "90 days after day 30, 20.0 fewer in 100 (95 % confidence interval 12.0 to 28.0) of members with 1-2 "
        "active days are still with us than of those with 3-5"
    )
    assert sj.brief(landmark()) == f"{said}."
    assert words.describe_landmark(landmark())["title"] == said


def test_where_leaving_is_silence_nobody_knows_it_at_the_landmark():
    late = "is known only a whole silence later, so this cannot pick members on day 30."
    assert words.describe_landmark(landmark(leaving="silence"))["subtitle"].endswith(late)
    assert late not in words.describe_landmark(landmark())["subtitle"]


def test_alt_text_has_every_level_drawn():
    alt = words.describe_drivers(drivers())["alt"]
    assert all(name in alt for name in ("annual members +11.0", "social −12.0", "west +1.0"))
