"""Local time in the engine equals Python's zoneinfo, across every change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.data.engine import connect
from sojourn.data.localtime import clock, clock_of

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half-hour offset with daylight saving
    "Asia/Kolkata",  # half-hour offset without
    "Australia/Lord_Howe",  # daylight saving of half an hour, southern hemisphere
    "America/Sao_Paulo",  # southern hemisphere, daylight saving given up in 2019
    "Pacific/Apia",  # skipped a whole day in 2011
    "Asia/Shanghai",
)
FIRST, LAST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
ENGINE = connect(threads=1)


def in_engine(values: list[datetime], expression: Any) -> list[Any]:
    """Evaluate an expression of the column `at`, in the order of `values`."""
    zone = "UTC" if values[0].tzinfo else None
    frame = pa.table({"i": range(len(values)), "at": pa.array(values, pa.timestamp("us", tz=zone))})
    table = ibis.memtable(frame)
    made = table.select("i", x=expression(table["at"])).order_by("i")
    return list(ENGINE.to_pyarrow(made)["x"].to_pylist())


def around_changes(zone: str) -> list[datetime]:
    """Return instants just before, at and after every change of the clock of a zone."""
    steps = [timedelta(seconds=s) for s in (-3601, -1800, -1, 0, 1, 1799, 3600, 5400)]
    return [at + step for at, _ in clock(zone, first=FIRST, last=LAST).changes for step in steps]


@pytest.mark.parametrize("zone", ZONES)
def test_what_the_clock_shows_around_each_change(zone: str) -> None:
    instants = around_changes(zone)
    shown = in_engine(instants, clock(zone, first=FIRST, last=LAST).time)
    assert shown == [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in instants]


@pytest.mark.parametrize(("zone", "changes"), [("UTC", 1), ("Europe/Berlin", 43), ("America/Sao_Paulo", 30)])
def test_every_change_is_found_once(zone: str, changes: int) -> None:
    # Berlin: twice a year in 21 years and the beginning; Sao Paulo: until February 2019
    assert len(clock(zone, first=FIRST, last=LAST).changes) == changes


@settings(deadline=None, max_examples=20)
@given(
    zone=st.sampled_from(ZONES),
    instants=st.lists(
        st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC)),
        min_size=1,
        max_size=20,
    ),
)
def test_day_and_hour_of_any_instant(zone: str, instants: list[datetime]) -> None:
    local = [at.astimezone(ZoneInfo(zone)) for at in instants]
    used = clock(zone, first=FIRST, last=LAST)
    assert in_engine(instants, used.day) == [at.date() for at in local]
    assert in_engine(instants, used.hour) == [at.hour for at in local]


@settings(deadline=None, max_examples=20)
@given(
    zone=st.sampled_from(ZONES),
    shown=st.lists(st.datetimes(datetime(2005, 1, 2), datetime(2025, 12, 31)), min_size=1, max_size=20),
)
def test_the_instant_at_which_a_clock_shows_a_time(zone: str, shown: list[datetime]) -> None:
    expected = [time.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC) for time in shown]
    assert in_engine(shown, clock(zone, first=FIRST, last=LAST).instant) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_times_shown_twice_or_never_are_read_as_zoneinfo_reads_them(zone: str) -> None:
    shown = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for at in around_changes(zone)]
    shown += [time + timedelta(minutes=30) for time in shown]
    expected = [time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for time in shown]
    used = clock(zone, first=datetime(2004, 1, 1, tzinfo=UTC), last=LAST + timedelta(days=400))
    assert in_engine(shown, used.instant) == expected


def test_the_utc_hour_is_not_kept() -> None:
    # the fault of a plain cast: 23:30 in London's summer is half past midnight of the next day in Berlin
    [day] = in_engine([datetime(2024, 7, 1, 22, 30, tzinfo=UTC)], clock("Europe/Berlin", last=LAST).day)
    assert str(day) == "2024-07-02"


def test_the_clock_of_a_case_covers_its_data() -> None:
    meta = {
        "first_instant": "2005-01-01T00:00:00Z",
        "as_of": "2026-01-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    assert clock_of(meta) == clock("Europe/Berlin", first=FIRST, last=LAST)


@pytest.mark.parametrize("zone", ["Europe/Berlyn", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ParameterError) as raised:
        clock(zone, last=LAST)
    assert str(raised.value) == (
        f"'time_zone' must be an IANA name such as 'Europe/Berlin' or 'UTC', got {zone!r}."
    )
