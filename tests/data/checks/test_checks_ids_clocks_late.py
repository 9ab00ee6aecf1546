"""Ids that are one, instants at which clocks start anew, rows that arrive late."""

from __future__ import annotations

import json
from datetime import date

import ibis
import pytest

from sojourn.data.checks.clocks import reset_days
from sojourn.data.checks.ids import alike, doubled
from sojourn.data.checks.late import incomplete, later_than
from sojourn.data.prepare import prepare


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("7", "7"), ("007", "7"), ("7.0", "7"), (" 7 ", "7"), ("0", "0"), ("000", "0"), ("7.", "7"),
        ("1e+06", "1000000"), ("1.5e3", "1500"), ("7.5", "7.5"), ("A7", "A7"), ("A007", "A007"), ("1e", "1e"),
        ("-7", "-7"), ("M7 ", "M7"), ("12345678901234567890", "12345678901234567890"),
    ],
)  # fmt: skip
def test_ids_as_whole_numbers_are_written(text, plain):
    assert alike(ibis.literal(text)).execute() == plain


def test_members_under_several_ids_are_counted_once_each():
    numbers = ibis.memtable({"member_id": ["7", "007", "7.0", "8", "08", "9", "x"]})
    assert doubled(numbers) == 2


def test_a_day_of_resets_is_one_that_nothing_follows():
    odd, first = date(1970, 1, 1), date(2024, 3, 1)
    assert reset_days([first, odd]) == [odd]
    assert reset_days([date(1969, 12, 31), date(2000, 1, 1), first]) == [date(1969, 12, 31), date(2000, 1, 1)]


def test_days_that_the_data_go_on_from_are_their_own():
    assert reset_days([date(2000, 1, 1), date(2000, 1, 3), date(2000, 2, 1)]) == []
    assert reset_days([date(1970, 1, 1)]) == []  # all rows are there: nothing else to believe
    assert reset_days([date(2023, 1, 1), date(2025, 1, 1)]) == []


def test_lateness_is_counted_over_all_rows():
    late = {0: 900, 1: 60, 3: 30, 8: 10}
    assert [later_than(late, 1_000, days) for days in (1, 3, 7, 8)] == [0.1, 0.04, 0.01, 0.01]
    assert incomplete(late, 1_000) == 3  # 4 % come after 3 days or more, 1 % after 4
    assert incomplete({0: 1_000}, 1_000) == 0


def test_resets_do_not_begin_the_observation(project):
    rows = [f"{i % 7},2025-03-{1 + i % 20:02d}T10:00:{i % 60:02d}Z,view" for i in range(60)]
    text = "\n".join(["member_id,occurred_at,event", *rows, "3,1970-01-01T00:00:00Z,view"]) + "\n"
    members = "member_id,joined_at\n" + "".join(f"{i},2025-03-01T00:00:00Z\n" for i in range(7))
    folder = prepare(project.case("shop", {"events": text, "members": members}), "shop")
    said = json.loads((folder / "tidy.json").read_text())
    assert (said["observed_from"], said["first_instant"]) == ("2025-03-01T00:00:00Z", "1970-01-01T00:00:00Z")
