"""Who will leave, or come back: from members who were in the same cell so many days ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.privacy import base_of
from sojourn.core.results.board import CHURNED, Floats
from sojourn.estimators.bayes.empirical import Mixture
from sojourn.estimators.cluster.intervals import jeffreys
from sojourn.studies.board.names import with_names

SINCE = "since"
#: Odds of leaving differ from one period to the next by a factor whose logarithm is Normal(0, s), the same
#: for all cells; s is half-normal with this scale. Two periods in three then differ by less than a fifth.
SHIFT = 0.2
#: Predictions of the past did not come true where, over all of one horizon, the chance of one as far out is
#: below this: in a world that is as believed in at most 5 of 100.
_ASTRAY = 0.03
_SHIFTS: Floats = SHIFT * np.linspace(0, 4, 81)


@dataclass(frozen=True, slots=True)
class Foretold:
    """Who will leave (or come), by cell and in all, and what the same rule would have said before.

    Attributes
    ----------
    table : DataFrame, rows as the board's
        ``leave_D_share`` (or ``come_D_share``) with ``_low``, ``_high`` by horizon D, and ``n_followed``.
    sums : mapping of str to Interval
        ``leave_D`` or ``come_D``: how many of the members with us (prediction intervals).
    forward : DataFrame, one row per horizon and landmark that has an earlier one, the latest first
        ``days`` (horizon), ``days_ago`` (of the landmark), ``members`` (with us there), ``predicted`` with
        ``_low``, ``_high`` (from what was known there), ``came`` (how many then did), ``p_came`` (chance of a
        number as far from what was predicted).
    """

    table: pd.DataFrame
    sums: Mapping[str, Interval] = field(default_factory=dict)
    forward: pd.DataFrame = field(default_factory=pd.DataFrame)


def told_of(cells: Cells) -> str:
    """Return what is told of members: ``leave``, or ``come`` where nobody's leaving is recorded."""
    return "leave" if cells.meta.get("leaving", True) else "come"


def came_true(forward: pd.DataFrame) -> bool:
    """Return whether predictions of the past came true, all together.

    Parameters
    ----------
    forward : DataFrame
        Rows of one horizon of `Foretold.forward`; each is judged as strictly as there are rows (Bonferroni).
    """
    return bool((forward["p_came"] * len(forward) >= _ASTRAY).all())


def leaving(cells: Cells, now: pd.DataFrame, mass: float, min_group: int) -> Foretold:
    """Return who will leave (or come) of every cell of the board, or of churned members come back.

    Parameters
    ----------
    cells : Cells
        With the table ``since``: ``days_ago`` (of the landmark), ``segment``, ``stage``, ``n`` and, by
        horizon, ``left_D``, ``back_D`` or ``came_D``: of whom so many had left, were back, or had come
        within D days after it.
    now : DataFrame
        ``segment``, ``stage``, ``members``.
    mass : float
        Mass of the intervals, which are predictions: of the share of the members who are there now.
    min_group : int
        Nothing is said where fewer were in the cell at the landmark.

    Notes
    -----
    Shares are those after the latest landmark, all of whose members were followed to the end of every
    horizon; nothing later groups them. What is not known of the share, and what chance makes of it among the
    members now, adds up to the interval that would hold if periods did not differ. How far they do is learned
    from what the same rule would have said at each earlier landmark of the members at the next, and what they
    did (see `SHIFT`): all cells move together, so the total is hardly surer than a large cell.
    """
    made = now[["segment", "stage"]].copy()
    if SINCE not in cells.tables or cells[SINCE].empty:
        return Foretold(made)
    since = with_names(cells, SINCE)
    ago = sorted(since["days_ago"].unique())
    sums, tests = {}, []
    for days in (int(days) for days in cells.meta["leave_days"]):
        name = f"{told_of(cells)}_{days}"
        seen = [_at(since[since["days_ago"] == one], now, cells, days, min_group) for one in ago]
        steps = [_step_to(new, old, base_of(cells.meta)) for new, old in pairwise(seen)]
        tests += _tests(days, ago, steps, mass)
        between = _between(steps)
        bounds = predicted_share(
            seen[0]["k"].to_numpy(),
            seen[0]["n"].to_numpy(),
            now["members"].to_numpy(float),
            mass,
            base=base_of(cells.meta),
            between=float(between @ _SHIFTS**2),
        )
        for end, values in zip(("", "_low", "_high"), bounds, strict=True):
            made[f"{name}_share{end}"] = values
        latest = _step(seen[0], now["members"].astype(float), base_of(cells.meta))
        if latest.members:
            sums[name] = latest.interval(between, mass)
    made["n_followed"] = np.nan_to_num(seen[0]["n"]).astype(int)
    return Foretold(made, sums, pd.DataFrame(tests))


def _at(since: pd.DataFrame, now: pd.DataFrame, cells: Cells, days: int, min_group: int) -> pd.DataFrame:
    """Return for the board's cells at one landmark ``n`` and ``k``, missing where too few were there."""
    churned = (now["stage"] == CHURNED).to_numpy()
    since = since.set_index(["segment", "stage"])
    found = now[["segment", "stage"]].join(since.drop(columns="days_ago"), on=["segment", "stage"])
    k = pd.Series(_counted(found, churned, told_of(cells), days), found.index)
    n = found["n"].astype(float).where((found["n"] >= max(min_group, 1)) & k.notna())
    return pd.DataFrame({"n": n, "k": k.where(n.notna()), "with_us": ~churned})


