"""What was counted of raw events, so that counts of new parts can be added to those of old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis import Table, Value

from sojourn.data.checked import Checked
from sojourn.data.engine import stream
from sojourn.data.increment.ledger import VALUES, Tally
from sojourn.data.increment.plan import Plan
from sojourn.data.parquet import write_parquet
from sojourn.data.pseudonyms import Key
from sojourn.data.rules import Counts, is_late
from sojourn.data.settings import Settings
from sojourn.data.sources.files import PART
from sojourn.data.sources.notes import Note

#: A different value is kept as a keyed fingerprint of 64 bits.
_SCHEMA = pa.schema([("column", pa.string()), ("value", pa.int64())])

#: Different values by column.
type Values = dict[str, np.ndarray[Any, np.dtype[np.int64]]]


def by_part(plan: Plan, checked: Checked, settings: Settings) -> dict[str, tuple[Tally, bool]]:
    """Return what was counted in each part, and whether it is open.

    A part is open while rows are left out that a later ``as_of`` may let in.
    """
    table, names = checked.table, list(checked.counts.missing)
    late = [is_late(table, name, settings) for name in _instants(checked)]
    wanted: dict[str, Value] = {"rows": table.count(), "is_open": reduce(or_, late).any()}
    wanted |= {f"missing_{name}": table[name].isnull().sum() for name in names}
    wanted |= {f"rule_{i}": rule.broken.sum() for i, rule in enumerate(checked.rules)}
    found = table.group_by(PART).aggregate(**wanted).to_pyarrow().to_pylist()
    return {
        plan.name_of(row[PART]): (
            Tally(
                row["rows"],
                {name: int(row[f"missing_{name}"] or 0) for name in names},
                tuple(int(row[f"rule_{i}"] or 0) for i in range(len(checked.rules))),
            ),
            bool(row["is_open"]),
        )
        for row in found
    }


def _instants(checked: Checked) -> list[str]:
    """Return the instants by which a row may be too late: its own, and its member's joining."""
    own = (checked.contract.time, "recorded_at", "_joined_at")
    return [name for name in own if name in checked.table.columns]


def added(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies of the same columns and rules."""
    all_of = list(tallies)
    names = all_of[0].missing
    return Tally(
        sum(tally.rows for tally in all_of),
        {name: sum(tally.missing[name] for tally in all_of) for name in names},
        tuple(sum(column) for column in zip(*(tally.broken for tally in all_of), strict=True)),
    )


def together_said(former: Collection[Note] | None, now: Collection[Note]) -> tuple[Note, ...]:
    """Return what is worth saying of parts read before and now, together.

    Rows that notes concern are added. What concerns no row (a value that is renamed and nowhere) holds of all
    parts only when it holds of both.
    """
    if former is None:
        return tuple(sorted(now, key=_said))
    rows: dict[Note, int | None] = {}
    for note in (*former, *now):
        plain = replace(note, concerned=None)
        rows[plain] = None if note.concerned is None else (rows.get(plain) or 0) + note.concerned
    both = {replace(note, concerned=None) for note in former} & {replace(n, concerned=None) for n in now}
    kept = (replace(note, concerned=n) for note, n in rows.items() if n != 0 or note in both)
    return tuple(sorted(kept, key=_said))


def _said(note: Note) -> tuple[str, ...]:
    return note.column, note.level, note.finding, note.hint


def merged(checked: Checked, settled: Tally, values: Values, notes: tuple[Note, ...]) -> Checked:
    """Return a checked table as if the rows counted before had been read with it."""
    now = Tally(checked.counts.rows, checked.counts.missing, checked.counts.broken)
    both = added([settled, now])
    distinct = {name: len(values[name]) for name in checked.counts.distinct}
    return replace(checked, counts=Counts(both.rows, both.missing, distinct, both.broken), notes=notes)


def values_of(engine: Any, checked: Checked, key: Key) -> Values:
    """Return the different values of each column in which they are counted, as fingerprints."""
    return {name: _values(engine, checked.table, name, key) for name in checked.counts.distinct}


def _values(engine: Any, table: Table, name: str, key: Key) -> np.ndarray[Any, np.dtype[np.int64]]:
    secret = hashlib.sha256(key.secret).digest()
    found = table.filter(table[name].notnull()).select(value=table[name].cast("string")).distinct()
    return np.array(
        sorted(
            int.from_bytes(hashlib.blake2b(value.encode(), key=secret, digest_size=8).digest(), signed=True)
            for batch in stream(engine, found)
            for value in batch["value"].to_pylist()
        ),
        dtype=np.int64,
    )


def together(one: Values, other: Mapping[str, Any]) -> Values:
    """Return the values that are in either."""
    none = np.array([], dtype=np.int64)
    return {name: np.union1d(one.get(name, none), other.get(name, none)) for name in {**one, **other}}


def write_values(values: Values, folder: Path) -> None:
    """Write different values into a folder of tidy tables."""
    parts = [
        pa.record_batch(
            [pa.array([name] * len(found), pa.string()), pa.array(found, pa.int64())], schema=_SCHEMA
        )
        for name, found in values.items()
    ]
    write_parquet(folder / VALUES, _SCHEMA, parts)


def read_values(folder: Path) -> Values:
    """Return the different values that an earlier run has seen."""
    table = pq.read_table(folder / VALUES)
    columns, found = table["column"].to_numpy(zero_copy_only=False), table["value"].to_numpy()
    return {str(name): found[columns == name] for name in dict.fromkeys(columns.tolist())}
