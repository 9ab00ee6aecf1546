"""What the intervals and checks of staying, coming and ratios really do, over trials of known truth.

Columns as in `retention`, whose lives and follow-up are used. Intervals are those of the study, from fewer
draws; their quantiles are read so that as much as is said lies between them for any number of draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from common import MASS, Interval, covered
from numpy.typing import NDArray
from retention import (
    HORIZON,
    SEED,
    WORLDS,
    lifetimes,
    observed,
    true_kept,
    true_mean,
)

from sojourn.core.cells import Cells
from sojourn.estimators.bayes.curves import CurvePrior, leaving_shares, trapezium
from sojourn.estimators.bayes.ratios import two_means
from sojourn.studies.trials.counted import counted_activity
from sojourn.studies.trials.lasting import Followed, draw_curves, lasting, make_followed, posterior, trend
from sojourn.studies.trials.outcome_checks import check_counted
from sojourn.studies.trials.split import WARN
from sojourn.studies.trials.trial import trial

Floats = NDArray[np.float64]
Row = Callable[[int, np.random.Generator], dict[str, Any]]
DRAWS = 300
#: Worlds drawn from the belief itself have to be covered as often as is said.
BELIEF_GOAL = (0.94, 0.96)
#: Days of the wide cells: whole weeks up to the first horizon after `HORIZON`.
WEEK, WEEKS = 7, 91
#: Effects of the worlds: how fast members leave, how often they come, what they spend per day; how much
#: faster those of the last month leave than those of the first.
FASTER, OFTENER, DEARER, DRIFT = 1.5, 1.2, 1.2, 2.0
SCHEMES = ("none", "scheme")


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    return [*coverage(WORLDS, SEED), *rates(150, SEED)]


def coverage(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the coverage of every interval.

    Parameters
    ----------
    worlds : int
        Worlds per row; a fourth of them for months, half for the belief, a tenth for counts.
    seed : int
        Seed of all rows.
    """
    made = [row(worlds, np.random.default_rng([seed, 700 + i])) for i, row in enumerate(_staying())]
    other = [row(worlds, np.random.default_rng([seed, 750 + i])) for i, row in enumerate(_others())]
    return [pair for pairs in made for pair in pairs] + other


# --- the time with us -------------------------------------------------------------------------------------


def _staying() -> Iterator[Callable[[int, np.random.Generator], list[dict[str, Any]]]]:
    yield _days_row("2 x 1,000 members, followed for 0 to 365 days, alike", _plain(1_000, 365, 1.0), 1.0)
    yield _days_row(
        f"2 x 600 members, 70 % not followed for {HORIZON} days, one leaves {FASTER} times as fast",
        _plain(600, HORIZON / 0.7, FASTER),
        FASTER,
    )
    yield _days_row(
        f"2 x 1,000 members in cells of {WEEK} days, 70 % not followed for {WEEKS} days, one leaves {FASTER} "
        "times as fast",
        _plain(1_000, WEEKS / 0.7, FASTER, WEEK),
        FASTER,
        WEEKS,
    )
    yield _days_row(
        "6,000 members, 10 % in the scheme at first and 50 % later, when all leave 1.8 times as fast; alike "
        "within months and strata",
        _changing,
        1.0,
        part=4,
    )
    yield _days_row(
        "2 x 600 members of six months and two strata, followed for 0 to 365 days, alike within them",
        _months,
        1.0,
        part=4,
    )


def _plain(
    n: int, longest: float, factor: float, width: int = 1
) -> Callable[[np.random.Generator], Followed]:
    """Return how to draw two schemes of one stratum and month, in cells of a width."""
    horizon = HORIZON if width == 1 else WEEKS

    def draw(rng: np.random.Generator) -> Followed:
        counts = [
            _cells(lifetimes(n, rng, f), rng.uniform(0, longest, n), horizon, width) for f in (1.0, factor)
        ]
        at_risk, gone = (np.array([pair[i] for pair in counts])[:, None, None] for i in (0, 1))
        ends = np.arange(width, horizon + 1, width, dtype=float)
        return Followed(("all",), ("all",), ends, np.full((2, 1, 1), float(n)), at_risk, gone)

    return draw


