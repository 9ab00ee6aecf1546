"""What definitions and lapse windows say: sentences, titles, alt texts and tables to show."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.retention_definitions import GRADES, DefinitionLens, LapseWindow
from sojourn.core.text import count, in_words, listing, number, percent, plural, points
from sojourn.report.retention_words import span
from sojourn.report.say import register

_CHOICES = {
    "rule": "what keeps a member",
    "clock": "calendar days or 24 hours",
    "zone": "the time zone",
    "numbering": "whether the first day is day 0 or 1",
    "maturity": "whether newcomers count",
}


def describe_lens(result: DefinitionLens) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of definitions."""
    rows = result.drawn()
    subtitle = (
        f"Share of members kept at day N, by {plural(_ways(result), 'definition')} of the same log, of "
        "members seen from joining on. Diamonds: this page's own. Rings: others that hold up. Crosses: "
        "misleading ones, which read the future or count members who could not be followed so long."
        f"{_left_out(result)}"
    )
    said = [
        f"day {day} from {percent(of['share'].min())} to {percent(of['share'].max())}"
        for day, of in rows.groupby("day")
    ]
    alt = f"Rows of marks, one mark per definition: {'; '.join(said)}. {_own(result)}".rstrip()
    return {"title": _spread(result), "subtitle": subtitle, "alt": alt}


def _left_out(result: DefinitionLens) -> str:
    if not result.trivial.any():
        return ""
    return " Day 1, where it is the day of joining, is left out: everybody came then."


def _ways(result: DefinitionLens) -> int:
    return int(result.drawn()["definition"].nunique())


def _spread(result: DefinitionLens) -> str:
    """Say between what numbers definitions that hold up lie, and how much further misleading ones reach."""
    rows = result.drawn().query("day == @result.day")
    sound = rows[rows["grade"] != "misleading"]
    if sound.empty:
        return f"By misleading definitions, day-{result.day} retention reads {_to(*_range(rows))}"
    (low, high), (least, most) = _range(sound), _range(rows)
    between = f"{low} %" if f"{low} %" == high else f"between {low} and {high}"
    said = f"By definition alone, day-{result.day} retention reads {between}"
    if (least, most) == (low, high):
        return said
    return f"{said} ({_to(least, most)} with misleading ones)"


def _range(rows: pd.DataFrame) -> tuple[str, str]:
    return number(100 * rows["share"].min(), 0), percent(rows["share"].max(), 0)


def _to(low: str, high: str) -> str:
    return high if f"{low} %" == high else f"{low} to {high}"


def _own(result: DefinitionLens) -> str:
    rows = result.at(result.day)
    own = rows[rows["grade"] == "reference"]
    return "" if own.empty else f"This page's own reads {percent(float(own['share'].iloc[0]))}."


def brief_lens(result: DefinitionLens) -> str:
    """Return one short sentence: between what numbers the definition alone decides."""
    return f"{_spread(result)}. {_own(result)}".rstrip()


@register
def say_lens(result: DefinitionLens) -> str:
    """Say what the choice of a definition does, and which choice does most."""
    if result.why_empty:
        return result.why_empty
    rows = result.drawn().query("day == @result.day")
    said = [f"{_spread(result)}.", _own(result)]
    for grade, words in (("defensible", "Others that hold up read"), ("misleading", "Misleading ones read")):
        of = rows[rows["grade"] == grade]
        if len(of):
            said.append(f"{words} {_to(*_range(of))}.")
    return " ".join(part for part in (*said, _choices(result)) if part)


def _choices(result: DefinitionLens) -> str:
    """Say by how much each choice alone moves the plainest count, the largest first."""
    here = result.effects[result.effects["day"] == result.day]
    here = here.sort_values(["spread_points", "choice"], ascending=[False, True])
    if here.empty:
        return ""
    said = [
        f"{_CHOICES[choice]} {points(spread)}"
        for choice, spread in zip(here["choice"], here["spread_points"], strict=True)
    ]
    return f"Alone, each choice moves the plainest count by so many members in 100: {listing(said)}."


def lens_table(result: DefinitionLens) -> pd.DataFrame:
    """Return definitions as a table to show: one row each, one column per day.

    Returns
    -------
    DataFrame
        ``definition``, ``grade``, ``share_day_N`` for every day, ``caution``; this page's own first, then
        those that hold up, then misleading ones, each from low to high at the result's day.
    """
    rows = result.drawn()
    if rows.empty:
        return rows
    keys = ["grade", "definition", "caution"]
    wide = rows.pivot_table(index=keys, columns="day", values="share", sort=False)
    order = [f"share_day_{day}" for day in wide.columns]
    wide.columns = pd.Index(order)
    wide = wide.reset_index()
    rank = wide["grade"].map({grade: i for i, grade in enumerate(GRADES)})
    by = ["rank", f"share_day_{result.day}", "definition"]
    wide = wide.assign(rank=rank).sort_values(by, ignore_index=True)
    return wide[["definition", "grade", *order, "caution"]]


