"""Quality: what is carried, what is not and why; days without events; how late rows come."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.cells import Cells

BROUGHT = {
    "members": ["member", "joined_at", "churned_at"],
    "events": ["member", "occurred_at", "event", "amount"],
}
COLUMNS = ["table", "column", "level", "finding", "hint", "rows", "concerned"]


def cells(
    *, findings=(), days=365, members=1_000, left=300, present=None, arms=None, rows=None, late=None, **meta
):
    """Return cells of quality by hand."""
    first = date(2024, 1, 1)
    counts = rows if rows is not None else [10] * 30
    tables = {
        "findings": pd.DataFrame(findings, columns=COLUMNS),
        "columns": pd.DataFrame(
            [("members", "member_id", 1_000, 0, 1_000), ("events", "event", 5_000, 50, 3)],
            columns=["table", "column", "rows", "missing", "distinct"],
        ),
        "coverage": pd.DataFrame(
            [("events", first + timedelta(n), k, min(k, 5)) for n, k in enumerate(counts) if k],
            columns=["table", "day", "rows", "members"],
        ),
    }
    if late is not None:
        tables["lateness"] = pd.DataFrame(late, columns=["table", "days_late", "rows"])
    if arms is not None:
        tables["arms"] = pd.DataFrame(arms, columns=["trial", "scheme", "members"])
    said = {
        "as_of": "2025-01-01T00:00:00Z",
        "read": {"members": 1_010, "events": 5_200},
        "kept": {"members": members, "events": 5_000},
        "present": present or BROUGHT,
        "days": days,
        "members": members,
        "left": left,
        **meta,
    }
    return Cells("shop", "quality", tables, said)


def carries(made, study):
    return next(c for c in sj.quality(made).carried if c.study == study)


def finding(table, column, level="warning", concerned=7):
    return (table, column, level, "odd", "Look.", 5_000, concerned)


ARMS = [("main", "none", 400), ("main", "coupon", 380)]


def test_sound_data_carry_everything():
    found = sj.quality(cells(arms=ARMS))
    assert [c.carries for c in found.carried] == ["yes"] * 4
    headline = sj.headline_quality(found, sj.check_quality(found))
    assert headline.verdict == "sound"
    assert "4 questions" in headline.sentence
    assert "no warning" in headline.sentence


@pytest.mark.parametrize(
    ("changes", "study", "carried", "word"),
    [
        ({}, "trials", "no", "assignments"),
        ({"arms": [("main", "none", 400)]}, "trials", "no", "two schemes"),
        ({"arms": [("main", "none", 400), ("main", "coupon", 19)]}, "trials", "no", "at least 20"),
        ({"arms": [("a", "none", 400), ("b", "coupon", 400)]}, "trials", "no", "two schemes"),
        ({"present": {**BROUGHT, "members": ["member"]}}, "retention", "with care", "silence"),
        ({"left": 0}, "retention", "with care", "nobody has left"),
        ({"days": 89}, "retention", "with care", "89 days at most"),
        ({"days": 90}, "retention", "yes", "no warning"),
        ({"days": 149}, "segments", "no", "149 days"),
        ({"days": 150}, "segments", "yes", "no warning"),
        ({"members": 19}, "portrait", "no", "fewer than 20"),
        ({"arms": ARMS, "present": {**BROUGHT, "events": ["member"]}}, "trials", "with care", "no amounts"),
        ({"findings": [finding("events", "amount")]}, "segments", "with care", "events.amount"),
        ({"findings": [finding("events", "amount")]}, "retention", "yes", "no warning"),
        ({"findings": [finding("events", "")]}, "retention", "with care", "first at events"),
        ({"findings": [finding("events", "occurred_at", "note")]}, "retention", "yes", "no warning"),
        ({"findings": [finding("tickets", "topic")]}, "segments", "yes", "no warning"),
    ],
)
def test_what_is_carried(changes, study, carried, word):
    found = carries(cells(**changes), study)
    assert (found.carries, word in found.why.lower()) == (carried, True), found.why


def test_without_events_and_cancellations_nothing_says_who_left():
    made = cells(present={"members": ["member", "joined_at"]}, kept={"members": 1_000})
    assert carries(made, "retention").carries == "no"
    assert carries(made, "segments").carries == "no"
    assert carries(made, "portrait").carries == "with care"


def test_warnings_come_first_and_those_of_most_rows_before_others():
    rows = [
        finding("events", "a", "note", 900),
        finding("events", "b", concerned=3),
        finding("members", "c", concerned=50),
    ]
    found = sj.quality(cells(findings=rows))
    assert found.findings["column"].tolist() == ["c", "b", "a"]
    assert len(found.warnings) == 2
    checks = sj.check_quality(found)
    assert [c.verdict for c in checks if c.name.startswith("Table")] == ["warn", "warn"]
    assert sj.next_steps_quality(found)[0].what.startswith("members.c")


def test_rows_that_were_left_out_are_counted_and_many_warn():
    few, many = (sj.quality(cells(read={"events": n}, kept={"events": 5_000})) for n in (5_100, 5_400))
    assert (few.left_out, many.left_out) == (100, 400)
    assert [sj.check_quality(found)[0].verdict for found in (few, many)] == ["pass", "warn"]


def test_days_without_events_are_gaps_and_days_not_complete_are_told():
    found = sj.quality(cells(rows=[5, 0, 0, 7, 9], incomplete_days=["2024-01-05"])).coverage
    assert found.gaps == ("2024-01-02", "2024-01-03")
    assert found.table["rows"].tolist() == [5, 0, 0, 7, 9]
    assert sj.say(found) == "2 days of 5 have no event; from 5 January 2024 on days are not complete yet."
    assert sj.plot_coverage(found).get_ylim()[0] == 0


def test_no_events_at_all_are_said_and_not_drawn():
    found = sj.quality(cells(rows=[])).coverage
    assert found.why_empty
    with pytest.raises(sj.core.errors.UndefinedError):
        sj.plot_coverage(found)


def test_shares_known_after_some_days_add_up():
    late = [("events", 0, 60), ("events", 2, 30), ("events", 9, 10), ("messages", 1, 5)]
    found = sj.quality(cells(late=late)).lateness
    assert found.table["known_share"].round(6).tolist() == [0.6, 0.9, 1.0, 1.0]
    frame = sj.lateness_frame(found)
    events = frame.set_index("table").loc["events"]
    assert (events["known_share_1_days"], events["known_share_3_days"], events["known_share_14_days"]) == (
        0.6,
        0.9,
        1,
    )


def test_everything_that_is_shown_has_words():
    found = sj.quality(cells(findings=[finding("events", "amount")], late=[("events", 0, 5)]))
    for part in (found, found.coverage, found.lateness):
        assert sj.describe_quality(part)["title"]
        assert sj.say(part).endswith(".")
    assert len(sj.key_figures_quality(found)) == 4
    assert sj.carried_frame(found)["carries"].tolist() == ["with care", "yes", "no", "with care"]