def _cells(life: Floats, follow_up: Floats, horizon: int, width: int) -> tuple[Floats, Floats]:
    """Return numbers at risk and gone by cell: leaving rounded up, follow-up rounded down to whole cells."""
    length = horizon // width + 1
    risk = observed(life / width, follow_up / width).on(length)
    return risk.at_risk[1:].astype(float), risk.churned[1:].astype(float)


def _changing(rng: np.random.Generator) -> Followed:
    """Draw two strata and two months whose allocation and pace differ, everybody followed to the horizon."""
    size = 6_000
    late, poor = rng.random(size) < 0.5, rng.random(size) < 0.4
    own = rng.random(size) < np.where(late, 0.5, 0.1)
    pace = np.where(late, 1.8, 1.0) * np.where(poor, 1.5, 0.8)
    life = lifetimes(size, rng) / pace
    shape = (2, 2, 2, HORIZON)
    entered, at_risk, gone = np.zeros(shape[:3]), np.zeros(shape), np.zeros(shape)
    for place in np.ndindex(2, 2, 2):
        which = (own == place[0]) & (poor == place[1]) & (late == place[2])
        entered[place] = which.sum()
        follow_up = np.full(int(which.sum()), 2.0 * HORIZON)
        at_risk[place], gone[place] = _cells(life[which], follow_up, HORIZON, 1)
    return Followed(("a", "b"), ("1", "2"), np.arange(1.0, HORIZON + 1), entered, at_risk, gone)


