"""Who joined, left or was there in a period."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis import Table

from sojourn.data.reconcile.activity import by_group
from sojourn.data.reconcile.people import FLAGS


def moved(people: Table, periods: Table, bys: Sequence[str]) -> Table:
    """Return how many members joined, left or were there in each period.

    Parameters
    ----------
    people : Table
        On the clock of a zone.
    periods : Table
        From `grid.periods`; calendar ones count.

    Returns
    -------
    Table
        ``unit``, ``period``, ``what`` (``joined``, ``first_event``, ``left``, ``left_of_start``,
        ``at_start``, ``at_end``), ``by``, ``group``, flags, ``members``.
    """
    calendar = periods.filter(periods.window == "calendar").select("unit", "period", "first", "last")
    both = people.cross_join(calendar)
    first, last = both["first"], both["last"]
    left = both.churned_day.between(first, last).fill_null(False)
    gone = ibis.ifelse(both.churned_day.isnull(), ibis.literal(10**6, "int64"), both.churned_day)
    happened = {
        "joined": both.joined_day.between(first, last),
        "first_event": both.first_day.between(first, last).fill_null(False),
        "left": left,
        "left_of_start": left & (both.joined_day < first),
        "at_start": (both.joined_day < first) & (gone >= first),
        "at_end": (both.joined_day <= last) & (gone > last),
    }
    parts = [both.filter(holds).mutate(what=ibis.literal(what)) for what, holds in happened.items()]
    return by_group(ibis.union(*parts), bys, ["unit", "period", "what", *FLAGS], [])
