"""What the differences that go with staying, their checks and landmark curves do over worlds of known truth.

Rows as in `calibration/retention.py`. Intervals of differences hold together (Bonferroni): the rows "all
together" ask that all of a world's intervals cover, the rows "each alone" the pointwise one that the same
standard error gives. Widths have no reference in R; the delta method's derivative is tested against finite
differences in tests/estimators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from common import GOAL, MASS, measured
from numpy.typing import NDArray
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.results.retention_drivers import Drivers, LandmarkCurves
from sojourn.studies.retention.drivers import drivers
from sojourn.studies.retention.landmark import landmark_curves
from sojourn.studies.retention.proportional import LEVEL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SEED, HORIZON, LANDMARK = 20_261_122, 90, 30
#: Worlds per row: of models (0.05 CPU-seconds each), of verdicts, and of curves.
WORLDS, VERDICTS, CURVES = 800, 500, 2_000
#: All intervals together may cover more (Bonferroni) and never clearly less.
TOGETHER = (0.935, 0.985)
DAILY = 0.006
#: Columns and levels; people who come by "partner" mostly take the annual plan, so gaps by channel mislead.
CHANNELS, PLANS, REGIONS = ("partner", "search", "social"), ("annual", "monthly"), ("east", "west")
CHANNEL_EFFECT, REGION_EFFECT = np.log([1.0, 1.0, 1.5]), np.log([1.0, 1.1])
TAKES_ANNUAL = np.array([0.7, 0.3, 0.2])


@dataclass(frozen=True)
class World:
    """What is planted: hazard ratio of the annual plan up to day 30 and after, share of members seen late."""

    early: float
    after: float
    late: float = 0.0
    n: int = 2_000


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    rows = (row(np.random.default_rng([SEED, number])) for number, row in enumerate(_rows()))
    return [row for some in rows for row in some]


def _rows() -> Iterator[Callable[[np.random.Generator], list[dict[str, Any]]]]:
    seen = "followed for 0 to 365 days; channel and plan go together"
    for world, like in (
        (World(0.6, 0.6), f"2,000 members, {seen}"),
        (World(0.6, 0.6, late=0.4, n=3_000), f"3,000 members, two in five seen only later; {seen}"),
        (World(0.4, 1.4), f"2,000 members, the effect of the plan turns on day 30; {seen}"),
    ):
        yield _difference_rows(world, like)
    yield _verdict_rows(World(0.6, 0.6, n=4_000), "no effect changes", (0.0, 0.02), "false alarms")
    yield _verdict_rows(
        World(0.5, 1.0, n=4_000), "that of the plan ends on day 30", (0.8, 1.0), "faults found"
    )
    yield _activity_rows
    yield _immortal_rows


# --- members with covariates that go together --------------------------------------------------------------


def covariates(n: int, rng: np.random.Generator) -> Ints:
    """Draw channel, plan and region of members (columns of codes)."""
    channel = rng.choice(3, n, p=[0.3, 0.5, 0.2])
    plan = (rng.random(n) >= TAKES_ANNUAL[channel]).astype(np.int64)
    return np.column_stack([channel, plan, rng.choice(2, n)])


def levels(codes: Ints, world: World) -> tuple[Floats, Floats]:
    """Return the daily hazard of each member up to day 30, and after it."""
    log = np.log(DAILY) + CHANNEL_EFFECT[codes[:, 0]] + REGION_EFFECT[codes[:, 2]]
    annual = codes[:, 1] == 0
    return np.exp(log) * np.where(annual, world.early, 1), np.exp(log) * np.where(annual, world.after, 1)


def kept(codes: Ints, world: World) -> Floats:
    """Return the true probability of being there after `HORIZON`, member by member."""
    early, after = levels(codes, world)
    return np.exp(-early * 30 - after * (HORIZON - 30))


def true_difference(codes: Ints, column: int, pair: tuple[int, int], world: World) -> float:
    """Return the true standardised difference over the mix of these members."""
    shares = []
    for level in pair:
        moved = codes.copy()
        moved[:, column] = level
        shares.append(kept(moved, world).mean())
    return float(shares[0] - shares[1])


def draw(world: World, rng: np.random.Generator) -> tuple[Cells, Ints]:
    """Return the cells of one world, and the covariates of those seen from joining on."""
    codes = covariates(world.n, rng)
    early, after = levels(codes, world)
    drawn = rng.exponential(size=world.n)
    life = np.where(drawn < 30 * early, drawn / early, 30 + (drawn - 30 * early) / after)
    entry = np.where(rng.random(world.n) < world.late, rng.uniform(0, 200, world.n), 0.0)
    follow_up = entry + rng.uniform(0, 365, world.n)
    first, leaves, last = np.ceil(entry), np.ceil(life), np.floor(follow_up)
    churned = (leaves <= last).astype(np.int64)
    end = np.where(churned, leaves, last)
    seen = (first == 0) | (end > first)
    rows = [np.asarray(c[seen], dtype=np.int64) for c in (first, end, churned)]
    return _cells({"channel": CHANNELS, "plan": PLANS, "region": REGIONS}, codes[seen], *rows), codes[
        seen & (entry == 0)
    ]


def _cells(names: dict[str, tuple[str, ...]], codes: Ints, first: Ints, end: Ints, churned: Ints) -> Cells:
    """Return the table ``patterns`` of members."""
    one, zero = np.ones_like(end), np.zeros_like(end)
    marks = np.column_stack([np.r_[codes, codes], np.r_[first, end]])
    counts = np.column_stack([np.r_[one, zero], np.r_[zero, churned], np.r_[zero, 1 - churned]])
    unique, place = np.unique(marks, axis=0, return_inverse=True)
    summed = np.zeros((len(unique), 3), dtype=np.int64)
    np.add.at(summed, place.ravel(), counts)
    table = {name: np.array(words)[unique[:, i]] for i, (name, words) in enumerate(names.items())}
    table |= {"known": "now", "day": unique[:, -1]}
    table |= {name: summed[:, i] for i, name in enumerate(("entered", "churned", "censored"))}
    meta = {"unit": "day", "leaving": "cancellation"}
    return Cells("world", "retention", {"patterns": pd.DataFrame(table)}, meta)


# --- differences -------------------------------------------------------------------------------------------


def _difference_rows(world: World, like: str) -> Callable[[np.random.Generator], list[dict[str, Any]]]:
    def rows(rng: np.random.Generator) -> list[dict[str, Any]]:
        found = [_errors(world, rng) for _ in range(WORLDS)]
        alone, together, width, crude = (np.array(part) for part in zip(*found, strict=True))
        estimand = f"standardised difference at {HORIZON} days"
        truth = true_difference(covariates(100_000, rng), 1, (0, 1), world)
        return [
            {
                **_covered(f"{estimand}, each alone (normal)", like, alone, width, GOAL),
                "truth": round(truth, 4),
                "crude_bias": round(float(crude.mean()), 4),
            },
            _covered(f"{estimand}, all four together (Bonferroni)", like, together, width, TOGETHER),
        ]

    return rows


def _errors(world: World, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return how far the annual plan, and the worst, are off in reaches; width; bias of the crude gap."""
    cells, joined = draw(world, rng)
    result = drivers(cells, horizon=HORIZON, mass=MASS)
    if result.why_empty:
        return np.nan, np.nan, np.nan, np.nan
    off, reach = _off(result, joined, world)
    se = reach / float(norm.isf((1 - MASS) / 2 / len(result.table)))
    plan = int(np.flatnonzero(result.table["column"] == "plan")[0])
    crude = result.table["crude_points"].iloc[plan] - result.table["difference_points"].iloc[plan]
    worst = int(np.abs(off / reach).argmax())
    return off[plan] / se[plan] / _z(), (off / reach)[worst], 2 * _z() * se[plan], crude


