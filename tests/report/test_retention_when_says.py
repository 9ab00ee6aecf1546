"""What is said about when members leave: true numbers, words of the case, nothing undefined."""

import doctest
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.interval import Interval
from sojourn.core.results.retention_when import CohortEffects, Peak, RiskPeak
from sojourn.report import retention_when as words
from sojourn.studies.retention import cohorts


def a_rate(rates=(0.04, 0.02, 0.01), **changes):
    table = pd.DataFrame({"duration": [1, 35, 300], "at_risk": [900, 700, 90], "rate": rates})
    table = table.assign(
        rate_low=table["rate"] * 0.9, rate_high=table["rate"] * 1.1, churned=1.0, rate_counted=0.02
    )
    made = RiskPeak("day", 7, 0.95, "cancellation", "joining", None, 1_000, 0, 400, table, "falling")
    return replace(made, **changes)


def peak():
    ends = [(34.6, 28.2, 41.4), (1.44, 1.3, 1.5), (3.0, 2.7, 3.3)]
    return Peak(*(Interval(*three, 0.9, "eti") for three in ends))


def effects(apart=(), drift=(1.0, 0.9, 1.1), **changes):
    rows = [
        (what, m, (what, m) in apart)
        for what in ("joined in", "calendar month")
        for m in ("2024-10", "2024-11")
    ]
    table = pd.DataFrame(rows, columns=["what", "month", "apart"]).assign(churned=100, p_value=1e-9)
    times = np.where(table["apart"], 1.6, 1.0)
    table = table.assign(times=times, times_low=times - 0.2, times_high=times + 0.2)
    ages = pd.DataFrame({"age": [0, 1], "rate_if_cohorts": [0.1, 0.2], "rate_if_calendar": [0.1, 0.19]})
    tests = pd.DataFrame({"what": ["age", "period", "cohort"], "p_value": [0.0, 0.5, 0.5]})
    made = CohortEffects("day", 0.95, "cancellation", table, ages, tests, Interval(*drift, 0.95, "wald"))
    return replace(made, **changes)


def test_a_peak_is_said_with_its_interval_and_both_sides():
    said = sj.say(a_rate((0.02, 0.03, 0.01), peak=peak(), shape="peak"))
    assert said == (
        "Members leave fastest around day 35 (90 % credible interval 28 to 41): 3.0 in 100 within 7 days, "
        "1.4 times (1.3 to 1.5) the pace long before it and 3.0 times (2.7 to 3.3) that long after it."
    )


@pytest.mark.parametrize(
    ("shape", "words_of"),
    [
        ("falling", "the pace of leaving falls"),
        ("rising", "the pace of leaving rises"),
        ("level", "no time of faster leaving"),
    ],
)
def test_without_a_peak_the_shape_is_said(shape, words_of):
    said = sj.say(a_rate(shape=shape))
    assert said.startswith("No interior peak: ")
    assert words_of in said
    assert "4.0 in 100 within 7 days at first, 1.0 at the end" in said
    assert sj.brief(a_rate(shape=shape)).endswith(".")


def test_what_falls_in_the_end_is_not_said_to_fall_from_the_first():
    bump = a_rate((0.02, 0.03, 0.01))
    said = [sj.say(bump), sj.brief(bump), *words.describe_when(bump).values()]
    assert not any("fastest" in text for text in said)
    assert said[1] == "The pace of leaving falls in the end; whether it rises before cannot be told."
    assert said[2] == "The pace of leaving falls in the end; an earlier rise is not sure"
    assert "2.0 in 100 within 7 days at first, 3.0 around day 35, 1.0 at the end" in said[0]


def test_a_rate_that_surely_rises_again_is_said_to():
    twice = a_rate((0.04, 0.01, 0.02))
    said = sj.brief(twice)
    assert said == "Members leave fastest at first, and faster again from about day 35 on."
    assert words.describe_when(twice)["title"] == said.rstrip(".")
    assert "falls at first and rises again at the end (4.0 in 100 within 7 days at first, 1.0" in sj.say(
        twice
    )
    unsure = a_rate((0.04, 0.01, 0.012))  # the bands, a tenth of the rate, overlap
    assert "there is no later peak" in sj.brief(unsure)
    deep = a_rate((0.02, 0.01, 0.03))  # highest at the end
    assert sj.brief(deep) == "The pace of leaving falls at first and rises again from about day 35 on."


