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


def tallies(checked: Checked, rows: Table, by_day: Table | None, clock: Clock) -> Tallies:
    """Count one tidy table.

    Parameters
    ----------
    checked : Checked
        What came through the door.
    rows : ibis Table
        Its tidy rows.
    by_day : ibis Table or None
        Of events: `member`, `day` and `n`, as `activity` has them.
    clock : Clock
        Of the case.
    """
    contract, present = checked.contract, checked.present
    return Tallies(
        days=(coverage(rows, contract, clock) if by_day is None else _summed(by_day)).to_pyarrow(),
        late=lateness(rows, contract).to_pyarrow() if "recorded_at" in present else None,
        names=_names(checked, rows, clock),
        amounts=_amounts(contract, rows, present),
        members=_members(by_day) if by_day is not None else (),
    )


def coverage(table: Table, contract: Contract, clock: Clock) -> Table:
    """Return ``day`` (local date), ``rows`` and ``members`` (null where rows have none) of a tidy table."""
    members = table.member.nunique() if "member" in table.columns else ibis.null("int64")
    days = table.group_by(day=clock.day(table[contract.time]))
    return days.agg(rows=table.count(), members=members).order_by("day")


def lateness(table: Table, contract: Contract) -> Table:
    """Return ``days_late`` (whole days from happening to ``recorded_at``, rounded down) and ``rows``."""
    seconds = table.recorded_at.epoch_seconds() - table[contract.time].epoch_seconds()
    known = table.filter(table.recorded_at.notnull())
    counted = known.group_by(days_late=(seconds // _DAY).cast("int64")).agg(rows=known.count())
    return counted.order_by("days_late")


def _summed(by_day: Table) -> Table:
    """Return `coverage` from ``member``, ``day`` and ``n``."""
    counted = by_day.group_by("day").agg(rows=by_day.n.sum().cast("int64"), members=by_day.member.nunique())
    return counted.order_by("day")


def _members(by_day: Table) -> tuple[Alike, ...]:
    days = by_day.group_by("member", "day").agg(n=by_day.n.sum())
    each = days.group_by("member").agg(total=days.n.sum(), busiest=days.n.max())
    counted = each.group_by("total", "busiest").agg(members=each.count()).order_by("total", "busiest")
    return tuple(Alike(**{name: int(n) for name, n in row.items()}) for row in _listed(counted))


def _names(checked: Checked, rows: Table, clock: Clock) -> dict[str, list[Name]]:
    """Return the names of each column of categories that came, but for columns that hold no categories."""
    contract, distinct = checked.contract, checked.counts.distinct
    columns = [c.name for c in contract.columns if c.type == "category" and c.name in checked.present]
    found = {}
    for column in columns:
        if not 0 < distinct.get(column, 1) <= MOST:
            continue
        filled = rows.filter(rows[column].notnull())
        first = clock.day(filled[contract.time].min())
        counted = filled.group_by(text=column).agg(rows=filled.count(), first=first).order_by("text")
        found[column] = [Name(**row) for row in _listed(counted)]
    return found


def _amounts(contract: Contract, rows: Table, present: list[str]) -> dict[tuple[str, str], Amounts]:
    columns = [c.name for c in contract.columns if c.type == "decimal" and c.name in present]
    kind = rows.event if contract.name == "events" else ibis.literal("")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for column in columns:
        for row in _listed(_digits(rows, column, kind)):
            found.setdefault((column, row["kind"]), []).append(row)
    return {key: _histogram(counted) for key, counted in found.items()}


def _digits(rows: Table, column: str, kind: Any) -> Table:
    """Count amounts by sign, number of digits and first digit."""
    filled = rows.mutate(kind=kind).filter(rows[column].notnull())
    units = (filled[column].abs() * _PLACES).cast("int64").cast("string")
    sign = filled[column].sign().cast("int8")
    return filled.group_by("kind", sign=sign, size=units.length(), digit=units[0]).agg(rows=filled.count())


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
