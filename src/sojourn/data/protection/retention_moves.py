"""Protected cells of reasons, of moving in and out, of time away and of landmarks.

Running counts are read off on the same few days as those of the table ``risk``; what happens in between is
laid out evenly, and then so that nobody moves who is not there to move.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sojourn.core.privacy import Counts, staircase
from sojourn.data.protection.retention import knots, protect_risk

UNKNOWN = "unknown"
_MOVES = ("left", "back", "ended", "ended_away")
_GROUP = ["by", "group"]


def protect_reasons(reasons: pd.DataFrame, risk: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``reasons`` with counts that are multiples of `base` and sum to those of ``risk``.

    Parameters
    ----------
    reasons : DataFrame
        ``by``, ``group``, ``day``, ``reason``, ``churned``: exact.
    risk : DataFrame
        Protected already: every step of its ``churned`` is given one reason.
    base : int
        Smallest group that may be shown.

    Notes
    -----
    Reasons of fewer than `base` members of a group are unknown. A step goes to the reason that is furthest
    behind its own count on the next day that is read off; of several, the first in the alphabet.
    """
    told = risk[risk["churned"] > 0].groupby([*_GROUP, "day"], as_index=False)[["churned"]].sum()
    exact = dict(list(reasons.groupby(_GROUP)))
    made = [_given(steps, exact[key], base) for key, steps in told.groupby(_GROUP, sort=True) if key in exact]
    return _like(pd.concat([reasons.iloc[:0], *made]), reasons)


def _given(steps: pd.DataFrame, exact: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the steps of one group, each with a reason."""
    often = exact.groupby("reason")["churned"].transform("sum") >= base
    named = exact.assign(reason=exact["reason"].where(often, UNKNOWN))
    runs = named.pivot_table(index="day", columns="reason", values="churned", aggfunc="sum", fill_value=0)
    runs = runs.sort_index(axis=1).cumsum()
    last = int(max(steps["day"].max(), runs.index.max()))
    days = [*knots(last, everybody=bool((steps["by"] == "all").all())), last]
    told, found = np.zeros(len(runs.columns), dtype=np.int64), []
    for day, n in zip(steps["day"], steps["churned"], strict=True):
        until = days[int(np.searchsorted(days, day))]
        due = runs.loc[:until].iloc[-1].to_numpy() if (runs.index <= until).any() else told
        for _ in range(n // base):
            place = int(np.argmax(due - told))
            told[place] += base
            found.append((day, runs.columns[place]))
    counts = pd.DataFrame(found, columns=["day", "reason"]).value_counts(["day", "reason"]) * base
    return counts.rename("churned").reset_index().assign(by=steps["by"].iloc[0], group=steps["group"].iloc[0])


def protect_moves(moves: pd.DataFrame, risk: pd.DataFrame, shown: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``moves`` with counts that are multiples of `base`.

    Parameters
    ----------
    moves, risk : DataFrame
        Exact.
    shown : DataFrame
        The protected table ``risk``: who is seen for how long, and who left for the first time, is taken from
        there, so that nothing of it is told twice.
    base : int
        Smallest group that may be shown.

    Notes
    -----
    Leaving again, coming back and ending away are read off on the days of `knots`. All who enter end with us
    or away; nobody leaves who is not with us, and nobody comes back who is not away.
    """
    groups = [dict(list(table[table["late"] == 0].groupby(_GROUP))) for table in (risk, shown)]
    exact = dict(list(moves.groupby(_GROUP)))
    made = [_moves(exact[key], groups[0][key], rows, base) for key, rows in groups[1].items()]
    return _like(pd.concat([moves.iloc[:0], *made]), moves)


def _moves(exact: pd.DataFrame, risk: pd.DataFrame, shown: pd.DataFrame, base: int) -> pd.DataFrame:
    by, group = shown["by"].iloc[0], shown["group"].iloc[0]
    last = int(shown["day"].max())
    runs, first, told = (_runs(table, last) for table in (exact, risk, shown))
    days = [*knots(last - 1, everybody=by == "all"), last]
    more = np.diff(runs["left"] - first["churned"], prepend=0)  # leaving again; less: back within the day
    again, at_once = (_read_off(np.maximum(change, 0), base, days) for change in (more, -more))
    back, away = (_read_off(np.diff(runs[name], prepend=0), base, days) for name in ("back", "ended_away"))
    due = [np.maximum.accumulate(told["churned"] + again - at_once), back, away]
    steps = _possible(np.column_stack(due), np.diff(told["potential"], prepend=0))
    table = pd.DataFrame(steps, columns=list(_MOVES)).assign(day=range(last + 1), entered=0)
    table.loc[0, "entered"] = steps[:, 2:].sum()
    some = table[(table[["entered", *_MOVES]] != 0).any(axis=1)]
    return some.assign(by=by, group=group)


def _runs(rows: pd.DataFrame, last: int) -> dict[str, Counts]:
    """Return the running sums of all counts on every day up to the last."""
    by_day = rows.drop(columns=_GROUP).groupby("day").sum().reindex(range(last + 1), fill_value=0).cumsum()
    return {str(name): by_day[name].to_numpy(dtype=np.int64) for name in by_day.columns}


def _read_off(counts: Counts, base: int, days: list[int]) -> Counts:
    """Return a running count that is rounded on some days, with its steps evenly between them."""
    return np.cumsum(staircase(counts, base, days))


def _possible(due: Counts, seen: Counts) -> Counts:
    """Return the moves of every day, as near to running counts that are due as there are members to move.

    Parameters
    ----------
    due : array, days by 3
        Who left, came back and ended away so far.
    seen : array, days
        For how many full follow-up ends on each day.
    """
    here, away = int(seen.sum()), 0
    done, found = np.zeros(3, dtype=np.int64), []
    for wanted, ending in zip(due, seen, strict=True):
        left, back, end_away = np.maximum(wanted - done, 0)
        left, back = min(left, here), min(back, away)
        here, away = here - left + back, away + left - back
        end_away = min(max(end_away, ending - here), away, ending)
        here, away = here - (ending - end_away), away - end_away
        found.append([left, back, ending - end_away, end_away])
        done += [left, back, end_away]
    return np.array(found, dtype=np.int64)


def protect_away(away: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return the table ``away`` with counts that are multiples of `base`."""
    shown = protect_spans(away.rename(columns={"back": "churned"}), base)
    return shown.rename(columns={"churned": "back"})[list(away.columns)]


def protect_spans(spans: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return a table of ``entered`` (on day 0), ``churned`` and ``censored``, as the table ``risk`` is."""
    risk = spans.assign(late=0, potential=spans["churned"] + spans["censored"])
    shown = protect_risk(risk, base)
    some = shown[["entered", "churned", "censored"]].sum(axis=1) > 0  # where only `potential` steps
    return _like(shown[some], spans)


def _like(found: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    columns = list(exact.columns)
    return found[columns].sort_values(columns, ignore_index=True).astype(exact.dtypes)
