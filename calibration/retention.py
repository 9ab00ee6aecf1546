"""What the intervals and checks of retention really do, over worlds whose truth is known.

Each row: estimand, worlds and what they are like, nominal mass, goal, measured coverage with misses on both
sides, mean width, share undefined (an interval that is not claimed counts as a miss), and whether the goal
was met: the 99.9 % interval of the measured coverage meets the goal, and at most 1 % are undefined. Widths
need no row of their own: bounds equal those of R survival to nine digits (tests/estimators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from common import EXACT_GOAL, MASS, Interval, covered
from numpy.typing import NDArray
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.estimators.survival.shares import exact_share
from sojourn.studies.retention.checks import DRIFT_LEVEL, halves_test
from sojourn.studies.retention.curve import LEAST_AT_RISK, LEAST_GONE

Ints = NDArray[np.int64]
WORLDS, SEED = 4_000, 20_261_121
#: Weeks in which leaving is fastest, and how much; then a constant hazard (per day).
PEAK_DAYS, PEAK, LATER = 45, 0.008, 0.002
UNTIL, HORIZON, LAPSE = 180, 90, 30


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    return [*coverage(WORLDS, SEED), *drift_rates(2_000, SEED)]


def coverage(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the coverage of every interval that the study publishes.

    Parameters
    ----------
    worlds : int
        Worlds per row.
    seed : int
        Seed of all rows.
    """
    return [row(worlds, np.random.default_rng([seed, number])) for number, row in enumerate(_rows())]


def _rows() -> Iterator[Callable[[int, np.random.Generator], dict[str, Any]]]:
    for n, longest, like in (
        (1_000, 365, "1,000 members, followed for 0 to 365 days"),
        (200, 365, "200 members, followed for 0 to 365 days"),
        (300, 120, "300 members, three of four censored by day 90"),
    ):
        yield _kept_row(n, longest, like)
    yield _late_row
    yield _silence_row
    yield _mean_row
    for factor, like in ((1.0, "alike"), (1.5, "one leaves 1.5 times as fast")):
        yield _difference_row(factor, like)
    yield _day_n_row


# --- worlds --------------------------------------------------------------------------------------------


def lifetimes(n: int, rng: np.random.Generator, factor: float = 1.0) -> NDArray[np.float64]:
    """Draw days until leaving: a higher hazard up to `PEAK_DAYS`, a lower one afterwards."""
    drawn = rng.exponential(size=n) / factor
    early = PEAK * PEAK_DAYS
    return np.where(drawn < early, drawn / PEAK, PEAK_DAYS + (drawn - early) / LATER)


def true_kept(day: float) -> float:
    """Return the share still there after a day."""
    return float(np.exp(-PEAK * min(day, PEAK_DAYS) - LATER * max(day - PEAK_DAYS, 0)))


def true_mean(until: float, factor: float = 1.0) -> float:
    """Return the mean time within `until`: the integral of the true share left, in closed form."""
    early, late = PEAK * factor, LATER * factor
    left = np.exp(-early * PEAK_DAYS)
    return float((1 - left) / early + left * (1 - np.exp(-late * (until - PEAK_DAYS))) / late)


def observed(
    life: NDArray[np.float64], follow_up: NDArray[np.float64], entry: NDArray[np.float64] | None = None
) -> RiskSet:
    """Return the risk set in whole days, by the definitions of the cells."""
    leaves, potential = np.ceil(life), np.floor(follow_up).astype(np.int64)
    churned = leaves <= potential
    end = np.where(churned, leaves, potential).astype(np.int64)
    start = np.zeros(len(life), dtype=np.int64) if entry is None else np.ceil(entry).astype(np.int64)
    seen = (start == 0) | (end > start)
    end, churned, start = end[seen], churned[seen].astype(np.int64), start[seen]
    one, none = np.ones_like(end), np.zeros_like(end)
    return risk_set(np.r_[start, end], np.r_[one, none], np.r_[none, churned], np.r_[none, 1 - churned])


def _kept(risk: RiskSet, day: int) -> Interval:
    """Return the interval of the share kept where the study claims one."""
    if len(risk) <= day or risk.at_risk[day] < LEAST_AT_RISK or risk.churned[: day + 1].sum() < LEAST_GONE:
        return Interval(np.nan, np.nan)
    survival = kaplan_meier(risk, MASS)
    return Interval(float(survival.low[day]), float(survival.high[day]))


# --- rows ------------------------------------------------------------------------------------------------


def _kept_row(n: int, longest: int, like: str) -> Callable[[int, np.random.Generator], dict[str, Any]]:
    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        found = [
            _kept(observed(lifetimes(n, rng), rng.uniform(0, longest, n)), HORIZON) for _ in range(worlds)
        ]
        return covered(f"kept at {HORIZON} days (log-log)", like, found, true_kept(HORIZON))

    return row


def _late_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    def world() -> Interval:
        entry = np.where(rng.random(1_500) < 0.5, 0.0, rng.uniform(0, 200, 1_500))
        return _kept(observed(lifetimes(1_500, rng), entry + rng.uniform(60, 365, 1_500), entry), HORIZON)

    like = "1,500 members, half of whom are seen only from a later day on if they last so long"
    return covered(
        f"kept at {HORIZON} days (log-log)", like, [world() for _ in range(worlds)], true_kept(HORIZON)
    )


