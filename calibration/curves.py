"""What bands, quantiles, ratios, weighted curves and tests really do, over worlds whose truth is known.

Worlds and columns as in `retention`. Widths: a band differs from one with the critical value of the published
tables by at most .3 %, since ours is within .01 of theirs (tests/estimators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from common import MASS, Interval, covered
from retention import (
    HORIZON,
    LATER,
    PEAK,
    PEAK_DAYS,
    SEED,
    UNTIL,
    WORLDS,
    _mean,
    _z,
    lifetimes,
    observed,
    true_kept,
    true_mean,
)

from sojourn.estimators.survival.bands import BandKind, survival_band
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.log_rank import log_rank, max_combo
from sojourn.estimators.survival.quantiles import quantile
from sojourn.estimators.survival.restricted_mean import ratio
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.estimators.survival.weighted import WeightedSpells, weighted_mean, weighted_survival
from sojourn.studies.retention.curve import LEAST_AT_RISK, LEAST_GONE

#: A band is made for every time and asked on whole days, so it may cover a little more than it says.
BAND_GOAL = (0.935, 0.975)
#: How a group leaves whose curve crosses the other: early and late, against it.
FASTER, SLOWER = 1.6, 0.15
Row = Callable[[int, np.random.Generator], dict[str, Any]]
Draw = Callable[[np.random.Generator], RiskSet]


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    return [*coverage(WORLDS, SEED), *alarms(WORLDS, SEED)]


def coverage(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the coverage of every interval and band.

    Parameters
    ----------
    worlds : int
        Worlds per row.
    seed : int
        Seed of all rows.
    """
    return [row(worlds, np.random.default_rng([seed, 300 + number])) for number, row in enumerate(_rows())]


def _rows() -> Iterator[Row]:
    for factor, like in ((1.0, "alike"), (1.5, "one leaves 1.5 times as fast")):
        yield _ratio_row(factor, like)
    for p in (0.25, 0.5):
        yield _quantile_row(p)
    yield from (_weighted_row, _weighted_mean_row)
    for kind in ("equal precision", "hall-wellner"):
        for draw, like in (
            (_joined(1_000, 365), "1,000 members, followed for 0 to 365 days"),
            (_joined(300, 120), "300 members, three of four censored by day 90"),
            (_late, "1,500 members, half of whom are seen only from a later day on if they last so long"),
        ):
            yield _band_row(kind, draw, like)


def _ratio_row(factor: float, like: str) -> Row:
    def world(rng: np.random.Generator) -> Interval:
        (a, se_a), (b, se_b) = (
            _mean(observed(lifetimes(500, rng, f), rng.uniform(0, 365, 500))) for f in (1.0, factor)
        )
        found = ratio(a, b, se_a, se_b, MASS)
        return Interval(found.low, found.high)

    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        truth = true_mean(UNTIL) / true_mean(UNTIL, factor)
        found = [world(rng) for _ in range(worlds)]
        return covered(f"ratio of mean days within {UNTIL} (log)", f"2 x 500 members, {like}", found, truth)

    return row


def _quantile_row(p: float) -> Row:
    """Whole days: the truth is the first at which the share has left, and so is what is estimated."""
    truth = next(day for day in range(1_000) if true_kept(day) <= 1 - p)

    def world(rng: np.random.Generator) -> Interval:
        curve = kaplan_meier(observed(lifetimes(1_000, rng), rng.uniform(0, 365, 1_000)), MASS)
        found = quantile(curve.retained, curve.low, curve.high, p, flat="first")
        return Interval(found.low, found.high)

    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        found = [world(rng) for _ in range(worlds)]
        like = "1,000 members, followed for 0 to 365 days"
        return covered(f"days until {p:.0%} have left (Brookmeyer-Crowley)", like, found, truth)

    return row


def weighted(rng: np.random.Generator, n: int = 2_000) -> WeightedSpells:
    """Draw members of whom those who leave fast are seen half as often as others, and weigh twice as much.

    Half of all have lives of `lifetimes`, half leave three times as fast; each is seen for 0 to 365 days.
    """
    fast = rng.random(n) < 0.5
    seen = ~fast | (rng.random(n) < 0.5)
    life = np.ceil(np.where(fast, lifetimes(n, rng, 3.0), lifetimes(n, rng)))[seen]
    potential = np.floor(rng.uniform(0, 365, n))[seen]
    end, left = np.minimum(life, potential).astype(np.int64), life <= potential
    weight, one = np.where(fast, 2.0, 1.0)[seen], np.ones(int(seen.sum()), dtype=np.int64)
    return WeightedSpells(np.zeros_like(end), end, left, one, weight, weight**2)


