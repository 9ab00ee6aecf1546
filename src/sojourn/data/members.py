"""Members: derived from events where there is no table of them, numbered, and who of them is kept."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw, read
from sojourn.data.rules import is_expired, is_late, refused
from sojourn.data.settings import Settings


def from_events(events: Raw, settings: Settings) -> Raw:
    """Return a raw table of members who joined with their first event."""
    seen = read(events, settings).filter(ibis._.member_id.notnull() & ibis._.occurred_at.notnull())
    first = seen.group_by("member_id").agg(joined_at=seen.occurred_at.min())
    return Raw("members", first, events.shown, "utc", explain=events.explain)


def number(engine: Any, members: Table, settings: Settings, left_out: Table | None = None) -> Table:
    """Return ``member_id``, ``joined_at`` and ``member`` of all members.

    `member` is dense from 0 in the order of joining, then of the id as text; who is not kept has none.

    Parameters
    ----------
    engine : ibis backend
        What keeps the table.
    members : ibis Table
        Typed rows of `members`.
    settings : Settings
        Of the case.
    left_out : ibis Table, optional
        ``member_id`` of members who are left out for another reason than `is_kept` knows.

    Raises
    ------
    DataError
        When nobody is kept.
    """
    kept = members.filter(is_kept(members, settings)).select("member_id", "joined_at")
    if left_out is not None:
        kept = kept.anti_join(left_out, "member_id")
    order = ibis.window(order_by=[kept.joined_at, kept.member_id])
    numbered = kept.mutate(member=ibis.row_number().over(order)).select(kept_id="member_id", member="member")
    everybody = members.select("member_id", "joined_at")
    joined = everybody.left_join(numbered, everybody.member_id == numbered.kept_id).drop("kept_id")
    table: Table = engine.create_table("numbers", joined, temp=True)
    if not int(table.member.count().execute()):
        raise DataError(
            f"members: none of {int(table.count().execute()):,} is left to analyse. "
            "They joined after as_of, did not agree, left before the retention limit or were forgotten; "
            "see after_as_of, empty_consent and retention_limit_days."
        )
    return table


def is_kept(members: Table, settings: Settings) -> Value:
    """Return whether a member had joined by ``as_of``, agreed to analysis and did not leave too long ago."""
    gone = is_expired(members, CONTRACT["members"], settings)
    return ~is_late(members, "joined_at", settings) & ~refused(members, settings) & ~gone
