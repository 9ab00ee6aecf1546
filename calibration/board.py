"""What drift, predictions of leaving, effects and the board's recommendations do over many worlds.

`calibrate` returns one row per claim: worlds, what is expected, what was found, and whether the goal was met
(None where a number is only shown). Counts of members are drawn; members are only where some move more than
others. Effects and recommendations are in `board_effects`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from board_effects import SEGMENTS, STAGES, against_belief, alike, chances, effects, odd, pooling, worthless
from common import MASS, covered, measured
from portfolio import unlike_trials
from rates import rate_row
from scipy.optimize import brentq

from sojourn.core.cells import Cells
from sojourn.core.results.board import Floats
from sojourn.studies.board.drift import drift
from sojourn.studies.board.leaving import SHIFT, Foretold, came_true, leaving, predicted_share

#: From one segment to another in a month; the rest of a row has gone and is replaced by joiners.
MOVES = np.array([[0.85, 0.08, 0.04], [0.05, 0.80, 0.10], [0.03, 0.12, 0.78]])
JOINING = np.array([0.3, 0.4, 0.3])
MARGIN, MEMBERS = 0.05, 2_000


def calibrate() -> list[dict[str, Any]]:
    """Return every row; takes some minutes."""
    return [
        *migration(500, seed=1),
        *unlike(400, seed=12),
        *moved(400, seed=2),
        *pooling(120, seed=3),
        *effects(100, seed=4),
        *worthless(100, seed=5),
        *odd(200, seed=9),
        *against_belief(100, seed=11),
        *chances(120, seed=6),
        *alike(150, seed=13),
        *left(4_000, seed=7),
        *foretold(400, seed=10),
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


def unlike(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often intervals of the migration matrix hold, where some members move more than others.

    Cells of private cases do not tell which moves were the same member's: what that costs is shown.
    """
    rows = []
    kinds = (("members alike", (0.2, 0.2)), ("half of them move with 2 %, half with 38 %", (0.02, 0.38)))
    for j, (kind, chances_to_move) in enumerate(kinds):
        for months in (6, 12):
            rng = np.random.default_rng([seed, j, months])
            found = [_of_members(rng, np.array(chances_to_move), months) for _ in range(worlds)]
            alone = [replace(cells, tables={"moves": cells.tables["moves"]}) for cells in found]
            for private, told in ((False, found), (True, alone)):
                like = f"{MEMBERS:,} members, {months} months, {kind}{', a private case' if private else ''}"
                bounds = np.array([_interval(drift(cells).migration) for cells in told])
                row = covered("share that goes from s0 to s1", like, bounds, 0.2)
                rows.append({**row, "met": None, "goal": "shown"} if private else row)
    return rows


def _interval(migration: pd.DataFrame) -> Floats:
    """Return the bounds of the share that goes from the first segment to the second."""
    row = migration.query("from_segment == 's0' and to_segment == 's1'")
    bounds: Floats = row[["share_low", "share_high"]].to_numpy(float)[0]
    return bounds


def _of_members(rng: np.random.Generator, chances_to_move: Floats, months: int) -> Cells:
    """Return cells of members between two segments, each with a chance of its own to move in any month."""
    chance, at = rng.choice(chances_to_move, MEMBERS), rng.integers(0, 2, MEMBERS)
    member, own, rows = np.arange(MEMBERS), np.zeros((MEMBERS, 2, 2)), []
    for t in range(months):
        to = np.where(rng.random(MEMBERS) < chance, 1 - at, at)
        own[member, at, to] += 1
        rows += [(f"{t:02d}", s, e, int(((at == s) & (to == e)).sum())) for s in (0, 1) for e in (0, 1)]
        at = to
    begun = own.sum(axis=2, keepdims=True)
    sums = [(own * by).sum(axis=0) for by in (1.0, own, begun)]
    again = [(s, e, *(int(of[s, e]) for of in sums)) for s in (0, 1) for e in (0, 1)]
    names = ["from_segment", "to_segment", "n"]
    tables = {
        "moves": pd.DataFrame(rows, columns=["month", *names]),
        "repeated": pd.DataFrame(again, columns=[*names, "n_sq", "n_begun"]),
    }
    ends = [f"{t:02d}" for t in range(months + 1)]
    return Cells("calibration", "board", tables, {"segments": ["s0", "s1"], "months": ends, "leaving": False})


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
        rows += [(f"{t:02d}", -3, e, joined[e]) for e in range(SEGMENTS)]
        stock = to[:, :SEGMENTS].sum(axis=0) + joined
    table = pd.DataFrame(rows, columns=["month", "from_segment", "to_segment", "n"])
    about = {"segments": [f"s{i}" for i in range(SEGMENTS)], "months": [f"{t:02d}" for t in range(months)]}
    return Cells("calibration", "board", {"moves": table}, about)


