"""Rules on the days of a log: empty days, days with far too little, an end that is not complete.

What is usual of a day is the median of the same weekday in the four weeks before and after, so weeks,
seasons and growth are no findings. Counts scatter more than lots would: by how much is measured on the days
themselves (`scatter`), and a day is odd where lots that scatter so much would bring it once in 1,000 logs.
The first four weeks are not judged: nobody knows how a log began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import log, sqrt
from statistics import NormalDist, median

#: Weeks on either side with which a day is compared, and how many of their days there have to be.
WEEKS, LEAST = 4, 3
#: How often a rule may be wrong: once in so many logs, over all their days.
LOGS = 1_000
#: The last day is set beside so many days before it.
BEFORE_END = 56
#: Rows of a usual day below which its end says nothing.
FEWEST = 5
#: Half the square of a standard normal deviate lies below this.
_HALF = 0.4549

type Counts = Mapping[date, int]
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive days, and what is usual of them together.

    Attributes
    ----------
    first, last : date
        First and last day.
    usual : float
        What one would expect of all of them.
    """

    first: date
    last: date
    usual: float

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def span(counts: Counts, last: date) -> list[date]:
    """Return all days from the first with rows up to `last`."""
    first = min(counts)
    return [first + i * _DAY for i in range((last - first).days + 1)]


def usual(counts: Counts, day: date, run: tuple[date, date], days: Sequence[date]) -> float | None:
    """Return the median of the same weekday in the weeks around a run, none where there are too few."""
    before = [day - i * _WEEK for i in range(1, 1 + WEEKS + (day - run[0]).days // 7)]
    after = [day + i * _WEEK for i in range(1, 1 + WEEKS + (run[1] - day).days // 7)]
    around = [d for d in (*before, *after) if not run[0] <= d <= run[1] and days[0] <= d <= days[-1]]
    return median(counts.get(d, 0) for d in around) if len(around) >= LEAST else None


def scatter(counts: Counts, days: Sequence[date]) -> float:
    """Return how many times more than lots the days of a log scatter around what is usual; at least 1."""
    around = [(counts.get(day, 0), usual(counts, day, (day, day), days)) for day in days]
    squares = [(n - level) ** 2 / level for n, level in around if level]
    return max(1.0, median(squares) / _HALF) if squares else 1.0


def gaps(counts: Counts, days: Sequence[date]) -> list[Run]:
    """Return runs of empty days where emptiness is no lot: ``exp(-usual / scatter) < 1 / (1,000 x days)``."""
    limit = log(LOGS * len(days)) * scatter(counts, days)
    found = (expected(counts, run, days) for run in _runs([day for day in days if not counts.get(day)]))
    return [run for run in found if run.usual > limit and run.first >= days[0] + WEEKS * _WEEK]


def drops(counts: Counts, days: Sequence[date]) -> list[Run]:
    """Return runs of days with less than half of what is usual, too little for lots.

    The roots of counts have a spread of about one half (Anscombe 1948: ``sqrt(n + 3/8)``); a day is odd where
    its root lies further below than one in 1,000 logs would have any day.
    """
    limit = NormalDist().inv_cdf(1 - 1 / (LOGS * len(days))) * sqrt(scatter(counts, days)) / 2
    odd = [day for day in days[7 * WEEKS :] if counts.get(day) and _is_low(counts, day, days, limit)]
    return [expected(counts, run, days) for run in _runs(odd)]


def end(counts: Counts, days: Sequence[date]) -> Run | None:
    """Return the last day with rows when it looks cut off.

    It does when it has fewer rows than any of the 56 days before it, and less than a third of the same
    weekday's median: of even days one in 57 is the lowest, so that often at most is this wrong.
    """
    last = max(day for day in days if counts.get(day))
    before = [counts.get(last - i * _DAY, 0) for i in range(1, BEFORE_END + 1) if last - i * _DAY >= days[0]]
    level = usual(counts, last, (last, last), [day for day in days if day <= last])
    if level is None or len(before) < BEFORE_END or level < FEWEST:
        return None
    is_low = counts[last] < min(before) and counts[last] < level / 3
    return Run(last, last, level) if is_low else None


def _is_low(counts: Counts, day: date, days: Sequence[date], limit: float) -> bool:
    level = usual(counts, day, (day, day), days)
    if level is None or counts[day] >= level / 2:
        return False
    return sqrt(level + 0.375) - sqrt(counts[day] + 0.375) > limit


def expected(counts: Counts, run: tuple[date, date], days: Sequence[date]) -> Run:
    """Return a run of days with what is usual of it."""
    inside = (run[0] + i * _DAY for i in range((run[1] - run[0]).days + 1))
    return Run(*run, sum(usual(counts, day, run, days) or 0.0 for day in inside))


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Give first and last day of every stretch without a break."""
    if not days:
        return
    start = days[0]
    for one, next_ in pairwise(days):
        if next_ - one > _DAY:
            yield start, one
            start = next_
    yield start, days[-1]
