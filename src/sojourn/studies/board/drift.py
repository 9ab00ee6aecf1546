"""How members move between segments, and whether the shares of segments have moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from sojourn.core.cells import Cells
from sojourn.core.normal import standard_errors
from sojourn.core.privacy import base_of
from sojourn.core.ranges import in_range
from sojourn.core.results.board import GONE, TOO_NEW, Drift, Floats, Moved
from sojourn.core.text import plural
from sojourn.estimators.cluster.intervals import jeffreys

#: Month ends that are needed: the last one, and two before it.
_LEAST = 3
_TOO_NEW, _GONE, _JOINED = -1, -2, -3
#: Months differ beyond chance where differences as large have a smaller one.
_CHANCE = 0.05


def drift(
    cells: Cells, *, margin: float = 0.05, before: int = 6, mass: float = 0.95, min_group: int = 20
) -> Drift:
    """Return how segments' shares and members' moves went month by month, and whether shares have moved.

    Parameters
    ----------
    cells : Cells
        With the table ``moves``: ``month`` (date of the earlier of two month ends), ``from_segment``,
        ``to_segment`` (-1: too new for a segment, -2: gone, -3: joined in between), ``n``; where it is told
        ``repeated`` (sums over members, see `sojourn.data.cells.board`); and ``months`` (days of all month
        ends) and ``leaving`` (whether it is known who left) in what they say of themselves.
    margin : float
        A share that moved by no more (0-1) has not moved for any practical purpose.
    before : int
        So many month ends before the last are what it is compared with (fewer where there are fewer).
    mass : float
        Mass of all intervals.
    min_group : int
        Rows of the migration matrix with fewer moves behind them are left out.

    Notes
    -----
    Month ends share their members, so their shares are not independent. With X the segment of a member, the
    covariance of two month ends is that of ``1[X_s = i]`` and ``1[X_t = j]`` over members who are there at
    both; who went from where to where is counted for neighbouring months and chained between others (a
    Markov chain of the moves as they were in each month). Members who are steadier than such a chain make
    the true variance of a change smaller than the one used, so alarms are rarer than stated, never more
    frequent. The alarm is raised where the interval of a change, at `mass` for all segments together
    (Bonferroni), lies beyond the margin.

    Intervals of the migration matrix are equal-tailed under Jeffreys' prior, Dirichlet(1/2, …) on each row,
    of counts divided by a design effect. Of members it is that of a ratio of sums over members (Cochran 1977,
    Sampling Techniques, 3rd ed., section 2.11): with d the moves of a member and n the months begun there,
    p = Σd / Σn has the variance Σ(d - pn)² / (Σn)², over p(1 - p) / Σn by chance, and at least 1. Of months
    it is Pearson's X² of each share over its degrees of freedom, where chance does not explain it, else 1.
    Both errors add up, chance counted once (Cameron, Gelbach & Miller 2011, Robust inference with multiway
    clustering, JBES 29, 238-249). Where the cells do not tell ``repeated``, as of private cases, members are
    taken to be alike.
    """
    in_range(margin, "margin", ge=0, lt=1)
    in_range(before, "before", ge=2)
    in_range(mass, "mass", gt=0, lt=1)
    empty = Drift(cells.case, mass, margin)
    moves = cells["moves"] if "moves" in cells.tables else pd.DataFrame({"month": []})
    ends = moves["month"].nunique() + 1 if len(moves) else 0
    if ends < _LEAST:
        why = f"Segments are known at {plural(ends, 'month end')}; moves are told from {_LEAST} on."
        return Drift(cells.case, mass, margin, why_empty=why)
    counted = _Counted.of(cells, moves)
    if not counted.stocks().any(axis=1).all():
        return Drift(
            cells.case, mass, margin, why_empty="At some month end too few members are in a segment."
        )
    changes, verdict, compared = _changes(counted, empty, before)
    migration = _migration(counted, mass)
    return Drift(
        case=cells.case,
        mass=mass,
        margin=margin,
        segments=counted.names,
        shares=counted.shares(),
        migration=migration[migration["n_from"] >= min_group].drop(columns="n_from").reset_index(drop=True),
        by_member=counted.repeated is not None,
        joined=int(counted.moves[:, counted.place[_JOINED]].sum()),
        rounded=counted.base > 0,
        monthly=_monthly(counted, min_group),
        changes=changes,
        months_before=compared,
        verdict=verdict,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Moves as arrays.

    Attributes
    ----------
    names, months : tuple of str
        Segments, and all month ends, one more than there are tables of moves.
    place : dict of int to int
        Codes of the cells by their place in `moves`.
    moves : array (months - 1, segments + 3, segments + 3)
        From and to: segments, "too new", "gone", "joined in between".
    repeated : array (3, segments + 3, segments + 3), optional
        Over members, by from and to: moves, their squares, and moves times months begun there.
    leaving : bool
        Whether it is known who left.
    base : int
        Of private cases; 0 in public ones.
    """

    names: tuple[str, ...]
    months: tuple[str, ...]
    place: dict[int, int]
    moves: Floats
    repeated: Floats | None
    leaving: bool
    base: int

    @classmethod
    def of(cls, cells: Cells, table: pd.DataFrame) -> _Counted:
        names = tuple(str(name) for name in cells.meta["segments"])
        months = sorted(set(table["month"].astype(str)))
        place = {code: i for i, code in enumerate((*range(len(names)), _TOO_NEW, _GONE, _JOINED))}
        moves = np.zeros((len(months), len(place), len(place)))
        at = [months.index(str(month)) for month in table["month"]]
        np.add.at(moves, (at, *_pairs(table, place)), table["n"].to_numpy(float))
        repeated = None
        if "repeated" in cells.tables:
            sums = cells["repeated"]
            repeated = np.zeros((3, len(place), len(place)))
            repeated[:, *_pairs(sums, place)] = sums[["n", "n_sq", "n_begun"]].to_numpy(float).T
        ends, leaving = (*months, str(cells.meta["months"][-1])), bool(cells.meta.get("leaving", True))
        return cls(names, ends, place, moves, repeated, leaving, base_of(cells.meta))

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.names)

    def stocks(self) -> Floats:
        """Return members of every segment at every month end (months, segments)."""
        before, last = self.moves.sum(axis=2), self.moves[-1].sum(axis=0)
        stocks: Floats = np.vstack([before, last])[:, : self.k]
        return stocks

    def shares(self) -> pd.DataFrame:
        """Return numbers and shares of every segment at every month end."""
        stocks = self.stocks()
        shares = stocks / np.maximum(stocks.sum(axis=1, keepdims=True), 1)
        return pd.DataFrame(
            {
                "month": np.repeat(self.months, self.k),
                "segment": np.tile(self.names, len(self.months)),
                "n": stocks.ravel().astype(int),
                "share": shares.ravel(),
            }
        )