# --- who will leave ---


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


def foretold(worlds: int, seed: int) -> list[dict[str, Any]]:
    """Return how often the number who leave is inside its prediction, where periods differ, and alarms."""
    rows = []
    settings = (("from the prior", None), ("0", 0.0), ("0.2", 0.2), ("0.4", 0.4))
    for j, (name, fixed) in enumerate(settings):
        for members in (150, 1_500):
            rng = np.random.default_rng([seed, j, members])
            inside, alarms = [], 0
            several = worlds if fixed is None else worlds // 4
            for _ in range(several):
                scale = SHIFT * abs(rng.standard_normal()) if fixed is None else fixed
                told, came = _foretold(rng, scale * rng.standard_normal(3), members)
                total = told.sums["leave_90"]
                inside.append(total.low <= came <= total.high)
                alarms += not came_true(told.forward)
            like = f"odds of periods differ by {name} (logarithm), {members:,} members in each of 15 cells"
            row = measured(
                "members who will leave", like, np.array(inside), np.ones(several, bool), (0.93, 0.97)
            )
            shown = fixed is not None
            rows.append({**row, "met": None, "goal": "shown"} if shown else row)
            row = rate_row(f"earlier predictions did not come true: {like}", several, alarms, 0.05)
            rows.append({**row, "met": None, "goal": "shown"} if fixed else row)
    for j, (since, shifts) in enumerate((("since", (0, 1, 0)), ("a period ago", (0, 0, 1)))):
        for members in (150, 1_500):
            rng = np.random.default_rng([seed, 9 + j, members])
            told = [_foretold(rng, np.array(shifts, dtype=float), members)[0] for _ in range(worlds // 4)]
            hits = sum(not came_true(one.forward) for one in told)
            like = f"odds x 2.7 {since}, {members:,} members in each of 15 cells"
            what = f"earlier predictions did not come true: {like}"
            rows.append(rate_row(what, len(told), hits, 0.8, catch=True))
    return rows


def _foretold(rng: np.random.Generator, shifts: Floats, members: int) -> tuple[Foretold, int]:
    """Return a prediction from three landmarks, of which the odds differ by `shifts`, and who then left.

    `shifts` are from one period to the next, the one to the period to come first.
    """
    log_odds = rng.uniform(-3.0, 0.0, SEGMENTS * len(STAGES))
    levels = np.append(np.cumsum(shifts[::-1])[::-1], 0.0)  # above the earliest period
    share = 1 / (1 + np.exp(-log_odds - levels[:, None]))
    left = rng.binomial(members, share)
    places = [(s, stage) for s in range(SEGMENTS) for stage in STAGES]
    since = pd.DataFrame(
        [(90 * i, *at, members, n) for i in (1, 2, 3) for at, n in zip(places, left[i], strict=True)],
        columns=["days_ago", "segment", "stage", "n", "left_90"],
    )
    about = {"segments": [f"s{i}" for i in range(SEGMENTS)], "leave_days": [90]}
    now = pd.DataFrame(
        [(f"s{s}", stage, members) for s, stage in places], columns=["segment", "stage", "members"]
    )
    cells = Cells("calibration", "board", {"since": since}, about)
    return leaving(cells, now, MASS, 20), int(left[0].sum())
