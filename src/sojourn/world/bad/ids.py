"""Faults in ids: floats, exponents, leading noughts, blanks, orphans, one member under two ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from sojourn.world.bad.fault import Change, Fault, Given, filled, one, rewritten, some, written
from sojourn.world.bad.sheet import MILLION, Sheet

_ID = "member_id"


def _every(rewrite: Callable[[str], str]) -> Callable[[Sheet, Given], Change]:
    return lambda sheet, given: rewritten(sheet, _ID, rewrite)  # noqa: ARG005 (faults share one shape)


def _exponent(text: str) -> str:
    return "1e+06" if text == str(MILLION) else text


def _floats_in_parquet(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    typed = replace(sheet, form="parquet", types={_ID: pa.float64()})
    return Change(typed, _ID, filled(sheet, _ID))


def _several_types(sheet: Sheet, given: Given) -> Change:
    """Write the id of one member as 7, 007 and 7.0 by turns."""
    member = one(given, sorted(set(sheet.texts(_ID, filled(sheet, _ID)))), sheet.table)
    places = [int(place) for place in (sheet.rows[_ID] == member).to_numpy().nonzero()[0]]
    forms = (f"00{member}", f"{member}.0", member)
    return written(sheet, _ID, places, [forms[i % 3] for i in range(len(places))])


def _two_ids(sheet: Sheet, given: Given) -> Change:
    """Add a copy of some members under the same number with leading noughts."""
    places = some(given, filled(sheet, _ID), 3)
    copies = sheet.rows.iloc[places].assign(**{_ID: [f"00{text}" for text in sheet.texts(_ID, places)]})
    rows = pd.concat([sheet.rows, copies], ignore_index=True)
    return Change(replace(sheet, rows=rows), _ID, range(len(sheet.rows), len(rows)))


def _padded(sheet: Sheet, given: Given) -> Change:
    places = some(given, filled(sheet, _ID), 6)
    return written(sheet, _ID, places, [f"{text} " for text in sheet.texts(_ID, places)])


def _orphans(sheet: Sheet, given: Given) -> Change:
    places = some(given, filled(sheet, _ID), 4)
    return written(sheet, _ID, places, [f"nobody-{i}" for i in range(len(places))])


def _orphan_referrers(sheet: Sheet, given: Given) -> Change:
    places = some(given, range(len(sheet.rows)), 4)
    return written(sheet, "referred_by", places, [f"nobody-{i}" for i in range(len(places))])


FAULTS = (
    Fault(
        "ids_as_floats", "Ids went through floats in one table only: 7.0 for 7.",
        _every(lambda text: f"{text}.0"), "events", "error", "values", numbered=True,
    ),
    Fault(
        "ids_as_floats_in_parquet", "Ids are a Parquet column of floats.",
        _floats_in_parquet, "events", "error", "layout", numbered=True,
    ),
    Fault(
        "ids_with_exponent", "The id 1000000 is written as 1e+06.",
        _every(_exponent), "events", "error", "values", numbered=True,
    ),
    Fault(
        "ids_of_several_types", "One member stands under 7, 007 and 7.0.",
        _several_types, "events", "error", "values", numbered=True,
    ),
    Fault(
        "members_under_two_ids", "Some members stand in the table twice, as 7 and as 007.",
        _two_ids, "members", "warning", "rows", numbered=True,
    ),
    Fault("padded_ids", "Some ids have a blank behind them.", _padded, "events", "error", "values"),
    Fault("orphans", "Some rows are of members who are not there.", _orphans, "events", "error", "values"),
    Fault(
        "orphan_referrers", "Some members were brought by somebody who is not there.",
        _orphan_referrers, "members", "note", "values",
    ),
)  # fmt: skip
