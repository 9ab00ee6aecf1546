"""What single members add to each sum of the portrait: one row per member and cell, never written."""

from __future__ import annotations

from ibis import Table

from sojourn.data.cells.portrait import days_late, known_events, sent_messages, visits
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

_MONEY = "decimal(38, 9)"


def contributions(tidy: Tidy) -> dict[str, Table]:
    """Return by ``table.column`` one row per member and cell, with what the member adds as ``amount``."""
    events = known_events(tidy)
    day = clock_of(tidy.meta).day(events.occurred_at)
    found = {
        "days.n": _counted(events.select("member", day=day)),
        "visits.visits": _counted(visits(tidy, events)),
        "kinds.events": _counted(events.select("member", "event")),
    }
    if "amount" in events.columns:
        found |= _money(events)
    if "recorded_at" in events.columns:
        found["late.rows"] = _counted(days_late(tidy, events))
    return found | (_messages(tidy) if "messages" in tidy.tables else {})


def _counted(rows: Table) -> Table:
    return rows.group_by(list(rows.columns)).agg(amount=rows.count())


def _money(events: Table) -> dict[str, Table]:
    paid, back = events.filter(events.amount > 0), events.filter(events.amount < 0)
    return {
        "money.purchases": _counted(paid.select("member")),
        "money.refunds": _counted(back.select("member")),
        "money.amount": _summed(paid),
        "money.refunded": _summed(back),
        "money.dearest": paid.group_by("member").agg(amount=paid.amount.max()),
    }


def _summed(rows: Table) -> Table:
    return rows.group_by("member").agg(amount=rows.amount.cast(_MONEY).sum())


def _messages(tidy: Tidy) -> dict[str, Table]:
    sent = sent_messages(tidy)
    each = _counted(sent.select("member", "channel"))
    found = {f"messages.{name}": each for name in ("sent", "opened", "clicked", "opted_out")}
    if "cost" in sent.columns:
        spent = sent.group_by("member", "channel").agg(amount=sent.cost.fill_null(0).cast(_MONEY).sum())
        found["messages.cost"] = spent
    return found
