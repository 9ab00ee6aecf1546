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
from sojourn.core.interval import Interval
from sojourn.core.results.board import IMPROBABLE, Board, Floats, WorksOn
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.crossed import fit_crossed
from sojourn.studies.board.board import board
from sojourn.studies.board.works_on import works_on

#: Segments, and stages of members with us; members who are too new for a segment took no part.
SEGMENTS, STAGES = 3, ("new", "growing", "active", "silent", "returned")
#: The belief of net values: nine in ten within 4 of 0; net values of members spread by so much.
SD, VALUES = 4 / 1.6448536269514722, 20.0
#: The belief of lifts, and the share of members of the control who are kept.
LIFTS, KEPT = LiftPrior(-0.08, 0.10, 0.9), 0.6
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
            inside: dict[str, list[bool]] = {}
            for _ in range(worlds):
                true = _from_prior(rng) if fixed is None else np.zeros((SEGMENTS, len(STAGES)))
                if fixed:
                    true[0] = fixed
                there = rng.random(true.shape) < 0.7
                there[0, 0] = True
                truths = {"net_value": true} | ({"lift": _lifts(rng.spawn(1)[0])} if fixed is None else {})
                for what, found in _held(rng, truths, size, there).items():
                    inside.setdefault(what, []).extend(found)
            like = f"{name}, {size} members an arm in each cell"
            for what, found in inside.items():
                judged = fixed is None or (what == "net value of all members" and fixed == 0.0)
                goal = {True: (0.94, 0.96), False: (0.93, 0.97)}[fixed is None]
                rows.append(_row(what, like, worlds, found, goal if judged else None))
    return rows


def _held(
    rng: np.random.Generator, truths: dict[str, Floats], size: int, there: NDArray[np.bool_]
) -> dict[str, list[bool]]:
    """Return which intervals of one trial hold the truth, by what they are of."""
    made = works_on(_trial(rng, {"new": truths["net_value"]}, size, there, lifts=truths.get("lift")))
    found = {}
    for name, true in truths.items():
        called = name.replace("_", " ")
        for kind, cells in (("trial", "cells in the trial"), ("observational", "cells that borrow")):
            own = made.table[(made.table["evidence"] == kind) & made.table["segment"].str.startswith("s")]
            truth = [_true(true, row) for row in own.itertuples()]
            found[f"{called} of {cells}"] = list(_inside(own, truth, name))
        found[f"{called} of all members"] = list(_inside(made.overall, [float(true[there].mean())], name))
    return found


def _row(
    what: str, like: str, worlds: int, inside: list[bool], goal: tuple[float, float] | None
) -> dict[str, Any]:
    """Return a row of coverage of several intervals a world; only shown where there is no goal."""
    share = float(np.mean(inside))
    some = min(max(share, 1 / len(inside)), 1 - 1 / len(inside))  # all of few is not surely all
    reach = 3.29 * (some * (1 - some) / len(inside)) ** 0.5
    return {
        "estimand": what,
        "like": like,
        "worlds": worlds,
        "n": len(inside),
        "nominal": MASS,
        "goal": list(goal) if goal else "shown",
        "measured": round(share, 4),
        "met": bool(share + reach >= goal[0] and share - reach <= goal[1]) if goal else None,
    }


def _from_prior(rng: np.random.Generator, *, spread: float = 1.0, overall: float | None = None) -> Floats:
    """Return true net values of cells as believed, or as far apart times `spread`, or around `overall`."""
    of, each = (SEGMENTS, len(STAGES)), 0.5 * SD * 3**-0.5
    scales = each * np.abs(rng.standard_normal(3))
    parts = rng.standard_normal((of[0], 1)), rng.standard_normal((1, of[1])), rng.standard_normal(of)
    around = sum(s * part for s, part in zip(scales, parts, strict=True))
    middle = SD * rng.standard_normal() if overall is None else overall
    true: Floats = spread * (middle + around)
    return true


def _lifts(rng: np.random.Generator) -> Floats:
    """Return true lifts of cells as believed: their spread is the same share of its belief's deviation."""
    return LIFTS.mean + LIFTS.sd / SD * _from_prior(rng)


def _true(true: Floats, row: Any) -> float:
    return float(true[int(row.segment[1:]), STAGES.index(row.stage)])


def _inside(rows: pd.DataFrame, truth: list[float], name: str) -> Any:
    return (rows[f"{name}_low"] <= truth) & (truth <= rows[f"{name}_high"])


