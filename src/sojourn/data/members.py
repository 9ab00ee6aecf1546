"""Members: derived from signs of them where there is no table, numbered, and who of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw, read
from sojourn.data.rules import is_expired, is_late, refused
from sojourn.data.settings import Settings
from sojourn.data.sources.notes import Note


def derived(raws: Mapping[str, Raw], settings: Settings) -> Raw:
    """Return a raw table of members who joined with their first event, or with an assignment before it.

    Parameters
    ----------
    raws : mapping of str to Raw
        `events`, and `assignments` where the case has them.
    settings : Settings
        Of the case.

    Raises
    ------
    DataError
        When no event is of anybody who was assigned: ids are of two kinds then.
    """
    seen = read(raws["events"], settings)
    signs = seen.select("member_id", at="occurred_at")
    notes: tuple[Note, ...] = ()
    if "assignments" in raws:
        rows = read(raws["assignments"], settings).select("member_id", at="assigned_at")
        notes = _without_events(rows, signs)
        signs = signs.union(rows)
    known = signs.filter(signs.member_id.notnull() & signs["at"].notnull())
    first = known.group_by("member_id").agg(joined_at=known["at"].min())
    return Raw("members", first, raws["events"].shown, "utc", notes=notes, explain=raws["events"].explain)


def _without_events(assigned: Table, signs: Table) -> tuple[Note, ...]:
    """Say how many members were assigned and never did anything: they joined when they were assigned."""
    ids = assigned.filter(assigned.member_id.notnull()).select("member_id").distinct()
    every, silent = (int(of.count().execute()) for of in (ids, ids.anti_join(signs, "member_id")))
    if not silent:
        return ()
    if silent == every:
        raise DataError(
            f"assignments.member_id: none of {every:,} members has a row in `events`. "
            "Write ids in one way in both files, or say with `ids: whole_numbers` that 7 and 7.0 are one."
        )
    level: Literal["warning", "note"] = "warning" if 2 * silent > every else "note"
    hint = "They joined when they were assigned; see that ids are written alike in both tables."
    return (Note("", level, "assigned to a scheme, but without any event", hint, silent),)


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
