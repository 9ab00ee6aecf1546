"""Who is left out at the door: who was forgotten, and of whom nothing is younger than the retention limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import ibis
import pyarrow as pa
from ibis import Table

from sojourn.data.checked import Checked, Raw, read
from sojourn.data.engine import stream
from sojourn.data.identity.held import held
from sojourn.data.identity.suppression import Kind, hidden, read_forgotten
from sojourn.data.pseudonyms import Key, find_key
from sojourn.data.rules import Rule
from sojourn.data.settings import Settings

_HINT = "They are left out."


def leave_out(
    engine: Any, raws: Mapping[str, Raw], members: Checked, settings: Settings
) -> tuple[Checked, Table | None]:
    """Find the members who are left out for reasons that no column of theirs tells.

    Parameters
    ----------
    engine : ibis backend
        Where the tables are kept.
    raws : mapping of str to Raw
        All raw tables of the case.
    members : Checked
        The table `members`.
    settings : Settings
        Of the case.

    Returns
    -------
    Checked, ibis Table or None
        The members with what was counted, and ``member_id`` of those left out, None where there are none.
    """
    forgotten = _forgotten(engine, members, settings)
    silent = _silent(engine, raws, members, settings)
    found = [ids for ids in (forgotten, silent) if ids is not None]
    members = _counted(members, forgotten, "forgotten earlier")
    limit = f"{settings.retention_limit_days or 0:,} days"
    members = _counted(members, silent, f"neither joined nor active within the limit of {limit}")
    return members, (ibis.union(*found, distinct=True) if len(found) > 1 else next(iter(found), None))


def without_prospects(engine: Any, checked: Checked, settings: Settings) -> Checked:
    """Return `touches` without people who became a member that is not kept, all other tables as they are.

    Their rows from before joining may name no member, only the prospect.
    """
    if checked.contract.name != "touches":
        return checked
    table = checked.table
    if "member_id" in table.columns:
        gone = table.filter(table.member_id.notnull() & table.member.isnull()).select("prospect_id")
        table = table.anti_join(gone.distinct(), "prospect_id")
    listed = read_forgotten(settings.case)
    if listed.prospects:
        ids = table.select(identifier="prospect_id").distinct()
        found = _among(engine, ids, "prospect", listed.prospects, settings)
        names = held(engine, "forgotten_prospects", found.rename_columns(["prospect_id"]))
        table = table.anti_join(names, "prospect_id")
    return replace(checked, table=table)


def _forgotten(engine: Any, members: Checked, settings: Settings) -> Table | None:
    listed = read_forgotten(settings.case)
    if not listed.members:
        return None
    found = _among(engine, members.table.select(identifier="member_id"), "member", listed.members, settings)
    return held(engine, "forgotten", found.rename_columns(["member_id"]))


def _among(
    engine: Any, identifiers: Table, kind: Kind, listed: Collection[str], settings: Settings
) -> pa.Table:
    """Return the ids whose pseudonym is listed, in a column `identifier`."""
    key = find_key(settings.case, private=settings.private, key_id=settings.key_id)
    found = [
        identifier
        for batch in stream(engine, identifiers)
        for identifier in batch["identifier"].to_pylist()
        if identifier is not None and _is_listed(key, kind, identifier, listed)
    ]
    return pa.table({"identifier": pa.array(found, pa.string())})


def _is_listed(key: Key, kind: Kind, identifier: str, listed: Collection[str]) -> bool:
    return hidden(key, kind, identifier) in listed


def _silent(engine: Any, raws: Mapping[str, Raw], members: Checked, settings: Settings) -> Table | None:
    """Return members without a recorded end who neither joined nor did anything since the limit."""
    if settings.kept_since is None or "churned_at" in members.table.columns:
        return None
    limit = ibis.literal(settings.kept_since)
    events = read(raws["events"], settings)
    active = events.filter(events.occurred_at >= limit).select("member_id").distinct()
    old = members.table.filter(members.table.joined_at < limit).select("member_id")
    table: Table = engine.create_table("silent", old.anti_join(active, "member_id"), temp=True)
    return table


def _counted(members: Checked, ids: Table | None, problem: str) -> Checked:
    """Return the members with one more finding, where there is one."""
    found = 0 if ids is None else int(ids.count().execute())
    if not found:
        return members
    rule = Rule("member_id", problem, _HINT, ibis.literal(False), "note")
    counts = replace(members.counts, broken=(*members.counts.broken, found))
    return replace(members, rules=(*members.rules, rule), counts=counts)