def _months(rng: np.random.Generator, n: int = 600) -> Followed:
    """Draw small months: about 50 members of a scheme in each month and stratum, over a year."""
    shape = (2, 2, 6, HORIZON)
    entered, at_risk, gone = np.zeros(shape[:3]), np.zeros(shape), np.zeros(shape)
    for scheme in (0, 1):
        follow_up, stratum = rng.uniform(0, 365, n), rng.integers(0, 2, n)
        life = lifetimes(n, rng) / np.where(stratum == 0, 1.5, 0.8)
        month = np.minimum((365 - follow_up) // 61, 5)
        for place in np.ndindex(2, 6):
            which = (stratum == place[0]) & (month == place[1])
            entered[(scheme, *place)] = which.sum()
            at_risk[(scheme, *place)], gone[(scheme, *place)] = _cells(
                life[which], follow_up[which], HORIZON, 1
            )
    months = tuple(str(month) for month in range(6))
    return Followed(("a", "b"), months, np.arange(1.0, HORIZON + 1), entered, at_risk, gone)


def _days_row(
    like: str,
    draw: Callable[[np.random.Generator], Followed],
    factor: float,
    horizon: int = HORIZON,
    *,
    part: int = 1,
) -> Callable[[int, np.random.Generator], list[dict[str, Any]]]:
    """Return rows of both differences from control: mean days within the horizon, and share kept at it."""
    prior = CurvePrior(0.5, horizon)

    def world(rng: np.random.Generator) -> tuple[Interval, Interval]:
        followed = draw(rng)
        curves = draw_curves(followed, posterior(followed, prior), DRAWS, rng=rng)
        days = curves @ trapezium(followed.ends)
        return _interval(days[:, 1] - days[:, 0]), _interval(curves[:, 1, -1] - curves[:, 0, -1])

    def rows(worlds: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        found = [world(rng) for _ in range(worlds // part)]
        days = true_mean(horizon, factor) - true_mean(horizon)
        kept = true_kept(horizon) ** factor - true_kept(horizon)
        named = (
            (f"mean days within {horizon} more than under control", days),
            (f"share kept at {horizon}", kept),
        )
        return [
            covered(what, like, [pair[i] for pair in found], truth) for i, (what, truth) in enumerate(named)
        ]

    return rows


def _interval(drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [(1 - MASS) / 2, (1 + MASS) / 2], method="weibull")
    return Interval(float(low), float(high))


def _others() -> Iterator[Row]:
    yield _belief_row
    yield from (_counts_row(never) for never in (0.0, 0.3))
    yield _ratio_row


def _belief_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the curve from the belief, members from the curve, and ask for the mean time with us."""
    ends = np.arange(5.0, HORIZON + 1, 5)
    prior, none = CurvePrior(0.5, HORIZON), np.zeros(len(ends))

    def world() -> Interval:
        curve = leaving_shares(none, none, ends, prior).draw(1, rng=rng)[0]
        life = 1.0 + (rng.random((60, 1)) < curve[None, 1:]).sum(axis=1)  # number of the cell of leaving
        at_risk, gone = _cells(life - 0.5, rng.uniform(0, 1.5 * ends.size, 60), ends.size, 1)
        days = leaving_shares(at_risk, gone, ends, prior).draw(DRAWS, rng=rng) @ trapezium(ends)
        truth = float(curve @ trapezium(ends))
        return _interval(days - truth)

    found = [world() for _ in range(worlds // 2)]
    what, like = (
        f"mean days within {HORIZON}",
        "60 members, two of three followed to the end; curve from the belief",
    )
    return {**covered(what, like, found, 0.0, BELIEF_GOAL), "truth": None}


# --- activity and ratios ----------------------------------------------------------------------------------


def _trial(**tables: pd.DataFrame) -> Any:
    split = pd.DataFrame({"scheme": SCHEMES, "period": "all", "assigned": 1, "matured": 1})
    binary = pd.DataFrame(
        {"outcome": "kept", "scheme": SCHEMES, "stratum": "all", "period": "all", "n": 100, "k": 50}
    )
    about = {"trial": "world", "horizon_days": HORIZON}
    return trial(Cells("world", "trials", {"split": split, "binary": binary, **tables}, about), min_group=20)


def _counts(never: float, factor: float, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw days with an event: a negative binomial, where a share of members never come."""
    mean, size = 8.0 * factor, 1.3
    return rng.negative_binomial(size, size / (size + mean), n) * (rng.random(n) >= never)


def _activity(never: float, factor: float, rng: np.random.Generator, n: int = 1_500) -> Any:
    rows = [
        pd.DataFrame({"scheme": scheme, "stratum": "all", "count": _counts(never, f, n, rng)}).value_counts()
        for scheme, f in zip(SCHEMES, (1.0, factor), strict=True)
    ]
    return _trial(activity=pd.concat(rows).rename("n").reset_index())


def _counts_row(never: float) -> Row:
    like = f"2 x 1,500 members, a negative binomial, {f'{never:.0%} never come' if never else 'all by it'}"

    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        found = []
        for _ in range(worlds // 10):
            result = counted_activity(_activity(never, OFTENER, rng), mass=MASS, rng=rng, draws=1_000)
            times = result.read("scheme", "times")
            found.append(Interval(times.low, times.high))
        return covered("times as many active days", like, found, OFTENER)

    return row


def _ratio_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    def arm(factor: float, n: int = 2_000) -> Floats:
        bottom = _counts(0.0, 1.0, n, rng).astype(float)
        top = bottom * factor * rng.gamma(0.7, 1 / 0.7, n)
        parts = {
            "top": top,
            "bottom": bottom,
            "top_sq": top**2,
            "bottom_sq": bottom**2,
            "cross": top * bottom,
        }
        sums = {name: np.array([part.sum()]) for name, part in parts.items()}
        return two_means(np.array([float(n)]), sums, np.ones(1)).draw(DRAWS, rng=rng)

    found = []
    for _ in range(worlds):
        control, scheme = arm(1.0), arm(DEARER)
        found.append(_interval(scheme / control))
    return covered("times the ratio of means", "2 x 2,000 members, amounts gamma(.7) per day", found, DEARER)


# --- checks ----------------------------------------------------------------------------------------------


def rates(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often each check alarms on sound worlds, and on one planted fault.

    Parameters
    ----------
    worlds : int
        Worlds per row.
    seed : int
        Seed of all rows.
    """
    sound, few = "2 x 1,500 members, alike", (0.0, 0.03)
    asked: tuple[tuple[str, str, tuple[float, float], Callable[[np.random.Generator], bool]], ...] = (
        ("difference keeps its sign: false alarms", sound, few, _crosses(0.0, 0.0)),
        (
            "difference keeps its sign: faults found",
            "8 % leave on days 5 to 35 under the scheme, 20 % on days 40 to 60 under control",
            (0.8, 1.0),
            _crosses(0.08, 0.2),
        ),
        ("late like early: false alarms", f"{sound}, over six months", few, _drifts(1.0)),
        (
            "late like early: faults found",
            f"those of the last month leave {DRIFT:g} times as fast as those of the first",
            (0.8, 1.0),
            _drifts(DRIFT),
        ),
        ("law of counts: false alarms", f"{sound}, a negative binomial", few, _misfits(0.0)),
        ("law of counts: faults found", "7 % of members never come", (0.8, 1.0), _misfits(0.07)),
    )
    return [_rate(number, row, worlds, seed) for number, row in enumerate(asked)]


def _rate(number: int, asked: tuple[Any, ...], worlds: int, seed: int) -> dict[str, Any]:
    estimand, like, goal, alarm = asked
    rng = np.random.default_rng([seed, 790 + number])
    share = float(np.mean([alarm(rng) for _ in range(worlds)]))
    return {
        "estimand": estimand,
        "worlds": worlds,
        "like": like,
        "nominal": None,
        "goal": list(goal),
        "measured": round(share, 4),
        "met": goal[0] <= share <= goal[1],
    }


def _times(draw: Callable[[str], tuple[Floats, Floats, NDArray[np.str_]]]) -> Any:
    """Return the trial of drawn lives, follow-ups and months of both schemes."""
    parts = []
    for scheme in SCHEMES:
        life, follow_up, month = draw(scheme)
        leaves, seen = np.ceil(life), np.floor(follow_up)
        left = leaves <= seen
        day = np.where(left, leaves, seen).astype(int)
        rows = {"scheme": scheme, "stratum": "all", "period": month, "day": day, "entered": 1}
        parts.append(pd.DataFrame({**rows, "churned": left.astype(int), "censored": (~left).astype(int)}))
    by = ["scheme", "stratum", "period", "day"]
    return _trial(times=pd.concat(parts).groupby(by, as_index=False).sum())


def _crosses(early: float, late: float) -> Callable[[np.random.Generator], bool]:
    """Return whether curves are said to cross where so many leave early, and late under control instead."""

    def alarm(rng: np.random.Generator, n: int = 1_500) -> bool:
        def draw(scheme: str) -> tuple[Floats, Floats, NDArray[np.str_]]:
            share, days = (early, (5, 35)) if scheme == "scheme" else (late, (40, 60))
            life = lifetimes(n, rng)
            sooner = np.where(rng.random(n) < share, rng.uniform(*days, n), np.inf)
            return np.minimum(life, sooner), rng.uniform(0, 365, n), np.full(n, "all")

        return lasting(_times(draw), mass=MASS, rng=rng, draws=1_000).crosses("scheme")

    return alarm


def _drifts(factor: float) -> Callable[[np.random.Generator], bool]:
    def alarm(rng: np.random.Generator, n: int = 1_500) -> bool:
        def draw(_: str) -> tuple[Floats, Floats, NDArray[np.str_]]:
            follow_up = rng.uniform(0, 360, n)
            month = np.minimum((360 - follow_up) // 60, 5).astype(int)
            return lifetimes(n, rng) / factor ** (month / 5), follow_up, month.astype(str)

        return trend(make_followed(_times(draw), HORIZON)).p_value < WARN

    return alarm


def _misfits(never: float) -> Callable[[np.random.Generator], bool]:
    def alarm(rng: np.random.Generator) -> bool:
        result = counted_activity(_activity(never, 1.0, rng), mass=MASS, rng=rng, draws=1_000)
        return check_counted(result)[0].verdict != "pass"

    return alarm
