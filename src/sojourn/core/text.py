"""Numbers, amounts, intervals and dates in words; every sentence and table prints them through here.

A minus is the real sign, thousands are set apart by commas, and what is not a number raises: a sentence never
prints a number that does not exist.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval

MINUS = "−"

#: Significant digits that a number keeps before it is rounded once; what a float adds beyond them is noise.
EXACT = 14

_WIDE = Context(prec=400, rounding=ROUND_HALF_EVEN)


def exact(value: float) -> Decimal:
    """Return a finite number as a decimal of `EXACT` significant digits; a whole number as it is.

    Examples
    --------
    >>> exact(0.285 * 100), exact(12.0)
    (Decimal('28.500000000000'), Decimal('12'))
    """
    return Decimal(int(value)) if value == int(value) else Decimal(f"{value:.{EXACT - 1}e}")


def once(value: float, digits: int) -> Decimal:
    """Return a finite number rounded to `digits` decimals, ties to even on its decimal: the one rule of all.

    Sentences, tables and files round through here, each from the number itself and never from one that was
    rounded before.

    Examples
    --------
    >>> once(0.285, 2), once(0.285 * 100, 0), once(-4.7749, 2)
    (Decimal('0.28'), Decimal('28'), Decimal('-4.77'))
    """
    return exact(value).quantize(Decimal(1).scaleb(-digits), context=_WIDE)


def number(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """Print a number with fixed decimals.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        Decimals.
    signed : bool
        Whether a plus is written too.

    Raises
    ------
    UndefinedError
        When `value` is missing or infinite.

    Examples
    --------
    >>> number(-1234.56), number(0.04, signed=True), number(-0.04)
    ('−1,234.6', '0.0', '0.0')
    """
    if value is None or not math.isfinite(value):
        raise UndefinedError(f"A sentence cannot state {value!r}: the number is not defined.")
    shown = once(value, digits)
    plain = f"{abs(shown):,.{digits}f}"
    if not shown:
        return plain
    sign = MINUS if value < 0 else "+" if signed else ""
    return sign + plain


def percent(share: float, digits: int = 1) -> str:
    """Print a share (0-1) in percent.

    Examples
    --------
    >>> percent(0.3614)
    '36.1 %'
    """
    return f"{number(share * 100, digits)} %"


def points(difference: float, digits: int = 1, *, signed: bool = False) -> str:
    """Print a difference of two shares (-1 to 1) in points; the reader's word is "members in 100".

    Examples
    --------
    >>> f"keeps {points(0.0214)} more members in 100"
    'keeps 2.1 more members in 100'
    """
    return number(difference * 100, digits, signed=signed)


def count(n: float) -> str:
    """Print a whole number.

    Examples
    --------
    >>> count(2357)
    '2,357'
    """
    return number(n, 0)


def money(amount: float, currency: str, digits: int = 2) -> str:
    """Print an amount with its currency (an ISO code, or empty when none is known).

    Examples
    --------
    >>> money(-1200, "EUR"), money(3.5, "")
    ('−1,200.00 EUR', '3.50')
    """
    return f"{number(amount, digits)} {currency}".rstrip()


def plural(n: float, one: str, many: str = "") -> str:
    """Print a count with its noun.

    Examples
    --------
    >>> plural(1, "member"), plural(2357, "member"), plural(3, "day of grace", "days of grace")
    ('1 member', '2,357 members', '3 days of grace')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def begun(text: str) -> str:
    """Return a text as a sentence begins: its first letter large, all others as they are.

    Examples
    --------
    >>> begun("welcome coupon adds 2 EUR")
    'Welcome coupon adds 2 EUR'
    """
    return text[:1].upper() + text[1:]


def listing(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listing(["annual"]), listing(["annual", "monthly", "free"])
    ('annual', 'annual, monthly and free')
    """
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1] if words else "") if part)


def chances(probability: float) -> str:
    """Print a probability as a natural frequency.

    Examples
    --------
    >>> chances(0.974), chances(0.9991), chances(0.002)
    ('97 in 100', 'more than 99 in 100', 'fewer than 1 in 100')
    """
    rounded = float(once(probability * 100, 0))
    if rounded == 0 and probability > 0:
        return "fewer than 1 in 100"
    if rounded == 100 and probability < 1:
        return "more than 99 in 100"
    return f"{number(rounded, 0)} in 100"


def bounds(interval: Interval, digits: int = 1) -> str:
    """Print what an interval is and its bounds, in the interval's own unit.

    Examples
    --------
    >>> bounds(Interval(2.1, 0.4, 3.8, mass=0.95, kind="eti"))
    '95 % credible interval 0.4 to 3.8'
    """
    return f"{interval.label} {number(interval.low, digits)} to {number(interval.high, digits)}"


def in_words(interval: Interval, unit: str, digits: int = 1) -> str:
    """Print an estimate with its interval, mass and kind.

    Parameters
    ----------
    interval : Interval
        Already in `unit`: use ``interval.scaled(100)`` for a share that is printed in percent or in 100.
    unit : str
        Word after the number: ``%``, ``members in 100``, ``days``, ``EUR`` … or empty.
    digits : int
        Decimals of all three numbers.

    Examples
    --------
    >>> in_words(Interval(0.361, 0.340, 0.382, mass=0.95, kind="log-log").scaled(100), "%")
    '36.1 % (95 % confidence interval 34.0 to 38.2)'
    """
    value = f"{number(interval.value, digits)} {unit}".rstrip()
    return f"{value} ({bounds(interval, digits)})"


def ranged(interval: Interval, digits: int = 1) -> str:
    """Print an estimate with its bounds alone, where mass and kind are said beside it.

    Examples
    --------
    >>> ranged(Interval(12.5, 10.0, 15.2, mass=0.95, kind="wald"))
    '12.5 (10.0 to 15.2)'
    """
    low, high = (number(bound, digits) for bound in (interval.low, interval.high))
    return f"{number(interval.value, digits)} ({low} to {high})"


def day(instant: str | date, time_zone: str = "UTC") -> str:
    """Print the day of an instant (ISO 8601 text, date or datetime) in a time zone.

    Examples
    --------
    >>> day("2025-06-30T22:00:00Z"), day("2025-06-30T22:00:00Z", "Europe/Berlin"), day(date(1997, 1, 2))
    ('30 June 2025', '1 July 2025', '2 January 1997')
    """
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    if isinstance(instant, datetime) and instant.tzinfo is not None:
        instant = instant.astimezone(ZoneInfo(time_zone))
    return f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}"


def local_date(instant: datetime | str, time_zone: str, *, days_ago: int = 0) -> date:
    """Return the date that a clock shows at an instant, or the date so many days before that one.

    So many times 24 hours before midnight is not midnight where clocks were changed in between: dates are
    counted as dates.

    Examples
    --------
    >>> local_date("1998-07-01T04:00:00Z", "America/New_York", days_ago=90)
    datetime.date(1998, 4, 2)
    """
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return instant.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=days_ago)


def window(start: str | date, end: str | date, time_zone: str = "UTC") -> str:
    """Print a stretch of time by its first and last instant.

    Examples
    --------
    >>> window("1997-01-01T00:00:00Z", "1998-07-01T00:00:00Z")
    '1 January 1997 to 1 July 1998'
    """
    return f"{day(start, time_zone)} to {day(end, time_zone)}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