def describe_lens_table(result: DefinitionLens) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of definitions."""
    note = (
        f"{say_lens(result)} Days are those of the clock in {result.time_zone} where no other is named; only "
        "members followed long enough count where nothing else is said. A share is missing where it cannot "
        f"be known or is of fewer than {result.min_group} members.{_left_out(result)}"
    )
    return {"title": _spread(result), "note": note}


def describe_lapse_window(result: LapseWindow) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of silences."""
    subtitle = (
        f"Of silences that have lasted so many days, the share that end by day {count(result.followed_to)}. "
        "Silences of more than a day, those still running at the date of the data censored; no band, because "
        f"a member has several. The line is the rule: at most {percent(result.most_back, 0)} end."
    )
    drawn = result.drawn()
    first, last = drawn.iloc[0], drawn.iloc[-1]
    alt = (
        f"Falling curve from {percent(first['back_share'])} after {span(first['days'], 'day')} of silence to "
        f"{percent(last['back_share'])} after {span(last['days'], 'day')}. {say_lapse_window(result)}"
    )
    return {"title": _coming_back(result), "subtitle": subtitle, "alt": alt}


def _coming_back(result: LapseWindow) -> str:
    """Say how many silences as long as the own window end, and how long they are when few do."""
    own = _share(result, result.lapse)
    if own is None:
        return (
            f"Silences were followed for {span(result.followed_to, 'day')}, too briefly to judge the window"
        )
    said = (
        f"Of silences that have lasted {span(result.lapse or 0, 'day')}, {percent(own)} end by day "
        f"{count(result.followed_to)}"
    )
    most = percent(result.most_back, 0)
    if result.chosen is None:
        return f"{said}; no window brings it to {most}"
    if result.chosen == result.lapse:
        return f"{said}, as few as the rule asks"
    return f"{said}; at most {most} do after {span(result.chosen, 'day')}"


def _share(result: LapseWindow, window: int | None) -> float | None:
    if window is None:
        return None
    row = result.row(window)
    return float(row["back_share"]) if row["judged"] else None


def brief_lapse_window(result: LapseWindow) -> str:
    """Return one short sentence: how many silences end."""
    return f"{_coming_back(result)}."


@register
def say_lapse_window(result: LapseWindow) -> str:
    """Say how many silences end, and what hangs on the window."""
    if result.why_empty:
        return result.why_empty
    return " ".join(part for part in (f"{_coming_back(result)}.", _so_far(result), _hangs_on(result)) if part)


def _so_far(result: LapseWindow) -> str:
    """Say how many members who lapsed under the own window have come back so far."""
    row = result.row(result.lapse) if result.lapse else None
    if row is None or pd.isna(row["so_far_share"]):
        return ""
    so_far = in_words(result.back(result.lapse or 0).scaled(100), "%")
    return (
        f"So far {so_far} of {count(row['lapsed'])} members whose first silence began long enough ago have "
        "come back."
    )


def _hangs_on(result: LapseWindow) -> str:
    """Say between what the headline lies under the shortest and the longest window it can be read with."""
    known = result.table[result.table["claimed"].astype(bool)]["window"].tolist()
    if len(known) < 2:
        return ""
    said = [f"{_read(result.retained(w))} with {span(w, 'day')}" for w in (known[0], known[-1])]
    return (
        f"The share not yet silent for a whole window at day {result.horizon} reads {listing(said, 'and')}: "
        "it answers a question about the window, too."
    )


def _read(interval: Interval) -> str:
    return in_words(interval.scaled(100), "%")


def windows_table(result: LapseWindow) -> pd.DataFrame:
    """Return windows as a table to show.

    Returns
    -------
    DataFrame
        ``window`` (days), ``mark`` (this page's; by the rule), ``back_share``, ``lapsed``, ``came_back``,
        ``so_far_share`` and ``retained`` with bounds where they are claimed.
    """
    table = result.table.copy()
    marks = {result.chosen: "by the rule", result.lapse: "this page's"}
    if result.chosen == result.lapse:
        marks = {result.lapse: "this page's, by the rule"}
    table["mark"] = [marks.get(window, "") for window in table["window"]]
    table.loc[~table["claimed"].astype(bool), ["retained_low", "retained_high"]] = float("nan")
    shares = [f"{name}{end}" for name in ("so_far_share", "retained") for end in ("", "_low", "_high")]
    return table[["window", "mark", "back_share", "lapsed", "came_back", *shares]]


def describe_windows(result: LapseWindow) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of windows."""
    note = (
        f"{say_lapse_window(result)} By window, in days: the share of silences so long that end within "
        f"{span(result.followed_to, 'day')} (missing where silences were not followed for as long again), "
        "members whose first silence of that length was seen in full and how many of them have come back so "
        "far (exact interval), and the share not yet silent for so long at day "
        f"{result.horizon} (log-log interval). All intervals {number(100 * result.mass, 0)} %."
    )
    return {"title": _coming_back(result), "note": note}
