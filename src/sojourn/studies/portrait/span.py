"""From which day to which a case was observed, on its own clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from sojourn.core.cells import Cells


def first_day(cells: Cells) -> date:
    """Return the first day of observation, of which the whole was seen."""
    begin = _local(cells, "observed_from")
    return begin.date() if begin.time() == datetime.min.time() else begin.date() + timedelta(days=1)


def last_day(cells: Cells) -> date:
    """Return the last day before ``as_of``, of which the whole was seen."""
    return _local(cells, "as_of").date() - timedelta(days=1)


def by_day(cells: Cells, what: str) -> pd.Series[int]:
    """Return how often something happened on each whole day (``what`` of the table ``days``)."""
    rows = cells["days"]
    rows = rows[rows["what"] == what]
    counts = rows.set_index(pd.to_datetime(rows["day"]))["n"]
    days = pd.date_range(first_day(cells), last_day(cells))
    return counts.reindex(days).fillna(0).astype(int)


def _local(cells: Cells, name: str) -> datetime:
    zone = ZoneInfo(cells.meta["time_zone"])
    return datetime.fromisoformat(cells.meta[name]).astimezone(zone).replace(tzinfo=None)
