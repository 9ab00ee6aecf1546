"""How long members are silent, and what every other length of a lapse would have made of them.

A gap runs from one sign of life to the next; signs within 24 hours of each other are one coming, so gaps of
at most a day are no gaps. What is counted here is exact from the table of activity, of whose rows only the
first and the last event are read: all others lie within a day of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table

from sojourn.core.ranges import in_range
from sojourn.data.cells.retention.counting import Mark, marked
from sojourn.data.cells.retention.days import DAY, as_of, days_down, days_up, number
from sojourn.data.cells.retention.followed import SEEN_FROM_THE_START, everybody
from sojourn.data.cells.retention.silence import STUDY, gaps, signs_of_life
from sojourn.data.engine import held
from sojourn.data.tidy import Tidy


def gap_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``gaps`` and ``windows``; nothing where members cancel.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``.
    params : mapping
        ``churn``, ``event``, ``lapse_days``, ``windows`` (days) and what makes `everybody`.

    Returns
    -------
    dict of str to ibis Table
        ``gaps``: ``days`` (above 1), how many gaps of that length, rounded up, ``ended`` with a sign of life,
        and how many were still ``running`` at `as_of`, their length rounded down. One gap of every member is
        running.
        ``windows``: ``window`` (days; those asked for and ``lapse_days``), ``day``, how many ``entered``,
        ``churned`` and were ``censored``, as in ``risk``, and how many of the churned ``came_back`` since.
        Each window is judged up to `as_of` less the window, and so has members of its own.
    """
    if params["churn"] != "silence" or "windows" not in params:
        return {}
    paused = pauses_once(tidy, params).inner_join(newcomers(tidy, params), "member")
    return {"gaps": _gaps(tidy, paused), "windows": _windows(tidy, params, paused)}


def newcomers(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return `member` and `began` (second of joining) of all who were seen from joining on."""
    every = everybody(tidy, params)
    seen = (every.late == 0) & (every.status != SEEN_FROM_THE_START)
    return every.filter(seen & (every.began <= int(as_of(tidy).timestamp()))).select("member", "began")


def pauses_once(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return the gaps of more than a day, and each member's last, which has no end; made once."""
    key = f"{STUDY}: gaps longer than a day between {params['event']}"
    return tidy.once(key, lambda: held(_pauses(tidy, params)))


def _pauses(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    every = gaps(signs_of_life(tidy, params))
    return every.filter(every.until.isnull() | (every.until - every["at"] > DAY))


def _gaps(tidy: Tidy, paused: Table) -> Table:
    runs = paused.until.isnull()
    to_now = days_down(int(as_of(tidy).timestamp()) - paused["at"])
    length = ibis.ifelse(runs, to_now, days_up(paused.until - paused["at"]))
    rows = paused.select(days=length, runs=number(runs))
    counted = rows.group_by("days").aggregate(
        ended=(1 - rows.runs).sum().cast("int64"), running=rows.runs.sum().cast("int64")
    )
    return counted.select("days", "ended", "running")


def _windows(tidy: Tidy, params: Mapping[str, Any], paused: Table) -> Table:
    """Return who enters, lapses and is censored on every day, under every window."""
    rows = _first_lapses(paused, window_days(params))
    judged = int(as_of(tidy).timestamp()) - rows.window * DAY
    rows = rows.mutate(leaves=days_up(rows.first - rows.began), follow_up=days_down(judged - rows.began))
    rows = rows.filter(rows.follow_up >= 0)
    rows = rows.mutate(churned=number(rows.leaves <= rows.follow_up))
    rows = rows.mutate(
        end=ibis.ifelse(rows.churned == 1, rows.leaves, rows.follow_up),
        back=rows.churned * number(rows.last > rows.first),
    )
    counted = rows.group_by("window", "end", "churned", "back").aggregate(n=rows.count()).to_pyarrow()
    few = ibis.memtable(counted)
    churned = few.n * few.churned
    marks: list[Mark] = [
        (few, ibis.literal(0, "int64"), {"entered": few.n}),
        (few, few.end, {"churned": churned, "censored": few.n - churned, "came_back": few.n * few.back}),
    ]
    return marked(["window"], ["entered", "churned", "censored", "came_back"], marks)


def _first_lapses(paused: Table, windows: list[int]) -> Table:
    """Return, by member and window, the second at which the first gap longer than the window began."""
    silent = paused.until - paused["at"]
    firsts = {
        f"w{days}": paused["at"].min(where=paused.until.isnull() | (silent > days * DAY)) for days in windows
    }
    members = paused.group_by("member", "began").aggregate(last=paused["at"].max(), **firsts)
    each = members.cross_join(ibis.memtable({"window": windows}, schema={"window": "int64"}))
    first = ibis.cases(*[(each.window == days, each[f"w{days}"]) for days in windows])
    return each.select("began", "last", "window", first=first)


def window_days(params: Mapping[str, Any]) -> list[int]:
    """Return the lengths of a lapse in days, rising: those asked for and the case's own.

    Raises
    ------
    ParameterError
        When one is not at least a day.
    """
    asked = [int(in_range(days, "windows", ge=1)) for days in params["windows"]]
    return sorted({*asked, int(params["lapse_days"])})
