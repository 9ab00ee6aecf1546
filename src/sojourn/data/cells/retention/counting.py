"""Members counted once, and counts laid out by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
from ibis import Table, Value

from sojourn.data.engine import held

#: Rows that mark a day, that day, and how much they add to which counts.
type Mark = tuple[Table, Value, Mapping[str, Value]]


def counted(rows: Table, columns: Sequence[str]) -> Table:
    """Return how many rows (`n`) share their values; other engines than DuckDB hand the counts over once.

    DuckDB holds the rows themselves (`sojourn.data.engine.held`), so counting them by few columns is cheaper
    than by all.
    """
    if rows.get_backend().name == "duckdb":
        return rows.select(*columns, n=ibis.literal(1, "int64"))
    return ibis.memtable(rows.group_by(*columns).aggregate(n=rows.count()).to_pyarrow())


def few(counts: Table) -> Table:
    """Return counts that are made at once, to be read several times: there are not many of them."""
    if counts.get_backend().name == "duckdb":
        return held(counts)
    return ibis.memtable(counts.to_pyarrow())


def marked(keys: Sequence[str], names: Sequence[str], marks: Sequence[Mark]) -> Table:
    """Return counts by keys and `day`.

    Parameters
    ----------
    keys : sequence of str
        Columns of all the rows that mark.
    names : sequence of str
        Columns of counts.
    marks : sequence of (rows, day, counts)
        What adds to them.
    """
    zero = ibis.literal(0, "int64")
    every = ibis.union(
        *[
            rows.select(*keys, day=day, **{name: counts.get(name, zero) for name in names})
            for rows, day, counts in marks
        ]
    )
    sums = {name: every[name].sum().cast("int64") for name in names}
    return every.group_by(*keys, "day").aggregate(**sums).select(*keys, "day", *names)


def by_group(tables: Mapping[str, Table]) -> Table:
    """Return tables below each other, the name of the grouping of each first, as `by`."""
    named = [table.select(ibis.literal(by).name("by"), *table.columns) for by, table in tables.items()]
    return ibis.union(*named)
