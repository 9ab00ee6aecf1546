"""Decimals that every engine sums and multiplies alike."""

from __future__ import annotations

from decimal import Decimal

import ibis
from ibis import Value

#: Amounts of one member; its cube still fits into 38 digits.
AMOUNT, SUM = "decimal(12, 4)", "decimal(38, 9)"
#: DuckDB multiplies decimals of up to 18 digits in 18 digits, whatever comes out: one factor has to be wider.
WIDE, SQUARE = "decimal(19, 4)", "decimal(24, 8)"
_LOG, _WIDE_LOG = "decimal(18, 9)", "decimal(19, 9)"


def decimal(amount: float) -> Value:
    """Return an amount as a literal."""
    return ibis.literal(Decimal(str(amount)), AMOUNT)


def amount(value: Value) -> Value:
    """Return what may be missing as an amount."""
    return value.cast(AMOUNT).fill_null(decimal(0))


def cut(amount: Value, cap: Decimal | None) -> Value:
    """Return amounts cut at a cap on both sides, as private cases show them; as they are without a cap."""
    if cap is None:
        return amount
    high, low = (ibis.literal(bound, AMOUNT) for bound in (cap, -cap))
    return ibis.greatest(ibis.least(amount, high), low).cast(AMOUNT)


def product(one: Value, other: Value) -> Value:
    """Return the exact product of two amounts."""
    return (one.cast(AMOUNT).cast(WIDE) * other.cast(AMOUNT)).cast(SQUARE).cast(SUM)


def large_product(one: Value, other: Value) -> Value:
    """Return the exact product of two sums of amounts."""
    return (one.cast(WIDE) * other.cast("decimal(18, 4)")).cast(SUM)


def total(value: Value) -> Value:
    """Return the sum over rows as decimals."""
    return value.cast(SUM).sum().cast(SUM)


def count(value: Value) -> Value:
    """Return the sum over rows of what is 0 or more whole things."""
    return value.sum().cast("int64")


def logarithm(positive: Value) -> Value:
    """Return natural logarithms, rounded to 1e-9 per row."""
    return positive.cast("float64").ln().round(9).cast(_LOG)


def squared_logarithm(log: Value) -> Value:
    """Return the square of what `logarithm` gave, rounded to 1e-9 per row."""
    return (log.cast(_WIDE_LOG) * log).cast(SUM)