def _off(result: Drivers, joined: Ints, world: World) -> tuple[Floats, Floats]:
    """Return estimate less truth, and the reach of the interval, of every level."""
    names = {"channel": CHANNELS, "plan": PLANS, "region": REGIONS}
    true = [
        true_difference(
            joined,
            list(names).index(row["column"]),
            (names[row["column"]].index(row["level"]), names[row["column"]].index(row["against"])),
            world,
        )
        for row in result.table.to_dict("records")
    ]
    estimate = result.table["difference_points"].to_numpy()
    return estimate - true, result.table["difference_points_high"].to_numpy() - estimate


def _z() -> float:
    return float(norm.ppf(0.5 + MASS / 2))


# --- the verdict on proportional hazards -------------------------------------------------------------------


def _verdict_rows(
    world: World, fault: str, goal: tuple[float, float], what: str
) -> Callable[[np.random.Generator], list[dict[str, Any]]]:
    def rows(rng: np.random.Generator) -> list[dict[str, Any]]:
        found = [drivers(draw(world, rng)[0], horizon=HORIZON).proportional for _ in range(VERDICTS)]
        alarms = float(np.mean([bool(one.changing) for one in found]))
        row = {
            "estimand": f"proportional hazards (score test): {what}",
            "worlds": VERDICTS,
            "like": f"4,000 members, three columns; {fault}",
            "nominal": LEVEL if what == "false alarms" else None,
            "goal": list(goal),
            "measured": round(alarms, 4),
            "met": goal[0] <= alarms <= goal[1],
        }
        return [row]

    return rows


# --- landmark curves ---------------------------------------------------------------------------------------


