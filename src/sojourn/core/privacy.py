"""Numbers that say nothing of one member: counts as multiples of a base, running counts as staircases.

Every count of members that a private case shows is a multiple of one whole number, the base (the smallest
group that may be shown, ``privacy.min_group``).

What is proven. Multiples of the base form a lattice: every combination of them with whole coefficients
(sums, differences, over groups, studies, pages and successive runs) is a multiple of the base again, so it is
0 or at least the base. No system of equations between shown counts has a solution that isolates fewer
members. A sum of amounts is treated as a count is: amounts are cut at a cap, and the sum is a multiple of the
base times the cap, so the richest member weighs in it as one member weighs in a count.

What is not. Each shown count says that the exact one lies within half a base of it, and thresholds do not
move: whoever knows the exact count of all others, and that it stands right below a threshold, sees whether
one more member counted. Of all values a count can have, one in the base stands there. Nothing is random here,
so there is no guarantee against such a reader in the sense of differential privacy. The more
running counts are told, the more thresholds one member can cross: where two runs differ by one member only,
who sees both learns the groups in which something moved, and mostly whether that member has left
(`tests/data/test_attack_two_runs.py` measures how often). So along time few days are read off where members
are grouped.

Halves round up everywhere, so results depend on nothing but the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]


def base_of(meta: Mapping[str, Any]) -> int:
    """Return the base of cells from what they say of themselves; 0: their numbers are exact."""
    return int(meta.get("protected", {}).get("base", 0))


def to_multiples(counts: ArrayLike, base: int) -> Counts:
    """Return counts of members as the nearest multiples of `base`; fewer members than `base` are nobody.

    Parameters
    ----------
    counts : array of int
        Each at least 0.
    base : int
        Smallest group that may be shown, at least 1.

    Notes
    -----
    Off by at most ``base / 2`` where there are at least `base`, and by at most ``base - 1`` below. Rises
    with the count, so parts stay no larger than their whole.

    Examples
    --------
    >>> to_multiples([0, 19, 20, 29, 30, 151], 20).tolist()
    [0, 0, 20, 20, 40, 160]
    """
    exact = np.asarray(counts, dtype=np.int64)
    return np.where(exact < base, 0, nearest(exact, base))


def nearest(counts: ArrayLike, base: int) -> Counts:
    """Return the nearest multiples of `base`, halves up: for parts of a group that may be shown.

    Examples
    --------
    >>> nearest([9, 10, 29, 30, -10], 20).tolist()
    [0, 20, 20, 40, 0]
    """
    exact = np.asarray(counts, dtype=np.int64)
    return np.asarray((2 * exact + base) // (2 * base) * base, dtype=np.int64)


def staircase(counts: ArrayLike, base: int, marks: Sequence[int] | None = None) -> Counts:
    """Return counts along an axis so released that their running sum is the nearest multiple of `base`.

    Parameters
    ----------
    counts : array of int
        New members (or events) at each point of the axis, in its order; each at least 0.
    base : int
        Size of a step, at least 1.
    marks : sequence of int, optional
        Places, rising, at which the running sum is read off, the last place among them; all where not given.

    Notes
    -----
    At every mark the running sum is off by at most ``base / 2``, and by nothing on average; between two marks
    steps are laid out evenly, which tells nothing more. The fewer marks, the rarer one member moves anything.

    Examples
    --------
    >>> staircase([4, 5, 1, 0, 19, 1, 30], 20).tolist()
    [0, 0, 20, 0, 0, 20, 20]
    >>> staircase([4, 5, 1, 0, 19, 1, 30], 20, marks=[1, 6]).tolist()
    [0, 0, 20, 0, 20, 0, 20]
    """
    run = np.cumsum(np.asarray(counts, dtype=np.int64))
    at = list(range(len(run))) if marks is None else list(marks)
    told = nearest(run[at], base) // base
    steps = np.zeros(len(run), dtype=np.int64)
    for before, after, of in zip([-1, *at], at, np.diff(told, prepend=0), strict=False):
        places = before + np.ceil((np.arange(of) + 0.5) / max(of, 1) * (after - before)).astype(np.int64)
        np.add.at(steps, places, base)
    return steps


def shared_out(counts: ArrayLike, total: int) -> Counts:
    """Return counts shrunk or grown to a given total, each as near its exact part as whole numbers allow.

    Parameters
    ----------
    counts : array of int
        Each at least 0, not all 0 unless `total` is.
    total : int
        What they add up to afterwards.

    Examples
    --------
    >>> shared_out([1, 1, 1], 4).tolist()
    [1, 2, 1]
    """
    exact = np.cumsum(np.asarray(counts, dtype=np.int64))
    whole = int(exact[-1]) if len(exact) else 0
    if whole == 0:
        return np.zeros(len(exact), dtype=np.int64)
    return np.diff((2 * exact * total + whole) // (2 * whole), prepend=0)


def round_number(value: Decimal | int) -> Decimal:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least `value`; 0 for 0.

    Examples
    --------
    >>> [str(round_number(Decimal(v))) for v in ("0", "1", "1.2", "37", "51", "0.03")]
    ['0', '1', '2', '50', '100', '0.05']
    """
    if value <= 0:
        return Decimal(0)
    power = Decimal(1).scaleb(Decimal(value).adjusted())
    return _plain(next(power * digit for digit in (1, 2, 5, 10) if power * digit >= value))


