"""What a column's name says about its numbers: how they are rounded, printed and written.

Consistent names buy formatting for free: one rule here serves every table, picture and file.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from sojourn.core.text import exact, once

Kind = Literal[
    "count",
    "whole",
    "share",
    "points",
    "probability",
    "p_value",
    "relative",
    "money",
    "days",
    "number",
    "text",
]

#: Decimals to which published numbers of a kind are rounded, in the unit of the column.
DECIMALS: dict[Kind, int] = {
    "count": 0,
    "whole": 0,
    "share": 4,
    "points": 4,
    "probability": 4,
    "p_value": 4,
    "relative": 4,
    "money": 2,
    "days": 1,
    "number": 3,
}

_RULES: tuple[tuple[Kind, str], ...] = (
    ("whole", r"(days|weeks|months)_since_(joining|first_.+)"),
    ("p_value", r"p_value|.*_p_value"),
    ("probability", r"p_.+|probability"),
    ("relative", r"rel_.+"),
    ("points", r"lift|.+_lift|lift_.+|.+_points|points"),
    ("share", r"(.+_)?(share|shares|rate|retained|band|kept|coverage)(_.+)?|silhouette_share"),
    ("count", r"n|n_.+|.+_n|(.+_)?(members|at_risk|churned|entered|censored|count|rows|events|payers)"),
    ("whole", r"duration_(days|weeks|months)"),
    ("days", r"days|.+_days|days_.+"),
    ("money", r"(.+_)?(amount|cost|costs|net_value|price|revenue|margin|spend|money)(_.+)?"),
    ("whole", r"year|.+_year|k|rank|segment|duration|day|week|month"),
)
_BOUND = re.compile(r"^(?:(.+)_)?(low|high)$")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a published table.

    Attributes
    ----------
    name : str
        As in the result and the CSV.
    kind : str
        What its numbers are.
    """

    name: str
    kind: Kind


def stem(name: str) -> str:
    """Return the name without ``_low`` or ``_high``; empty for a bare ``low`` or ``high``."""
    found = _BOUND.match(name)
    return (found.group(1) or "") if found else name


def kind_of(name: str, values: pd.Series[Any]) -> Kind:
    """Return what a column's numbers are, by its name and, failing that, by its type."""
    if not _is_number(values):
        return "text"
    for kind, pattern in _RULES:
        if re.fullmatch(pattern, stem(name).lower()):
            return kind if _fits(kind, values) else _kind_by_type(values)
    return _kind_by_type(values)


def _kind_by_type(values: pd.Series[Any]) -> Kind:
    return "count" if pd.api.types.is_integer_dtype(values.dtype) else "number"


def _fits(kind: Kind, values: pd.Series[Any]) -> bool:
    """Whether the values can be what the name says; `kept` may be a share or a count, for example."""
    present = [float(v) for v in values.tolist() if v is not None and v is not pd.NA and math.isfinite(v)]
    if kind in ("count", "whole"):
        return all(v.is_integer() for v in present)
    if kind in ("share", "probability", "p_value"):
        return all(0 <= v <= 1 for v in present) and not pd.api.types.is_integer_dtype(values.dtype)
    return kind != "points" or all(-1 <= v <= 1 for v in present)


def columns_of(frame: pd.DataFrame) -> list[Column]:
    """Return name and kind of every column; a bare ``low`` or ``high`` is of the kind before it."""
    columns: list[Column] = []
    for name in map(str, frame.columns):
        kind = kind_of(name, frame[name])
        if name in ("low", "high") and columns and columns[-1].kind != "text":
            kind = columns[-1].kind
        columns.append(Column(name, kind))
    return columns


def held(value: Any, kind: Kind) -> Any:
    """Return one value as a block holds it: None when missing, numbers with all digits that matter."""
    if (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (isinstance(value, float | Decimal) and not math.isfinite(value))
    ):
        return None
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if kind == "text":
        return str(value)
    return int(once(float(value), 0)) if DECIMALS[kind] == 0 else float(exact(float(value))) + 0.0