def _silence_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    """Members act at random, on average every 10 days; a lapse is the start of the first gap over 30 days."""
    truth = float((first_gap(1_000_000, rng) > HORIZON).mean())
    like = f"500 members active every 10 days on average; a silence of {LAPSE} days is a lapse"
    found = [_kept(observed(first_gap(500, rng), rng.uniform(0, 365, 500)), HORIZON) for _ in range(worlds)]
    return covered(f"not yet silent at {HORIZON} days (log-log)", like, found, truth)


def first_gap(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw when the first gap longer than `LAPSE` begins, for members active every 10 days on average.

    The number of gaps before it is geometric, each is exponential cut at `LAPSE`.
    """
    long = np.exp(-LAPSE / 10)
    before = rng.geometric(long, n) - 1
    gaps = -10 * np.log1p(-rng.random(int(before.sum())) * (1 - long))
    ends = np.cumsum(np.concatenate([[0.0], gaps]))
    at = np.cumsum(before)
    start: NDArray[np.float64] = ends[at] - ends[at - before]
    return start


def _mean_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    truth = true_mean(UNTIL)
    found = [_mean(observed(lifetimes(1_000, rng), rng.uniform(0, 365, 1_000))) for _ in range(worlds)]
    bounds = [Interval(m - _z() * se, m + _z() * se) for m, se in found]
    return covered(
        f"mean days within {UNTIL} (normal)", "1,000 members, followed for 0 to 365 days", bounds, truth
    )


def _difference_row(factor: float, like: str) -> Callable[[int, np.random.Generator], dict[str, Any]]:
    def world(rng: np.random.Generator) -> Interval:
        (a, se_a), (b, se_b) = (
            _mean(observed(lifetimes(500, rng, f), rng.uniform(0, 365, 500))) for f in (1.0, factor)
        )
        reach = _z() * float(np.hypot(se_a, se_b))
        return Interval(a - b - reach, a - b + reach)

    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        truth = true_mean(UNTIL) - true_mean(UNTIL, factor)
        found = [world(rng) for _ in range(worlds)]
        return covered(
            f"difference in mean days within {UNTIL} (normal)", f"2 x 500 members, {like}", found, truth
        )

    return row


def _mean(risk: RiskSet) -> tuple[float, float]:
    if len(risk) <= UNTIL:
        return np.nan, np.nan
    found = restricted_mean(risk)
    return float(found.mean[UNTIL]), float(found.se[UNTIL])


def _z() -> float:
    return float(norm.ppf(0.5 + MASS / 2))


def _day_n_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    n = 400
    kept = rng.binomial(n, true_kept(HORIZON), worlds)
    low, high = exact_share(kept, np.full(worlds, n), MASS)
    found = [Interval(*bounds) for bounds in zip(low, high, strict=True)]
    like = f"{n} members, all followed for {HORIZON} days"
    return covered(f"counted at {HORIZON} days (exact)", like, found, true_kept(HORIZON), EXACT_GOAL)


# --- the check of older against newer members ---------------------------------------------------------------


def drift_rates(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the check of older against newer members alarms on sound data, and on a planted fault.

    Worlds of 2,000 members who join over 360 days; fault: the newer half leaves 1.3 times as fast.
    """
    rows = []
    for number, (factor, goal) in enumerate(((1.0, (0.0, 0.02)), (1.3, (0.8, 1.0)))):
        rng = np.random.default_rng([seed, 100 + number])
        alarms = float(np.mean([_alarms(factor, rng) for _ in range(worlds)]))
        what = "false alarms" if factor == 1 else "faults found"
        like = f"2,000 members; the newer half leaves {factor} times as fast"
        rows.append(
            {
                "estimand": f"older and newer members leave alike: {what}",
                "worlds": worlds,
                "like": like,
                "nominal": DRIFT_LEVEL if factor == 1 else None,
                "goal": list(goal),
                "measured": round(alarms, 4),
                "met": goal[0] <= alarms <= goal[1],
            }
        )
    return rows


def _alarms(factor: float, rng: np.random.Generator, n: int = 2_000) -> bool:
    follow_up = rng.uniform(0, 360, n)
    newer = follow_up < 180
    life = np.where(newer, lifetimes(n, rng, factor), lifetimes(n, rng))
    month = np.where(newer, "2025-07", "2025-01")
    tables = []
    for name in ("2025-01", "2025-07"):
        risk = observed(life[month == name], follow_up[month == name])
        days = {"day": np.arange(len(risk)), "churned": risk.churned, "censored": risk.censored}
        entered = np.where(days["day"] == 0, (month == name).sum(), 0)
        tables.append(pd.DataFrame({"by": "cohort", "group": name, "late": 0, **days, "entered": entered}))
    cells = Cells("world", "retention", {"risk": pd.concat(tables, ignore_index=True)}, {})
    try:
        return halves_test(cells, HORIZON).p < DRIFT_LEVEL
    except UndefinedError:
        return False
