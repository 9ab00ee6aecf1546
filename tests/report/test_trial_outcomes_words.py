"""What is said of staying, coming, ratios and guardrails: intervals, and no claim that is not sure."""

from dataclasses import replace

import numpy as np
import pytest

import sojourn as sj
from outcome_results import coming, guarded, spending, staying
from sojourn.report.trial_outcomes import (
    describe_counted,
    describe_guardrails,
    describe_histogram,
    describe_lasting,
    describe_lasting_table,
    describe_ratio,
    lasting_frame,
    ratio_frame,
)

NOT_SURE = (np.nan, 0.4, -0.3)
ALL_LESS = (np.nan, -3.0, -4.0)


def test_staying_is_said_with_its_interval_and_everybody_counted():
    assert sj.say(staying(censored=120)) == (
        "Within 90 days of assignment, members stay 3.8 days longer under welcome coupon than under no "
        "scheme (95 % credible interval 2.3 to 5.3 longer); at the end 3.8 more in 100 are still with us "
        "(95 % credible interval 1.3 to 6.3 more). Days more or less under the others: daily tasks −0.4. "
        "360 members have not been followed for 90 days yet; each counts for as long as it was seen."
    )


@pytest.mark.parametrize(
    ("more", "title"),
    [
        (
            (np.nan, 3.8, -0.4),
            "Under welcome coupon members stay 3.8 days longer within 90 days than under no scheme",
        ),
        (
            NOT_SURE,
            "It is not clear that members stay longer within 90 days under any scheme than under no scheme",
        ),
        (ALL_LESS, "Under every scheme members stay for a shorter time within 90 days than under no scheme"),
    ],
)
def test_the_title_claims_no_more_than_is_sure(more, title):
    assert describe_lasting(staying(more))["title"] == title
    assert describe_lasting_table(staying(more))["title"] == title


def test_a_loss_is_said_as_one():
    said = sj.say(staying(ALL_LESS))
    assert "members stay 3.0 days less under welcome coupon" in said
    assert "1.5 to 4.5 shorter" in said
    assert "3.0 fewer in 100" in said


def test_the_picture_says_what_its_bands_and_circles_are():
    words = describe_lasting(staying(truth={"none": 0.7}))
    assert "95 % credible intervals, day by day, of no scheme and welcome coupon" in words["subtitle"]
    assert "averaged over 2 strata" in words["subtitle"]
    assert "Circles are the truth of the simulated world" in words["subtitle"]
    assert "Circles" not in describe_lasting(staying())["subtitle"]
    assert "70.0 under no scheme, 73.8 under welcome coupon and 69.6 under daily tasks" in words["alt"]


def test_the_table_says_what_the_belief_weighs():
    note = describe_lasting_table(staying())["note"]
    assert "weighs as much as 1 member of a scheme" in note
    assert "50 % still there at the end" in note
    assert "All members were followed for 90 days or to their leaving." in note
    assert "0.50 member" in describe_lasting_table(replace(staying(), weight=0.5))["note"]


def test_activity_says_whether_a_law_is_behind_it():
    none, law = coming(), coming(law="negative binomial", p_fit=0.6)
    assert (
        "come on 0.50 more days within 90 than under no scheme (95 % credible interval 0.05 to 0.95 more)"
        in (sj.say(none))
    )
    assert sj.say(none).endswith("A negative binomial does not fit the counts, so no law is assumed.")
    assert sj.say(law).endswith("Counts are taken as a negative binomial, which fits.")
    assert describe_histogram(none)["title"].endswith("so it is not used")
    assert describe_histogram(law)["title"] == "Days with an event are spread as a negative binomial says"


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ((np.nan, 0.5, -0.2), "Under welcome coupon members come on 0.50 more days than under no scheme"),
        (NOT_SURE, "It is not clear that members come more often under any scheme than under no scheme"),
        (ALL_LESS, "Under every scheme members come on fewer days than under no scheme"),
    ],
)
def test_the_title_of_activity_claims_no_more_than_is_sure(more, title):
    assert describe_counted(coming(more))["title"] == title


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ((np.nan, 1.03, -0.08), "Under welcome coupon: 1.03 more revenue per active day than no scheme"),
        (
            (np.nan, 0.1, -0.08),
            "It is not clear that any scheme has more revenue per active day than no scheme",
        ),
        (ALL_LESS, "Every scheme has less revenue per active day than no scheme"),
    ],
)
def test_the_title_of_a_ratio_claims_no_more_than_is_sure(more, title):
    assert describe_ratio(spending(more))["title"] == title


def test_a_ratio_is_said_with_both_intervals():
    assert sj.say(spending()) == (
        "Revenue per active day: 1.030 more under welcome coupon than under no scheme (95 % credible "
        "interval 0.730 to 1.330 more), 1.312 times as much (95 % credible interval 1.212 to 1.412). "
        "Under no scheme it is 3.300 (95 % credible interval 3.100 to 3.500)."
    )


@pytest.mark.parametrize("result", [coming(), spending()])
def test_a_control_that_may_be_zero_has_no_ratio_in_words(result):
    blank = result.table.assign(times=np.nan, times_low=np.nan, times_high=np.nan)
    assert " times as " in sj.say(result)
    assert " times as " not in sj.say(replace(result, table=blank))


def test_guardrails_name_who_breaks_what():
    said = sj.say(guarded())
    assert said.startswith(
        "Guardrails broken: under welcome coupon, members who refused messages (a chance of 62.0 %"
    )
    assert describe_guardrails(guarded())["title"] == "Guardrails are broken under welcome coupon"
    held = guarded((0.01, 0.02))
    assert sj.say(held) == "Guardrails hold under every scheme: members who refused messages."
    assert describe_guardrails(held)["title"] == "Every scheme holds every guardrail"


def test_columns_have_names_that_print():
    block = sj.show(staying(), name="staying", view="table")
    kinds = dict(block.data["table"]["columns"])
    assert kinds["members"] == kinds["not_followed_to_the_end_members"] == "count"
    assert (kinds["kept_share"], kinds["more_days"], kinds["p_longer"]) == ("share", "days", "probability")
    assert "at_risk" not in lasting_frame(staying())
    assert "bottom_se" not in ratio_frame(spending())


@pytest.mark.parametrize("result", [staying(), coming(), spending(), guarded()])
def test_an_empty_result_says_why_everywhere(result):
    blank = replace(result, table=result.table.iloc[:0], why_empty="There is nothing.")
    assert sj.say(blank) == "There is nothing."
    assert "empty: There is nothing." in repr(blank)
    view = "" if type(result).__name__ == "Guardrails" else "table"
    for shown in {view, ""}:
        block = sj.show(blank, name="nothing", view=shown)
        assert (block.kind, block.data["text"]) == ("missing", "There is nothing.")
