"""What is said of revenue and of lifts adjusted for the past: numbers with intervals, and by which way."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trial_revenue import Adjusted, PaymentSizes, Revenue
from sojourn.core.results.trials import TrialResult
from sojourn.report import trial_revenue as words
from sojourn.report.say import say

ENDS = ("", "_low", "_high")


def triple(name, value, low, high):
    return {f"{name}{end}": x for end, x in zip(ENDS, (value, low, high), strict=True)}


def make_sizes(follows=True, **more):
    rows = [
        ("none", 0, 10, 0.3, 0.25),
        ("none", 10, np.inf, 0.7, 0.75),
        ("gift", 0, 10, 0.25, 0.2),
        ("gift", 10, np.inf, 0.75, 0.8),
    ]
    table = pd.DataFrame(rows, columns=["scheme", "amount_from", "amount_to", "share", "share_by_law"])
    fit = pd.DataFrame({"scheme": ["none"], "statistic": ["mean"], "p_value": [0.5 if follows else 1e-5]})
    made = {"control": "none", "currency": "EUR", "days": 90, "payers": 1234, "table": table, "fit": fit,
            "p_fit": 0.5 if follows else 1e-5, "follows_law": follows}  # fmt: skip
    return PaymentSizes(**{**made, **more})


PARTS = ((1.2, 0.3, 2.1), (-0.2, -0.9, 0.5), (0.5, 0.1, 0.9))


def make_revenue(published="hurdle", lift=(1.5, 0.4, 2.6), parts=PARTS, **more):
    nothing = (np.nan,) * 3
    rows = [
        {"scheme": scheme, "n": 5000, "payers": 600, **triple("rate", 0.12, 0.11, 0.13),
         **triple("size_amount", 30.0, 27, 33), **triple("refunded_share", 0.04, 0.03, 0.05),
         **triple("amount", 3.5, 3.2, 3.8), **triple("amount_above", *above),
         **triple("hurdle_amount_above", *above), **triple("free_amount_above", *above),
         **triple("moments_amount_above", *above), "p_beats_control": np.nan if scheme == "none" else 0.99}
        for scheme, above in (("none", nothing), ("gift_card", lift))
    ]  # fmt: skip
    split = [
        {"scheme": "gift_card", "part": part, **triple("amount_above", *of)}
        for part, of in zip(("who pays", "how much", "refunded"), parts, strict=True)
    ]
    made = {"control": "none", "currency": "EUR", "days": 90, "mass": 0.95, "published": published,
            "because": "Payments look log-normal.", "table": pd.DataFrame(rows), "parts": pd.DataFrame(split),
            "sizes": make_sizes(), "draws": np.zeros((2, 2))}  # fmt: skip
    return Revenue(**{**made, **more})


def make_result(lift, kind="value"):
    arms = [("none", (np.nan,) * 3), ("gift_card", lift)]
    table = pd.DataFrame([{"scheme": scheme, "n": 1000, **triple("lift", *of)} for scheme, of in arms])
    currency, draws = "EUR" if kind == "value" else "", np.zeros((2, 2))
    return TrialResult("net_value", kind, "none", "net value per member", currency, 90, LiftPrior(-4, 4, 0.9),
                       (0, 1), 0.95, table, pd.DataFrame(), 0.0, 0.5, draws)  # fmt: skip


def make_adjusted(share=0.15, kind="value"):
    adjusted, plain = (1.1, 0.6, 1.6), (1.3, 0.7, 1.9)
    table = pd.DataFrame([{"scheme": "gift_card", **triple("lift", *adjusted), **triple("plain_lift", *plain),
                           "narrower_share": share, "explained_share": 0.3, "slope": 0.9,
                           "before_gap_sds": 0.01, "p_balance": 0.4}])  # fmt: skip
    of = (make_result(x, kind) for x in (plain, adjusted))
    return Adjusted("net_value", "net value per member", "what members paid before", *of, table)


def test_the_sentence_has_the_lift_its_interval_its_parts_and_the_way():
    said = say(make_revenue())
    assert said.startswith(
        "gift card adds 1.50 EUR to revenue per member within 90 days, compared with no scheme "
        "(95 % credible interval 0.40 to 2.60). "
    )
    assert "more members pay (+1.20 per member) and less is refunded (+0.50 per member)" in said
    assert said.endswith("Payments look log-normal.")


def test_a_loss_is_said_as_one_with_its_parts():
    made = make_revenue(
        "model-free", (-1.5, -2.6, -0.4), ((-1.2, -2.1, -0.3), (-0.4, -0.7, -0.1), (0, -1, 1))
    )
    said = say(made)
    assert "gift card takes 1.50 EUR from revenue per member" in said
    assert "95 % bootstrap interval" in said
    assert "fewer members pay (−1.20 per member) and those who pay pay less (−0.40 per member)" in said


def test_no_part_is_named_where_none_is_clear():
    made = make_revenue(lift=(0.1, -1, 1.2), parts=((0, -1, 1), (0.1, -1, 1), (0, -1, 1)))
    assert "Of that" not in say(made)
    assert words.describe_revenue(made)["title"] == "No scheme clearly changes revenue per member"
    assert words.brief_revenue(made).endswith("1.20).")


def test_titles_and_alternatives_hold_every_number_drawn():
    said = words.describe_revenue(make_revenue())
    assert said["title"].startswith("Gift card adds 1.50 EUR")
    assert "10,000 members" in re.sub(r"\s", " ", said["subtitle"]).replace("\u202f", ",").replace(
        "10 000", "10,000"
    )
    for number in ("+1.50", "+1.20", "−0.20", "+0.50"):
        assert number in said["alt"]


def test_the_table_shows_the_other_way_beside_the_published_one():
    for published, shown, hidden in (
        ("hurdle", "free_amount", "hurdle_amount"),
        ("model-free", "hurdle_amount", "free_amount"),
    ):
        frame = words.revenue_frame(make_revenue(published))
        assert any(name.startswith(shown) for name in frame.columns)
        assert not any(name.startswith(hidden) for name in frame.columns)
        assert frame["scheme"].tolist() == ["no scheme", "gift card"]
        assert "amount_above_control" in frame.columns
    assert "by a Dirichlet bootstrap" in words.describe_revenue_table(make_revenue())["note"]


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (make_sizes(), "Payments look log-normal in every scheme"),
        (make_sizes(follows=False), "Payments are not log-normal, so no law of payments is used"),
        (make_sizes(follows=False, fit=pd.DataFrame()), "Too few members paid to judge by which law"),
    ],
)
def test_sizes_say_whether_the_law_fits(made, title):
    said = words.describe_sizes(made)
    assert said["title"] == title
    assert say(made) == f"{title}."
    assert "1234" in re.sub(r"\D", "", said["subtitle"])
    assert "gift: most from 10 on (75 %)" in said["alt"]


def test_adjusting_says_what_it_saves_and_both_lifts():
    said = say(make_adjusted())
    assert said == (
        "Knowing what members paid before makes intervals 15 % narrower: for gift card +1.10 EUR per member "
        "(95 % credible interval 0.60 to 1.60), against +1.30 EUR per member (95 % credible interval 0.70 to "
        "1.90) without it."
    )
    assert "+110.0 members in 100" in say(make_adjusted(kind="binary"))
    assert say(make_adjusted(share=0.002)).startswith("Knowing what members paid before hardly changes")
    assert "gift card: narrower by 15 %" in words.describe_adjusted(make_adjusted())["alt"]


@pytest.mark.parametrize("made", [make_revenue(), make_sizes(), make_adjusted()])
def test_an_empty_result_says_why(made):
    empty = replace(made, why_empty="There is nothing.")
    assert say(empty) == "There is nothing."
    if isinstance(made, Revenue):
        assert words.brief_revenue(empty) == ""
        assert words.revenue_frame(empty).empty


@pytest.mark.parametrize("made", [make_revenue(), make_sizes(), make_adjusted()])
def test_a_result_prints_on_one_line(made):
    assert len(repr(made)) < 200
    assert "\n" not in repr(made)
    assert "There is nothing" in repr(replace(made, why_empty="There is nothing."))
