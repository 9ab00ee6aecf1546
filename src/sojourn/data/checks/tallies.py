"""Tallies of tidy tables: small, additive over days, and all that the rules on whole tables read."""

from __future__ import annotations

import ibis
from ibis import Table

from sojourn.core.schema import Table as Contract
from sojourn.data.localtime import Clock

_DAY = 86_400


def coverage(table: Table, contract: Contract, clock: Clock) -> Table:
    """Return ``day`` (local date), ``rows`` and ``members`` (null where rows have none) of a tidy table."""
    members = table.member.nunique() if "member" in table.columns else ibis.null("int64")
    days = table.group_by(day=clock.day(table[contract.time]))
    return days.agg(rows=table.count(), members=members).order_by("day")


def lateness(table: Table, contract: Contract) -> Table:
    """Return ``days_late`` (whole days from happening to ``recorded_at``, rounded down) and ``rows``."""
    seconds = table.recorded_at.epoch_seconds() - table[contract.time].epoch_seconds()
    known = table.filter(table.recorded_at.notnull())
    return (
        known.group_by(days_late=(seconds // _DAY).cast("int64"))
        .agg(rows=known.count())
        .order_by("days_late")
    )