def _trial(
    rng: np.random.Generator,
    effects: dict[str, Floats],
    size: int,
    there: NDArray[np.bool_] | None = None,
    *,
    lifts: Floats | None = None,
    values: float = VALUES,
) -> Cells:
    """Return cells of one trial of normal net values, `size` members an arm in every cell that is there.

    Where `lifts` are stated, all schemes have them; who is kept is drawn apart, and changes no net value.
    """
    apart = rng.spawn(1)[0]
    everywhere = np.ones(next(iter(effects.values())).shape, dtype=bool)
    rows = []
    for scheme, effect in {"none": 0.0 * everywhere, **effects}.items():
        for s, t in np.argwhere(everywhere if there is None else there):
            where = ("main", scheme, "kept"), (s, STAGES[t], size)
            mean = 10 + effect[s, t] + values * rng.standard_normal() / size**0.5
            squares = values**2 * rng.chisquare(size - 1) + size * mean**2
            rows.append((*where[0], "net_value", *where[1], size * mean, squares))
            if lifts is not None:
                kept = apart.binomial(size, np.clip(KEPT + (scheme != "none") * lifts[s, t], 0, 1))
                rows.append((*where[0], "there", *where[1], kept, kept))
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
    due = now.assign(trial="main", due=now["members"] // (1 + np.arange(len(now)) % 4))
    tables = {"arms": pd.DataFrame(rows, columns=names), "now": now, "due": due}
    return Cells("calibration", "board", tables, about)


# --- the board ---


def worthless(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often a board recommends any scheme that is worth nothing there, in several worlds.

    Boards of many schemes, and those where one pays somewhere, are half as many.
    """
    none = np.zeros((SEGMENTS, len(STAGES)))
    good, bad = none.copy(), none + 5.0
    good[0], bad[1, 2] = 5.0, 0.0
    rows = []
    settings = ((1, 50, 3), (1, 300, 3), (4, 50, 3), (4, 300, 3), (4, 3_000, 3), (8, 50, 3), (12, 20, 6))
    for i, (schemes, size, segments) in enumerate(settings):
        rng = np.random.default_rng([seed, i])
        nowhere, several = np.zeros((segments, len(STAGES))), worlds if schemes <= 4 else worlds // 2
        hits = sum(
            _any_bad(_trial(rng, dict.fromkeys(map(str, range(schemes)), nowhere), size), nowhere)
            for _ in range(several)
        )
        what = (
            f"worthless scheme recommended anywhere: {schemes} worthless, {size} members an arm in each of "
            f"{nowhere.size} cells"
        )
        rows.append(rate_row(what, several, hits, 0.05))
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
            hits = sum(_any_bad(_trial(rng, {"new": truth}, size), truth) for _ in range(worlds // 2))
            what = (
                f"scheme recommended where it is worth nothing: it {name}, {size} members an arm in each cell"
            )
            rows.append({**rate_row(what, worlds // 2, hits, 1.0), "goal": "shown", "met": None})
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
            alarms = surprised = 0
            for _ in range(worlds):
                truth = _from_prior(rng) if fixed is None else np.full(shape, fixed)
                works = works_on(_trial(rng, {"new": truth}, size))
                alarms += len(works.odd) > 0
                surprised += bool(works.beliefs["conflict"].any())
            like = f"truth {name}, {size} members an arm in each of 15 cells"
            rows.append(rate_row(f"any cell taken for odd: {like}", worlds, alarms, 0.05))
            if fixed is None:  # 1 in 100, and what chance adds in three standard errors
                most = 0.01 + 3 * (0.01 * 0.99 / worlds) ** 0.5
                rows.append(rate_row(f"belief and trial disagree: {like}", worlds, surprised, most))
    return rows


def against_belief(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often a trial is said to disagree with a belief that it does disagree with."""
    rows = []
    for times in (1, 10):
        rng, hits = np.random.default_rng([seed, times]), 0
        for _ in range(worlds):
            away = 4 * SD * rng.choice([-1.0, 1.0])
            truth = _from_prior(rng, overall=away) if times == 1 else times * _from_prior(rng)
            works = works_on(_trial(rng, {"new": truth}, 300, values=times * VALUES))
            hits += bool(works.beliefs["conflict"].any())
        name = "four of its deviations away" if times == 1 else f"{times} times as large as believed"
        what = f"belief and trial disagree: truth {name}, 300 members an arm in each of 15 cells"
        row = rate_row(what, worlds, hits, 0.8, catch=True)
        rows.append(row if times == 1 else {**row, "goal": "shown", "met": None})
    return rows


def chances(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return what share of recommendations loses money, beside their stated chances, and what they bring."""
    rows, boards = [], []
    for size in (50, 300, 3_000):
        rng = np.random.default_rng([seed, size])
        made = [_recommended(rng, _from_prior(rng), size, lifts=True) for _ in range(worlds)]
        rows += _beside_truth(made, f"truth from the prior, {size} members an arm in each cell")
        boards += made
    return [*rows, *_totals(boards), *_nothing_done(worlds, seed)]


def alike(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return the same, only shown, where members are nearer to one another than the belief says."""
    kinds: dict[str, Callable[[np.random.Generator], Floats]] = {
        "truth half as spread as believed": lambda rng: _from_prior(rng, spread=0.5),
        "every cell worth the same": lambda rng: np.full((SEGMENTS, len(STAGES)), SD * rng.standard_normal()),
    }
    rows = []
    for i, (name, draw) in enumerate(kinds.items()):
        rng = np.random.default_rng([seed, i])
        made = [_recommended(rng, draw(rng), 300) for _ in range(worlds)]
        found = _beside_truth(made, f"{name}, 300 members an arm in each cell")
        rows += [{**row, "goal": "shown", "met": None} for row in found]
    return rows


def _recommended(
    rng: np.random.Generator, truth: Floats, size: int, *, lifts: bool = False
) -> tuple[pd.DataFrame, Board]:
    """Return what is recommended in one world, beside what is true there, and the board."""
    truths = {"net_value": truth} | ({"lift": _lifts(rng.spawn(1)[0])} if lifts else {})
    laid = _laid(_trial(rng, {"new": truth}, size, lifts=truths.get("lift")))[1]
    given = laid.acting("give")
    own = {f"true_{name}": [_true(of, row) for row in given.itertuples()] for name, of in truths.items()}
    return given.assign(**own), laid


def _beside_truth(made: list[tuple[pd.DataFrame, Board]], like: str) -> list[dict[str, Any]]:
    given = pd.concat([rows for rows, _ in made])
    wrong, true = float((given["true_net_value"] <= 0).mean()), float(given["true_net_value"].mean())
    off = (float(given["net_value"].mean()) - true) / true
    of = {"worlds": len(made), "n": len(given)}
    return [
        {
            "estimand": f"recommendations that lose money: {like}",
            **of,
            "goal": "at most 3 %",
            "found": round(wrong, 4),
            "stated": round(float(given["p_wrong"].mean()), 4),
            "met": wrong <= 0.03,
        },
        {
            "estimand": f"mean net value of what is recommended over its truth: {like}",
            **of,
            "goal": "within 10 % of the truth",
            "found": round(off, 4),
            "met": abs(off) <= 0.1,
        },
    ]


def _totals(made: list[tuple[pd.DataFrame, Board]]) -> list[dict[str, Any]]:
    """Return coverage of what all recommendations bring to who is due, where there are any."""
    rows, like = [], "truth from the prior, 50, 300 and 3,000 members an arm in each cell"
    for name, what in (("net_value", "total net value"), ("lift", "total members kept")):
        inside = [
            _holds(board.sums[name], float((given["due"] * given[f"true_{name}"]).sum()))
            for given, board in made
            if len(given)
        ]
        rows.append(_row(f"{what} of what is recommended", like, len(made), inside, (0.93, 0.97)))
    return rows


def _holds(of: Interval, truth: float) -> bool:
    return bool(of.low <= truth <= of.high)


def _nothing_done(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return in what share of cells in which nothing is done a scheme would have been worth it.

    And, only shown, how often what is recommended of both schemes brings what it is said to bring in all.
    """
    rows = []
    for size in (50, 300):
        rng = np.random.default_rng([seed, 50, size])
        wrong, stated, inside = [], [], []
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
            given = laid.acting("give")
            if len(given):
                brings = sum(row.due * _true(truths[row.scheme], row) for row in given.itertuples())
                inside.append(_holds(laid.sums["net_value"], brings))
        found, told = float(np.mean(wrong)), float(np.mean(stated))
        like = f"truth from the prior, {size} members an arm in seven cells of ten"
        rows.append(
            {
                "estimand": f"groups with nothing done where one of two schemes would be worth it: {like}",
                "worlds": worlds,
                "n": len(wrong),
                "goal": f"at most {100 * IMPROBABLE:.0f} %",
                "found": round(found, 4),
                "stated": round(told, 4),
                "met": bool(found <= IMPROBABLE),
            }
        )
        rows.append(_row("total net value of two schemes", like, worlds, inside, None))
    return rows
