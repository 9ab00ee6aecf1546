"""Checks of single values that read as assignments: ``mass = in_range(mass, "mass", gt=0, lt=1)``."""

from __future__ import annotations

from collections.abc import Collection

from sojourn.core.errors import ParameterError


def in_range(
    value: float,
    name: str,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> float:
    """Return `value` when it lies within the bounds, else raise naming value and bounds.

    Raises
    ------
    ParameterError
        When a bound is broken or the value is not a number.
    """
    rules = [
        (f"above {gt}", gt is None or value > gt),
        (f"at least {ge}", ge is None or value >= ge),
        (f"below {lt}", lt is None or value < lt),
        (f"at most {le}", le is None or value <= le),
    ]
    broken = [rule for rule, holds in rules if not holds]
    if broken:
        raise ParameterError(f"'{name}' must be {' and '.join(broken)}, got {value!r}.")
    return value


def one_of[T](value: T, name: str, allowed: Collection[T]) -> T:
    """Return `value` when it is one of `allowed`, else raise naming both.

    Raises
    ------
    ParameterError
        When it is not.
    """
    if value not in allowed:
        raise ParameterError(f"'{name}' must be one of {', '.join(repr(a) for a in allowed)}, got {value!r}.")
    return value