@pytest.mark.parametrize("shape", ["falling", "rising", "level"])
def test_a_sentence_after_losses_at_once_goes_on_from_them(shape):
    lost = a_rate(shape=shape, leaving="silence", lapse=30, since="first purchase", at_once=400)
    assert sj.brief(lost).startswith("After that ")
    assert not sj.brief(a_rate(shape=shape)).startswith("After that ")
    drawn = words.describe_when(lost)
    assert not drawn["title"].startswith("After their first purchase")
    left_out = "The 40.0 in 100 who did not come again within 30 days are not in this picture."
    assert drawn["subtitle"].endswith(left_out)
    at_joining = words.describe_when(a_rate(at_once=20))["subtitle"]
    assert at_joining.endswith("The 2.0 in 100 who left on the day they joined are not in this picture.")


def test_points_too_high_to_draw_are_counted_in_words():
    table = a_rate().table.assign(rate_counted=[0.2, 0.02, np.nan])
    assert "counted (1 point lies above the picture)." in words.describe_when(a_rate(table=table))["subtitle"]
    assert "above" not in words.describe_when(a_rate())["subtitle"]


def test_silence_is_not_called_leaving():
    quiet = a_rate(
        leaving="silence", lapse=30, since="first purchase", at_once=400, peak=peak(), shape="peak"
    )
    said = [sj.say(quiet), sj.brief(quiet), *words.describe_when(quiet).values()]
    assert all("leav" not in text for text in said)
    assert said[0].startswith("After their first purchase 40.0 in 100 did not come again within 30 days.")
    assert sj.brief(quiet).startswith("After that members fall silent fastest around day 35")
    assert words.describe_when(quiet)["title"] == "Members fall silent fastest around day 35"


def test_what_is_empty_says_why_and_is_brief_about_it():
    none = a_rate(table=pd.DataFrame(), why_empty="Too few have left.")
    assert sj.say(none) == "Too few have left."
    assert sj.brief(none) == ""
    bare = effects(why_empty="No months.")
    assert sj.say(bare) == "No months."
    assert sj.brief(bare) == ""


def test_the_truth_is_announced_where_it_is_drawn():
    assert "Circle" in words.describe_when(a_rate(true_peak=30.5))["subtitle"]
    assert "Circle" not in words.describe_when(a_rate())["subtitle"]


def test_a_month_that_stands_apart_is_named_with_its_pace():
    shocked = effects({("calendar month", "2024-11")})
    said = sj.say(shocked)
    assert (
        "Calendar month that stands apart: 2024-11 (1.6 times the pace, 95 % confidence interval 1.4 to 1.8)"
        in said
    )
    assert "No month of joining stands apart." in said
    assert sj.brief(shocked) == "In 2024-11 members left 1.6 times as fast as usual."
    assert "2024-11" in words.describe_cohort_effects(shocked)["title"]


def test_a_cohort_that_stands_apart_is_not_called_a_calendar_month():
    said = sj.brief(effects({("joined in", "2024-10")}))
    assert said == "Members who joined in 2024-10 left 1.6 times as fast as usual."


def test_a_drift_is_said_in_both_readings():
    drifting = effects(drift=(1.3, 1.2, 1.4))
    assert "between months of joining or in calendar time, which the counts cannot tell" in sj.say(drifting)
    assert sj.brief(drifting) == (
        "Newer members, or all as time goes by, leave faster: which, the counts cannot tell."
    )
    assert "more slowly" in sj.brief(effects(drift=(0.8, 0.7, 0.9)))


def test_nothing_seen_is_brief():
    assert sj.brief(effects()) == ""
    assert "No steady drift is seen" in sj.say(effects())


def test_a_bend_without_a_single_month_is_mentioned():
    bent = effects()
    tests = bent.tests.assign(p_value=[0.0, 0.001, 0.5])
    assert "No calendar month stands apart, though together they do not lie on a line." in sj.say(
        replace(bent, tests=tests)
    )


def test_many_months_are_counted_not_listed():
    rows = [("calendar month", f"2024-{m:02d}") for m in range(1, 7)]
    table = pd.DataFrame(rows, columns=["what", "month"]).assign(
        churned=9, times=2.0, times_low=1.5, times_high=2.5, p_value=0.001, apart=True
    )
    assert "and 3 more." in sj.say(effects(table=table))


def test_both_readings_stand_side_by_side():
    table = words.drift_table(effects())
    assert list(table.columns) == ["months_since_joining", "rate_if_cohorts", "rate_if_calendar"]
    assert "Both readings fit the counts equally well" in words.describe_drift(effects())["note"]


@pytest.mark.parametrize(
    "result", [a_rate(peak=peak(), shape="peak"), a_rate(), effects(), effects(drift=(1.3, 1.2, 1.4))]
)
def test_briefs_are_short(result):
    assert len(sj.brief(result).split()) < 25


def test_examples_in_docstrings():
    assert doctest.testmod(cohorts) == (0, 1)
