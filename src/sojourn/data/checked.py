"""One table behind the door: typed, joined to the members' numbers, counted against its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis import Table
from ibis.util import gen_name

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.core.schema import Table as Contract
from sojourn.data.checks.ids import advice
from sojourn.data.examples import example_from
from sojourn.data.identity.personal import stop_at_personal
from sojourn.data.localtime import clock
from sojourn.data.reading import AS_CONTRACT, ROW, Written, typed
from sojourn.data.rules import Counts, Rule, count, rules_of, stop_at_errors
from sojourn.data.settings import Settings
from sojourn.data.sources.files import PART
from sojourn.data.sources.notes import Note

#: Size of a file, and when it was last written, in nanoseconds.
type Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Raw:
    """One raw table.

    Attributes
    ----------
    name : str
        Its name in the contract.
    table : ibis Table
        Its rows, columns renamed as in the contract.
    shown : str
        Where it comes from, as errors name it.
    clock : str
        What a time without offset means in it: ``utc`` or ``local``.
    written : Written
        How its values are written.
    notes : tuple of Note
        What its source and its mapping found worth saying.
    explain : callable or None
        Turns an error of the engine, raised while its rows are read, into ours.
    files : mapping of Path to Stamp
        Parquet files that may be read several times in place of a copy, as they were when they were opened.
    """

    name: str
    table: Table
    shown: str
    clock: str
    written: Written = AS_CONTRACT
    notes: tuple[Note, ...] = ()
    explain: Callable[[Exception], DataError] | None = None
    files: Mapping[Path, Stamp] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """One table that broke no rule of level ``error``.

    Attributes
    ----------
    contract : Table
        What it holds.
    table : ibis Table
        Its typed rows: kept in the engine, or an expression that reads Parquet files again.
    rules, counts : tuple of Rule, Counts
        What was looked for and what was found.
    unread : tuple of str
        Columns of the raw table that the contract does not know.
    notes : tuple of Note
        What its source and its mapping found worth saying.
    """

    contract: Contract
    table: Table
    rules: tuple[Rule, ...]
    counts: Counts
    unread: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @property
    def present(self) -> list[str]:
        """Tidy columns that hold what the case brought; all others of the contract are empty."""
        became = {"member_id": "member", "birth_year": "age_band"}
        brought = {became.get(name, name) for name in self.counts.missing}
        return [name for name in self.contract.tidy if name in brought]


def check(
    engine: Any,
    raw: Raw,
    settings: Settings,
    numbers: Table | None = None,
    *,
    may_be_empty: bool = False,
) -> Checked:
    """Read a raw table into the engine and check it.

    Parameters
    ----------
    engine : ibis backend
        Where it is kept.
    raw : Raw
        The table.
    settings : Settings
        Of the case.
    numbers : ibis Table, optional
        ``member_id``, ``joined_at`` and ``member`` of all members, for tables that belong to members.
    may_be_empty : bool
        Whether it may have no rows, as a new part of a table may that has rows elsewhere.

    Raises
    ------
    DataError
        When it has no rows or breaks a rule.
    """
    contract = CONTRACT[raw.name]
    with _explained(raw):
        own = read(raw, settings)
        table = _joined(_with_repeats(own, contract), numbers)
        if not _is_typed(raw, contract):
            own = table = engine.create_table(f"checked_{raw.name}", table, temp=True)
        rules = rules_of(table, contract, settings)
        names = _names(engine, own, contract)
        counts = count(table, contract, rules, names)
    if not counts.rows and not may_be_empty:
        raise DataError.no_rows(raw.name, raw.shown)
    example = example_from(raw.table, table, contract, settings)
    stop_at_errors(table, contract, rules, counts, example, advice=lambda rule: advice(rule, table, numbers))
    stop_at_personal(engine, names, contract)
    known = {PART, *(column.name for column in contract.columns)}
    unread = tuple(name for name in raw.table.columns if name not in known)
    return Checked(contract, table, tuple(rules), counts, unread, raw.notes)


def read(raw: Raw, settings: Settings) -> Table:
    """Return the typed columns of a raw table."""
    zone = settings.time_zone if raw.clock == "local" else "UTC"
    return typed(raw.table, CONTRACT[raw.name], clock(zone, last=settings.as_of), raw.written)


def stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """Return size and time of writing of files."""
    found = {path: path.stat() for path in files}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def stop_at_changed(raws: Iterable[Raw]) -> None:
    """Stop where files were written to after they were opened: what was checked may not be what was read.

    Raises
    ------
    DataError
        Naming the table.
    """
    for raw in raws:
        there = [path for path in raw.files if path.is_file()]
        if stamps(there) != raw.files:
            raise DataError(
                f"{raw.name}: {raw.shown} was written to while it was read. "
                "Run this again when nothing writes there."
            )


def _names(engine: Any, table: Table, contract: Contract) -> dict[str, Table]:
    """Return, by column of names or texts, its different values (`value`) and how often each comes (`n`)."""
    columns = [c.name for c in contract.columns if c.type in ("category", "text") and c.name in table.columns]
    counted = {name: table.group_by(value=table[name]).agg(n=table.count()) for name in columns}
    return {name: engine.create_table(gen_name("names"), one, temp=True) for name, one in counted.items()}


@contextmanager
def _explained(raw: Raw) -> Iterator[None]:
    """Turn an error of the engine, raised while rows are read, into ours."""
    try:
        yield
    except duckdb.Error as error:
        if raw.explain is None:
            raise
        raise raw.explain(error) from None


def _is_typed(raw: Raw, contract: Contract) -> bool:
    """Return whether reading the files again costs less than a copy of all rows in the engine.

    It does for Parquet files whose columns have types and are not text that must be understood, unless rows
    are compared with other rows of the same key.
    """
    if not raw.files or contract.key or raw.written.whole_ids:
        return False
    understood = [column.name for column in contract.columns if column.type not in ("id", "category", "text")]
    return not any(raw.table[name].type().is_string() for name in understood if name in raw.table.columns)


def _with_repeats(table: Table, contract: Contract) -> Table:
    if not contract.key:
        return table
    window = ibis.window(group_by=contract.key, order_by=ROW)
    return table.mutate(_repeat=ibis.row_number().over(window) > 0)


def _joined(table: Table, numbers: Table | None) -> Table:
    """Join what is known of a row's member, or of a member's referrer."""
    if numbers is None:
        return _with_referrer(table)
    if "member_id" not in table.columns:
        return table
    known = numbers.select(_known="member_id", _joined_at="joined_at", member="member")
    return table.left_join(known, table.member_id == known["_known"])


def _with_referrer(members: Table) -> Table:
    if "referred_by" not in members.columns:
        return members
    ids = members.select(_referrer="member_id").distinct()
    return members.left_join(ids, members.referred_by == ids["_referrer"])
