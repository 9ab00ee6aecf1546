"""Tallies of tidy tables: small, additive over days, and all that the rules on whole tables read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import pyarrow as pa
from ibis import Table

from sojourn.core.schema import Table as Contract
from sojourn.data.checked import Checked
from sojourn.data.checks.categories import MOST, Name
from sojourn.data.localtime import Clock

_DAY = 86_400
#: Places behind the point of an amount.
_PLACES = 10_000
#: What is counted of rows, by parts if need be: ``rows`` of equal keys are added, the least ``first`` counts.
COUNTED = pa.schema(
    [
        ("what", pa.string()),  # late, name or amount
        ("column", pa.string()),
        ("text", pa.string()),  # the name, or the kind of event an amount belongs to
        ("sign", pa.int64()),
        ("size", pa.int64()),  # days late, or digits of an amount
        ("digit", pa.string()),  # the first one
        ("rows", pa.int64()),
        ("first", pa.timestamp("us", tz="UTC")),
    ]
)
_TYPES = {
    "what": "string",
    "column": "string",
    "text": "string",
    "sign": "int64",
    "size": "int64",
    "digit": "string",
    "rows": "int64",
    "first": "timestamp('UTC', 6)",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts of one column, or of one kind of event in it.

    Attributes
    ----------
    histogram : mapping of float to int
        Rows by size, cut down to its first digit.
    negative, zero : int
        Rows below zero, and at zero.
    """

    histogram: Mapping[float, int]
    negative: int
    zero: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Members who have equally many events.

    Attributes
    ----------
    total, busiest : int
        Events in all, and on the busiest day.
    members : int
        How many members are like that.
    """

    total: int
    busiest: int
    members: int


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was counted of one tidy table.

    Attributes
    ----------
    days : Arrow table
        ``day`` (local date), ``rows`` and ``members`` (null where rows have none).
    late : Arrow table or None
        ``days_late`` and ``rows``; None where rows do not say when they became known.
    names : mapping of str to list of Name
        Names in each column of categories.
    amounts : mapping of (str, str) to Amounts
        By column, and kind of event where rows have one.
    members : tuple of Alike
        How many events members have; empty but for `events`.
    """

    days: pa.Table
    late: pa.Table | None = None
    names: Mapping[str, list[Name]] = field(default_factory=dict)
    amounts: Mapping[tuple[str, str], Amounts] = field(default_factory=dict)
    members: tuple[Alike, ...] = ()


def tallies(checked: Checked, counts: Table, days: Table, by_day: Table | None, clock: Clock) -> Tallies:
    """Put together what was counted of one tidy table.

    Parameters
    ----------
    checked : Checked
        What came through the door.
    counts : ibis Table
        Its tidy rows as `counted` has them, all at once or by parts that no row is in two of.
    days : ibis Table
        Its `coverage`.
    by_day : ibis Table or None
        Of events: `member`, `day` and `n`, as `activity` has them.
    clock : Clock
        Of the case.
    """
    keys = ("what", "column", "text", "sign", "size", "digit")
    summed = counts.group_by(*keys).agg(rows=counts.rows.sum().cast("int64"), first=counts["first"].min())
    listed = _listed(summed.mutate(first=clock.day(summed["first"])).order_by(*keys))
    return Tallies(
        days=days.to_pyarrow(),
        late=_late(listed) if "recorded_at" in checked.present else None,
        names=_names(checked, listed),
        amounts=_amounts(listed),
        members=_members(by_day) if by_day is not None else (),
    )


def counted(checked: Checked, rows: Table) -> Table:
    """Return how often which lateness, name and size of an amount comes in tidy rows, as `COUNTED`."""
    contract, present = checked.contract, checked.present
    kind = rows.event if contract.name == "events" else ibis.literal("")
    parts = [_empty(rows)]
    if "recorded_at" in present:
        parts.append(_lateness(rows, contract))
    named = [c for c in _columns(contract, "category", present) if checked.counts.distinct.get(c, 0) <= MOST]
    parts += [_named(rows, contract, column) for column in named]
    parts += [_digits(rows, column, kind) for column in _columns(contract, "decimal", present)]
    return ibis.union(*(part.select(*COUNTED.names).cast(_TYPES) for part in parts))


def summed(by_day: Table) -> Table:
    """Return `coverage` from ``member``, ``day`` and ``n``."""
    counts = by_day.group_by("day").agg(rows=by_day.n.sum().cast("int64"), members=by_day.member.nunique())
    return counts.order_by("day")


