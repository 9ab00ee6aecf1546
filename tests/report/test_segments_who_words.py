"""What is said of who the segments are: profiles, made-up members, portraits."""

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.segments_described import Portraits, Profile, TypicalMembers
from sojourn.report.segments_who import (
    describe_ends,
    describe_portraits,
    describe_portraits_table,
    describe_traits,
    describe_typical,
    ends_frame,
    portraits_frame,
    profile_frame,
    traits_frame,
    typical_frame,
)


def who(mass=0.9) -> Profile:
    table = pd.DataFrame(
        {
            "segment": ["often active", "often active", "long silent", "long silent"],
            "family": ["money", "how much"] * 2,
            "feature": ["spend a month", "days since last active"] * 2,
            "n": [60, 60, 40, 40],
            "value": [200.4, 3.25, 12.5, 80.0],
            "value_low": [190.0, 3.0, 11.0, 70.0],
            "value_high": [210.0, 3.5, 14.0, 90.0],
            "everyone": [125.0, 34.0, 125.0, 34.0],
            "difference": [0.4, -1.04, -0.3, 1.37],
            "telling": [False, True, False, True],
        }
    )
    return Profile(table, mass)


def test_the_title_of_profiles_is_the_largest_difference():
    words = sj.describe_profile(who())
    assert words["title"] == "Furthest from everyone: “long silent”, higher in days since last active"
    assert "+1.4 standard deviations" in words["alt"]
    assert "90 % confidence intervals, each by itself" in words["subtitle"]
    assert "left out" in words["subtitle"]
    assert sj.say(who()) == words["title"] + "."
    table = who().table.assign(telling=True)
    whole = Profile(table.assign(difference=[0.4, -1.5, -0.3, 1.37]), 0.9)
    assert sj.describe_profile(whole)["title"].endswith("“often active”, lower in days since last active")
    assert "left out" not in sj.describe_profile(whole)["subtitle"]


def test_the_table_of_features_has_all_and_its_ends():
    frame = ends_frame(who())
    assert frame["feature"].tolist() == ["spend a month", "days since last active"]
    assert frame["lowest"].tolist() == [
        "12.5 (11.0 to 14.0), long silent",
        "3.2 (3.0 to 3.5), often active",
    ]
    assert frame["highest"].tolist()[0] == "200 (190 to 210), often active"
    assert frame["everyone"].tolist() == ["125", "34.0"]
    assert "90 % confidence intervals, each by itself." in describe_ends(who())["note"]
    assert list(profile_frame(who()).columns) == [name for name in who().table if name != "telling"]


def made(why="") -> TypicalMembers:
    table = pd.DataFrame(
        {
            "segment": ["a", "a", "b"],
            "typical": ["a quieter one", "a typical member", "a typical member"],
            "n": [25, 30, 28],
            "words": ["Quiet", "Active on 6 days a month", "Active on 1 day a month"],
            "frequency": [2.0, 6.0, 1.0],
        }
    )
    return TypicalMembers(table[:0] if why else table, 20, why)


def test_made_up_members_are_said_to_be_made_up():
    words = describe_typical(made())
    assert words["title"] == "A typical member of “a”: active on 6 days a month"
    assert words["note"].startswith("Nobody here is real.")
    assert "never fewer than 20" in words["note"]
    assert typical_frame(made()).columns.tolist() == ["segment", "made_up", "in_words", "n"]
    assert sj.say(made()) == words["title"] + "."
    assert sj.show(made(why="Too few."), name="nobody").kind == "missing"
    assert "Too few." in sj.show(made(why="Too few."), name="nobody").text


def drawn(v=(0.4, 0.05, 0.0), tells=(True, True, False)) -> Portraits:
    rows = [
        ("channel", "search", "a", 500, 0.5, 0.45, 0.55, 1),
        ("channel", "search", "b", 400, 0.2, 0.15, 0.25, -1),
        ("channel", "search", "everyone", 900, 0.35, 0.3, 0.4, 0),
        ("region", "north", "a", 450, 0.5, 0.45, 0.55, 0),
        ("region", "north", "everyone", 800, 0.5, 0.45, 0.55, 0),
    ]
    columns = ["trait", "level", "segment", "n", "share", "share_low", "share_high", "apart"]
    traits = pd.DataFrame(
        {
            "trait": ["channel", "plan", "region"],
            "n": [900, 880, 800],
            "cramers_v": v,
            "p_value": [0.0001, 0.02, 0.4],
            "tells": tells,
        }
    )
    return Portraits(pd.DataFrame(rows, columns=columns), traits, 0.95)


def test_portraits_say_which_traits_tell_and_which_say_nothing():
    words = describe_portraits(drawn())
    assert (
        words["title"]
        == "Channel says much and plan at joining says a little about the segment; region says nothing"
    )
    assert "900 who formed none" in words["subtitle"]
    assert "95 % credible intervals" in words["subtitle"]
    assert "channel search, 50 % of “a” and 35 % of everyone" in words["alt"]
    assert describe_portraits(drawn(v=(0.2, 0.2, 0.0)))["title"].startswith(
        "Channel and plan at joining say something"
    )
    nothing = drawn(tells=(False, False, False))
    assert (
        describe_portraits(nothing)["title"]
        == "Channel, plan at joining and region say nothing about the segment"
    )
    assert nothing.telling == ()
    assert "significant" not in str([describe_portraits(drawn()), describe_traits(drawn())])


def test_tables_of_portraits():
    frame = portraits_frame(drawn())
    assert frame["clearly"].tolist() == ["more", "fewer", "", "", ""]
    assert frame["trait"].unique().tolist() == ["channel", "region"]
    assert "hold for all shares of one trait together" in describe_portraits_table(drawn())["note"]
    assert traits_frame(drawn())["trait"].tolist() == ["channel", "plan at joining", "region"]
    assert "below 0.05 a trait says something" in describe_traits(drawn())["note"]
    assert describe_traits(drawn())["title"].startswith(
        "Channel says most about the segment: Cramér's V 0.40"
    )
    assert "say nothing about the segment" in describe_traits(drawn(tells=(False, False, False)))["title"]


def test_a_case_without_traits_says_why():
    empty = Portraits(drawn().table[:0], drawn().traits[:0], 0.95, why_empty="Nothing is recorded.")
    for view in ("", "table", "traits"):
        block = sj.show(empty, name="portraits", view=view)
        assert (block.kind, block.text) == ("missing", "Nothing is recorded.")


@pytest.mark.parametrize(
    ("result", "view"),
    [(who(), ""), (who(), "table"), (made(), ""), (drawn(), ""), (drawn(), "table"), (drawn(), "traits")],
)
def test_everything_can_be_shown(result, view):
    block = sj.show(result, name="shown", view=view)
    assert block.kind in ("picture", "table")
    assert block.data["title"]
