"""What effects by segment and stage, and what the board recommends, do over many worlds of trials.

Sums over members are drawn, never members, but for the worlds of skewed payments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from common import MASS
from numpy.typing import NDArray
from rates import rate_row

from sojourn.core.cells import Cells
from sojourn.core.results.board import IMPROBABLE, Board, Floats, WorksOn
from sojourn.estimators.bayes.crossed import fit_crossed
from sojourn.studies.board.board import board
from sojourn.studies.board.works_on import works_on

#: Segments, and stages of members with us; members who are too new for a segment took no part.
SEGMENTS, STAGES = 3, ("new", "growing", "active", "silent", "returned")
#: The belief of net values: nine in ten within 4 of 0; net values of members spread by so much.
SD, VALUES = 4 / 1.6448536269514722, 20.0
#: Shapes of true differences between cells, with mean 0 and standard deviation 1.
SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "by segment, stage and both": lambda rng, of: (
        (rng.standard_normal((of[0], 1)) + rng.standard_normal((1, of[1])) + rng.standard_normal(of)) / 3**0.5
    ),
    "by segment alone": lambda rng, of: np.broadcast_to(rng.standard_normal((of[0], 1)), of),
    "by both alone": lambda rng, of: rng.standard_normal(of),
    "one cell in ten": lambda rng, of: (rng.random(of) < 0.1) * math.sqrt(10) * rng.choice([-1.0, 1.0], of),
}


def pooling(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return by how much pooling over 4 x 5 cells lowers the error, by ratio of sampling error to spread."""
    rows, of = [], (4, 5)
    row, column = np.indices(of).reshape(2, -1)
    for i, ratio in enumerate((2.0, 1.0, 0.25)):
        for j, (shape, draw) in enumerate(SHAPES.items()):
            rng = np.random.default_rng([seed, i, j])
            raw = pooled = 0.0
            for _ in range(worlds):
                true = SD * rng.standard_normal() + draw(rng, of).ravel()
                error = np.full(true.size, ratio)
                estimate = true + error * rng.standard_normal(true.size)
                fit = fit_crossed(
                    estimate, error, row, column, of, mean=0.0, sd=SD, spread=0.5 * SD * 3**-0.5
                )
                raw += float(((estimate - true) ** 2).mean())
                pooled += float(((fit.weights @ fit.means - true) ** 2).mean())
            bound = {2.0: 0.55, 0.25: 1.02}.get(ratio)
            found = math.sqrt(pooled / raw)
            rows.append(
                {
                    "estimand": f"error of pooled effects over that of raw ones: differences {shape}, "
                    f"errors {ratio:g} x spread",
                    "worlds": worlds,
                    "n": true.size,
                    "goal": f"at most {bound}" if bound else "shown",
                    "found": round(found, 4),
                    "met": bool(found <= bound) if bound else None,
                }
            )
    return rows