def _counted(found: pd.DataFrame, churned: np.ndarray, what: str, days: int) -> Floats:
    """Return how many left (or came), and of churned members are back; missing where it is not known."""
    missing = np.full(len(found), np.nan)
    if what == "come":
        return found[f"came_{days}"].to_numpy(float) if f"came_{days}" in found else missing
    back = found[f"back_{days}"].to_numpy(float) if f"back_{days}" in found else missing
    did: Floats = np.where(churned, back, found[f"left_{days}"].to_numpy(float))
    return did


@dataclass(frozen=True, slots=True)
class _Step:
    """What a landmark says of the members with us at a later instant, all cells together.

    Attributes
    ----------
    known : Series of bool
        Cells in which members were at both instants.
    members, value : float
        Members in them at the later one, and how many of them should leave (or come).
    variance, slope : float
        Of that number: its variance where periods do not differ, and by how many it changes with the odds'
        logarithm.
    """

    known: pd.Series
    members: float
    value: float
    variance: float
    slope: float

    def interval(self, between: Floats, mass: float) -> Interval:
        """Return the prediction interval where shifts between periods have these weights."""
        low, high = (float(bound[0]) for bound in self._predicted(between).interval(mass))
        return Interval(self.value, max(low, 0.0), min(high, self.members), mass, "prediction")

    def p_of(self, came: float, between: Floats) -> float:
        """Return the chance of a number as far from what is predicted, on either side."""
        return float(2 * self._predicted(between).above(self.value + abs(came - self.value))[0])

    def _predicted(self, between: Floats) -> Mixture:
        sds = np.sqrt(self.variance + (self.slope * _SHIFTS) ** 2)[None]
        return Mixture(between[None], np.full_like(sds, self.value), sds)


def _step(old: pd.DataFrame, members: pd.Series, base: int) -> _Step:
    known = old["with_us"] & old["n"].notna() & members.notna() & (members > 0)
    n, k, later = old.loc[known, "n"], old.loc[known, "k"], members[known]
    p = (k / n).clip(upper=1)
    edge = 0.5 * max(base, 1) / n
    inside = p.clip(lower=edge, upper=1 - edge)
    spread = inside * (1 - inside)
    steps = base**2 / 12 * ((later / n) ** 2 + 1)
    variance = later**2 * spread * (1 / n + 1 / later) + steps
    return _Step(
        known,
        float(later.sum()),
        float((later * p).sum()),
        float(variance.sum()),
        float((later * spread).sum()),
    )


def _step_to(new: pd.DataFrame, old: pd.DataFrame, base: int) -> tuple[_Step, float]:
    """Return what a landmark says of the members at a later one, and how many of them then did."""
    step = _step(old, new["n"], base)
    return step, float(new.loc[step.known, "k"].sum())


def _between(steps: Sequence[tuple[_Step, float]]) -> Floats:
    """Return posterior weights of `_SHIFTS`, from predictions and what then came."""
    log_weights = -((_SHIFTS / SHIFT) ** 2) / 2
    for step, came in steps:
        if step.slope > 0:
            variance = step.variance / step.slope**2 + _SHIFTS**2
            shift = (came - step.value) / step.slope
            log_weights = log_weights - np.log(variance) / 2 - shift**2 / variance / 2
    weights = np.exp(log_weights - log_weights.max())
    normalised: Floats = weights / weights.sum()
    return normalised


def _tests(
    days: int, ago: Sequence[int], steps: Sequence[tuple[_Step, float]], mass: float
) -> list[dict[str, float]]:
    """Return what would have been predicted at every landmark that has an earlier one, and what came."""
    rows = []
    for i, (step, came) in enumerate(steps):
        if step.members:
            between = _between(steps[i + 1 :])
            told = step.interval(between, mass)
            at = {"days": days, "days_ago": int(ago[i]), "members": step.members}
            bounds = {"predicted": told.value, "predicted_low": told.low, "predicted_high": told.high}
            rows.append({**at, **bounds, "came": came, "p_came": step.p_of(came, between)})
    return rows


def predicted_share(
    k: Floats, n: Floats, now: Floats, mass: float, *, base: int = 0, between: float = 0.0
) -> tuple[Floats, Floats, Floats]:
    """Return shares with bounds of what they will be among the members now; missing where `n` is.

    Parameters
    ----------
    k, n : array
        Members who did, and members in all, back then.
    now : array
        Members now.
    mass : float
        Mass of the intervals.
    base : int
        Counts are multiples of it, each rounded; 0 where they are exact.
    between : float
        Variance of the logarithm of the odds between periods.

    Notes
    -----
    Jeffreys' interval of as many members as have the same variance: of n followed and m now it is that of
    ``n m / (n + m)``, fewer where counts are rounded or periods differ.
    """
    p = np.minimum(k / n, 1.0)
    inside = np.clip(p, 0.5 * max(base, 1) / n, 1 - 0.5 * max(base, 1) / n)
    spread = inside * (1 - inside)
    chance = spread * (1 / n + 1 / np.maximum(now, 1))
    worth = spread / (chance + spread**2 * between + base**2 / 12 / n**2)
    low, high = jeffreys(p * worth, worth, mass)
    unknown = np.isnan(n)
    return p, np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
