"""What members did, by day: the small table that cells read in place of the events.

A row is what one member did on one local day, as far as it became known within the same 24 hours, counted
back from `as_of`. So whatever is asked of a cut that lies whole days before `as_of` is a sum, a minimum, a
maximum or a count of different days over rows:

- events between the first and the last of a row lie within 24 hours, so gaps longer than a day are gaps
  between rows (``first_us``, ``last_us``);
- no row has events on both sides of a cut, nor events that were known on both sides of it (``known``).

Rows of a day of events are a function of these events alone, and do not change while `as_of` moves by whole
days. A member may have several rows of a day. Kinds of events are not told apart: by kind and day the table
would have nearly as many rows as the events, so who asks for kinds reads ``event`` and ``feature`` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis import Table, Value

from sojourn.data.engine import as_named, stream
from sojourn.data.localtime import Clock, clock_of
from sojourn.data.parquet import write_parquet
from sojourn.data.tidy import Tidy

#: Names and types as they are stored.
SCHEMA = pa.schema(
    [
        ("member", pa.int64()),
        ("day", pa.date32()),  # on the case's clock
        (
            "known",
            pa.int32(),
        ),  # number since 1970 of the 24 hours, up to as_of's time of day, it came in
        ("n", pa.int32()),  # events
        ("first_us", pa.int64()),  # microseconds since 1970 in UTC
        ("last_us", pa.int64()),
        ("purchases", pa.int32()),  # events with an amount above zero
        ("paid", pa.decimal128(38, 4)),  # sum of amounts; empty where no event has one
    ]
)

#: Rows that are summed at once while the table is written, rather more than fit into a processor's cache.
_AT_ONCE = 1_048_576
#: Microseconds of 24 hours.
DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def activity(events: Table, as_of: datetime, clock: Clock) -> Table:
    """Return what members did, by day, of the tidy events that were known at `as_of`.

    Parameters
    ----------
    events : ibis Table on DuckDB
        ``member``, ``occurred_at`` and, where they are known, ``amount`` and ``recorded_at``.
    as_of : datetime
        Instant of the analysis.
    clock : Clock
        Of the case.

    Returns
    -------
    ibis Table
        Columns of `SCHEMA`.
    """
    at = in_micros(events.occurred_at)
    known_at = at
    if "recorded_at" in events.columns:
        known_at = ibis.greatest(at, in_micros(events.recorded_at).fill_null(at))
    rows = events.select(
        "member",
        amount=events.amount if "amount" in events.columns else ibis.null("decimal(18, 4)"),
        day=make_date(((at // 1_000_000 + clock.offset(events.occurred_at)) // 86_400).cast("int32")),
        block=block_number(at, as_of),
        known=block_number(known_at, as_of),
        at=at,
        known_at=known_at,
    )
    rows = rows.filter(rows.known_at <= micros(as_of))
    summed = rows.group_by("member", "day", "block", "known").agg(
        n=rows.count(),
        first_us=rows["at"].min(),
        last_us=rows["at"].max(),
        purchases=(rows.amount > 0).cast("int32").sum().fill_null(0),
        paid=rows.amount.sum().cast("decimal(38, 4)"),
    )
    return summed.select(*SCHEMA.names)


def write_activity(
    engine: Any, folder: Path, as_of: datetime, clock: Clock, *, events: str = "events", to: str = "activity"
) -> int:
    """Write the activity of a file of tidy events, some members at a time, and return the number of rows.

    Parameters
    ----------
    engine : ibis backend
        DuckDB.
    folder : Path
        Of the tidy tables.
    as_of, clock : datetime, Clock
        As in `activity`.
    events, to : str
        Files below `folder`, without their suffix: the events of all members, or of a day, ordered by member;
        and the one to write, whose bytes depend on these events alone.
    """
    path = folder / f"{events}.parquet"
    table = engine.read_parquet(as_named(path))

    def batches() -> Iterator[pa.RecordBatch]:
        for first, following in pairwise(_cuts(path)):
            some = table.filter((table.member >= first) & (table.member < following))
            made = activity(some, as_of, clock).order_by(["member", "first_us", "known"])
            yield from stream(engine, made)

    return write_parquet(folder / f"{to}.parquet", SCHEMA, batches())


def activity_of(tidy: Tidy, study: str) -> Table:
    """Return the activity of a case: as the door wrote it, or made anew where tables never passed a door.

    Raises
    ------
    MissingTableError
        When the case has no events.
    """
    events = tidy.table("events", study)
    if "activity" in tidy.tables:
        return tidy.tables["activity"]
    return activity(events, datetime.fromisoformat(tidy.meta["as_of"]), clock_of(tidy.meta))


def known_by(rows: Table, instant: datetime, as_of: datetime) -> Value:
    """Return whether rows of activity had happened and were known at an instant whole days before `as_of`.

    Raises
    ------
    ValueError
        When the instant lies at another time of day, where rows may be half known.
    """
    days, rest = divmod(micros(instant) - micros(as_of) % DAY_US, DAY_US)
    if rest:
        raise ValueError(f"{instant} does not lie whole days before {as_of}.")
    return rows.known <= days


def micros(instant: datetime) -> int:
    """Return microseconds since 1970 in UTC, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_at(micros_since: int) -> datetime:
    """Return the instant so many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=int(micros_since))


def in_micros(instant: Value) -> Value:
    """Return microseconds since 1970 in UTC, exactly, by what the engine has for it.

    The way by Ibis alone goes through a calendar on DuckDB, at ten times the cost, and rounds.
    """
    engine = instant.get_backend().name
    if engine in _MICROS:
        return _MICROS[engine](instant)
    whole = instant.cast("timestamp").truncate("s").epoch_seconds().cast("int64")
    return whole * 1_000_000 + instant.cast("timestamp").microsecond().cast("int64")


def block_number(micros_of: Value, as_of: datetime) -> Value:
    """Return the number of the 24 hours (a, b] that an instant lies in, where `as_of` is one such b."""
    return (micros_of + (DAY_US - 1 - micros(as_of) % DAY_US)) // DAY_US


def _cuts(events: Path) -> list[int]:
    """Return the members with whom parts of at least `_AT_ONCE` rows begin, and one beyond the last."""
    metadata = pq.read_metadata(events)
    cuts, held = [0], 0
    for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
        members = group.column(0).statistics
        if held >= _AT_ONCE and members.min > cuts[-1]:
            cuts, held = [*cuts, members.min], 0
        held += group.num_rows
        end = members.max + 1
    return [*cuts, end] if metadata.num_row_groups else cuts


@ibis.udf.scalar.builtin(name="epoch_us")  # type: ignore[untyped-decorator]
def _epoch_us(instant: ibis.dtype("timestamp('UTC')")) -> int:  # type: ignore[valid-type, empty-body]
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="unix_micros")  # type: ignore[untyped-decorator]
def _unix_micros(instant: ibis.dtype("timestamp('UTC')")) -> int:  # type: ignore[valid-type, empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin(name="make_date")  # type: ignore[untyped-decorator]
def make_date(days: ibis.dtype("int32")) -> ibis.dtype("date"):  # type: ignore[valid-type]
    """DuckDB's own: the date so many days after 1970 began."""


_MICROS = {"duckdb": _epoch_us, "pyspark": _unix_micros}
