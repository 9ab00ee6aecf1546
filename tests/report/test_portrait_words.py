"""Words of a portrait: the answer, key figures, every part in a sentence, nothing of what is not there."""

import re
from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.check import Check
from sojourn.core.results.portrait import Portrait
from sojourn.report.index import render_index

PARTS = (
    "joiners", "groups", "rhythm", "steps", "kinds", "activity", "stages", "purchases", "messages",
    "acquisition", "planted",
)  # fmt: skip
PICTURES = ("joiners", "groups", "rhythm", "steps", "activity")
TABLES = tuple(part for part in PARTS if part not in PICTURES)


@pytest.fixture
def found(make_portrait_cells) -> Portrait:
    return sj.portrait(make_portrait_cells())


@pytest.fixture
def bare(make_portrait_cells) -> Portrait:
    """Members and events only, and too few of everything."""
    few = dict.fromkeys(("purchases", "money", "messages", "acquisition", "late"))
    groups = [("all", "all", 320, 280, 320)]
    few["groups"] = pd.DataFrame(groups, columns=["by", "group", "members", "joined", "with_us"])
    few["active"] = pd.DataFrame({"days": [1], "members": [3]})
    few["visits"] = pd.DataFrame(columns=["weekday", "hour", "visits", "members"], dtype="int64")
    few["kinds"] = pd.DataFrame([("visit", 3, 3)], columns=["event", "events", "members"])
    missing = ["spells", "messages", "costs", "members.churned_at", "members.channel", "events.amount"]
    cells = make_portrait_cells(
        few, missing=missing, truth=None, first_value="", followed=3, observed_from="2025-01-30T00:00:00Z"
    )
    return sj.portrait(cells)


def test_the_answer(found):
    said = sj.headline_portrait(found)
    assert said.sentence == (
        "280 members joined since 6 January 2025 and 200 are with us now; they come on 2.8 of 30 days on "
        "average, most often on Saturdays and between 18 and 19 h."
    )
    assert said.detail == "In the last 28 days 280 joined, 56 left and 28 came back: 252 members more."
    assert (said.verdict, said.status, said.interval) == ("growing", "ok", None)


@pytest.mark.parametrize(
    ("recent", "verdict", "said"),
    [
        ({"joined": 10, "left": 8, "returned": 2}, "steady", "4 members more."),
        ({"joined": 10, "left": 15, "returned": 0}, "shrinking", "10 joined, 15 left: 5 members fewer."),
        ({"joined": 10, "left": 5, "returned": 0}, "growing", "5 members more."),
    ],
)
def test_the_verdict_by_growth(found, recent, verdict, said):
    headline = sj.headline_portrait(replace(found, recent={"days": 90, **recent}))
    assert headline.verdict == verdict
    assert headline.detail.endswith(said)


def test_a_failed_check_blocks_the_answer(found):
    checks = [Check("Something happens every day", "fail", "No.", "Nothing.")]
    said = sj.headline_portrait(found, checks)
    assert (said.verdict, said.status) == ("cannot be relied on", "blocked")
    assert said.detail.startswith("Not to be relied on, because of: something happens every day.")


def test_a_bare_case_says_only_what_it_knows(bare):
    said = sj.headline_portrait(bare)
    assert said.sentence == "280 members joined since 30 January 2025."
    assert said.verdict == "described"
    assert said.detail == "In the last 3 days 30 joined. Who left is not recorded."
    assert [figure.label for figure in sj.key_figures_portrait(bare)] == ["Joined since 30 January 2025"]
    assert len(sj.next_steps_portrait(bare)) == 3


def test_key_figures(found):
    figures = {figure.label: figure for figure in sj.key_figures_portrait(found)}
    assert {label: figure.value for label, figure in figures.items()} == {
        "Joined since 6 January 2025": "280",
        "Members with us": "200",
        "Days on which a member comes": "2.8",
        "Have a first value moment within 7 days": "50.0 %",
        "Mean purchase": "10.00 EUR",
    }
    assert figures["Have a first value moment within 7 days"].interval == (
        "95 % exact confidence interval 42.9 to 57.1"
    )
    sj.key_figures(list(figures.values()))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("joiners", "In a usual week 70 members join; most, 70, in the week of 6 January 2025."),
        ("groups", "The largest groups: plan monthly (71.4 %)."),
        (
            "rhythm",
            (
                "Most visits begin on Saturdays (25.0 %), fewest on Mondays (12.5 %); the peaks of the day "
                "lie between 18 and 19 h and between 9 and 10 h."
            ),
        ),
        ("kinds", "The commonest event is view (1,200 times); most members ever did login (94 %)."),
        (
            "activity",
            (
                "Of 180 members with us, 22.2 % did not come in the last 30 days; on average they came on "
                "2.8 days, half of them on 1 or fewer."
            ),
        ),
        ("stages", "Of 320 members: new 16 %, active 38 %, returned 9 % and left 38 %."),
        (
            "purchases",
            (
                "37.5 % of members have bought, 10.00 EUR at a time on average; 2.5 % of purchases were "
                "refunded."
            ),
        ),
        ("messages", "1,400 messages were sent, most by push; SMS is opened most (60 %)."),
        ("acquisition", "A new member through search costs 4.00 EUR, through social 2.00 EUR."),
        ("planted", "2 effects and 2 segments are planted in this world."),
    ],
)
def test_every_part_in_a_sentence(found, part, said):
    assert sj.say(getattr(found, part)) == said


