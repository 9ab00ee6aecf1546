"""What is asked of the engine, as small tables: periods, cohorts, and rules of retention."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

import ibis
import pandas as pd
from ibis import Table

from sojourn.core.definitions import ENDING, MOST_CHANGES, Offered
from sojourn.core.results.reconcile import FOLLOWED, Kpi, Unit
from sojourn.data.reconcile.kpis import first_day

#: Length of a unit in days where time is counted from the hour of joining.
LENGTH: dict[Unit, int] = {"day": 1, "week": 7, "month": 30}
DAY = 86_400
_EPOCH = date(1970, 1, 1)
_FOREVER = 1_000_000
_EVERYBODY = (-_FOREVER, _FOREVER)


def day_number(day: date) -> int:
    """Return days since 1970."""
    return (day - _EPOCH).days


def span(period: str) -> tuple[int, int]:
    """Return the first and the last day of a period as day numbers; of an empty one, all there are.

    Examples
    --------
    >>> span("1970-01"), span("1970-W02"), span("1970-01-03")
    ((0, 30), (4, 10), (2, 2))
    """
    if not period:
        return _EVERYBODY
    first = first_day(period)
    if "W" in period:
        last = first + timedelta(days=6)
    elif len(period) == 7:
        last = first.replace(day=monthrange(first.year, first.month)[1])
    else:
        last = first
    return day_number(first), day_number(last)


def periods(kpis: Sequence[Kpi]) -> Table | None:
    """Return the first and last day of every period asked about, under each of its windows."""
    asked = sorted({(kpi.unit, kpi.period) for kpi in kpis if kpi.kind not in FOLLOWED})
    rows = [row for unit, period in asked for row in _windows(unit, period)]
    columns = ["unit", "period", "window", "first", "last", "window_changes"]
    return _table(rows, columns) if rows else None


def _windows(unit: Unit, period: str) -> Iterator[tuple[Any, ...]]:
    first, last = span(period)
    yield unit, period, "calendar", first, last, 0
    if unit == "month":
        yield unit, period, "trailing_30", last - 29, last, 1
        yield unit, period, "trailing_28", last - 27, last, 1
    if unit == "week":
        yield unit, period, "sunday", first - 1, last - 1, 1


def cohorts(kpis: Sequence[Kpi], unit: Unit) -> Table:
    """Return ``cohort``, ``cohort_first``, ``cohort_last`` of those that numbers of a unit are about."""
    asked = sorted({kpi.period for kpi in kpis if kpi.kind in FOLLOWED and kpi.unit == unit})
    return _table([(period, *span(period)) for period in asked], ["cohort", "cohort_first", "cohort_last"])


def ages(kpis: Sequence[Kpi], unit: Unit) -> list[int]:
    """Return the ages that numbers of a unit ask about."""
    return sorted({kpi.n for kpi in kpis if kpi.kind in FOLLOWED and kpi.unit == unit})


def rules(numbers: Sequence[int], unit: Unit, offered: Offered) -> Table:
    """Return the rules of retention, each with the ages at which a sign of life counts.

    Returns
    -------
    Table
        ``n``, ``rule``, ``clock``, ``numbering``, ``low`` and ``high`` (ages, both included), ``needs``
        (units of calendar that have to be over), ``needs_s`` (seconds from joining that have to be over),
        ``kept_s`` (seconds from joining that a member stays longer than), ``rule_changes``.
    """
    found = []
    for n, clock, numbering in product(numbers, ("calendar", "elapsed"), ("zero", "one")):
        age = n - (numbering == "one")
        for rule, low, high, needs in spans(age, unit, offered):
            silent = rule in ("silence", "last_sign")
            changes = (rule != "on") + (clock == "elapsed") + (numbering == "one")
            if changes > MOST_CHANGES or (
                rule in ENDING and (numbering == "one" or (silent and clock == "elapsed"))
            ):
                continue
            whole = needs if rule in ENDING else needs + 1
            lag = offered.silence_days if silent else 0
            needs_s = (whole * LENGTH[unit] + lag) * DAY
            timed = "elapsed" if silent else clock
            found.append(
                (
                    n,
                    rule,
                    clock,
                    numbering,
                    timed,
                    low,
                    high,
                    needs,
                    needs_s,
                    age * LENGTH[unit] * DAY,
                    changes,
                )
            )
    columns = [
        "n",
        "rule",
        "clock",
        "numbering",
        "timed",
        "low",
        "high",
        "needs",
        "needs_s",
        "kept_s",
        "rule_changes",
    ]
    return _table(found, columns)


def spans(age: int, unit: Unit, offered: Offered) -> Iterator[tuple[str, int, int, int]]:
    """Yield rule, lowest and highest age, and the age that has to be over."""
    if offered.events:
        yield "on", age, age, age
        yield "on_or_after", age, _FOREVER, age
        yield "within", 1, age, age
        if unit == "day":
            yield "bracket", age, age + 6, age + 6
            yield "silence", 0, 0, age
            yield "last_sign", 0, 0, age
    if offered.ends:
        yield "not_cancelled", 0, 0, age


def _table(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> Table:
    return ibis.memtable(pd.DataFrame(rows, columns=list(columns)))