def _weighted_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    def world() -> Interval:
        curve = weighted_survival(weighted(rng), MASS)
        return Interval(float(curve.low[HORIZON]), float(curve.high[HORIZON]))

    truth = (true_kept(HORIZON) + true_kept(HORIZON) ** 3) / 2
    like = "about 1,500 of 2,000 members, probability weights 1 and 2"
    found = [world() for _ in range(worlds)]
    return covered(f"kept at {HORIZON} days (log-log, robust)", like, found, truth)


def _weighted_mean_row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
    def world() -> Interval:
        found = weighted_mean(weighted(rng))
        mean, reach = float(found.mean[UNTIL]), _z() * float(found.se[UNTIL])
        return Interval(mean - reach, mean + reach)

    truth = (true_mean(UNTIL) + true_mean(UNTIL, 3.0)) / 2
    like = "about 1,500 of 2,000 members, probability weights 1 and 2"
    found = [world() for _ in range(worlds)]
    return covered(f"mean days within {UNTIL} (normal, robust)", like, found, truth)


def _joined(n: int, longest: int) -> Draw:
    return lambda rng: observed(lifetimes(n, rng), rng.uniform(0, longest, n))


def _late(rng: np.random.Generator) -> RiskSet:
    entry = np.where(rng.random(1_500) < 0.5, 0.0, rng.uniform(0, 200, 1_500))
    return observed(lifetimes(1_500, rng), entry + rng.uniform(60, 365, 1_500), entry)


def _band_row(kind: BandKind, draw: Draw, like: str) -> Row:
    """Ask for the whole true curve wherever intervals are claimed; the width is that at `HORIZON` days."""
    truth = np.array([true_kept(day) for day in range(600)])

    def world(rng: np.random.Generator) -> tuple[Interval, float]:
        risk = draw(rng)
        claimed = (risk.at_risk >= LEAST_AT_RISK) & (np.cumsum(risk.churned) >= LEAST_GONE)
        days = np.flatnonzero(claimed)
        if not len(days):
            return Interval(np.nan, np.nan), np.nan
        band = survival_band(risk, MASS, kind=kind, first=int(days[0]), last=int(days[-1]))
        over, under = band.low - truth[: len(risk)], band.high - truth[: len(risk)]
        worst = Interval(
            float(np.nanmax(over)), float(np.nanmin(under))
        )  # 0 is inside where all the curve is
        return worst, float(band.high[HORIZON] - band.low[HORIZON])

    def row(worlds: int, rng: np.random.Generator) -> dict[str, Any]:
        found = [world(rng) for _ in range(worlds)]
        curves, widths = [one for one, _ in found], [width for _, width in found]
        row = covered(f"whole curve where claimed ({kind}, log-log)", like, curves, 0.0, BAND_GOAL)
        return {**row, "truth": None, "width": round(float(np.nanmean(widths)), 4)}

    return row


# --- tests of groups ----------------------------------------------------------------------------------------


def alarms(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often tests at the level 1 - `MASS` find a difference: groups alike, unlike, and crossing.

    Two groups of 300 members; unlike: one leaves 1.5 times as fast; crossing: `FASTER` times as fast in the
    first `PEAK_DAYS` days and `SLOWER` times afterwards, which the log-rank test alone may miss (no goal is
    set for it).
    """
    rows = []
    for number, (what, goal) in enumerate(
        (("alike", (0.035, 0.065)), ("unlike", (0.8, 1.0)), ("crossing", (0.5, 1.0)))
    ):
        rng = np.random.default_rng([seed, 200 + number])
        found = np.array([_found(what, rng) for _ in range(worlds)])
        for name, share in zip(("log-rank", "largest of three"), found.mean(axis=0).tolist(), strict=True):
            asked = name != "log-rank" or what != "crossing"
            row = {
                "estimand": f"{name} test: {'false alarms' if what == 'alike' else 'differences found'}",
                "worlds": worlds,
                "like": f"2 x 300 members, {what}",
                "nominal": round(1 - MASS, 4) if what == "alike" else None,
                "goal": list(goal) if asked else None,
                "measured": round(share, 4),
            }
            rows.append({**row, "met": goal[0] <= share <= goal[1]} if asked else row)
    return rows


def _found(what: str, rng: np.random.Generator) -> tuple[bool, bool]:
    lives = [lifetimes(300, rng), lifetimes(300, rng, 1.5 if what == "unlike" else 1.0)]
    if what == "crossing":
        drawn, early = rng.exponential(size=300), FASTER * PEAK * PEAK_DAYS
        late = PEAK_DAYS + (drawn - early) / (SLOWER * LATER)
        lives[1] = np.where(drawn < early, drawn / (FASTER * PEAK), late)
    pair = [observed(life, rng.uniform(0, 365, 300)) for life in lives]
    return log_rank(pair).p < 1 - MASS, max_combo(*pair).p < 1 - MASS
