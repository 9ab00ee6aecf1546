"""A limit beyond which a value is absurd even where tails are heavy, from two quantiles of a histogram."""

from __future__ import annotations

from collections.abc import Mapping

#: Values that a histogram has to hold before it has a limit.
FEWEST = 20


def limit(histogram: Mapping[float, int], *, least: float) -> float | None:
    """Return the value above which values are absurd, none for a histogram of fewer than 20.

    It is ``p95 x max(least, (p95 / p50) ** 2)``: on the scale of logarithms three times as far above the
    median as the 95th percentile. Of a log-normal variable of any spread 4 in 10 million lie beyond it.

    Parameters
    ----------
    histogram : mapping of float to int
        Positive values and how many there are.
    least : float
        How many times the 95th percentile is never absurd.
    """
    if sum(histogram.values()) < FEWEST:
        return None
    half, most = _quantile(histogram, 0.5), _quantile(histogram, 0.95)
    return most * max(least, (most / half) ** 2)


def _quantile(histogram: Mapping[float, int], share: float) -> float:
    """Return the smallest value that at least a share of all do not exceed."""
    wanted, seen = share * sum(histogram.values()), 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= wanted:
            return value
    raise AssertionError("shares are at most 1")
