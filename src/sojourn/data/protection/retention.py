"""Protected cells of retention: staircases of who enters, leaves and is censored, equal at every end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import Counts, coarse, nearest, to_multiples
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.instants import begin_of_day, end_of_day

RETURNS = (Counted(by=("by", "group"), members=("lapsed",), parts=("came_back",)),)
_COUNTS = ("entered", "churned", "censored", "potential")


def protect_risk(risk: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``risk`` with counts that are multiples of `base`.

    Parameters
    ----------
    risk : DataFrame
        ``by``, ``group``, ``late``, ``day``, ``entered``, ``churned``, ``censored``, ``potential``.
    base : int
        Smallest group that may be shown.

    Notes
    -----
    First every group is followed no further than to the last day on which at least `base` of it were at risk:
    who is left then counts as censored there. Groups of fewer than `base` vanish. Then the running counts of
    the churned and of the censored are rounded to the nearest multiple (`staircase`), each off by at most
    ``base / 2``; all who enter are all who leave or are censored. So nobody is at risk who did not enter, the
    numbers at risk are off by at most ``2 base``, and those kept to a day are never more than those matured.
    """
    made = [_group(rows, base) for _, rows in risk.groupby(["by", "group"], sort=True)]
    found = pd.concat([risk.iloc[:0], *made], ignore_index=True)[list(risk.columns)]
    return found.sort_values(list(risk.columns), ignore_index=True).astype(risk.dtypes)


def _group(rows: pd.DataFrame, base: int) -> pd.DataFrame:
    days = int(rows["day"].max()) + 1
    grids = {late: _on_days(part, days) for late, part in rows.groupby("late")}
    last = _followed_to(grids, base)
    made = [_rounded(_followed(grid, last), base, late=late == 1) for late, grid in grids.items()]
    labelled = [table.assign(late=late) for late, table in zip(grids, made, strict=True)]
    return pd.concat(labelled).assign(by=rows["by"].iloc[0], group=rows["group"].iloc[0])


def _on_days(rows: pd.DataFrame, days: int) -> dict[str, Counts]:
    by_day = rows.groupby("day")[list(_COUNTS)].sum().reindex(range(days), fill_value=0)
    return {name: by_day[name].to_numpy(dtype=np.int64) for name in _COUNTS}


def _followed_to(grids: Mapping[Any, Mapping[str, Counts]], base: int) -> int:
    """Return the last day before whose events at least `base` are at risk; -1 if there is none."""
    entered, gone = (
        np.sum([sum(grid[name] for name in names) for grid in grids.values()], axis=0)
        for names in (("entered",), ("churned", "censored"))
    )
    present = np.cumsum(entered - gone)
    at_risk = np.concatenate([entered[:1], present[:-1]])
    enough = np.flatnonzero(at_risk >= base)
    return int(enough[-1]) if len(enough) else -1


def _followed(grid: Mapping[str, Counts], last: int) -> dict[str, Counts]:
    """Return the counts as if observation had ended after day `last`."""
    cut = {name: counts[: last + 1].copy() for name, counts in grid.items()}
    if last >= 0:
        still = cut["entered"].sum() - cut["churned"].sum() - cut["censored"].sum()
        cut["censored"][-1] += still
        cut["potential"][-1] = cut["entered"].sum() - cut["potential"][:-1].sum()
    return cut


def _rounded(grid: Mapping[str, Counts], base: int, *, late: bool) -> pd.DataFrame:
    """Return staircases of one group, rows with any step only."""
    if grid["entered"].sum() < base:
        return pd.DataFrame(columns=["day", *_COUNTS])
    runs = {name: np.cumsum(grid[name]) for name in _COUNTS}
    churned, censored = nearest(runs["churned"], base), nearest(runs["censored"], base)
    gone = churned + censored
    entered = np.full(len(gone), gone[-1])
    if late:  # who enters on a day is at risk from the next on
        entered = np.minimum(
            np.maximum(nearest(runs["entered"], base), np.append(gone[1:], gone[-1])), gone[-1]
        )
    potential = np.minimum(nearest(runs["potential"], base), gone)
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