def cap_of(sizes: Iterable[Decimal | int], base: int) -> Decimal:
    """Return the cap of amounts: 1, 2 or 5 times a power of ten that at least `base` members reach.

    Parameters
    ----------
    sizes : iterable of Decimal or int
        Amount of each member without its sign.
    base : int
        At least so many members, and one in a hundred, are at the cap or above it.

    Returns
    -------
    Decimal
        0 when fewer than `base` members have any amount: then nothing can be shown of it.

    Examples
    --------
    >>> str(cap_of([Decimal(amount) for amount in range(1, 101)], 20))
    '50'
    """
    ordered = sorted((Decimal(size) for size in sizes if size > 0), reverse=True)
    if len(ordered) < base:
        return Decimal(0)
    return round_down(ordered[reaching(len(ordered), base) - 1])


def reaching(members: int, base: int) -> int:
    """Return how many of so many members with an amount are to be at its cap or above it.

    Examples
    --------
    >>> reaching(500, 20), reaching(5_000, 20)
    (20, 50)
    """
    return max(base, -(-members // 100))


def round_down(value: Decimal) -> Decimal:
    """Return the largest 1, 2 or 5 times a power of ten that is at most a positive `value`.

    Examples
    --------
    >>> [str(round_down(Decimal(v))) for v in ("1", "37", "0.09")]
    ['1', '20', '0.05']
    """
    power = Decimal(1).scaleb(value.adjusted())
    return _plain(next(power * digit for digit in (5, 2, 1) if power * digit <= value))


def top_coded(amounts: Iterable[Decimal], cap: Decimal) -> list[Decimal]:
    """Return amounts cut at `cap` on both sides.

    Examples
    --------
    >>> [str(amount) for amount in top_coded([Decimal(3), Decimal(80), Decimal(-70)], Decimal(50))]
    ['3', '50', '-50']
    """
    return [max(-cap, min(cap, amount)) for amount in amounts]


def sum_in_steps(total: Decimal | Fraction | int, step: Decimal, *, up: bool = False) -> Decimal:
    """Return a sum as a multiple of `step`, the nearest one (halves up) or the next above; 0 for a step of 0.

    Parameters
    ----------
    total : Decimal, Fraction or int
        Exact sum.
    step : Decimal
        Base times cap for sums of amounts cut at the cap.
    up : bool
        Whether never to go below the exact sum, as for sums of squares, whose variance must not shrink.

    Examples
    --------
    >>> str(sum_in_steps(Decimal("1499.9"), Decimal(1000))), str(sum_in_steps(-1500, Decimal(1000)))
    ('1000', '-1000')
    >>> str(sum_in_steps(1, Decimal(1000), up=True))
    '1000'
    """
    if step == 0:
        return Decimal(0)
    steps = Fraction(total) / Fraction(step)
    whole = -((-steps).__floor__()) if up else (steps + Fraction(1, 2)).__floor__()
    return whole * step


def coarse(count: int, base: int) -> int:
    """Return a count of things of which one member may have many: a multiple of `base` of about two digits.

    Examples
    --------
    >>> [coarse(count, 20) for count in (7, 1_234, 123_456)]
    [0, 1240, 124000]
    """
    power = max(len(str(max(count, 1) // (50 * base))) - 1, 0) if count >= 50 * base else 0
    step = base * 10**power
    return int((2 * count + step) // (2 * step) * step)


def two_digits(value: Decimal | int) -> Decimal:
    """Return a value cut to its first two digits, towards 0: a grid that no member moves.

    Examples
    --------
    >>> [str(two_digits(Decimal(v))) for v in ("7", "123", "-4.56", "0")]
    ['7', '120', '-4.5', '0']
    """
    exact = Decimal(value)
    if exact == 0:
        return Decimal(0)
    unit = Decimal(1).scaleb(max(exact.adjusted() - 1, -9))
    rounding = ROUND_FLOOR if exact > 0 else ROUND_CEILING
    return _plain((exact / unit).to_integral_value(rounding=rounding) * unit)


def pooled(values: Iterable[Decimal | int], base: int) -> list[Decimal]:
    """Return values of members on a coarse grid, so that every one is shared by at least `base` members.

    Values are cut to two digits; neighbours on this grid are put together, from below, until they are `base`,
    and take the middle one of their values (the lower of two).

    Parameters
    ----------
    values : iterable of Decimal or int
        One per member, at least `base` of them.

    Examples
    --------
    >>> [str(value) for value in pooled([1, 1, 1, 2, 9, 950, 1], 3)]
    ['1', '1', '1', '9', '9', '9', '1']
    """
    grid = [two_digits(value) for value in values]
    shared: dict[Decimal, Decimal] = {}
    for together in _classes(sorted(grid), base):
        shared |= dict.fromkeys(together, together[(len(together) - 1) // 2])
    return [shared[value] for value in grid]


def _classes(ordered: list[Decimal], base: int) -> list[list[Decimal]]:
    """Cut rising values into runs of at least `base`; equal values stay together, the rest joins the last."""
    classes: list[list[Decimal]] = [[]]
    for value in ordered:
        if len(classes[-1]) >= base and value != classes[-1][-1]:
            classes.append([])
        classes[-1].append(value)
    if len(classes) > 1 and len(classes[-1]) < base:
        last = classes.pop()
        classes[-1] += last
    return classes


def _plain(value: Decimal) -> Decimal:
    """Return the same number without an exponent."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