def coverage(table: Table, contract: Contract, clock: Clock) -> Table:
    """Return ``day`` (local date), ``rows`` and ``members`` (null where rows have none) of a tidy table."""
    members = table.member.nunique() if "member" in table.columns else ibis.null("int64")
    days = table.group_by(day=clock.day(table[contract.time]))
    return days.agg(rows=table.count(), members=members).order_by("day")


def _empty(rows: Table) -> Table:
    nothing = {name: ibis.null(kind) for name, kind in _TYPES.items()}
    return rows.limit(0).select(**nothing)


def _columns(contract: Contract, kind: str, present: list[str]) -> list[str]:
    return [column.name for column in contract.columns if column.type == kind and column.name in present]


def _row(what: str, **known: Any) -> dict[str, Any]:
    return {"what": ibis.literal(what)} | {
        name: known.get(name, ibis.null(_TYPES[name])) for name in ("column", "text", "sign", "size", "digit")
    }


def _lateness(rows: Table, contract: Contract) -> Table:
    """Count rows by whole days from happening to ``recorded_at``, rounded down."""
    seconds = rows.recorded_at.epoch_seconds() - rows[contract.time].epoch_seconds()
    known = rows.filter(rows.recorded_at.notnull())
    days = (seconds // _DAY).cast("int64")
    counts = known.group_by(size=days).agg(rows=known.count())
    return counts.mutate(**_row("late", size=counts.size), first=_no_instant())


def _named(rows: Table, contract: Contract, column: str) -> Table:
    filled = rows.filter(rows[column].notnull())
    counts = filled.group_by(text=filled[column]).agg(rows=filled.count(), first=filled[contract.time].min())
    return counts.mutate(**_row("name", column=ibis.literal(column), text=counts.text))


def _digits(rows: Table, column: str, kind: Any) -> Table:
    """Count amounts by sign, number of digits and first digit."""
    filled = rows.mutate(kind=kind).filter(rows[column].notnull())
    wide = filled[column].cast("decimal(38, 4)").abs()
    units = (wide * _PLACES).cast("int64").cast("string")
    sign = filled[column].sign().cast("int64")
    keys = {"text": filled["kind"], "sign": sign, "size": units.length(), "digit": units[0]}
    counts = filled.group_by(**keys).agg(rows=filled.count())
    row = _row("amount", column=ibis.literal(column), **{name: counts[name] for name in keys})
    return counts.mutate(**row, first=_no_instant())


def _no_instant() -> Any:
    return ibis.null(_TYPES["first"])


def _members(by_day: Table) -> tuple[Alike, ...]:
    days = by_day.group_by("member", "day").agg(n=by_day.n.sum())
    each = days.group_by("member").agg(total=days.n.sum(), busiest=days.n.max())
    counted = each.group_by("total", "busiest").agg(members=each.count()).order_by("total", "busiest")
    return tuple(Alike(**{name: int(n) for name, n in row.items()}) for row in _listed(counted))


def _late(listed: list[dict[str, Any]]) -> pa.Table:
    late = [row for row in listed if row["what"] == "late"]
    columns = {"days_late": [row["size"] for row in late], "rows": [row["rows"] for row in late]}
    return pa.table(columns, schema=pa.schema([(name, pa.int64()) for name in columns]))


def _names(checked: Checked, listed: list[dict[str, Any]]) -> dict[str, list[Name]]:
    """Return the names of each column of categories that came, but for columns that hold no categories."""
    distinct = checked.counts.distinct
    columns = _columns(checked.contract, "category", checked.present)
    found: dict[str, list[Name]] = {c: [] for c in columns if 0 < distinct.get(c, 1) <= MOST}
    for row in listed:
        if row["what"] == "name" and row["column"] in found:
            found[row["column"]].append(Name(row["text"], row["rows"], row["first"]))
    return found


def _amounts(listed: list[dict[str, Any]]) -> dict[tuple[str, str], Amounts]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in listed:
        if row["what"] == "amount":
            found.setdefault((row["column"], row["text"]), []).append(row)
    return {key: _histogram(counts) for key, counts in found.items()}


def _histogram(counted: list[dict[str, Any]]) -> Amounts:
    positive: dict[float, int] = {}
    for row in counted:
        if row["sign"] > 0:
            value = int(row["digit"]) * 10 ** (row["size"] - 1) / _PLACES
            positive[value] = positive.get(value, 0) + row["rows"]
    negative, zero = (sum(row["rows"] for row in counted if row["sign"] == sign) for sign in (-1, 0))
    return Amounts(positive, negative, zero)


def _listed(table: Table) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return listed
