"""Parquet as pandas writes it by default comes through the door."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq

from sojourn.data.prepare import prepare


def frames(unit: str) -> dict[str, pd.DataFrame]:
    at = pd.date_range("2025-01-03T09:30:00Z", periods=3, freq="h", unit=unit)
    members = pd.DataFrame(
        {"member_id": ["a1", "a2", "a3"], "joined_at": at, "churned_at": [None] * 3, "channel": [None] * 3}
    )
    events = pd.DataFrame(
        {"member_id": ["a1", "a2", "a3"], "occurred_at": at, "event": "login", "amount": [None] * 3}
    )
    return {"members": members, "events": events}


def test_times_in_a_zone_may_be_counted_in_nanoseconds(project) -> None:
    made = [prepare(project.case(unit, frames(unit)), unit) for unit in ("us", "ns")]
    for table in ("members", "events"):
        first, second = (pq.read_table(folder / f"{table}.parquet") for folder in made)
        assert first.equals(second)
    assert str(second["occurred_at"].to_pylist()[0]) == "2025-01-03 09:30:00+00:00"


def test_a_column_in_which_nothing_is_filled_has_missing_values(project) -> None:
    made = prepare(project.case("shop", frames("us")), "shop")
    members, events = (pq.read_table(made / f"{table}.parquet") for table in ("members", "events"))
    for column in (members["churned_at"], members["channel"], events["amount"]):
        assert column.null_count == 3
