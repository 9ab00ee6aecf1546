"""What the forecast says: its numbers stand in its sentences, and none where there is none."""

from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.columns import as_data
from sojourn.core.results.retention_forecast import Forecast, Race
from sojourn.report.retention_forecast import (
    describe_forecast,
    describe_race,
    describe_tenure,
    describe_triangle_forecast,
    race_table,
    tenure_table,
)
from sojourn.report.table import lay_out

#: The plain rule with levels of cohorts, as the race names it.
PLAIN_SHARED = "each age as in earlier cohorts, each cohort at its own level"
MODELS = ["beta-geometric", "each age as in earlier cohorts"]


@pytest.fixture
def forecast():
    table = pd.DataFrame(
        {
            "cohort": ["2025-01", "2025-01", "2025-01", "2025-02", "2025-02"],
            "members": [100, 100, 100, 80, 80],
            "duration": [30, 60, 90, 30, 60],
            "steps_ahead": [0, 0, 1, 0, 1],
            "retained": [0.9, 0.8, 0.7, 0.85, 0.75],
            "retained_low": [None, None, 0.6, None, 0.62],
            "retained_high": [None, None, 0.78, None, 0.86],
        }
    ).astype({"retained_low": float, "retained_high": float})
    totals = pd.DataFrame({"steps_ahead": [0, 1], "time_ahead": [0, 30], "members": [158, 140]})
    totals = totals.assign(members_low=[158, 131], members_high=[158, 149])
    scores = pd.DataFrame(
        {
            "model": MODELS,
            "score": [0.7, 1.0],
            "against": [-0.3, 0.0],
            "against_se": [0.1, 0.0],
            "coverage": [0.94, 0.9],
            "width": [5.0, 6.0],
        }
    )
    tenure = pd.DataFrame({"duration": [0, 30], "time_ahead": [27.0, 28.0]})
    tenure = tenure.assign(time_ahead_low=[26.0, 27.0], time_ahead_high=[28.0, 29.0])
    race = Race(scores, *MODELS, True, 120, 9, 4, 4, 4)
    return Forecast(
        "demo", "day", 30, 1, 0.95, table=table, race=race, tenure=tenure, tenure_within=30, totals=totals
    )


def test_it_says_how_many_are_expected_and_why_that_model(forecast):
    said = sj.say(forecast)
    assert "Of 158 members of 2 joining months who had never left when their joining month was last" in said
    assert "counted, 140 (95 %" in said
    assert "95 % prediction interval 131 to 149" in said
    assert "0.30 less than the plain rule" in said
    assert "94 % of 120 later entries" in said


def test_the_rule_that_forecasts_is_named_with_its_levels(forecast):
    plain = replace(forecast, race=replace(forecast.race, chosen=MODELS[1], beaten=False))
    assert "No law forecast better than the plain rule" in sj.say(plain)
    assert "so that rule forecasts. From" in sj.say(plain)
    assert describe_race(plain)["title"].startswith("No law beats")
    shared = with_chosen(forecast, PLAIN_SHARED, beaten=False)
    assert "so that rule forecasts, with a level of its own for each cohort, which its" in sj.say(shared)
    won = with_chosen(forecast, PLAIN_SHARED, beaten=True)
    assert "The plain rule, with a level of its own for each cohort, forecast best" in sj.say(won)


def with_chosen(forecast, name, *, beaten):
    table = forecast.race.table.replace({"model": {MODELS[0]: name}})
    return replace(forecast, race=replace(forecast.race, table=table, chosen=name, beaten=beaten))


def test_the_short_sentence_is_short(forecast):
    brief = sj.brief(forecast)
    assert "140 (95 % prediction interval 131 to 149) are expected still to be so 30 days later" in brief
    assert brief.endswith("; earlier totals fell inside such an interval 4 of 4 times.")
    assert len(brief.split()) <= 45
    assert "earlier totals" not in describe_forecast(forecast)["title"]
    assert sj.brief(replace(forecast, why_empty="None.")) == ""


def test_silence_is_not_leaving(forecast):
    silent = replace(forecast, leaving="silence", since="first purchase")
    said = " ".join(
        [
            sj.say(silent),
            *describe_triangle_forecast(silent).values(),
            *describe_tenure(silent).values(),
        ]
    )
    assert "still with us" not in said
    assert "who had never fallen silent when" in said
    assert "left" not in said
    assert "since first purchase" in said


def test_words_around_the_pictures(forecast):
    words = describe_triangle_forecast(forecast)
    assert words["title"].startswith("Of 100 who joined in 2025-02, 75 (95 % prediction interval 62 to 86)")
    assert "Outlined" in words["subtitle"]
    assert "1 forecast share from 75 % to 75 %" in words["alt"]
    assert "Later joiners do not count" in describe_forecast(forecast)["subtitle"]


def test_the_title_names_an_age_that_is_drawn(forecast):
    """Eight ages of a long triangle: the last of the six steps ahead has no column, the fifth has."""
    ages = range(1, 25)
    rows = [
        (name, 100, 30 * age, max(age - known, 0), 0.99**age, 0.98**age, 0.995**age)
        for name, known in (("2023-01", 24), ("2024-10", 1))
        for age in ages
    ]
    long = replace(forecast, ahead=6, table=pd.DataFrame(rows, columns=forecast.table.columns))
    drawn = long.drawn()
    assert 210 not in set(drawn["duration"])
    assert "joined in 2024-10, 94 " in describe_triangle_forecast(long)["title"]  # 0.99**6
    assert describe_triangle_forecast(long)["title"].endswith("after 180 days")
    brief = replace(long, ahead=1, table=long.table[long.table["steps_ahead"] != 1])
    assert describe_triangle_forecast(brief)["title"].startswith("Of 158 members who had never left")


def heads(table):
    return [head.text for head in lay_out(as_data(table)).heads]


def test_tables_name_roles_and_units(forecast):
    models = race_table(forecast)
    assert models["role"].tolist() == ["forecasts", "plain rule"]
    tenure = tenure_table(forecast)
    to_come = ["still_to_come_days", "still_to_come_days_low", "still_to_come_days_high"]
    assert list(tenure.columns) == ["duration_days", *to_come]
    assert heads(tenure) == ["Duration, days", "Still to come, days"]
    units = [head for head in heads(models) if head.endswith(", in 100")]
    assert units == [
        "Off, in 100",
        "More than plain rule, in 100",
        "Standard error, in 100",
        "Width, in 100",
    ]
    assert "a new member is expected to be still with us for 27" in describe_tenure(forecast)["title"]


def test_without_a_forecast_the_reason_stands_everywhere():
    empty = Forecast("demo", "day", 30, 6, 0.95, why_empty="Too few cohorts.")
    assert sj.say(empty) == "Too few cohorts."
    assert describe_race(empty)["note"] == "Too few cohorts."
    assert describe_tenure(empty)["note"] == "Too few cohorts."
    assert race_table(empty).empty
    assert tenure_table(empty).empty
    assert repr(empty) == "Forecast of demo: none. Too few cohorts."