def effects(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return coverage of effects: worlds from the prior, and fixed ones, where cells are only shown."""
    settings = (("from the prior", None), ("no effect", 0.0), ("one segment gains 8", 8.0))
    rows = []
    for j, (name, fixed) in enumerate(settings):
        for size in (300, 3_000):
            rng = np.random.default_rng([seed, j, size])
            parts: dict[str, list[bool]] = {"trial": [], "observational": [], "all members": []}
            for _ in range(worlds):
                true = _from_prior(rng) if fixed is None else np.zeros((SEGMENTS, len(STAGES)))
                if fixed:
                    true[0] = fixed
                there = rng.random(true.shape) < 0.7
                there[0, 0] = True
                made = works_on(_trial(rng, {"new": true}, size, there))
                for kind in ("trial", "observational"):
                    own = made.table[
                        (made.table["evidence"] == kind) & made.table["segment"].str.startswith("s")
                    ]
                    parts[kind] += list(_inside(own, [_true(true, r) for r in own.itertuples()]))
                parts["all members"] += list(_inside(made.overall, [float(true[there].mean())]))
            for kind, inside in parts.items():
                like = f"{name}, {size} members an arm in each cell"
                what = {"trial": "cells in the trial", "observational": "cells that borrow"}.get(kind, kind)
                share = float(np.mean(inside))
                goal = {True: (0.94, 0.96), False: (0.93, 0.97)}[fixed is None]
                judged = fixed is None or (kind == "all members" and fixed == 0.0)
                reach = 3.29 * (share * (1 - share) / len(inside)) ** 0.5
                met = bool(share + reach >= goal[0] and share - reach <= goal[1]) if judged else None
                rows.append(
                    {
                        "estimand": f"net value of {what}",
                        "like": like,
                        "worlds": worlds,
                        "n": len(inside),
                        "nominal": MASS,
                        "goal": list(goal) if judged else "shown",
                        "measured": round(share, 4),
                        "met": met,
                    }
                )
    return rows


def _from_prior(rng: np.random.Generator) -> Floats:
    of, spread = (SEGMENTS, len(STAGES)), 0.5 * SD * 3**-0.5
    scales = spread * np.abs(rng.standard_normal(3))
    parts = rng.standard_normal((of[0], 1)), rng.standard_normal((1, of[1])), rng.standard_normal(of)
    true: Floats = SD * rng.standard_normal() + sum(s * part for s, part in zip(scales, parts, strict=True))
    return true


def _true(true: Floats, row: Any) -> float:
    return float(true[int(row.segment[1:]), STAGES.index(row.stage)])


def _inside(rows: pd.DataFrame, truth: list[float]) -> Any:
    return (rows["net_value_low"] <= truth) & (truth <= rows["net_value_high"])


def _trial(
    rng: np.random.Generator, effects: dict[str, Floats], size: int, there: NDArray[np.bool_] | None = None
) -> Cells:
    """Return cells of one trial of normal net values, `size` members an arm in every cell that is there."""
    everywhere = np.ones(next(iter(effects.values())).shape, dtype=bool)
    rows = []
    for scheme, effect in {"none": 0.0 * everywhere, **effects}.items():
        for s, t in np.argwhere(everywhere if there is None else there):
            mean = 10 + effect[s, t] + VALUES * rng.standard_normal() / size**0.5
            squares = VALUES**2 * rng.chisquare(size - 1) + size * mean**2
            rows.append(("main", scheme, "kept", "net_value", s, STAGES[t], size, size * mean, squares))
    return _cells(rows, len(everywhere))


def _skewed(rng: np.random.Generator, schemes: int, size: int) -> Cells:
    """Return cells of members of whom one in five pays, log-normal amounts, whatever their scheme."""
    rows = []
    for scheme in ("none", *(f"new {i}" for i in range(schemes))):
        for s in range(SEGMENTS):
            for stage in STAGES:
                paid = rng.random(size) < 0.2
                net = paid * rng.lognormal(3.0, 1.0, size)
                rows.append(("main", scheme, "kept", "net_value", s, stage, size, net.sum(), net @ net))
    return _cells(rows)


def _cells(rows: list[Any], segments: int = SEGMENTS) -> Cells:
    names = ["trial", "scheme", "aim", "outcome", "segment", "stage", "n", "total", "total_sq"]
    now = pd.DataFrame(
        [(s, stage, 1_000) for s in range(segments) for stage in STAGES],
        columns=["segment", "stage", "members"],
    )
    about = {
        "segments": [f"s{i}" for i in range(segments)],
        "horizon_days": 90,
        "value_days": 90,
        "leave_days": [30, 90],
    }
    return Cells("calibration", "board", {"arms": pd.DataFrame(rows, columns=names), "now": now}, about)


# --- the board ---


def worthless(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often a board recommends any scheme that is worth nothing there, in several worlds."""
    none = np.zeros((SEGMENTS, len(STAGES)))
    good, bad = none.copy(), none + 5.0
    good[0], bad[1, 2] = 5.0, 0.0
    rows = []
    settings = ((1, 50, 3), (1, 300, 3), (4, 50, 3), (4, 300, 3), (4, 3_000, 3), (8, 50, 3), (12, 20, 6))
    for i, (schemes, size, segments) in enumerate(settings):
        rng = np.random.default_rng([seed, i])
        nowhere = np.zeros((segments, len(STAGES)))
        hits = sum(
            _any_bad(_trial(rng, dict.fromkeys(map(str, range(schemes)), nowhere), size), nowhere)
            for _ in range(worlds)
        )
        what = (
            f"worthless scheme recommended anywhere: {schemes} worthless, {size} members an arm in each of "
            f"{nowhere.size} cells"
        )
        rows.append(rate_row(what, worlds, hits, 0.05))
    for i, (schemes, size) in enumerate(((4, 50), (4, 300))):
        rng = np.random.default_rng([seed, 20 + i])
        hits = sum(_any_bad(_skewed(rng, schemes, size), none) for _ in range(worlds))
        what = f"worthless scheme recommended anywhere: {schemes} worthless, skewed, {size} members an arm"
        rows.append(rate_row(what, worlds, hits, 0.05))
    for i, (name, truth) in enumerate(
        (("pays in one segment of three", good), ("pays but in one cell", bad))
    ):
        for size in (50, 300, 3_000):
            rng = np.random.default_rng([seed, 40 + i, size])
            hits = sum(_any_bad(_trial(rng, {"new": truth}, size), truth) for _ in range(worlds))
            what = (
                f"scheme recommended where it is worth nothing: it {name}, {size} members an arm in each cell"
            )
            rows.append({**rate_row(what, worlds, hits, 1.0), "goal": "shown", "met": None})
    return rows


def _laid(cells: Cells) -> tuple[WorksOn, Board]:
    works = works_on(cells)
    return works, board(cells, works)


def _any_bad(cells: Cells, truth: Floats) -> bool:
    given = _laid(cells)[1].acting("give")
    return any(_true(truth, row) <= 0 for row in given.itertuples())


def odd(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often a cell unlike all others is seen, and how often a sound one is taken for it."""
    shape, rows = (SEGMENTS, len(STAGES)), []
    for size in (300, 3_000):
        rng = np.random.default_rng([seed, size])
        truth = np.full(shape, 5.0)
        truth[1, 2] = -3.0
        seen = given = 0
        for _ in range(worlds):
            works, laid = _laid(_trial(rng, {"new": truth}, size))
            seen += bool(((works.odd["segment"] == "s1") & (works.odd["stage"] == STAGES[2])).any())
            given += laid.cell("s1", STAGES[2])["act"] == "give"
        like = f"it loses 3 in one cell of 15 and gains 5 in all others, {size} members an arm in each"
        rows.append(rate_row(f"odd cell seen: {like}", worlds, seen, 0.8, catch=True))
        rows.append(rate_row(f"scheme given to the odd cell: {like}", worlds, given, 0.2))
    for j, (name, fixed) in enumerate((("from the prior", None), ("gains 5 everywhere", 5.0))):
        for size in (50, 300):
            rng = np.random.default_rng([seed, j, size])
            alarms = 0
            for _ in range(worlds):
                truth = _from_prior(rng) if fixed is None else np.full(shape, fixed)
                alarms += len(works_on(_trial(rng, {"new": truth}, size)).odd) > 0
            what = f"any cell taken for odd: truth {name}, {size} members an arm in each of 15 cells"
            rows.append(rate_row(what, worlds, alarms, 0.05))
    return rows


def chances(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return what share of recommendations loses money, beside their stated chances; worlds of the prior."""
    rows = []
    for size in (50, 300, 3_000):
        rng = np.random.default_rng([seed, size])
        wrong, stated, value, told = [], [], [], []
        for _ in range(worlds):
            truth = _from_prior(rng)
            given = _laid(_trial(rng, {"new": truth}, size))[1].acting("give")
            own = [_true(truth, row) for row in given.itertuples()]
            wrong += [net <= 0 for net in own]
            stated += list(given["p_wrong"])
            value += own
            told += list(given["net_value"])
        off = (float(np.mean(told)) - float(np.mean(value))) / float(np.mean(value))
        like = f"truth from the prior, {size} members an arm in each cell"
        rows.append(
            {
                "estimand": f"recommendations that lose money: {like}",
                "worlds": worlds,
                "n": len(wrong),
                "goal": "at most 3 %",
                "found": round(float(np.mean(wrong)), 4),
                "stated": round(float(np.mean(stated)), 4),
                "met": bool(np.mean(wrong) <= 0.03),
            }
        )
        rows.append(
            {
                "estimand": f"mean net value of what is recommended over its truth: {like}",
                "worlds": worlds,
                "n": len(wrong),
                "goal": "within 10 % of the truth",
                "found": round(off, 4),
                "met": bool(abs(off) <= 0.1),
            }
        )
    return [*rows, *_nothing_done(worlds, seed)]


def _nothing_done(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return in what share of cells in which nothing is done a scheme would have been worth it."""
    rows = []
    for size in (50, 300):
        rng = np.random.default_rng([seed, 50, size])
        wrong, stated = [], []
        for _ in range(worlds):
            truths = {"one": _from_prior(rng), "other": _from_prior(rng)}
            there = rng.random((SEGMENTS, len(STAGES))) < 0.7
            there[0, 0] = True
            works, laid = _laid(_trial(rng, truths, size, there))
            still = laid.acting("do nothing")
            wrong += [
                max(_true(one, row) for one in truths.values()) > works.rope for row in still.itertuples()
            ]
            stated += list(still["p_wrong"])
        found, told = float(np.mean(wrong)), float(np.mean(stated))
        rows.append(
            {
                "estimand": "groups with nothing done for which one of two schemes would be worth it: "
                f"truth from the prior, {size} members an arm in seven cells of ten",
                "worlds": worlds,
                "n": len(wrong),
                "goal": f"at most {100 * IMPROBABLE:.0f} %",
                "found": round(found, 4),
                "stated": round(told, 4),
                "met": bool(found <= IMPROBABLE),
            }
        )
    return rows
