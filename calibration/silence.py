"""What the lapse window and the lines beside it really do, over a known world of gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from common import EXACT_GOAL, GOAL, MASS, covered
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.studies.retention.groups import read_risk_set
from sojourn.studies.retention.silence import check_lapse_window, headline_under, lapse_window, so_far

#: After a sign of life a member is gone for good with probability `GONE`; else pauses with `PAUSES`, for
#: `PAUSE` days on average, or comes again after `USUAL` days on average.
GONE, PAUSES, PAUSE, USUAL = 0.045, 0.04, 25.0, 5.0
SPAN, LAPSE = 365, 30
WINDOWS = (7, 14, 21, 30, 45, 60, 90, 120, 180)
HORIZONS = (30, 60, 90, 120)

Floats = NDArray[np.float64]


def calibrate(worlds: int = 4_000, seed: int = 20261122) -> list[dict[str, Any]]:
    """Return every row of the table."""
    return [*lines(worlds, seed), *returns(worlds, seed + 1), *alarms(1_000, seed + 2)]


# --- the world -------------------------------------------------------------------------------------------


def drawn(n: int, follow_up: Floats | float, rng: np.random.Generator) -> Floats:
    """Return signs of life of `n` members, a row each, in days since joining; infinite after the last."""
    most = 110
    while True:
        pauses = rng.random((n, most)) < PAUSES
        gaps = rng.exponential(np.where(pauses, PAUSE, USUAL))
        gaps[rng.random((n, most)) < GONE] = np.inf
        signs = np.concatenate([np.zeros((n, 1)), np.cumsum(gaps, axis=1)], axis=1)
        if (signs[:, -1] > follow_up).all():
            return np.where(signs <= np.reshape(follow_up, (-1, 1)), signs, np.inf)
        most *= 2


def first_lapse(signs: Floats, window: float) -> Floats:
    """Return when the first gap longer than `window` begins."""
    with np.errstate(invalid="ignore"):
        gaps = np.diff(signs, axis=1, append=np.inf)
    long = (gaps > window) | ~np.isfinite(gaps)
    return signs[np.arange(len(signs)), long.argmax(axis=1)]


def last_sign(signs: Floats) -> Floats:
    """Return the last sign of life of every member."""
    return np.max(np.where(np.isfinite(signs), signs, -np.inf), axis=1)


def true_kept(rng: np.random.Generator, n: int = 500_000) -> dict[int, float]:
    """Return the share whose first gap longer than `LAPSE` begins after each horizon, from many lives."""
    until = HORIZONS[-1] + LAPSE + 1.0
    lives = [first_lapse(drawn(10_000, until, rng), LAPSE) for _ in range(n // 10_000)]
    begins = np.concatenate(lives)
    return {day: float((begins > day).mean()) for day in HORIZONS}


def true_back(window: float, until: float) -> float:
    """Return the share of silences of more than `window` days that end by `until`, in closed form."""
    ends = {at: PAUSES * np.exp(-at / PAUSE) + (1 - PAUSES) * np.exp(-at / USUAL) for at in (window, until)}
    return float((1 - GONE) * (ends[window] - ends[until]) / (GONE + (1 - GONE) * ends[window]))


def as_cells(signs: Floats, follow_up: Floats, lapse: int, windows: tuple[int, ...] = WINDOWS) -> Cells:
    """Return the cells ``gaps`` and ``windows`` of members, by the definitions of the cells."""
    there = np.isfinite(signs)
    following = np.concatenate([signs[:, 1:], np.full((len(signs), 1), np.inf)], axis=1)
    ended = there & np.isfinite(following)
    with np.errstate(invalid="ignore"):
        length = np.ceil(following - signs)[ended]
    running = np.floor(follow_up - last_sign(signs))
    days = np.arange(int(max(length.max(initial=0), running.max())) + 1)
    gaps = pd.DataFrame(
        {"days": days, "ended": _counts(length, len(days)), "running": _counts(running, len(days))}
    )
    gaps.loc[gaps["days"] <= 1, "ended"] = 0
    tables = [_window(signs, follow_up, window) for window in sorted({*windows, lapse})]
    meta = {"unit": "day", "leaving": "silence", "lapse": lapse}
    return Cells("world", "retention", {"gaps": gaps, "windows": pd.concat(tables, ignore_index=True)}, meta)


def _window(signs: Floats, follow_up: Floats, window: int) -> pd.DataFrame:
    judged = np.floor(follow_up - window)
    begins = first_lapse(signs, window)
    seen = judged >= 0
    churned = (np.ceil(begins) <= judged)[seen]
    end = np.where(churned, np.ceil(begins)[seen], judged[seen])
    back = churned & (last_sign(signs) > begins)[seen]
    days = int(end.max()) + 1
    counts = {
        "entered": _counts(np.zeros(int(seen.sum())), days),
        "churned": _counts(end[churned], days),
        "censored": _counts(end[~churned], days),
        "came_back": _counts(end[back], days),
    }
    return pd.DataFrame({"window": window, "day": np.arange(days), **counts})


def _counts(days: Floats, length: int) -> NDArray[np.int64]:
    return np.bincount(days.astype(np.int64), minlength=length)


def _members(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    follow_up = rng.uniform(0, SPAN, n)
    return drawn(n, follow_up, rng), follow_up


# --- the two lines ---------------------------------------------------------------------------------------


def lines(worlds: int, seed: int, n: int = 600) -> Iterator[dict[str, Any]]:
    """Yield coverage of the honest line and of the line of the last sign of life, beside the truth."""
    truth = true_kept(np.random.default_rng([seed, 1]))
    honest: dict[int, list[Interval]] = {day: [] for day in HORIZONS}
    misled: dict[int, list[Interval]] = {day: [] for day in HORIZONS}
    rng = np.random.default_rng(seed)
    for _ in range(worlds):
        signs, follow_up = _members(n, rng)
        risks = read_risk_set(_window(signs, follow_up, LAPSE)), _by_last_sign(signs, follow_up)
        for found, risk in zip((honest, misled), risks, strict=True):
            for day in HORIZONS:
                found[day].append(_read(risk, day))
    like = (
        f"{n} members, gaps of {USUAL:g} days, pauses of {PAUSE:g}, some gone for good; window {LAPSE} days"
    )
    for day in HORIZONS:
        yield _covered(f"not yet silent at {day} days (log-log)", like, honest[day], truth[day], GOAL)
        misleading = f"the same by the last sign of life, which misleads, at {day} days"
        yield _covered(misleading, like, misled[day], truth[day], (0.0, 0.05))


def _by_last_sign(signs: Floats, follow_up: Floats) -> RiskSet:
    """Return who is gone when by the last sign ever: whoever is not silent now counts as there until then."""
    last = last_sign(signs)
    gone = last <= follow_up - LAPSE
    end = np.where(gone, np.ceil(last), np.floor(last)).astype(np.int64)
    one, none, left = np.ones_like(end), np.zeros_like(end), gone.astype(np.int64)
    return risk_set(np.r_[none, end], np.r_[one, none], np.r_[none, left], np.r_[none, 1 - left])


def _read(risk: RiskSet, day: int) -> Interval:
    _, value, low, high, claimed = headline_under(risk, day, MASS, 20)
    return Interval(value, *((low, high) if claimed else (np.nan, np.nan)), MASS, "log-log")


# --- coming back -----------------------------------------------------------------------------------------


def returns(worlds: int, seed: int, n: int = 600, fewer: int = 500) -> Iterator[dict[str, Any]]:
    """Yield coverage of the share of lapsed members who came back, and the error of the share by gaps."""
    rng = np.random.default_rng(seed)
    many = [_came_back(*_members(20_000, rng)) for _ in range(25)]
    truth = sum(back for back, _ in many) / sum(lapsed for _, lapsed in many)
    counted = [_came_back(*_members(n, rng)) for _ in range(worlds)]
    found = [Interval(*so_far(lapsed, back, MASS), MASS, "exact") for back, lapsed in counted]
    errors = [_error_by_gaps(*_members(n, rng)) for _ in range(fewer)]
    like = f"{n} members followed for 0 to {SPAN} days, window {LAPSE} days"
    yield _covered("share of lapsed members who came back so far (exact)", like, found, truth, EXACT_GOAL)
    off = float(np.mean(errors))
    yield {
        "estimand": f"share of silences of {LAPSE} days that end: mean error, by gaps",
        "worlds": fewer,
        "like": like,
        "nominal": 0.0,
        "goal": [-0.01, 0.01],
        "measured": round(off, 4),
        "spread": round(float(np.std(errors)), 4),
        "met": abs(off) <= 0.01,
    }


def _came_back(signs: Floats, follow_up: Floats) -> tuple[int, int]:
    counts = _window(signs, follow_up, LAPSE)
    return int(counts["came_back"].sum()), int(counts["churned"].sum())


def _error_by_gaps(signs: Floats, follow_up: Floats) -> float:
    found = lapse_window(as_cells(signs, follow_up, LAPSE, (LAPSE,)), horizon=HORIZONS[0], mass=MASS)
    return float(found.row(LAPSE)["back_share"]) - true_back(LAPSE, found.followed_to)


# --- the check of the window -----------------------------------------------------------------------------


def alarms(worlds: int, seed: int, n: int = 1_000) -> Iterator[dict[str, Any]]:
    """Yield how often the check of the window alarms: under the right one, and under ones too short or long.

    The right one by the rule is 60 days: 7 in 100 come back after it, 12 in 100 after 45 days.
    """
    for number, (own, what, goal) in enumerate(
        (
            (60, "false alarms", (0.0, 0.05)),
            (21, "faults found (too short)", (0.95, 1.0)),
            (180, "faults found (too long)", (0.8, 1.0)),
        )
    ):
        rng = np.random.default_rng([seed, number])
        rang = float(np.mean([_rings(own, n, rng) for _ in range(worlds)]))
        yield {
            "estimand": f"the lapse window suits the gaps: {what}",
            "worlds": worlds,
            "like": f"{n} members followed for 0 to {SPAN} days; the rule asks for 60 days, {own} are used",
            "nominal": None,
            "goal": list(goal),
            "measured": round(rang, 4),
            "met": goal[0] <= rang <= goal[1],
        }


def _rings(own: int, n: int, rng: np.random.Generator) -> bool:
    (check,) = check_lapse_window(lapse_window(as_cells(*_members(n, rng), own), horizon=30))
    return check.verdict == "warn"


def _covered(
    estimand: str, like: str, found: list[Interval], truth: float, goal: tuple[float, float]
) -> dict[str, Any]:
    """Return one row of the table of coverage, with the mean of what was found."""
    row = covered(estimand, like, [(one.low, one.high) for one in found], truth, goal)
    return {**row, "mean": round(float(np.nanmean([one.value for one in found])), 4)}
