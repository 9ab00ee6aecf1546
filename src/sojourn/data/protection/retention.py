"""Protected cells of retention: staircases of who enters, leaves and is censored, equal at every end.

A staircase that steps on the very day on which its count passes a threshold moves with every single member:
in two runs with and without one, every later step of the member's groups stands elsewhere, and tells the
groups. So running counts are read off on few fixed days only (knots), each off by at most half a base and
moved by one member once in a base; between knots steps are laid out evenly, which tells nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import Counts, coarse, nearest, staircase, to_multiples
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.instants import begin_of_day, end_of_day

RETURNS = (Counted(by=("by", "group"), members=("lapsed",), parts=("came_back",)),)
#: Days on which running counts are read off, for everybody and for groups; then every 30 days.
_WEEKS, _FIRST_DAYS, _MONTH = 7, (0, 7, 14), 30
#: And in the first week of everybody, in which many leave on the first days.
_FIRST_WEEK = (1, 3)
_EVERYBODY = "all"
_COUNTS = ("entered", "churned", "censored", "potential")


def protect_risk(risk: pd.DataFrame, base: int, *, marks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return the table ``risk`` with counts that are multiples of `base`.

    Parameters
    ----------
    risk : DataFrame
        ``by``, ``group``, ``late``, ``day``, ``entered``, ``churned``, ``censored``, ``potential``.
    base : int
        Smallest group that may be shown.
    marks : sequence of int, optional
        Days on which running counts are read off; those of `knots` where not given.

    Notes
    -----
    First every group is followed no further than to the last knot on which at least `base` of it were at
    risk: who is left then counts as censored there. Groups of fewer than `base` vanish. Then the running
    counts of the churned and of the censored are rounded at every knot, each off by at most ``base / 2``; all
    who enter are all who leave or are censored. So nobody is at risk who did not enter, the numbers at risk
    are off by at most ``2 base`` after a knot, and those kept to a day are never more than those matured.
    """
    made = [_group(rows, base, marks) for _, rows in risk.groupby(["by", "group"], sort=True)]
    found = pd.concat([risk.iloc[:0], *made], ignore_index=True)[list(risk.columns)]
    return found.sort_values(list(risk.columns), ignore_index=True).astype(risk.dtypes)


def _group(rows: pd.DataFrame, base: int, marks: Sequence[int] | None) -> pd.DataFrame:
    length = int(rows["day"].max()) + 1
    grids = {late: _on_days(part, length) for late, part in rows.groupby("late")}
    days = knots(length - 1, everybody=rows["by"].iloc[0] == _EVERYBODY)
    days = days if marks is None else [day for day in marks if day < length]
    days = days[: _followed(grids, base, days)]
    last = days[-1] if days else -1
    made = [_rounded(_cut(grid, last), base, days, late=late == 1) for late, grid in grids.items()]
    labelled = [table.assign(late=late) for late, table in zip(grids, made, strict=True)]
    return pd.concat(labelled).assign(by=rows["by"].iloc[0], group=rows["group"].iloc[0])


def _on_days(rows: pd.DataFrame, days: int) -> dict[str, Counts]:
    by_day = rows.groupby("day")[list(_COUNTS)].sum().reindex(range(days), fill_value=0)
    return {name: by_day[name].to_numpy(dtype=np.int64) for name in _COUNTS}


def _followed(grids: Mapping[Any, Mapping[str, Counts]], base: int, days: list[int]) -> int:
    """Return how many of some days there are up to the last before whose events `base` are at risk."""
    entered, gone = (
        np.sum([sum(grid[name] for name in names) for grid in grids.values()], axis=0)
        for names in (("entered",), ("churned", "censored"))
    )
    present = np.cumsum(entered - gone)
    at_risk = np.concatenate([entered[:1], present[:-1]])
    enough = np.flatnonzero(at_risk[days] >= base)
    return int(enough[-1]) + 1 if len(enough) else 0


def _cut(grid: Mapping[str, Counts], last: int) -> dict[str, Counts]:
    """Return the counts as if observation had ended after day `last`."""
    cut = {name: counts[: last + 1].copy() for name, counts in grid.items()}
    if last >= 0:
        still = cut["entered"].sum() - cut["churned"].sum() - cut["censored"].sum()
        cut["censored"][-1] += still
        cut["potential"][-1] = cut["entered"].sum() - cut["potential"][:-1].sum()
    return cut


def knots(last: int, *, everybody: bool) -> list[int]:
    """Return the days up to `last` on which running counts are read off; none if `last` is below 0.

    Examples
    --------
    >>> knots(95, everybody=False)
    [0, 7, 14, 30, 60, 90]
    >>> knots(31, everybody=True)
    [0, 1, 3, 7, 14, 21, 28, 30]
    """
    first = (*_FIRST_WEEK, *range(0, last + 1, _WEEKS)) if everybody else _FIRST_DAYS
    return sorted(day for day in {*first, *range(_MONTH, last + 1, _MONTH)} if day <= last)


def _laid_out(run: Counts, base: int, days: list[int]) -> Counts:
    """Return a running count that is rounded on some days, with its steps evenly between them."""
    return np.cumsum(staircase(np.diff(run, prepend=0), base, days))


def _rounded(grid: Mapping[str, Counts], base: int, days: list[int], *, late: bool) -> pd.DataFrame:
    """Return staircases of one group, rows with any step only."""
    if grid["entered"].sum() < base:
        return pd.DataFrame(columns=["day", *_COUNTS])
    runs = {name: np.cumsum(grid[name]) for name in _COUNTS}
    churned, censored = (_laid_out(runs[name], base, days) for name in ("churned", "censored"))
    gone = churned + censored
    entered = np.full(len(gone), gone[-1])
    if late:  # who enters on a day is at risk from the next on
        entered = np.minimum(
            np.maximum(_laid_out(runs["entered"], base, days), np.append(gone[1:], gone[-1])), gone[-1]
        )
    potential = np.minimum(_laid_out(runs["potential"], base, days), gone)
    potential[-1] = gone[-1]
    steps = {
        name: np.diff(run, prepend=0)
        for name, run in zip(_COUNTS, (entered, churned, censored, potential), strict=True)
    }
    table = pd.DataFrame({"day": np.arange(len(gone)), **steps})
    return table[(table[list(_COUNTS)] != 0).any(axis=1)]


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves."""
    made = {"risk": protect_risk(tables["risk"], base)}
    if "returns" in tables:
        made["returns"] = protect_table(tables["returns"], RETURNS, base)
    said = {
        **meta,
        "members": int(to_multiples(meta["members"], base)),
        "left_out": {why: int(n) for why, m in meta["left_out"].items() if (n := to_multiples(m, base))},
        "late": int(to_multiples(meta["late"], base)),
        "signs": coarse(meta["signs"], base),
        "first_sign": begin_of_day(meta["first_sign"]),
        "last_sign": end_of_day(meta["last_sign"], meta["as_of"]),
    }
    if "newcomers" in meta:
        seen = meta["newcomers"]
        said["newcomers"] = {**seen, **{n: int(nearest(seen[n], base)) for n in ("first", "following")}}
    return made, said
