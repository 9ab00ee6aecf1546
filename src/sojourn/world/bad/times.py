"""Faults in times: conventions, their mixtures, epochs, swapped days and months, clocks that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from sojourn.world.bad.fault import Change, Fault, Given, filled, first, some, written
from sojourn.world.bad.sheet import Sheet, iso

#: How far ahead a wrong clock is; further than any `as_of` of a world lies behind its last event.
AHEAD = timedelta(days=3653)
_EXCEL = pd.Timestamp("1899-12-30", tz="UTC")
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
_SECOND, _MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
Write = Callable[[pd.Timestamp, Given], str]


def _as(*ways: Write) -> Callable[[Sheet, Given], Change]:
    """Plant a fault that writes a table's time in one way, or in several by turns drawn at random."""

    def plant(sheet: Sheet, given: Given) -> Change:
        column = sheet.contract.time
        places = filled(sheet, column)
        turns = given.rng.permutation(np.arange(len(places)) % len(ways))
        instants = sheet.instants_at(column, places)
        values = [ways[turn](instant, given) for turn, instant in zip(turns, instants, strict=True)]
        return written(sheet, column, places, values)

    return plant


def _z(instant: pd.Timestamp, given: Given) -> str:  # noqa: ARG001 (ways share one shape)
    return iso(instant)


def _local(instant: pd.Timestamp, given: Given) -> str:
    return instant.tz_convert(given.zone).tz_localize(None).isoformat(sep=" ")


def _offset(instant: pd.Timestamp, given: Given) -> str:
    return instant.tz_convert(given.zone).isoformat()


def _zone_name(instant: pd.Timestamp, given: Given) -> str:
    return f"{_local(instant, given)} {given.zone.key}"


def _epoch(step: timedelta) -> Write:
    return lambda instant, given: str((instant - _EPOCH) // step)  # noqa: ARG005


def _excel(instant: pd.Timestamp, given: Given) -> str:  # noqa: ARG001 (ways share one shape)
    return f"{(instant - _EXCEL).total_seconds() / 86_400:.6f}"


def _swapped(instant: pd.Timestamp, given: Given) -> str:  # noqa: ARG001 (ways share one shape)
    return iso(instant.replace(month=instant.day, day=instant.month) if instant.day <= 12 else instant)


def _strftime(pattern: str) -> Write:
    return lambda instant, given: instant.strftime(pattern)  # noqa: ARG005


def _parquet_epoch(sheet: Sheet, given: Given) -> Change:
    change = _as(_epoch(_MILLISECOND))(sheet, given)
    types = {change.column: pa.int64()}
    return replace(change, sheet=replace(change.sheet, form="parquet", types=types))


def _moved(move: Callable[[pd.Timestamp, Given], pd.Timestamp]) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:
        column = sheet.contract.time
        places = some(given, filled(sheet, column), 5)
        instants = sheet.instants_at(column, places)
        return written(sheet, column, places, [iso(move(instant, given)) for instant in instants])

    return plant


def _reset(instant: pd.Timestamp, given: Given) -> pd.Timestamp:  # noqa: ARG001 (moves share one shape)
    return _EPOCH


def _some_days(given: Given, n: int) -> list[timedelta]:
    return [timedelta(seconds=int(s)) for s in given.rng.integers(86_400, 30 * 86_400, size=n)]


def _before_joining(sheet: Sheet, given: Given) -> Change:
    joined = given.members.instants("joined_at").set_axis(given.members.rows["member_id"])
    known = sheet.rows["member_id"].isin(joined.index).to_numpy()
    places = some(given, [int(place) for place in known.nonzero()[0]], 5)
    starts = [joined[owner] for owner in sheet.texts("member_id", places)]
    values = [iso(at - days) for at, days in zip(starts, _some_days(given, len(places)), strict=True)]
    return written(sheet, sheet.contract.time, places, values)


def _negative(sheet: Sheet, given: Given) -> Change:
    ends = [end.column for end in sheet.contract.ends if end.column in sheet.rows.columns]
    column = first(ends, sheet.table)
    places = some(given, filled(sheet, column), 5)
    starts = sheet.instants_at(sheet.contract.time, places)
    values = [iso(at - days) for at, days in zip(starts, _some_days(given, len(places)), strict=True)]
    return written(sheet, column, places, values)


FAULTS = (
    Fault(
        "local_times", "Times are those of a local clock, without offset.",
        _as(_local), "events", "warning", "values",
    ),
    Fault(
        "times_with_offset", "Times are local and state their offset.",
        _as(_offset), "events", "accepted", "values",
    ),
    Fault(
        "times_with_offset_or_z", "Some times state their local offset, others end in Z.",
        _as(_offset, _z), "events", "accepted", "values",
    ),
    Fault(
        "mixed_times", "Some times are local without offset, others state it, others end in Z.",
        _as(_local, _offset, _z), "events", "warning", "values",
    ),
    Fault(
        "names_of_time_zones", "Times state the name of their zone.",
        _as(_zone_name), "events", "error", "values",
    ),
    Fault(
        "epoch_seconds", "Times count seconds since 1970.",
        _as(_epoch(_SECOND)), "events", "error", "values",
    ),
    Fault(
        "epoch_milliseconds", "Times count milliseconds since 1970.",
        _as(_epoch(_MILLISECOND)), "events", "error", "values",
    ),
    Fault(
        "epoch_in_parquet", "Times count milliseconds since 1970, in a Parquet column of whole numbers.",
        _parquet_epoch, "events", "error", "values",
    ),
    Fault("excel_days", "Times count days since 1899-12-30.", _as(_excel), "events", "error", "values"),
    Fault(
        "day_first", "Times are written with the day first: 31.01.2025 09:30:00.",
        _as(_strftime("%d.%m.%Y %H:%M:%S")), "events", "error", "values",
    ),
    Fault(
        "month_first", "Times are written with the month first: 01/31/2025 09:30 AM.",
        _as(_strftime("%m/%d/%Y %I:%M %p")), "events", "error", "values",
    ),
    Fault(
        "swapped_day_and_month", "Day and month have changed places wherever both can be either.",
        _as(_swapped), "events", "error", "values",
    ),
    Fault(
        "future_clocks", "Some clocks are ten years ahead.",
        _moved(lambda instant, given: instant + AHEAD), "events", "error", "values",  # noqa: ARG005
    ),
    Fault(
        "reset_clocks", "Some clocks stand at the beginning of 1970.",
        _moved(_reset), "events", "warning", "values",
    ),
    Fault(
        "events_before_joining", "Some events lie before their member joined.",
        _before_joining, "events", "note", "values",
    ),
    Fault(
        "negative_durations", "Some memberships end before they begin.",
        _negative, "members", "error", "values",
    ),
)  # fmt: skip
