"""Faults in rows: doubled, missing, out of order, too many of one member, days that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from sojourn.world.bad.fault import (
    Change,
    Fault,
    Given,
    dealt,
    everywhere,
    filled,
    first,
    one,
    only,
    some,
    written,
)
from sojourn.world.bad.layouts import names
from sojourn.world.bad.sheet import Sheet, iso

#: Length of a gap without events, in days.
GAP_DAYS = 7
FORMULAS = ('=HYPERLINK("http://example.org";"win")', "+cmd|' /C calc'!A0", "@SUM(1+1)", "-2+3")
MARKUP = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "</td></tr><b>bold",
    "{{7*7}} &lt; $x^2$ [a](javascript:b)",
)


def _doubled(sheet: Sheet, given: Given) -> Change:
    """Write some rows twice, the copy right behind the row."""
    places = some(given, everywhere(sheet), 8)
    order = np.sort([*everywhere(sheet), *places])
    copies = np.flatnonzero(np.diff(order, prepend=-1) == 0)
    return Change(replace(sheet, rows=only(sheet, order)), "", [int(place) for place in copies])


def _doubled_by_key(sheet: Sheet, given: Given) -> Change:
    return replace(_doubled(sheet, given), column=first(sheet.contract.key[-1:], sheet.table))


def _appended(sheet: Sheet, values: dict[str, str], column: str) -> Change:
    row = pd.DataFrame([{**dict.fromkeys(sheet.rows.columns, ""), **values}])
    rows = pd.concat([sheet.rows, row], ignore_index=True)
    return Change(replace(sheet, rows=rows), column, [len(sheet.rows)])


def _total(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _appended(sheet, {str(sheet.rows.columns[0]): "Total"}, sheet.contract.time)


def _header_again(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _appended(sheet, {str(name): str(name) for name in sheet.rows.columns}, sheet.contract.time)


def _missing_values(sheet: Sheet, given: Given) -> Change:
    needed = [c.name for c in sheet.contract.columns if c.required and not c.nullable]
    column = one(given, needed, sheet.table)
    places = some(given, filled(sheet, column), 5)
    return written(sheet, column, places, [""] * len(places))


def _bot(sheet: Sheet, given: Given) -> Change:
    """Add events of one member, all on the day of one of its own, as fast as they come."""
    like = some(given, everywhere(sheet), 1)[0]
    start, n = sheet.instants_at(sheet.contract.time, [like])[0].floor("D"), given.bot_events
    seconds = np.sort(given.rng.integers(0, 86_400, size=n))
    rows = sheet.rows.iloc[np.full(n, like)].copy()
    rows[sheet.contract.time] = [iso(start + timedelta(seconds=int(s))) for s in seconds]
    changed = pd.concat([sheet.rows, rows], ignore_index=True)
    return Change(replace(sheet, rows=changed), "member_id", range(len(sheet.rows), len(changed)))


def _ordered(sheet: Sheet, order: Sequence[int]) -> Change:
    moved = [place for place, row in enumerate(order) if place != row]
    return Change(replace(sheet, rows=only(sheet, order)), "", moved)


def _shuffled(sheet: Sheet, given: Given) -> Change:
    return _ordered(sheet, [int(row) for row in given.rng.permutation(len(sheet.rows))])


def _reversed(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _ordered(sheet, list(everywhere(sheet))[::-1])


def _without(sheet: Sheet, gone: np.ndarray) -> Change:
    kept = replace(sheet, rows=only(sheet, np.flatnonzero(~gone)))
    return Change(kept, sheet.contract.time, [int(place) for place in np.flatnonzero(gone)])


def _gap(sheet: Sheet, given: Given) -> Change:
    """Take out a week in the busier half of the time, so that the gap is one."""
    days = sheet.instants(sheet.contract.time).dt.floor("D")
    busy = sorted(days.tolist())[len(days) // 2 :]
    inside = [day for day in busy if day <= busy[-1] - timedelta(days=2 * GAP_DAYS)]
    start = inside[some(given, range(len(inside)), 1)[0]]
    return _without(sheet, days.between(start, start + timedelta(days=GAP_DAYS - 1)).to_numpy())


def _partial(sheet: Sheet, given: Given) -> Change:
    """End the file early on the last local day of which at least half is there."""
    instants = sheet.instants(sheet.contract.time).dt.tz_convert(given.zone)
    midnight = (instants.max() - timedelta(hours=12)).normalize()
    day = sorted(at for at in instants.tolist() if at >= midnight)
    return _without(sheet, (instants > day[len(day) // 10]).to_numpy())


def _in_names(texts: Sequence[str], sheet: Sheet, given: Given) -> Change:
    return dealt(given, sheet, names(sheet), texts)


def _unknown(sheet: Sheet, given: Given) -> Change:
    """Write new categories, where possible into a column that has a closed list of them."""
    closed = [c.name for c in sheet.contract.columns if c.one_of and c.name in sheet.rows.columns]
    column = closed[0] if closed else names(sheet)
    change = dealt(given, sheet, column, ("xq-17", "test_do_not_use"), n=3)
    return replace(change, expected="error" if closed else None)


def _respelt(sheet: Sheet, given: Given) -> Change:
    column = names(sheet)
    places = some(given, filled(sheet, column), 6)
    values = sheet.texts(column, places)
    return written(sheet, column, places, [f"{v} " if i % 2 else v.upper() for i, v in enumerate(values)])


FAULTS = (
    Fault("doubled_events", "Some events stand in the file twice.", _doubled, "events", "warning", "rows"),
    Fault(
        "doubled_members", "Some members stand in the file twice.",
        _doubled_by_key, "members", "error", "rows",
    ),
    Fault("total_row", "The last row is a total.", _total, "events", "error", "rows"),
    Fault("header_again", "The header comes again as a row.", _header_again, "events", "error", "rows"),
    Fault(
        "missing_values", "Some required values are missing.",
        _missing_values, "events", "error", "values",
    ),
    Fault("bots", "One member has as many events as a program makes.", _bot, "events", "warning", "rows"),
    Fault("shuffled_rows", "Rows stand in any order.", _shuffled, "events", "accepted", "order"),
    Fault("reversed_rows", "Rows stand from last to first.", _reversed, "events", "accepted", "order"),
    Fault("gap_of_days", "A week has no events at all.", _gap, "events", "warning", "rows"),
    Fault("partial_last_day", "The last day is not complete.", _partial, "events", "warning", "rows"),
    Fault(
        "unknown_categories", "Some rows are of categories that nobody has heard of.",
        _unknown, "members", "note", "values",
    ),
    Fault(
        "respelt_categories", "Some names are in capitals or have a blank behind them.",
        _respelt, "members", "warning", "values",
    ),
    Fault(
        "formulas_in_names", "Some names are formulas of a spreadsheet.",
        lambda sheet, given: _in_names(FORMULAS, sheet, given), "members", "accepted", "values",
    ),
    Fault(
        "markup_in_names", "Some names are markup that a page would run.",
        lambda sheet, given: _in_names(MARKUP, sheet, given), "members", "accepted", "values",
    ),
)  # fmt: skip
