"""Cells from a table that already holds how long everybody stayed: one row per member, no case needed.

One file, one scan: DuckDB reads it without Ibis, which costs more to load than ten million rows to count.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.core.ranges import one_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

_NO_DOWNLOADS = ("autoinstall_known_extensions", "autoload_known_extensions")
_EVERYONE = "all"
_UNKNOWN = "unknown"
_RISK = ["by", "group", "late", "day", "entered", "churned", "censored", "potential"]
_WEIGHTED = ["by", "group", "entry", "day", "churned", "members", "weight", "squared"]


def count_durations(
    source: str | Path | pd.DataFrame,
    *,
    duration: str,
    churned: str,
    by: Sequence[str] = (),
    entry: str = "",
    weight: str = "",
    unit: str = "day",
    name: str = "durations",
) -> Cells:
    """Count a table of durations into cells of the study ``retention``.

    Parameters
    ----------
    source : path or DataFrame
        A Parquet or CSV file, or a table; one row per member. A file is scanned, never held in memory.
    duration : str
        Column of whole numbers from 0: how long the member was followed, in `unit`. Leaving within the first
        unit counts as 1, full follow-up is rounded down.
    churned : str
        Column of true and false (or 1 and 0): whether the member had left by then.
    by : sequence of str
        Columns of groups, each known when the member joined.
    entry : str
        Column of whole numbers: since when the member was seen, 0 for from joining on; all from joining on
        when not stated.
    weight : str
        Column of probability weights: for how many members each one stands. The table ``weighted`` is made
        for ``retention_curve(..., weights="probability")``; all counts stay those of rows.
    unit : str
        ``day`` or ``month``.
    name : str
        What the cells are called in sentences.

    Raises
    ------
    DataError
        When a column is not there or holds something else, with the number of rows.

    Notes
    -----
    Counts are integers, sums of weights decimals of nine digits: equal for any order of rows.
    """
    one_of(unit, "unit", ("day", "month"))
    table = _opened(source)
    for column in filter(None, (duration, churned, entry, weight, *by)):
        if column not in table.columns:
            raise DataError.missing_column(name, column, table.columns)
    named = {
        "day": _quoted(duration),
        "churned": _quoted(churned),
        "entry": _quoted(entry) if entry else "0::bigint",
    }
    counted = [_counted(table, group, named, weight) for group in by or [""]]
    for counts in counted:
        _check(counts, name, {"day": duration, "churned": churned, "entry": entry, "weight": weight})
    rows = pd.concat([_for_everybody(counted[0]), *(counts for counts in counted if "by" in counts)])
    tables = {"risk": _risk(rows), **({"weighted": _sorted(rows[_WEIGHTED])} if weight else {})}
    return Cells(name, "retention", tables, _meta(name, unit, rows[rows["by"] == _EVERYONE]))


def _opened(source: str | Path | pd.DataFrame) -> DuckDBPyRelation:
    engine = duckdb.connect(config=dict.fromkeys(_NO_DOWNLOADS, "false"))
    if isinstance(source, pd.DataFrame):
        return engine.from_df(source)
    path = Path(source)
    if not path.is_file():
        raise DataError(f"There is no file {path}. Name a Parquet or CSV file of durations.")
    read = engine.read_csv if path.suffix == ".csv" else engine.read_parquet
    return read(glob.escape(str(path)))


def _quoted(column: str) -> str:
    """Return a column's name as SQL holds any name."""
    return '"' + column.replace('"', '""') + '"'


def _counted(table: DuckDBPyRelation, group: str, named: Mapping[str, str], weight: str) -> pd.DataFrame:
    """Return how many rows share group, entry, duration and end; checks need no scan of their own."""
    keys = {**({"group": f"coalesce({_quoted(group)}::text, '{_UNKNOWN}')"} if group else {}), **named}
    sums = {"members": "count(*)", **(_weights(_quoted(weight)) if weight else {})}
    shown = ", ".join(f"{how} AS {_quoted(what)}" for what, how in {**keys, **sums}.items())
    counts: pd.DataFrame = table.aggregate(shown, ", ".join(keys.values())).to_arrow_table().to_pandas()
    if group:
        counts.insert(0, "by", group)
    return counts


