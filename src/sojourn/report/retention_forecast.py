"""What the forecast says: members to come, how models did on what they did not know, time still to come."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval, label
from sojourn.core.results.retention_forecast import Forecast, Race
from sojourn.core.text import count, in_words, number, percent, plural
from sojourn.report.retention_words import had_gone, span, still
from sojourn.report.say import register

_LEVEL = "with a level of its own for each cohort"


@register
def say_forecast(forecast: Forecast) -> str:
    """Say how many members are expected to be left, and which model says so; or why there is no forecast."""
    if forecast.why_empty or forecast.race is None:
        return forecast.why_empty
    cohorts = plural(forecast.table["cohort"].nunique(), "joining month")
    return (
        f"Of {count(forecast.members_now)} members of {cohorts} who {_never(forecast)}, "
        f"{_expected(forecast)}. {_why_this_model(forecast)} {_held(forecast)}"
    )


def brief_forecast(forecast: Forecast) -> str:
    """Say in one short sentence how many are expected to be left."""
    return f"{_short(forecast)}{_totals_held(forecast)}."


def _short(forecast: Forecast) -> str:
    return f"Of {count(forecast.members_now)} members who {_never(forecast)}, {_expected(forecast)}"


def _never(forecast: Forecast) -> str:
    """Name those from whom the forecast starts: each month's members at the last age all have reached."""
    return f"had never {had_gone(forecast)} when their joining month was last counted"


def _expected(forecast: Forecast) -> str:
    then = in_words(forecast.members_then, "", 0)
    return f"{then} are expected still to be so {_ahead(forecast)} later"


def _totals_held(forecast: Forecast) -> str:
    race = forecast.race
    if race is None or not race.totals:
        return ""
    return f"; earlier totals fell inside such an interval {race.totals_inside} of {race.totals} times"


def _why_this_model(forecast: Forecast) -> str:
    race = forecast.race
    if race is None:
        return ""
    if not race.beaten:
        level = "" if race.chosen == race.plain else f", {_LEVEL}, which its intervals need"
        return (
            "No law forecast better than the plain rule that every age goes as in earlier cohorts; so that "
            f"rule forecasts{level}."
        )
    lead = race.table[race.table["model"] == race.chosen].iloc[0]
    return (
        f"The {_winner(race)} forecast best: off by {number(lead['score'], 2)} members in 100, "
        f"{number(-lead['against'], 2)} less than the plain rule that every age goes as in earlier cohorts."
    )


def _winner(race: Race) -> str:
    return f"plain rule, {_LEVEL}," if race.chosen.startswith(race.plain) else f"{race.chosen} law"


def _held(forecast: Forecast) -> str:
    race = forecast.race
    if race is None:
        return ""
    return (
        f"From {plural(race.origins, 'earlier date')} it held {percent(race.coverage, 0)} of "
        f"{count(race.entries)} later entries inside its {forecast.mass * 100:g} % intervals."
    )


