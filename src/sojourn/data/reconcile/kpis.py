"""The file of a company's own numbers: what it may hold, a template of it, and reading it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sojourn.core.errors import DataError
from sojourn.core.results.reconcile import SHARES, Kind, Kpi, Unit
from sojourn.core.schema import KNOWN_AT_JOINING

REQUIRED = ("kpi", "period", "value")
COLUMNS = (*REQUIRED, "group", "definition")

#: Columns of members by which a number may be grouped: those known at joining.
GROUPS = tuple(sorted({*KNOWN_AT_JOINING} - {"all", "cohort"}))

#: Most numbers in one file: each costs a pass over small tables.
MOST_ROWS = 500

#: Numbers by name (``UNIT`` is day, week or month, ``N`` a number of them): kind, period, meaning.
KNOWN: dict[str, tuple[Kind, str, str]] = {
    "retained_UNIT_N": ("retained", "of joining", "share of those who joined, seen again N units later"),
    "retained_members_UNIT_N": ("retained_members", "of joining", "how many of those who joined, the same"),
    "active_members": ("active_members", "day, week or month", "members with at least one event"),
    "stickiness": ("stickiness", "month", "mean of daily active members, as a share of the monthly ones"),
    "events": ("events", "day, week or month", "number of events"),
    "new_members": ("new_members", "day, week or month", "members who joined"),
    "churned_members": ("churned_members", "day, week or month", "members who left"),
    "churn_rate": ("churn_rate", "week or month", "share of the members at its start who left in it"),
    "members": ("members", "day", "members at the end of that day"),
}

TEMPLATE = """\
kpi,period,group,value,definition
retained_day_30,2025-01,,31.4%,"seen on day 30, as on the dashboard"
retained_day_30,2025-01,channel=paid,28.9%,
retained_members_month_1,2025-01,,362,
active_members,2025-03,,10482,monthly active members
active_members,2025-W11,,5210,
active_members,2025-03-14,,1893,
stickiness,2025-03,,0.184,
events,2025-03,,190233,
new_members,2025-03,,1204,
churned_members,2025-03,,377,
churn_rate,2025-03,,3.1%,
members,2025-03-31,,12005,
"""

_AGED = re.compile(r"retained(_members)?_(day|week|month)_(\d{1,4})")
_PERIODS: dict[Unit, re.Pattern[str]] = {
    "day": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "week": re.compile(r"\d{4}-W\d{2}"),
    "month": re.compile(r"\d{4}-\d{2}"),
}
_UNITS: dict[str, tuple[Unit, ...]] = {
    "stickiness": ("month",),
    "churn_rate": ("week", "month"),
    "members": ("day",),
}
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(\s?%)?")


def read_kpis(path: Path) -> list[Kpi]:
    """Read a company's numbers.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with the columns `REQUIRED` and, if wanted, ``group`` and ``definition``.

    Raises
    ------
    DataError
        Naming row and column, when something cannot be read.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "there is no such file"
        raise DataError(
            f"{name}: the file cannot be read ({why}). See `sojourn reconcile --template`."
        ) from None
    rows = list(csv.reader(io.StringIO(text)))
    header = [column.strip() for column in rows[0]] if rows else []
    _check_header(name, header)
    kpis = [
        _kpi(name, at, _as_mapping(name, at, header, row)) for at, row in enumerate(rows[1:], 1) if any(row)
    ]
    if not 1 <= len(kpis) <= MOST_ROWS:
        raise DataError(f"{name}: {len(kpis)} rows; a file of numbers has 1 to {MOST_ROWS}.")
    _need_distinct(name, kpis)
    return kpis


def _check_header(name: str, header: list[str]) -> None:
    for column in REQUIRED:
        if column not in header:
            raise DataError.missing_column(name, column, header)
    strange = [column for column in header if column not in COLUMNS]
    if strange or len(set(header)) < len(header):
        what = f"'{strange[0]}' is no column of it" if strange else "a column is there twice"
        raise DataError(f"{name}: {what}. Columns are {', '.join(COLUMNS)}.")


def _as_mapping(name: str, at: int, header: list[str], row: list[str]) -> dict[str, str]:
    if len(row) != len(header):
        raise DataError(
            f"{name}, row {at}: {len(row)} fields where the header has {len(header)}. "
            "Put text that holds a comma in quotes."
        )
    return dict.fromkeys(COLUMNS, "") | {
        column: field.strip() for column, field in zip(header, row, strict=True)
    }


def _kpi(file: str, at: int, row: Mapping[str, str]) -> Kpi:
    name = row["kpi"]
    kind, unit, n = _named(file, at, name)
    spelled = _period_unit(file, at, row["period"], optional=kind in ("retained", "retained_members"))
    if not unit:
        unit = _need_unit(file, at, kind, spelled)
    by, group = _group(file, at, row["group"])
    value, within = _number(file, at, row["value"], share=kind in SHARES)
    return Kpi(
        at, name, kind, unit, n, row["period"], by, group, value, within, row["value"], row["definition"]
    )


