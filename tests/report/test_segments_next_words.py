"""What is said of what segments did next: activity, who is still there, messages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.results.segments_described import MessageResponse, NextCurves, WhatNext
from sojourn.report.segments_next import (
    curves_frame,
    describe_curves,
    describe_messages,
    describe_next_table,
)

NAMES = ("more active half", "less active half")


def after(shares=(0.8123, 0.2345), mass=0.95) -> WhatNext:
    table = pd.DataFrame({"segment": NAMES, "n": [600, 400], "active_share": shares})
    table["active_share_low"] = table["active_share"] - 0.0312
    table["active_share_high"] = table["active_share"] + 0.0288
    everyone = pd.DataFrame({"segment": ["everyone"], "n": [1_000], "active_share": [0.5812]})
    return WhatNext(table, everyone, False, 90, "EUR", mass)


def test_the_widest_gap_is_told():
    both = after()
    for end, values in {"": [0.99, 0.95], "_low": [0.9, 0.9], "_high": [1, 1]}.items():
        both.table[f"stayed_share{end}"] = values
    assert both.told == "active_share"
    both.table["stayed_share"] = [0.99, 0.05]
    assert both.told == "stayed_share"
    assert "were still members after the next 90 days" in sj.say(both)


def test_the_mass_of_the_interval_is_the_one_said():
    assert "(90 % credible interval" in sj.say(after(mass=0.9))


def test_the_picture_of_what_came_next_names_its_interval():
    words = sj.describe_next(after())
    assert words["title"] == "81 % of the more active half were active, 23 % of the less active half"
    assert "95 % credible interval; 1,000 members" in words["subtitle"]
    assert words["alt"].count("95 % credible interval") == 2
    assert sj.describe_next(after((0.998, 0.2)))["title"].startswith("99.8 % of")  # not all of them
    assert describe_next_table(after())["title"] + "." == sj.say(after())


def test_the_table_of_what_came_next_says_who_spends_most():
    paid = after()
    paid.table["spend"], paid.everyone["spend"] = [12.5, 40.25], 23.6
    words = describe_next_table(paid)
    assert words["title"] == (
        "In the next 90 days a member of the less active half spends 40.25 EUR, the average member 23.60 EUR"
    )
    assert "spend in EUR with 95 % confidence intervals" in words["note"]


def curves(last=90, why="") -> NextCurves:
    days = np.arange(last + 1)
    parts = []
    for group, loss in (("a", 0.001), ("b", 0.004), ("everyone", 0.0025)):
        kept = 1 - loss * days
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "duration": days,
                    "at_risk": 100,
                    "churned": 0,
                    "retained": kept,
                    "retained_low": kept - 0.02,
                    "retained_high": kept + 0.02,
                    "claimed": days > 10,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return NextCurves(table[:0] if why else table, 90, 0.9, why_empty=why)


def test_curves_contrast_the_two_ends_with_mass_and_kind():
    words = describe_curves(curves())
    assert words["title"] == "After 90 days 91 % of “a” are still with us, 64 % of “b”"
    assert "90 % confidence interval, each day by itself" in words["subtitle"]
    assert "a: 91.0 % after 90 days (90 % confidence interval 89.0 to 93.0)" in words["alt"]
    assert sj.say(curves()) == words["title"] + "."
    assert curves_frame(curves())["day"].unique().tolist() == [30, 60, 90]
    assert "After 40 days" in describe_curves(curves(40))["title"]


def test_a_day_without_a_curve_is_refused():
    with pytest.raises(ParameterError, match="No curve of 'a' at day 91"):
        curves().at("a", 91)


def answers(p=0.001, why="") -> MessageResponse:
    table = pd.DataFrame(
        {
            "segment": [*NAMES, "everyone"],
            "n": [300, 200, 500],
            "sent_each": [10.0, 9.0, 9.6],
            "opened_share": [0.5, 0.3, 0.42],
            "opened_share_low": [0.45, np.nan, 0.4],
            "opened_share_high": [0.55, np.nan, 0.44],
        }
    )
    return MessageResponse(table[:0] if why else table, 90, 0.95, p, why_empty=why)


def test_messages_say_whether_segments_differ():
    words = describe_messages(answers())
    assert words["title"] == "The more active half open 50 of 100 messages, the less active half 30"
    assert "500 members who formed no segment and were sent any" in words["subtitle"]
    assert "less active half: 30.0 % (too few for an interval)" in words["alt"]
    assert describe_messages(answers(p=0.2))["title"] == "All segments open about as many messages: 42 of 100"
    assert describe_messages(answers(p=float("nan")))["title"].startswith("All segments open about as many")


@pytest.mark.parametrize("make", [curves, answers])
def test_what_is_not_recorded_says_why(make):
    for view in ("", "table"):
        block = sj.show(make(why="Nobody knows."), name="next", view=view)
        assert (block.kind, block.text) == ("missing", "Nobody knows.")


def test_where_all_did_the_same_there_is_no_picture():
    same = replace(after(), table=after().table[["segment", "n"]])
    block = sj.show(same, name="next")
    assert (block.kind, block.text) == ("missing", "In the next 90 days all members did the same.")
    assert sj.show(same, name="next", view="table").data["title"] == block.text.removesuffix(".")


@pytest.mark.parametrize("result", [after(), curves(), answers()])
@pytest.mark.parametrize("view", ["", "table"])
def test_everything_can_be_shown(result, view):
    assert sj.show(result, name="shown", view=view).data["title"]