def describe_triangle_forecast(forecast: Forecast) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the triangle with its empty half."""
    drawn = forecast.drawn()
    ahead = drawn[drawn["steps_ahead"] > 0]
    subtitle = (
        f"Members in 100 {still(forecast)}, by month of joining (rows, with members) and {forecast.unit}s "
        f"since {forecast.since} (columns). Filled: counted. Outlined and slanted: forecast; examined up to "
        f"{_ahead(forecast)} ahead. {_label(forecast)} in the table: cohorts differ, and chance."
    )
    alt = (
        f"Triangle of {drawn['cohort'].nunique()} joining months; its empty half is filled with "
        f"{plural(len(ahead), 'forecast share')} from {percent(ahead['retained'].max(), 0)} to "
        f"{percent(ahead['retained'].min(), 0)}. {brief_forecast(forecast)}"
    )
    return {"title": _newest(forecast), "subtitle": subtitle, "alt": alt}


def _ahead(forecast: Forecast) -> str:
    return span(forecast.step * forecast.ahead, forecast.unit)


def _label(forecast: Forecast) -> str:
    return label(forecast.mass, "prediction").capitalize() + "s"


def _newest(forecast: Forecast) -> str:
    """Name what the newest cohort of which something is counted is expected to keep, as far as is drawn."""
    counted = forecast.table.loc[forecast.table["steps_ahead"] == 0, "cohort"]
    drawn = forecast.drawn()
    drawn = drawn[drawn["steps_ahead"].between(1, forecast.ahead) & drawn["cohort"].isin(counted)]
    if drawn.empty:
        return _short(forecast)
    row = drawn.sort_values(["cohort", "steps_ahead"]).iloc[-1]
    kept = in_words(Interval.of(row, "retained", forecast.mass, "prediction").scaled(100), "", 0)
    after = span(int(row["duration"]), forecast.unit)
    return f"Of 100 who joined in {row['cohort']}, {kept} are expected to be {still(forecast)} after {after}"


def describe_forecast(forecast: Forecast) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of members to come."""
    cohorts = plural(forecast.table["cohort"].nunique(), "joining month")
    subtitle = (
        f"Members of {cohorts} expected never to have {had_gone(forecast)}, by {forecast.unit}s after the "
        f"last age that all of their month have reached. Band: {_label(forecast).lower()}. Later joiners do "
        "not count."
    )
    alt = f"Falling line with a band around it. {brief_forecast(forecast)}"
    return {"title": _short(forecast), "subtitle": subtitle, "alt": alt}


def race_table(forecast: Forecast) -> pd.DataFrame:
    """Return the table of models to show, best first; empty where none could be judged."""
    if forecast.race is None:
        return pd.DataFrame()
    table = forecast.race.table
    role = {forecast.race.chosen: "forecasts", forecast.race.plain: "plain rule"}
    return pd.DataFrame(
        {
            "model": table["model"],
            "role": table["model"].map(role).fillna(""),
            "off_in_100": table["score"],
            "more_than_plain_rule_in_100": table["against"],
            "standard_error_in_100": table["against_se"],
            "coverage": table["coverage"],
            "width_in_100": table["width"],
        }
    )


def describe_race(forecast: Forecast) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of models."""
    race = forecast.race
    if race is None:
        return {"title": "No model could be judged", "note": forecast.why_empty}
    won = f"The {_winner(race)} forecasts best" if race.beaten else "No law beats the plain rule"
    note = (
        f"Each model forecast, from {plural(race.origins, 'earlier date')}, {count(race.entries)} entries of "
        f"{plural(race.cohorts, 'cohort')} that were not known then, up to {_ahead(forecast)} ahead. "
        "Off: mean ranked probability score, in members in 100; smaller is better. More than plain rule: the "
        "difference to the rule that each age goes as in earlier cohorts; a law wins when better "
        "by more than twice the standard error (cohorts held together). Coverage: entries inside their "
        f"{forecast.mass * 100:g} % intervals. {_why_this_model(forecast)}"
    )
    return {"title": f"{won} on {count(race.entries)} entries it did not know", "note": note}


def tenure_table(forecast: Forecast) -> pd.DataFrame:
    """Return the expected time still to come by age as a table to show, with the unit in its names."""
    if forecast.tenure.empty:
        return pd.DataFrame()
    named = {f"time_ahead{end}": f"still_to_come_{forecast.unit}s{end}" for end in ("", "_low", "_high")}
    return forecast.tenure.rename(columns={**named, "duration": f"duration_{forecast.unit}s"})


def describe_tenure(forecast: Forecast) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of time still to come."""
    if forecast.why_empty:
        return {"title": "Time still to come is not told", "note": forecast.why_empty}
    within = span(forecast.tenure_within, forecast.unit)
    first, last = forecast.tenure.iloc[0], forecast.tenure.iloc[-1]
    title = (
        f"Of the next {within}, a new member is expected to be {still(forecast)} for "
        f"{number(first['time_ahead'], 0)}, one of {span(int(last['duration']), forecast.unit)} for "
        f"{number(last['time_ahead'], 0)}"
    )
    note = (
        f"Expected time {still(forecast)} within the next {within}, by {forecast.unit}s since "
        f"{forecast.since}, for a cohort like those seen; {_label(forecast).lower()} of a cohort's mean. "
        "Over all time it is not told: it would hang on those who never leave, whom nobody has followed."
    )
    return {"title": title, "note": note}
