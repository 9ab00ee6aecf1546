"""What came through the door, put into order."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.quality import Coverage, Lateness, Quality
from sojourn.studies.quality.carried import carried

_LEVELS = ("warning", "note")


def quality(cells: Cells, *, follow_days: int = 90, min_group: int = 20) -> Quality:
    """Return what was read, what was odd about it, and which studies it can carry.

    Parameters
    ----------
    cells : Cells
        Of the study ``quality``.
    follow_days : int
        Days for which members are to be followed; data that span fewer are carried with care.
    min_group : int
        A scheme of a trial with fewer members carries nothing.
    """
    in_range(follow_days, "follow_days", ge=1)
    in_range(min_group, "min_group", ge=1)
    meta = cells.meta
    read, kept = sum(meta["read"].values()), sum(meta["kept"].values())
    return Quality(
        case=cells.case,
        members=int(meta["members"]),
        rows=read,
        left_out=max(read - kept, 0),
        days=int(meta["days"]),
        findings=_findings(cells),
        columns=_columns(cells),
        carried=carried(cells, follow_days=follow_days, min_group=min_group),
        coverage=coverage(cells),
        lateness=lateness(cells),
        meta=meta,
    )


def _findings(cells: Cells) -> pd.DataFrame:
    """Return findings, warnings first, those of most rows first."""
    found = cells["findings"]
    order = found.assign(_level=found["level"].map(_LEVELS.index), _less=-found["concerned"])
    ordered = order.sort_values(["_level", "_less", "table", "column", "finding"], kind="stable")
    return ordered.drop(columns=["_level", "_less"]).reset_index(drop=True)


def _columns(cells: Cells) -> pd.DataFrame:
    found = cells["columns"]
    found.insert(4, "missing_share", found["missing"] / found["rows"].clip(lower=1))
    return found.sort_values(["table"], kind="stable").reset_index(drop=True)


def coverage(cells: Cells) -> Coverage:
    """Return how many events each day has; days that the door found incomplete are told apart."""
    rows = cells["coverage"]
    rows = rows[rows["table"] == "events"] if len(rows) else rows
    if rows.empty:
        return Coverage(pd.DataFrame(), (), (), "There are no events whose days could be counted.")
    by_day = rows.assign(day=rows["day"].map(_date)).set_index("day")[["rows", "members"]]
    span = pd.Index(_days(min(by_day.index), max(by_day.index)), name="day")
    table = by_day.reindex(span, fill_value=0).reset_index()
    gaps = tuple(day.isoformat() for day in table.loc[table["rows"] == 0, "day"])
    incomplete = tuple(str(day) for day in cells.meta.get("incomplete_days", ()))
    return Coverage(table, gaps, incomplete)


def lateness(cells: Cells) -> Lateness:
    """Return which share of rows was known after how many days."""
    if "lateness" not in cells.tables or cells.tables["lateness"].empty:
        return Lateness(pd.DataFrame(), "No table says when its rows became known (`recorded_at`).")
    found = cells["lateness"].sort_values(["table", "days_late"], kind="stable")
    by_table = found.groupby("table")["rows"]
    known = by_table.cumsum() / by_table.transform("sum")
    return Lateness(found.assign(known_share=known).reset_index(drop=True))


def _date(day: object) -> date:
    return day if isinstance(day, date) else date.fromisoformat(str(day))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
