from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.world.clock import DAY, draw_time_of_day, instant, iso, local_clock

START, END = instant("2024-01-01T00:00:00Z", "start"), instant("2025-07-01T00:00:00Z", "end")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")


#: The very seconds in which clocks change in Berlin, New York and on Lord Howe Island, and those before.
CHANGES = [
    instant(f"{text}Z", "at")
    for text in ("2024-03-31T01:00:00", "2024-11-03T06:00:00", "2025-04-05T15:00:00")
]
INSTANTS = st.integers(START, END) | st.sampled_from([*CHANGES, *(at - 1 for at in CHANGES)])


@given(zone=st.sampled_from(ZONES), at=INSTANTS)
@settings(deadline=None)
def test_local_time_is_that_of_zoneinfo_also_across_changes_of_the_clock(zone, at):
    clock = local_clock(zone, START, END)
    truth = datetime.fromtimestamp(at, ZoneInfo(zone))
    assert clock.weekday(np.array([at]))[0] == truth.weekday()
    assert clock.time_of_day(np.array([at]))[0] == truth.hour * 3600 + truth.minute * 60 + truth.second


@given(zone=st.sampled_from(ZONES), start=st.integers(START, END), time_of_day=st.integers(0, DAY - 1))
@settings(deadline=None)
def test_next_at_lies_in_the_day_from_start_at_that_local_time(zone, start, time_of_day):
    clock = local_clock(zone, START, END)
    found = clock.next_at(np.array([start]), np.array([time_of_day]))
    assert start <= found[0] < start + DAY
    off = (int(clock.time_of_day(found)[0]) - time_of_day) % DAY
    change = int(clock.local(found)[0] - found[0]) - int(clock.local(np.array([start]))[0] - start)
    assert off == change % DAY


def test_an_instant_is_read_in_any_offset_and_written_in_utc():
    assert iso(instant("2025-07-01T02:00:00+02:00", "as_of")) == "2025-07-01T00:00:00Z"
    assert instant(datetime(2025, 7, 1, tzinfo=UTC), "as_of") == instant("2025-07-01T00:00:00Z", "as_of")


@pytest.mark.parametrize(
    ("value", "said"), [("next week", "must be an instant"), ("2025-07-01", "must say its offset")]
)
def test_an_instant_that_cannot_be_read_or_has_no_offset_is_refused(value, said):
    with pytest.raises(ParameterError, match=f"'as_of' {said}"):
        instant(value, "as_of")


def test_a_time_zone_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="'time_zone' must be a name such as Europe/Berlin"):
        local_clock("Europe/Atlantis", START, END)


def test_times_of_day_follow_the_weights_of_hours():
    weights = np.arange(24.0)
    drawn = draw_time_of_day(weights, 200_000, np.random.default_rng(1)) // 3600
    shares = np.bincount(drawn, minlength=24) / len(drawn)
    expected = weights / weights.sum()
    # four standard errors of a share
    assert np.all(np.abs(shares - expected) <= 4 * np.sqrt(expected / len(drawn)))
