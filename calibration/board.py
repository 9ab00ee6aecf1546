"""What drift, effects by segment and stage, and the board's recommendations do over many worlds.

`calibrate` returns one row per claim: worlds, what is expected, what was found, and whether the goal was met
(None where a number is only shown). Sums over members are drawn, never members, but for the worlds of skewed
payments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from common import MASS, covered, measured
from numpy.typing import NDArray
from portfolio import unlike_trials
from rates import rate_row
from scipy.optimize import brentq

from sojourn.core.cells import Cells
from sojourn.core.results.board import Board, Floats, WorksOn
from sojourn.estimators.bayes.crossed import fit_crossed
from sojourn.studies.board.board import board
from sojourn.studies.board.drift import drift
from sojourn.studies.board.leaving import predicted_share
from sojourn.studies.board.works_on import works_on

#: Segments, and stages of members with us; members who are too new for a segment took no part.
SEGMENTS, STAGES = 3, ("new", "growing", "active", "silent", "returned")
#: From one segment to another in a month; the rest of a row has gone and is replaced by joiners.
MOVES = np.array([[0.85, 0.08, 0.04], [0.05, 0.80, 0.10], [0.03, 0.12, 0.78]])
JOINING = np.array([0.3, 0.4, 0.3])
#: The belief of net values: nine in ten within 4 of 0; net values of members spread by so much.
SD, VALUES = 4 / 1.6448536269514722, 20.0
MARGIN, MEMBERS = 0.05, 2_000


def calibrate() -> list[dict[str, Any]]:
    """Return every row; takes some minutes."""
    return [
        *migration(500, seed=1),
        *moved(400, seed=2),
        *pooling(120, seed=3),
        *effects(80, seed=4),
        *worthless(40, seed=5),
        *chances(80, seed=6),
        *left(4_000, seed=7),
        *unlike_trials(400, seed=8),
    ]


# --- drift ---


def migration(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often intervals of the migration matrix hold the planted moves."""
    rows = []
    for j, (members, wobble) in enumerate(((500, 0.0), (20_000, 0.0), (20_000, 0.1))):
        rng = np.random.default_rng([seed, j])
        found = [drift(_moving(rng, members, 13, wobble=wobble)).migration for _ in range(worlds // 2)]
        like = f"{members:,} members, 12 months" + (", moves of a month 10 % more or fewer" if wobble else "")
        for start, end in ((0, 0), (0, 1), (2, 1)):
            named = [table.set_index(["from_segment", "to_segment"]).loc[f"s{start}", :] for table in found]
            bounds = np.array(
                [table.loc[f"s{end}", ["share_low", "share_high"]] for table in named], dtype=float
            )
            row = covered(f"share that goes from s{start} to s{end}", like, bounds, MOVES[start, end])
            rows.append({**row, "met": None, "goal": "shown"} if wobble else row)
    return rows


def moved(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return coverage of changes, false alarms in worlds that stand still, and shifts that are caught."""
    rows = []
    shifts = (
        (0.0, "stands still"),
        (MARGIN, "moved by the margin"),
        (2 * MARGIN, "moved by twice the margin"),
    )
    for j, (shift, name) in enumerate(shifts):
        last = _shifted(shift)
        for members in (MEMBERS, 10 * MEMBERS):
            rng = np.random.default_rng([seed, j, members])
            found = [drift(_moving(rng, members, 13, last=last), margin=MARGIN) for _ in range(worlds // 2)]
            hits = sum(one.verdict == "moved" for one in found)
            catch = shift > MARGIN
            what = f"segments moved: a share {name}, {members:,} members"
            rows.append(rate_row(what, len(found), hits, 0.95 if catch else 0.05, catch=catch))
            bounds = np.array([one.changes.loc[0, _BOUNDS] for one in found], dtype=float)
            rows.append(covered("change of a share", f"{name}, {members:,} members", bounds, _expected(last)))
    return rows


_BOUNDS = ["change_points_low", "change_points_high"]


def _standing() -> Floats:
    share = np.linalg.solve((np.eye(SEGMENTS) - MOVES).T, JOINING)
    standing: Floats = share / share.sum()
    return standing


def _expected(last: Floats) -> float:
    """Return the expected change of the first share: now, beside the mean of the six month ends before."""
    share = [_standing()]
    for t in range(2):
        gone = share[t] @ (1 - last.sum(axis=1))
        share.append(share[t] @ last + gone * JOINING)
    before = (5 * share[0] + share[1]) / 6
    return float(share[2][0] - before[0])


def _shifted(change: float) -> Floats:
    """Return moves of the last two months that shift the first share by so much."""

    def towards(part: float) -> Floats:
        taken = part * MOVES
        to_first = np.zeros_like(MOVES)
        to_first[:, 0] = taken[:, 1:].sum(axis=1)
        kept = MOVES - np.column_stack([np.zeros(SEGMENTS), taken[:, 1:]])
        return np.asarray(kept + to_first)

    if change == 0:
        return MOVES
    return towards(float(brentq(lambda part: _expected(towards(part)) - change, 0, 1)))


def _wobbling(rng: np.random.Generator, moves: Floats, wobble: float) -> Floats:
    """Return moves of one month, whose shares to other segments vary around `moves` by a factor."""
    varied: Floats = moves * np.exp(wobble * rng.standard_normal(moves.shape) - wobble**2 / 2)
    np.fill_diagonal(varied, 0)
    return varied + np.diag(moves.sum(axis=1) - varied.sum(axis=1))


def _moving(
    rng: np.random.Generator, members: int, months: int, *, last: Floats = MOVES, wobble: float = 0.0
) -> Cells:
    """Return moves of members, who begin at the standing shares; joiners replace those who go."""
    stock, rows = rng.multinomial(members, _standing()), []
    for t in range(months - 1):
        between = _wobbling(rng, last if t >= months - 3 else MOVES, wobble)
        to = np.array(
            [rng.multinomial(n, [*p, max(1 - p.sum(), 0.0)]) for n, p in zip(stock, between, strict=True)]
        )
        rows += [
            (f"{t:02d}", s, e if e < SEGMENTS else -2, to[s, e])
            for s in range(SEGMENTS)
            for e in range(SEGMENTS + 1)
        ]
        joined = rng.multinomial(to[:, SEGMENTS].sum(), JOINING)
        rows += [(f"{t:02d}", -2, e, joined[e]) for e in range(SEGMENTS)]
        stock = to[:, :SEGMENTS].sum(axis=0) + joined
    table = pd.DataFrame(rows, columns=["month", "from_segment", "to_segment", "n"])
    about = {"segments": [f"s{i}" for i in range(SEGMENTS)], "months": [f"{t:02d}" for t in range(months)]}
    return Cells("calibration", "board", {"moves": table}, about)


# --- effects ---

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
    everywhere = np.ones((SEGMENTS, len(STAGES)), dtype=bool)
    rows = []
    for scheme, effect in {"none": 0.0 * everywhere, **effects}.items():
        for s, t in np.argwhere(everywhere if there is None else there):
            mean = 10 + effect[s, t] + VALUES * rng.standard_normal() / size**0.5
            squares = VALUES**2 * rng.chisquare(size - 1) + size * mean**2
            rows.append(("main", scheme, "kept", "net_value", s, STAGES[t], size, size * mean, squares))
    return _cells(rows)


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


def _cells(rows: list[Any]) -> Cells:
    names = ["trial", "scheme", "aim", "outcome", "segment", "stage", "n", "total", "total_sq"]
    now = pd.DataFrame(
        [(s, stage, 1_000) for s in range(SEGMENTS) for stage in STAGES],
        columns=["segment", "stage", "members"],
    )
    about = {
        "segments": [f"s{i}" for i in range(SEGMENTS)],
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
    for i, (schemes, size) in enumerate(((1, 50), (1, 300), (4, 50), (4, 300), (4, 3_000), (8, 50))):
        rng = np.random.default_rng([seed, i])
        hits = sum(
            _any_bad(_trial(rng, dict.fromkeys(map(str, range(schemes)), none), size), none)
            for _ in range(worlds)
        )
        what = (
            f"worthless scheme recommended anywhere: {schemes} worthless, {size} members an arm in each cell"
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
    return rows


def left(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the interval of who will leave holds the share of those who then do."""
    rows = []
    for j, (n, now) in enumerate(((50, 50), (200, 2_000), (5_000, 5_000))):
        rng = np.random.default_rng([seed, j])
        share = rng.uniform(0.03, 0.5, worlds)
        k, later = rng.binomial(n, share), rng.binomial(now, share) / now
        _, low, high = predicted_share(
            k.astype(float), np.full(worlds, float(n)), np.full(worlds, float(now)), MASS
        )
        inside = (low <= later) & (later <= high)
        like = f"{n:,} followed, {now:,} now, true shares from 3 to 50 %"
        row = measured("share of members who will leave", like, inside, np.isfinite(low), (0.93, 0.97))
        rows.append({**row, "width": round(float((high - low).mean()), 4)})
    return rows
