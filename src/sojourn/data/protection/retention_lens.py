"""Protected cells of gaps, of lapse windows and of definitions of day-N retention.

All are about everybody, none about groups. Members are counted as everywhere: in multiples of the base, read
off on few fixed days. A member has many gaps; how many of more than so many days fit into the time observed
is known without looking at anybody, and counts of gaps step by the base times that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.privacy import Counts, nearest, round_number, staircase
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.retention import knots, protect_risk

#: Lengths of gaps in days at which counts are read off; shorter ones are left out.
GAP_KNOTS = (7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)
LENS = (
    Counted(
        by=("day", "rule", "clock", "zone", "numbering", "mature"), members=("members",), parts=("kept",)
    ),
)
_HOUR, _DAY_HOURS = 60, 24
_WINDOWS = ["window", "day", "entered", "churned", "censored", "came_back"]


def protect_definitions(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> dict[str, pd.DataFrame]:
    """Return those of ``gaps``, ``windows``, ``lens`` and ``lens_exits`` that there are, protected.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Exact cells.
    meta : mapping
        ``as_of``, ``first_sign``.
    base : int
        Smallest group that may be shown.
    """
    made = {}
    if "gaps" in tables:
        made["gaps"] = protect_gaps(tables["gaps"], base, _observed_days(meta))
    if "windows" in tables:
        made["windows"] = protect_windows(tables["windows"], base)
    if "lens" in tables:
        made["lens"] = protect_table(tables["lens"], LENS, base)
    if "lens_exits" in tables:
        made["lens_exits"] = protect_exits(tables["lens_exits"], base)
    return made


def _observed_days(meta: Mapping[str, Any]) -> int:
    """Return a round number of days that is at least the time from the first sign to `as_of`."""
    first, last = (datetime.fromisoformat(meta[name]) for name in ("first_sign", "as_of"))
    return int(round_number(Decimal(max((last - first).days + 1, 1))))


def protect_gaps(gaps: pd.DataFrame, base: int, observed: int) -> pd.DataFrame:
    """Return the table ``gaps`` with counts that are multiples of `base`.

    Parameters
    ----------
    gaps : DataFrame
        ``days``, ``ended``, ``running``.
    base : int
        Smallest group that may be shown.
    observed : int
        Days of observation: a member has at most ``observed / a`` gaps of more than `a` days.

    Notes
    -----
    Gaps that ended are counted between two of `GAP_KNOTS`, each count a multiple of the base times the most
    that one member can have of them, laid out evenly; those up to the first knot are left out. Those that run
    are one of each member: their running count is read off at the knots.
    """
    length = int(gaps["days"].max()) + 1 if len(gaps) else 1
    grid = gaps.groupby("days")[["ended", "running"]].sum().reindex(range(length), fill_value=0)
    marks = [knot for knot in GAP_KNOTS if knot < length - 1] + [length - 1]
    running = staircase(grid["running"], base, [0, *marks] if marks[0] else marks)
    ended = np.zeros(length, dtype=np.int64)
    for after, until in pairwise(marks):
        most = -(-observed // after)
        steps = int(nearest(grid["ended"].to_numpy()[after + 1 : until + 1].sum(), base * most)) // base
        ended[after + 1 : until + 1] = base * _evenly(steps, until - after)
    found = pd.DataFrame({"days": np.arange(length), "ended": ended, "running": running})
    return _same_types(found[(found["ended"] > 0) | (found["running"] > 0)], gaps)


def _evenly(total: int, places: int) -> Counts:
    """Return a total laid out over so many places as evenly as whole numbers allow."""
    return np.diff(np.arange(places + 1, dtype=np.int64) * total // places)


def protect_windows(windows: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``windows`` with counts that are multiples of `base`, as the table ``risk`` is."""
    named = windows["window"].map("{:06d}".format)
    rows = windows.assign(by="window", group=named, late=0, potential=0)
    risk = protect_risk(rows[["by", "group", "late", "day", *_WINDOWS[2:5], "potential"]], base)
    made = [
        _with_returns(risk[risk["group"] == name], windows[named == name], base)
        for name in sorted(risk["group"].unique())
    ]
    return _same_types(pd.concat([windows.iloc[:0], *made]), windows)


def _with_returns(risk: pd.DataFrame, exact: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return one window with the members who came back: read off on the same days, they are never more.

    Steps between two read-offs are laid out evenly, so of fewer steps each comes later.
    """
    marks = knots(int(exact["day"].max()), everybody=False)
    last = next(mark for mark in marks if mark >= risk["day"].max())
    days = range(last + 1)
    rows = risk.groupby("day")[_WINDOWS[2:5]].sum().reindex(days, fill_value=0)
    back = exact.groupby("day")["came_back"].sum().reindex(days, fill_value=0)
    shown = staircase(back, base, [mark for mark in marks if mark <= last])
    made = rows.assign(window=int(exact["window"].iloc[0]), came_back=shown).reset_index()
    return made.loc[(made[_WINDOWS[2:]] != 0).any(axis=1), _WINDOWS]


def protect_exits(exits: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``lens_exits`` by the hour, running counts read off on the days of `knots`."""
    made = [_by_hour(rows, base).assign(rule=rule) for rule, rows in exits.groupby("rule", sort=True)]
    return _same_types(pd.concat([exits.iloc[:0], *made]), exits)


def _by_hour(rows: pd.DataFrame, base: int) -> pd.DataFrame:
    hours = {"churned": -(-rows["minute"] // _HOUR), "censored": rows["minute"] // _HOUR}
    length = int(max(hour.max() for hour in hours.values())) + 1
    steps = {name: _read_off(rows[name], hour, length, base) for name, hour in hours.items()}
    found = pd.DataFrame({"minute": _HOUR * np.arange(length), **steps})
    return found[(found["churned"] > 0) | (found["censored"] > 0)]


def _read_off(counts: pd.Series[int], hour: pd.Series[int], length: int, base: int) -> Counts:
    by_hour = counts.groupby(hour).sum().reindex(range(length), fill_value=0)
    marks: Sequence[int] = [_DAY_HOURS * day for day in knots((length - 1) // _DAY_HOURS, everybody=True)]
    return staircase(by_hour, base, sorted({*marks, length - 1}))


def _same_types(found: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    columns = list(exact.columns)
    return found[columns].sort_values(columns, ignore_index=True).astype(exact.dtypes)