def test_first_steps_are_said_with_their_intervals(found):
    assert re.fullmatch(
        r"Within 7 days of joining 50\.0 % \(95 % exact confidence interval 42\.9 to 57\.1\) have their "
        r"first value moment and 25\.0 % \(.*\) have their first purchase\.",
        sj.say(found.steps),
    )


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_the_words_it_is_shown_with(found, part):
    words = sj.describe_portrait(getattr(found, part))
    wanted = {"title", "subtitle", "alt"} if part in PICTURES else {"title", "note"}
    assert set(words) == wanted
    assert all(words.values())
    assert not words["title"].endswith(".")
    assert "nan" not in " ".join(words.values())


def test_truth_is_spoken_of_only_where_it_is_known(found, bare, make_portrait_cells):
    real = sj.portrait(make_portrait_cells(truth=None))
    for part in PICTURES:
        said = str(sj.describe_portrait(getattr(real, part)))
        assert not re.search("planted|simulated|Circles|circles", said), part
    for part in ("joiners", "groups", "rhythm", "steps"):
        assert re.search("planted|simulated", str(sj.describe_portrait(getattr(found, part)))), part
    assert sj.say(bare.planted).startswith(
        "These are real members or records of unknown making: nobody knows"
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("joiners", "Members have not been seen joining for one whole week."),
        ("groups", "The case says nothing of who its members are."),
        ("rhythm", "Nobody has done anything since observation began."),
        ("steps", "Fewer than 20 members have been followed for 7 days from joining on."),
        ("kinds", "No kind of event was done by 20 members."),
        ("activity", "Fewer than 20 members have been with us for 30 days."),
        ("purchases", "The events of this case carry no amounts."),
        ("messages", "The case has no table `messages`."),
        ("acquisition", "The case has no costs by channel."),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(bare, part, said):
    assert sj.say(getattr(bare, part)) == said
    assert sj.describe_portrait(getattr(bare, part)) == {}


def test_the_first_value_moment_is_explained(found):
    assert "is the event “activate”" in sj.describe_portrait(found.steps)["subtitle"]
    other = sj.describe_portrait(replace(found.steps, first_value=""))["subtitle"]
    assert "the first event of another kind than the member's first" in other


def test_hidden_segments_have_their_words(found, bare):
    assert sj.describe_hidden(found.planted)["title"] == "Who is behind it: 2 hidden segments"
    assert sj.describe_hidden(bare.planted) == {}


def test_what_is_no_part_has_no_words():
    with pytest.raises(TypeError, match="str is no part of a portrait"):
        sj.describe_portrait("nothing")


@pytest.mark.parametrize("part", TABLES)
def test_tables_can_be_shown(found, part):
    shown = getattr(found, part)
    frame = shown.shown() if part == "planted" else shown.table
    block = sj.table(frame, name=part, **sj.describe_portrait(shown))
    assert block.kind == "table"


def test_next_steps_lead_to_the_other_pages(found):
    said = " ".join(action.what for action in sj.next_steps_portrait(found))
    assert all(
        page in said for page in ("“Who stays, and for how long?”", "“Which scheme?”", "“Which groups?”")
    )


def test_a_portrait_stands_first_in_the_index():
    row = {
        "value": None, "low": None, "high": None, "in_words": "", "in_short": "", "unit": "", "status": "ok",
        "verdict": "growing", "detail": "", "warnings": 0, "as_of_words": "Data as of 1 July 2025.",
        "case": "demo", "case_title": "Demo", "source": "simulated", "sentence": "They joined.",
    }  # fmt: skip
    rows = [
        {**row, "study": study, "question": question, "page": f"cases/demo/{study}.html"}
        for study, question in (("retention", "Who stays?"), ("portrait", "Who is here?"))
    ]
    page = render_index(rows)
    assert page.index("Who is here?") < page.index("Who stays?")
