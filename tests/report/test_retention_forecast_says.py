"""What the forecast says: its numbers stand in its sentences, and none where there is none."""

from dataclasses import replace

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.retention_forecast import Forecast, Race

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
    assert "Of 158 members of 2 joining months last counted as still with us, 140" in said
    assert "95 % prediction interval 131 to 149" in said
    assert "0.30 less than the plain rule" in said
    assert "94 % of 120 later entries" in said
    plain = replace(forecast, race=replace(forecast.race, chosen=MODELS[1], beaten=False))
    assert "No law forecast better than the plain rule" in sj.say(plain)
    assert sj.describe_race(plain)["title"].startswith("No law beats")


def test_the_short_sentence_is_short(forecast):
    brief = sj.brief_forecast(forecast)
    assert brief in sj.say(forecast) or "140 (95 %" in brief
    assert len(brief.split()) <= 25
    assert sj.brief_forecast(replace(forecast, why_empty="None.")) == ""


def test_silence_is_not_leaving(forecast):
    silent = replace(forecast, leaving="silence", since="first purchase")
    said = " ".join(
        [
            sj.say(silent),
            *sj.describe_triangle_forecast(silent).values(),
            *sj.describe_tenure(silent).values(),
        ]
    )
    assert "still with us" not in said
    assert "since first purchase" in said


def test_words_around_the_pictures(forecast):
    words = sj.describe_triangle_forecast(forecast)
    assert words["title"].startswith("Of 100 who joined in 2025-02, 75 (95 % prediction interval 62 to 86)")
    assert "Outlined" in words["subtitle"]
    assert "1 forecast share from 75 % to 75 %" in words["alt"]
    assert "Later joiners do not count" in sj.describe_forecast(forecast)["subtitle"]


def test_tables_name_roles_and_units(forecast):
    models = sj.race_table(forecast)
    assert models["role"].tolist() == ["forecasts", "plain rule"]
    tenure = sj.tenure_table(forecast)
    assert list(tenure.columns) == ["duration", "more_days", "more_days_low", "more_days_high"]
    assert "a new member is expected to be still with us for 27" in sj.describe_tenure(forecast)["title"]


def test_without_a_forecast_the_reason_stands_everywhere():
    empty = Forecast("demo", "day", 30, 6, 0.95, why_empty="Too few cohorts.")
    assert sj.say(empty) == "Too few cohorts."
    assert sj.describe_race(empty)["note"] == "Too few cohorts."
    assert sj.describe_tenure(empty)["note"] == "Too few cohorts."
    assert sj.race_table(empty).empty
    assert sj.tenure_table(empty).empty
    assert repr(empty) == "Forecast of demo: none. Too few cohorts."
