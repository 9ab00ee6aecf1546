"""Protection by declaration: which columns of a table count members, things or money, along which axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import nearest, staircase, sum_in_steps, to_multiples

#: How much one member can have in a column, by ``table.column`` or, for one group, ``table.column: group``.
type Caps = Mapping[str, Decimal]
#: A Monday from which days are counted, so that read-offs are the same in every run.
_MONDAY = "2001-01-01"


@dataclass(frozen=True, slots=True)
class Counted:
    """What the columns of a table count; columns that are not named anywhere are left out.

    Attributes
    ----------
    by : tuple of str
        Columns whose values make a group: text, dates, numbers that are not counts.
    members : tuple of str
        Counts of members. The first is the group's size: without it nothing of the group is told.
    parts : tuple of str
        Counts of members among the group's, such as those who came back.
    things : tuple of str
        Counts of things of which one member may have many: multiples of the base times their cap.
    money : tuple of str
        Sums of amounts: multiples of the base times their cap.
    along : str
        Axis along which members are new in every row, such as a day: their running sum is what is rounded.
        Only members are counted along one; columns that are neither in it nor in `by` are summed over.
    marks : tuple of int
        Numbers on that axis, from 0 on, at which the running sum is read off. All who are beyond the last one
        that so many exceed as may be shown are told up to the next one, or as one more.
    every : int
        Days between read-offs, where the axis holds dates.
    where : mapping of str to tuple of str
        Rows that are meant, by a column's values; all where it is empty.
    """

    by: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
    along: str = ""
    marks: tuple[int, ...] = ()
    every: int = 0
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def counts(self) -> tuple[str, ...]:
        """Columns that count something."""
        return (*self.members, *self.parts, *self.things, *self.money)


def protect_table(
    table: pd.DataFrame, rules: Sequence[Counted], base: int, *, name: str = "", caps: Caps | None = None
) -> pd.DataFrame:
    """Return a table in which every count is a multiple of `base`; rows without any count vanish.

    Parameters
    ----------
    table : DataFrame
        Exact counts.
    rules : sequence of Counted
        What its columns are; rows that no rule means are left out.
    base : int
        Smallest group that may be shown.
    name : str
        Of the table, as `caps` name its columns.
    caps : mapping of str to Decimal, optional
        How much of a thing or of money one member can have, by ``table.column`` or, where groups differ, by
        ``table.column: group`` (the first column of `by`); 1 where neither is stated.

    Returns
    -------
    DataFrame
        Columns of the table that a rule names, in the table's order; rows ordered by all columns.
    """
    named = [c for c in table.columns if any(c in (*rule.by, rule.along, *rule.counts) for rule in rules)]
    parts = [_protected(_meant(table, rule), rule, base, name, caps or {}) for rule in rules]
    found = pd.concat(parts)[named].sort_values(named, kind="stable", ignore_index=True)
    return found.astype({column: table[column].dtype for column in named})


def _meant(table: pd.DataFrame, rule: Counted) -> pd.DataFrame:
    for column, values in rule.where.items():
        table = table[table[column].isin(values)]
    return table.copy()


def _protected(rows: pd.DataFrame, rule: Counted, base: int, name: str, caps: Caps) -> pd.DataFrame:
    if rows.empty:
        return rows
    rows = _along(rows, rule, base) if rule.along else _each(rows, rule, base)
    there = rows[rule.members[0]] > 0 if rule.members and not rule.along else pd.Series(True, rows.index)
    for column in (*rule.things, *rule.money):
        groups = rows[rule.by[0]] if rule.by else [""] * len(rows)
        steps = [base * _cap(caps, f"{name}.{column}", group) for group in groups]
        shown = zip(rows[column].where(there, 0), steps, strict=True)
        in_steps = [sum_in_steps(_exact(value), step) for value, step in shown]
        rows[column] = pd.Series(in_steps, rows.index, dtype=object)
    some = (rows[list(rule.counts)] != 0).any(axis=1)
    return rows[some & there]


def _cap(caps: Caps, column: str, group: object) -> Decimal:
    return caps.get(f"{column}: {group}", caps.get(column, Decimal(1)))


def _each(rows: pd.DataFrame, rule: Counted, base: int) -> pd.DataFrame:
    for column in rule.members:
        rows[column] = to_multiples(rows[column], base)
    for column in rule.parts:
        part = nearest(rows[column], base)
        rows[column] = np.minimum(part, rows[rule.members[0]]) if rule.members else part
    return rows


def _along(rows: pd.DataFrame, rule: Counted, base: int) -> pd.DataFrame:
    """Release members step by step along the axis, in groups of at least `base` members."""
    groups = [group for _, group in rows.groupby(list(rule.by), sort=True)] if rule.by else [rows]
    axis = pd.date_range(rows[rule.along].min(), rows[rule.along].max()) if rule.every else None
    column = rule.members[0]
    released = []
    for group in groups:
        if group[column].sum() < base:
            continue
        new = group.groupby(rule.along)[column].sum()
        told = (
            _by_date(new, axis, base, rule.every) if axis is not None else _by_number(new, base, rule.marks)
        )
        released.append(told.reset_index().assign(**{name: group[name].iloc[0] for name in rule.by}))
    return pd.concat(released, ignore_index=True) if released else rows.iloc[:0]


def _by_number(new: pd.Series[int], base: int, marks: tuple[int, ...]) -> pd.Series[int]:
    """Return members by a number from 0 on, read off at `marks` as far as a group is beyond them."""
    places = [0, *(mark for mark in marks if mark > 0 and new[new.index > mark].sum() >= base)]
    end = next((mark for mark in marks if mark > places[-1]), places[-1] + 1)
    capped = new.groupby(np.minimum(new.index, end)).sum().reindex(range(end + 1), fill_value=0)
    steps = staircase(capped, base, [*places, end])
    return pd.Series(steps, capped.index.rename(new.index.name), name=new.name)


def _by_date(new: pd.Series[int], axis: pd.DatetimeIndex, base: int, every: int) -> pd.Series[int]:
    """Return members by date, read off every so many days of the calendar and on the last one."""
    counts = new.set_axis(pd.to_datetime(new.index)).reindex(axis, fill_value=0)
    days = (axis - pd.Timestamp(_MONDAY)).days.to_numpy()
    places = sorted({*np.flatnonzero(days % every == every - 1).tolist(), len(axis) - 1})
    steps = staircase(counts, base, places)
    return pd.Series(steps, pd.Index([day.date() for day in axis], name=new.index.name), name=new.name)


def _exact(value: Any) -> Decimal | int:
    return value if isinstance(value, Decimal) else int(value)
