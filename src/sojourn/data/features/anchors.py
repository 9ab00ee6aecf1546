"""Members, each with the instant up to which is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ibis
from ibis import Table, Value

from sojourn.data.activity import DAY_US, in_micros, micros
from sojourn.data.tidy import Tidy


def day_before(instant_us: Value, as_of: datetime) -> Value:
    """Return the last instant not after another that lies whole days (of 24 hours) before `as_of`.

    Parameters
    ----------
    instant_us : ibis Value
        Microseconds since 1970 in UTC.
    as_of : datetime
        Instant of the analysis.

    Returns
    -------
    ibis Value
        Microseconds since 1970; the instant itself where it lies whole days before `as_of`.
    """
    rest = micros(as_of) % DAY_US
    return (instant_us - rest) // DAY_US * DAY_US + rest


@dataclass(frozen=True, slots=True)
class Anchors:
    """Members, each with the instant up to which its doings are counted.

    Attributes
    ----------
    table : ibis Table
        ``member`` and ``at_us`` (microseconds since 1970, whole days before `as_of`), unique together.
    as_of : datetime
        Instant of the analysis.
    shared : datetime or None
        The instant, where all members have the same: it need not be looked up row by row.
    """

    table: Table
    as_of: datetime
    shared: datetime | None = None

    @property
    def keys(self) -> list[str]:
        """Columns by which what is counted belongs to an anchor."""
        return ["member"] if self.shared else ["member", "at_us"]

    def facing(self, rows: Table) -> Table:
        """Return rows of members with ``at_us``: each as often as the member has anchors."""
        if self.shared:
            return rows.mutate(at_us=ibis.literal(micros(self.shared), "int64"))
        return rows.inner_join(self.table.select("member", "at_us"), "member")

    def with_columns(self, table: Table, counted: Table) -> Table:
        """Return a table of anchors with the columns of another, empty where it has no row."""
        joined = table.left_join(counted, self.keys)
        return joined.drop(*[name for name in joined.columns if name.endswith("_right")])

    def block(self, rows: Table, *, until_before: bool = False) -> Value:
        """Return the number of the 24 hours that end at each row's anchor, or before it, as in `activity`."""
        return (rows.at_us - int(until_before) - micros(self.as_of) % DAY_US) // DAY_US


def anchors_of(tidy: Tidy, table: Table, shared: datetime | None) -> Anchors:
    """Return anchors of a case."""
    return Anchors(table, datetime.fromisoformat(tidy.meta["as_of"]), shared)


def known_events(events: Table) -> Value:
    """Return whether events that face anchors had happened and were known at these (``at_us``)."""
    happened = in_micros(events.occurred_at) <= events.at_us
    if "recorded_at" not in events.columns:
        return happened
    return happened & (events.recorded_at.isnull() | (in_micros(events.recorded_at) <= events.at_us))
