"""Forgetting members: out of the raw tables, and everything that was made of them goes.

The order of steps lets it be stopped at any moment: who is to be forgotten stands in the list first (as a
pseudonym), so that the same command goes on later even when some tables do not hold the id any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.core.errors import DataError
from sojourn.core.params import Params
from sojourn.core.project import root
from sojourn.data.checked import Raw
from sojourn.data.identity.derived import cached, derived, has_remote, remove
from sojourn.data.identity.log import log
from sojourn.data.identity.looked_up import columns_of_ids, raw_of, rows_of, texts
from sojourn.data.identity.origins import Origin, origins
from sojourn.data.identity.rewriting import Leavers, put_into_place, rewritten
from sojourn.data.identity.suppression import add_forgotten, hidden, read_forgotten
from sojourn.data.identity.traces import traces
from sojourn.data.identity.tracked import is_tracked
from sojourn.data.pseudonyms import Key, find_key
from sojourn.data.settings import Settings, read_settings
from sojourn.data.sources.stated import DatabaseTable

#: Shorter ids are not looked for in files of any kind.
_SHORTEST = 5


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What was done to forget members, or would be.

    Attributes
    ----------
    case : str
        Name of the case.
    members : int
        How many are forgotten.
    rows : mapping of str to int
        By table: rows that go, or lose what they say of who referred whom.
    databases : tuple of str
        Tables of databases that still have them: only the platform itself can delete there.
    removed : tuple of Path
        Files and folders that go: what was made of the case, and DVC's copies of it.
    tracked : tuple of str
        Raw files that git tracks, whose history still has the rows.
    remote : bool
        Whether DVC copies outputs to another place.
    left : tuple of Path
        Other files of the project that hold one of the ids: lists with ids, copies, tables of another case.
        Ids of fewer than five characters are not looked for there, since they may stand for anything.
    """

    case: str
    members: int
    rows: Mapping[str, int]
    databases: tuple[str, ...]
    removed: tuple[Path, ...]
    tracked: tuple[str, ...]
    remote: bool
    left: tuple[Path, ...]


def forget(params: Params, case: str, members: Collection[str], *, dry_run: bool = False) -> Forgetting:
    """Forget members of a case.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case : str
        Name of the case.
    members : collection of str
        Their ids, as the raw tables have them.
    dry_run : bool
        Whether only to say what would be done.

    Returns
    -------
    Forgetting
        What was done. The case has to go through the door again (``make reproduce``).

    Raises
    ------
    ParameterError
        When the key is not there or another one, or the rows of the case are no files of its own.
    DataError
        When one of the members is not there, or a table cannot be rewritten. Nothing was done then.
    """
    settings = read_settings(params, case)
    key = find_key(case, private=settings.private, key_id=settings.key_id)
    tables = origins(params, case)
    leavers, rows = _look(params, case, set(members), key)
    places = params.places(case)
    gone = (*derived(places), *cached(places))
    done = Forgetting(
        case,
        len(set(members)),
        rows,
        tuple(origin.shown for origin in _in_databases(tables) if rows.get(origin.table)),
        gone,
        tuple(
            origin.shown for origin in _in_files(tables) if rows.get(origin.table) and is_tracked(origin.path)
        ),
        has_remote(places),
        _left(leavers, [*gone, *(origin.path for origin in _in_files(tables))]),
    )
    if not dry_run:
        _do(done, tables, leavers, key, memory_limit=params.engine.memory_limit)
    return done


def _left(leavers: Leavers, but: Collection[Path]) -> tuple[Path, ...]:
    sought = [one for one in (*leavers.members, *leavers.prospects) if len(one) >= _SHORTEST]
    return tuple(traces(root(), sought, but=but))


def _in_files(tables: Collection[Origin]) -> list[Origin]:
    return [origin for origin in tables if not isinstance(origin.source, DatabaseTable)]


def _in_databases(tables: Collection[Origin]) -> list[Origin]:
    return [origin for origin in tables if isinstance(origin.source, DatabaseTable)]


def _do(
    done: Forgetting, tables: Collection[Origin], leavers: Leavers, key: Key, *, memory_limit: str
) -> None:
    changes: list[tuple[Path, Path]] = []
    try:
        for change in rewritten(_in_files(tables), leavers, memory_limit=memory_limit):
            changes.append(change)
        log("forget", case=done.case, members=done.members, rows=dict(done.rows))
    except BaseException:
        for _, new in changes:
            shutil.rmtree(new.parent, ignore_errors=True)
        raise
    add_forgotten(
        done.case,
        [hidden(key, "member", one) for one in leavers.members],
        [hidden(key, "prospect", one) for one in leavers.prospects],
    )
    remove(done.removed)
    for path, new in changes:
        put_into_place(path, new)


def _look(params: Params, case: str, members: set[str], key: Key) -> tuple[Leavers, dict[str, int]]:
    """Return who goes, with their ids as prospects, and how many rows of each table say so."""
    with raw_of(params, case) as (engine, raws, settings):
        there = _stop_at_strangers(engine, raws, settings, members, key)
        leavers = Leavers(members, _prospects(engine, raws, settings, there))
        found = {name: _rows(engine, raw, settings, leavers) for name, raw in raws.items()}
    return leavers, {name: rows for name, rows in found.items() if rows}


def _stop_at_strangers(
    engine: Any, raws: Mapping[str, Raw], settings: Settings, members: set[str], key: Key
) -> set[str]:
    """Return the members who are there; stop when one is neither there nor forgotten before."""
    where = {name: raw for name, raw in raws.items() if "member_id" in columns_of_ids(raw)}
    found = [
        texts(engine, rows_of(engine, raw, settings, "member_id", members), "member_id")
        for raw in where.values()
    ]
    there = set[str]().union(*found)
    listed = read_forgotten(settings.case).members
    strange = [one for one in members - there if hidden(key, "member", one) not in listed]
    if strange or not members:
        raise DataError(
            f"{len(strange):,} of {len(members):,} members to forget are in no table of '{settings.case}'. "
            "Nothing was done. Write the ids exactly as the raw tables have them."
        )
    return there


def _prospects(engine: Any, raws: Mapping[str, Raw], settings: Settings, members: set[str]) -> set[str]:
    """Return the ids that members had before they joined."""
    touches = raws.get("touches")
    if touches is None or "member_id" not in touches.table.columns:
        return set()
    return texts(engine, rows_of(engine, touches, settings, "member_id", members), "prospect_id")


def _rows(engine: Any, raw: Raw, settings: Settings, leavers: Leavers) -> int:
    return sum(
        int(rows_of(engine, raw, settings, column, ids).count().execute())
        for column in columns_of_ids(raw)
        if (ids := leavers.of(column))
    )


def shown(path: Path) -> str:
    """Return a path as people are told it: relative to the project where it is inside."""
    return path.relative_to(root()).as_posix() if path.is_relative_to(root()) else path.as_posix()
