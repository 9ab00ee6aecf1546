"""Measures in the engine: the same numbers, to the last bit, as `Measure.of` gives in Python."""

from __future__ import annotations

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
    top = ibis.literal(0, "int64")
    for sign, names in ((1, measure.plus), (-1, measure.minus)):
        for name in names:
            top = top + sign * _whole(table[name], measure.decimals)
    top = (top * measure.times).cast("float64")
    if not measure.over and not measure.decimals:
        return top
    under = table[measure.over] if measure.over else ibis.literal(1, "int64")
    under = (under * 10**measure.decimals).cast("float64")
    zero = ibis.literal(0.0, "float64")
    return ibis.ifelse(under > 0, top / under.nullif(zero), zero)


def _whole(column: Value, decimals: int) -> Value:
    """Return a column of counts, or of decimals with so many digits, as whole numbers."""
    if not decimals:
        return column
    return (column.cast(f"decimal(18, {decimals})") * 10**decimals).cast("int64")
