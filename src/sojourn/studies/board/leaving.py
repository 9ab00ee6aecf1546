"""Who will leave, or come back: from members who were in the same cell so many days ago."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from sojourn.core.cells import Cells
from sojourn.core.results.board import CHURNED, Floats
from sojourn.studies.board.names import base_of, with_names

SINCE = "since"


def told_of(cells: Cells) -> str:
    """Return what is told of members: ``leave``, or ``come`` where nobody's leaving is recorded."""
    return "leave" if cells.meta.get("leaving", True) else "come"


def leaving(cells: Cells, now: pd.DataFrame, mass: float, min_group: int) -> pd.DataFrame:
    """Return for every cell of the board who will leave (or come), or of churned members come back.

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

    Returns
    -------
    DataFrame, rows as `now`
        ``leave_D_share`` (or ``come_D_share``) with ``_low``, ``_high`` by horizon, and ``n_followed``.

    Notes
    -----
    The latest landmark is used, all of whose members were followed to the end of every horizon, and nothing
    later groups them. Jeffreys' interval of a share is widened by the chance among the members now: of n
    followed and m now it is that of ``n m / (n + m)`` members, whose variance is that of both.
    """
    made = now[["segment", "stage"]].copy()
    if SINCE not in cells.tables or cells[SINCE].empty:
        return made
    since = with_names(cells, SINCE)
    since = since[since["days_ago"] == since["days_ago"].min()].set_index(["segment", "stage"])
    found = now[["segment", "stage"]].join(since.drop(columns="days_ago"), on=["segment", "stage"])
    n = found["n"].to_numpy(float)
    n = np.where(n >= max(min_group, 1), n, np.nan)
    members, churned = now["members"].to_numpy(float), (now["stage"] == CHURNED).to_numpy()
    for days in cells.meta["leave_days"]:
        k = _did(found, churned, told_of(cells), int(days))
        bounds = predicted_share(k, np.where(np.isnan(k), np.nan, n), members, mass, base_of(cells))
        for end, values in zip(("", "_low", "_high"), bounds, strict=True):
            made[f"{told_of(cells)}_{days}_share{end}"] = values
    made["n_followed"] = np.nan_to_num(n).astype(int)
    return made


def _did(found: pd.DataFrame, churned: np.ndarray, what: str, days: int) -> Floats:
    """Return how many left (or came), and of churned members are back; missing where it is not known."""
    missing = np.full(len(found), np.nan)
    if what == "come":
        return found[f"came_{days}"].to_numpy(float) if f"came_{days}" in found else missing
    back = found[f"back_{days}"].to_numpy(float) if f"back_{days}" in found else missing
    did: Floats = np.where(churned, back, found[f"left_{days}"].to_numpy(float))
    return did


def predicted_share(
    k: Floats, n: Floats, now: Floats, mass: float, base: int = 0
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
    """
    p = np.minimum(k / n, 1.0)
    inside = np.clip(p, 0.5 * max(base, 1) / n, 1 - 0.5 * max(base, 1) / n)
    spread = inside * (1 - inside)
    worth = spread / (spread * (1 / n + 1 / np.maximum(now, 1)) + base**2 / 12 / n**2)
    a, b = p * worth + 0.5, (1 - p) * worth + 0.5
    low = np.where(k == 0, 0.0, betaincinv(a, b, (1 - mass) / 2))
    high = np.where(k >= n, 1.0, betaincinv(a, b, (1 + mass) / 2))
    unknown = np.isnan(n)
    return p, np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