def _pairs(table: pd.DataFrame, place: dict[int, int]) -> tuple[list[int], list[int]]:
    """Return the places of from and of to."""
    start, end = ([place[int(code)] for code in table[name]] for name in ("from_segment", "to_segment"))
    return start, end


def _changes(counted: _Counted, asked: Drift, before: int) -> tuple[pd.DataFrame, Moved, int]:
    """Return how far every share has moved, whether any surely has, and over how many months."""
    stocks = counted.stocks()
    last = len(stocks) - 1
    compared = min(before, last)
    weights = np.zeros(len(stocks))
    weights[last], weights[last - compared : last] = 1.0, -1.0 / compared
    shares = stocks / stocks.sum(axis=1, keepdims=True)
    change = weights @ shares
    error = np.sqrt(_variances(counted, stocks, weights))
    reach = standard_errors(asked.mass) * error
    sure = standard_errors(1 - (1 - asked.mass) / counted.k) * error
    verdicts = np.select(
        [np.abs(change) - sure > asked.margin, np.abs(change) + sure <= asked.margin],
        ["moved", "steady"],
        "not sure",
    )
    table = pd.DataFrame(
        {
            "segment": counted.names,
            "share_now": shares[last],
            "share_before": shares[last - compared : last].mean(axis=0),
            "change_points": change,
            "change_points_low": change - reach,
            "change_points_high": change + reach,
            "verdict": verdicts,
        }
    )
    verdict: Moved = "not sure"
    if (verdicts == "moved").any():
        verdict = "moved"
    elif (verdicts == "steady").all():
        verdict = "steady"
    return table, verdict, compared


