"""Members with absurdly many events, absurd amounts, and a lasting log without findings, through the door."""

from __future__ import annotations

import pandas as pd
import pytest

from sojourn.data.prepare import prepare

HEAD = "member_id,occurred_at,event,amount\n"
#: 40 members, each with an event on every second day of 2025 until July, sometimes with 10 to 59 euros.
ROWS = [
    f"m{i},{day:%Y-%m-%d}T{8 + i % 12:02d}:{i:02d}:{day.dayofyear % 60:02d}Z,"
    f"{'buy' if i % 3 == 0 else 'view'},"
    f"{10 + (i * 7 + day.dayofyear) % 50 if i % 3 == 0 else ''}"
    for i in range(40)
    for day in pd.date_range("2025-01-01", "2025-06-30", freq="D")
    if (day.dayofyear + i) % 2
]


@pytest.fixture
def found(project):
    """Return the function that gives what is found when some rows are added."""

    def through(*more: str, **prepared) -> list[tuple[str, str, str, int]]:
        text = HEAD + "\n".join([*ROWS, *more]) + "\n"
        folder = prepare(project.case("shop", {"events": text}, prepare=prepared), "shop")
        rows = pd.read_parquet(folder / "findings.parquet")
        return list(rows[["level", "column", "finding", "concerned"]].itertuples(index=False, name=None))

    return through


def test_nothing_is_found_in_an_even_log(found):
    assert found(time_zone="UTC") == []


def test_a_member_with_two_thousand_events_on_a_day_is_found(found):
    more = [f"m1,2025-04-10T10:{i // 60 % 60:02d}:{i % 60:02d}.{i // 3600}Z,view," for i in range(2_000)]
    assert found(*more, time_zone="UTC") == [
        ("warning", "member_id", "of 1 member with more than 10 on one day", 2_090),
        ("warning", "member_id", "of 1 member with more than 910 in all", 2_090),
    ]


def test_an_order_of_a_million_is_found_by_kind(found):
    assert found("m1,2025-04-10T10:00:00Z,buy,1000000", time_zone="UTC") == [
        ("warning", "amount", "an absurd amount of 'buy', above 5,000.00", 1)
    ]


def test_money_back_and_nothing_paid_are_noted(found):
    more = ["m1,2025-04-10T10:00:00Z,buy,-5", "m1,2025-04-11T10:00:00Z,buy,0"]
    assert found(*more, time_zone="UTC") == [
        ("note", "amount", "a negative amount of 'buy'", 1),
        ("note", "amount", "an amount of zero of 'buy'", 1),
    ]


def test_times_without_offset_are_asked_about_until_the_case_says(found):
    row = "m1,2025-04-10T10:00:00,view,"
    zone = {"time_zone": "Europe/Berlin", "as_of": "2025-06-30T22:00:00Z", "after_as_of": "leave_out"}
    asked = [finding for level, _, finding, _ in found(row, **zone) if level == "warning"]
    assert asked == ["a time without an offset", "without an offset where others have one"]
    assert [level for level, *_ in found(row, clock="utc", **zone)] == []