def _activity_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Members who come more often stay longer; how often they come is seen in the first 30 days."""
    pace, stay, _ = _lively(400_000, rng)
    truth = _share_after(pace, stay, 1) - _share_after(pace, stay, 0)
    found = []
    for _ in range(CURVES):
        pace, stay, seen = _lively(2_500, rng)
        result = _from_landmark("active_days", np.where(pace == 1, "11-20", "3-5"), stay, seen)
        found.append(_lasting(result, "11-20", truth))
    off, width = (np.array(part) for part in zip(*found, strict=True))
    like = "2,500 members, followed for 0 to 365 days; those who come often stay longer"
    estimand = f"difference {HORIZON} days after day {LANDMARK} by activity up to then (normal)"
    return [{**_covered(estimand, like, off, width, GOAL), "truth": round(truth, 4)}]


def _lively(n: int, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Draw what is seen of activity (0 or 1), days until leaving, and days of follow-up."""
    lively = rng.gamma(2.0, 0.5, n)  # hidden
    stay = rng.exponential(1, n) / (DAILY / (0.4 + lively))
    active = (rng.poisson(8 * lively) > 8).astype(np.int64)
    return active, stay, rng.uniform(0, 365, n)


def _share_after(group: Ints, stay: Floats, one: int) -> float:
    there = (group == one) & (stay > LANDMARK)
    return float((stay[there] > LANDMARK + HORIZON).mean())


def _immortal_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Annual members are those who stayed and changed to it; the plan has no effect at all (STATISTICS 3)."""
    found, naive = [], []
    for _ in range(CURVES):
        stay, seen, change = (
            rng.exponential(1 / DAILY, 3_000),
            rng.uniform(0, 365, 3_000),
            rng.exponential(90, 3_000),
        )
        then = np.where(change <= LANDMARK, "annual", "monthly")
        found.append(_lasting(_from_landmark("plan_then", then, stay, seen), "annual", 0.0))
        naive.append(_naive_gap(stay, seen, change))
    off, width = (np.array(part) for part in zip(*found, strict=True))
    like = "3,000 members; annual members are those who stayed and changed to it, which has no effect"
    row = _covered(
        f"difference {HORIZON} days after day {LANDMARK} by plan then (normal)", like, off, width, GOAL
    )
    return [{**row, "truth": 0.0, "naive_gap": round(float(np.mean(naive)), 4)}]


def _naive_gap(stay: Floats, seen: Floats, change: Floats) -> float:
    """Return the gap that grouping by the last plan from joining on shows, among those followed so long."""
    last = change <= np.minimum(stay, seen)
    long = seen >= HORIZON
    return float((stay[long & last] > HORIZON).mean() - (stay[long & ~last] > HORIZON).mean())


def _from_landmark(by: str, group: NDArray[np.str_], stay: Floats, seen: Floats) -> LandmarkCurves:
    """Return the landmark curves of members, by the definitions of the cells."""
    leaves, last = np.ceil(stay), np.floor(seen)
    churned = leaves <= last
    end = np.where(churned, leaves, last)
    there = (end > LANDMARK) | (~churned & (end == LANDMARK))
    day, gone = (end[there] - LANDMARK).astype(np.int64), churned[there].astype(np.int64)
    frame = pd.DataFrame(
        {"group": group[there], "day": day, "churned": gone, "censored": 1 - gone, "entered": 0}
    )
    first = frame.groupby("group", as_index=False).size().rename(columns={"size": "entered"})
    table = pd.concat([first.assign(day=0, churned=0, censored=0), frame]).assign(by=by)
    meta = {"unit": "day", "leaving": "cancellation", "landmark": LANDMARK}
    cells = Cells("world", "retention", {"landmark": table}, meta)
    return landmark_curves(cells, by=by, horizon=HORIZON, mass=MASS)


def _lasting(result: LandmarkCurves, group: str, truth: float) -> tuple[float, float]:
    """Return how far the difference between the two groups is off in reaches, and the interval's width."""
    rows = result.differences
    if rows.empty or np.isnan(rows["difference_points_low"].iloc[0]):
        return np.nan, np.nan
    sign = 1 if rows["group"].iloc[0] == group else -1
    value, high = (float(rows[f"difference_points{end}"].iloc[0]) for end in ("", "_high"))
    return (sign * value - truth) / (high - value), 2 * (high - value)


# --- rows --------------------------------------------------------------------------------------------------


def _covered(
    estimand: str, like: str, off: Floats, width: Floats, goal: tuple[float, float]
) -> dict[str, Any]:
    """Return one row: `off` is how far estimates are from the truth in reaches of their interval."""
    defined = np.isfinite(off)
    inside = defined & (np.abs(np.where(defined, off, 9.0)) <= 1)
    return {
        **measured(estimand, like, inside, defined, goal),
        "below": round(float((defined & (off < -1)).mean()), 4),
        "above": round(float((defined & (off > 1)).mean()), 4),
        "width": round(float(width[defined].mean()), 4),
    }