def _variances(counted: _Counted, stocks: Floats, weights: Floats) -> Floats:
    """Return the variance of a weighted sum of shares of month ends, by segment."""
    k, n = counted.k, stocks.sum(axis=1)
    shares = stocks / n[:, None]
    found = np.zeros(k)
    for s in np.flatnonzero(weights):
        there = np.diag(stocks[s])  # members by their segment then (rows) and later (columns)
        for t in range(s, len(stocks)):
            if t > s:
                of = counted.moves[t - 1]
                there = there @ (of[:k, :k] / np.maximum(of[:k].sum(axis=1, keepdims=True), 1))
            if weights[t]:
                both = weights[s] * weights[t] * _covariance(there, shares[s], shares[t]) / n[s] / n[t]
                found += both if s == t else 2 * both
    blur = counted.base**2 / 12 * (weights**2 / n**2).sum()
    variances: Floats = np.maximum(found, 0) + blur
    return variances


def _covariance(there: Floats, before: Floats, after: Floats) -> Floats:
    """Return, summed over members who are there at both times, the covariance of being in each segment."""
    own, start, end = np.diag(there), there.sum(axis=1), there.sum(axis=0)
    found: Floats = own - after * start - before * end + before * after * there.sum()
    return found


def _migration(counted: _Counted, mass: float) -> pd.DataFrame:
    """Return the moves of all months together, with Jeffreys intervals."""
    k, gone = counted.k, [counted.k + 1] if counted.leaving else []
    rows, unlike = [], _members_unlike(counted)
    for start, name in enumerate((*counted.names, TOO_NEW)):
        months = counted.moves[:, start, :]
        # who is in a segment is not too new for one a month later
        columns = [*range(k + 1), *gone] if start == k else [*range(k), *gone]
        months = months[:, columns]
        n, total = months.sum(axis=0), months.sum()
        if total == 0:
            continue
        others = months.sum(axis=1, keepdims=True) - months
        pairs = np.stack([months, others], axis=2)
        differ = np.array([_beyond_chance(pairs[:, i]) for i in range(len(columns))])
        worth = 1 / (differ + unlike[start, columns] - 1)
        low, high = jeffreys(n * worth, total * worth, mass, places=len(columns))
        for i, column in enumerate(columns):
            to = (*counted.names, TOO_NEW, GONE)[column]
            rows.append((name, to, int(n[i]), n[i] / total, low[i], high[i], int(total)))
    names = ["from_segment", "to_segment", "n", "share", "share_low", "share_high", "n_from"]
    return pd.DataFrame(rows, columns=names)


def _members_unlike(counted: _Counted) -> Floats:
    """Return by which factor moves vary more than if every move were another member's; at least 1.

    Where all made a move, or none did, nothing is known of it but what the others of its row tell.
    """
    if counted.repeated is None:
        return np.ones(counted.moves.shape[1:])
    n, n_sq, n_begun = counted.repeated
    begun, begun_sq = n.sum(axis=1, keepdims=True), n_begun.sum(axis=1, keepdims=True)
    share = n / np.maximum(begun, 1)
    chance = begun * share * (1 - share)
    found = np.divide(
        n_sq - 2 * share * n_begun + share**2 * begun_sq, chance, np.ones_like(n), where=chance > 0
    )
    unlike: Floats = np.maximum(np.where(chance > 0, found, found.max(axis=1, keepdims=True)), 1)
    return unlike


def _beyond_chance(months: Floats) -> float:
    """Return by which factor counts of months vary more than by chance; 1 where chance explains it."""
    used = months[:, months.sum(axis=0) > 0]
    used = used[used.sum(axis=1) > 0]
    freedom = int((used.shape[0] - 1) * (used.shape[1] - 1))
    if freedom < 1:
        return 1.0
    expected = np.outer(used.sum(axis=1), used.sum(axis=0)) / used.sum()
    x2 = float(((used - expected) ** 2 / expected).sum())
    return x2 / freedom if chdtrc(freedom, x2) < _CHANCE else 1.0


def _monthly(counted: _Counted, min_group: int) -> pd.DataFrame:
    """Return the share of every segment's members who stayed in it, went on to another or left, by month."""
    k, rows = counted.k, []
    for month, moves in zip(counted.months[:-1], counted.moves, strict=True):
        for start, name in enumerate(counted.names):
            total = moves[start].sum()
            if total < max(min_group, 1):
                continue
            stayed, gone = moves[start, start], moves[start, k + 1]
            left = gone / total if counted.leaving else np.nan
            parts = (stayed / total, (total - stayed - gone) / total, left)
            rows.append((month, name, int(total), *parts))
    return pd.DataFrame(
        rows, columns=["month", "segment", "n", "stayed_share", "went_on_share", "left_share"]
    )