def _named(file: str, at: int, name: str) -> tuple[Kind, Unit, int]:
    aged = _AGED.fullmatch(name)
    if aged:
        kind: Kind = "retained_members" if aged[1] else "retained"
        if int(aged[3]) < 1:
            raise _wrong(
                file, at, "kpi", f"'{name}' asks about the {aged[2]} of joining itself; N is at least 1"
            )
        return kind, aged[2], int(aged[3])  # type: ignore[return-value]
    if name not in KNOWN or "UNIT" in name:
        raise _wrong(
            file, at, "kpi", f"'{name}' is not known. Known: {', '.join(KNOWN)}, such as retained_day_30"
        )
    return KNOWN[name][0], "", 0


def _period_unit(file: str, at: int, period: str, *, optional: bool) -> Unit:
    if not period and optional:
        return ""
    for unit, pattern in _PERIODS.items():
        if pattern.fullmatch(period):
            try:
                first_day(period)
            except ValueError:
                break
            return unit
    said = " (or nothing: all who joined)" if optional else ""
    raise _wrong(file, at, "period", f"'{period}' is none. Write 2025-03-14, 2025-W11 or 2025-03{said}")


def first_day(period: str) -> date:
    """Return the first day of a day, ISO week or month.

    Examples
    --------
    >>> first_day("2025-W11"), first_day("2025-03")
    (datetime.date(2025, 3, 10), datetime.date(2025, 3, 1))
    """
    if "W" in period:
        year, week = period.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def _need_unit(file: str, at: int, kind: Kind, spelled: Unit) -> Unit:
    allowed = _UNITS.get(kind, ("day", "week", "month"))
    if spelled not in allowed:
        raise _wrong(file, at, "period", f"{kind} is counted by {' or '.join(allowed)}, not by {spelled}")
    return spelled


def _group(file: str, at: int, text: str) -> tuple[str, str]:
    if not text:
        return "all", "all"
    by, equals, group = (part.strip() for part in text.partition("="))
    if not equals or not group or by not in GROUPS:
        allowed = ", ".join(GROUPS)
        raise _wrong(file, at, "group", f"'{text}' is none. Write column=value, the column one of {allowed}")
    return by, group


def _number(file: str, at: int, text: str, *, share: bool) -> tuple[float, float]:
    """Return a number and half a unit of its last decimal."""
    found = _NUMBER.fullmatch(text)
    try:
        value = Decimal(text.rstrip(" %")) if found else None
    except InvalidOperation:
        value = None
    if found is None or value is None:
        raise _wrong(
            file, at, "value", f"'{text}' is no number. Write 1204, 0.314 or 31.4%, without separators"
        )
    if bool(found[3]) and not share:
        raise _wrong(file, at, "value", f"'{text}' is a share where a count is asked for")
    half = Decimal(5).scaleb(-len(found[2] or "") - 1)
    factor = Decimal(1).scaleb(-2) if found[3] else Decimal(1)
    if share and value * factor > 1:
        raise _wrong(file, at, "value", f"'{text}' is above 1. A share is written 0.314 or 31.4%")
    return float(value * factor), float(half * factor)


def _need_distinct(file: str, kpis: Collection[Kpi]) -> None:
    seen: dict[Any, int] = {}
    for kpi in kpis:
        key = (kpi.name, kpi.period, kpi.by, kpi.group)
        if key in seen:
            raise _wrong(file, kpi.row, "kpi", f"the number of row {seen[key]} stands here once more")
        seen[key] = kpi.row


def _wrong(file: str, at: int, column: str, what: str) -> DataError:
    return DataError(f"{file}, row {at}, column {column}: {what}.")


def kpis_markdown() -> str:
    """Return the page of the file in ``data/README.md``."""
    rows = "\n".join(f"| `{name}` | {period} | {meaning} |" for name, (_, period, meaning) in KNOWN.items())
    return f"""
## Your own numbers: `sojourn reconcile`

`sojourn reconcile CASE --kpi FILE` sets numbers of your own dashboard beside ours and says by which
difference of definition each gap comes about, or that it cannot say. `sojourn reconcile --template` prints a
file to start from: CSV in UTF-8, a row per number, with the columns `kpi`, `period` (a day `2025-03-14`, a
week `2025-W11` or a month `2025-03`; of joining for what follows members, where it may be empty), `value`
(`1204`, `0.314` or `31.4%`; its last decimal says how exact it is) and, if wanted, `group`
(`channel=paid`, a column known at joining) and `definition` (your own words; shown, never interpreted).

| `kpi` | period | what it is |
|---|---|---|
{rows}
"""