def rounded(value: Any, kind: Kind) -> Any:
    """Return one value of a block as a file holds it: rounded, once, to what its kind publishes."""
    number = held(value, kind)
    if not isinstance(number, float):
        return number
    return float(once(number, DECIMALS[kind])) + 0.0


def rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    """Return the rows of a table as a block holds them."""
    columns = columns_of(frame)
    lists = [[held(value, column.kind) for value in frame[column.name].tolist()] for column in columns]
    return [list(row) for row in zip(*lists, strict=True)]


def as_data(frame: pd.DataFrame, currency: str = "") -> dict[str, Any]:
    """Return a table as a block holds it: ``columns`` (name, kind), ``rows`` and, if known, ``currency``."""
    data = {"columns": [[c.name, c.kind] for c in columns_of(frame)], "rows": rows_of(frame)}
    paid = currency and any(kind == "money" for _, kind in data["columns"])
    return {**data, "currency": currency} if paid else data


def csv_of(table: Mapping[str, Any]) -> str:
    """Return a block's table as CSV, every number rounded to what its kind publishes."""
    kinds = [kind for _, kind in table["columns"]]
    rows = [[rounded(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table["rows"]]
    return csv_text([name for name, _ in table["columns"]], rows)


def csv_text(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(name) for name in names])
    writer.writerows([["" if value is None else _field(value) for value in row] for row in rows])
    return out.getvalue()


def _field(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


#: Where a spreadsheet may see the begin of a formula: at the begin of a cell, and after a sign at which
#: those of some countries split a line; blanks, quotes and earlier apostrophes may stand between.
_FORMULA = re.compile(
    r"(?P<before>(?:^|[;\t\r\n])[\s\"'\x00-\x1f\ufeff\u200b]*)"
    r"(?=[=+@＝＋＠\-－])(?P<formula>[^;\t\r\n]*)"
)
_NUMBER = re.compile(r"[+-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?\s?%?\s*")


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet would run a cell: it begins like a formula somewhere and is no number.

    The signs are ``=``, ``+``, ``-``, ``@`` and their full-width forms (OWASP, "CSV injection"), at the begin
    of the cell or after a semicolon, a tab or a line break, behind which some spreadsheets begin a new cell.
    """
    return any(_runs(found) for found in _FORMULA.finditer(cell))


def harmless(cell: str) -> str:
    """Return text on one line, with an apostrophe before whatever begins like a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless("a;@b"), harmless("from 1; -3.5"), harmless("'=1")
    ("'=1+1", "a;'@b", 'from 1; -3.5', "''=1")
    """
    line = re.sub(r"[\r\n\t]+", " ", cell)
    return _FORMULA.sub(
        lambda f: f.group() if f.start() and _is_figure(f) else f"{f['before']}'{f['formula']}", line
    )


def as_written(cell: str) -> str:
    """Return the text of a cell of a CSV without the apostrophes that `harmless` has put there.

    Examples
    --------
    >>> [as_written(harmless(cell)) for cell in ("=1+1", "a;@b", "'=1", "it's -1")]
    ['=1+1', 'a;@b', "'=1", "it's -1"]
    """
    return _FORMULA.sub(lambda f: f"{f['before'].removesuffix("'")}{f['formula']}", cell)


def _runs(found: re.Match[str]) -> bool:
    return not _is_figure(found) and not found["before"].endswith("'")


def _is_figure(found: re.Match[str]) -> bool:
    """Whether what begins like a formula is a number."""
    return _NUMBER.fullmatch(found["formula"]) is not None and "'" not in found["before"]


def _is_number(values: pd.Series[Any]) -> bool:
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    if values.dtype == object:
        present = [v for v in values.tolist() if v is not None]
        return bool(present) and all(
            isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in present
        )
    return bool(pd.api.types.is_numeric_dtype(values.dtype))