def _weights(column: str) -> dict[str, str]:
    weight = f"{column}::decimal(18, 9)"
    return {
        "weight": f"sum({weight})",
        "squared": f"sum(round({weight} * {weight}, 9)::decimal(38, 9))",
        "lightest": f"min({weight})",
        "weighed": f"count({column})",
    }


def _check(counts: pd.DataFrame, name: str, columns: dict[str, str]) -> None:
    """Raise where values are no durations, no ends or no weights.

    Raises
    ------
    DataError
        Naming column, rows and examples.
    """
    day, entry = (pd.to_numeric(counts[column], errors="coerce") for column in ("day", "entry"))
    churned = pd.to_numeric(counts["churned"], errors="coerce")
    wrong = {
        "day": (~_whole(day), "no whole number from 0", "Round leaving up and follow-up down."),
        "churned": (~churned.isin([0, 1]), "neither true nor false", "Write true or false."),
        "entry": (
            ~_whole(entry) | ((entry > 0) & (entry >= day)),
            "no whole number before the end",
            "Leave out who was never seen; write 0 for who was seen from joining on.",
        ),
    }
    if "lightest" in counts:
        heavy = (pd.to_numeric(counts["lightest"]) > 0) & (counts["weighed"] == counts["members"])
        wrong["weight"] = (~heavy, "not above 0", "A weight says for how many members one stands.")
    for column, (bad, problem, hint) in wrong.items():
        if bad.any():
            raise DataError.in_rows(
                name,
                columns[column] or column,
                problem,
                bad_rows=int(counts.loc[bad, "members"].sum()),
                all_rows=int(counts["members"].sum()),
                examples=list(counts.loc[bad, "lightest" if column == "weight" else column].head(3)),
                hint=hint,
            )


def _whole(values: pd.Series[Any]) -> pd.Series[bool]:
    whole: pd.Series[bool] = values.notna() & (values >= 0) & (values == np.floor(values))
    return whole


def _for_everybody(counts: pd.DataFrame) -> pd.DataFrame:
    summed = [column for column in ("members", "weight", "squared") if column in counts]
    total = counts.groupby(["entry", "day", "churned"], as_index=False)[summed].sum()
    return total.assign(by=_EVERYONE, group=_EVERYONE)


def _risk(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``risk``: a member marks the day of entry and the day of the end."""
    late = (rows["entry"].astype("int64") > 0).astype("int64")
    left = rows["churned"].astype("int64") * rows["members"]
    both = rows[["by", "group"]].assign(late=late)
    into = both.assign(day=rows["entry"], entered=rows["members"], churned=0, censored=0, potential=0)
    out = both.assign(day=rows["day"], entered=0, churned=left, censored=rows["members"] - left, potential=0)
    marks = pd.concat([into, out]).astype(dict.fromkeys(_RISK[2:], "int64"))
    return _sorted(marks.groupby(_RISK[:4], as_index=False)[_RISK[4:]].sum())


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    whole = [column for column in table if column in ("entry", "day", "churned", "members")]
    return table.astype(dict.fromkeys(whole, "int64")).sort_values(list(table.columns), ignore_index=True)


def _meta(name: str, unit: str, everybody: pd.DataFrame) -> dict[str, Any]:
    members = int(everybody["members"].sum())
    return {
        "case": name,
        "study": "retention",
        "as_of": "",
        "time_zone": "",
        "unit": unit,
        "leaving": "cancellation",
        "lapse": None,
        "observed_from": None,
        "members": members,
        "left_out": {},
        "late": int(everybody.loc[everybody["entry"].astype("int64") > 0, "members"].sum()),
        "potential_known": False,
        "params": {},
    }
