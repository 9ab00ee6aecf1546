"""Measures in the engine: the same numbers, to the last bit, as `Measure.of` gives in Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import ibis
from ibis import Table, Value

from sojourn.core.measures import Measure


def measure_value(table: Table, measure: Measure) -> Value:
    """Return the measure of every row of a table of counts, as a double.

    Parameters
    ----------
    table : ibis Table
        As `counted_at` returns it.
    measure : Measure
        What is measured.
    """
    top = _sum(table, measure.plus, measure.decimals)
    if measure.minus:
        top = top - _sum(table, measure.minus, measure.decimals)
    top = _times(top, measure.times).cast("float64")
    if not measure.over and not measure.decimals:
        return top
    under = table[measure.over] if measure.over else ibis.literal(1, "int64")
    under = _times(under, 10**measure.decimals).cast("float64")
    zero = ibis.literal(0.0, "float64")
    return ibis.ifelse(under > 0, top / under.nullif(zero), zero)


def _sum(table: Table, names: Sequence[str], decimals: int) -> Value:
    return reduce(add, [_whole(table[name], decimals) for name in names])


def _times(value: Value, factor: int) -> Value:
    return value if factor == 1 else value * factor


def _whole(column: Value, decimals: int) -> Value:
    """Return a column of counts, or of decimals with so many digits, as whole numbers."""
    if not decimals:
        return column
    return (column.cast(f"decimal(28, {decimals})") * 10**decimals).cast("int64")
