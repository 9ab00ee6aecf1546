"""Cells of the board, drawn from stated shares, moves and effects: shared by tests of study, words, pictures.

The form is that of `sojourn.data.cells.board`; sums over members are drawn, never members.
"""

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells

SEGMENTS = ("frequent buyers", "quiet browsers", "bargain hunters")
KEPT = ("new", "growing", "active", "silent", "returned")
STAGES = (*KEPT, "churned")
#: From one segment to another in a month; the rest of a row has gone.
MOVES = np.array([[0.85, 0.08, 0.04], [0.05, 0.80, 0.10], [0.03, 0.12, 0.78]])
#: Of members too new for a segment: to each segment, still too new, gone.
ENTERING = np.array([0.15, 0.2, 0.15, 0.4, 0.1])


def make_board(
    *,
    seed=0,
    members=20_000,
    months=13,
    moves=MOVES,
    last_moves=None,
    effects=None,
    size=400,
    sd=20.0,
    due=1.0,
    trials=True,
    leaving=True,
    repeated=True,
    **meta,
):
    """Return cells of members in segments and stages, their moves, and a trial of a coupon and of a gift.

    Parameters
    ----------
    members : int
        Of all cells together.
    months : int
        Month ends.
    moves, last_moves : array
        Between segments; of the last two months (the same as before when not stated).
    effects : dict of scheme to array (segments and too new, stages with us)
        True net values above control, in currency per member; missing where no member was in the trial.
    repeated : bool
        Whether it is told which moves were the same member's: every one was another's.
    size, sd : int, float
        Members of every arm in every cell, and how far their net values spread.
    due : float
        Share of today's members of every cell who can still be given the schemes as those of the trial were.
    """
    rng = np.random.default_rng(seed)
    tables = {"now": _now(members), "since": _since(rng, members, leaving)}
    tables["moves"], ends = _moves(rng, members, months, moves, moves if last_moves is None else last_moves)
    if repeated:
        sums = tables["moves"].groupby(["from_segment", "to_segment"], as_index=False)["n"].sum()
        tables["repeated"] = sums[sums["from_segment"] > -2].assign(n_sq=sums["n"], n_begun=sums["n"])
    if trials:
        tables |= _trials(rng, planted() if effects is None else effects, size, sd)
        tables["due"] = _due(tables["now"], due)
    about = {
        "segments": list(SEGMENTS),
        "leave_days": [30, 90],
        "leaving": leaving,
        "months": ends,
        "horizon_days": 90,
        "value_days": 90,
        "currency": "EUR",
        "verdict": "groups",
    }
    return Cells("test", "board", tables, {**about, **meta})


def planted():
    """Return net values of a coupon that pays for frequent buyers only, and of a gift that costs money."""
    coupon = np.full((4, 5), np.nan)
    coupon[:3] = np.array([[6.0], [-1.0], [-3.0]])
    coupon[0, 0] = np.nan  # no new frequent buyer was in it
    gift = np.full((4, 5), np.nan)
    gift[:3] = -2.0
    gift[0, 0] = np.nan
    return {"coupon": coupon, "gift": gift}


def left_shares():
    """Return who leaves within 30 days (segments and too new, stages with us); within 90 it is 2.5 times."""
    return np.outer([0.02, 0.06, 0.08, 0.10], [1.5, 1.2, 0.6, 2.0, 1.4])


def _now(members):
    share = np.outer([0.25, 0.35, 0.3, 0.1], [0.06, 0.06, 0.4, 0.25, 0.03, 0.2])
    rows = [
        (s if s < 3 else -1, stage, int(members * share[s, t]))
        for s in range(4)
        for t, stage in enumerate(STAGES)
    ]
    return pd.DataFrame(rows, columns=["segment", "stage", "members"])


def _due(now, share):
    here = now[now["stage"] != "churned"]
    return here.assign(trial="main", due=(share * here["members"]).astype(int))


def _since(rng, members, leaving):
    rows = []
    for days_ago in (90, 180):
        for _, (segment, stage, n) in _now(members).iterrows():
            if stage == "churned":
                p30, back = 0.0, rng.binomial(n, [0.02, 0.05])
            else:
                p30, back = left_shares()[segment, KEPT.index(stage)], [0, 0]
            left = rng.binomial(n, [p30, 2.5 * p30])
            came = rng.binomial(n, [0.3, 0.5])
            rows.append((days_ago, segment, stage, n, *left, *back, *came))
    names = ["left_30", "left_90", "back_30", "back_90", "came_30", "came_90"]
    made = pd.DataFrame(rows, columns=["days_ago", "segment", "stage", "n", *names])
    return made if leaving else made.drop(columns=names[:4])


def _moves(rng, members, months, usual, last):
    """Draw moves of a population whose joiners replace those who go, near its standing shares."""
    k = len(usual)
    stock = np.append(_standing(usual) * members * 0.9, members * 0.1).astype(int)
    ends = [str(day.date()) for day in pd.date_range(end="2025-07-01", periods=months, freq="30D")]
    rows = []
    for t, month in enumerate(ends[:-1]):
        between = last if t >= months - 3 else usual
        to = np.zeros((k + 1, k + 2), dtype=int)
        for s in range(k):
            to[s] = rng.multinomial(stock[s], [*between[s], 0.0, 1 - between[s].sum()])
        to[k] = rng.multinomial(stock[k], ENTERING)
        rows += [(month, _code(s, k), _code(e, k), to[s, e]) for s in range(k + 1) for e in range(k + 2)]
        stock, new = to.sum(axis=0)[: k + 1], int(members * 0.1)
        rows.append((month, -3, -1, new - stock[k]))  # beside those who stay too new, as many as there were
        stock[k] = new
    table = pd.DataFrame(rows, columns=["month", "from_segment", "to_segment", "n"])
    return table[table["n"] > 0].reset_index(drop=True), ends


def _standing(moves):
    """Return the shares that such moves, with the same joiners every month, leave as they are."""
    k = len(moves)
    entering = ENTERING[:k] / ENTERING[:k].sum()
    share = np.linalg.solve((np.eye(k) - moves).T, entering)
    return share / share.sum()


def _code(place, k):
    return place if place < k else (-1, -2)[place - k]


def _trials(rng, effects, size, sd):
    rows = []
    shapes = {scheme: np.asarray(effect) for scheme, effect in effects.items()}
    one = next(iter(shapes.values()))
    for scheme, effect in {"none": np.where(np.isnan(one), np.nan, 0.0), **shapes}.items():
        for s, t in np.argwhere(~np.isnan(effect)):
            keep = rng.binomial(size, min(0.7 + 0.01 * effect[s, t], 1.0))
            mean = 10 + effect[s, t] + sd * rng.standard_normal() / size**0.5
            squares = sd**2 * rng.chisquare(size - 1) + size * mean**2
            where = ("main", scheme, "kept", s if s < 3 else -1, KEPT[t], size)
            rows += [(*where, "there", keep, keep), (*where, "net_value", size * mean, squares)]
    names = ["trial", "scheme", "aim", "segment", "stage", "n", "outcome", "total", "total_sq"]
    before = [
        ("main", scheme, 5000, 15_000 + rng.integers(-100, 100), 105_000) for scheme in ("none", *shapes)
    ]
    columns = ["trial", "scheme", "assigned", "before", "before_sq"]
    return {"arms": pd.DataFrame(rows, columns=names), "before": pd.DataFrame(before, columns=columns)}
